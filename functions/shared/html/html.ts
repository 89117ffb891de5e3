import { escapeHtml } from "../text/escapeHtml";

/** HTML that has been escaped, or was written by this program. */
export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template: text is escaped, lists are joined, nothing is nothing. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/**
 * HTML from a template. Everything put into it is escaped unless it is {@link Html}. Attribute values must
 * be quoted.
 */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  let text = parts[0] ?? "";
  values.forEach((value, i) => {
    text += render(value) + (parts[i + 1] ?? "");
  });
  return new Html(text);
}

function render(value: Content): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(render).join("");
  return visibleHtml(String(value));
}

/**
 * Control characters, and those that turn the direction of writing, with which a text could pass for
 * another. Tab and line ends are left.
 */
const INVISIBLE = /[^\P{Cc}\t\n\r]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/**
 * Text as it may stand between tags and in quoted attributes; characters that must not be shown become
 * U+FFFD.
 */
export function visibleHtml(text: string): string {
  return escapeHtml(text.replace(INVISIBLE, "\ufffd"));
}
