import { createHash } from "node:crypto";
import { visibleHtml } from "../../shared/html/html";
import type { Mail } from "../../shared/mail/mail";
import { cleanLine } from "../../shared/text/cleanText";
import type { AccountNotices, NoticeEntry } from "../engine/ports";
import { sayingOf } from "./message";

/** The bodies of a mail, with placeholders in double braces; see {@link PLACEHOLDERS}. */
export interface Template {
  html: string;
  text: string;
}

/** What a template may hold: `{{count}}` and so on. `entries` has to be there. */
export const PLACEHOLDERS = ["accountId", "accountName", "runId", "count", "entries"] as const;

const HTML_TEMPLATE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Access keys</title></head>
<body style="margin:0;padding:24px;background:#f3f4f6;color:#1f2328;font:15px/1.5 system-ui,sans-serif">
<div style="max-width:680px;margin:0 auto;padding:24px;background:#fff;border-top:4px solid #1f5fa8">
<h1 style="margin:0 0 12px;font-size:20px">Access keys in {{accountName}} ({{accountId}})</h1>
INTRO
{{entries}}
<p style="margin:16px 0 0;color:#57606a;font-size:13px">Sent by Bulkhead, run {{runId}}.</p>
</div></body></html>
`;
const TEXT_TEMPLATE = `Access keys in {{accountName}} ({{accountId}})

INTRO

{{entries}}

Sent by Bulkhead, run {{runId}}.
`;
const INTROS = {
  audit: "These access keys are due. Nothing was changed: the rotation runs in audit mode.",
  enforce: "This is what was done with access keys that you are responsible for, and what needs you.",
};

/** The templates that are used where the bucket has none. */
export function builtInTemplate(mode: "audit" | "enforce"): Template {
  const intro = INTROS[mode];
  return {
    html: HTML_TEMPLATE.replace("INTRO", `<p>${intro}</p>`),
    text: TEXT_TEMPLATE.replace("INTRO", intro),
  };
}

/** Why a text is no template; undefined: it is one. */
export function templateProblem(text: string): string | undefined {
  const used = [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1] ?? "");
  const unknown = used.find((name) => !PLACEHOLDERS.some((known) => known === name));
  if (unknown !== undefined) return `{{${unknown}}} is not known: there are ${PLACEHOLDERS.join(", ")}`;
  return used.includes("entries") ? undefined : "{{entries}} is missing";
}

/** A mail about entries of one account. Everything in it is escaped; nothing of it is a link. */
export function renderMail(notices: AccountNotices, entries: NoticeEntry[], template: Template): Mail {
  const name = cleanLine(notices.accountName || notices.accountId, 60);
  const failed = entries.every(({ what }) => what.startsWith("failed:"));
  const count = entries.length;
  const about = failed ? "a step failed" : `${count} ${count === 1 ? "notice" : "notices"}`;
  return {
    // The same entries give the same id, whichever run brings them.
    id: createHash("sha256")
      .update(
        entries
          .map(({ id }) => id)
          .sort()
          .join("\n"),
      )
      .digest("hex")
      .slice(0, 40),
    subject: cleanLine(`[${notices.mode === "audit" ? "Audit" : "Access keys"}] ${name}: ${about}`, 150),
    html: fill(template.html, notices, visibleHtml, htmlEntries(entries), String(count)),
    text: fill(template.text, notices, (text) => cleanLine(text, 200), textEntries(entries), String(count)),
  };
}

function fill(
  template: string,
  { accountId, accountName, runId }: AccountNotices,
  escaped: (text: string) => string,
  entries: string,
  count: string,
): string {
  const values: Record<string, string> = {
    accountId: escaped(accountId),
    accountName: escaped(accountName || accountId),
    runId: escaped(runId),
    count,
    entries,
  };
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole);
}

function htmlEntries(entries: NoticeEntry[]): string {
  const cell = 'valign="top" style="padding:6px 12px 6px 0;border-top:1px solid #d8dee4"';
  const rows = entries.map((entry) => {
    const { label, text } = sayingOf(entry);
    return `<tr><td ${cell}>${visibleHtml(entry.userName)}</td><td ${cell}><b>${visibleHtml(label)}</b></td><td ${cell}>${visibleHtml(text)}</td></tr>`;
  });
  return `<table role="presentation" style="border-collapse:collapse">\n${rows.join("\n")}\n</table>`;
}

function textEntries(entries: NoticeEntry[]): string {
  return entries
    .map((entry) => {
      const { label, text } = sayingOf(entry);
      return `${cleanLine(entry.userName, 128)}: ${label}\n  ${cleanLine(text, 1_000)}`;
    })
    .join("\n\n");
}
