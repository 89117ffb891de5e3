import { type Html, html } from "../../functions/shared/html/html";
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
