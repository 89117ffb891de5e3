import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { credentials } from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
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
  it("is a plugin for every Pulumi language, with a schema of each component", async function () {
    this.timeout(180_000);
    const plugin = spawn(
      process.execPath,
      [require.resolve("@pulumi/pulumi/cmd/run-plugin"), root, "127.0.0.1:1"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      const [port] = (await once(plugin.stdout, "data")) as [Buffer];
      const client = new ResourceProviderClient(
        `127.0.0.1:${port.toString().trim()}`,
        credentials.createInsecure(),
      );
      const request = new provider.GetSchemaRequest();
      const answer = await new Promise<{ getSchema(): string }>((resolve, reject) => {
        client.getSchema(request, (error: Error | null, found: { getSchema(): string }) =>
          error ? reject(error) : resolve(found),
        );
      });
      client.close();
      const schema = JSON.parse(answer.getSchema());
      expect(schema.name).to.equal("bulkhead");
      expect(Object.keys(schema.resources).sort()).to.deep.equal(
        components.map(({ name }) => `bulkhead:index:${name}`).sort(),
      );
      expect(components.length).to.be.at.least(10);
    } finally {
      plugin.kill();
      await once(plugin, "exit");
    }
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
