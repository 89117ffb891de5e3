import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { withConfigurationTable } from "../../docs/generate";
import { parseDirectory } from "../../functions/approval/directory/document";
import { MESSAGE_KINDS } from "../../functions/approval/messages/kinds";
import {
  BLOCK_PLACEHOLDERS,
  parseTemplates,
  VALUE_PLACEHOLDERS,
} from "../../functions/approval/messages/template";

const root = path.join(__dirname, "../..");
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

describe("documentation", () => {
  it("has the configuration as Pulumi.yaml declares it (mend with npm run docs)", () => {
    expect(read("README.md")).to.equal(withConfigurationTable(read("README.md"), read("Pulumi.yaml")));
  });

  it("links to files that exist", () => {
    const pages = [
      "README.md",
      ...fs
        .readdirSync(path.join(root, "docs"))
        .filter((f) => f.endsWith(".md"))
        .map((f) => `docs/${f}`),
    ];
    for (const page of pages) {
      for (const [, target] of read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
        expect(
          fs.existsSync(path.join(root, path.dirname(page), target!)),
          `${page} links to ${target}`,
        ).to.equal(true);
      }
    }
  });

  it("shows a directory and mail templates that can be used, and names every kind and placeholder of mails", () => {
    const page = read("docs/approval-deployment.md");
    const examples = [...page.matchAll(/^ {4}\{\n(?: {4,}.*\n)+ {4}\}\n/gm)].map(([text]) =>
      JSON.parse(text),
    );
    expect(parseDirectory(JSON.stringify(examples.find(({ people }) => people))).rules).to.have.length(2);
    parseTemplates(JSON.stringify(examples.find(({ templates }) => templates)));
    for (const name of [...VALUE_PLACEHOLDERS, ...BLOCK_PLACEHOLDERS]) expect(page).to.include(`{{${name}}}`);
    for (const kind of MESSAGE_KINDS) expect(page).to.include(`\`${kind}\``);
  });

  it("names only npm scripts that exist", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    for (const [, name] of read("README.md").matchAll(/npm run ([\w:-]+)/g)) expect(scripts).to.include(name);
  });
});
