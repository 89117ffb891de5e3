import { visibleHtml } from "../../shared/html/html";
import type { Mail } from "../../shared/mail/mail";
import { cleanLine, cleanText } from "../../shared/text/cleanText";
import type { Language } from "../directory/document";
import { readableCode } from "../links/secret";
import type { Line } from "../pages/view";
import { type Say, sayIn } from "../pages/words";
import { isAsk, type MessageKind } from "./kinds";
import {
  BLOCK_PLACEHOLDERS,
  type Blocks,
  defaultTemplate,
  fill,
  type Template,
  type Values,
} from "./template";

/** Longest subject. */
const SUBJECT_LIMIT = 200;
/** Longest value. */
const VALUE_LIMIT = 2_000;

/** A group of lines under a heading. */
export interface SummaryPart {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** A message to one person. Every text in it is plain. */
export interface Message {
  readonly kind: MessageKind;
  readonly language: Language;
  readonly values: Omit<Values, "code" | "link">;
  readonly summary: readonly SummaryPart[];
  readonly region: string;
  /** What the person opens; absent where there is nothing to open. */
  readonly link?: string;
  /** Six digits; absent where one signs in, or only looks. */
  readonly code?: string;
  /** The same message again has the same id. */
  readonly id: string;
}

/**
 * A message as a mail, in HTML and in text.
 * @param template @default the one that is built in
 */
export function renderMail(
  message: Message,
  template: Template = defaultTemplate(message.kind, message.language),
): Mail {
  const say = sayIn(message.language);
  const values: Values = {
    ...message.values,
    link: message.link ?? "",
    code: message.code ? readableCode(message.code) : "",
  };
  // On one line each, but the outcome: no value can write lines that look like the message's own.
  const value = (name: string) => {
    if (!Object.hasOwn(values, name)) return undefined;
    const text = values[name as keyof Values];
    return name === "outcome" ? cleanText(text, VALUE_LIMIT) : cleanLine(text, VALUE_LIMIT);
  };
  const textBlocks = blocksInText(message, say);
  const htmlBlocks = blocksInHtml(message, say);
  const block = (blocks: Blocks, name: string) =>
    Object.hasOwn(blocks, name) ? blocks[name as keyof Blocks] : undefined;
  const title = cleanLine(fill(template.subject, value), SUBJECT_LIMIT);
  const escaped = (name: string) => {
    const plain = value(name);
    return plain === undefined ? undefined : visibleHtml(plain);
  };
  return {
    id: message.id.replace(/[^A-Za-z0-9-]/g, "-"),
    subject: title,
    text: `${fill(template.text, (name) => block(textBlocks, name) ?? value(name))
      .replace(/\n{3,}/g, "\n\n")
      .trim()}\n`,
    html:
      template.html === undefined
        ? htmlPage(message, title, paragraphs(template.text, escaped, htmlBlocks))
        : fill(template.html, (name) => block(htmlBlocks, name) ?? escaped(name)),
  };
}

function blocksInText({ kind, summary, link, code, values, region }: Message, say: Say): Blocks {
  return {
    summary: summary
      .map(({ title, lines }) =>
        [title.toUpperCase(), ...lines.map(({ label, value }) => `  ${label}: ${value}`)].join("\n"),
      )
      .join("\n\n"),
    action:
      link === undefined
        ? ""
        : [`${say(isAsk(kind) ? "mailOpen" : "mailLook")}:\n${link}`, ...actionNotes(kind, code, say)].join(
            "\n\n",
          ),
    footer: say("mailFooter", { cell: values.cell, region, request: values.request }),
  };
}

function actionNotes(kind: MessageKind, code: string | undefined, say: Say): string[] {
  if (!isAsk(kind)) return [];
  return [
    code === undefined
      ? say("mailSignIn")
      : `${say("mailCode", { code: readableCode(code) })}\n${say("mailCodeNote")}`,
    say("mailPersonal"),
  ];
}

const SOFT = "color:#57606a";
const CELL = "padding:5px 0;vertical-align:top;word-break:break-word";

function blocksInHtml({ kind, summary, link, code, values, region }: Message, say: Say): Blocks {
  const parts = summary.map(
    ({ title, lines }) =>
      `<h2 style="margin:22px 0 4px;font-size:15px">${visibleHtml(title)}</h2><table role="presentation" width="100%" style="border-collapse:collapse">${lines
        .map(
          ({ label, value }) =>
            `<tr><th align="left" width="30%" style="${CELL};padding-right:14px;font-weight:normal;${SOFT}">${visibleHtml(label)}</th><td style="${CELL}">${visibleHtml(value)}</td></tr>`,
        )
        .join("")}</table>`,
  );
  const codeHtml =
    code === undefined
      ? `<p style="margin:0 0 6px">${visibleHtml(say("mailSignIn"))}</p>`
      : `<p style="margin:0 0 2px;font-size:20px;font-weight:bold">${visibleHtml(say("mailCode", { code: readableCode(code) }))}</p><p style="margin:0 0 6px;${SOFT}">${visibleHtml(say("mailCodeNote"))}</p>`;
  const notes = isAsk(kind)
    ? `${codeHtml}<p style="margin:0;${SOFT}">${visibleHtml(say("mailPersonal"))}</p>`
    : "";
  return {
    summary: parts.join(""),
    action:
      link === undefined
        ? ""
        : `<p style="margin:18px 0 14px"><a href="${visibleHtml(link)}" style="display:inline-block;padding:13px 26px;border-radius:10px;background:#1d4ed8;color:#ffffff;font-weight:bold;text-decoration:none">${visibleHtml(say(isAsk(kind) ? "mailOpen" : "mailLook"))}</a></p>${notes}`,
    footer: `<p style="margin:24px 0 0;font-size:13px;${SOFT}">${visibleHtml(say("mailFooter", { cell: values.cell, region, request: values.request }))}</p>`,
  };
}

/** A template's text as HTML: what is between blank lines is a paragraph, or a block. */
function paragraphs(text: string, value: (name: string) => string | undefined, blocks: Blocks): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => {
      const alone = BLOCK_PLACEHOLDERS.find((name) =>
        new RegExp(`^\\s*\\{\\{\\s*${name}\\s*\\}\\}\\s*$`).test(paragraph),
      );
      if (alone) return blocks[alone];
      const filled = fill(visibleHtml(paragraph), (name) =>
        Object.hasOwn(blocks, name) ? blocks[name as keyof Blocks] : value(name),
      ).trim();
      return filled === "" ? "" : `<p style="margin:0 0 12px">${filled.replace(/\n/g, "<br>")}</p>`;
    })
    .join("\n");
}

const COLOURS: Readonly<Partial<Record<MessageKind, string>>> = {
  bypassed: "#b3141e",
  failed: "#b3141e",
  denied: "#b3141e",
  escalation: "#9a5b00",
  done: "#14734a",
};

// Inline styles and no more than a column: what mail programs agree on.
function htmlPage({ kind, language }: Message, title: string, content: string): string {
  const colour = COLOURS[kind] ?? "#1d4ed8";
  return [
    `<!doctype html><html lang="${language === "zh" ? "zh-Hans" : "en"}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light"><title>${visibleHtml(title)}</title></head>`,
    '<body style="margin:0;padding:24px 12px;background:#f3f4f6;color:#1f2328;font:15px/1.55 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">',
    `<div style="max-width:640px;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid ${colour}">`,
    `<h1 style="margin:0 0 14px;font-size:21px;line-height:1.3">${visibleHtml(title)}</h1>`,
    content,
    "</div></body></html>",
  ].join("\n");
}
