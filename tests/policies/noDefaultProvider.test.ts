import { expect } from "chai";
import { analyze } from "./support/analyze";

const RULE = "no-default-provider";
const TOPIC = "aws:sns/topic:Topic";

describe(RULE, () => {
  for (const name of [
    "default",
    "default_7_48_0",
    "default_7_48_0_alpha_1",
    "default_7_48_0_https_//example.com",
  ]) {
    it(`rejects a resource with provider ${name}`, async () => {
      const [message, ...others] = await analyze(RULE, { type: TOPIC, name: "alerts", provider: { name } });
      expect(others).to.deep.equal([]);
      expect(message).to.equal(
        `${TOPIC} "alerts": options.provider: "${name}" is the default provider. Instead: pass { provider } with the cell's ` +
          "provider, or { parent } or { providers } of a component that has it.",
      );
    });
  }

  for (const name of ["cell", "default-west", "defaults", "my_default", "default_west"]) {
    it(`accepts a resource with provider ${name}`, async () => {
      expect(await analyze(RULE, { type: TOPIC, provider: { name } })).to.deep.equal([]);
    });
  }

  it("rejects the default provider itself, which a function call alone brings in", async () => {
    const [message] = await analyze(RULE, { type: "pulumi:providers:aws", name: "default_7_48_0" });
    expect(message).to.match(
      /default provider of package "aws" is in use, by a resource or by a function call/,
    );
  });

  it("rejects resources of aws-native and children of other packages' components", async () => {
    const provider = { name: "default_1_0_0" };
    expect(await analyze(RULE, { type: "aws-native:iam:Role", provider })).to.have.length(1);
    expect(await analyze(RULE, { type: "aws:ec2/vpc:Vpc", name: "vpc", provider })).to.have.length(1);
  });

  it("accepts an explicit provider, default providers of other packages, and components", async () => {
    const provider = { name: "default_3_9_0" };
    expect(await analyze(RULE, { type: "pulumi:providers:aws", name: "cell" })).to.deep.equal([]);
    expect(await analyze(RULE, { type: "pulumi:providers:awsx", name: "default_3_9_0" })).to.deep.equal([]);
    expect(await analyze(RULE, { type: "pulumi:providers:random", name: "default" })).to.deep.equal([]);
    expect(await analyze(RULE, { type: "awsx:ec2:Vpc", provider })).to.deep.equal([]);
    expect(await analyze(RULE, { type: "random:index/randomPet:RandomPet", provider })).to.deep.equal([]);
    expect(await analyze(RULE, { type: "bulkhead:index:KeyRotator", provider })).to.deep.equal([]);
  });

  it("checks the packages that it is told to", async () => {
    const resource = { type: "random:index/randomPet:RandomPet", provider: { name: "default_4_0_0" } };
    expect(await analyze(RULE, resource, { packages: ["random"] })).to.have.length(1);
    expect(
      await analyze(RULE, { type: TOPIC, provider: { name: "default" } }, { packages: ["random"] }),
    ).to.deep.equal([]);
  });

  it("does not need properties: all of them may be unknown", async () => {
    const props = { name: "<unknown>" };
    expect(await analyze(RULE, { type: TOPIC, props, provider: { name: "default" } })).to.have.length(1);
    expect(await analyze(RULE, { type: TOPIC, props, provider: { name: "cell" } })).to.deep.equal([]);
  });
});
