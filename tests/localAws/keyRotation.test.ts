import {
  AddUserToGroupCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GenerateCredentialReportCommand,
  GetAccessKeyLastUsedCommand,
  GetCredentialReportCommand,
  type IAMClient,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  paginateGetAccountAuthorizationDetails,
  paginateGetGroup,
  paginateListUsers,
  paginateListUserTags,
  TagUserCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { secretsKeyAlias, secretsKeyAliasArn } from "../../components/keyRotator/names";
import { accountStatements } from "../../components/keyRotator/policies";
import { secretsKeyStatements } from "../../components/keyRotator/secretsKey";
import { normalize } from "../../components/keyRotator/settings";
import { normalizeCell } from "../../components/regional/cell";
import type { LocalAws } from "../../local/aws/launch";
import {
  type Credentials,
  EAST,
  failure,
  iamClient,
  launch,
  rootOf,
  SECURITY,
  settings,
  stsClient,
  WEST,
} from "./support";

const MEMBER = "333333333333";
const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const DAY_MS = 86_400_000;
const daysAgo = (days: number) => `${new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 19)}Z`;
/** A version's id, which is 32 to 64 characters long. */
const token = (text: string) => text.padEnd(32, "-");

describe("local AWS: what key rotation needs", () => {
  let aws: LocalAws;
  before(async () => {
    aws = await launch();
  });
  after(() => aws?.stop());

  async function control(path: string, body: object): Promise<{ status: number; message?: string }> {
    const response = await fetch(`${aws.url}/_bulkhead/${path}`, {
      method: "PUT",
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  const secretsOf = (credentials: Credentials, region = EAST) =>
    new SecretsManagerClient(settings(aws, credentials, region));

  /** A user with a key and an inline policy, in an account. */
  async function user(accountId: string, UserName: string, ...statements: object[]) {
    const iam = iamClient(aws, rootOf(accountId));
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    if (statements.length > 0) {
      await iam.send(
        new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: document(...statements) }),
      );
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return {
      arn: User!.Arn!,
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    };
  }

  describe("the past of keys", () => {
    // An account of its own for each test, so that their reports do not meet.
    let accounts = 700_000_000_000;
    let accountId: string;
    let iam: IAMClient;
    beforeEach(() => {
      accountId = String(++accounts);
      iam = iamClient(aws, rootOf(accountId));
    });

    async function report(): Promise<Record<string, Record<string, string>>> {
      const { Content } = await iam.send(new GetCredentialReportCommand({}));
      const [header, ...rows] = Buffer.from(Content!)
        .toString()
        .split("\n")
        .map((row) => row.split(","));
      return Object.fromEntries(
        rows.map((row) => [
          row[0],
          Object.fromEntries(header!.map((column, index) => [column, row[index]!])),
        ]),
      );
    }

    it("is set from outside, and shows in listings and reports", async () => {
      const { accessKeyId } = await user(accountId, "old");
      const lastUsed = { date: daysAgo(3), region: "eu-west-1", service: "s3" };
      const set = await control("iam/history", {
        keys: [{ accessKeyId, createDate: daysAgo(100), lastUsed }],
        users: [{ accountId, userName: "old", createDate: daysAgo(400) }],
      });
      expect(set).to.include({ status: 200, keys: 1, users: 1 });

      const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: "old" }));
      expect(Date.now() - AccessKeyMetadata![0]!.CreateDate!.getTime()).to.be.closeTo(100 * DAY_MS, 60_000);
      const { AccessKeyLastUsed } = await iam.send(
        new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }),
      );
      expect(AccessKeyLastUsed).to.include({ Region: "eu-west-1", ServiceName: "s3" });

      await iam.send(new GenerateCredentialReportCommand({}));
      const row = (await report()).old!;
      const asReported = (date: string) => date.replace("Z", "+00:00");
      expect(row).to.include({
        arn: `arn:aws:iam::${accountId}:user/old`,
        access_key_1_active: "true",
        access_key_1_last_used_date: asReported(lastUsed.date),
        access_key_1_last_used_region: "eu-west-1",
        access_key_1_last_used_service: "s3",
        access_key_2_active: "false",
        access_key_2_last_rotated: "N/A",
        password_enabled: "false",
      });
      expect(Date.now() - Date.parse(row.user_creation_time!)).to.be.closeTo(400 * DAY_MS, 60_000);

      // Never used again, when it is said so.
      await control("iam/history", { keys: [{ accessKeyId, lastUsed: null }] });
      const never = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }));
      expect(never.AccessKeyLastUsed!.LastUsedDate).to.equal(undefined);
    });

    it("is read only by whoever may read that user's", async () => {
      const reader = await user(accountId, "reader");
      const inPath = { UserName: "hidden", Path: "/break-glass/" };
      await iam.send(new CreateUserCommand(inPath));
      const hidden = await iam.send(new CreateAccessKeyCommand({ UserName: "hidden" }));
      const open = await user(accountId, "open");
      const users = `arn:aws:iam::${accountId}:user`;
      const PolicyDocument = document(
        { Effect: "Allow", Action: "iam:GetAccessKeyLastUsed", Resource: `${users}/*` },
        { Effect: "Deny", Action: "iam:*", Resource: `${users}/break-glass/*` },
      );
      await iam.send(new PutUserPolicyCommand({ UserName: "reader", PolicyName: "uses", PolicyDocument }));
      const own = iamClient(aws, reader);
      await own.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: open.accessKeyId }));
      const denied = await failure(
        own.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: hidden.AccessKey!.AccessKeyId })),
      );
      expect(denied.name).to.equal("AccessDenied");
    });

    it("is refused when it makes no sense, and then nothing is changed", async () => {
      const { accessKeyId } = await user(accountId, "same");
      for (const [body, status, message] of [
        [{ keys: [{ accessKeyId: "AKIANOTTHERE" }] }, 404, "no access key AKIANOTTHERE"],
        [{ keys: [{ accessKeyId, createDate: "yesterday" }] }, 400, "createDate is a time"],
        [{ keys: [{ accessKeyId, created: daysAgo(1) }] }, 400, "an entry has only"],
        [{ users: [{ accountId, userName: "nobody" }] }, 404, "no user nobody"],
        [{ users: [{ accountId, userName: "same", passwordChanged: daysAgo(1) }] }, 400, "no password"],
        [{ key: [] }, 400, "the body is"],
      ] as const) {
        const answer = await control("iam/history", body);
        expect(answer.status, JSON.stringify(body)).to.equal(status);
        expect(answer.message).to.contain(message);
      }
      await control("iam/history", {
        keys: [{ accessKeyId, createDate: daysAgo(9) }, { accessKeyId: "AKIANO" }],
      });
      const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: "same" }));
      expect(Date.now() - AccessKeyMetadata![0]!.CreateDate!.getTime()).to.be.lessThan(DAY_MS);
    });

    it("is reported every four hours at most (fact 34)", async () => {
      expect((await failure(iam.send(new GetCredentialReportCommand({})))).name).to.match(/ReportNotPresent/);
      const { accessKeyId } = await user(accountId, "first");
      expect((await iam.send(new GenerateCredentialReportCommand({}))).State).to.equal("STARTED");
      await user(accountId, "second");
      expect((await iam.send(new GenerateCredentialReportCommand({}))).State).to.equal("COMPLETE");
      expect(await report()).to.have.keys("<root_account>", "first");
      // A past that is set anew makes the report obsolete.
      await control("iam/history", { keys: [{ accessKeyId, createDate: daysAgo(1) }] });
      expect((await iam.send(new GenerateCredentialReportCommand({}))).State).to.equal("STARTED");
      expect(await report()).to.have.keys("<root_account>", "first", "second");
    });

    it("takes a while to report, when it is told to", async () => {
      await control("iam/credential-report", { delaySeconds: 30 });
      try {
        expect((await iam.send(new GenerateCredentialReportCommand({}))).State).to.equal("STARTED");
        expect((await iam.send(new GenerateCredentialReportCommand({}))).State).to.equal("INPROGRESS");
        const early = await failure(iam.send(new GetCredentialReportCommand({})));
        expect(early.name).to.match(/ReportInProgress|ReportNotReady/);
      } finally {
        await control("iam/credential-report", { delaySeconds: 0 });
      }
      expect(await control("iam/credential-report", { delaySeconds: -1 })).to.include({ status: 400 });
    });

    it("counts a change of the status as a rotation in the report, as AWS does", async () => {
      const { accessKeyId } = await user(accountId, "switched");
      await control("iam/history", { keys: [{ accessKeyId, createDate: daysAgo(200) }] });
      await iam.send(
        new UpdateAccessKeyCommand({ UserName: "switched", AccessKeyId: accessKeyId, Status: "Inactive" }),
      );
      await iam.send(new GenerateCredentialReportCommand({}));
      const row = (await report()).switched!;
      expect(row.access_key_1_active).to.equal("false");
      expect(Date.now() - Date.parse(row.access_key_1_last_rotated!)).to.be.lessThan(DAY_MS);
    });

    it("pages the details of the whole account", async () => {
      for (let n = 0; n < 5; n++) {
        await iam.send(new CreateUserCommand({ UserName: `u${n}`, Tags: [{ Key: "n", Value: String(n) }] }));
        await iam.send(new CreateGroupCommand({ GroupName: `g${n}` }));
      }
      await iam.send(new AddUserToGroupCommand({ GroupName: "g1", UserName: "u3" }));
      const users: string[] = [];
      const groups: string[] = [];
      const sizes: number[] = [];
      const pages = paginateGetAccountAuthorizationDetails(
        { client: iam, pageSize: 4 },
        { Filter: ["User", "Group"] },
      );
      for await (const { UserDetailList = [], GroupDetailList = [] } of pages) {
        sizes.push(UserDetailList.length + GroupDetailList.length);
        users.push(
          ...UserDetailList.map((each) => [each.UserName, each.Tags![0]!.Value, ...each.GroupList!].join()),
        );
        groups.push(...GroupDetailList.map((each) => each.GroupName!));
      }
      expect(sizes).to.deep.equal([4, 4, 2]);
      expect(users).to.deep.equal(["u0,0", "u1,1", "u2,2", "u3,3,g1", "u4,4"]);
      expect(groups).to.deep.equal(["g0", "g1", "g2", "g3", "g4"]);
    });

    it("pages users, members of a group and tags", async () => {
      const names = Array.from({ length: 120 }, (_, index) => `user-${String(index).padStart(3, "0")}`);
      await iam.send(new CreateGroupCommand({ GroupName: "exempt" }));
      for (const UserName of names) {
        await iam.send(new CreateUserCommand({ UserName }));
        await iam.send(new AddUserToGroupCommand({ GroupName: "exempt", UserName }));
      }
      const Tags = Array.from({ length: 45 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));
      await iam.send(new TagUserCommand({ UserName: names[0]!, Tags }));

      const pages = async <T>(pages: AsyncIterable<T>, count: (page: T) => number) => {
        const sizes: number[] = [];
        for await (const page of pages) sizes.push(count(page));
        return sizes;
      };
      const client = iam;
      expect(await pages(paginateListUsers({ client }, {}), (page) => page.Users!.length)).to.deep.equal([
        100, 20,
      ]);
      expect(
        await pages(paginateGetGroup({ client }, { GroupName: "exempt" }), (page) => page.Users!.length),
      ).to.deep.equal([100, 20]);
      expect(
        await pages(
          paginateListUserTags({ client, pageSize: 20 }, { UserName: names[0]! }),
          (page) => page.Tags!.length,
        ),
      ).to.deep.equal([20, 20, 5]);
    });
  });

  describe("secrets", () => {
    const root = () => secretsOf(rootOf(SECURITY));
    let numbers = 0;
    const create = async (input: Partial<CreateSecretCommandInput> = {}) => {
      const Name = `/bulkhead/keys/${MEMBER}/user-${++numbers}`;
      const { ARN } = await root().send(new CreateSecretCommand({ Name, ...input }));
      return { Name, ARN: ARN! };
    };

    it("may be made without a value", async () => {
      const { Name } = await create();
      const described = await root().send(new DescribeSecretCommand({ SecretId: Name }));
      expect(described.VersionIdsToStages ?? {}).to.deep.equal({});
      const empty = await failure(root().send(new GetSecretValueCommand({ SecretId: Name })));
      expect(empty.name).to.equal("ResourceNotFoundException");
      await root().send(
        new PutSecretValueCommand({
          SecretId: Name,
          SecretString: "one",
          ClientRequestToken: token("first"),
        }),
      );
      expect((await root().send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).to.equal("one");
    });

    it("keep a version as it was written", async () => {
      const { Name } = await create();
      const put = (SecretString: string, name: string, VersionStages?: string[]) =>
        root().send(
          new PutSecretValueCommand({
            SecretId: Name,
            SecretString,
            ClientRequestToken: token(name),
            ...(VersionStages && { VersionStages }),
          }),
        );
      await put("one", "a");
      await put("two", "b", ["AWSPENDING"]);
      expect((await put("one", "a")).VersionStages).to.deep.equal(["AWSCURRENT"]);
      expect((await failure(put("other", "a"))).name).to.equal("ResourceExistsException");
      const read = async (VersionStage: string) =>
        (await root().send(new GetSecretValueCommand({ SecretId: Name, VersionStage }))).SecretString;
      expect([await read("AWSCURRENT"), await read("AWSPENDING")]).to.deep.equal(["one", "two"]);
      await root().send(
        new UpdateSecretVersionStageCommand({
          SecretId: Name,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: token("b"),
          RemoveFromVersionId: token("a"),
        }),
      );
      expect([await read("AWSCURRENT"), await read("AWSPREVIOUS")]).to.deep.equal(["two", "one"]);
    });

    it("are made once by one token", async () => {
      const input = {
        Name: "/bulkhead/keys/once",
        SecretString: "x",
        ClientRequestToken: token("once"),
      };
      const first = await root().send(new CreateSecretCommand(input));
      const again = await root().send(new CreateSecretCommand(input));
      expect(again.ARN).to.equal(first.ARN);
      expect(again.VersionId).to.equal(token("once"));
      const other = await failure(root().send(new CreateSecretCommand({ ...input, SecretString: "y" })));
      expect(other.name).to.equal("ResourceExistsException");
      await root().send(new DeleteSecretCommand({ SecretId: input.Name, RecoveryWindowInDays: 7 }));
      const deleted = await failure(root().send(new CreateSecretCommand(input)));
      expect(deleted.name).to.equal("InvalidRequestException");
      expect(deleted.message).to.contain("already scheduled for deletion");
    });

    it("have replicas from the start, with value and policy, which outlive their primary's region", async () => {
      const { Name, ARN } = await create({ AddReplicaRegions: [{ Region: WEST }] });
      const reader = await user(SECURITY, "reader");
      const policy = document({
        Effect: "Allow",
        Principal: { AWS: reader.arn },
        Action: "secretsmanager:GetSecretValue",
        Resource: "*",
      });
      await root().send(new PutResourcePolicyCommand({ SecretId: Name, ResourcePolicy: policy }));
      await root().send(new PutSecretValueCommand({ SecretId: Name, SecretString: "value" }));
      const replicas = secretsOf(reader, WEST);
      const replicaArn = ARN.replace(EAST, WEST);
      expect(
        (await replicas.send(new GetSecretValueCommand({ SecretId: replicaArn }))).SecretString,
      ).to.equal("value");
      const described = await root().send(new DescribeSecretCommand({ SecretId: Name }));
      expect(described.ReplicationStatus).to.deep.include({
        Region: WEST,
        Status: "InSync",
        StatusMessage: "Replication succeeded",
      });

      // Replicas change with their primary only.
      const west = secretsOf(rootOf(SECURITY), WEST);
      for (const refused of [
        west.send(new PutSecretValueCommand({ SecretId: Name, SecretString: "mine" })),
        west.send(new PutResourcePolicyCommand({ SecretId: Name, ResourcePolicy: policy })),
        west.send(new DeleteResourcePolicyCommand({ SecretId: Name })),
      ]) {
        expect((await failure(refused)).name).to.equal("InvalidRequestException");
      }

      await control("outage", { regions: [EAST], globalServices: true });
      try {
        expect(
          (await replicas.send(new GetSecretValueCommand({ SecretId: replicaArn }))).SecretString,
        ).to.equal("value");
      } finally {
        await control("outage", { regions: [] });
      }

      // Detached in its own region, it is a secret of its own.
      await west.send(new StopReplicationToReplicaCommand({ SecretId: Name }));
      await west.send(new PutSecretValueCommand({ SecretId: Name, SecretString: "mine" }));
      expect((await west.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).to.equal("mine");
      expect((await root().send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).to.equal(
        "value",
      );
      const alone = await root().send(new DescribeSecretCommand({ SecretId: Name }));
      expect(alone.ReplicationStatus ?? []).to.deep.equal([]);
    });

    it("bring replicas up to date when their region is back, and remove them", async () => {
      const { Name } = await create({ SecretString: "old", AddReplicaRegions: [{ Region: WEST }] });
      await control("outage", { regions: [WEST] });
      try {
        await root().send(new PutSecretValueCommand({ SecretId: Name, SecretString: "new" }));
        const lagging = await root().send(new DescribeSecretCommand({ SecretId: Name }));
        expect(lagging.ReplicationStatus![0]!.Status).to.equal("InProgress");
      } finally {
        await control("outage", { regions: [] });
      }
      const west = secretsOf(rootOf(SECURITY), WEST);
      expect((await west.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).to.equal("new");
      await root().send(
        new RemoveRegionsFromReplicationCommand({ SecretId: Name, RemoveReplicaRegions: [WEST] }),
      );
      expect((await failure(west.send(new GetSecretValueCommand({ SecretId: Name })))).name).to.equal(
        "ResourceNotFoundException",
      );
      await root().send(
        new ReplicateSecretToRegionsCommand({ SecretId: Name, AddReplicaRegions: [{ Region: WEST }] }),
      );
      expect((await west.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString).to.equal("new");
    });

    it("refuse policies for principals that do not exist, and for everybody", async () => {
      const { Name } = await create({ SecretString: "x" });
      const put = (Principal: unknown, options: { block?: boolean; Condition?: object } = {}) =>
        root().send(
          new PutResourcePolicyCommand({
            SecretId: Name,
            ResourcePolicy: document({
              Effect: "Allow",
              Principal,
              Action: "secretsmanager:GetSecretValue",
              Resource: "*",
              ...(options.Condition && { Condition: options.Condition }),
            }),
            BlockPublicPolicy: options.block ?? true,
          }),
        );
      const nobody = await failure(put({ AWS: `arn:aws:iam::${SECURITY}:user/nobody` }));
      expect(nobody.name).to.equal("MalformedPolicyDocumentException");
      expect((await failure(put("*"))).name).to.equal("PublicPolicyException");
      expect((await failure(put({ AWS: "*" }))).name).to.equal("PublicPolicyException");
      await put({ AWS: "*" }, { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-exampleorgid" } } });
      await put("*", { block: false });
      const malformed = await failure(
        root().send(new PutResourcePolicyCommand({ SecretId: Name, ResourcePolicy: "{}" })),
      );
      expect(malformed.name).to.equal("MalformedPolicyDocumentException");
    });

    it("are read from another account with both policies and a customer-managed key only", async () => {
      const kms = new KMSClient(settings(aws, rootOf(SECURITY)));
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const keyArn = KeyMetadata!.Arn!;
      const { Name, ARN } = await create({ SecretString: "central", KmsKeyId: keyArn });
      const member = await user(
        MEMBER,
        "member",
        { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: ARN },
        { Effect: "Allow", Action: "kms:Decrypt", Resource: keyArn },
      );
      const read = () => secretsOf(member).send(new GetSecretValueCommand({ SecretId: ARN }));
      expect((await failure(read())).name).to.equal("AccessDeniedException");

      await root().send(
        new PutResourcePolicyCommand({
          SecretId: Name,
          ResourcePolicy: document({
            Effect: "Allow",
            Principal: { AWS: member.arn },
            Action: "secretsmanager:GetSecretValue",
            Resource: "*",
          }),
        }),
      );
      const noKey = await failure(read());
      expect(noKey.name).to.equal("AccessDeniedException");
      expect(noKey.message).to.equal("Access to KMS is not allowed");

      const keyPolicy = (account: string, service: string) =>
        document(
          {
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${SECURITY}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          {
            Effect: "Allow",
            Principal: { AWS: account },
            Action: "kms:Decrypt",
            Resource: "*",
            Condition: { StringEquals: { "kms:ViaService": service } },
          },
        );
      const put = (account: string, service: string) =>
        kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: keyPolicy(account, service) }));
      await put(`arn:aws:iam::${MEMBER}:root`, `s3.${EAST}.amazonaws.com`);
      expect((await failure(read())).message).to.equal("Access to KMS is not allowed");
      await put(`arn:aws:iam::${MEMBER}:root`, `secretsmanager.${EAST}.amazonaws.com`);
      expect((await read()).SecretString).to.equal("central");

      // The key that AWS manages serves no other account, whatever the policies say.
      const plain = await create({ SecretString: "plain" });
      await root().send(
        new PutResourcePolicyCommand({
          SecretId: plain.Name,
          ResourcePolicy: document({
            Effect: "Allow",
            Principal: { AWS: member.arn },
            Action: "secretsmanager:*",
            Resource: "*",
          }),
        }),
      );
      const iam = iamClient(aws, rootOf(MEMBER));
      await iam.send(
        new PutUserPolicyCommand({
          UserName: "member",
          PolicyName: "p",
          PolicyDocument: document({ Effect: "Allow", Action: "secretsmanager:*", Resource: "*" }),
        }),
      );
      const unreadable = await failure(
        secretsOf(member).send(new GetSecretValueCommand({ SecretId: plain.ARN })),
      );
      expect(unreadable.message).to.contain("default KMS service key");
      const policy = await secretsOf(member).send(new GetResourcePolicyCommand({ SecretId: plain.ARN }));
      expect(policy.ARN).to.equal(plain.ARN);
    });

    it("need the key for writing, too", async () => {
      const kms = new KMSClient(settings(aws, rootOf(SECURITY)));
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const KmsKeyId = KeyMetadata!.Arn!;
      const writer = await user(SECURITY, "writer", {
        Effect: "Allow",
        Action: "secretsmanager:*",
        Resource: "*",
      });
      const Name = "/bulkhead/keys/written";
      const make = () => secretsOf(writer).send(new CreateSecretCommand({ Name, KmsKeyId }));
      expect((await failure(make())).message).to.equal("Access to KMS is not allowed");
      await iamClient(aws, rootOf(SECURITY)).send(
        new PutUserPolicyCommand({
          UserName: "writer",
          PolicyName: "key",
          PolicyDocument: document({
            Effect: "Allow",
            Action: ["kms:Decrypt", "kms:GenerateDataKey"],
            Resource: KmsKeyId,
          }),
        }),
      );
      await make();
    });
  });

  describe("by the product's own policies", () => {
    const cell = { name: "prod", region: EAST, accountId: SECURITY };
    const own = normalizeCell(cell);
    const prefix = "/bulkhead/keys";
    const readers = { organizationId: "", accountIds: [MEMBER, "444444444444"] };
    const alias = secretsKeyAlias(own);
    const secretName = `${prefix}/${MEMBER}/owner`;
    /** A session of the account function's role. */
    let rotator: Credentials;
    before(async () => {
      const iam = iamClient(aws, rootOf(SECURITY));
      for (const region of [EAST, WEST]) {
        const kms = new KMSClient(settings(aws, rootOf(SECURITY), region));
        const statements = secretsKeyStatements({ ...own, region }, prefix, readers);
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy: document(...statements) }));
        await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata!.KeyId }));
      }
      const normalized = normalize({
        cell,
        peer: { name: "dr", region: WEST },
        kmsKeyArn: "cell-key",
        alertTopicArn: "topic",
        mode: "enforce",
        externalId: "external",
        accountIds: readers.accountIds,
      });
      const statements = accountStatements(normalized, {
        emergencyPath: undefined,
        alertTopicArn: "topic",
        notifyQueueArn: undefined,
      });
      const trust = document({ Effect: "Allow", Principal: { AWS: SECURITY }, Action: "sts:AssumeRole" });
      const { Role } = await iam.send(
        new CreateRoleCommand({ RoleName: "rotator", AssumeRolePolicyDocument: trust }),
      );
      const policy = { RoleName: "rotator", PolicyName: "p", PolicyDocument: document(...statements) };
      await iam.send(new PutRolePolicyCommand(policy));
      const { Credentials: session } = await stsClient(aws, rootOf(SECURITY)).send(
        new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "test" }),
      );
      rotator = {
        accessKeyId: session!.AccessKeyId!,
        secretAccessKey: session!.SecretAccessKey!,
        sessionToken: session!.SessionToken!,
      };
    });

    const keyArn = (region: string) => secretsKeyAliasArn(own, region);
    const rotation = () => secretsOf(rotator);
    const createSecret = (input: Partial<CreateSecretCommandInput>) =>
      rotation().send(
        new CreateSecretCommand({
          Name: secretName,
          KmsKeyId: keyArn(EAST),
          AddReplicaRegions: [{ Region: WEST, KmsKeyId: keyArn(WEST) }],
          Tags: [{ Key: "owner", Value: "x" }],
          ...input,
        }),
      );

    it("stores a member's key, which the member and nobody else reads, from either region", async () => {
      const { ARN } = await createSecret({});
      const read = {
        Effect: "Allow",
        Action: ["secretsmanager:GetSecretValue", "kms:Decrypt"],
        Resource: "*",
      };
      const owner = await user(MEMBER, "owner", read);
      const colleague = await user(MEMBER, "colleague", read);
      const stranger = await user("444444444444", "stranger", read);
      const lets = (...arns: string[]) =>
        document({
          Effect: "Allow",
          Principal: { AWS: [`arn:aws:iam::${MEMBER}:root`, "arn:aws:iam::444444444444:root"] },
          Action: "secretsmanager:GetSecretValue",
          Resource: "*",
          Condition: { ArnEquals: { "aws:PrincipalArn": arns } },
        });
      const put = (ResourcePolicy: string, BlockPublicPolicy: boolean) =>
        rotation().send(new PutResourcePolicyCommand({ SecretId: ARN, ResourcePolicy, BlockPublicPolicy }));
      expect((await failure(put(lets(owner.arn), false))).name).to.equal("AccessDeniedException");
      await put(lets(owner.arn, stranger.arn), true);
      await rotation().send(new PutSecretValueCommand({ SecretId: ARN, SecretString: "the key" }));

      const readBy = (who: Credentials, region: string) =>
        secretsOf(who, region).send(new GetSecretValueCommand({ SecretId: ARN!.replace(EAST, region) }));
      for (const region of [EAST, WEST]) {
        expect((await readBy(owner, region)).SecretString).to.equal("the key");
        expect((await failure(readBy(colleague, region))).name).to.equal("AccessDeniedException");
        // The secret's policy lets the stranger in; the key's does not, since it is another account's secret.
        expect((await failure(readBy(stranger, region))).message).to.equal("Access to KMS is not allowed");
      }
      await control("outage", { regions: [EAST], globalServices: true });
      try {
        expect((await readBy(owner, WEST)).SecretString).to.equal("the key");
      } finally {
        await control("outage", { regions: [] });
      }
    });

    it("does nothing else with secrets", async () => {
      expect((await failure(createSecret({ Name: "/other/secret" }))).name).to.equal("AccessDeniedException");
      const kms = new KMSClient(settings(aws, rootOf(SECURITY)));
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const otherKey = createSecret({ Name: `${prefix}/${MEMBER}/other`, KmsKeyId: KeyMetadata!.Arn! });
      expect((await failure(otherKey)).message).to.equal("Access to KMS is not allowed");
      for (const refused of [
        rotation().send(new GetSecretValueCommand({ SecretId: secretName })),
        rotation().send(new DeleteSecretCommand({ SecretId: secretName, ForceDeleteWithoutRecovery: true })),
      ]) {
        expect((await failure(refused)).name).to.equal("AccessDeniedException");
      }
    });
  });

  it("keeps the listings of many accounts apart", async () => {
    const accountIds = Array.from({ length: 20 }, (_, index) => String(800_000_000_000 + index));
    await Promise.all(
      accountIds.map(async (accountId) => {
        for (const name of ["a", "b"]) await user(accountId, name);
      }),
    );
    for (const accountId of accountIds) {
      const iam = iamClient(aws, rootOf(accountId));
      const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: "b" }));
      expect(AccessKeyMetadata).to.have.length(1);
      await iam.send(new GenerateCredentialReportCommand({}));
      const { Content } = await iam.send(new GetCredentialReportCommand({}));
      expect(Buffer.from(Content!).toString().split("\n")).to.have.length(4);
    }
  });
});
