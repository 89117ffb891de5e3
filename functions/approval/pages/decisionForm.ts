import { type Html, html } from "../../shared/html/html";
import type { Say } from "./words";

/** What is wrong with what was sent. */
export interface Problem {
  /** Id of the field, for a link to it. */
  readonly field: "choice" | "reason" | "code";
  readonly text: string;
}

/** A form that decides. Nothing is chosen beforehand, so a form that is sent as it stands decides nothing. */
export interface DecisionForm {
  /** Where it is sent, relative: `decide`. */
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  /** Whether a reason can be given. */
  readonly reason?: { readonly label: string; readonly hint: string; readonly text: string };
  /** Whether a code has to be typed. */
  readonly asksCode: boolean;
  readonly warning?: string;
  /** What was chosen when the form was sent before. */
  readonly chosen?: string;
  readonly problems: readonly Problem[];
}

/** The problems, at the head of the page, each with a link to its field. */
export function problemSummary(problems: readonly Problem[], say: Say): Html | undefined {
  if (problems.length === 0) return undefined;
  return html`<section class="problems" role="alert" aria-labelledby="h-problems"><h2 id="h-problems">${say("problemTitle")}</h2>
<ul>${problems.map(({ field, text }) => html`<li><a href="#${field}">${text}</a></li>`)}</ul></section>`;
}

/** The form itself. */
export function decisionForm(form: DecisionForm, say: Say): Html {
  const { action, hidden, choices, reason, asksCode, warning, chosen, problems } = form;
  const wrong = (field: Problem["field"]) => problems.find((problem) => problem.field === field)?.text;
  const error = (field: Problem["field"]) =>
    wrong(field) !== undefined && html`<span class="error" id="${field}-error">${wrong(field)}</span>`;
  const described = (field: Problem["field"]) =>
    `${field}-hint${wrong(field) === undefined ? "" : ` ${field}-error`}`;
  const content = html`<form class="decision" method="post" action="${action}" autocomplete="off">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<fieldset aria-labelledby="h-decide" ${wrong("choice") !== undefined && html`aria-describedby="choice-error"`}>${error("choice")}
${choices.map(
  ({ value, label }, index) =>
    html`<label class="choice"><input type="radio" name="choice" value="${value}" ${index === 0 && html`id="choice"`} ${chosen === value && html`checked`}> ${label}</label>
`,
)}</fieldset>
${
  reason &&
  html`<div class="field"><label for="reason">${reason.label}</label><span class="hint" id="reason-hint">${reason.hint}</span>${error("reason")}
<textarea id="reason" name="reason" maxlength="1000" rows="3" aria-describedby="${described("reason")}" ${wrong("reason") !== undefined && html`aria-invalid="true"`}>
${reason.text}</textarea></div>
`
}${
  asksCode &&
  html`<div class="field"><label for="code">${say("code")}</label><span class="hint" id="code-hint">${say("codeHint")}</span>${error("code")}
<input class="code" type="text" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="16" spellcheck="false" aria-describedby="${described("code")}" ${wrong("code") !== undefined && html`aria-invalid="true"`}></div>
`
}${warning !== undefined && html`<p class="warning">${warning}</p>`}
<button type="submit">${say("submit")}</button>
</form>`;
  return html`<section class="decide" aria-labelledby="h-decide"><h2 id="h-decide">${say("yourDecision")}</h2>
${content}</section>`;
}
