/** What the stand-in does beyond single resources' lives, at a local AWS. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import * as openpgp from "openpgp";
import type { LocalAws } from "../../local/aws/launch";
import { AwsContext } from "../../local/provider/context";
import { AwsProvider } from "../../local/provider/core";
import { IncompleteResourceError, type Props } from "../../local/provider/types";
import { ACCOUNT, Deployment, environment, providerAt, REGION, startAws, urnOf } from "./support";

const USER = "aws:iam/user:User";
const POLICY = "aws:iam/policy:Policy";
const PROFILE = "aws:iam/userLoginProfile:UserLoginProfile";
const TOPIC = "aws:sns/topic:Topic";
const timeouts = { connectMs: 500, requestMs: 400 };

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

/** A server that sees what the provider sends: it answers from the local AWS, or not at all. */
class Listener {
  readonly hosts: string[] = [];
  url = "";
  mute = false;
  readonly #server: http.Server;

  constructor(target: () => string) {
    this.#server = http.createServer((request, response) => {
      this.hosts.push(String(request.headers["x-bulkhead-endpoint"]));
      if (this.mute) return;
      const { hostname, port } = new URL(target());
      const options = { hostname, port, path: request.url, method: request.method, headers: request.headers };
      const onward = http.request(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("the stand-in provider at a local AWS", () => {
  let local: LocalAws;
  let provider: AwsProvider;
  let deployment: Deployment;
  let aws: AwsContext;
  const listener = new Listener(() => local.url);

  before(async () => {
    local = await startAws();
    await listener.start();
  });
  after(async () => {
    await listener.stop();
    await local.stop();
  });
  beforeEach(async () => {
    provider = await providerAt(local.url);
    deployment = new Deployment(provider);
    aws = new AwsContext({ region: REGION }, environment(local.url), { connectMs: 1_000, requestMs: 5_000 });
  });
  afterEach(async () => {
    await deployment.clean();
    provider.close();
    aws.close();
  });

  describe("login profiles", () => {
    async function keyPair() {
      const { privateKey, publicKey } = await openpgp.generateKey({
        type: "ecc",
        userIDs: [{ name: "Emergency" }],
        format: "object",
      });
      return { privateKey, publicKey, pgpKey: Buffer.from(publicKey.write()).toString("base64") };
    }

    async function decrypt(privateKey: openpgp.PrivateKey, encrypted: string): Promise<string> {
      const message = await openpgp.readMessage({
        binaryMessage: new Uint8Array(Buffer.from(encrypted, "base64")),
      });
      return String((await openpgp.decrypt({ message, decryptionKeys: privateKey })).data);
    }

    it("gives the password to the key's owner and to nobody else", async () => {
      const { privateKey, publicKey, pgpKey } = await keyPair();
      const user = await deployment.make(USER, "emergency", {});
      const inputs = { user: user.id, pgpKey, passwordLength: 40, passwordResetRequired: false };
      const profile = await deployment.make(PROFILE, "emergency", inputs);
      const password = await decrypt(privateKey, profile.outputs.encryptedPassword);
      expect(password).to.have.length(40);
      for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) expect(password).to.match(kind);
      expect(profile.outputs.keyFingerprint).to.equal(publicKey.getFingerprint());
      expect(profile.outputs).to.not.have.property("password");
      expect(JSON.stringify(profile)).to.not.contain(password);
      const again = await provider.read(profile.urn, profile.id, profile.inputs, profile.outputs);
      expect(again!.outputs.encryptedPassword).to.equal(profile.outputs.encryptedPassword);
    });

    it("makes a new password when a killed run has lost it", async () => {
      const { privateKey, pgpKey } = await keyPair();
      const user = await deployment.make(USER, "lost", {});
      const inputs = await deployment.check(PROFILE, "lost", { user: user.id, pgpKey });
      const urn = urnOf(PROFILE, "lost");
      const first = await provider.create(urn, inputs, false);
      const found = await provider.findExisting(urn, inputs);
      expect(found!.id).to.equal(user.id);
      const diff = await provider.diff(urn, found!.id, found!.inputs, found!.outputs, inputs);
      expect(diff).to.deep.equal({ changed: ["pgpKey"], replaces: [], deleteBeforeReplace: false });
      const outputs = await provider.update(urn, found!.id, found!.outputs, inputs, false);
      const password = await decrypt(privateKey, outputs.encryptedPassword);
      expect(password).to.not.equal(await decrypt(privateKey, first.outputs.encryptedPassword));
      expect((await provider.diff(urn, found!.id, inputs, outputs, inputs)).changed).to.deep.equal([]);
      await provider.delete(urn, user.id, inputs, outputs);
    });

    it("refuses a key that is none", async () => {
      const user = await deployment.make(USER, "badkey", {});
      const made = deployment.make(PROFILE, "badkey", { user: user.id, pgpKey: "bm90IGEga2V5" });
      expect(await messageOf(made)).to.contain("pgpKey is not an OpenPGP public key in base64");
    });
  });

  it("keeps five versions of a policy and drops the oldest", async () => {
    const document = (n: number) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: `a:B${n}`, Resource: "*" }],
      });
    let { outputs, inputs, id, urn } = await deployment.make(POLICY, "versions", { policy: document(0) });
    for (let n = 1; n <= 7; n++) {
      inputs = { ...inputs, policy: document(n) };
      outputs = await provider.update(urn, id, outputs, inputs, false);
    }
    const { Versions } = await (await aws.client("iam")).listPolicyVersions({ PolicyArn: id });
    expect(Versions!.map((version) => version.VersionId)).to.have.members(["v4", "v5", "v6", "v7", "v8"]);
    expect(outputs.policy).to.equal(document(7));
  });

  describe("what exists already", () => {
    const tags = { project: "bulkhead", cell: "dr" };

    it("is taken over when it is all as wanted, tags included", async () => {
      const news = { name: "orphan", path: "/break-glass/", tags };
      const inputs = await deployment.check(USER, "orphan", news);
      await provider.create(urnOf(USER, "orphan"), inputs, false);
      // Another process, after a kill before the state was written.
      const later = new Deployment(await providerAt(local.url));
      const { id, outputs } = await later.make(USER, "orphan", news);
      expect(id).to.equal("orphan");
      expect(outputs.arn).to.be.a("string");
      await later.clean();
    });

    it("is not taken over otherwise", async () => {
      const iam = await aws.client("iam");
      const create = async (news: Props) =>
        messageOf(deployment.make(USER, "taken", { name: "taken", ...news }));
      await iam.createUser({ UserName: "taken" });
      expect(await create({})).to.contain("nothing shows that an earlier run made it");
      expect(await create({ tags })).to.contain(
        '"taken" exists already and is not taken over, since it differs in tags',
      );
      await iam.deleteUser({ UserName: "taken" });
      await deployment.make(USER, "first", { name: "taken", tags });
      expect(await create({ tags })).to.contain("another resource of the program has it");
    });

    it("is found after an interrupted run, and nothing is found where nothing is", async () => {
      const news = { name: "found", path: "/", tags };
      const inputs = await deployment.check(USER, "found", news);
      expect(await provider.findExisting(urnOf(USER, "found"), inputs)).to.equal(undefined);
      const made = await deployment.make(USER, "found", news);
      const found = await provider.findExisting(made.urn, inputs);
      expect(found).to.deep.equal({ id: made.id, inputs: made.inputs, outputs: made.outputs });
    });
  });

  it("tells what exists when a later step of a creation fails", async () => {
    const news = { name: "/bulkhead/half", retentionInDays: 31 };
    const group = "aws:cloudwatch/logGroup:LogGroup";
    const inputs = await deployment.check(group, "half", news);
    const urn = urnOf(group, "half");
    const error = await provider.create(urn, inputs, false).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(IncompleteResourceError);
    expect(error).to.include({ id: "/bulkhead/half" });
    expect(error.outputs.arn).to.be.a("string");
    await provider.delete(urn, error.id, error.inputs, error.outputs);
  });

  it("imports a resource by its id", async () => {
    await (await aws.client("iam")).createUser({
      UserName: "imported",
      Path: "/x/",
      Tags: [{ Key: "a", Value: "b" }],
    });
    const live = await provider.read(urnOf(USER, "imported"), "imported", {}, {});
    expect(live!.inputs).to.include({ name: "imported", path: "/x/" });
    expect(live!.inputs.tags).to.deep.equal({ a: "b" });
    await provider.delete(urnOf(USER, "imported"), "imported", live!.inputs, live!.outputs);
  });

  it("takes everything from a user that is to be destroyed by force", async () => {
    const user = await deployment.make(USER, "forced", { forceDestroy: true });
    const iam = await aws.client("iam");
    await iam.createAccessKey({ UserName: user.id });
    await iam.createLoginProfile({ UserName: user.id, Password: "Correct-horse-1" });
    const Statement = [{ Effect: "Allow", Action: "a:B", Resource: "*" }];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.putUserPolicy({ UserName: user.id, PolicyName: "inline", PolicyDocument });
    await provider.delete(user.urn, user.id, user.inputs, user.outputs);
    expect(await provider.read(user.urn, user.id, user.inputs, user.outputs)).to.equal(undefined);
  });

  describe("regions and endpoints", () => {
    const through = async (config: Props): Promise<AwsProvider> => {
      const one = new AwsProvider({ env: environment(listener.url), timeouts });
      await one.configure({ region: REGION, maxRetries: "1", ...config });
      return one;
    };
    beforeEach(() => {
      listener.hosts.length = 0;
      listener.mute = false;
    });

    it("name the host that the genuine provider would have called", async () => {
      const one = await through({});
      await one.read(urnOf(USER, "u"), "nobody", {}, {});
      await one.read(
        urnOf(TOPIC, "t"),
        `arn:aws:sns:eu-central-1:${ACCOUNT}:t`,
        {},
        { region: "eu-central-1" },
      );
      one.close();
      expect(listener.hosts).to.deep.equal([
        "sts.us-west-2.amazonaws.com",
        "iam.amazonaws.com",
        "sns.eu-central-1.amazonaws.com",
      ]);
    });

    it("follow the provider's arguments", async () => {
      const configured = await through({ endpoints: '[{"sts":"https://sts-fips.us-west-2.amazonaws.com"}]' });
      const fips = await through({ useFipsEndpoint: "true" });
      const other = await through({ stsRegion: "us-east-1" });
      const china = await through({ region: "cn-north-1", useDualstackEndpoint: "true" });
      for (const one of [configured, fips, other, china]) one.close();
      expect(listener.hosts).to.deep.equal([
        "sts-fips.us-west-2.amazonaws.com",
        "sts-fips.us-west-2.amazonaws.com",
        "sts.us-east-1.amazonaws.com",
        "sts.cn-north-1.api.amazonwebservices.com.cn",
      ]);
    });

    it("are resources' own where they say so", async () => {
      const topic = await deployment.make(TOPIC, "east", { region: "us-east-1" });
      expect(topic.outputs.arn).to.contain(":us-east-1:");
      const sns = await aws.client("sns", "us-east-1");
      expect((await sns.getTopicAttributes({ TopicArn: topic.id })).Attributes!.TopicArn).to.equal(topic.id);
    });

    it("that hang are given up with a clear message", async () => {
      listener.mute = true;
      expect(await messageOf(through({}))).to.match(
        /^stand-in aws provider: sts in us-west-2 \(sts\.us-west-2\.amazonaws\.com\) did not answer GetCallerIdentity in 2 attempts .*is the region down\?$/,
      );
      expect(listener.hosts).to.have.length(2);
    });

    it("that refuse are told from those that answer with an error", async () => {
      const closed = new AwsProvider({ env: environment("http://127.0.0.1:9"), timeouts });
      expect(await messageOf(closed.configure({ region: REGION, maxRetries: "0" }))).to.contain(
        "did not answer",
      );
    });
  });

  describe("credentials", () => {
    it("of another account than the allowed ones stop everything", async () => {
      const configure = (config: Props) =>
        messageOf(new AwsProvider({ env: environment(local.url) }).configure({ region: REGION, ...config }));
      expect(await configure({ allowedAccountIds: '["333333333333"]' })).to.contain(
        `the credentials are of account ${ACCOUNT}, allowedAccountIds: 333333333333`,
      );
      expect(await configure({ forbiddenAccountIds: `["${ACCOUNT}"]` })).to.contain(
        "which forbiddenAccountIds names",
      );
    });

    it("come from roles that are assumed one after the other", async () => {
      const trust = (AWS: string) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS }, Action: "sts:AssumeRole" }],
        });
      const own = await deployment.make("aws:iam/role:Role", "own", { assumeRolePolicy: trust(ACCOUNT) });
      const statement = { Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" };
      await deployment.make("aws:iam/rolePolicy:RolePolicy", "own", {
        role: own.id,
        policy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
      });
      const far = new Deployment(await providerAt(local.url, {}, "333333333333"));
      const other = await far.make("aws:iam/role:Role", "other", { assumeRolePolicy: trust(ACCOUNT) });
      const assumeRoles = [
        { roleArn: own.outputs.arn, sessionName: "first" },
        { roleArn: other.outputs.arn, sessionName: "second", duration: "15m" },
      ];
      const assumed = await providerAt(local.url, { assumeRoles: JSON.stringify(assumeRoles) });
      const identity = await assumed.invoke("aws:index/getCallerIdentity:getCallerIdentity", {});
      expect(identity.accountId).to.equal("333333333333");
      expect(identity.arn).to.match(/assumed-role\/other-[0-9a-f]{7}\/second$/);
      assumed.close();
      await far.clean();
    });
  });

  describe("functions", () => {
    it("tell region, partition and identity", async () => {
      expect(await provider.invoke("aws:index/getRegion:getRegion", {})).to.include({
        region: REGION,
        id: REGION,
        endpoint: `ec2.${REGION}.amazonaws.com`,
      });
      expect(await provider.invoke("aws:index/getPartition:getPartition", {})).to.deep.equal({
        id: "aws",
        partition: "aws",
        dnsSuffix: "amazonaws.com",
        reverseDnsPrefix: "com.amazonaws",
      });
      const identity = await provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {});
      expect(identity).to.include({ accountId: ACCOUNT, id: ACCOUNT });
    });

    it("find networks", async () => {
      const vpc = await provider.invoke("aws:ec2/getVpc:getVpc", { default: true });
      expect(vpc).to.include({ default: true, region: REGION });
      expect(await provider.invoke("aws:ec2/getVpc:getVpc", { id: vpc.id })).to.deep.equal(vpc);
      const filters = [{ name: "vpc-id", values: [vpc.id] }];
      const { ids } = await provider.invoke("aws:ec2/getSubnets:getSubnets", { filters });
      expect(ids).to.not.have.length(0);
      const subnet = await provider.invoke("aws:ec2/getSubnet:getSubnet", { id: ids[0] });
      expect(subnet).to.include({ id: ids[0], vpcId: vpc.id });
    });

    it("are refused by name, and so are their arguments", async () => {
      expect(await messageOf(provider.invoke("aws:s3/getBucket:getBucket", {}))).to.contain(
        "function aws:s3/getBucket:getBucket is not implemented",
      );
      expect(await messageOf(provider.invoke("aws:index/getPartition:getPartition", { a: 1 }))).to.contain(
        'argument "a" is not implemented',
      );
    });
  });
});
