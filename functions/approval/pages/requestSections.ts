/** A request as sections of a page. */
import { type Html, html } from "../../shared/html/html";
import { section } from "../../shared/html/parts";
import type { Line, RequestView } from "./view";
import type { Say } from "./words";

/** Everything about a request: what, with which effect, how risky, who has approved, until when. */
export function requestSections(view: RequestView, say: Say): Html {
  return html`${whatSection(view, say)}
${previewSection(view, say)}
${riskSection(view, say)}
${approvalSection(view, say)}`;
}

function facts(lines: readonly Line[], className = ""): Html {
  return html`<dl class="facts ${className}">${lines.map(
    ({ label, value }) => html`<dt>${label}</dt><dd>${value}</dd>
`,
  )}</dl>`;
}

function whatSection(view: RequestView, say: Say): Html {
  const { deadline } = view;
  return section(
    "what",
    say("whatHappens"),
    html`<p class="big">${view.operation}</p>
<dl class="facts">
<dt>${say("resources")}</dt><dd><ul>${view.resources.map((resource) => html`<li><code>${resource}</code></li>`)}</ul></dd>
<dt>${say("account")}</dt><dd>${view.account}</dd>
<dt>${say("region")}</dt><dd>${view.region}</dd>
<dt>${say("requester")}</dt><dd>${view.requesterLine}</dd>
<dt>${say("calledAt")}</dt><dd>${view.calledAt}</dd>
<dt>${say("reason")}</dt><dd>${view.reason}</dd>
<dt>${say("snapshotFirst")}</dt><dd>${say(view.snapshotFirst ? "snapshotYes" : "snapshotNo")}</dd>
<dt>${say("state")}</dt><dd>${view.stateText}</dd>
${
  deadline &&
  html`<dt>${say("deadlineTitle")}</dt><dd><strong>${deadline.at}</strong> (${deadline.left})</dd>
`
}</dl>
<details><summary>${say("call")}: <code>${view.call}</code></summary>
<dl class="facts">
${view.parameters.map(({ label, value }) => html`<dt><code>${label}</code></dt><dd><code>${value}</code></dd>`)}
<dt>${say("permissions")}</dt><dd><ul>${view.permissions.map((action) => html`<li><code>${action}</code></li>`)}</ul></dd>
<dt>${say("requestId")}</dt><dd><code>${view.id}</code></dd>
</dl></details>`,
  );
}

function previewSection({ preview }: RequestView, say: Say): Html {
  const groups = preview.map((lines) => html`<div class="subject">${facts(lines)}</div>`);
  return section(
    "preview",
    say("previewTitle"),
    preview.length === 0
      ? html`<p class="none">${say("previewEmpty")}</p>`
      : html`<p>${say("previewNote")}</p>${groups}`,
  );
}

function riskSection({ risk }: RequestView, say: Say): Html {
  const weight = risk.score >= 60 ? "high" : risk.score >= 30 ? "middle" : "low";
  return section(
    "risk",
    say("riskTitle"),
    html`<div class="score"><strong class="big">${risk.text}</strong>
<svg class="meter ${weight}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" rx="3"/><rect class="value" width="${Math.round(risk.score)}" height="6" rx="3"/></svg>
<span>${say("riskClass")}: ${risk.name}</span></div>
${
  risk.reasons.length === 0
    ? html`<p class="none">${say("riskNone")}</p>`
    : html`<ul class="reasons">${risk.reasons.map(
        ({ label, text, points }) =>
          html`<li><span class="what"><strong>${label}</strong>: ${text}</span> <span class="points">${points}</span></li>`,
      )}</ul>`
}`,
  );
}

function approvalSection({ levels, notes }: RequestView, say: Say): Html {
  return section(
    "approval",
    say("approvalTitle"),
    html`<ol class="levels">${levels.map(
      ({ name, needs, state, stateText, approvals, note }) => html`<li>
<div class="row"><span><span class="name">${name}</span>: ${needs}</span> <span class="pill ${state}">${stateText}</span></div>
<ul>${approvals.length === 0 ? html`<li class="hint">${say("noneYet")}</li>` : approvals.map((text) => html`<li>${text}</li>`)}</ul>
${note !== undefined && html`<p class="note">${note}</p>`}</li>`,
    )}</ol>
${notes.map((note) => html`<p class="note">${note}</p>`)}`,
  );
}
