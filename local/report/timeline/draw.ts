import { duration, offset } from "../format";
import { type Html, html } from "../html";
import type { DrillMail, DrillRun } from "../types";
import { type Bar, type Lane, type TimelineModel, timelineModel } from "./model";

/** A rectangle on the page, whichever way the time goes there. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Estimated width of a character, as part of the font's size; for deciding what fits. */
const CHARACTER = 0.56;
const BOLD_CHARACTER = 0.62;

/** Name of the lane of steps that happen in no single region. */
const NO_REGION = "Overall";

/** The text, shortened to the room; "" when not even a few letters fit. */
function shorten(text: string, room: number, fontSize: number, character = CHARACTER): string {
  const letters = Math.floor(room / (fontSize * character));
  if (text.length <= letters) return text;
  return letters < 5 ? "" : `${text.slice(0, letters - 1).trimEnd()}…`;
}

const WIDE = { width: 1080, left: 132, right: 12, top: 46, row: 28, edge: 7, band: 20, mail: 24, foot: 26 };

/** The timeline with time going to the right: for wide screens and paper. */
export function wideTimeline(run: DrillRun): Html {
  const room = WIDE.width - WIDE.left - WIDE.right;
  const model = timelineModel(run, { length: room, gap: 8, minSpan: 28, minPhase: 44 });
  const width = Math.max(WIDE.width, WIDE.left + model.length + WIDE.right);
  const tops: number[] = [];
  let y = WIDE.top;
  for (const lane of model.lanes) {
    tops.push(y);
    y += laneHeight(lane) + 6;
  }
  const bottom = y - 6;
  const heightOf = (lane: number) => laneHeight(model.lanes[lane]);
  const x = (place: number) => WIDE.left + place;

  return html`<svg class="timeline wide" viewBox="0 0 ${Math.ceil(width)} ${bottom + WIDE.foot}" role="group" aria-label="Timeline: one lane for each region, steps from left to right">
${model.lanes.map((lane, i) => {
  const [top, height] = [tops[i] ?? 0, laneHeight(lane)];
  const middle = top + height / 2;
  return html`<rect class="lane" x="0" y="${top}" width="${width}" height="${height}" rx="8"/>
<text class="lane-name" x="14" y="${lane.note ? middle - 3 : middle + 5}">${shorten(lane.region ?? NO_REGION, WIDE.left - 18, 13, BOLD_CHARACTER)}</text>
${lane.note && html`<text class="lane-note" x="14" y="${middle + 14}">${shorten(lane.note, WIDE.left - 24, 11.5)}</text>`}`;
})}
${model.phases.map(
  (phase) => html`<g class="phase"><title>${phase.name}: ${duration(phase.durationMs)}</title>
<line x1="${px(x(phase.from))}" x2="${px(x(phase.to))}" y1="40" y2="40"/>
<text class="phase-name" x="${px(x(phase.from))}" y="17">${shorten(`${phase.number}  ${phase.name}`, phase.to - phase.from + 4, 12.5, BOLD_CHARACTER) || phase.number}</text>
<text class="phase-time" x="${px(x(phase.from))}" y="33">${shorten(duration(phase.durationMs), phase.to - phase.from + 4, 11.5)}</text></g>`,
)}
${
  model.outage &&
  html`${model.outage.lanes.map((lane) => {
    const box = {
      x: x(model.outage?.from ?? 0),
      y: tops[lane] ?? 0,
      width: (model.outage?.to ?? 0) - (model.outage?.from ?? 0),
      height: heightOf(lane),
    };
    return band(box, bandWords(run, box));
  })}
${[model.outage.from, model.outage.to].map(
  (place) =>
    html`<line class="outage-edge" x1="${px(x(place))}" x2="${px(x(place))}" y1="${WIDE.top}" y2="${bottom}"/>`,
)}`
}
${model.bars.map((bar) => {
  const lane = model.lanes[bar.lane];
  return drawBar(run, bar, {
    x: x(bar.from) + 1,
    y: (tops[bar.lane] ?? 0) + laneHead(lane) + bar.row * WIDE.row + 2,
    width: bar.to - bar.from - 2,
    height: WIDE.row - 4,
  });
})}
${spread(model.mails, 22).map(({ mail, lane, at }) =>
  envelope(run, mail, x(at), (tops[lane] ?? 0) + heightOf(lane) - WIDE.mail / 2 - 3),
)}
${ticks(model, width).map(
  ({ place, text }) => html`<text class="tick" x="${px(x(place))}" y="${bottom + 18}">${text}</text>`,
)}
</svg>`;
}

function laneHead(lane: Lane | undefined): number {
  return lane?.lost ? WIDE.band : WIDE.edge;
}

function laneHeight(lane: Lane | undefined): number {
  if (!lane) return 0;
  return laneHead(lane) + lane.rows * WIDE.row + (lane.hasMail ? WIDE.mail : WIDE.edge);
}

/** When each phase began, where there is room to say it. */
function ticks(model: TimelineModel, width: number): { place: number; text: string }[] {
  const shown: { place: number; text: string }[] = [];
  for (const phase of model.phases) {
    const last = shown.at(-1);
    if (last && phase.from - last.place < last.text.length * 7) continue;
    if (WIDE.left + phase.from + 60 > width) continue;
    shown.push({ place: phase.from, text: offset(phase.startMs) });
  }
  return shown;
}

const TALL = { width: 360, top: 40, head: 34, mail: 22, edge: 4, foot: 10 };

/** The timeline with time going down: for phones. */
export function tallTimeline(run: DrillRun): Html {
  const options = { gap: TALL.head, minSpan: 26, minPhase: 40 };
  const least = timelineModel(run, { ...options, length: 0 }).length;
  const model = timelineModel(run, { ...options, length: least * 1.15 });
  const columns = Math.max(1, model.lanes.length);
  const laneWidth = (TALL.width - (columns - 1) * 6) / columns;
  const left = (lane: number) => lane * (laneWidth + 6);
  const y = (place: number) => TALL.top + place;
  const bottom = y(model.length) + TALL.foot;

  return html`<svg class="timeline tall" viewBox="0 0 ${TALL.width} ${Math.ceil(bottom)}" role="group" aria-label="Timeline: one lane for each region, steps from top to bottom">
${model.lanes.map(
  (
    lane,
    i,
  ) => html`<rect class="lane" x="${px(left(i))}" y="0" width="${px(laneWidth)}" height="${Math.ceil(bottom)}" rx="8"/>
<text class="lane-name" x="${px(left(i) + 8)}" y="17">${shorten(lane.region ?? NO_REGION, laneWidth - 10, 13, BOLD_CHARACTER)}</text>
<text class="lane-note" x="${px(left(i) + 8)}" y="32">${shorten(lane.note, laneWidth - 12, 11.5)}</text>`,
)}
${model.outage?.lanes.map((lane) =>
  band(
    {
      x: left(lane),
      y: y(model.outage?.from ?? 0),
      width: laneWidth,
      height: (model.outage?.to ?? 0) - (model.outage?.from ?? 0),
    },
    undefined,
  ),
)}
${model.phases.map((phase) => {
  const time = duration(phase.durationMs);
  return html`<g class="phase"><rect class="phase-head" x="0" y="${px(y(phase.from) - TALL.head + 6)}" width="${TALL.width}" height="${TALL.head - 12}" rx="5"/>
<text class="phase-name" x="8" y="${px(y(phase.from) - 12)}">${shorten(`${phase.number}  ${phase.name}`, TALL.width - 24 - time.length * 7, 12.5, BOLD_CHARACTER)}</text>
<text class="phase-time end" x="${TALL.width - 8}" y="${px(y(phase.from) - 12)}">${time}</text></g>`;
})}
${model.bars.map((bar) => {
  const lane = model.lanes[bar.lane];
  const inner = laneWidth - 2 * TALL.edge - (lane?.hasMail ? TALL.mail : 0);
  const rowWidth = inner / (lane?.rows ?? 1);
  return drawBar(run, bar, {
    x: left(bar.lane) + TALL.edge + bar.row * rowWidth,
    y: y(bar.from) + 1,
    width: rowWidth - 2,
    height: bar.to - bar.from - 2,
  });
})}
${spread(model.mails, 18).map(({ mail, lane, at }) =>
  envelope(run, mail, left(lane) + laneWidth - TALL.mail / 2 - 2, y(at)),
)}
</svg>`;
}

/** A step; it leads to its row in the table. */
function drawBar(run: DrillRun, bar: Bar, box: Box): Html {
  const { number, step } = bar;
  const label = step.outcome === "failed" ? `✕${number}` : `${number}`;
  const name = shorten(step.name, box.width - 20 - label.length * 8, 12);
  // Beside the beginning of a long bar, in the middle of a short one.
  const at = name ? box.x + 8 : box.x + box.width / 2;
  const y = Math.min(box.y + box.height / 2, box.y + 40) + 4.5;
  const said = `${number}. ${step.name}: ${step.outcome}, ${since(run, step.startedAt)}, took ${duration(step.durationMs)}`;
  return html`<a href="#step-${number}" class="bar ${step.outcome}" aria-label="${said}"><title>${said}</title><rect x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${px(box.height)}" rx="5"/><text x="${px(at)}" y="${px(y)}"${name ? "" : MIDDLE}><tspan class="number">${label}</tspan>${name && html`<tspan dx="7">${name}</tspan>`}</text></a>`;
}

const MIDDLE = html` text-anchor="middle"`;

/** The time in which a region was lost, with words where there is room for them. */
function band(box: Box, words: Html | undefined): Html {
  const place = html`x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${px(box.height)}"`;
  return html`<g class="outage"><rect ${place}/><rect class="hatch" ${place}/>${words}</g>`;
}

/** What the lost region did to its callers, above the bars of its lane. */
function bandWords(run: DrillRun, box: Box): Html {
  const words = { refuse: "lost: calls refused", hang: "lost: calls unanswered", slow: "slow" };
  const room = box.width - 8;
  const text =
    shorten(words[run.outage?.mode ?? "refuse"], room, 11.5, BOLD_CHARACTER) ||
    shorten("lost", room, 11.5, BOLD_CHARACTER);
  return html`<text x="${px(box.x + 8)}" y="${px(box.y + 14)}">${text}</text>`;
}

function envelope(run: DrillRun, mail: DrillMail, x: number, y: number): Html {
  const said = `Mail "${mail.subject}", ${since(run, mail.at)}, ${duration(mail.latencyMs)} after its cause`;
  return html`<g class="mail" transform="translate(${px(x - 9)} ${px(y - 7)})"><title>${said}</title><rect width="18" height="14" rx="3"/><path d="M2.5 4 9 9l6.5-5"/></g>`;
}

/** Moves markers apart that would cover each other, lane by lane, keeping their order. */
function spread<T extends { lane: number; at: number }>(marks: readonly T[], distance: number): T[] {
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

/** A coordinate with one decimal. */
function px(value: number): number {
  return Math.round(value * 10) / 10;
}
