import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { withConfigurationTable } from "../../docs/generate";

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

  it("names only npm scripts that exist", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    for (const [, name] of read("README.md").matchAll(/npm run ([\w:-]+)/g)) expect(scripts).to.include(name);
  });
});
