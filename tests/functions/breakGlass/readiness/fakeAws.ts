/** AWS in memory, as the collectors ask it: two cells whose emergency access is as it should be, with faults on demand. */
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { IAMClient } from "@aws-sdk/client-iam";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import type { ReadinessPorts } from "../../../../functions/breakGlass/readiness/collect";
import type { RegionalClients } from "../../../../functions/breakGlass/readiness/collectCell";
import type { Observations } from "../../../../functions/breakGlass/readiness/observations";
import type { ReadinessPolicy } from "../../../../functions/breakGlass/readiness/policy";
import { InMemoryEvidenceStore } from "../../../../functions/breakGlass/records/inMemoryEvidenceStore";
import { EvidenceUnavailable } from "../../../../functions/breakGlass/records/store";
import { NOW } from "./ready";

/** What a call is about. */
export interface Call {
  /** `iam`, `organizations` or one of the regional clients' names. */
  service: string;
  /** Empty for services without regions. */
  region: string;
  operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: the input of any call
  input: any;
}

/** What becomes of a call: a fault, or nothing. `hang` never answers. */
export type Fault = (call: Call) => Error | "hang" | object | undefined;

export class AwsError extends Error {
  constructor(override readonly name: string) {
    super(name);
  }
}

/** Ports over the fake. */
export interface FakeAws {
  ports: ReadinessPorts;
  /** Every call so far, as `service[:region]:operation`. */
  calls: string[];
  /** How many calls were under way at the same time at most, for each service and region. */
  most: Map<string, number>;
}

/**
 * An AWS that answers as the observations say.
 * @param fault is asked first
 * @param deadlineMilliseconds short only where something hangs: a busy machine is no outage
 */
export function fakeAws(
  ready: Observations,
  policy: ReadinessPolicy,
  fault: Fault = () => undefined,
  deadlineMilliseconds = 10_000,
): FakeAws {
  const calls: string[] = [];
  const most = new Map<string, number>();
  const underWay = new Map<string, number>();

  const answer = async (call: Call): Promise<unknown> => {
    const source = call.region ? `${call.service}:${call.region}` : call.service;
    calls.push(`${source}:${call.operation}`);
    const now = (underWay.get(source) ?? 0) + 1;
    underWay.set(source, now);
    most.set(source, Math.max(most.get(source) ?? 0, now));
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const outcome = fault(call);
      if (outcome === "hang") return await new Promise<never>(() => {});
      if (outcome instanceof Error) throw outcome;
      return outcome ?? answers(ready, policy, call);
    } finally {
      underWay.set(source, underWay.get(source)! - 1);
    }
  };
  const fake = <Client extends object>(client: Client, service: string, region = ""): Client =>
    Object.assign(client, {
      send: (command: { constructor: { name: string }; input: unknown }) =>
        answer({
          service,
          region,
          operation: command.constructor.name.replace(/Command$/, ""),
          input: command.input,
        }),
    });
  const config = { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } };
  const regional = (region: string): RegionalClients => ({
    cloudTrail: fake(new CloudTrailClient(config), "cloudTrail", region),
    cloudWatch: fake(new CloudWatchClient(config), "cloudWatch", region),
    events: fake(new EventBridgeClient(config), "events", region),
    logs: fake(new CloudWatchLogsClient(config), "logs", region),
    s3: fake(new S3Client(config), "s3", region),
    sns: fake(new SNSClient(config), "sns", region),
    sqs: fake(new SQSClient(config), "sqs", region),
    sts: fake(new STSClient(config), "sts", region),
  });
  const organizations = fake(new OrganizationsClient(config), "organizations");
  return {
    calls,
    most,
    ports: {
      iam: fake(new IAMClient(config), "iam"),
      organization: { own: organizations, readers: [async () => organizations] },
      regional,
      evidence: (cell) => {
        const region = policy.cells.find(({ name }) => name === cell)!.region;
        const recorded = ready.evidence[cell]!;
        const store = new InMemoryEvidenceStore(
          ...("value" in recorded ? Object.values(recorded.value).flat() : []),
        );
        return {
          append: (record) => store.append(record),
          list: async (kind, since) => {
            if (fault({ service: "dynamoDb", region, operation: "Query", input: {} })) {
              throw new EvidenceUnavailable("no answer");
            }
            return store.list(kind, since);
          },
        };
      },
      limits: { deadlineMilliseconds },
    },
  };
}

function valueIn<T>(observation: { value: T } | { unreadable: string } | undefined): T {
  if (observation === undefined || !("value" in observation)) throw new Error("not observed in the sample");
  return observation.value;
}

/** A value that may be missing, with AWS's word for that. */
function thereOr<T>(value: T | null | undefined, errorName: string): T {
  if (value === null || value === undefined) throw new AwsError(errorName);
  return value;
}

function answers(ready: Observations, policy: ReadinessPolicy, call: Call): unknown {
  const { input } = call;
  if (call.service === "iam") return iamAnswer(ready, call);
  if (call.service === "organizations") return organizationAnswer(ready, policy, call);
  const cell = policy.cells.find(({ region }) => region === call.region);
  const observations = cell && ready.cells[cell.name]!;
  switch (call.operation) {
    case "DescribeRule":
    case "ListTargetsByRule": {
      const key = `${call.region} ${input.EventBusName} ${input.Name ?? input.Rule}`;
      const known = Object.values(ready.cells).find(({ rules }) => key in rules);
      const rule = thereOr(valueIn(known?.rules[key]), "ResourceNotFoundException");
      // Both cells watch the same sign-in region by the same rule.
      const targets = Object.values(ready.cells).flatMap(({ rules }) =>
        key in rules ? (valueIn(rules[key])?.targetArns ?? []) : [],
      );
      return call.operation === "DescribeRule"
        ? { State: rule.state }
        : { Targets: targets.map((Arn) => ({ Arn })) };
    }
    case "GetTopicAttributes": {
      const topic = thereOr(valueIn(observations?.topic), "NotFoundException");
      return { Attributes: topic.encrypted ? { KmsMasterKeyId: "key" } : {} };
    }
    case "ListSubscriptionsByTopic":
      return {
        Subscriptions: thereOr(valueIn(observations?.subscriptions), "NotFoundException").map(
          ({ protocol, endpoint, confirmed }) => ({
            Protocol: protocol,
            Endpoint: endpoint,
            SubscriptionArn: confirmed ? `${input.TopicArn}:1` : "PendingConfirmation",
          }),
        ),
      };
    case "GetTrail": {
      const trail = thereOr(valueIn(observations?.trail), "TrailNotFoundException");
      return {
        Trail: {
          HomeRegion: trail.homeRegion,
          IsMultiRegionTrail: trail.multiRegion,
          IncludeGlobalServiceEvents: trail.globalServiceEvents,
          LogFileValidationEnabled: trail.validated,
          S3BucketName: trail.bucketName,
          CloudWatchLogsLogGroupArn: trail.logGroupArn,
        },
      };
    }
    case "GetTrailStatus":
      return {
        IsLogging: thereOr(valueIn(observations?.trailStatus), "TrailNotFoundException").logging,
      };
    case "GetEventSelectors":
      return {
        EventSelectors: [
          {
            IncludeManagementEvents: true,
            ReadWriteType: thereOr(
              valueIn(observations?.trailRecordsManagementEvents),
              "TrailNotFoundException",
            )
              ? "All"
              : "WriteOnly",
          },
        ],
      };
    case "GetBucketEncryption":
      return {
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "key" } }],
        },
      };
    case "GetPublicAccessBlock":
      return {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
      };
    case "ListObjectsV2": {
      const ranAt = valueIn(
        ready.stewards[policy.stewards.find(({ region }) => region === call.region)!.cell],
      );
      return ranAt === null ? {} : { Contents: [{ Key: input.Prefix, LastModified: new Date(ranAt) }] };
    }
    case "DescribeMetricFilters":
      return {
        metricFilters: thereOr(valueIn(observations?.metricFilters), "ResourceNotFoundException").map(
          (filterName) => ({ filterName }),
        ),
      };
    case "DescribeAlarms":
      return {
        MetricAlarms: Object.entries(valueIn(observations?.alarms))
          .filter(([name]) => input.AlarmNames.includes(name))
          .map(([AlarmName, { actionsEnabled, actionArns }]) => ({
            AlarmName,
            ActionsEnabled: actionsEnabled,
            AlarmActions: actionArns,
          })),
      };
    case "GetQueueUrl":
      return { QueueUrl: input.QueueName };
    case "GetQueueAttributes":
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(
            thereOr(valueIn(observations?.queues[input.QueueUrl]), "QueueDoesNotExist"),
          ),
        },
      };
    case "GetCallerIdentity":
      return { Account: policy.accountId };
    default:
      throw new Error(`the fake does not know ${call.operation}`);
  }
}

function iamAnswer(ready: Observations, { operation, input }: Call): unknown {
  const { account } = ready;
  const user = ready.users[input.UserName ?? String(input.PolicySourceArn).split("/").at(-1)!];
  const of = <T>(observation: { value: T | null } | { unreadable: string } | undefined): T =>
    thereOr(valueIn(observation), "NoSuchEntityException");
  switch (operation) {
    case "ListUsers":
      return { Users: valueIn(account.usersUnderPath).map((UserName) => ({ UserName })) };
    case "GetAccountPasswordPolicy": {
      const policy = of(account.passwordPolicy);
      return {
        PasswordPolicy: {
          MinimumPasswordLength: policy.minimumLength,
          MaxPasswordAge: policy.maximumAgeDays,
          HardExpiry: policy.hardExpiry,
        },
      };
    }
    case "GenerateCredentialReport":
      return { State: "COMPLETE" };
    case "GetCredentialReport": {
      const lines = Object.entries(valueIn(account.credentialReport)).map(
        ([name, at]) => `${name},arn,${at.replace("Z", "+00:00")}`,
      );
      return { Content: Buffer.from(["user,arn,password_last_changed", ...lines].join("\n")) };
    }
    case "GetPolicy":
      return { Policy: { DefaultVersionId: of(account.denyPolicy) && "v1" } };
    case "GetPolicyVersion":
      return { PolicyVersion: { Document: encodeURIComponent(of(account.denyPolicy)) } };
    case "GetUser": {
      const found = of(user?.user);
      return {
        User: {
          Arn: found.arn,
          Path: found.path,
          ...(found.passwordLastUsed && { PasswordLastUsed: new Date(found.passwordLastUsed) }),
          ...(found.boundaryArn && { PermissionsBoundary: { PermissionsBoundaryArn: found.boundaryArn } }),
          Tags: Object.entries(found.tags).map(([Key, Value]) => ({ Key, Value })),
        },
      };
    }
    case "GetLoginProfile": {
      const profile = of(user?.loginProfile);
      return {
        LoginProfile: {
          CreateDate: new Date(profile.createdAt),
          PasswordResetRequired: profile.resetRequired,
        },
      };
    }
    case "ListAccessKeys":
      return { AccessKeyMetadata: Array.from({ length: of(user?.accessKeys) }, () => ({})) };
    case "ListMFADevices":
      return {
        MFADevices: of(user?.devices).map((SerialNumber) => ({ SerialNumber, EnableDate: NOW })),
      };
    case "ListAttachedUserPolicies":
      return { AttachedPolicies: of(user?.attachedPolicies).map((PolicyArn) => ({ PolicyArn })) };
    case "ListUserPolicies":
      return { PolicyNames: of(user?.inlinePolicies) };
    case "ListGroupsForUser":
      return { Groups: of(user?.groups).map((GroupName) => ({ GroupName })) };
    case "SimulatePrincipalPolicy": {
      const mfa = input.ContextEntries[0].ContextKeyValues[0] === "true";
      return {
        EvaluationResults: of(mfa ? user?.simulatedWithMfa : user?.simulatedWithoutMfa).map(
          ({ action, decision, allowedByOrganization }) => ({
            EvalActionName: action,
            EvalDecision: decision,
            OrganizationsDecisionDetail: { AllowedByOrganizations: allowedByOrganization },
          }),
        ),
      };
    }
    default:
      throw new Error(`the fake does not know iam:${operation}`);
  }
}

function organizationAnswer(
  ready: Observations,
  policy: ReadinessPolicy,
  { operation, input }: Call,
): unknown {
  const organization = valueIn(ready.account.organization);
  const levels = organization.membership === "member" ? organization.levels : [];
  switch (operation) {
    case "DescribeOrganization":
      if (organization.membership === "none") throw new AwsError("AWSOrganizationsNotInUseException");
      return {
        Organization: {
          MasterAccountId: organization.membership === "management" ? policy.accountId : "111111111111",
        },
      };
    case "ListParents": {
      const parent = levels[levels.findIndex(({ id }) => id === input.ChildId) + 1]!;
      return {
        Parents: [{ Id: parent.id, Type: parent.id.startsWith("r-") ? "ROOT" : "ORGANIZATIONAL_UNIT" }],
      };
    }
    case "ListPoliciesForTarget":
      return {
        Policies: levels
          .find(({ id }) => id === input.TargetId)!
          .policies.map(({ id, name }) => ({ Id: id, Name: name })),
      };
    case "DescribePolicy":
      return {
        Policy: {
          Content: levels.flatMap(({ policies }) => policies).find(({ id }) => id === input.PolicyId)!
            .document,
        },
      };
    default:
      throw new Error(`the fake does not know organizations:${operation}`);
  }
}
