import { type Html, html } from "./html";
import type { RunOutcome, StepOutcome } from "./types";

const PATHS: Record<RunOutcome | StepOutcome, string> = {
  passed: "M3.5 8.5l3 3 6-7",
  failed: "M4 4l8 8M12 4l-8 8",
  skipped: "M4 8h8",
  stopped: "M5.5 4v8M10.5 4v8",
};

/** The sign of an outcome. Always beside its word, so it is hidden from readers. */
export function outcomeIcon(outcome: RunOutcome | StepOutcome): Html {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${PATHS[outcome]}"/></svg>`;
}

/** Bulkhead's mark: a hull with its compartments, one of them flooded. */
export const MARK = html`<svg class="icon" viewBox="0 0 32 32" aria-hidden="true">
<path class="flood" d="M3 12h8v15.4C6.6 25 3.6 20 3 12z"/>
<path d="M3 10h26c0 10.5-4.5 17.5-13 18.5C7.5 27.5 3 20.5 3 10z"/>
<path d="M11.5 10v16.6M20.5 10v16.6"/></svg>`;
