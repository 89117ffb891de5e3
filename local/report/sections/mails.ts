import { duration, offset } from "../format";
import { type Html, html } from "../html";
import type { DrillRun } from "../types";

/** The alarms as those on duty read them. */
export function mails(run: DrillRun): Html {
  const start = Date.parse(run.startedAt);
  return html`<section aria-labelledby="h-mails"><h2 id="h-mails">What the mails said</h2>${
    run.mails.length === 0
      ? html`<p class="none">No mail arrived.</p>`
      : html`<ul class="mails">${run.mails.map(
          (mail) => html`<li><h3>${mail.subject}</h3>
<p class="from"><span class="region">${mail.region}</span><span>${offset(Date.parse(mail.at) - start)}, ${duration(mail.latencyMs)} after its cause</span><span>to ${mail.to.join(", ")}</span></p>
${mail.text !== undefined && html`<pre>${mail.text.trim()}</pre>`}</li>`,
        )}</ul>`
  }</section>`;
}
