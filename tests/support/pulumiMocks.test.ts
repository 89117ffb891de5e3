import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { jsonInput, knownValue, outputState, startMocks, UNKNOWN, unknownOutput } from "./pulumiMocks";

class Pair extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly token: pulumi.Output<string>;

  constructor(name: string, args: { token: pulumi.Input<string> }, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:Pair", name, {}, opts);
    const key = new aws.kms.Key(`${name}-key`, {}, { parent: this });
    const topic = new aws.sns.Topic(
      `${name}-topic`,
      { name: "alerts", kmsMasterKeyId: key.arn },
      { parent: this, protect: true, ignoreChanges: ["tags"], aliases: [{ name: "old" }] },
    );
    new aws.ssm.Parameter(
      `${name}-parameter`,
      { name: "/p", type: "String", value: args.token, description: topic.arn },
      { parent: this, dependsOn: [key] },
    );
    this.arn = topic.arn;
    this.token = pulumi.output(args.token);
    this.registerOutputs({ arn: this.arn, token: this.token });
  }
}

describe("pulumiMocks", () => {
  it("records inputs, parents, provider, region, dependencies, options and outputs", async () => {
    const mocks = await startMocks({ accountId: "111111111111" });
    const provider = new aws.Provider("west", { region: "us-west-2" });
    const pair = new Pair("a", { token: pulumi.secret("s3cret") }, { provider });
    const outputs = await mocks.outputsOf(pair);

    expect(mocks.list()).to.deep.equal([
      "aws:kms/key:Key a-key",
      "aws:sns/topic:Topic a-topic",
      "aws:ssm/parameter:Parameter a-parameter",
      "bulkhead:index:Pair a",
      "pulumi:providers:aws west",
    ]);
    const topic = mocks.find("aws:sns/topic:Topic");
    expect(topic.inputs).to.deep.equal({
      name: "alerts",
      kmsMasterKeyId: "arn:aws:kms:us-west-2:111111111111:key/key-a-key",
    });
    expect(topic).to.include({
      custom: true,
      id: "arn:aws:sns:us-west-2:111111111111:alerts",
      parentName: "a",
      providerName: "west",
      region: "us-west-2",
    });
    expect(topic.dependencyNames).to.deep.equal(["a-key"]);
    expect(topic.options).to.deep.include({ protect: true, ignoreChanges: ["tags"] });
    expect(topic.options.aliases).to.have.length(1);
    const parameter = mocks.find("aws:ssm/parameter:Parameter", "a-parameter");
    expect(parameter.inputs.value).to.equal("s3cret");
    expect(parameter.secretInputs).to.deep.equal(["value"]);
    expect(parameter.dependencyNames).to.deep.equal(["a-key", "a-topic"]);
    expect(outputs).to.deep.equal({ arn: topic.id, token: "s3cret" });
    expect(mocks.find("bulkhead:index:Pair").registeredOutputs).to.deep.equal(outputs);
    expect(mocks.childrenOf("a")).to.have.length(3);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });

  it("gives a fresh record, and names resources that use the default provider", async () => {
    const mocks = await startMocks();
    new aws.sns.Topic("t", { name: "t" });
    await mocks.settle();
    expect(mocks.list()).to.deep.equal(["aws:sns/topic:Topic t"]);
    expect(mocks.withDefaultProvider()).to.deep.equal(["aws:sns/topic:Topic t"]);
    expect(() => mocks.find("aws:sqs/queue:Queue")).to.throw(
      "0 resources are aws:sqs/queue:Queue; registered: aws:sns/topic:Topic t",
    );
  });

  it("leaves computed values unknown in a preview", async () => {
    const mocks = await startMocks({ preview: true });
    const provider = new aws.Provider("east", { region: "us-east-1" });
    const pair = new Pair("a", { token: "t" }, { provider });
    await mocks.settle();
    expect(await outputState(pair.arn)).to.deep.include({ known: false });
    expect(await knownValue(pair.token)).to.equal("t");
    expect(mocks.find("aws:sns/topic:Topic").inputs.kmsMasterKeyId).to.equal(UNKNOWN);
    const read = await mocks.outputsOf(pair).catch((error: Error) => error.message);
    expect(read).to.equal("output arn is unknown");
    expect(await outputState(unknownOutput<string>())).to.deep.include({ known: false });
  });

  it("makes single outputs unknown or different on request", async () => {
    const mocks = await startMocks({
      preview: true,
      outputs: (resource) =>
        resource.type === "aws:kms/key:Key"
          ? { id: "k", state: { arn: "arn-k", keyId: UNKNOWN } }
          : undefined,
    });
    const key = new aws.kms.Key("k", {});
    await mocks.settle();
    expect(await knownValue(key.arn)).to.equal("arn-k");
    expect(await knownValue(key.id)).to.equal("k");
    expect(await outputState(key.keyId)).to.deep.include({ known: false });
  });

  it("answers calls by token and reads resources by id", async () => {
    const mocks = await startMocks({
      calls: {
        "aws:index/getCallerIdentity:getCallerIdentity": { accountId: "123456789012" },
        "aws:index/getRegion:getRegion": (call) => ({ region: call.inputs.region }),
      },
    });
    expect((await aws.getCallerIdentity({})).accountId).to.equal("123456789012");
    expect((await aws.getRegion({ region: "eu-west-1" })).region).to.equal("eu-west-1");
    const role = aws.iam.Role.get("r", "existing");
    expect(await knownValue(role.id)).to.equal("existing");
    expect(mocks.calls.map((call) => call.token)).to.deep.equal([
      "aws:index/getCallerIdentity:getCallerIdentity",
      "aws:index/getRegion:getRegion",
    ]);
  });

  it("reports a call that has no result", async () => {
    const mocks = await startMocks();
    const failure = await aws.getPartition({}).catch((error: Error) => error.message);
    expect(failure).to.contain("the program calls aws:index/getPartition:getPartition");
    const settled = await mocks.settle().catch((error: Error) => error.message);
    expect(settled).to.contain("for which the mocks have no result");
  });

  it("shows documents and assets as plain values", async () => {
    const mocks = await startMocks();
    new aws.iam.Policy("p", { policy: pulumi.jsonStringify({ Version: pulumi.output("2012-10-17") }) });
    new aws.lambda.Function("f", {
      role: "r",
      code: new pulumi.asset.AssetArchive({ "index.mjs": new pulumi.asset.StringAsset("code") }),
    });
    await mocks.settle();
    expect(jsonInput(mocks.find("aws:iam/policy:Policy"), "policy")).to.deep.equal({ Version: "2012-10-17" });
    expect(mocks.find("aws:lambda/function:Function").inputs.code).to.deep.equal({
      archive: { assets: { "index.mjs": { asset: { text: "code" } } } },
    });
  });
});
