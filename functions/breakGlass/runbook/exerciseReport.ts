/** The report of an exercise, for those who were not there. */
import { instant, plural } from "../../shared/html/format";
import { html } from "../../shared/html/html";
import type { ExerciseResult, ExerciseStep } from "./exercise";
import { paperPage } from "./page";
import { whole } from "./whole";

/** Verdicts in words, so that no colour is needed. */
const VERDICT = { passed: "Passed", failed: "FAILED", aborted: "ABORTED" } as const;
const MARK = { passed: "ok", failed: "FAILED", skipped: "left out" } as const;

const HEADINGS = ["Step", "Outcome", "Evidence", "Time (UTC)"] as const;

/** An exercise as one HTML file that needs nothing else. */
export function exercisePage(result: ExerciseResult): string {
  const { outcome, userName, accountId, participants, recorded, recordError } = result;
  const title = `Exercise of ${userName}, ${result.startedAt.slice(0, 10)}`;
  const bad = result.steps.filter((step) => step.outcome !== "passed");
  return paperPage(
    title,
    html`<h1>Emergency access, exercise of ${whole(userName)}</h1>
<p class="lead"><strong>${VERDICT[outcome]}.</strong> ${
      bad.length === 0
        ? "Every step was gone through and was found to work."
        : `${plural(bad.length, "step")} of ${result.steps.length} did not come off; the exercise has to be repeated.`
    }</p>
<table><tbody>
<tr><th>Account</th><td>${accountId}</td></tr>
<tr><th>Signed in through</th><td>${result.region}</td></tr>
<tr><th>Who took part</th><td>${participants.join(", ") || "nobody was named"}</td></tr>
<tr><th>Led by</th><td>${result.by}</td></tr>
<tr><th>From</th><td>${instant(result.startedAt)}</td></tr>
<tr><th>To</th><td>${instant(result.endedAt)}</td></tr>
<tr><th>Recorded in</th><td>${
      recordError === undefined
        ? recorded.map(
            (write) =>
              html`<div>${write.cell} (${write.region}): ${write.recorded ? "recorded" : `NOT recorded, ${write.error ?? "no answer"}`}</div>`,
          )
        : `NOT recorded: ${recordError}`
    }</td></tr>
</tbody></table>
<h2>Steps</h2>
<div class="stack"><table role="table">
<thead role="rowgroup"><tr role="row">${HEADINGS.map((heading) => html`<th role="columnheader">${heading}</th>`)}</tr></thead>
<tbody role="rowgroup">${result.steps.map(row)}</tbody>
</table></div>
<p class="soft">What a cell noticed and that the password was changed is read from the cells' records; the rest is what those who took part said.</p>
`.text,
  );
}

function row({ name, outcome, evidence, endedAt }: ExerciseStep) {
  const cells = [
    name,
    html`<strong>${MARK[outcome]}</strong>`,
    evidence,
    html`<time datetime="${endedAt}">${endedAt.slice(11, 19)}</time>`,
  ];
  return html`<tr role="row">${cells.map((cell, column) => html`<td role="cell" data-label="${HEADINGS[column]}">${cell}</td>`)}</tr>`;
}
