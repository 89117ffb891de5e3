/**
 * The timeline's axis. A drill has minutes of deployment beside steps of milliseconds: on an even scale
 * those would be invisible. Here each phase gets room by the fourth root of its duration, and each step at
 * least {@link AxisOptions.minSpan}. Order is always kept: of two moments the later one is never drawn
 * before the earlier.
 */

/** A phase with all that has to be placed in it. Times in milliseconds. */
export interface AxisPhase {
  start: number;
  end: number;
  /** Steps: each gets at least the smallest length. */
  spans: readonly { start: number; end: number }[];
  /** Moments whose order among the steps has to be kept. */
  moments: readonly number[];
}

export interface AxisOptions {
  /** Length to fill. Exceeded when the smallest lengths need more. */
  length: number;
  /** Room before each phase. */
  gap: number;
  /** Smallest length of a step. */
  minSpan: number;
  /** Smallest length of a phase. */
  minPhase: number;
}

/** A place for each moment. */
export interface Axis {
  length: number;
  phases: { from: number; to: number }[];
  /** Place of a moment of the phase with this index. */
  inPhase(phase: number, time: number): number;
  /** Place of any moment; one before the first phase or after the last is drawn there. */
  at(time: number): number;
}

interface Knot {
  time: number;
  place: number;
}

/** Lays out an axis. @param phases in the order of their times, not overlapping. */
export function layoutAxis(phases: readonly AxisPhase[], options: AxisOptions): Axis {
  const total = (scale: number) =>
    phases.reduce((sum, phase) => sum + options.gap + lengthOf(knotsOf(phase, scale, options)), 0);
  const scale = solve(total, options.length);
  let place = 0;
  const knots = phases.map((phase) => {
    place += options.gap;
    const own = knotsOf(phase, scale, options).map((knot) => ({
      time: knot.time,
      place: knot.place + place,
    }));
    place += lengthOf(own);
    return own;
  });
  const all = knots.flat();
  return {
    length: place,
    phases: knots.map((own) => ({ from: own[0]?.place ?? 0, to: own.at(-1)?.place ?? 0 })),
    inPhase: (phase, time) => interpolate(knots[phase] ?? [], time),
    at: (time) => interpolate(all, time),
  };
}

/** The scale at which the axis is as long as wanted; 0 when even that is too long. */
function solve(total: (scale: number) => number, wanted: number): number {
  let [low, high] = [0, 1];
  if (total(0) >= wanted) return 0;
  while (total(high) < wanted && high < 1e6) high *= 2;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (total(middle) < wanted) low = middle;
    else high = middle;
  }
  return low;
}

function knotsOf(phase: AxisPhase, scale: number, options: AxisOptions): Knot[] {
  const duration = Math.max(phase.end - phase.start, 0.001);
  const inside = (time: number) => Math.min(Math.max(time, phase.start), phase.start + duration);
  const times = [
    phase.start,
    phase.start + duration,
    ...phase.moments.map(inside),
    ...phase.spans.flatMap((span) => [inside(span.start), inside(span.end)]),
  ];
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const even = (time: number) => ((time - phase.start) / duration) * scale * duration ** 0.25;
  const places = new Map<number, number>();
  let [lastTime, lastPlace] = [phase.start, 0];
  for (const time of sorted) {
    let place = lastPlace + even(time) - even(lastTime);
    for (const span of phase.spans) {
      const from = places.get(inside(span.start));
      if (inside(span.end) === time && from !== undefined) place = Math.max(place, from + options.minSpan);
    }
    places.set(time, place);
    [lastTime, lastPlace] = [time, place];
  }
  const end = phase.start + duration;
  places.set(end, Math.max(places.get(end) ?? 0, options.minPhase));
  return sorted.map((time) => ({ time, place: places.get(time) ?? 0 }));
}

function lengthOf(knots: readonly Knot[]): number {
  return (knots.at(-1)?.place ?? 0) - (knots[0]?.place ?? 0);
}

function interpolate(knots: readonly Knot[], time: number): number {
  const after = knots.findIndex((knot) => knot.time >= time);
  if (after < 0) return knots.at(-1)?.place ?? 0;
  const [left, right] = [knots[after - 1], knots[after]];
  if (!right) return 0;
  if (!left || right.time === left.time) return right.place;
  return left.place + ((time - left.time) / (right.time - left.time)) * (right.place - left.place);
}
