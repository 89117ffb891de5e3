import { type Content, type Html, html } from "../../../functions/shared/html/html";
import { section } from "../../../functions/shared/html/parts";
import { ENVELOPE } from "../timeline/shapes";
import { tallTimeline } from "../timeline/tall";
import { wideTimeline } from "../timeline/wide";
import type { DrillRun } from "../types";

/** The picture of the run, twice: to the right for wide screens and paper, downwards for phones. */
export function timeline(run: DrillRun): Html {
  if (run.phases.length === 0) {
    return section("timeline", "Timeline", html`<p class="none">The run ended before its first phase.</p>`);
  }
  return section(
    "timeline",
    "Timeline",
    html`<p>Each bar is a step; its number leads to the table below.</p>
${HATCH}
${wideTimeline(run)}
${tallTimeline(run)}
<ul class="legend">${keys(run)}</ul>
<p class="note">Order is exact; lengths are not: waits are drawn shorter and moments longer than they were.
The table has the times.</p>`,
  );
}

/** What is shown of a run, and only that. */
function keys(run: DrillRun): Content {
  const outcomes = new Set(run.phases.flatMap((phase) => phase.steps.map((step) => step.outcome)));
  const lost = [swatch("lost"), html`<rect x="1" y="1" width="16" height="12" rx="3" fill="url(#hatch)"/>`];
  return [
    outcomes.has("passed") && key(swatch("passed"), "step that held"),
    outcomes.has("failed") && key(swatch("failed"), "step that did not hold (✕)"),
    outcomes.has("skipped") && key(swatch("skipped"), "step not tried"),
    run.outage && key(lost, run.outage.mode === "slow" ? "region slow" : "region lost"),
    run.mails.length > 0 && key(html`<g class="mail">${ENVELOPE}</g>`, "mail arrived"),
  ];
}

function key(picture: Content, text: string): Html {
  return html`<li><svg viewBox="0 0 18 14" aria-hidden="true">${picture}</svg>${text}</li>`;
}

function swatch(name: string): Html {
  return html`<rect class="key ${name}" x="1" y="1" width="16" height="12" rx="3"/>`;
}

/** The pattern of the lost region, for all pictures of the page. */
const HATCH = html`<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>
<pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<path d="M0 0V8"/></pattern></defs></svg>`;
