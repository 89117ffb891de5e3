import pc from "picocolors";
import type { Row } from "../../../functions/breakGlass/readiness/assess";
import type { ReadinessReport } from "../../../functions/breakGlass/readiness/readinessReport";
import { GROUPS, type Group, type Verdict } from "../../../functions/breakGlass/readiness/requirement";
import { cleanLine } from "../../../functions/shared/text/cleanText";

const LONGEST = 2_000;

const SUMMARY: Record<Verdict, string> = {
  pass: "Emergency access is ready.",
  fail: "Emergency access is not ready.",
  unknown: "Nothing is known to be wrong, but not everything could be checked.",
};

/**
 * A report as lines for a terminal: every row, and under those that do not pass what was found and what to do. Texts from AWS cannot move the
 * cursor or change colours.
 */
export function statusLines({ rows, verdict, counts }: ReadinessReport, inColour: boolean): string[] {
  const color = pc.createColors(inColour);
  const words: Record<Verdict, string> = {
    pass: color.green("pass   "),
    fail: color.bold(color.red("FAIL   ")),
    unknown: color.yellow("unknown"),
  };
  const width = Math.max(...rows.map(({ id }) => id.length));
  const line = (row: Row) => [
    `  ${words[row.verdict]}  ${row.id.padEnd(width)}  ${cleanLine(row.subject, LONGEST)}`,
    ...(row.verdict === "pass" ? [] : [`             ${cleanLine(row.found, LONGEST)}`]),
    ...(row.verdict === "fail"
      ? row.mend.split("\n").map((each) => `             ${color.cyan(cleanLine(each, LONGEST))}`)
      : []),
  ];
  const groups = (Object.keys(GROUPS) as Group[]).filter((group) => rows.some((row) => row.group === group));
  return [
    ...groups.flatMap((group) => [
      color.bold(GROUPS[group]),
      ...rows.filter((row) => row.group === group).flatMap(line),
      "",
    ]),
    `${counts.pass} pass, ${counts.fail} fail, ${counts.unknown} unknown.`,
    SUMMARY[verdict],
  ];
}
