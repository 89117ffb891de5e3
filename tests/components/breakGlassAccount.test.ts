import { expect } from "chai";
import fc from "fast-check";
import * as openpgp from "openpgp";
import {
  BreakGlassAccount,
  type BreakGlassAccountArgs,
} from "../../components/breakGlassAccount/breakGlassAccount";
import { pgpPublicKeyBase64 } from "../../components/breakGlassAccount/pgpPublicKey";
import { RegionalProvider } from "../../components/regional/regionalProvider";
import { ensureBuilt } from "../support/builtFunctions";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";

const cell = { name: "prod", region: "us-east-1", accountId: "222222222222" };
const kmsKeyArn = "arn:aws:kms:us-east-1:222222222222:key/k";
const alertTopicArn = "arn:aws:sns:us-east-1:222222222222:alerts";

describe("BreakGlassAccount", () => {
  let mocks: PulumiMocks;
  let armoredKey: string;
  let base64Key: string;
  let privateKey: string;
  before(async () => {
    ensureBuilt("breakGlass-use");
    const pair = await openpgp.generateKey({ type: "ecc", userIDs: [{ name: "Alice" }], format: "armored" });
    armoredKey = pair.publicKey;
    privateKey = pair.privateKey;
    const key = await openpgp.readKey({ armoredKey });
    base64Key = Buffer.from(key.write()).toString("base64");
  });
  beforeEach(async () => {
    mocks = await startMocks();
  });
  const args = (change: Partial<BreakGlassAccountArgs> = {}): BreakGlassAccountArgs => ({
    cell,
    users: ["breakglass-admin-1", "breakglass-admin-2"].map((userName, index) => ({
      userName,
      custodian: `custodian-${index + 1}@example.com`,
      pgpPublicKey: armoredKey,
    })),
    alertTopicArn,
    kmsKeyArn,
    ...change,
  });
  const create = (change?: Partial<BreakGlassAccountArgs>) =>
    new BreakGlassAccount("bg", args(change), { provider: new RegionalProvider("prod", { cell }) });

  it("makes two users with custodian and purpose, under the emergency path", async () => {
    const outputs = await mocks.outputsOf(create());
    const users = mocks.ofType("aws:iam/user:User");
    expect(users.map((user) => user.inputs)).to.deep.equal(
      [1, 2].map((n) => ({
        name: `breakglass-admin-${n}`,
        path: "/break-glass/",
        tags: {
          owner: `custodian-${n}@example.com`,
          purpose: "Emergency access when all other ways to sign in have failed",
          "bulkhead:key-rotation": "exempt",
        },
      })),
    );
    expect(outputs.userArns).to.deep.equal([
      "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1",
      "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-2",
    ]);
  });

  it("gives each a long password encrypted to its custodian's key, never to be reset at sign-in (fact 29)", async () => {
    await mocks.outputsOf(create());
    const profiles = mocks.ofType("aws:iam/userLoginProfile:UserLoginProfile");
    expect(profiles.map((profile) => profile.inputs)).to.deep.equal(
      [1, 2].map((n) => ({
        user: `breakglass-admin-${n}`,
        pgpKey: base64Key,
        passwordLength: 40,
        passwordResetRequired: false,
      })),
    );
  });

  it("attaches administrator access and the deny policy beforehand, the deny policy before anything else (fact 11)", async () => {
    const outputs = await mocks.outputsOf(create());
    const attachments = mocks.ofType("aws:iam/userPolicyAttachment:UserPolicyAttachment");
    expect(attachments.map((a) => `${a.inputs.user} ${a.inputs.policyArn}`).sort()).to.deep.equal(
      [1, 2].flatMap((n) => [
        `breakglass-admin-${n} arn:aws:iam::222222222222:policy/break-glass/bulkhead-deny-without-mfa`,
        `breakglass-admin-${n} arn:aws:iam::aws:policy/AdministratorAccess`,
      ]),
    );
    for (const type of ["-administrator", "-password"]) {
      const child = mocks.resources.find((r) => r.name === `bg-breakglass-admin-1${type}`)!;
      expect(child.dependencyNames).to.include("bg-breakglass-admin-1-deny-without-mfa");
    }
    expect(JSON.parse(mocks.find("aws:iam/policy:Policy").inputs.policy)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "DenyAllActionsWithoutMFA",
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
        },
      ],
    });
    expect(outputs.denyWithoutMfaPolicyArn).to.equal(
      "arn:aws:iam::222222222222:policy/break-glass/bulkhead-deny-without-mfa",
    );
  });

  it("leaves the account's password policy alone, unless one is asked for", async () => {
    const type = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy";
    await mocks.outputsOf(create());
    expect(mocks.ofType(type)).to.deep.equal([]);
    mocks = await startMocks();
    await mocks.outputsOf(create({ passwordPolicy: {} }));
    expect(mocks.find(type).inputs).to.deep.equal({
      minimumPasswordLength: 32,
      maxPasswordAge: 90,
      passwordReusePrevention: 24,
      requireLowercaseCharacters: true,
      requireUppercaseCharacters: true,
      requireNumbers: true,
      requireSymbols: true,
      allowUsersToChangePassword: true,
      hardExpiry: false,
    });
    expect(() => create({ passwordPolicy: { minimumLength: 64 } })).to.throw(
      "passwordPolicy.minimumLength is 64: a whole number from 8 to 40",
    );
    expect(() => create({ passwordPolicy: { maxAgeDays: 0 } })).to.throw("passwordPolicy.maxAgeDays is 0");
  });

  it("has no access key, no MFA device and no other resource than these, all by the cell's own provider", async () => {
    await mocks.outputsOf(create({ hubBusName: "bulkhead-hub" }));
    const types = new Set(
      mocks.resources.filter((r) => r.custom && !r.type.startsWith("pulumi:")).map((r) => r.type),
    );
    expect([...types].sort()).to.deep.equal([
      "aws:cloudwatch/eventRule:EventRule",
      "aws:cloudwatch/eventTarget:EventTarget",
      "aws:cloudwatch/logGroup:LogGroup",
      "aws:cloudwatch/metricAlarm:MetricAlarm",
      "aws:dynamodb/table:Table",
      "aws:iam/policy:Policy",
      "aws:iam/role:Role",
      "aws:iam/rolePolicy:RolePolicy",
      "aws:iam/user:User",
      "aws:iam/userLoginProfile:UserLoginProfile",
      "aws:iam/userPolicyAttachment:UserPolicyAttachment",
      "aws:lambda/function:Function",
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
      "aws:lambda/permission:Permission",
      "aws:sqs/queue:Queue",
      "aws:sqs/queuePolicy:QueuePolicy",
    ]);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });

  it("hands out the ciphertext by user name", async () => {
    mocks = await startMocks({
      outputs: (resource) =>
        resource.type === "aws:iam/userLoginProfile:UserLoginProfile"
          ? { state: { encryptedPassword: `cipher of ${resource.inputs.user}` } }
          : undefined,
    });
    const outputs = await mocks.outputsOf(create());
    expect(outputs.encryptedPasswords).to.deep.equal({
      "breakglass-admin-1": "cipher of breakglass-admin-1",
      "breakglass-admin-2": "cipher of breakglass-admin-2",
    });
  });

  const refused: [string, (good: BreakGlassAccountArgs) => Partial<BreakGlassAccountArgs>, string][] = [
    ["one user", (good) => ({ users: good.users.slice(0, 1) }), "1 emergency user(s) given: at least 2"],
    [
      "the same name in another case",
      (good) => ({ users: [good.users[0]!, { ...good.users[0]!, userName: "BREAKGLASS-admin-1" }] }),
      "is given twice",
    ],
    [
      "a name that IAM refuses",
      (good) => ({ users: [good.users[0]!, { ...good.users[1]!, userName: "a b" }] }),
      'emergency user name "a b"',
    ],
    ["the root path", () => ({ path: "/" }), 'path is "/"'],
    ["a short password", () => ({ passwordLength: 31 }), "passwordLength is 31"],
    ["a password longer than IAM takes", () => ({ passwordLength: 129 }), "passwordLength is 129"],
  ];
  for (const [what, change, message] of refused) {
    it(`refuses ${what} before anything is made`, async () => {
      expect(() => create(change(args()))).to.throw(message);
      await mocks.settle();
      expect(mocks.ofType("aws:iam/user:User")).to.deep.equal([]);
    });
  }

  describe("PGP public key", () => {
    it("is taken armoured or in base64, with the same result", () => {
      expect(pgpPublicKeyBase64(armoredKey, "Alice")).to.equal(base64Key);
      expect(pgpPublicKeyBase64(armoredKey.replace(/\n/g, "\r\n"), "Alice")).to.equal(base64Key);
      expect(pgpPublicKeyBase64(base64Key.replace(/(.{60})/g, "$1\n"), "Alice")).to.equal(base64Key);
    });

    it("is refused when it is private, a reference or something else", () => {
      expect(() => pgpPublicKeyBase64(privateKey, "Alice")).to.throw("the PGP key of Alice is a private key");
      expect(() => pgpPublicKeyBase64("keybase:alice", "Alice")).to.throw("a reference to Keybase");
      fc.assert(
        fc.property(fc.string(), (text) => {
          expect(() => pgpPublicKeyBase64(text, "Alice")).to.throw("the PGP key of Alice is");
        }),
        { seed: 11 },
      );
    });
  });
});
