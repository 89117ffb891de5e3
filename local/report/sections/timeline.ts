import { type Html, html } from "../html";
import { tallTimeline, wideTimeline } from "../timeline/draw";
import type { DrillRun } from "../types";

/** The picture of the run, twice: to the right for wide screens and paper, downwards for phones. */
export function timeline(run: DrillRun): Html {
  if (run.phases.length === 0) {
    return html`<section aria-labelledby="h-timeline"><h2 id="h-timeline">Timeline</h2><p class="none">The run ended before its first phase.</p></section>`;
  }
  const outcomes = new Set(run.phases.flatMap((phase) => phase.steps.map((step) => step.outcome)));
  const keys = [
    outcomes.has("passed") && key("passed", "step that held"),
    outcomes.has("failed") && key("failed", "step that did not hold (✕)"),
    outcomes.has("skipped") && key("skipped", "step not tried"),
    run.outage && key("lost", run.outage.mode === "slow" ? "region slow" : "region lost"),
    run.mails.length > 0 && MAIL_KEY,
  ];
  return html`<section aria-labelledby="h-timeline"><h2 id="h-timeline">Timeline</h2>
<p>Each bar is a step; its number leads to the table below.</p>
<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V8"/></pattern></defs></svg>
${wideTimeline(run)}
${tallTimeline(run)}
<ul class="legend">${keys}</ul>
<p class="note">Order is exact; lengths are not: waits are drawn shorter and moments longer than they were. The table has the times.</p>
</section>`;
}

function key(name: string, text: string): Html {
  return html`<li><svg viewBox="0 0 18 14" aria-hidden="true"><rect class="key ${name}" x="1" y="1" width="16" height="12" rx="3"/>${name === "lost" && html`<rect x="1" y="1" width="16" height="12" rx="3" fill="url(#hatch)"/>`}</svg>${text}</li>`;
}

const MAIL_KEY = html`<li><svg viewBox="0 0 18 14" aria-hidden="true"><g class="mail"><rect width="18" height="14" rx="3"/><path d="M2.5 4 9 9l6.5-5"/></g></svg>mail arrived</li>`;
