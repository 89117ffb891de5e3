import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { rules } from "../../policypacks/identity-dr";
import { catalogue } from "../../policypacks/identity-dr/lib/catalogue";

const PACK = path.join(__dirname, "..", "..", "policypacks", "identity-dr");

describe("the catalogue of rules", () => {
  it("is up to date (else run `tsx policypacks/generateRules.ts`)", () => {
    expect(fs.readFileSync(path.join(PACK, "RULES.md"), "utf8")).to.equal(catalogue(rules));
  });

  it("has every rule's file, and every file's rule", () => {
    const files = fs.readdirSync(path.join(PACK, "rules")).map((file) => path.basename(file, ".ts"));
    const names = rules.map(({ id }) => id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
    expect(files.sort()).to.deep.equal(names.sort());
  });
});
