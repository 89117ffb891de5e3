import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { expect } from "chai";
import * as ts from "typescript";
import * as library from "../../components";

const root = path.join(__dirname, "../..");
const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
const components = Object.values<unknown>(library).filter(
  (value): value is { name: string } =>
    typeof value === "function" && value.prototype instanceof pulumi.ComponentResource,
);

/** Every property of every interface below components/ whose name ends with Args, with its comment. */
function argumentsWithComments(): { where: string; comment: string }[] {
  const files = fs
    .readdirSync(path.join(root, "components"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"));
  return files.flatMap((file) => {
    const text = fs.readFileSync(path.join(root, "components", file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    return source.statements
      .filter(ts.isInterfaceDeclaration)
      .filter(({ name }) => name.text.endsWith("Args"))
      .flatMap(({ name, members }) =>
        members.map((member) => ({
          where: `${file} ${name.text}.${member.name?.getText(source)}`,
          comment: text.slice(member.getFullStart(), member.getStart(source, false)),
        })),
      );
  });
}

describe("component library", () => {
  // Pulumi's analyzer type-checks the whole library, and those of AWS and awsx with it.
  it("can be used from every Pulumi language: a schema can be inferred for each component", () => {
    const names = new Set(components.map(({ name }) => name));
    expect(names.size).to.be.at.least(10);
    const analyzer = new Analyzer(root, "bulkhead", manifest, names);
    const { components: analyzed } = analyzer.analyze();
    expect(Object.keys(analyzed).sort()).to.deep.equal([...names].sort());
  });

  it("is what package.json and PulumiPlugin.yaml hand out", () => {
    expect(manifest.main).to.equal("components/index.ts");
    expect(fs.readFileSync(path.join(root, "PulumiPlugin.yaml"), "utf8")).to.equal("runtime: nodejs\n");
  });

  it("says of every argument that it is required, or its default", () => {
    const unsaid = argumentsWithComments().filter(({ comment }) => !/@default|\bRequired\b/.test(comment));
    expect(unsaid.map(({ where }) => where)).to.deep.equal([]);
  });

  it("shows an example of every argument", () => {
    const without = argumentsWithComments().filter(({ comment }) => !comment.includes("@example"));
    expect(without.map(({ where }) => where)).to.deep.equal([]);
  });
});
