import { duration, offset } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import type { DrillRun } from "../types";
import { type Lane, type TimelineModel, timelineModel } from "./model";
import { bandShape, barShape, laneShape, line, mailShape, picture, shorten, spread, text } from "./shapes";

/** Sizes; `left` is for the names of lanes, `band` and `mail` are the strips above and below a lane's bars. */
const SIZE = {
  width: 1080,
  left: 132,
  right: 12,
  top: 46,
  row: 28,
  edge: 7,
  band: 20,
  mail: 24,
  foot: 26,
  between: 6,
};

/** The timeline with time going to the right: for wide screens and paper. */
export function wideTimeline(run: DrillRun): Html {
  const room = SIZE.width - SIZE.left - SIZE.right;
  const model = timelineModel(run, { length: room, gap: 8, minSpan: 28, minPhase: 96 });
  const width = Math.max(SIZE.width, SIZE.left + model.length + SIZE.right);
  const tops: number[] = [];
  let below = SIZE.top;
  for (const lane of model.lanes) {
    tops.push(below);
    below += laneHeight(lane) + SIZE.between;
  }
  const bottom = below - SIZE.between;
  const x = (place: number) => SIZE.left + place;
  const top = (lane: number) => tops[lane] ?? 0;
  const height = (lane: number) => laneHeight(model.lanes[lane]);

  const lanes = model.lanes.map((lane, i) => {
    const box = { x: 0, y: top(i), width, height: height(i) };
    const middle = box.y + box.height / 2;
    return laneShape(lane, box, SIZE.left - 22, 14, lane.note ? middle - 3 : middle + 5);
  });
  const { outage } = model;
  const bands = outage?.lanes.map((lane) => {
    const box = { x: x(outage.from), y: top(lane), width: outage.to - outage.from, height: height(lane) };
    return bandShape(run, box, true);
  });
  const edges =
    outage && [x(outage.from), x(outage.to)].map((at) => line("outage-edge", [at, SIZE.top], [at, bottom]));
  const bars = model.bars.map((bar) =>
    barShape(run, bar, {
      x: x(bar.from) + 1,
      y: top(bar.lane) + laneHead(model.lanes[bar.lane]) + bar.row * SIZE.row + 2,
      width: bar.to - bar.from - 2,
      height: SIZE.row - 4,
    }),
  );
  const mails = spread(model.mails, 22).map(({ mail, lane, at }) =>
    mailShape(run, mail, x(at), top(lane) + height(lane) - SIZE.mail / 2 - 3),
  );
  const ticks = ticksOf(model, width).map(({ place, label }) => text("tick", x(place), bottom + 18, label));
  return picture(
    "wide",
    "Timeline: one lane for each region, steps from left to right",
    [width, bottom + SIZE.foot],
    [lanes, model.phases.map((phase) => phaseHead(phase, x)), bands, edges, bars, mails, ticks],
  );
}

function phaseHead(phase: TimelineModel["phases"][number], x: (place: number) => number): Html {
  const { number, name, durationMs, from, to } = phase;
  const room = to - from + 4;
  return html`
<g class="phase"><title>${name}: ${duration(durationMs)}</title>
${line("", [x(from), 40], [x(to), 40])}
${text("phase-name", x(from), 17, shorten(`${number}  ${name}`, room, "phase-name") || number)}
${text("phase-time", x(from), 33, shorten(duration(durationMs), room, "phase-time"))}</g>`;
}

function laneHead(lane: Lane | undefined): number {
  return lane?.lost ? SIZE.band : SIZE.edge;
}

function laneHeight(lane: Lane | undefined): number {
  if (!lane) return 0;
  return laneHead(lane) + lane.rows * SIZE.row + (lane.hasMail ? SIZE.mail : SIZE.edge);
}

/** When each phase began, where there is room to say it. */
function ticksOf(model: TimelineModel, width: number): { place: number; label: string }[] {
  const shown: { place: number; label: string }[] = [];
  for (const phase of model.phases) {
    const last = shown.at(-1);
    if (last && phase.from - last.place < last.label.length * 7) continue;
    if (SIZE.left + phase.from + 60 > width) continue;
    shown.push({ place: phase.from, label: offset(phase.startMs) });
  }
  return shown;
}
