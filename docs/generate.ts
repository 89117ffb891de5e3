import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { operationsTable } from "../functions/approval/operations/table";
import { tableMarkdown } from "../functions/keyRotation/decide/markdown";

/** Writes the parts of the documentation that follow from the code: `npm run docs`. A test fails when they are out of date. */

const root = path.join(__dirname, "..");
const START = "<!-- configuration: generated from Pulumi.yaml by npm run docs -->";
const END = "<!-- end of configuration -->";

interface Declaration {
  type: string;
  default?: unknown;
  description: string;
}

/** The table of configuration keys, from the text of Pulumi.yaml. */
export function configurationTable(pulumiYaml: string): string {
  const { config } = parse(pulumiYaml) as { config: Record<string, Declaration> };
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const shown = (value: unknown) => (value === undefined ? "" : `\`${JSON.stringify(value)}\``);
  const rows = Object.entries(config).map(
    ([key, { type, default: value, description }]) =>
      `| \`bulkhead:${key}\` | ${type} | ${cell(shown(value))} | ${cell(description)} |`,
  );
  return ["| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The README with its generated part made anew. */
export function withConfigurationTable(readme: string, pulumiYaml: string): string {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`README.md lacks the lines "${START}" and "${END}"`);
  return `${readme.slice(0, start + START.length)}\n${configurationTable(pulumiYaml)}\n${readme.slice(end)}`;
}

/** The page about approval with its table of operations made anew. */
export function withOperationsTable(page: string): string {
  const start = "<!-- operations: generated from functions/approval/operations by npm run docs -->";
  const [from, to] = [page.indexOf(start), page.indexOf("<!-- end of operations -->")];
  if (from < 0 || to < from) throw new Error(`docs/approval.md lacks the line "${start}" or its end`);
  return `${page.slice(0, from + start.length)}\n${operationsTable()}\n${page.slice(to)}`;
}

/** The page about key rotation with its decision table made anew. */
export function withDecisionTable(page: string): string {
  const start = "<!-- decisions: generated from functions/keyRotation/decide by npm run docs -->";
  const [from, to] = [page.indexOf(start), page.indexOf("<!-- end of decisions -->")];
  if (from < 0 || to < from) throw new Error(`docs/key-rotation.md lacks the line "${start}" or its end`);
  return `${page.slice(0, from + start.length)}\n${tableMarkdown()}\n${page.slice(to)}`;
}

if (require.main === module) {
  const keysPath = path.join(root, "docs/key-rotation.md");
  fs.writeFileSync(keysPath, withDecisionTable(fs.readFileSync(keysPath, "utf8")));
  const approvalPath = path.join(root, "docs/approval.md");
  fs.writeFileSync(approvalPath, withOperationsTable(fs.readFileSync(approvalPath, "utf8")));
  const readmePath = path.join(root, "README.md");
  const pulumiYaml = fs.readFileSync(path.join(root, "Pulumi.yaml"), "utf8");
  fs.writeFileSync(readmePath, withConfigurationTable(fs.readFileSync(readmePath, "utf8"), pulumiYaml));
}
