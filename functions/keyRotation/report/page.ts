import { instant, plural, wholeNumber } from "../../shared/html/format";
import { Html, html } from "../../shared/html/html";
import { MARK } from "../../shared/html/mark";
import { PAGE_STYLE } from "../../shared/html/pageStyle";
import { cell, rowHead, section, table } from "../../shared/html/parts";
import { ageGroup, type Figures } from "./figures";

const STYLE = `
header.hero { background: var(--card); border-bottom: 1px solid var(--line); padding: 24px 0; }
header.hero .icon { width: 32px; fill: none; stroke: currentColor; }
main section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 20px; margin: 20px 0; }
dl.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; }
dl.counts dt { color: var(--soft); font-size: 13px; }
dl.counts dd { font-size: 22px; }
svg.plot { width: 100%; height: auto; }
svg.plot text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg.plot .bar { fill: var(--link); } svg.plot .late { fill: var(--bad); }
table { width: 100%; border-collapse: collapse; } th { text-align: left; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: normal; }
thead th { color: var(--soft); font-size: 13px; }
footer { color: var(--soft); font-size: 13px; padding-bottom: 24px; }
`;

/** The report as a page of its own, without scripts and without anything from elsewhere. */
export function reportPage(figures: Figures, rotateDays: number): string {
  const { runId, cell: name, mode, startedAt, accounts } = figures;
  const title = `Access keys, ${instant(startedAt)}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${new Html(PAGE_STYLE + STYLE)}</style></head>
<body><header class="hero"><div>${MARK}<h1>${title}</h1>
<p>Cell ${name}, ${mode} mode, run ${runId}. ${stateText(figures)}</p></div></header>
<main>
${section("counts", "In numbers", counts(figures))}
${section(
  "ages",
  "Ages of active keys",
  plot(
    figures.ages.map((keys, i) => ({ label: ageGroup(i), keys, late: (i + 1) * 10 > rotateDays })),
    "days",
  ),
)}
${section(
  "due",
  "When keys are due",
  plot(
    figures.due.map(({ label, keys }, i) => ({ label, keys, late: i === 0 })),
    "",
  ),
)}
${section(
  "decisions",
  "Decisions",
  plot(
    Object.entries(figures.rows)
      .sort((a, b) => b[1] - a[1])
      .map(([label, keys]) => ({ label, keys, late: false })),
    "users",
  ),
)}
${section("cases", "What needs somebody", cases(figures))}
${section("failures", "Failures", failures(figures))}
${section("accounts", "Accounts that paused or failed", troubled(figures))}
</main>
<footer>${plural(accounts.done, "account")} done, ${wholeNumber(accounts.paused)} paused, ${wholeNumber(accounts.failed)} failed, ${wholeNumber(accounts.leftOut)} left out. Ages come from credential reports, which are up to 4 hours old.</footer>
</body></html>
`.text;
}

function stateText({ state, reason }: Figures): string {
  if (state === "run") return "";
  const because = reason ? ` (${reason})` : "";
  return (
    {
      standby: `This cell stands by${because}: nothing was done.`,
      paused: `Paused${because}: nothing was changed, the next run goes on.`,
    }[state] ?? `Nothing to do${because}.`
  );
}

function counts(figures: Figures): Html {
  const facts: [string, number][] = [
    ["Accounts", figures.accounts.listed],
    ["Users", figures.users],
    ["Keys", figures.keys],
    ["Active keys", figures.activeKeys],
    ...Object.entries(figures.mode === "audit" ? figures.wouldDo : figures.done).map(
      ([verb, number]): [string, number] => [
        `${figures.mode === "audit" ? "Would " : "Done: "}${verb}`,
        number,
      ],
    ),
    ["Failures", figures.failures.total],
    ["Need somebody", figures.cases.total],
  ];
  return html`<dl class="counts">${facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${wholeNumber(value)}</dd></div>`)}</dl>`;
}

interface Bar {
  label: string;
  keys: number;
  late: boolean;
}

const ROW = 22;
const LABEL = 190;
const WIDTH = 900;

/** Horizontal bars: labels of any length stay readable. */
function plot(bars: Bar[], unit: string): Html {
  if (bars.length === 0) return html`<p>None.</p>`;
  const most = Math.max(1, ...bars.map(({ keys }) => keys));
  const height = bars.length * ROW + 8;
  const rows = bars.map(({ label, keys, late }, index) => {
    const y = index * ROW + 4;
    const width = Math.round((keys / most) * (WIDTH - LABEL - 70) * 10) / 10;
    return html`<g><text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${label}${unit === "days" ? " days" : ""}</text>
<rect class="${late ? "late" : "bar"}" x="${LABEL}" y="${y + 2}" width="${width}" height="${ROW - 6}" rx="2"/>
<text x="${LABEL + width + 6}" y="${y + 14}">${wholeNumber(keys)}</text></g>`;
  });
  const summary = bars.map(({ label, keys }) => `${label}: ${keys}`).join(", ");
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${summary}">${rows}</svg>`;
}

function cases({ cases: { total, first } }: Figures): Html {
  if (total === 0) return html`<p>Nothing.</p>`;
  const rows = first.map(
    ({ accountId, userName, row, what }) =>
      html`<tr role="row">${rowHead(accountId)}${cell(userName)}${cell(what)}${cell(row)}</tr>`,
  );
  return html`${table(
    "cases",
    ["Account", "User", "What", "Row"].map((title) => ({ title })),
    html`<tbody role="rowgroup">${rows}</tbody>`,
  )}${more(total, first.length)}`;
}

function failures({ failures: { total, first } }: Figures): Html {
  if (total === 0) return html`<p>None.</p>`;
  const rows = first.map(
    ({ accountId, userName, action, code }) =>
      html`<tr role="row">${rowHead(accountId)}${cell(userName)}${cell(action)}${cell(code)}</tr>`,
  );
  return html`${table(
    "failures",
    ["Account", "User", "Action", "Failure"].map((title) => ({ title })),
    html`<tbody role="rowgroup">${rows}</tbody>`,
  )}${more(total, first.length)}`;
}

function troubled({ troubledAccounts: { total, first } }: Figures): Html {
  if (total === 0) return html`<p>None.</p>`;
  const rows = first.map(
    ({ accountId, status, reason }) =>
      html`<tr role="row">${rowHead(accountId)}${cell(status)}${cell(reason)}</tr>`,
  );
  return html`${table(
    "accounts",
    ["Account", "State", "Reason"].map((title) => ({ title })),
    html`<tbody role="rowgroup">${rows}</tbody>`,
  )}${more(total, first.length)}`;
}

const more = (total: number, shown: number) =>
  total > shown && html`<p>${wholeNumber(total - shown)} more are in the run's results.</p>`;
