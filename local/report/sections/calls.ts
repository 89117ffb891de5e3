import { wholeNumber } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import { cell, regionChip, rowHead, section, table } from "../../../functions/shared/html/parts";
import { summarize } from "../json";
import type { DrillCallCount, DrillRun } from "../types";

interface Row {
  region: string;
  service: string;
  unanswered: number;
  slowed: number;
  passed: number;
}

/** What the callers felt of the outage: counted at the wire. Undefined when none was played. */
export function calls(run: DrillRun): Html | undefined {
  if (!run.outage) return undefined;
  const rows = rowsOf(run.calls.duringOutage);
  const slowed = rows.some((row) => row.slowed > 0);
  const columns = [
    { title: "Region" },
    { title: "Service" },
    { title: "Not answered", className: "n" },
    ...(slowed ? [{ title: "Slowed", className: "n" }] : []),
    { title: "Answered", className: "n" },
  ];
  const lines = rows.map(
    (row) => html`
<tr role="row">${cell(regionChip(row.region))}${rowHead(row.service)}
${cell(number(row.unanswered, "lost-call"), "n")}${slowed && cell(number(row.slowed), "n")}${cell(number(row.passed), "n")}</tr>`,
  );
  return section("calls", "Calls that the lost region did not answer", [
    html`<p>${sentence(run, rows)}</p>`,
    rows.length > 0 && table("calls", columns, html`<tbody role="rowgroup">${lines}</tbody>`),
  ]);
}

function sentence(run: DrillRun, rows: readonly Row[]): string {
  const { unansweredCalls } = summarize(run);
  const answered = rows.reduce((sum, row) => sum + row.passed + row.slowed, 0);
  return (
    `Of the calls counted at the wire during the outage ${unansweredCalls === 0 ? "none" : wholeNumber(unansweredCalls)} ` +
    `went unanswered, ${answered === 0 ? "none" : wholeNumber(answered)} ${answered === 1 ? "was" : "were"} answered.`
  );
}

function number(count: number, emphasis = ""): Html {
  return count === 0
    ? html`<span aria-label="none">–</span>`
    : html`<span class="${emphasis}">${wholeNumber(count)}</span>`;
}

/** One row for each service of each region, those with unanswered calls first. */
function rowsOf(counts: readonly DrillCallCount[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { region, service, outcome, count } of counts) {
    const key = JSON.stringify([region, service]);
    const row = rows.get(key) ?? { region, service, unanswered: 0, slowed: 0, passed: 0 };
    if (outcome === "passed") row.passed += count;
    else if (outcome === "slowed") row.slowed += count;
    else row.unanswered += count;
    rows.set(key, row);
  }
  return [...rows.values()].sort(
    (a, b) =>
      b.unanswered - a.unanswered ||
      b.slowed - a.slowed ||
      compare(a.region, b.region) ||
      b.passed - a.passed ||
      compare(a.service, b.service),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
