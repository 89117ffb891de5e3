/** What approval needs of the local AWS: source identities, session policies that end, EC2 calls as AWS authorises them, HTTP APIs. */
import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
  DeleteAccessLogSettingsCommand,
  GetStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { strToU8, zipSync } from "fflate";
import { accessEnd, sessionPolicy } from "../../functions/approval/policy/sessionPolicy";
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

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const MEMBER = "333333333333";
const EXECUTOR = `arn:aws:iam::${MEMBER}:role/executor`;
const instanceArn = (id: string) => `arn:aws:ec2:${WEST}:${MEMBER}:instance/${id}`;

describe("local AWS: what approval needs", () => {
  let aws: LocalAws;
  before(async () => {
    aws = await launch();
  });
  after(() => aws?.stop());

  async function user(accountId: string, UserName: string, ...statements: object[]): Promise<Credentials> {
    const iam = iamClient(aws, rootOf(accountId));
    await iam.send(new CreateUserCommand({ UserName }));
    if (statements.length > 0) {
      await iam.send(
        new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: document(...statements) }),
      );
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  }

  async function instances(count: number): Promise<string[]> {
    const ec2 = new EC2Client(settings(aws, rootOf(MEMBER), WEST));
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: "ami-12345678",
        MinCount: count,
        MaxCount: count,
        InstanceType: "t3.micro",
      }),
    );
    return Instances!.map(({ InstanceId }) => InstanceId!);
  }

  async function states(ids: string[]): Promise<(string | undefined)[]> {
    const ec2 = new EC2Client(settings(aws, rootOf(MEMBER), WEST));
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ State }) => State?.Name));
  }

  describe("the executor's sessions", () => {
    let worker: Credentials;
    before(async () => {
      const allow = (Action: string[]) => ({ Effect: "Allow", Action, Resource: EXECUTOR });
      worker = await user(SECURITY, "worker", allow(["sts:AssumeRole", "sts:SetSourceIdentity"]));
      const iam = iamClient(aws, rootOf(MEMBER));
      await iam.send(
        new CreateRoleCommand({
          RoleName: "executor",
          AssumeRolePolicyDocument: document({
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${SECURITY}:root` },
            Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
            Condition: { StringLike: { "sts:SourceIdentity": "*" } },
          }),
        }),
      );
      await iam.send(
        new PutRolePolicyCommand({
          RoleName: "executor",
          PolicyName: "p",
          PolicyDocument: document({
            Effect: "Allow",
            Action: ["ec2:TerminateInstances", "ec2:DescribeInstances", "sts:*"],
            Resource: "*",
          }),
        }),
      );
    });

    const assume = async (as: Credentials, more: { SourceIdentity?: string; Policy?: string }) => {
      const { Credentials: made } = await stsClient(aws, as, WEST).send(
        new AssumeRoleCommand({ RoleArn: EXECUTOR, RoleSessionName: "session", ...more }),
      );
      return {
        accessKeyId: made!.AccessKeyId!,
        secretAccessKey: made!.SecretAccessKey!,
        sessionToken: made!.SessionToken!,
      };
    };

    it("are refused without a source identity", async () => {
      const error = await failure(assume(worker, {}));
      expect(error.name).to.equal("AccessDenied");
      expect(error.message).to.contain("sts:AssumeRole");
    });

    it("need the caller's permission to set one", async () => {
      const other = await user(SECURITY, "other", {
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Resource: EXECUTOR,
      });
      const error = await failure(assume(other, { SourceIdentity: "request-1" }));
      expect(error.name).to.equal("AccessDenied");
      expect(error.message).to.contain("sts:SetSourceIdentity");
    });

    it("carry it into what the trail records, and keep it", async () => {
      const listener = await Listener.open(aws, {
        name: "terminated",
        region: WEST,
        accountId: MEMBER,
        pattern: { source: ["aws.ec2"], detail: { eventName: ["TerminateInstances"] } },
      });
      const [id] = await instances(1);
      const session = await assume(worker, { SourceIdentity: "request-2" });
      await new EC2Client(settings(aws, session, WEST)).send(
        new TerminateInstancesCommand({ InstanceIds: [id!] }),
      );
      const { detail } = await listener.next();
      expect(detail.userIdentity.sessionContext.sourceIdentity).to.equal("request-2");
      expect(detail.userIdentity.sessionContext.sessionIssuer.arn).to.equal(EXECUTOR);
      const other = await failure(assume(session, { SourceIdentity: "request-3" }));
      expect(other.name).to.equal("AccessDenied");
      expect(other.message).to.contain("cannot be changed");
    });

    it("may do what their policy names, to nothing else, and only until it ends", async () => {
      const [first, second] = await instances(2);
      const grants = [{ actions: ["ec2:TerminateInstances"], resources: [instanceArn(first!)] }];
      const withPolicy = async (Policy: string) =>
        new EC2Client(settings(aws, await assume(worker, { SourceIdentity: "request-4", Policy }), WEST));

      const late = await withPolicy(sessionPolicy(grants, new Date(Date.now() - 1_000)));
      const ended = await failure(late.send(new TerminateInstancesCommand({ InstanceIds: [first!] })));
      expect(ended.name).to.equal("UnauthorizedOperation");
      expect(ended.message).to.contain("because no session policy allows");

      const timely = await withPolicy(sessionPolicy(grants, accessEnd(new Date())));
      // Each of the instances has to be allowed, not only the first.
      const both = await failure(
        timely.send(new TerminateInstancesCommand({ InstanceIds: [first!, second!] })),
      );
      expect(both.name).to.equal("UnauthorizedOperation");
      expect(await states([first!, second!])).to.deep.equal(["running", "running"]);
      const dry = await failure(
        timely.send(new TerminateInstancesCommand({ InstanceIds: [first!], DryRun: true })),
      );
      expect(dry.name).to.equal("DryRunOperation");
      expect(await states([first!])).to.deep.equal(["running"]);
      await timely.send(new TerminateInstancesCommand({ InstanceIds: [first!] }));
      expect(await states([first!])).to.not.include("running");
      const again = await failure(timely.send(new TerminateInstancesCommand({ InstanceIds: [second!] })));
      expect(again.name).to.equal("UnauthorizedOperation");
    });
  });

  it("records a denied TerminateInstances as EC2 does", async () => {
    const operator = await user(MEMBER, "operator", {
      Effect: "Deny",
      Action: "ec2:TerminateInstances",
      Resource: "*",
    });
    const listener = await Listener.open(aws, {
      name: "denied",
      region: WEST,
      accountId: MEMBER,
      pattern: { source: ["aws.ec2"], detail: { errorCode: ["Client.UnauthorizedOperation"] } },
    });
    const [first, second] = await instances(2);
    const ec2 = new EC2Client(settings(aws, operator, WEST));
    const error = await failure(ec2.send(new TerminateInstancesCommand({ InstanceIds: [first!, second!] })));
    expect(error.name).to.equal("UnauthorizedOperation");
    const { detail } = await listener.next();
    expect(detail).to.deep.include({
      eventName: "TerminateInstances",
      eventSource: "ec2.amazonaws.com",
      errorCode: "Client.UnauthorizedOperation",
      recipientAccountId: MEMBER,
      awsRegion: WEST,
      requestParameters: { instancesSet: { items: [{ instanceId: first }, { instanceId: second }] } },
    });
    expect(detail.userIdentity).to.deep.include({ type: "IAMUser", userName: "operator" });
  });

  describe("HTTP APIs", () => {
    const CODE = `export const handler = async (event) => ({
      statusCode: 201,
      headers: { "content-type": "application/json", "x-seen": event.routeKey },
      cookies: ["one=1; Secure", "two=2"],
      body: JSON.stringify(event),
    });`;
    let gateway: ApiGatewayV2Client;
    let apiId: string;
    let endpoint: string;

    before(async () => {
      const root = settings(aws, rootOf(SECURITY), WEST);
      const iam = iamClient(aws, rootOf(SECURITY));
      const trust = {
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      };
      await iam.send(new CreateRoleCommand({ RoleName: "pages", AssumeRolePolicyDocument: document(trust) }));
      const lambda = new LambdaClient(root);
      const { FunctionArn } = await lambda.send(
        new CreateFunctionCommand({
          FunctionName: "pages",
          Role: `arn:aws:iam::${SECURITY}:role/pages`,
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          Code: { ZipFile: zipSync({ "index.mjs": strToU8(CODE) }) },
        }),
      );
      gateway = new ApiGatewayV2Client(root);
      const api = await gateway.send(new CreateApiCommand({ Name: "pages", ProtocolType: "HTTP" }));
      apiId = api.ApiId!;
      endpoint = api.ApiEndpoint!;
      const { IntegrationId } = await gateway.send(
        new CreateIntegrationCommand({
          ApiId: apiId,
          IntegrationType: "AWS_PROXY",
          IntegrationUri: FunctionArn,
          PayloadFormatVersion: "2.0",
        }),
      );
      for (const RouteKey of ["GET /see", "POST /act", "GET /closed"]) {
        await gateway.send(
          new CreateRouteCommand({ ApiId: apiId, RouteKey, Target: `integrations/${IntegrationId}` }),
        );
      }
      await gateway.send(
        new CreateStageCommand({
          ApiId: apiId,
          StageName: "$default",
          AutoDeploy: true,
          AccessLogSettings: {
            DestinationArn: `arn:aws:logs:${WEST}:${SECURITY}:log-group:x`,
            Format: "$context.requestId",
          },
        }),
      );
      for (const route of ["GET/see", "POST/act"]) {
        await lambda.send(
          new AddPermissionCommand({
            FunctionName: "pages",
            StatementId: route.replace("/", "-"),
            Action: "lambda:InvokeFunction",
            Principal: "apigateway.amazonaws.com",
            SourceArn: `arn:aws:execute-api:${WEST}:${SECURITY}:${apiId}/*/${route}`,
          }),
        );
      }
    });

    it("are open to a browser, and tell functions of a request as AWS does", async () => {
      const answer = await fetch(`${endpoint}/see?id=a%20b&id=c`, {
        headers: { Cookie: "session=s; other=o", "Accept-Language": "zh" },
      });
      expect(answer.status).to.equal(201);
      expect(answer.headers.get("x-seen")).to.equal("GET /see");
      expect(answer.headers.getSetCookie()).to.deep.equal(["one=1; Secure", "two=2"]);
      const event = (await answer.json()) as Record<string, unknown> & { headers: Record<string, string> };
      expect(event).to.deep.include({
        version: "2.0",
        routeKey: "GET /see",
        rawPath: "/see",
        rawQueryString: "id=a%20b&id=c",
        cookies: ["session=s", "other=o"],
        isBase64Encoded: false,
      });
      expect(event).to.not.have.property("body");
      expect(event.headers["accept-language"]).to.equal("zh");
      expect(event.headers).to.not.have.property("cookie");
    });

    it("hand over a form's bytes", async () => {
      const body = "choice=approve&reason=%E5%A5%BD";
      const answer = await fetch(`${endpoint}/act`, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
      const event = (await answer.json()) as { body: string; isBase64Encoded: boolean };
      expect(event.isBase64Encoded).to.equal(true);
      expect(Buffer.from(event.body, "base64").toString()).to.equal(body);
    });

    it("need the function's permission, for each route", async () => {
      const answer = await fetch(`${endpoint}/closed`);
      expect(answer.status).to.equal(500);
      expect((await fetch(`${endpoint}/nowhere`)).status).to.equal(404);
    });

    it("are gone with their region", async () => {
      const cutOff = (regions: string[]) =>
        fetch(`${aws.url}/_bulkhead/outage`, { method: "PUT", body: JSON.stringify({ regions }) });
      await cutOff([WEST]);
      try {
        expect((await fetch(`${endpoint}/see`)).status).to.equal(503);
      } finally {
        await cutOff([]);
      }
      await cutOff([EAST]);
      try {
        expect((await fetch(`${endpoint}/see`)).status).to.equal(201);
      } finally {
        await cutOff([]);
      }
    });

    it("keep their stage when its access log ends", async () => {
      const stage = { ApiId: apiId, StageName: "$default" };
      await gateway.send(new DeleteAccessLogSettingsCommand(stage));
      expect(await gateway.send(new GetStageCommand(stage))).to.not.have.property("AccessLogSettings");
    });
  });

  it("knows who a session is", async () => {
    const { Account } = await stsClient(aws, rootOf(MEMBER), WEST).send(new GetCallerIdentityCommand({}));
    expect(Account).to.equal(MEMBER);
  });
});
