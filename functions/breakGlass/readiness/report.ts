/** The readiness report as a page: one file that needs nothing else, for a screen, a phone and paper. Pure. */
import { instant, plural } from "../../shared/html/format";
import { type Html, html } from "../../shared/html/html";
import { MARK } from "../../shared/html/mark";
import { cell, rowHead, section, table } from "../../shared/html/parts";
import type { Row } from "./assess";
import type { ReadinessReport } from "./readinessReport";
import { REPORT_STYLE } from "./reportStyle";
import { GROUPS, type Group, type Verdict } from "./requirement";

/** Nothing is loaded and nothing runs, whatever the texts hold. */
const CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const WORDS: Record<Verdict, string> = { pass: "Pass", fail: "Fail", unknown: "Unknown" };
/** The style sheet's names. */
const CLASSES: Record<Verdict, string> = { pass: "passed", fail: "failed", unknown: "skipped" };
const HERO: Record<Verdict, string> = { pass: "passed", fail: "failed", unknown: "stopped" };
const ICONS: Record<Verdict, string> = {
  pass: "M3.5 8.5l3 3 6-7",
  fail: "M4 4l8 8M12 4l-8 8",
  unknown: "M5.6 6a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.8M8 12.6v.1",
};

const VERDICTS: Record<Verdict, string> = {
  pass: "Emergency access is ready",
  fail: "Emergency access is not ready",
  unknown: "Not everything could be checked",
};

const icon = (verdict: Verdict): Html =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[verdict]}"/></svg>`;

const pill = (verdict: Verdict): Html =>
  html`<span class="pill ${CLASSES[verdict]}">${icon(verdict)} ${WORDS[verdict]}</span>`;

/** The page. Every text of the report stands in it as text. */
export function renderReadinessReport(report: ReadinessReport): string {
  const groups = (Object.keys(GROUPS) as Group[]).filter((group) =>
    report.rows.some((row) => row.group === group),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${VERDICTS[report.verdict]}: account ${report.accountId}</title>
`;
  const body = html`</head>
<body>
<a class="skip" href="#h-${groups[0] ?? "none"}">To the requirements</a>
<header class="hero ${HERO[report.verdict]}"><div>
<p class="brand">${MARK} Bulkhead</p>
<h1>${VERDICTS[report.verdict]}</h1>
<p class="verdict" id="verdict">${icon(report.verdict)} ${WORDS[report.verdict]}</p>
<p class="lead">${sentence(report)}</p>
</div></header>
<main>
<dl class="figures">
<div><dt>met</dt><dd>${report.counts.pass}</dd></div>
<div><dt>not met</dt><dd>${report.counts.fail}</dd></div>
<div><dt>could not be checked</dt><dd>${report.counts.unknown}</dd></div>
<div><dt>checked by ${report.checkedBy}</dt><dd class="when">${instant(report.checkedAt)}</dd></div>
</dl>
${open(report.rows, "fail", "To mend", "What is not as it has to be, and what to do about it.")}
${open(report.rows, "unknown", "Could not be checked", "Nothing here is known to be wrong: something that decides could not be read.")}
${groups.map((group) => groupSection(group, report.rows))}
</main>
<footer><p>Account ${report.accountId}. “Seed” is the document that Bulkhead was conceived from; facts are numbered as in its list of facts about AWS.</p></footer>
</body>
</html>
`;
  // The style sheet is this program's own: escaped, its quotes would be none.
  return `${page.text}<style>${REPORT_STYLE}</style>\n${body.text}`;
}

function sentence({ counts, verdict }: ReadinessReport): string {
  const unread = counts.unknown === 0 ? "" : ` ${plural(counts.unknown, "row")} could not be checked.`;
  switch (verdict) {
    case "pass":
      return `All ${plural(counts.pass, "row")} hold.`;
    case "fail":
      return `${plural(counts.fail, "row")} of ${counts.pass + counts.fail + counts.unknown} ${counts.fail === 1 ? "does" : "do"} not hold.${unread}`;
    case "unknown":
      return `${plural(counts.pass, "row")} hold.${unread} Nothing is known to be wrong.`;
  }
}

/** Rows of one verdict with what to do, before everything else. */
function open(rows: readonly Row[], verdict: Verdict, title: string, lead: string): Html | false {
  const chosen = rows.filter((row) => row.verdict === verdict);
  return (
    chosen.length > 0 &&
    section(
      verdict,
      title,
      html`<p>${lead}</p><ol class="open">${chosen.map(
        (row) => html`<li class="${CLASSES[verdict]}">
<p class="what"><strong>${row.subject}</strong> <code>${row.id}</code></p>
<p class="found">${row.found}</p>
<p class="detail">${row.requirement}</p>
${verdict === "fail" && html`<pre>${row.mend}</pre>`}</li>`,
      )}</ol>`,
    )
  );
}

/** All rows of a group, under their requirements. */
function groupSection(group: Group, all: readonly Row[]): Html {
  const rows = all.filter((row) => row.group === group);
  const ids = [...new Set(rows.map(({ id }) => id))];
  return section(
    group,
    GROUPS[group],
    table(
      group,
      [
        { title: "Of what", className: "subject" },
        { title: "Verdict", className: "result" },
        { title: "Found", className: "finding" },
      ],
      ids.map((id) => {
        const own = rows.filter((row) => row.id === id);
        const { requirement, how, source } = own[0]!;
        return html`<tbody role="rowgroup"><tr class="requirement" role="row"><th colspan="3" scope="rowgroup" role="rowheader">${requirement}
<span><code>${id}</code> · ${how} · ${source}</span></th></tr>
${own.map(
  (row) =>
    html`<tr class="row ${CLASSES[row.verdict]}" role="row">${rowHead(row.subject, "subject")}${cell(pill(row.verdict), "result")}${cell(row.found, "finding")}</tr>`,
)}</tbody>`;
      }),
    ),
  );
}
