import type { Result } from "./types";

/** What a benchmark came to, for the table. */
export interface Finished {
  name: string;
  results: readonly Result[];
}

const HEAD = ["benchmark", "metric", "value", "target", ""];

/** One table of all results, for a terminal. */
export function renderTable(finished: readonly Finished[]): string {
  const rows = finished.flatMap(({ name, results }) =>
    results.map((result, i) => [
      i === 0 ? name : "",
      result.metric,
      quantity(result.value, result.unit),
      result.target === null ? "" : `<= ${quantity(result.target, result.unit)}`,
      result.met === null ? "" : result.met ? "met" : "MISSED",
    ]),
  );
  const widths = HEAD.map((head, column) =>
    Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0), head.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 2 || column === 3 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [
    line(HEAD),
    widths
      .map((width) => "-".repeat(width))
      .join("  ")
      .trimEnd(),
    ...rows.map(line),
  ].join("\n");
}

/** `12.3 ms`, `1,204 ms`, `1.48 x`. */
export function quantity(value: number, unit: string): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${text} ${unit}`;
}
