import { TABLE } from "./table";

/** The table for the documentation, in Markdown: one line a row, in the order in which the rows are tried. */
export function tableMarkdown(): string {
  const rows = TABLE.map(
    ({ id, when, result, why }, index) => `| ${index + 1} | \`${id}\` | ${when} | ${result} | ${why} |`,
  );
  return ["| | Row | When | Then | Why |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}
