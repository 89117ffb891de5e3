import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { ActivationRecord } from "../../components/activation/activationRecord";
import { KeyRotator } from "../../components/keyRotator/keyRotator";
import { keyRotatorRoleRequests } from "../../components/keyRotator/requests";
import { planRole } from "../../components/memberAccess/plan";
import type { LocalAws } from "../../local/aws/launch";
import { ensureBuilt } from "../support/builtFunctions";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";
import { deployRegistered } from "./deployed";
import { EAST, iamClient, launch, rootOf, SECURITY, settings, WEST, waitFor } from "./support";

const MEMBER = "333333333333";
const EXTERNAL_ID = "bulkhead-4f1c";
const PROD = { name: "prod", region: EAST };
const DR = { name: "dr", region: WEST };
const access = { cell: { ...PROD, accountId: SECURITY }, peer: DR, mode: "enforce", externalId: EXTERNAL_ID };

/** Registers both cells' rotators with Pulumi's mocks, to learn what they consist of. */
async function program(keyArns: Record<string, string>): Promise<PulumiMocks> {
  const mocks = await startMocks();
  for (const [own, peer] of [
    [PROD, DR],
    [DR, PROD],
  ] as const) {
    const provider = new aws.Provider(own.name, { region: own.region });
    const cell = { ...own, accountId: SECURITY };
    const kmsKeyArn = keyArns[own.region]!;
    const initiallyActive = own === PROD;
    await mocks.outputsOf(
      new ActivationRecord(`${own.name}-record`, { cell, peer, kmsKeyArn, initiallyActive }, { provider }),
    );
    await mocks.outputsOf(
      new KeyRotator(
        own.name,
        {
          cell,
          peer,
          kmsKeyArn,
          alertTopicArn: `arn:aws:sns:${own.region}:${SECURITY}:alerts`,
          mode: "enforce",
          externalId: EXTERNAL_ID,
          accountIds: [MEMBER],
          secretsRegion: EAST,
        },
        { provider },
      ),
    );
  }
  await mocks.settle();
  return mocks;
}

describe("a run of the key rotator on the local AWS, with its own roles and functions", () => {
  let local: LocalAws;
  before(async function () {
    this.timeout(180_000);
    ensureBuilt("keyRotation-inventory", "keyRotation-account", "keyRotation-summary");
    local = await launch();
    const keyArns: Record<string, string> = {};
    for (const region of [EAST, WEST]) {
      const kms = new KMSClient(settings(local, rootOf(SECURITY), region));
      keyArns[region] = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
    }
    await deployRegistered(local.url, await program(keyArns));
    const role = planRole(keyRotatorRoleRequests(access)[0]!, "bulkhead");
    const inMember = (document: object) =>
      JSON.stringify(document).replaceAll("${AWS::Partition}", "aws").replaceAll("${AWS::AccountId}", MEMBER);
    const iam = iamClient(local, rootOf(MEMBER));
    const { name: RoleName, path: Path, trust, policy } = role;
    const AssumeRolePolicyDocument = inMember(trust);
    await iam.send(new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument }));
    const PolicyDocument = inMember(policy);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "access", PolicyDocument }));
  });
  after(() => local?.stop());

  /** A user with a key of that age. */
  async function userWithKey(UserName: string, days: number, Path = "/"): Promise<string> {
    const iam = iamClient(local, rootOf(MEMBER));
    await iam.send(new CreateUserCommand({ UserName, Path }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const createDate = `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 19)}Z`;
    const keys = [{ accessKeyId: AccessKey!.AccessKeyId, createDate }];
    await fetch(`${local.url}/_bulkhead/iam/history`, { method: "PUT", body: JSON.stringify({ keys }) });
    return AccessKey!.AccessKeyId!;
  }

  async function run(region: string): Promise<{ status: string | undefined; state: string }> {
    const sfn = new SFNClient(settings(local, rootOf(SECURITY), region));
    const stateMachineArn = `arn:aws:states:${region}:${SECURITY}:stateMachine:bulkhead-key-rotator`;
    const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: "{}" }));
    const ended = await waitFor(async () => {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === "RUNNING" ? undefined : execution;
    }, 60_000);
    expect(ended.status, `${ended.error} ${ended.cause}`).to.equal("SUCCEEDED");
    return { status: ended.status, state: JSON.parse(ended.output!).inventory.state };
  }

  const keysOf = async (UserName: string) => {
    const { AccessKeyMetadata } = await iamClient(local, rootOf(MEMBER)).send(
      new ListAccessKeysCommand({ UserName }),
    );
    return AccessKeyMetadata!.map(({ AccessKeyId }) => AccessKeyId!);
  };

  it("gives an old key a successor that is stored in both regions, and leaves the others alone", async () => {
    const old = await userWithKey("deployer", 95);
    const young = await userWithKey("newcomer", 20);
    const emergency = await userWithKey("someone", 400, "/break-glass/");
    expect((await run(EAST)).state).to.equal("run");

    const keys = await keysOf("deployer");
    expect(keys).to.have.length(2).and.to.include(old);
    const fresh = keys.find((id) => id !== old);
    for (const region of [EAST, WEST]) {
      const secrets = new SecretsManagerClient(settings(local, rootOf(SECURITY), region));
      const SecretId = `/bulkhead/keys/${MEMBER}/deployer`;
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      expect(JSON.parse(SecretString!).accessKeyId, region).to.equal(fresh);
    }
    expect(await keysOf("newcomer")).to.deep.equal([young]);
    expect(await keysOf("someone")).to.deep.equal([emergency]);

    const s3 = new S3Client({ ...settings(local, rootOf(SECURITY), EAST), forcePathStyle: true });
    const { Body } = await s3.send(
      new GetObjectCommand({
        Bucket: `bulkhead-keys-prod-${SECURITY}-${EAST}`,
        Key: "key-rotation/reports/latest.json",
      }),
    );
    const latest = JSON.parse(await Body!.transformToString());
    expect(latest).to.deep.include({ state: "run", mode: "enforce", users: 3 });
    expect(latest.failures.total).to.equal(0);
  }).timeout(120_000);

  it("does nothing where it stands by, and nothing twice", async () => {
    const before = await keysOf("deployer");
    expect((await run(WEST)).state).to.equal("standby");
    expect((await run(EAST)).state).to.equal("run");
    expect(await keysOf("deployer")).to.deep.equal(before);
  }).timeout(120_000);
});
