import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GenerateCredentialReportCommand,
  GetAccessKeyLastUsedCommand,
  GetCredentialReportCommand,
  type IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  PutRolePermissionsBoundaryCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import type { LocalAws } from "../../local/aws/launch";
import {
  type Credentials,
  failure,
  iamClient,
  launch,
  rootOf,
  SECURITY,
  settings,
  stsClient,
  WEST,
} from "./support";

const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

describe("local AWS: requests that AWS refuses", () => {
  let aws: LocalAws;
  let iam: IAMClient;
  before(async () => {
    aws = await launch();
    iam = iamClient(aws, rootOf(SECURITY));
  });
  after(() => aws?.stop());

  async function userWith(UserName: string, ...statements: object[]): Promise<Credentials> {
    await iam.send(new CreateUserCommand({ UserName }));
    if (statements.length > 0) {
      await iam.send(
        new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: policy(...statements) }),
      );
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  }

  describe("by the service's model", () => {
    it("in the query protocol", async () => {
      const badName = await failure(iam.send(new CreateUserCommand({ UserName: "not a name" })));
      expect(badName.name).to.equal("ValidationError");
      expect(badName.message).to.match(
        /^1 validation error detected: Value 'not a name' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern/,
      );
      const missing = await failure(iam.send(new CreateUserCommand({ UserName: undefined })));
      expect(missing.message).to.contain("Value null at 'userName'").and.contain("must not be null");
      const range = await failure(
        stsClient(aws, await userWith("session")).send(new GetSessionTokenCommand({ DurationSeconds: 5 })),
      );
      expect(range.message).to.contain("greater than or equal to 900");
      const status = await failure(
        iam.send(
          new UpdateAccessKeyCommand({ AccessKeyId: "AKIAAAAAAAAAAAAAAAAA", Status: "Off" as "Active" }),
        ),
      );
      expect(status.message).to.contain("enum value set: [");
    });

    it("in the JSON protocols, deep in lists too", async () => {
      const events = new EventBridgeClient(settings(aws, rootOf(SECURITY)));
      await events.send(new PutRuleCommand({ Name: "r", EventPattern: '{"source":["a"]}' }));
      const target = await failure(
        events.send(new PutTargetsCommand({ Rule: "r", Targets: [{ Id: "", Arn: "arn:aws:sqs:x" }] })),
      );
      expect(target.name).to.equal("ValidationException");
      expect(target.message).to.contain("at 'targets.1.member.id'").and.contain("length greater than");
      const table = await failure(
        new DynamoDBClient(settings(aws, rootOf(SECURITY))).send(
          new CreateTableCommand({
            TableName: "ok-name",
            KeySchema: [{ AttributeName: "a", KeyType: "HASHES" as "HASH" }],
            AttributeDefinitions: [{ AttributeName: "a", AttributeType: "S" }],
            BillingMode: "PAY_PER_REQUEST",
          }),
        ),
      );
      expect(table.message).to.contain("keySchema.1.member.keyType");
      const secret = await failure(
        new SecretsManagerClient(settings(aws, rootOf(SECURITY))).send(
          new CreateSecretCommand({ Name: "x".repeat(513), SecretString: "hidden-value" }),
        ),
      );
      expect(secret.message).to.contain("less than or equal to 512").and.not.contain("hidden-value");
    });

    it("in the REST protocol", async () => {
      const timeout = await failure(
        new LambdaClient(settings(aws, rootOf(SECURITY))).send(
          new CreateFunctionCommand({
            FunctionName: "f",
            Role: `arn:aws:iam::${SECURITY}:role/r`,
            Code: { ZipFile: new Uint8Array([1]) },
            Timeout: 0,
          }),
        ),
      );
      expect(timeout.name).to.match(/^(ValidationException|InvalidParameterValueException)$/);
      expect(timeout.message).to.contain("at 'timeout'");
    });

    it("and says so of operations that do not exist and of bodies of another type", async () => {
      const sending = (change: (request: { headers: Record<string, string>; body: string }) => void) => {
        const events = new EventBridgeClient(settings(aws, rootOf(SECURITY)));
        events.middlewareStack.add(
          (next) => (args) => {
            change(args.request as { headers: Record<string, string>; body: string });
            return next(args);
          },
          // Before the request is signed.
          { step: "build", priority: "high" },
        );
        return failure(events.send(new PutRuleCommand({ Name: "r", EventPattern: '{"source":["a"]}' })));
      };
      const unknown = await sending((request) => {
        request.headers["x-amz-target"] = "AWSEvents.PutNonsense";
      });
      expect(unknown.name).to.equal("UnknownOperationException");
      const malformed = await sending((request) => {
        request.body = '{"Name":["r"]}';
        request.headers["content-length"] = String(request.body.length);
      });
      expect(malformed.name).to.equal("SerializationException");
    });

    it("after it has authorised, not before", async () => {
      const nobody = iamClient(aws, await userWith("unauthorised"));
      expect((await failure(nobody.send(new CreateUserCommand({ UserName: "not a name" })))).name).to.match(
        /^AccessDenied/,
      );
    });

    it("and takes what AWS takes", async () => {
      const sns = new SNSClient(settings(aws, rootOf(SECURITY), WEST));
      const { TopicArn } = await sns.send(
        new CreateTopicCommand({ Name: "fine", Attributes: { DisplayName: "Fine" } }),
      );
      const wrong = await failure(
        sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "nowhere" })),
      );
      expect(wrong.name).to.match(/^InvalidParameter/);
      await new EC2Client(settings(aws, rootOf(SECURITY), WEST)).send(new DescribeInstancesCommand({}));
    });
  });

  describe("by IAM's quotas and rules", () => {
    it("keeps the quotas of fact 26", async () => {
      await iam.send(new CreateUserCommand({ UserName: "full" }));
      for (let n = 0; n < 2; n++) await iam.send(new CreateAccessKeyCommand({ UserName: "full" }));
      const third = await failure(iam.send(new CreateAccessKeyCommand({ UserName: "full" })));
      expect(third.name).to.match(/^LimitExceeded/);
      expect(third.message).to.equal("Cannot exceed quota for AccessKeysPerUser: 2");

      for (let n = 0; n <= 10; n++) {
        const { Policy } = await iam.send(
          new CreatePolicyCommand({
            PolicyName: `p${n}`,
            PolicyDocument: policy({ Effect: "Allow", Action: "iam:GetUser", Resource: "*" }),
          }),
        );
        const attached = iam.send(new AttachUserPolicyCommand({ UserName: "full", PolicyArn: Policy!.Arn }));
        if (n < 10) await attached;
        else expect((await failure(attached)).message).to.contain("PoliciesPerUser: 10");
      }
      const long = "x".repeat(6200);
      const tooLong = await failure(
        iam.send(
          new CreatePolicyCommand({
            PolicyName: "long",
            PolicyDocument: policy({ Effect: "Allow", Action: "iam:GetUser", Resource: long }),
          }),
        ),
      );
      expect(tooLong.message).to.contain("PolicySize: 6144");
      const spaces = policy({ Effect: "Allow", Action: "iam:GetUser", Resource: "*" }) + " ".repeat(6200);
      await iam.send(new CreatePolicyCommand({ PolicyName: "spaces", PolicyDocument: spaces }));
      const inline = await failure(
        iam.send(
          new PutUserPolicyCommand({
            UserName: "full",
            PolicyName: "inline",
            PolicyDocument: policy({
              Effect: "Allow",
              Action: "iam:GetUser",
              Resource: "x".repeat(2100),
            }),
          }),
        ),
      );
      expect(inline.message).to.equal("Maximum policy size of 2048 bytes exceeded for user full");
    });

    it("deletes no user who still has something", async () => {
      await iam.send(new CreateUserCommand({ UserName: "kept" }));
      await iam.send(new CreateLoginProfileCommand({ UserName: "kept", Password: "Long-Enough-1" }));
      expect((await failure(iam.send(new DeleteUserCommand({ UserName: "kept" })))).message).to.contain(
        "login profile",
      );
      await iam.send(new CreateUserCommand({ UserName: "grouped" }));
      await iam.send(new CreateGroupCommand({ GroupName: "group" }));
      await iam.send(new AddUserToGroupCommand({ GroupName: "group", UserName: "grouped" }));
      expect((await failure(iam.send(new DeleteUserCommand({ UserName: "grouped" })))).name).to.match(
        /^DeleteConflict/,
      );
    });

    it("notes the use of keys, and reports it", async () => {
      const keys = await userWith("tracked", { Effect: "Allow", Action: "iam:List*", Resource: "*" });
      const AccessKeyId = keys.accessKeyId;
      const before = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
      expect(before.AccessKeyLastUsed).to.include({ Region: "N/A", ServiceName: "N/A" });
      const own = iamClient(aws, keys, WEST);
      expect((await own.send(new ListAccessKeysCommand({}))).AccessKeyMetadata).to.have.length(1);
      const { AccessKeyLastUsed } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
      expect(AccessKeyLastUsed).to.include({ Region: "us-east-1", ServiceName: "iam" });
      expect(AccessKeyLastUsed!.LastUsedDate!.getTime()).to.be.closeTo(Date.now(), 10_000);
      await iam.send(new GenerateCredentialReportCommand({}));
      const { Content } = await iam.send(new GetCredentialReportCommand({}));
      const rows = Buffer.from(Content!)
        .toString()
        .split("\n")
        .map((row) => row.split(","));
      const columns = Object.fromEntries(
        rows[0]!.map((name, index) => [name, rows.find((row) => row[0] === "tracked")![index]]),
      );
      expect(columns).to.include({
        access_key_1_active: "true",
        access_key_1_last_used_service: "iam",
        password_enabled: "false",
      });
      const other = await failure(iam.send(new DeleteAccessKeyCommand({ UserName: "kept", AccessKeyId })));
      expect(other.name).to.match(/^NoSuchEntity/);
    });

    it("pages its lists", async () => {
      const seen: string[] = [];
      let Marker: string | undefined;
      let pages = 0;
      do {
        const page = await iam.send(new ListUsersCommand({ MaxItems: 3, Marker }));
        expect(page.Users!.length).to.be.at.most(3);
        seen.push(...page.Users!.map((user) => user.UserName!));
        Marker = page.IsTruncated ? page.Marker : undefined;
        pages++;
      } while (Marker);
      expect(pages).to.be.above(1);
      const whole = (await iam.send(new ListUsersCommand({}))).Users!.map((user) => user.UserName!);
      expect(seen).to.deep.equal(whole);
    });
  });

  describe("by policies on IAM's own calls", () => {
    it("asks for the boundary, for the policy and for paths", async () => {
      const boundary = `arn:aws:iam::${SECURITY}:policy/p0`;
      const keys = await userWith(
        "delegate",
        {
          Effect: "Allow",
          Action: ["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
          Resource: `arn:aws:iam::${SECURITY}:role/team/*`,
          Condition: { StringEquals: { "iam:PermissionsBoundary": boundary } },
        },
        {
          Effect: "Allow",
          Action: "iam:AttachUserPolicy",
          Resource: "*",
          Condition: { ArnEquals: { "iam:PolicyARN": boundary } },
        },
      );
      const delegate = iamClient(aws, keys);
      const AssumeRolePolicyDocument = policy({
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      });
      const create = (RoleName: string, Path: string, PermissionsBoundary?: string) =>
        delegate.send(
          new CreateRoleCommand({ RoleName, Path, PermissionsBoundary, AssumeRolePolicyDocument }),
        );
      await create("good", "/team/", boundary);
      for (const refused of [
        create("unbound", "/team/"),
        create("elsewhere", "/", boundary),
        delegate.send(
          new PutRolePermissionsBoundaryCommand({
            RoleName: "good",
            PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess",
          }),
        ),
        delegate.send(
          new AttachUserPolicyCommand({
            UserName: "kept",
            PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
          }),
        ),
      ]) {
        expect((await failure(refused)).name).to.match(/^AccessDenied/);
      }
      await delegate.send(new AttachUserPolicyCommand({ UserName: "kept", PolicyArn: boundary }));
    });

    it("asks for iam:PassRole, and names resource and kind of policy in a denial", async () => {
      const keys = await userWith("passer", { Effect: "Allow", Action: "lambda:*", Resource: "*" });
      const denied = await failure(
        new LambdaClient(settings(aws, keys)).send(
          new CreateFunctionCommand({
            FunctionName: "f",
            Role: `arn:aws:iam::${SECURITY}:role/team/good`,
            Runtime: "nodejs24.x",
            Handler: "index.handler",
            Code: { ZipFile: new Uint8Array([1]) },
          }),
        ),
      );
      expect(denied.name).to.equal("AccessDeniedException");
      expect(denied.message).to.equal(
        `User: arn:aws:iam::${SECURITY}:user/passer is not authorized to perform: iam:PassRole on resource: arn:aws:iam::${SECURITY}:role/team/good because no identity-based policy allows the iam:PassRole action`,
      );
    });

    it("executes no dry run", async () => {
      const ec2 = new EC2Client(settings(aws, rootOf(SECURITY), WEST));
      const dry = await failure(
        ec2.send(
          new RunInstancesCommand({
            DryRun: true,
            ImageId: "ami-12345678",
            MinCount: 1,
            MaxCount: 1,
            InstanceType: "t3.micro",
          }),
        ),
      );
      expect(dry.name).to.equal("DryRunOperation");
      expect((await ec2.send(new DescribeInstancesCommand({}))).Reservations).to.be.empty;
    });
  });
});
