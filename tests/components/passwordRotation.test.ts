import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import { expect } from "chai";
import {
  EmergencyPasswordRotation,
  type EmergencyPasswordRotationArgs,
} from "../../components/breakGlassAccount/passwordRotation";
import { readRotationSettings } from "../../functions/breakGlass/rotation/settings";
import { ensureBuilt } from "../support/builtFunctions";
import { startMocks } from "../support/pulumiMocks";

// The first byte is that of a public-key packet; nothing more is looked at before the function reads it.
const key = (length = 300) =>
  Buffer.concat([Buffer.from([0x98]), Buffer.alloc(length, 1)]).toString("base64");
const args: EmergencyPasswordRotationArgs = {
  cell: { name: "west", region: "cn-northwest-1", accountId: "222222222222", namePrefix: "acme" },
  peer: { name: "north", region: "cn-north-1" },
  users: [
    { userName: "breakglass-admin-1", custodian: "alice@example.com", pgpPublicKey: key() },
    { userName: "break=glass@2", custodian: "bob@example.com", pgpPublicKey: key(4_000) },
  ],
  alertTopicArn: "arn:aws-cn:sns:cn-northwest-1:222222222222:alerts",
  kmsKeyArn: "arn:aws-cn:kms:cn-northwest-1:222222222222:key/k",
};

describe("EmergencyPasswordRotation", function () {
  this.timeout(120_000);
  before(() => ensureBuilt("breakGlass-rotation"));

  async function deploy(overrides: Partial<EmergencyPasswordRotationArgs> = {}) {
    const mocks = await startMocks();
    const provider = new aws.Provider("west", { region: args.cell.region });
    const outputs = await mocks.outputsOf(
      new EmergencyPasswordRotation("r", { ...args, ...overrides }, { provider }),
    );
    await mocks.settle();
    return { mocks, outputs };
  }

  it("creates the function, its hourly schedule and the custodians' keys, all with the cell's provider", async () => {
    const { mocks, outputs } = await deploy();
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    expect(outputs).to.deep.equal({
      functionArn: "arn:aws-cn:lambda:cn-northwest-1:222222222222:function:acme-breakglass-rotation",
      roleArn: "arn:aws-cn:iam::222222222222:role/acme/acme-breakglass-rotation-west",
    });
    const schedule = mocks.find("aws:cloudwatch/eventRule:EventRule").inputs;
    expect(schedule).to.include({ name: "acme-breakglass-rotation", scheduleExpression: "rate(1 hour)" });
    expect(mocks.find("aws:cloudwatch/eventTarget:EventTarget").dependencyNames).to.include(
      "r-schedule-permission",
    );
    const parameters = ["r-breakglass-admin-1-key", "r-break=glass@2-key"].map(
      (name) => mocks.find("aws:ssm/parameter:Parameter", name).inputs,
    );
    expect(parameters.map(({ name, type, tier }) => [name, type, tier])).to.deep.equal([
      ["/acme/break-glass/breakglass-admin-1/pgp-public-key", "String", "Standard"],
      ["/acme/break-glass/break_x3dglass_x402/pgp-public-key", "String", "Advanced"],
    ]);
  });

  it("gives the function an environment that it understands", async () => {
    const { mocks } = await deploy({ passwordLength: 64, maximumUseHours: 4 });
    const { variables } = mocks.find("aws:lambda/function:Function").inputs.environment;
    const settings = readRotationSettings({ ...variables, AWS_REGION: "cn-northwest-1" });
    expect(settings).to.deep.include({
      cell: "west",
      peerCell: "north",
      peerRegion: "cn-north-1",
      activationTable: "acme-activation-west",
      peerActivationTable: "acme-activation-north",
      evidenceTable: "acme-breakglass-records-west",
      peerEvidenceTable: "acme-breakglass-records-north",
      iamRegion: "cn-north-1",
      topicArn: args.alertTopicArn,
      passwordLength: 64,
      maximumUseHours: 4,
    });
    expect(settings.users[0]).to.deep.equal({
      userName: "breakglass-admin-1",
      custodian: "alice@example.com",
      keyParameter: "/acme/break-glass/breakglass-admin-1/pgp-public-key",
      keySha256: createHash("sha256").update(key()).digest("hex"),
    });
  });

  it("may do nothing to IAM but read and set the passwords of exactly these users", async () => {
    const { mocks } = await deploy();
    const policy = JSON.parse(mocks.find("aws:iam/rolePolicy:RolePolicy").inputs.policy);
    const statements = policy.Statement as { Sid?: string; Action: string | string[]; Resource: unknown }[];
    const of = (service: string) =>
      statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith(`${service}:`)));
    expect(of("iam")).to.deep.equal([
      {
        Sid: "SetEmergencyPasswords",
        Effect: "Allow",
        Action: ["iam:GetLoginProfile", "iam:UpdateLoginProfile"],
        Resource: [
          "arn:aws-cn:iam::222222222222:user/break-glass/breakglass-admin-1",
          "arn:aws-cn:iam::222222222222:user/break-glass/break=glass@2",
        ],
      },
    ]);
    for (const service of ["sts", "lambda", "secretsmanager", "organizations"]) {
      expect(of(service)).to.deep.equal([]);
    }
    expect(of("sns").map(({ Resource }) => Resource)).to.deep.equal([args.alertTopicArn]);
    expect(of("ssm").flatMap(({ Action }) => Action)).to.deep.equal(["ssm:GetParameter"]);
    const dynamo = of("dynamodb").flatMap(({ Action }) => Action);
    expect(new Set(dynamo)).to.deep.equal(
      new Set(["dynamodb:Query", "dynamodb:PutItem", "dynamodb:GetItem"]),
    );
    // Only X-Ray has no resources to name.
    const everywhere = statements.filter(({ Resource }) => [Resource].flat().includes("*"));
    expect(everywhere.map(({ Sid }) => Sid)).to.deep.equal(["Traces"]);
  });

  for (const [what, overrides, message] of [
    ["one user", { users: args.users.slice(0, 1) }, "1 emergency user(s) given"],
    ["a short password", { passwordLength: 31 }, "passwordLength is 31"],
    ["an endless use", { maximumUseHours: 48 }, "maximumUseHours is 48"],
    [
      "a private key",
      {
        users: [args.users[0]!, { ...args.users[1]!, pgpPublicKey: "-----BEGIN PGP PRIVATE KEY BLOCK-----" }],
      },
      "is a private key",
    ],
    [
      "a key that no parameter takes",
      { users: [args.users[0]!, { ...args.users[1]!, pgpPublicKey: key(7_000) }] },
      "export-minimal",
    ],
    ["itself as peer", { peer: { name: "west", region: "cn-north-1" } }, 'peer.name is "west"'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await startMocks();
      expect(() => new EmergencyPasswordRotation("r", { ...args, ...overrides } as typeof args)).to.throw(
        message,
      );
    });
  }
});
