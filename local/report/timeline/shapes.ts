import { duration, offset } from "../../../functions/shared/html/format";
import { type Content, type Html, html } from "../../../functions/shared/html/html";
import type { DrillMail, DrillRun } from "../types";
import type { Bar, Lane } from "./model";

/** A rectangle on the page, whichever way the time goes there. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Name of the lane of steps that happen in no single region. */
const NO_REGION = "Overall";

/** Estimated width of a character, as part of the font's size; for deciding what fits. */
const CHARACTER = 0.56;
const BOLD_CHARACTER = 0.62;
/** Font sizes, as in the style sheet. */
const SIZES = {
  "lane-name": 13,
  "phase-name": 12.5,
  "lane-note": 11.5,
  "phase-time": 11.5,
  band: 11.5,
  bar: 12,
};
const BOLD = new Set<string>(["lane-name", "phase-name", "band"]);

/** The text, shortened to the room that it has; "" when not even a few letters fit. */
export function shorten(text: string, room: number, kind: keyof typeof SIZES): string {
  const letters = Math.floor(room / (SIZES[kind] * (BOLD.has(kind) ? BOLD_CHARACTER : CHARACTER)));
  if (text.length <= letters) return text;
  return letters < 5 ? "" : `${text.slice(0, letters - 1).trimEnd()}…`;
}

/** A coordinate with one decimal. */
function px(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A picture of this size, in its own units. */
export function picture(className: string, label: string, size: [number, number], content: Content): Html {
  const box = `0 0 ${Math.ceil(size[0])} ${Math.ceil(size[1])}`;
  return html`<svg class="timeline ${className}" viewBox="${box}" role="group" aria-label="${label}">
${content}
</svg>`;
}

export function rect(className: string, box: Box, radius = 0): Html {
  const [x, y, width, height] = [px(box.x), px(box.y), px(box.width), px(box.height)];
  return html`<rect class="${className}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

export function text(className: string, x: number, y: number, content: Content): Html {
  return html`<text class="${className}" x="${px(x)}" y="${px(y)}">${content}</text>`;
}

export function line(className: string, from: [number, number], to: [number, number]): Html {
  const [x1, y1, x2, y2] = [px(from[0]), px(from[1]), px(to[0]), px(to[1])];
  return html`<line class="${className}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

/** A lane's ground, and its name in the corner. @param room for the name; @param y of the name's line */
export function laneShape(lane: Lane, box: Box, room: number, margin: number, y: number): Html {
  const x = box.x + margin;
  return html`${rect("lane", box, 8)}
${text("lane-name", x, y, shorten(lane.region ?? NO_REGION, room, "lane-name"))}
${lane.note && text("lane-note", x, y + 16, shorten(lane.note, room, "lane-note"))}`;
}

/** A step; it leads to its row in the table. */
export function barShape(run: DrillRun, bar: Bar, box: Box): Html {
  const { number, step } = bar;
  const label = step.outcome === "failed" ? `✕${number}` : `${number}`;
  const name = shorten(step.name, box.width - 20 - label.length * 8, "bar");
  // At the beginning of a long bar, in the middle of a short one.
  const x = name ? box.x + 8 : box.x + box.width / 2;
  const y = Math.min(box.y + box.height / 2, box.y + 40) + 4.5;
  const when = `${since(run, step.startedAt)}, took ${duration(step.durationMs)}`;
  const said = `${number}. ${step.name}: ${step.outcome}, ${when}`;
  const words = [html`<tspan class="number">${label}</tspan>`, name && html`<tspan dx="7">${name}</tspan>`];
  return html`<a href="#step-${number}" class="bar ${step.outcome}" aria-label="${said}">
<title>${said}</title>${rect("", box, 5)}${text(name ? "" : "middle", x, y, words)}</a>`;
}

/** The time in which a region was lost; with what it did to its callers where there is room for words. */
export function bandShape(run: DrillRun, box: Box, withWords: boolean): Html {
  const words = { refuse: "lost: calls refused", hang: "lost: calls unanswered", slow: "slow" };
  const room = box.width - 8;
  const said = shorten(words[run.outage?.mode ?? "refuse"], room, "band") || shorten("lost", room, "band");
  return html`<g class="outage">${rect("", box)}${rect("hatch", box)}
${withWords && text("", box.x + 8, box.y + 14, said)}</g>`;
}

/** A mail that arrived; its middle is where it is told to be. */
export function mailShape(run: DrillRun, mail: DrillMail, x: number, y: number): Html {
  const when = `${since(run, mail.at)}, ${duration(mail.latencyMs)} after its cause`;
  return html`<g class="mail" transform="translate(${px(x - 9)} ${px(y - 7)})">
<title>Mail "${mail.subject}", ${when}</title>${ENVELOPE}</g>`;
}

/** An envelope of 18 by 14. */
export const ENVELOPE = html`<rect width="18" height="14" rx="3"/><path d="M2.5 4 9 9l6.5-5"/>`;

/** Moves markers apart that would cover each other, lane by lane, keeping their order. */
export function spread<T extends { lane: number; at: number }>(marks: readonly T[], distance: number): T[] {
  const last = new Map<number, number>();
  return [...marks]
    .sort((a, b) => a.at - b.at)
    .map((mark) => {
      const at = Math.max(mark.at, (last.get(mark.lane) ?? Number.NEGATIVE_INFINITY) + distance);
      last.set(mark.lane, at);
      return { ...mark, at };
    });
}

function since(run: DrillRun, iso: string): string {
  return offset(Date.parse(iso) - Date.parse(run.startedAt));
}
