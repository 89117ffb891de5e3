import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { ACCESS_LOG_FORMAT } from "../../components/approvalWorkflow/api";
import { ApprovalWorkflow } from "../../components/approvalWorkflow/approvalWorkflow";
import type { ApprovalWorkflowArgs } from "../../components/approvalWorkflow/args";
import { APPROVAL_FUNCTIONS } from "../../components/approvalWorkflow/names";
import { denialPatterns, PATTERN_LIMIT } from "../../components/approvalWorkflow/patterns";
import {
  type ApprovalAccess,
  approvalForwardingRequests,
  approvalPolicyRequests,
  approvalRoleRequests,
} from "../../components/approvalWorkflow/requests";
import { planMemberAccess } from "../../components/memberAccess/plan";
import { memberTemplate } from "../../components/memberAccess/template";
import { arn, partitionOf } from "../../components/regional/partition";
import { readPagesSettings } from "../../functions/approval/http/settings";
import { intake } from "../../functions/approval/intake/intake";
import { intakeSettings } from "../../functions/approval/intake/settings";
import { DEFAULT_EVENTS, KNOWN_EVENTS, OPERATIONS } from "../../functions/approval/operations/catalogue";
import { PREVIEW_ACTIONS } from "../../functions/approval/preview/look";
import { readApprovalSettings } from "../../functions/approval/settings";
import { analyze, analyzeStack } from "../policies/support/analyze";
import { ensureBuilt } from "../support/builtFunctions";
import { matchesPattern } from "../support/eventPattern";
import { jsonInput, type PulumiMocks, type Recorded, startMocks } from "../support/pulumiMocks";

const ACCOUNT = "222222222222";
const PROD = { name: "prod", region: "us-east-1", accountId: ACCOUNT };
const DR = { name: "dr", region: "us-west-2", accountId: ACCOUNT };
const PEER = { name: "dr", region: "us-west-2" };

interface Statement {
  Sid: string;
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}

async function created(change: Partial<ApprovalWorkflowArgs> = {}): Promise<PulumiMocks> {
  const mocks = await startMocks();
  const cell = change.cell ?? PROD;
  const { region } = cell;
  const own = (service: string, resource: string) =>
    arn({ partition: partitionOf(region), service, region, account: ACCOUNT, resource });
  const args: ApprovalWorkflowArgs = {
    cell,
    peer: PEER,
    kmsKeyArn: own("kms", "key/cell"),
    alertTopicArn: own("sns", "alerts"),
    directory: "ssm:/bulkhead/approval/directory",
    mail: { transport: "ses", from: "approval@example.com" },
    ...change,
  };
  const provider = new aws.Provider("cell", { region });
  await mocks.outputsOf(new ApprovalWorkflow("approval", args, { provider }));
  await mocks.settle();
  return mocks;
}

async function refusal(change: Partial<ApprovalWorkflowArgs>): Promise<string> {
  try {
    await created(change);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`taken: ${JSON.stringify(change)}`);
}

const environmentOf = (mocks: PulumiMocks, which: string) =>
  mocks.find("aws:lambda/function:Function", `approval-${which}-function`).inputs.environment.variables;
const settingsOf = (mocks: PulumiMocks, which: string) => readApprovalSettings(environmentOf(mocks, which));
const statementsOf = (mocks: PulumiMocks, which: string): Statement[] =>
  jsonInput(mocks.find("aws:iam/rolePolicy:RolePolicy", `approval-${which}-policy`), "policy").Statement;
const actionsOf = (statements: Statement[]) => statements.flatMap(({ Action }) => [Action].flat());
const sid = (statements: Statement[], name: string) => statements.find(({ Sid }) => Sid === name);

const SIGN_IN: ApprovalWorkflowArgs["pages"] = {
  signIn: {
    issuer: "https://login.example.com",
    clientId: "approval",
    clientSecretParameter: "/approval/oidc-secret",
    cookieKeyParameter: "/approval/cookie-key",
    acting: "either",
  },
  slack: { signingSecretParameter: "/approval/slack-secret", team: "T02ABCDEF" },
  iamUserAccounts: [ACCOUNT, "333333333333"],
};

describe("ApprovalWorkflow", () => {
  before(() => ensureBuilt(...APPROVAL_FUNCTIONS));

  for (const cell of [PROD, DR]) {
    it(`stands in ${cell.region} whole, by the given provider, but for what lies in the peer's region`, async () => {
      const peer = cell === PROD ? PEER : { name: "prod", region: "us-east-1" };
      const mocks = await created({ cell, peer, hubBusName: "bulkhead-hub" });
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      const custom = mocks.resources.filter((each) => each.custom && !each.type.startsWith("pulumi:"));
      const elsewhere = custom.filter(({ region }) => region !== cell.region);
      expect(elsewhere.map(({ name, region }) => [name, region])).to.deep.equal([
        ["approval-tables-key-replica", peer.region],
      ]);
      const counts: Record<string, number> = {};
      for (const { type } of custom) counts[type] = (counts[type] ?? 0) + 1;
      expect(counts).to.include({
        "aws:dynamodb/table:Table": 2,
        "aws:lambda/function:Function": 8,
        "aws:sfn/stateMachine:StateMachine": 1,
        "aws:apigatewayv2/api:Api": 1,
        "aws:apigatewayv2/stage:Stage": 1,
        "aws:kms/key:Key": 1,
        // Default bus, hub, sweep.
        "aws:cloudwatch/eventRule:EventRule": 3,
        // Eight functions, the state machine.
        "aws:iam/role:Role": 9,
      });
    });
  }

  describe("tables", () => {
    it("have a replica in the peer's region, are recoverable, and encrypted with a key that stands in both", async () => {
      const mocks = await created();
      const [requests, audit] = ["requests", "audit"].map(
        (which) => mocks.find("aws:dynamodb/table:Table", `approval-${which}`).inputs,
      );
      for (const table of [requests!, audit!]) {
        expect(table).to.deep.include({
          pointInTimeRecovery: { enabled: true },
          deletionProtectionEnabled: true,
          streamEnabled: true,
          streamViewType: "NEW_AND_OLD_IMAGES",
        });
        expect(table.serverSideEncryption.kmsKeyArn).to.match(/^arn:aws:kms:us-east-1:/);
        expect(table.replicas).to.have.length(1);
        expect(table.replicas[0]).to.include({ regionName: "us-west-2", pointInTimeRecovery: true });
        expect(table.replicas[0].kmsKeyArn).to.match(/^arn:aws:kms:us-west-2:/);
      }
      expect(requests).to.deep.include({
        name: "bulkhead-approval-requests-prod",
        hashKey: "pk",
        rangeKey: "sk",
        ttl: { attributeName: "expiresAt", enabled: true },
      });
      expect(audit).to.include({
        name: "bulkhead-approval-audit-prod",
        hashKey: "requestId",
        rangeKey: "entry",
      });
      expect(audit).to.not.have.property("ttl");
      expect(
        audit!.globalSecondaryIndexes.map((index: Record<string, string>) => [
          index.name,
          index.hashKey,
          index.rangeKey,
          index.projectionType,
        ]),
      ).to.have.deep.members([
        ["byRequester", "requester", "at", "ALL"],
        ["byCall", "call", "at", "ALL"],
        ["byDay", "day", "at", "ALL"],
      ]);
      expect(mocks.find("aws:kms/key:Key", "approval-tables-key").inputs).to.include({ multiRegion: true });
    });

    it("are not rewritten: no function may change or delete of the audit, or write the peer's", async () => {
      const mocks = await created({ executionMode: "role" });
      for (const name of APPROVAL_FUNCTIONS) {
        const writing = statementsOf(mocks, name.replace("approval-", "")).filter(({ Action }) =>
          [Action]
            .flat()
            .some((action) => /dynamodb:(Put|Update|Delete|Batch|Transact|Condition)/.test(action)),
        );
        for (const { Action, Resource, Sid } of writing) {
          if (Sid === "WriteOwnActivationRecord") continue;
          for (const resource of [Resource].flat()) {
            expect(resource, name).to.match(
              /^arn:aws:dynamodb:us-east-1:\d+:table\/bulkhead-approval-\w+-prod$/,
            );
            if (resource.includes("audit")) expect([Action].flat()).to.deep.equal(["dynamodb:PutItem"]);
          }
        }
      }
    });

    it("can be deleted in a trial", async () => {
      const mocks = await created({ deletionProtection: false });
      for (const { inputs } of mocks.ofType("aws:dynamodb/table:Table")) {
        expect(inputs.deletionProtectionEnabled).to.equal(false);
      }
    });
  });

  describe("functions", () => {
    it("are told everything in one variable, the pages in another", async () => {
      const mocks = await created({
        mail: { transport: "ses", from: "approval@example.com", templates: "s3://acme-templates/mails.json" },
        events: ["ec2:TerminateInstances"],
        externalId: "bulkhead-4f1c",
        workSeconds: 120,
        managementAccountId: "111111111111",
        pages: { timeZone: "Asia/Shanghai", language: "zh" },
      });
      const url = mocks.find("aws:apigatewayv2/api:Api", "approval-api");
      const settings = settingsOf(mocks, "work");
      expect(settings).to.deep.include({
        cell: { name: "prod", region: "us-east-1", accountId: ACCOUNT, namePrefix: "bulkhead" },
        tables: { requests: "bulkhead-approval-requests-prod", audit: "bulkhead-approval-audit-prod" },
        peer: {
          name: "dr",
          region: "us-west-2",
          tables: { requests: "bulkhead-approval-requests-dr", audit: "bulkhead-approval-audit-dr" },
        },
        stateMachineArn: `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:bulkhead-approval`,
        directory: "ssm:/bulkhead/approval/directory",
        alertTopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:alerts`,
        organization: {
          readerRoleArn: "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader",
        },
      });
      expect(settings.intake.events).to.deep.equal(["ec2:TerminateInstances"]);
      expect(settings.times.work).to.equal(120);
      expect(settings.roles).to.include({
        executor: "bulkhead/bulkhead-approval-executor",
        reader: "bulkhead/bulkhead-approval-reader",
        externalId: "bulkhead-4f1c",
      });
      expect(settings.messages).to.deep.include({
        timeZone: "Asia/Shanghai",
        language: "zh",
        acting: "code",
        templates: "s3://acme-templates/mails.json",
        mail: { kind: "ses", from: "approval@example.com" },
      });
      const pages = readPagesSettings(environmentOf(mocks, "http"));
      expect(pages).to.deep.include({
        cell: "prod",
        region: "us-east-1",
        baseUrl: settings.messages.baseUrl,
        requestsTable: "bulkhead-approval-requests-prod",
        auditTable: "bulkhead-approval-audit-prod",
        engineFunction: "bulkhead-approval-engine",
        events: ["ec2:TerminateInstances"],
      });
      expect(url.inputs.name).to.equal("bulkhead-approval");
      for (const name of ["intake", "step", "wait", "sweep", "engine", "desk"]) {
        expect(settingsOf(mocks, name), name).to.deep.equal(settings);
      }
      expect(environmentOf(mocks, "http")).to.not.have.property("APPROVAL_SETTINGS");
    });

    it("have room for their settings, and policies that IAM takes", async () => {
      const mocks = await created({
        events: [...KNOWN_EVENTS],
        pages: SIGN_IN,
        executionMode: "role",
        snapshots: { when: "data", by: "backup" },
        chats: [{ kind: "slack", webhookParameter: "/approval/slack", buttons: true }],
        managementAccountId: "111111111111",
        risk: { model: { url: "https://risk.example.com/", authorizationParameter: "/approval/risk" } },
      });
      for (const name of APPROVAL_FUNCTIONS) {
        const short = name.replace("approval-", "");
        const variables = environmentOf(mocks, short);
        expect(Buffer.byteLength(JSON.stringify(variables)), name).to.be.below(4_096);
        const policy = mocks.find("aws:iam/rolePolicy:RolePolicy", `approval-${short}-policy`).inputs.policy;
        expect(policy.length, name).to.be.below(10_240);
        const sids = statementsOf(mocks, short).map(({ Sid }) => Sid);
        expect(new Set(sids).size, `statements of ${name}`).to.equal(sids.length);
      }
    });

    it("may do what they are for", async () => {
      const mocks = await created();
      const execution = [
        `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:bulkhead-approval`,
        `arn:aws:states:us-east-1:${ACCOUNT}:execution:bulkhead-approval:*`,
      ];
      const anywhere = (role: string) => `arn:aws:iam::*:role/bulkhead/bulkhead-approval-${role}`;
      const intakes = statementsOf(mocks, "intake");
      expect(sid(intakes, "StartExecutions")!.Resource).to.deep.equal(execution);
      expect(sid(intakes, "LookAtResources")).to.include({
        Action: "sts:AssumeRole",
        Resource: anywhere("reader"),
      });
      expect(sid(intakes, "ReadPeersRequests")!.Resource).to.equal(
        `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/bulkhead-approval-requests-dr`,
      );
      const work = statementsOf(mocks, "work");
      expect(sid(work, "CarryOut")).to.deep.include({
        Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
        Resource: anywhere("executor"),
      });
      // Only the one function that has seen the approvals.
      for (const name of APPROVAL_FUNCTIONS.filter((each) => each !== "approval-work")) {
        const text = JSON.stringify(statementsOf(mocks, name.replace("approval-", "")));
        expect(text, name).to.not.include("approval-executor");
      }
      expect(actionsOf(statementsOf(mocks, "wait"))).to.not.include("states:StartExecution");
      expect(sid(statementsOf(mocks, "step"), "Messages1SendMail")!.Condition).to.deep.equal({
        StringEquals: { "ses:FromAddress": "approval@example.com" },
      });
      expect(sid(statementsOf(mocks, "step"), "ReadDocumentParameters")!.Resource).to.deep.equal([
        `arn:aws:ssm:us-east-1:${ACCOUNT}:parameter/bulkhead/approval/directory`,
      ]);
    });

    it("that face the internet start nothing and assume nothing that acts", async () => {
      const mocks = await created({ pages: SIGN_IN });
      const http = statementsOf(mocks, "http");
      expect(
        actionsOf(http).filter((action) => /^(states|sts|lambda|ses|iam|sns):/.test(action)),
      ).to.deep.equal(["lambda:InvokeFunction", "iam:GetUser", "sts:AssumeRole"]);
      expect(sid(http, "AskTheEngine")!.Resource).to.equal(
        `arn:aws:lambda:us-east-1:${ACCOUNT}:function:bulkhead-approval-engine`,
      );
      expect(sid(http, "LookUsersOfOthersUp")!.Resource).to.deep.equal([
        "arn:aws:iam::333333333333:role/bulkhead/bulkhead-approval-identity-reader",
      ]);
      expect(sid(http, "ReadSecrets")!.Resource).to.deep.equal(
        ["cookie-key", "oidc-secret", "slack-secret"].map(
          (name) => `arn:aws:ssm:us-east-1:${ACCOUNT}:parameter/approval/${name}`,
        ),
      );
    });

    it("with temporary roles assume these, not the executor", async () => {
      const mocks = await created({ executionMode: "role" });
      const work = statementsOf(mocks, "work");
      expect(sid(work, "CarryOut")).to.equal(undefined);
      expect(sid(work, "CarryOutByTemporaryRoles")!.Resource).to.equal(
        "arn:aws:iam::*:role/bulkhead/approval-temporary/*",
      );
      expect(settingsOf(mocks, "work").execution.mode).to.equal("role");
    });

    it("send by a mail server where there is no SES", async () => {
      const cell = { name: "prod", region: "cn-north-1", accountId: ACCOUNT };
      const smtp = {
        host: "mail.example.cn",
        userParameter: "/smtp/user",
        passwordParameter: "/smtp/password",
      };
      const mocks = await created({
        cell,
        peer: { name: "dr", region: "cn-northwest-1" },
        mail: { transport: "smtp", from: "approval@example.cn", smtp },
      });
      expect(settingsOf(mocks, "step").messages.mail).to.deep.include({
        kind: "smtp",
        host: "mail.example.cn",
        port: 587,
      });
      const everything = JSON.stringify(mocks.resources.map(({ inputs }) => inputs));
      expect(everything).to.not.match(/arn:aws:/);
    });
  });

  describe("pages", () => {
    it("are three interfaces and what belongs to them, each with a route of its own", async () => {
      const routes = async (pages: ApprovalWorkflowArgs["pages"]) =>
        (await created({ pages }))
          .ofType("aws:apigatewayv2/route:Route")
          .map(({ inputs }) => inputs.routeKey);
      const plain = ["confirm", "decide", "execute", "form", "status", "renew"].map((path) => `ANY /${path}`);
      expect(await routes({})).to.have.members(plain);
      expect(await routes(SIGN_IN)).to.have.members([
        ...plain,
        ...["requests", "request", "new", "sign-in", "callback", "sign-out"].map((path) => `ANY /${path}`),
        "POST /slack",
      ]);
    });

    it("are throttled, logged without addresses, and answered by their function alone", async () => {
      const mocks = await created({ pages: { throttlingRate: 5, throttlingBurst: 10 } });
      const stage = mocks.find("aws:apigatewayv2/stage:Stage", "approval-api-stage").inputs;
      expect(stage).to.include({ name: "$default", autoDeploy: true });
      expect(stage.defaultRouteSettings).to.include({ throttlingRateLimit: 5, throttlingBurstLimit: 10 });
      expect(JSON.parse(stage.accessLogSettings.format)).to.deep.equal(ACCESS_LOG_FORMAT);
      for (const variable of Object.values(ACCESS_LOG_FORMAT)) {
        expect(variable).to.not.match(/path|query|domainName|header|authorizer/i);
      }
      expect(mocks.find("aws:lambda/permission:Permission", "approval-api-permission").inputs).to.include({
        principal: "apigateway.amazonaws.com",
      });
      expect(
        mocks.find("aws:apigatewayv2/integration:Integration", "approval-api-integration").inputs,
      ).to.include({ payloadFormatVersion: "2.0", integrationType: "AWS_PROXY" });
      const logs = mocks.find("aws:cloudwatch/logGroup:LogGroup", "approval-api-logs").inputs;
      expect(logs).to.include({
        retentionInDays: 365,
        kmsKeyId: `arn:aws:kms:us-east-1:${ACCOUNT}:key/cell`,
      });
    });

    it("have a name of their own when one is given, and no other way in", async () => {
      const certificateArn = `arn:aws:acm:us-east-1:${ACCOUNT}:certificate/1`;
      const mocks = await created({ pages: { domain: { name: "approval.example.com", certificateArn } } });
      expect(mocks.find("aws:apigatewayv2/api:Api").inputs.disableExecuteApiEndpoint).to.equal(true);
      expect(mocks.find("aws:apigatewayv2/domainName:DomainName").inputs).to.deep.include({
        domainName: "approval.example.com",
        domainNameConfiguration: { certificateArn, endpointType: "REGIONAL", securityPolicy: "TLS_1_2" },
      });
      expect(mocks.find("aws:apigatewayv2/apiMapping:ApiMapping").inputs.stage).to.be.a("string");
      expect(settingsOf(mocks, "step").messages.baseUrl).to.equal("https://approval.example.com");
    });
  });

  describe("events", () => {
    /** A record as CloudTrail has it, of the caller and the code that are given. */
    const denied = (eventSource: string, eventName: string, errorCode: string, type = "IAMUser") => ({
      source: `aws.${eventSource.split(".")[0]}`,
      "detail-type": "AWS API Call via CloudTrail",
      detail: { eventSource, eventName, errorCode, userIdentity: { type } },
    });
    const watched = (events: readonly string[], more = {}) =>
      denialPatterns({ events, allowRoleSessions: false, allowSso: false, ...more });

    it("of every operation reach intake, by each code of a denial, and fit into EventBridge's limit", () => {
      for (const events of [DEFAULT_EVENTS, KNOWN_EVENTS, ["ec2:TerminateInstances"]]) {
        const patterns = watched(events);
        for (const { eventPattern } of patterns) {
          expect(JSON.stringify(eventPattern).length).to.be.at.most(PATTERN_LIMIT);
        }
        const matched = (event: object) =>
          patterns.filter(({ eventPattern }) => matchesPattern(eventPattern, event));
        for (const { event, eventSource, eventName } of OPERATIONS) {
          if (!events.includes(event)) continue;
          for (const code of ["Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException"]) {
            expect(matched(denied(eventSource, eventName, code)), `${event} ${code}`).to.have.length(1);
          }
          expect(matched(denied(eventSource, eventName, "Client.DryRunOperation"))).to.deep.equal([]);
        }
      }
    });

    it("of sessions count only when they are enabled", () => {
      const matches = (type: string, more: object) =>
        watched(DEFAULT_EVENTS, more).some(({ eventPattern }) =>
          matchesPattern(
            eventPattern,
            denied("ec2.amazonaws.com", "TerminateInstances", "AccessDenied", type),
          ),
        );
      expect(matches("AssumedRole", {})).to.equal(false);
      expect(matches("AssumedRole", { allowRoleSessions: true })).to.equal(true);
      expect(matches("AssumedRole", { allowSso: true })).to.equal(true);
      expect(matches("FederatedUser", { allowSso: true })).to.equal(false);
      expect(matches("IdentityCenterUser", { allowSso: true })).to.equal(true);
      expect(matches("Root", { allowSso: true, allowRoleSessions: true })).to.equal(false);
    });

    it("that the pattern lets in although they are not watched, intake leaves alone", () => {
      // Services share names: the pattern takes sources and names together.
      const settings = intakeSettings({ events: ["rds:DeleteDBInstance"] });
      const foreign = denied("redshift.amazonaws.com", "DeleteCluster", "AccessDenied");
      expect(intake(foreign, settings)).to.include({ ignore: true });
    });

    it("come from the default bus and the hub's, with a queue for what is not delivered", async () => {
      const mocks = await created({ hubBusName: "bulkhead-hub" });
      const rules = mocks
        .ofType("aws:cloudwatch/eventRule:EventRule")
        .filter(({ inputs }) => inputs.eventPattern);
      expect(rules.map(({ inputs }) => [inputs.name, inputs.eventBusName])).to.have.deep.members([
        ["bulkhead-approval", undefined],
        ["bulkhead-approval", "bulkhead-hub"],
      ]);
      const targets = mocks
        .ofType("aws:cloudwatch/eventTarget:EventTarget")
        .filter(({ inputs }) => inputs.targetId === "approval-intake");
      expect(targets).to.have.length(2);
      for (const { inputs } of targets)
        expect(inputs.deadLetterConfig.arn).to.include("approval-undelivered");
      const sources = mocks
        .ofType("aws:lambda/permission:Permission")
        .filter(({ inputs }) => inputs.principal === "events.amazonaws.com")
        .map(({ inputs }) => inputs.sourceArn);
      expect(sources).to.have.members([
        `arn:aws:events:us-east-1:${ACCOUNT}:rule/bulkhead-approval*`,
        `arn:aws:events:us-east-1:${ACCOUNT}:rule/bulkhead-hub/bulkhead-approval*`,
        `arn:aws:events:us-east-1:${ACCOUNT}:rule/bulkhead-approval*`,
      ]);
      expect(
        mocks.find("aws:cloudwatch/eventRule:EventRule", "approval-sweep-schedule").inputs.scheduleExpression,
      ).to.equal("rate(5 minutes)");
    });

    it("have alarms for what goes wrong", async () => {
      const mocks = await created();
      const own = mocks
        .ofType("aws:cloudwatch/metricAlarm:MetricAlarm")
        .filter(({ parentName }) => parentName === "approval");
      expect(own.map(({ inputs }) => inputs.name)).to.have.members([
        "bulkhead-approval-undelivered",
        "bulkhead-approval-executions-failed",
        "bulkhead-approval-executions-timed-out",
        "bulkhead-approval-executions-aborted",
        "bulkhead-approval-sweep-missed",
        "bulkhead-approval-bypass-used",
        "bulkhead-approval-requests-stuck",
      ]);
      for (const { inputs } of own) {
        expect(inputs.alarmActions).to.deep.equal([`arn:aws:sns:us-east-1:${ACCOUNT}:alerts`]);
      }
    });
  });

  describe("in other accounts", () => {
    const access: ApprovalAccess = { cell: PROD, peer: PEER };
    const plan = (change: Partial<ApprovalAccess> = {}) =>
      planMemberAccess({
        namePrefix: "bulkhead",
        hubs: [{ id: "prod", arn: "arn:aws:events:us-east-1:222222222222:event-bus/bulkhead-hub" }],
        roles: approvalRoleRequests({ ...access, ...change }),
        policies: approvalPolicyRequests({ ...access, ...change }),
        eventForwarding: approvalForwardingRequests({ ...access, ...change }),
      });
    const roleOf = (name: string, change: Partial<ApprovalAccess> = {}) =>
      plan(change).roles.find((role) => role.name === `bulkhead-approval-${name}`)!;

    it("the executor trusts the working function of both cells, for sessions that say for which request", () => {
      const executor = roleOf("executor", { externalId: "bulkhead-4f1c" });
      expect(executor).to.include({ path: "/bulkhead/", maxSessionDuration: 3600 });
      expect(executor.trust.Statement).to.deep.equal([
        {
          Effect: "Allow",
          Principal: { AWS: [`arn:aws:iam::${ACCOUNT}:root`] },
          Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
          Condition: {
            StringEquals: {
              "aws:PrincipalArn": ["dr", "prod"].map(
                (cell) => `arn:aws:iam::${ACCOUNT}:role/bulkhead/bulkhead-approval-work-${cell}`,
              ),
              "sts:ExternalId": "bulkhead-4f1c",
            },
            StringLike: { "sts:SourceIdentity": "*" },
          },
        },
      ]);
    });

    it("the executor can do what is watched and nothing else", () => {
      for (const events of [DEFAULT_EVENTS, KNOWN_EVENTS, ["s3:DeleteBucket"]]) {
        const statements = roleOf("executor", { events: [...events] }).policy
          .Statement as unknown as Statement[];
        const wanted = OPERATIONS.filter(({ event }) => events.includes(event)).flatMap(({ grants }) =>
          grants.flatMap(({ actions }) => actions),
        );
        expect(new Set(actionsOf(statements))).to.deep.equal(new Set(wanted));
        for (const { Resource } of statements) {
          for (const resource of [Resource].flat())
            expect(resource).to.match(/^arn:\$\{AWS::Partition\}:[a-z0-9]+:/);
        }
      }
      const text = JSON.stringify(roleOf("executor").policy);
      expect(text).to.include("arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:instance/*");
      expect(text).to.include("arn:${AWS::Partition}:ec2:*::snapshot/*");
      expect(text).to.include("arn:${AWS::Partition}:s3:::*");
    });

    it("the reader only looks", () => {
      const [look] = roleOf("reader").policy.Statement as unknown as Statement[];
      expect(look!.Action).to.deep.equal([...PREVIEW_ACTIONS]);
      for (const action of PREVIEW_ACTIONS) expect(action).to.match(/:(Get|List|Describe)/);
    });

    it("further roles stand only where they are needed", () => {
      const names = (change: Partial<ApprovalAccess>) => plan(change).roles.map(({ name }) => name);
      expect(names({})).to.deep.equal(["bulkhead-approval-executor", "bulkhead-approval-reader"]);
      expect(plan().policies).to.deep.equal([]);
      const all = { executionMode: "role", snapshots: "data", iamUserAccounts: ["333333333333"] };
      expect(names(all)).to.deep.equal([
        "bulkhead-approval-executor",
        "bulkhead-approval-identity-reader",
        "bulkhead-approval-reader",
        "bulkhead-approval-role-manager",
        "bulkhead-approval-snapshot",
      ]);
      const [making] = roleOf("role-manager", all).policy.Statement as unknown as Statement[];
      expect(making).to.deep.include({
        Action: ["iam:CreateRole", "iam:PutRolePolicy"],
        Resource: ["arn:${AWS::Partition}:iam::${AWS::AccountId}:role/bulkhead/approval-temporary/*"],
        Condition: {
          StringEquals: {
            "iam:PermissionsBoundary": [
              "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/bulkhead/bulkhead-approval-boundary",
            ],
          },
        },
      });
      expect(plan(all).policies.map(({ name, path }) => path + name)).to.deep.equal([
        "/bulkhead/bulkhead-approval-boundary",
      ]);
      expect(
        JSON.stringify(plan({ ...all, events: [...KNOWN_EVENTS] }).policies[0]!.document).length,
      ).to.be.below(6_144);
    });

    it("all of it fits into the members' template", () => {
      const all = { executionMode: "role", snapshots: "data", events: [...KNOWN_EVENTS] };
      const template = JSON.parse(memberTemplate(plan(all)));
      expect(template.Resources).to.have.property("PolicyBulkheadApprovalBoundary");
      expect(template.Resources.RuleBulkheadApprovalForward.Properties.Name).to.equal(
        "bulkhead-approval-forward",
      );
    });

    it("the cell's own account gets the same roles, from one of the cells", async () => {
      const mocks = await created({ ownsAccountRoles: true, executionMode: "role" });
      const executor = mocks.find("aws:iam/role:Role", "approval-executor").inputs;
      const planned = roleOf("executor");
      expect(executor).to.include({ name: planned.name, path: planned.path, maxSessionDuration: 3600 });
      expect(JSON.parse(executor.assumeRolePolicy)).to.deep.equal(planned.trust);
      expect(mocks.find("aws:iam/policy:Policy", "approval-boundary").inputs.path).to.equal("/bulkhead/");
      const without = await created();
      expect(without.ofType("aws:iam/role:Role").map(({ name }) => name)).to.not.include("approval-executor");
    });
  });

  it("keeps to the policy pack's rules for it", async () => {
    const mocks = await created({ ownsAccountRoles: true, pages: SIGN_IN, hubBusName: "bulkhead-hub" });
    const resources = mocks.resources
      .filter(({ custom, type }: Recorded) => custom && !type.startsWith("pulumi:"))
      .map(({ type, name, urn, inputs }: Recorded) => ({ type, name, urn, props: inputs }));
    for (const rule of ["executor-role-trust", "audit-table-protected", "no-task-token-in-url"]) {
      for (const resource of resources)
        expect(await analyze(rule, resource), resource.name).to.deep.equal([]);
    }
    expect(await analyzeStack("audit-table-protected", resources)).to.deep.equal([]);
  });

  describe("refuses", () => {
    const cases: [string, Partial<ApprovalWorkflowArgs>, string][] = [
      ["events", { events: ["ec2:StopInstances"] }, 'events has "ec2:StopInstances": supported are'],
      ["no events", { events: [] }, "events is empty"],
      [
        "directory",
        { directory: "https://example.com" },
        'directory is "https://example.com": s3://BUCKET/KEY',
      ],
      [
        "templates",
        { mail: { transport: "ses", from: "a@b.c", templates: "x" } },
        'mail.templates is "x": s3://BUCKET/KEY or ssm:/NAME',
      ],
      ["transport", { mail: { transport: "fax", from: "a@b.c" } }, 'mail.transport is "fax"'],
      ["sender", { mail: { transport: "ses", from: "nobody" } }, 'mail.from is "nobody"'],
      ["mode", { executionMode: "always" }, "executionMode"],
      ["confirmation", { confirmationSeconds: 0 }, "confirmationSeconds"],
      ["work", { workSeconds: 1 }, "workSeconds"],
      ["snapshots", { snapshots: { when: "sometimes" } }, "snapshots.when"],
      ["time zone", { pages: { timeZone: "Mars/Olympus" } }, "pages.timeZone"],
      ["language", { pages: { language: "tlh" } }, "pages.language"],
      ["issuer", { pages: { signIn: { ...SIGN_IN.signIn!, issuer: "http://x" } } }, "pages.signIn.issuer"],
      ["acting", { pages: { signIn: { ...SIGN_IN.signIn!, acting: "mind" } } }, "pages.signIn.acting"],
      ["team", { pages: { slack: { signingSecretParameter: "/s", team: "acme" } } }, "pages.slack.team"],
      ["rate", { pages: { throttlingRate: 0 } }, "pages.throttlingRate is 0"],
      ["burst", { pages: { throttlingBurst: 9_999 } }, "pages.throttlingBurst is 9999"],
      [
        "domain",
        { pages: { domain: { name: "approval", certificateArn: "arn" } } },
        'pages.domain.name is "approval": a host name',
      ],
      [
        "buttons in Teams",
        { chats: [{ kind: "teams", webhookParameter: "/t", buttons: true }] },
        "chats[0].buttons is true: only Slack",
      ],
      [
        "buttons without a signature",
        { chats: [{ kind: "slack", webhookParameter: "/s", buttons: true }] },
        "give pages.slack",
      ],
      ["peer", { peer: { name: "prod", region: "us-west-2" } }, 'peer.name is "prod"'],
      ["retention", { logRetentionDays: 1_000 }, "logRetentionDays is 1000"],
      ["management account", { managementAccountId: "1" }, 'managementAccountId is "1"'],
      [
        "settings that are too long",
        { emergencyUserNames: Array.from({ length: 80 }, (_, n) => `breakglass-administrator-number-${n}`) },
        "more than a function's environment holds",
      ],
    ];
    for (const [what, change, message] of cases) {
      it(what, async () => expect(await refusal(change)).to.include(message));
    }
  });
});
