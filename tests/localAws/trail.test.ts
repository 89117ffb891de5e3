import { DeleteNatGatewayCommand, EC2Client, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  GetUserCommand,
  type IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import type { LocalAws } from "../../local/aws/launch";
import {
  type Credentials,
  EAST,
  failure,
  iamClient,
  Listener,
  launch,
  rootOf,
  SECURITY,
  settings,
  stsClient,
  WEST,
} from "./support";

const MEMBER = "333333333333";
const ALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

describe("local AWS: records of calls", () => {
  let aws: LocalAws;
  let iam: IAMClient;
  let admin: Credentials;
  let nobody: Credentials;

  before(async () => {
    aws = await launch();
    iam = iamClient(aws, rootOf(SECURITY));
    admin = await user("admin");
    await iam.send(
      new AttachUserPolicyCommand({
        UserName: "admin",
        PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
      }),
    );
    nobody = await user("nobody");
  });
  after(() => aws?.stop());

  async function user(UserName: string): Promise<Credentials> {
    await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  }

  async function role(account: string, RoleName: string, principal: string, actions: string[]) {
    const there = iamClient(aws, rootOf(account));
    const { Role } = await there.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" }],
        }),
      }),
    );
    await there.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "p",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
        }),
      }),
    );
    return Role!;
  }

  it("records IAM's calls where IAM's control plane is, whatever region the client was set to", async () => {
    const east = await Listener.open(aws, { name: "iam", region: EAST, pattern: { source: ["aws.iam"] } });
    const west = await Listener.open(aws, { name: "iam", region: WEST, pattern: { source: ["aws.iam"] } });
    await iamClient(aws, admin, WEST).send(new CreateUserCommand({ UserName: "made", Path: "/team/" }));
    const event = await east.next();
    expect(event).to.include({ source: "aws.iam", region: EAST, account: SECURITY });
    expect(event.detail).to.include({
      eventSource: "iam.amazonaws.com",
      eventName: "CreateUser",
      awsRegion: EAST,
      readOnly: false,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: SECURITY,
    });
    expect(event.detail).to.not.have.property("errorCode");
    expect(event.detail.requestParameters).to.deep.equal({ userName: "made", path: "/team/" });
    expect(event.detail.responseElements.user).to.include({
      userName: "made",
      arn: `arn:aws:iam::${SECURITY}:user/team/made`,
    });
    expect(event.detail.userIdentity).to.include({
      type: "IAMUser",
      userName: "admin",
      accountId: SECURITY,
      accessKeyId: admin.accessKeyId,
      arn: `arn:aws:iam::${SECURITY}:user/admin`,
    });
    expect(event.detail.userIdentity).to.not.have.property("sessionContext");
    expect(event.detail.tlsDetails.clientProvidedHostHeader).to.equal("iam.amazonaws.com");
    expect(await west.drain()).to.be.empty;
  });

  it("leaves secrets out of records", async () => {
    const keys = await Listener.open(aws, {
      name: "keys",
      region: EAST,
      pattern: { detail: { eventName: ["CreateAccessKey"] } },
    });
    const { AccessKey } = await iamClient(aws, admin).send(new CreateAccessKeyCommand({ UserName: "made" }));
    const event = await keys.next();
    expect(event.detail.responseElements.accessKey).to.include({
      userName: "made",
      accessKeyId: AccessKey!.AccessKeyId,
    });
    expect(JSON.stringify(event)).to.not.contain(AccessKey!.SecretAccessKey!);
  });

  it("records denials with the code that CloudTrail has, and errors by the name of their shape", async () => {
    const denied = await Listener.open(aws, {
      name: "denied",
      region: WEST,
      pattern: { source: ["aws.ec2"], detail: { errorCode: ["Client.UnauthorizedOperation"] } },
    });
    const ec2 = new EC2Client(settings(aws, nobody, WEST));
    const InstanceIds = ["i-0123456789abcdef0", "i-0123456789abcdef1"];
    await failure(ec2.send(new TerminateInstancesCommand({ InstanceIds })));
    const { detail } = await denied.next();
    expect(detail).to.include({
      eventName: "TerminateInstances",
      eventSource: "ec2.amazonaws.com",
      awsRegion: WEST,
    });
    expect(detail.requestParameters).to.deep.equal({
      instancesSet: { items: InstanceIds.map((instanceId) => ({ instanceId })) },
    });
    expect(detail.responseElements).to.equal(null);
    await failure(ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: "nat-0123456789abcdef0" })));
    expect((await denied.next()).detail.requestParameters).to.deep.equal({
      DeleteNatGatewayRequest: { NatGatewayId: "nat-0123456789abcdef0" },
    });

    const iamErrors = await Listener.open(aws, {
      name: "iam-errors",
      region: EAST,
      pattern: { source: ["aws.iam"], detail: { errorCode: [{ exists: true }] } },
    });
    await failure(iamClient(aws, nobody).send(new DeleteUserCommand({ UserName: "made" })));
    const refused = await iamErrors.next();
    expect(refused.detail).to.include({ errorCode: "AccessDenied", requestParameters: null });
    expect(refused.detail.errorMessage).to.contain("iam:DeleteUser");
    await failure(iamClient(aws, admin).send(new DeleteUserCommand({ UserName: "absent" })));
    const absent = await iamErrors.next();
    expect(absent.detail.errorCode).to.equal("NoSuchEntityException");
  });

  it("does not record calls of unknown callers", async () => {
    const all = await Listener.open(aws, {
      name: "strangers",
      region: EAST,
      pattern: { source: ["aws.iam"] },
      state: ALL,
    });
    await failure(iamClient(aws, { ...admin, secretAccessKey: "wrong" }).send(new ListUsersCommand()));
    await failure(
      iamClient(aws, { accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "x" }).send(
        new ListUsersCommand(),
      ),
    );
    await iamClient(aws, admin).send(new GetUserCommand({ UserName: "admin" }));
    expect((await all.next()).detail.eventName).to.equal("GetUser");
    expect(await all.drain()).to.be.empty;
  });

  it("shows read-only calls only to rules that ask for all management events", async () => {
    const pattern = { source: ["aws.iam"], detail: { userIdentity: { userName: ["admin"] } } };
    const some = await Listener.open(aws, { name: "some", region: EAST, pattern });
    const all = await Listener.open(aws, { name: "all", region: EAST, pattern, state: ALL });
    await iamClient(aws, admin).send(new ListUsersCommand());
    await iamClient(aws, admin).send(new CreateUserCommand({ UserName: "after-reading" }));
    const read = await all.next();
    expect(read.detail).to.include({ eventName: "ListUsers", readOnly: true, responseElements: null });
    expect((await all.next()).detail.eventName).to.equal("CreateUser");
    expect((await some.next()).detail.eventName).to.equal("CreateUser");
    expect(await some.drain()).to.be.empty;
  });

  it("tells of a role's session who issued it, and records a cross-account AssumeRole in both accounts", async () => {
    const pattern = { source: ["aws.sts"] };
    const here = await Listener.open(aws, { name: "sts", region: WEST, pattern, state: ALL });
    const there = await Listener.open(aws, {
      name: "sts",
      region: WEST,
      pattern,
      state: ALL,
      accountId: MEMBER,
    });
    const assumed = await role(MEMBER, "worker", `arn:aws:iam::${SECURITY}:root`, ["iam:*"]);
    const { Credentials } = await stsClient(aws, admin, WEST).send(
      new AssumeRoleCommand({ RoleArn: assumed.Arn, RoleSessionName: "shift" }),
    );
    const caller = await here.next();
    expect(caller.detail).to.include({
      eventName: "AssumeRole",
      readOnly: true,
      recipientAccountId: SECURITY,
    });
    expect(caller.detail.requestParameters).to.include({ roleArn: assumed.Arn, roleSessionName: "shift" });
    expect(caller.detail.additionalEventData.RequestDetails).to.deep.equal({
      awsServingRegion: WEST,
      endpointType: "regional",
    });
    const target = await there.next();
    expect(target.account).to.equal(MEMBER);
    expect(target.detail.userIdentity).to.include({ type: "AWSAccount", accountId: SECURITY });
    expect(target.detail.sharedEventID).to.equal(caller.detail.sharedEventID);
    expect(JSON.stringify([caller, target])).to.not.contain(Credentials!.SessionToken!);

    const calls = await Listener.open(aws, {
      name: "calls",
      region: EAST,
      pattern: { source: ["aws.iam"] },
      accountId: MEMBER,
    });
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    await iamClient(aws, session).send(new CreateUserCommand({ UserName: "by-worker" }));
    const { userIdentity } = (await calls.next()).detail;
    expect(userIdentity).to.include({
      type: "AssumedRole",
      arn: `arn:aws:sts::${MEMBER}:assumed-role/worker/shift`,
      principalId: `${assumed.RoleId}:shift`,
    });
    expect(userIdentity.sessionContext.sessionIssuer).to.deep.equal({
      type: "Role",
      principalId: assumed.RoleId,
      arn: assumed.Arn,
      accountId: MEMBER,
      userName: "worker",
    });
    expect(userIdentity.sessionContext.attributes.mfaAuthenticated).to.equal("false");
  });

  it("does not record a denied cross-account AssumeRole in the target", async () => {
    const options = { region: WEST, pattern: { source: ["aws.sts"] }, state: ALL } as const;
    const here = await Listener.open(aws, { ...options, name: "refused" });
    const there = await Listener.open(aws, { ...options, name: "refused", accountId: MEMBER });
    const RoleArn = `arn:aws:iam::${MEMBER}:role/worker`;
    await failure(
      stsClient(aws, nobody, WEST).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "denied" })),
    );
    expect((await here.next()).detail.errorCode).to.equal("AccessDenied");
    expect(await there.drain()).to.be.empty;
  });

  it("tells calls of the global STS endpoint, and records them in us-east-1", async () => {
    const east = await Listener.open(aws, {
      name: "global-sts",
      region: EAST,
      pattern: { detail: { additionalEventData: { RequestDetails: { endpointType: ["global"] } } } },
      state: ALL,
    });
    const sts = new STSClient(settings(aws, admin, WEST));
    sts.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-bulkhead-endpoint"] =
          "sts.amazonaws.com";
        return next(args);
      },
      // After signing: the header is no part of the signature.
      { step: "finalizeRequest", priority: "low" },
    );
    const RoleArn = `arn:aws:iam::${MEMBER}:role/worker`;
    await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "global" }));
    const { detail, region } = await east.next();
    expect(region).to.equal(EAST);
    expect(detail.awsRegion).to.equal(EAST);
    expect(detail.tlsDetails.clientProvidedHostHeader).to.equal("sts.amazonaws.com");
  });

  it("writes S3's parameters as CloudTrail does, and leaves objects to data events", async () => {
    const s3Events = await Listener.open(aws, { name: "s3", region: WEST, pattern: { source: ["aws.s3"] } });
    const s3 = new S3Client(settings(aws, admin, WEST));
    await s3.send(new CreateBucketCommand({ Bucket: "bulkhead-trail-test" }));
    await s3.send(new PutObjectCommand({ Bucket: "bulkhead-trail-test", Key: "a", Body: "b" }));
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: "bulkhead-trail-test" }));
    const created = await s3Events.next();
    expect(created.detail.eventName).to.equal("CreateBucket");
    const { detail } = await s3Events.next();
    expect(detail.eventName).to.equal("DeleteBucketPolicy");
    expect(detail.requestParameters).to.include({ bucketName: "bulkhead-trail-test", policy: "" });
  });

  it("substitutes policy variables literally", async () => {
    const star = await user("star-user");
    await iam.send(
      new PutUserPolicyCommand({
        UserName: "star-user",
        PolicyName: "own",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: "iam:GetUser",
              Resource: "arn:aws:iam::*:user/${aws:username}",
            },
          ],
        }),
      }),
    );
    const own = iamClient(aws, star);
    expect((await own.send(new GetUserCommand({ UserName: "star-user" }))).User!.UserName).to.equal(
      "star-user",
    );
    expect((await own.send(new GetUserCommand({}))).User!.UserName).to.equal("star-user");
    expect((await failure(own.send(new GetUserCommand({ UserName: "admin" })))).name).to.match(
      /^AccessDenied/,
    );
  });
});
