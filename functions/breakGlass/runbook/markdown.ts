import { cleanLine } from "../../shared/text/cleanText";

/** Markdown that was written by this program, or has been escaped. */
export class Markdown {
  constructor(readonly text: string) {}
}

type Content = Markdown | string | number | readonly Content[];

const LIMIT = 2_000;

/**
 * Markdown from a template. Everything put into it is escaped unless it is {@link Markdown}; lists are joined line by line. The text's common
 * indentation is not part of it, so templates begin at the margin.
 */
export function markdown(parts: TemplateStringsArray, ...values: Content[]): Markdown {
  let text = parts[0] ?? "";
  values.forEach((value, index) => {
    text += render(value) + (parts[index + 1] ?? "");
  });
  return new Markdown(text);
}

function render(value: Content): string {
  if (value instanceof Markdown) return value.text;
  if (typeof value === "object") return value.map(render).join("\n");
  return escapeMarkdown(String(value));
}

/** Text as it may stand in a paragraph or a table's cell: on one line, without meaning to Markdown or HTML. */
function escapeMarkdown(text: string): string {
  return cleanLine(text, LIMIT)
    .replace(/[\\`*_[\]<>|~]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/^([#+-]|\d+[.)])/, "\\$1");
}

/** A name, a number, a command within a line: as it is, in fixed width. A bar would end a table's cell. */
export function code(text: string): Markdown {
  const line = cleanLine(text, LIMIT).replaceAll("|", "\\|");
  const fence = "`".repeat(longestRun(line) + 1);
  const space = /^`|`$/.test(line) ? " " : "";
  return new Markdown(`${fence}${space}${line}${space}${fence}`);
}

/** Lines to copy, such as commands or a query. */
export function codeBlock(language: string, ...lines: string[]): Markdown {
  const text = lines.join("\n");
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return new Markdown(`${fence}${language}\n${text}\n${fence}`);
}

/** A link that shows its own address. */
export function address(url: string): Markdown {
  return new Markdown(`<${encodeURI(decodeURI(url))}>`);
}

/** A table. */
export function table(headings: readonly string[], rows: readonly (readonly Content[])[]): Markdown {
  const line = (cells: readonly Content[]) => `| ${cells.map(render).join(" | ")} |`;
  return new Markdown(
    [line(headings), line(headings.map(() => new Markdown("---"))), ...rows.map(line)].join("\n"),
  );
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
