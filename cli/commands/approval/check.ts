import { Command } from "commander";
import type { DirectoryDocument } from "../../../functions/approval/directory/document";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { readJsonInput } from "../../jsonInput";

const EXPECTED = "Expected is a directory, or mail templates, as docs/approval-deployment.md describes them.";

/** `bulkhead approval check`: whether a document can be used, before it is put where the functions read it. */
export function checkCommand(): Command {
  return new Command("check")
    .description(
      "Check a directory of people, groups and rules, or a document of mail templates, as the functions will. It calls nothing.",
    )
    .argument("[file]", "the document; - or nothing for standard input")
    .action(async (file: string | undefined) => {
      const { parseDirectory } =
        require("../../../functions/approval/directory/document") as typeof import("../../../functions/approval/directory/document");
      const { parseTemplates } =
        require("../../../functions/approval/messages/template") as typeof import("../../../functions/approval/messages/template");
      const { value, source } = await readJsonInput(file, EXPECTED);
      const json = JSON.stringify(value);
      const holds = (key: string) => typeof value === "object" && value !== null && key in value;
      let text: string;
      try {
        text = holds("templates") ? templatesText(parseTemplates(json)) : directoryText(parseDirectory(json));
      } catch (error) {
        throw new CliError(EXIT_CODES.failed, `${source}: ${(error as Error).message}.`, { cause: error });
      }
      process.stdout.write(`${source} can be used.\n${text}`);
    });
}

function directoryText({ people, rules }: DirectoryDocument): string {
  const active = people.filter((person) => person.active);
  const groups = new Map<string, string[]>();
  for (const person of active) {
    for (const group of person.groups) groups.set(group, [...(groups.get(group) ?? []), person.id]);
  }
  const lines = [`people: ${active.length} active, ${people.length - active.length} not`];
  for (const [group, members] of groups) lines.push(`group ${group}: ${members.join(", ")}`);
  for (const rule of rules) {
    lines.push(`rule "${rule.name}"${rule.when ? "" : ", for everything that no other fits"}`);
    for (const { atLeast, name, levels } of rule.thresholds) {
      const asked = levels.map(({ group, quorum }) => `${quorum} of ${group}`).join(", then ");
      lines.push(`  from risk ${atLeast} (${name}): ${asked}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function templatesText(templates: Readonly<Record<string, object | undefined>>): string {
  return Object.entries(templates)
    .map(([kind, languages]) => `${kind}: ${Object.keys(languages ?? {}).join(", ")}\n`)
    .join("");
}
