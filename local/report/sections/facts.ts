import { duration, instant, plural } from "../../../functions/shared/html/format";
import { type Content, type Html, html } from "../../../functions/shared/html/html";
import { cell, regionChip, rowHead, section, table } from "../../../functions/shared/html/parts";
import type { DrillRun } from "../types";
import { longText } from "./longText";

const POLICY_COLUMNS = [{ title: "Rule" }, { title: "Enforcement" }, { title: "Message" }];

/** What the policy pack had to say. Undefined: nothing. */
export function policy(run: DrillRun): Html | undefined {
  if (run.policy.length === 0) return undefined;
  const rows = run.policy.map(({ rule, enforcement, message }) => {
    const pill = html`<span class="pill ${enforcement}">${enforcement}</span>`;
    return html`
<tr role="row">${rowHead(html`<code>${rule}</code>`)}${cell(pill)}${cell(longText(message))}</tr>`;
  });
  const body = html`<tbody role="rowgroup">${rows}</tbody>`;
  return section("policy", "What the policy pack reported", table("policy", POLICY_COLUMNS, body));
}

/** How long each part of the command took. Undefined: not measured. */
export function timings(run: DrillRun): Html | undefined {
  if (run.timings.length === 0) return undefined;
  const longest = Math.max(1, ...run.timings.map((timing) => timing.durationMs));
  const bars = run.timings.map(({ name, durationMs }) => {
    const width = ((durationMs / longest) * 100).toFixed(1);
    return html`
<li><span>${name}</span><b>${duration(durationMs)}</b>
<span class="track" aria-hidden="true"><i style="width:${width}%"></i></span></li>`;
  });
  return section("timings", "Where the time went", html`<ol class="bars">${bars}</ol>`);
}

/** What it was run with. */
export function facts(run: DrillRun): Html {
  const cells = run.cells.map(({ name, region, role }): [string, Content] => {
    const count = run.resources[name];
    return [
      `Cell ${name}`,
      html`${regionChip(region)} ${role}${count !== undefined && `, ${plural(count, "resource")}`}`,
    ];
  });
  const shown: [string, Content][] = [
    ["Engine", run.engine],
    ["AWS", run.aws],
    ...cells,
    ["Started", instant(run.startedAt)],
    ["Finished", instant(run.finishedAt)],
  ];
  const list = shown.map(([what, value]) => html`<dt>${what}</dt><dd>${value}</dd>`);
  return section("facts", "What it ran on", html`<dl class="facts">${list}</dl>`);
}
