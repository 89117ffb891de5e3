import { duration } from "../../../functions/shared/html/format";
import { type Html, html } from "../../../functions/shared/html/html";
import type { DrillRun } from "../types";
import { type TimelineModel, timelineModel } from "./model";
import { bandShape, barShape, laneShape, mailShape, picture, rect, shorten, spread, text } from "./shapes";

/** Sizes; `head` is for a phase's name, `mail` the strip beside a lane's bars. */
const SIZE = { width: 360, top: 40, head: 34, mail: 22, edge: 4, foot: 10, between: 6 };

/** The timeline with time going down: for phones. */
export function tallTimeline(run: DrillRun): Html {
  const options = { gap: SIZE.head, minSpan: 26, minPhase: 40 };
  const least = timelineModel(run, { ...options, length: 0 }).length;
  // A little more than what the steps need at least, so that long ones look long.
  const model = timelineModel(run, { ...options, length: least * 1.15 });
  const columns = Math.max(1, model.lanes.length);
  const laneWidth = (SIZE.width - (columns - 1) * SIZE.between) / columns;
  const left = (lane: number) => lane * (laneWidth + SIZE.between);
  const y = (place: number) => SIZE.top + place;
  const height = y(model.length) + SIZE.foot;

  const lanes = model.lanes.map((lane, i) =>
    laneShape(lane, { x: left(i), y: 0, width: laneWidth, height }, laneWidth - 11, 8, 17),
  );
  const { outage } = model;
  const bands = outage?.lanes.map((lane) => {
    const box = { x: left(lane), y: y(outage.from), width: laneWidth, height: outage.to - outage.from };
    return bandShape(run, box, false);
  });
  const bars = model.bars.map((bar) => {
    const lane = model.lanes[bar.lane];
    const inner = laneWidth - 2 * SIZE.edge - (lane?.hasMail ? SIZE.mail : 0);
    const rowWidth = inner / (lane?.rows ?? 1);
    return barShape(run, bar, {
      x: left(bar.lane) + SIZE.edge + bar.row * rowWidth,
      y: y(bar.from) + 1,
      width: rowWidth - 2,
      height: bar.to - bar.from - 2,
    });
  });
  const mails = spread(model.mails, 18).map(({ mail, lane, at }) =>
    mailShape(run, mail, left(lane) + laneWidth - SIZE.mail / 2 - 2, y(at)),
  );
  return picture(
    "tall",
    "Timeline: one lane for each region, steps from top to bottom",
    [SIZE.width, height],
    [lanes, bands, model.phases.map((phase) => phaseHead(phase, y(phase.from))), bars, mails],
  );
}

function phaseHead(phase: TimelineModel["phases"][number], bottom: number): Html {
  const time = duration(phase.durationMs);
  const box = { x: 0, y: bottom - SIZE.head + 6, width: SIZE.width, height: SIZE.head - 12 };
  const room = SIZE.width - 24 - time.length * 7;
  return html`
<g class="phase">${rect("phase-head", box, 5)}
${text("phase-name", 8, bottom - 12, shorten(`${phase.number}  ${phase.name}`, room, "phase-name"))}
${text("phase-time end", SIZE.width - 8, bottom - 12, time)}</g>`;
}
