/** The audit for people and for other programs. */
import { stringify } from "csv-stringify/sync";
import { instant, plural } from "../../shared/html/format";
import { html } from "../../shared/html/html";
import { MARK } from "../../shared/html/mark";
import { PAGE_STYLE } from "../../shared/html/pageStyle";
import { cell, rowHead, section, table } from "../../shared/html/parts";
import type { AuditEntry } from "./entry";

/** The formats. */
export const AUDIT_FORMATS = ["json", "csv", "html"] as const;
/** One of the formats. */
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

const COLUMNS: readonly (keyof AuditEntry)[] = [
  "at",
  "requestId",
  "cell",
  "what",
  "by",
  "channel",
  "before",
  "after",
  "version",
  "call",
  "account",
  "region",
  "resources",
  "reason",
  "requester",
  "operationHash",
  "previewHash",
];

const textOf = (value: AuditEntry[keyof AuditEntry]): string =>
  Array.isArray(value) ? value.join(" ") : value === undefined ? "" : String(value);

/** Entries as a text in a format; with a line end at its end. */
export function auditText(
  entries: readonly AuditEntry[],
  format: AuditFormat,
  time: { readonly since: Date; readonly until: Date },
): string {
  if (format === "json") return `${JSON.stringify(entries, null, 2)}\n`;
  if (format === "csv") {
    return stringify(
      entries.map((entry) => COLUMNS.map((column) => textOf(entry[column]))),
      // A field that a spreadsheet would take for a formula is written such that it is text.
      { header: true, columns: COLUMNS.map((key) => ({ key, header: key })), escape_formulas: true },
    );
  }
  return page(entries, time);
}

function page(entries: readonly AuditEntry[], { since, until }: { since: Date; until: Date }): string {
  const requests = new Set(entries.map(({ requestId }) => requestId)).size;
  const title = "Approvals: audit";
  const rows = entries.map((entry) => {
    const {
      at,
      what,
      requestId,
      by = [],
      channel = "",
      before = "",
      after = "",
      call = "",
      reason = "",
    } = entry;
    return html`<tr role="row">${rowHead(instant(at))}${cell(requestId)}${cell(what)}${cell(
      by[0] === undefined ? "" : `${by[0]}${channel ? ` (${channel})` : ""}`,
    )}${cell(before === after ? after : `${before} → ${after}`)}${cell(call)}${cell(reason)}${cell(entry.cell)}</tr>`;
  });
  const columns = ["Time", "Request", "What", "Who", "State", "Call", "Reason", "Cell"].map((name) => ({
    title: name,
  }));
  return `${
    html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${PAGE_STYLE}</style></head>
<body><main><header>${MARK}<h1>${title}</h1>
<p>${instant(since.toISOString())} to ${instant(until.toISOString())}: ${plural(entries.length, "entry").replace(/entrys$/, "entries")} of ${plural(requests, "request")}.</p></header>
${section("audit", "Entries", table("audit", columns, html`<tbody role="rowgroup">${rows}</tbody>`))}
</main></body></html>`.text
  }\n`;
}
