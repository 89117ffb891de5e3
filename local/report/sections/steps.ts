import { duration, offset } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import { type Column, cell, regionChip, rowHead, section, table } from "../../../functions/shared/html/parts";
import { outcomeIcon } from "../icons";
import type { DrillPhase, DrillRun, DrillStep } from "../types";
import { longText } from "./longText";

const COLUMNS: readonly Column[] = [
  { title: html`<span aria-label="Number">#</span>`, className: "number" },
  { title: "Step", className: "name" },
  { title: "Expected" },
  { title: "Result", className: "result" },
  { title: "Time", className: "time" },
];

/** Every step with what was expected of it. Undefined: there was none. */
export function steps(run: DrillRun): Html | undefined {
  if (run.phases.length === 0) return undefined;
  let number = 0;
  const bodies = run.phases.map((phase, i) => {
    const rows = phase.steps.map((step) => {
      number += 1;
      return stepRow(run, step, number);
    });
    return html`<tbody role="rowgroup">${phaseRow(run, phase, i + 1)}${rows}</tbody>`;
  });
  return section("steps", "Steps", table("steps", COLUMNS, bodies));
}

function phaseRow(run: DrillRun, phase: DrillPhase, number: number): Html {
  const when = `From ${since(run, phase.startedAt)}, for ${duration(phase.durationMs)}.`;
  return html`
<tr class="phase" role="row">
<th scope="rowgroup" role="rowheader" colspan="${COLUMNS.length}" aria-colspan="${COLUMNS.length}">
${number}  ${phase.name}<span>${phase.description} ${when}</span></th></tr>`;
}

function stepRow(run: DrillRun, step: DrillStep, number: number): Html {
  const region = step.region !== undefined && html` ${regionChip(step.region)}`;
  const pill = html`<span class="pill ${step.outcome}">${outcomeIcon(step.outcome)}${step.outcome}</span>`;
  const time = html`${duration(step.durationMs)}<span>${since(run, step.startedAt)}</span>`;
  return html`
<tr class="step ${step.outcome}" id="step-${number}" role="row">${cell(number, "number")}
${rowHead([step.name, region, detail(step), evidence(step)], "name")}
${cell(step.expectation, "expectation")}${cell(pill, "result")}${cell(time, "time")}</tr>`;
}

function detail(step: DrillStep): Html | undefined {
  const text = longText(step.detail);
  return text && html`<div class="detail">${text}</div>`;
}

function evidence(step: DrillStep): Html | undefined {
  if (!step.evidence?.length) return undefined;
  return html`<dl class="evidence">${step.evidence.map(
    ({ label, value }) => html`<dt>${label}</dt><dd>${longText(value)}</dd>`,
  )}</dl>`;
}

function since(run: DrillRun, iso: string): string {
  return offset(Date.parse(iso) - Date.parse(run.startedAt));
}
