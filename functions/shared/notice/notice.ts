import * as z from "zod";
import { cleanLine, cleanText } from "../text/cleanText";

/** How urgent a notice is. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

const LIMITS = {
  title: 200,
  text: 20_000,
  label: 40,
  value: 1_000,
  lines: 30,
  links: 5,
  url: 1_000,
} as const;

const line = (limit: number) => z.string().transform((text) => cleanLine(text, limit));

/** Web addresses only: a link that is anything else (javascript:, file:) is refused. */
function isWebAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "https:" && url.username === "" && url.password === "" && !/\s/.test(text);
}

/**
 * A notice: what people are told, whatever the channel. As JSON in an SNS message it is what this project's functions publish; lengths are
 * cut, not refused, since a shortened alert is better than none.
 */
export const noticeSchema = z.object({
  /** Required. Marks the JSON as a notice, and its version. */
  bulkheadNotice: z.literal(1).default(1),
  /** Required. One line: what happened. */
  title: line(LIMITS.title).pipe(z.string().min(1)),
  severity: z.enum(SEVERITIES),
  /** Free text below the title. */
  text: z
    .string()
    .transform((text) => cleanText(text, LIMITS.text))
    .default(""),
  /** Facts, in the order in which they are shown. */
  lines: z
    .array(z.object({ label: line(LIMITS.label), value: line(LIMITS.value) }))
    .transform((lines) => lines.slice(0, LIMITS.lines))
    .default([]),
  /** Where to go from here; https only. */
  links: z
    .array(
      z.object({
        title: line(LIMITS.label),
        url: z
          .string()
          .refine(isWebAddress, "an https address")
          .transform((text) => new URL(text).href)
          .pipe(z.string().max(LIMITS.url)),
      }),
    )
    .transform((links) => links.slice(0, LIMITS.links))
    .default([]),
  /** The AWS region that it is about. */
  region: line(LIMITS.label).default(""),
  /** The account that it is about. */
  account: line(LIMITS.label).default(""),
  /** When it happened, in ISO 8601. */
  time: line(LIMITS.label).default(""),
});

/** A notice with everything in it. */
export type Notice = z.output<typeof noticeSchema>;

/** A notice as it is written: only title and severity have to be there. */
export type NoticeInput = z.input<typeof noticeSchema>;

/** Completes a notice, cleaning and cutting its texts. */
export function makeNotice(input: NoticeInput): Notice {
  return noticeSchema.parse(input);
}

/** A notice as the text of an SNS message, for functions that publish one. */
export function noticeMessage(input: NoticeInput): string {
  return JSON.stringify(makeNotice(input));
}
