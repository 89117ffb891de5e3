import { duration, instant, wholeNumber } from "../format";
import { type Html, html } from "../html";
import type { DrillRun } from "../types";

/** What the policy pack had to say. Undefined: nothing. */
export function policy(run: DrillRun): Html | undefined {
  if (run.policy.length === 0) return undefined;
  return html`<section aria-labelledby="h-policy"><h2 id="h-policy">What the policy pack reported</h2>
<table class="policy" role="table" aria-labelledby="h-policy"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Rule</th><th scope="col" role="columnheader">Enforcement</th><th scope="col" role="columnheader">Message</th></tr></thead>
<tbody role="rowgroup">${run.policy.map(
    (finding) =>
      html`<tr role="row"><th scope="row" role="rowheader"><code>${finding.rule}</code></th><td role="cell"><span class="pill ${finding.enforcement}">${finding.enforcement}</span></td><td role="cell">${finding.message}</td></tr>`,
  )}</tbody></table></section>`;
}

/** How long each part of the command took. Undefined: not measured. */
export function timings(run: DrillRun): Html | undefined {
  if (run.timings.length === 0) return undefined;
  const longest = Math.max(1, ...run.timings.map((timing) => timing.durationMs));
  return html`<section aria-labelledby="h-timings"><h2 id="h-timings">Where the time went</h2>
<ol class="bars">${run.timings.map(
    (timing) =>
      html`<li><span>${timing.name}</span><b>${duration(timing.durationMs)}</b><span class="track" aria-hidden="true"><i style="width:${((timing.durationMs / longest) * 100).toFixed(1)}%"></i></span></li>`,
  )}</ol></section>`;
}

/** What it was run with. */
export function facts(run: DrillRun): Html {
  const resources = (cell: string) => {
    const count = run.resources[cell];
    return count === undefined ? "" : `, ${wholeNumber(count)} resource${count === 1 ? "" : "s"}`;
  };
  return html`<section aria-labelledby="h-facts"><h2 id="h-facts">What it ran on</h2>
<dl class="facts"><dt>Engine</dt><dd>${run.engine}</dd><dt>AWS</dt><dd>${run.aws}</dd>${run.cells.map(
    (cell) =>
      html`<dt>Cell ${cell.name}</dt><dd><span class="region">${cell.region}</span> ${cell.role}${resources(cell.name)}</dd>`,
  )}<dt>Started</dt><dd>${instant(run.startedAt)}</dd><dt>Finished</dt><dd>${instant(run.finishedAt)}</dd></dl></section>`;
}
