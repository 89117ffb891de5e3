import { details, SEVERITY_WORDS } from "./details";
import type { Notice } from "./notice";

/** A notice as plain text, with everything that is in it. */
export function noticeText(notice: Notice): string {
  const facts = details(notice);
  const width = Math.max(0, ...facts.map(({ label }) => label.length)) + 2;
  const parts = [
    notice.title,
    `Severity: ${SEVERITY_WORDS[notice.severity]}`,
    notice.text,
    facts.map(({ label, value }) => `${`${label}:`.padEnd(width)}${value}`).join("\n"),
    notice.links.map(({ title, url }) => `${title}: ${url}`).join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
