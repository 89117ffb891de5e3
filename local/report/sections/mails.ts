import { duration, offset } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import { regionChip, section } from "../../../functions/shared/html/parts";
import type { DrillRun } from "../types";

/** The alarms as those on duty read them. */
export function mails(run: DrillRun): Html {
  const start = Date.parse(run.startedAt);
  const shown = run.mails.map((mail) => {
    const when = `${offset(Date.parse(mail.at) - start)}, ${duration(mail.latencyMs)} after its cause`;
    return html`
<li><h3>${mail.subject}</h3>
<p class="from">${regionChip(mail.region)}<span>${when}</span><span>to ${mail.to.join(", ")}</span></p>
${mail.text !== undefined && html`<pre>${mail.text.trim()}</pre>`}</li>`;
  });
  return section(
    "mails",
    "What the mails said",
    shown.length > 0 ? html`<ul class="mails">${shown}</ul>` : html`<p class="none">No mail arrived.</p>`,
  );
}
