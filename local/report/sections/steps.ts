import { duration, offset } from "../format";
import { type Html, html } from "../html";
import { outcomeIcon } from "../icons";
import type { DrillPhase, DrillRun, DrillStep } from "../types";

/** Every step with what was expected of it. Roles are spelt out, since on a phone the table is laid out as cards. */
export function steps(run: DrillRun): Html | undefined {
  if (run.phases.length === 0) return undefined;
  let number = 0;
  const bodies = run.phases.map(
    (phase, i) => html`<tbody role="rowgroup">${phaseRow(run, phase, i + 1)}
${phase.steps.map((step) => {
  number += 1;
  return stepRow(run, step, number);
})}</tbody>`,
  );
  return html`<section aria-labelledby="h-steps"><h2 id="h-steps">Steps</h2>
<table class="steps" role="table" aria-labelledby="h-steps"><thead role="rowgroup"><tr role="row"><th class="number" scope="col" role="columnheader"><span aria-label="Number">#</span></th><th class="name" scope="col" role="columnheader">Step</th><th scope="col" role="columnheader">Expected</th><th class="result" scope="col" role="columnheader">Result</th><th class="time" scope="col" role="columnheader">Time</th></tr></thead>
${bodies}</table></section>`;
}

function phaseRow(run: DrillRun, phase: DrillPhase, number: number): Html {
  return html`<tr class="phase" role="row"><th scope="rowgroup" role="rowheader" colspan="5" aria-colspan="5">${number}  ${phase.name}<span>${phase.description} From ${since(run, phase.startedAt)}, for ${duration(phase.durationMs)}.</span></th></tr>`;
}

function stepRow(run: DrillRun, step: DrillStep, number: number): Html {
  return html`<tr class="step ${step.outcome}" id="step-${number}" role="row"><td class="number" role="cell">${number}</td><th class="name" scope="row" role="rowheader">${step.name}${
    step.region !== undefined && html` <span class="region">${step.region}</span>`
  }${step.detail && html`<p class="detail">${step.detail}</p>`}${evidence(step)}</th><td class="expectation" role="cell">${step.expectation}</td><td class="result" role="cell"><span class="pill ${step.outcome}">${outcomeIcon(step.outcome)}${step.outcome}</span></td><td class="time" role="cell">${duration(step.durationMs)}<span>${since(run, step.startedAt)}</span></td></tr>`;
}

function evidence(step: DrillStep): Html | undefined {
  if (!step.evidence?.length) return undefined;
  return html`<dl class="evidence">${step.evidence.map(
    ({ label, value }) => html`<dt>${label}</dt><dd>${value}</dd>`,
  )}</dl>`;
}

function since(run: DrillRun, iso: string): string {
  return offset(Date.parse(iso) - Date.parse(run.startedAt));
}
