import { duration, list, plural, wholeNumber } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import { MARK } from "../../../functions/shared/html/mark";
import { outcomeIcon } from "../icons";
import { summarize } from "../json";
import type { DrillRun } from "../types";

const VERDICTS = { passed: "Passed", failed: "Failed", stopped: "Stopped" } as const;

/** The top of the page: what was run, and how it ended. */
export function header(run: DrillRun): Html {
  return html`<header class="hero ${run.outcome}"><div>
<p class="brand">${MARK} Bulkhead</p>
<h1>${run.title}</h1>
<p class="verdict" id="verdict">${outcomeIcon(run.outcome)} ${VERDICTS[run.outcome]}</p>
<p class="lead">${verdictSentence(run)}</p>
</div></header>`;
}

/** The verdict in a sentence or two, as a person would say it. */
export function verdictSentence(run: DrillRun): string {
  const { steps } = summarize(run);
  const tried = steps.passed + steps.failed;
  const skipped = steps.skipped > 0 ? ` ${plural(steps.skipped, "step")} not tried.` : "";
  switch (run.outcome) {
    case "passed":
      return `${tried === 1 ? "The step" : `All ${tried} steps`} held.${skipped}${outageSentence(run)}`;
    case "failed":
      return steps.failed === 0
        ? `The run failed outside its steps; ${steps.passed} of ${tried} held.${skipped}`
        : `${steps.failed} of ${plural(tried, "step")} did not hold.${skipped}`;
    case "stopped":
      return `The run was stopped before its end; ${steps.passed} of ${plural(tried, "step")} had held by then.${skipped}`;
  }
}

/** What was played, so that a verdict is not taken for more than it is. */
function outageSentence(run: DrillRun): string {
  if (!run.outage) return "";
  const lost = [...run.outage.regions, ...(run.outage.globalServices ? ["every global service"] : [])];
  const state =
    run.outage.mode === "slow" ? "answered slowly" : `${lost.length > 1 ? "were" : "was"} out of reach`;
  return ` In between ${list(lost)} ${state} for ${duration(outageMs(run))}.`;
}

/** The numbers that one asks for first. */
export function figures(run: DrillRun): Html {
  const summary = summarize(run);
  const slowest = Math.max(...run.mails.map((mail) => mail.latencyMs));
  const resources = Object.values(run.resources).reduce((sum, count) => sum + count, 0);
  const shown: [string, string | undefined][] = [
    [
      "steps held",
      `${summary.steps.passed} of ${summary.steps.passed + summary.steps.failed + summary.steps.skipped}`,
    ],
    ["whole run", duration(summary.durationMs)],
    [run.outage?.endedAt ? "outage" : "outage, until the run ended", run.outage && duration(outageMs(run))],
    [
      `${summary.unansweredCalls === 1 ? "call" : "calls"} not answered in the outage`,
      run.outage && wholeNumber(summary.unansweredCalls),
    ],
    ["from act to alarm mail, at most", run.mails.length > 0 ? duration(slowest) : undefined],
    [
      `resources in ${list(run.cells.map((cell) => cell.name))}`,
      resources > 0 ? wholeNumber(resources) : undefined,
    ],
  ];
  return html`<dl class="figures">${shown.map(
    ([label, value]) => value !== undefined && html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

function outageMs(run: DrillRun): number {
  const { startedAt = run.startedAt, endedAt = run.finishedAt } = run.outage ?? {};
  return Date.parse(endedAt) - Date.parse(startedAt);
}
