/** What is refused, filled in and compared without an AWS. */
import { expect } from "chai";
import { AwsProvider } from "../../local/provider/core";
import { createAwsProvider } from "../../local/provider/index";
import {
  type CheckResult,
  type Props,
  SIGNATURE,
  SIGNATURE_RESOURCE,
  UNKNOWN,
} from "../../local/provider/types";
import { urnOf } from "./support";

const USER = "aws:iam/user:User";
const TOPIC = "aws:sns/topic:Topic";
const RULE = "aws:cloudwatch/eventRule:EventRule";

/** A provider whose configuration has unknowns: it checks and previews, and calls nothing. */
async function offline(config: Props = {}): Promise<AwsProvider> {
  const provider = new AwsProvider({ env: {} });
  await provider.configure({ region: "us-west-2", accessKey: UNKNOWN, secretKey: UNKNOWN, ...config });
  return provider;
}

async function check(type: string, news: Props, olds: Props = {}, config: Props = {}): Promise<CheckResult> {
  return (await offline(config)).check(urnOf(type, "thing"), olds, news);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

describe("checking inputs", () => {
  it("refuses a type that is not implemented, by name", async () => {
    expect(await messageOf(check("aws:redshift/cluster:Cluster", {}))).to.match(
      /^stand-in aws provider: resource type aws:redshift\/cluster:Cluster is not implemented; /,
    );
  });

  it("refuses an input that is not implemented, by name, with what to do instead", async () => {
    const { failures } = await check("aws:iam/role:Role", { assumeRolePolicy: "{}", inlinePolicies: [] });
    expect(failures).to.deep.equal([
      {
        property: "inlinePolicies",
        reason:
          'stand-in aws provider: aws:iam/role:Role does not implement input "inlinePolicies"; use aws.iam.RolePolicy',
      },
    ]);
    expect((await check(USER, { nonsense: 1 })).failures[0]!.reason).to.contain(
      'does not implement input "nonsense"',
    );
  });

  it("refuses inputs of nested objects by their path", async () => {
    const { failures } = await check("aws:cloudformation/stackSetInstance:StackSetInstance", {
      stackSetName: "s",
      deploymentTargets: { accountsUrl: "https://example.com" },
    });
    expect(failures[0]!.reason).to.contain('"deploymentTargets.accountsUrl"; list the accounts');
  });

  it("refuses a region for a type that has none", async () => {
    expect((await check(USER, { region: "us-east-1" })).failures[0]!.property).to.equal("region");
  });

  it("names what is missing and what is of the wrong kind", async () => {
    expect((await check("aws:iam/policy:Policy", {})).failures).to.deep.equal([
      { property: "policy", reason: "is missing: it is required" },
    ]);
    expect((await check("aws:iam/policy:Policy", { policy: "{" })).failures[0]!.reason).to.match(
      /^is not a JSON document/,
    );
    expect((await check(RULE, { eventPattern: "{}", state: "ON" })).failures[0]!.reason).to.match(
      /^is "ON": must be one of ENABLED/,
    );
    expect((await check(RULE, {})).failures[0]!.reason).to.contain("eventPattern or scheduleExpression");
    expect((await check("aws:sqs/queue:Queue", { delaySeconds: "soon" })).failures[0]!.reason).to.equal(
      "must be a number",
    );
  });

  it("fills in defaults, the provider's region and default tags under the resource's own", async () => {
    const config = { defaultTags: '{"tags": {"project": "bulkhead", "cell": "dr"}}' };
    const { inputs } = await check(TOPIC, { name: "t", tags: { cell: "prod" } }, {}, config);
    expect(inputs).to.deep.equal({
      name: "t",
      contentBasedDeduplication: false,
      fifoTopic: false,
      tags: { project: "bulkhead", cell: "prod" },
      region: "us-west-2",
    });
  });

  it("takes empty tags for none, and refuses what are no tags", async () => {
    expect((await check(TOPIC, { name: "t", tags: {} })).inputs).to.not.have.property("tags");
    expect((await check(TOPIC, { tags: "a" })).failures[0]).to.deep.equal({
      property: "tags",
      reason: "must be a map of strings",
    });
  });

  it("turns values into the declared kinds", async () => {
    const role = { [SIGNATURE]: SIGNATURE_RESOURCE, urn: "urn", id: "role-id" };
    const { inputs } = await check("aws:iam/rolePolicy:RolePolicy", {
      name: "p",
      role,
      policy: { Statement: [] },
    });
    expect(inputs).to.deep.equal({ name: "p", role: "role-id", policy: '{"Statement":[]}' });
    const numbers = await check("aws:sqs/queue:Queue", {
      name: "q",
      delaySeconds: "5",
      fifoQueue: "false",
      tags: { n: 1 },
    });
    expect(numbers.inputs).to.include({ delaySeconds: 5, fifoQueue: false });
    expect(numbers.inputs.tags).to.deep.equal({ n: "1" });
  });

  it("leaves unknown values unknown, and a document with one inside is unknown", async () => {
    const { inputs, failures } = await check("aws:iam/policy:Policy", {
      name: "p",
      policy: { Statement: [{ Resource: UNKNOWN }] },
      description: UNKNOWN,
    });
    expect(failures).to.deep.equal([]);
    expect(inputs).to.include({ policy: UNKNOWN, description: UNKNOWN });
  });

  it("makes up names that stay, unless the resource is replaced", async () => {
    const first = (await check(TOPIC, {})).inputs.name;
    expect(first).to.match(/^thing-[0-9a-f]{7}$/);
    expect((await check(TOPIC, {}, { name: first })).inputs.name).to.equal(first);
    expect((await check(TOPIC, {})).inputs.name).to.not.equal(first);
    expect((await check(TOPIC, {}, { name: "explicit" })).inputs.name).to.match(/^thing-[0-9a-f]{7}$/);
    expect((await check(TOPIC, { namePrefix: "alerts-" })).inputs.name).to.match(/^alerts-[0-9a-f]{7}$/);
    expect((await check(TOPIC, { fifoTopic: true })).inputs.name).to.match(/^thing-[0-9a-f]{7}\.fifo$/);
    const provider = await offline();
    const seed = new Uint8Array([1, 2, 3]);
    const seeded = async () => (await provider.check(urnOf(TOPIC, "thing"), {}, {}, seed)).inputs.name;
    expect(await seeded()).to.equal(await seeded());
  });

  it("checks only what is known", async () => {
    const fn = "aws:lambda/function:Function";
    const { failures } = await check(fn, {
      role: UNKNOWN,
      handler: "h",
      runtime: "nodejs24.x",
      code: UNKNOWN,
    });
    expect(failures).to.deep.equal([]);
  });
});

describe("comparing inputs", () => {
  async function diff(type: string, olds: Props, news: Props) {
    return (await offline()).diff(urnOf(type, "thing"), "id", olds, olds, news);
  }

  it("finds no difference in notation", async () => {
    const policy = (Action: unknown) =>
      JSON.stringify({ Statement: [{ Effect: "Allow", Action, Resource: "*" }] });
    const base = { name: "p", path: "/" };
    const result = await diff(
      "aws:iam/policy:Policy",
      { ...base, policy: policy("a:B") },
      { ...base, policy: policy(["a:B"]) },
    );
    expect(result.changed).to.deep.equal([]);
  });

  it("does not count what AWS decides when it is not given", async () => {
    const base = { name: "q", region: "us-west-2" };
    expect(
      (await diff("aws:sqs/queue:Queue", { ...base, maxMessageSize: 1024 }, base)).changed,
    ).to.deep.equal([]);
  });

  it("replaces first when the new one has the same name, and after when it has another", async () => {
    const base = { name: "p", path: "/", policy: "{}" };
    expect(await diff("aws:iam/policy:Policy", base, { ...base, path: "/x/" })).to.deep.equal({
      changed: ["path"],
      replaces: ["path"],
      deleteBeforeReplace: true,
    });
    expect(await diff("aws:iam/policy:Policy", base, { ...base, name: "q" })).to.deep.equal({
      changed: ["name"],
      replaces: ["name"],
      deleteBeforeReplace: false,
    });
  });

  it("replaces a resource whose region changes, with the new one first", async () => {
    const base = { name: "t", region: "us-east-1" };
    expect(await diff(TOPIC, base, { ...base, region: "us-west-2" })).to.deep.equal({
      changed: ["region"],
      replaces: ["region"],
      deleteBeforeReplace: false,
    });
  });

  it("keeps in a preview what an update does not touch", async () => {
    const provider = await offline();
    const olds = {
      name: "n",
      type: "String",
      value: "a",
      arn: "arn",
      version: 1,
      region: "us-west-2",
      tagsAll: {},
    };
    const news = { name: "n", type: "String", value: "b", region: "us-west-2" };
    const parameter = "aws:ssm/parameter:Parameter";
    expect(await provider.update(urnOf(parameter, "thing"), "n", olds, news, true)).to.deep.equal({
      ...news,
      arn: "arn",
      version: UNKNOWN,
      tagsAll: {},
    });
  });
});

describe("the provider's own arguments", () => {
  const provider = createAwsProvider({ env: {} });
  const reasons = async (news: Props) => (await provider.checkConfig(news)).failures.map((one) => one.reason);

  it("takes what it implements, as JSON text where it is not text", async () => {
    const news = {
      region: "us-west-2",
      version: "7.48.0",
      endpoints: '[{"sts":"https://sts.us-west-2.amazonaws.com"}]',
      assumeRoles: '[{"roleArn":"arn:aws:iam::111111111111:role/deployer","duration":"30m"}]',
      defaultTags: '{"tags":{"a":"b"}}',
      allowedAccountIds: '["222222222222"]',
      skipCredentialsValidation: "false",
      maxRetries: "1",
    };
    expect(await provider.checkConfig(news)).to.deep.equal({ inputs: news, failures: [] });
  });

  it("refuses by name what it does not implement", async () => {
    expect(await reasons({ profile: "default" })).to.deep.equal([
      'stand-in aws provider: the provider\'s argument "profile" is not implemented; give accessKey and secretKey, ' +
        "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ]);
    expect((await reasons({ ignoreTags: '{"keys":["a"]}' }))[0]).to.contain(
      '"ignoreTags" is not implemented',
    );
    expect((await reasons({ endpoints: '[{"redshift":"https://redshift.example"}]' }))[0]).to.contain(
      'service "redshift" is not implemented',
    );
  });

  it("refuses what cannot be right", async () => {
    expect((await reasons({ region: "nowhere" }))[0]).to.contain('"nowhere" is not the name of a region');
    expect((await reasons({ accessKey: "a" }))[0]).to.contain("accessKey and secretKey together");
    expect((await reasons({ endpoints: '[{"sts":"sts.local"}]' }))[0]).to.contain('"sts.local" is not a URL');
    expect((await reasons({ maxRetries: "many" }))[0]).to.equal("must be a number");
  });

  it("talks to nothing but an AWS on this machine", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    const configure = (env: NodeJS.ProcessEnv) =>
      messageOf(createAwsProvider({ env }).configure({ region: "us-east-1" }));
    expect(await configure(keys)).to.contain(
      "it only talks to a local AWS, and AWS_ENDPOINT_URL does not name one",
    );
    expect(await configure({ ...keys, AWS_ENDPOINT_URL: "https://iam.amazonaws.com" })).to.contain(
      "which is not on this machine",
    );
    expect(await configure({ AWS_ENDPOINT_URL: "http://127.0.0.1:1" })).to.contain("no credentials");
  });

  it("says so when it is used before it is configured, or with unknown configuration", async () => {
    expect(await messageOf(provider.read(urnOf(USER, "u"), "u", {}, {}))).to.contain("not configured");
    expect(await messageOf((await offline()).invoke("aws:index/getRegion:getRegion", {}))).to.contain(
      "not known yet",
    );
  });

  it("knows which outputs are secret", () => {
    expect(provider.secretOutputs("aws:iam/userLoginProfile:UserLoginProfile")).to.deep.equal(["password"]);
    expect(provider.secretOutputs("aws:ssm/parameter:Parameter")).to.deep.equal(["value"]);
    expect(provider.secretOutputs(USER)).to.deep.equal([]);
  });
});
