import { list, plural, wholeNumber } from "../format";
import { type Html, html } from "../html";
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
  const { unansweredCalls } = summarize(run);
  const answered = rows.reduce((sum, row) => sum + row.passed, 0);
  const slowed = rows.some((row) => row.slowed > 0);
  return html`<section aria-labelledby="h-calls"><h2 id="h-calls">Calls that the lost region did not answer</h2>
<p>${
    unansweredCalls === 0
      ? `Nothing called ${lostPlaces(run)} during the outage`
      : `${plural(unansweredCalls, "call")} went unanswered during the outage`
  }; ${plural(answered, "call")} ${answered === 1 ? "was" : "were"} answered elsewhere. Counted at the wire.</p>
${
  rows.length > 0 &&
  html`<table class="calls" aria-labelledby="h-calls"><thead><tr><th scope="col">Region</th><th scope="col">Service</th><th scope="col" class="n">Not answered</th>${slowed && html`<th scope="col" class="n">Slowed</th>`}<th scope="col" class="n">Answered</th></tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><td><span class="region">${row.region}</span></td><th scope="row">${row.service}</th><td class="n">${number(row.unanswered, "lost-call")}</td>${slowed && html`<td class="n">${number(row.slowed)}</td>`}<td class="n">${number(row.passed)}</td></tr>`,
  )}</tbody></table>`
}</section>`;
}

function lostPlaces(run: DrillRun): string {
  return list([...(run.outage?.regions ?? []), ...(run.outage?.globalServices ? ["a global service"] : [])]);
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
