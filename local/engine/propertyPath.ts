/** Property paths as `ignoreChanges`, `replaceOnChanges` and `hideDiffs` write them: `a.b[0]["c.d"]`, `*`. Pure. */

import { isObject, type Props } from "./wire";

/** One step: a key, an index, or every one (`*`). */
export type PathStep = string | number;
export type PropertyPath = readonly PathStep[];

/** Parses a path. Throws, naming it, when it is malformed. */
export function parsePath(text: string): PropertyPath {
  const steps: PathStep[] = [];
  let rest = text;
  while (rest !== "") {
    const quoted = /^\["((?:[^"\\]|\\.)*)"\]\.?/.exec(rest);
    const index = /^\[(\d+|\*)\]\.?/.exec(rest);
    const name = /^([^.["\]]+)\.?/.exec(rest);
    const match = quoted ?? index ?? name;
    if (match === null)
      throw new Error(`"${text}" is not a property path; write for example tags.Owner or rules[0].port`);
    const step = match[1]!;
    if (quoted !== null) steps.push(step.replaceAll('\\"', '"'));
    else if (index !== null) steps.push(step === "*" ? "*" : Number(step));
    else steps.push(step);
    rest = rest.slice(match[0].length);
  }
  return steps;
}

/** Writes a path the way {@link parsePath} reads it. */
export function formatPath(path: PropertyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (!/^[^.["\]]+$/.test(step)) return `${text}["${step.replaceAll('"', '\\"')}"]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** Whether `path` is `outer` or lies below it; `*` in `outer` stands for any step. */
export function pathContains(outer: PropertyPath, path: PropertyPath): boolean {
  return outer.length <= path.length && outer.every((step, i) => step === "*" || step === path[i]);
}

/**
 * A copy of `news` in which what `path` names has the value that it has in `olds` (is absent when it is absent
 * there). A path whose container does not exist on both sides changes nothing.
 */
export function resetPath(olds: Props, news: Props, path: PropertyPath): Props {
  return reset(olds, news, path) as Props;
}

function reset(olds: unknown, news: unknown, path: PropertyPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return olds;
  if (Array.isArray(news)) {
    if (!Array.isArray(olds) || (typeof step !== "number" && step !== "*")) return news;
    return news.map((item, i) => {
      if (step !== "*" && step !== i) return item;
      return i < olds.length ? reset(olds[i], item, rest) : item;
    });
  }
  if (!isObject(news) || !isObject(olds)) return news;
  const result: Props = { ...news };
  const keys = step === "*" ? [...new Set([...Object.keys(olds), ...Object.keys(news)])] : [String(step)];
  for (const key of keys) {
    if (rest.length > 0) {
      if (key in olds && key in result) result[key] = reset(olds[key], result[key], rest);
    } else if (key in olds) {
      result[key] = olds[key];
    } else {
      delete result[key];
    }
  }
  return result;
}
