import type { DrillMail, DrillPhase, DrillRun, DrillStep } from "../types";
import { type Axis, type AxisOptions, layoutAxis } from "./warp";

/** One region's strip of the timeline. */
export interface Lane {
  /** Undefined: of the steps that happen in no single region. */
  region?: string;
  /** Cells in it: `prod, primary`. */
  note: string;
  /** Steps that ran at the same time lie beside each other. */
  rows: number;
  lost: boolean;
  hasMail: boolean;
}

export interface Bar {
  /** The step's number in the report, from 1. */
  number: number;
  step: DrillStep;
  lane: number;
  row: number;
  from: number;
  to: number;
}

/** The timeline of a run: what is where along its axis, not yet in which direction that goes. */
export interface TimelineModel {
  lanes: Lane[];
  phases: { number: number; name: string; startMs: number; durationMs: number; from: number; to: number }[];
  bars: Bar[];
  /** The time in which regions were lost, and the lanes of those. */
  outage?: { lanes: number[]; from: number; to: number; ended: boolean };
  mails: { mail: DrillMail; lane: number; at: number }[];
  length: number;
}

/** A step of no duration still has a beginning and an end, or it would have no place. */
const SHORTEST_MS = 0.01;
/**
 * Beginnings are whole milliseconds, durations are not: a step may seem to end this much after the next one
 * begins.
 */
const ROUNDING_MS = 2;

/** The timeline of a run. Without phases it has no lanes' contents but is still well formed. */
export function timelineModel(run: DrillRun, options: AxisOptions): TimelineModel {
  const start = Date.parse(run.startedAt);
  const lanes = lanesOf(run);
  const laneOf = (region: string | undefined) => lanes.findIndex((lane) => lane.region === region);
  const moments = [...run.mails.map((mail) => Date.parse(mail.at)), ...(run.outage ? outageTimes(run) : [])];
  const axis = layoutAxis(
    run.phases.map((phase) => {
      const spans = spansOf(phase);
      // Rounded times may put a step a little outside of its phase.
      const from = Math.min(Date.parse(phase.startedAt), ...spans.map((span) => span.start));
      const to = Math.max(Date.parse(phase.startedAt) + phase.durationMs, ...spans.map((span) => span.end));
      return {
        start: from,
        end: to,
        spans,
        moments: moments.filter((time) => time >= from && time <= to),
      };
    }),
    options,
  );
  const bars = barsOf(run, axis, laneOf);
  for (const bar of bars) {
    const lane = lanes[bar.lane];
    if (lane) lane.rows = Math.max(lane.rows, bar.row + 1);
  }
  return {
    lanes,
    phases: run.phases.map((phase, i) => ({
      number: i + 1,
      name: phase.name,
      startMs: Date.parse(phase.startedAt) - start,
      durationMs: phase.durationMs,
      from: axis.phases[i]?.from ?? 0,
      to: axis.phases[i]?.to ?? 0,
    })),
    bars,
    ...(run.outage
      ? {
          outage: {
            lanes: run.outage.regions.map(laneOf),
            from: axis.at(outageTimes(run)[0]),
            to: Math.max(...outageTimes(run).map(axis.at)),
            ended: run.outage.endedAt !== undefined,
          },
        }
      : {}),
    mails: run.mails.map((mail) => ({ mail, lane: laneOf(mail.region), at: axis.at(Date.parse(mail.at)) })),
    length: axis.length,
  };
}

function outageTimes(run: DrillRun): [number, number] {
  return [
    Date.parse(run.outage?.startedAt ?? run.startedAt),
    Date.parse(run.outage?.endedAt ?? run.finishedAt),
  ];
}

/** From when to when each step of a phase ran; steps that only seem to overlap, by rounding, do not. */
function spansOf(phase: DrillPhase): { start: number; end: number }[] {
  const starts = phase.steps.map((step) => Date.parse(step.startedAt));
  return phase.steps.map((step) => {
    const start = Date.parse(step.startedAt);
    const end = start + Math.max(step.durationMs, SHORTEST_MS);
    const next = starts.find((other) => other > start && other < end && other > end - ROUNDING_MS);
    return { start, end: next ?? end };
  });
}

function lanesOf(run: DrillRun): Lane[] {
  const steps = run.phases.flatMap((phase) => phase.steps);
  const regions = new Set([
    ...run.cells.map((cell) => cell.region),
    ...(run.outage?.regions ?? []),
    ...steps.flatMap((step) => step.region ?? []),
    ...run.mails.map((mail) => mail.region),
  ]);
  const lanes: Lane[] = [...regions].map((region) => ({
    region,
    note: run.cells
      .filter((cell) => cell.region === region)
      .map((cell) => `${cell.name}, ${cell.role}`)
      .join("; "),
    rows: 1,
    lost: run.outage?.regions.includes(region) ?? false,
    hasMail: run.mails.some((mail) => mail.region === region),
  }));
  if (steps.some((step) => step.region === undefined)) {
    lanes.push({ note: "", rows: 1, lost: false, hasMail: false });
  }
  return lanes;
}

function barsOf(run: DrillRun, axis: Axis, laneOf: (region: string | undefined) => number): Bar[] {
  let number = 0;
  /** End of the last step by lane and row. */
  const ends: number[][] = [];
  return run.phases.flatMap((phase, phaseIndex) => {
    const spans = spansOf(phase);
    return phase.steps.map((step, stepIndex) => {
      number += 1;
      const lane = laneOf(step.region);
      const { start, end } = spans[stepIndex] ?? { start: 0, end: 0 };
      ends[lane] ??= [];
      const rows = ends[lane];
      const free = rows.findIndex((last) => last <= start);
      const row = free < 0 ? rows.length : free;
      rows[row] = end;
      const [from, to] = [axis.inPhase(phaseIndex, start), axis.inPhase(phaseIndex, end)];
      return { number, step, lane, row, from, to };
    });
  });
}
