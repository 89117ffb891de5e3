import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { unknownValue } from "@pulumi/pulumi/runtime";
import { expect } from "chai";
import { rules } from "../../policypacks/identity-dr";
import { type MeasuredResource, measureRules } from "../../policypacks/measure";
import { PackProcess } from "./support/packProcess";
import { generateResources } from "./support/resources";

const ROOT = path.join(__dirname, "..", "..");
const DIST = path.join(ROOT, "policypacks", "identity-dr", "dist");
const REGION = "us-west-2";

const provider = (name: string, props: Record<string, unknown>): MeasuredResource => ({
  type: "pulumi:providers:aws",
  name,
  urn: `urn:pulumi:prod::bulkhead::pulumi:providers:aws::${name}`,
  props,
});

const topic = (providerName: string): MeasuredResource => ({
  type: "aws:sns/topic:Topic",
  name: "alerts",
  urn: "urn:pulumi:prod::bulkhead::aws:sns/topic:Topic::alerts",
  props: {},
  provider: provider(providerName, { region: REGION }),
});

const GLOBAL = provider("cell", { region: REGION, endpoints: '[{"sts":"https://sts.amazonaws.com"}]' });

describe("the compiled policy pack", () => {
  let pack: PackProcess;

  before(async () => {
    await promisify(execFile)(process.execPath, [path.join(ROOT, "policypacks", "build.mjs")]);
    pack = await PackProcess.start(DIST);
  });

  after(() => pack?.stop());

  beforeEach(() => pack.configure({}));

  it("names its rules, their levels and their options", async () => {
    const { name, version, policies } = await pack.info();
    expect(name).to.equal("identity-dr");
    expect(version).to.equal(JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).version);
    expect(policies.map(({ id }) => id)).to.deep.equal(rules.map(({ id }) => id));
    expect(policies.every(({ mandatory }) => mandatory)).to.equal(true);
    for (const { id, options } of policies) {
      const rule = rules.find((one) => one.id === id);
      expect(options.sort()).to.deep.equal(["exclude", ...Object.keys(rule?.options ?? {})].sort());
    }
  });

  it("rejects a provider with the global STS endpoint", async () => {
    const [found, ...others] = await pack.analyze(GLOBAL);
    expect(others).to.deep.equal([]);
    expect(found).to.include({ rule: "no-global-sts-endpoint", mandatory: true });
    // The server puts the rule's description on a line before.
    expect(found?.message.split("\n")[1]).to.equal(
      'pulumi:providers:aws "cell": endpoints[0].sts: "sts.amazonaws.com" is the global STS endpoint, which is lost with ' +
        'us-east-1. Instead: write "https://sts.us-west-2.amazonaws.com".',
    );
  });

  it("accepts a provider with its own region's endpoint", async () => {
    const endpoints = `[{"sts":"https://sts.${REGION}.amazonaws.com"}]`;
    expect(await pack.analyze(provider("cell", { region: REGION, endpoints }))).to.deep.equal([]);
  });

  it("sees through the engine's mark for secrets and does not show what is in them", async () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value: "https://me:hunter2@sts.amazonaws.com",
    };
    const resource = { ...topic("cell"), type: "aws:lambda/function:Function" };
    const [found] = await pack.analyze({
      ...resource,
      props: { environment: { variables: { AWS_ENDPOINT_URL_STS: secret } } },
    });
    expect(found?.message).to.include('environment.variables.AWS_ENDPOINT_URL_STS: "sts.amazonaws.com"');
    expect(found?.message).not.to.include("hunter2");
  });

  it("reads code that is given as text", async () => {
    const asset = (text: string) => ({
      "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
      hash: "",
      text,
    });
    const code = {
      "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
      hash: "",
      assets: { "index.mjs": asset("new STSClient({ useGlobalEndpoint: true })") },
    };
    const found = await pack.analyze({
      ...topic("cell"),
      type: "aws:lambda/function:Function",
      props: { code },
    });
    expect(found.map(({ message }) => message).join()).to.match(/code\["index\.mjs"\]: "useGlobalEndpoint"/);
  });

  it("tells the default provider from an explicit one", async () => {
    expect(await pack.analyze(topic("cell"))).to.deep.equal([]);
    const found = await pack.analyze(topic("default_7_48_0"));
    expect(found.map(({ rule }) => rule)).to.deep.equal(["no-default-provider"]);
  });

  it("takes unknown values without an error, and without a word", async () => {
    for (const type of ["pulumi:providers:aws", "aws:lambda/function:Function", "aws:iam/role:Role"]) {
      const props = {
        region: unknownValue,
        endpoints: unknownValue,
        environment: { variables: unknownValue },
        assumeRolePolicy: unknownValue,
      };
      expect(await pack.analyze({ ...topic("cell"), type, props }), type).to.deep.equal([]);
    }
  });

  it("checks the stack and names the user that it is about", async () => {
    const user = {
      type: "aws:iam/user:User",
      name: "user",
      urn: "urn:pulumi:prod::bulkhead::aws:iam/user:User::user",
      props: { name: "breakglass-admin-1", path: "/break-glass/" },
    };
    const found = await pack.analyzeStack([user]);
    expect(found.map(({ rule }) => rule)).to.include("break-glass-requires-mfa");
    for (const one of found) expect(one).to.include({ urn: user.urn, mandatory: true });
  });

  it("takes enforcement levels from its configuration", async () => {
    await pack.configure({ "no-global-sts-endpoint": { level: "advisory" } });
    expect((await pack.analyze(GLOBAL)).map(({ mandatory }) => mandatory)).to.deep.equal([false]);
    await pack.configure({ "no-global-sts-endpoint": { level: "disabled" } });
    expect(await pack.analyze(GLOBAL)).to.deep.equal([]);
  });

  it("takes suppressions with a reason and refuses those without", async () => {
    const options = (exclude: object) => ({ "no-global-sts-endpoint": { options: { exclude: [exclude] } } });
    await pack.configure(options({ urn: "urn:*::cell", reason: "replaced in March" }) as never);
    expect(await pack.analyze(GLOBAL)).to.deep.equal([]);
    await pack.configure(options({ urn: "urn:*::other", reason: "replaced in March" }) as never);
    expect(await pack.analyze(GLOBAL)).to.have.length(1);
    await pack.configure(options({ urn: "urn:*::cell" }) as never);
    const error = await pack.analyze(GLOBAL).catch((refused: Error) => refused);
    expect(error).to.be.instanceOf(Error);
    expect((error as Error).message).to.include(
      'no-global-sts-endpoint: exclude[0] (urn:*::cell) has no "reason": write exclude:',
    );
  });

  it("does not hold @pulumi/aws, and is the same whenever it is built", async () => {
    const bundle = fs.readFileSync(path.join(DIST, "index.js"));
    expect(bundle.includes('require("@pulumi/aws')).to.equal(false);
    await promisify(execFile)(process.execPath, [path.join(ROOT, "policypacks", "build.mjs")]);
    expect(fs.readFileSync(path.join(DIST, "index.js")).equals(bundle)).to.equal(true);
  });

  it("has no objection to 1,000 resources that keep to the rules, each checked by each rule (npm run bench -- pack times it)", async () => {
    const compiled = require(path.join(DIST, "rules.js")) as { rules: typeof rules };
    const measured = await measureRules(compiled.rules, generateResources());
    expect(measured.violations).to.equal(0);
    expect(Object.keys(measured.ruleMs).sort()).to.deep.equal(rules.map((rule) => rule.id).sort());
  });

  it("measures resources that are the same each time", () => {
    expect(generateResources(50)).to.deep.equal(generateResources(50));
    expect(generateResources(50, 1)).not.to.deep.equal(generateResources(50, 2));
  });
});
