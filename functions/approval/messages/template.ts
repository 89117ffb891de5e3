/**
 * Templates of mails: text with placeholders in double braces. A team can replace those that are built in; see {@link parseTemplates}.
 */
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { LANGUAGES, type Language } from "../directory/document";
import { sayIn, type Word } from "../pages/words";
import { isAsk, MESSAGE_KINDS, type MessageKind } from "./kinds";

/** What stands for a value: one line of text, escaped in HTML. */
export const VALUE_PLACEHOLDERS = [
  /** What is to be done: `Terminate instances`. */
  "operation",
  /** Account with its name; empty where a message is about none. */
  "account",
  "region",
  /** Who asks. */
  "requester",
  /** Why, in the requester's words. */
  "reason",
  /** Score and class. */
  "risk",
  "deadline",
  /** Id of the request. */
  "request",
  /** Who gets the message. */
  "name",
  /** What became of it, where it became something. */
  "outcome",
  "cell",
  /** Address of the recipient's own page. */
  "link",
  /** The code to type; empty where one signs in. */
  "code",
] as const;

/** What stands for a whole block, on a line of its own; each looks right in text and in HTML. */
export const BLOCK_PLACEHOLDERS = [
  /** Everything about the request. */
  "summary",
  /** The link, the code, and what to do with them. */
  "action",
  /** Who sends this, and about which request. */
  "footer",
] as const;

type ValuePlaceholder = (typeof VALUE_PLACEHOLDERS)[number];
type BlockPlaceholder = (typeof BLOCK_PLACEHOLDERS)[number];

/** What is put in for the values of a template. */
export type Values = Readonly<Record<ValuePlaceholder, string>>;

/** What is put in for its blocks, in one format. */
export type Blocks = Readonly<Record<BlockPlaceholder, string>>;

/** A mail's template. */
export interface Template {
  readonly subject: string;
  readonly text: string;
  /** @default made from the text: paragraphs, and blocks as tables and buttons */
  readonly html?: string;
}

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** The template that is built in. */
export function defaultTemplate(kind: MessageKind, language: Language): Template {
  const say = sayIn(language);
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  // The dictionary's values are placeholders here.
  const word = (which: string) =>
    say(
      `mail${name}${which}` as Word,
      Object.fromEntries(VALUE_PLACEHOLDERS.map((each) => [each, `{{${each}}}`])),
    );
  const outcome = isAsk(kind) ? "" : "{{outcome}}\n\n";
  return {
    subject: word("Subject"),
    text: `${word("Intro")}\n\n${outcome}{{action}}\n\n{{summary}}\n\n{{footer}}`,
  };
}

const templateSchema = z.strictObject({
  subject: z.string().min(1).max(300),
  text: z.string().min(1).max(20_000),
  html: z.string().min(1).max(100_000).optional(),
});

const templatesSchema = z.strictObject({
  version: z.literal(1),
  templates: z.partialRecord(z.enum(MESSAGE_KINDS), z.partialRecord(z.enum(LANGUAGES), templateSchema)),
});

/** Templates of a team; the built-in one stands in for each that is missing. */
export type Templates = z.output<typeof templatesSchema>["templates"];

/**
 * Reads a document with templates: `{"version": 1, "templates": {KIND: {LANGUAGE: {"subject", "text", "html"}}}}`.
 *
 * Every placeholder has to be known. Blocks stand in text and HTML only, not in subjects. Whoever is asked to act has to see what it is about and how to act:
 * such templates need `summary`, and `action` or both of `link` and `code`.
 * @throws BulkheadError `template-malformed` naming kind, language, part and placeholder
 */
export function parseTemplates(json: string): Templates {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
  const parsed = templatesSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${z.core.toDotPath(issue!.path) || "at its top"}: ${issue!.message}`, parsed.error);
  }
  const { templates } = parsed.data;
  for (const kind of MESSAGE_KINDS) {
    for (const language of LANGUAGES) {
      const template = templates[kind]?.[language];
      if (template) checkTemplate(kind, `${kind}.${language}`, template);
    }
  }
  return templates;
}

function checkTemplate(kind: MessageKind, place: string, { subject, text, html }: Template): void {
  for (const [part, content] of [
    ["subject", subject],
    ["text", text],
    ["html", html],
  ] as const) {
    if (content === undefined) continue;
    const used = placeholdersOf(content);
    const known: readonly string[] =
      part === "subject" ? VALUE_PLACEHOLDERS : [...VALUE_PLACEHOLDERS, ...BLOCK_PLACEHOLDERS];
    const unknown = used.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw malformed(
        `${place}.${part} has a placeholder that is not known there; known are ${known.join(", ")}`,
      );
    }
    if (part === "subject") {
      if (used.includes("code") || used.includes("link")) {
        throw malformed(`${place}.subject shows a link or a code: subjects are seen on locked screens`);
      }
      continue;
    }
    if (!isAsk(kind)) continue;
    const acts = used.includes("action") || (used.includes("link") && used.includes("code"));
    if (!acts) throw malformed(`${place}.${part} needs {{action}}, or {{link}} and {{code}}`);
    if (!used.includes("summary")) throw malformed(`${place}.${part} needs {{summary}}: people decide by it`);
  }
}

/** The names of the placeholders in a template's part. */
function placeholdersOf(content: string): string[] {
  return [...content.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}

/** Puts values in. What is put in is not looked at again, so no value can bring a placeholder of its own. */
export function fill(content: string, of: (name: string) => string | undefined): string {
  return content.replace(PLACEHOLDER, (whole, name: string) => of(name) ?? whole);
}

function malformed(problem: string, cause?: unknown): BulkheadError {
  return new BulkheadError("template-malformed", `the templates of messages cannot be used: ${problem}`, {
    cause,
  });
}
