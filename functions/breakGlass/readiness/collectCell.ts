/** Observes a cell's monitoring: every service in the cell's own region, and event rules in the sign-in regions. */
import {
  type CloudTrailClient,
  GetEventSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
} from "@aws-sdk/client-cloudtrail";
import { type CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { type CloudWatchLogsClient, paginateDescribeMetricFilters } from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeRuleCommand,
  type EventBridgeClient,
  ListTargetsByRuleCommand,
} from "@aws-sdk/client-eventbridge";
import {
  GetBucketEncryptionCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  GetTopicAttributesCommand,
  paginateListSubscriptionsByTopic,
  type SNSClient,
} from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import { type CellObservations, ruleKey, type StsAnswer } from "./observations";
import type { Observed } from "./observed";
import type { ExpectedCell, ExpectedSteward } from "./policy";
import { LATEST_REPORT } from "./reportKeys";
import type { Source } from "./source";

/** Clients of one region. */
export interface RegionalClients {
  cloudTrail: CloudTrailClient;
  cloudWatch: CloudWatchClient;
  events: EventBridgeClient;
  logs: CloudWatchLogsClient;
  s3: S3Client;
  sns: SNSClient;
  sqs: SQSClient;
  /** Of the region's own endpoint (fact 4). */
  sts: STSClient;
}

/** One source for each of them: what one service or region does says nothing of the others. */
export type RegionalSources = Record<keyof RegionalClients, Source>;

/** A region as it is observed. */
export interface ObservedRegion {
  clients: RegionalClients;
  sources: RegionalSources;
}

const NO_RESOURCE = ["ResourceNotFoundException"];
const NO_TOPIC = ["NotFoundException", "NotFound"];
const NO_TRAIL = ["TrailNotFoundException"];
const NO_QUEUE = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];
const NO_BUCKET = ["NoSuchBucket"];

/** How many alarms CloudWatch describes in one call. */
const ALARMS_A_CALL = 100;

/**
 * Observes a cell.
 * @param region gives clients and sources of a region, the same ones each time
 */
export async function collectCell(
  cell: ExpectedCell,
  region: (name: string) => ObservedRegion,
): Promise<CellObservations> {
  const here = region(cell.region);
  // All at the same time: a region that hangs costs one deadline.
  const [
    rules,
    topic,
    subscriptions,
    trail,
    trailStatus,
    trailRecordsManagementEvents,
    bucketEncrypted,
    bucketPublicAccessBlocked,
    metricFilters,
    alarms,
    queues,
  ] = await Promise.all([
    keyed(cell.rules, ruleKey, (rule) => observeRule(region(rule.region), rule)),
    observeTopic(here, cell.topicArn),
    observeSubscriptions(here, cell.topicArn),
    observeTrail(here, cell.trail.name),
    observeTrailStatus(here, cell.trail.name),
    observeTrailEvents(here, cell.trail.name),
    observeEncryption(here, cell.trail.bucketName),
    observePublicAccess(here, cell.trail.bucketName),
    observeMetricFilters(here, cell.trail.logGroupName),
    observeAlarms(here, [...cell.alarms, ...cell.readinessAlarms]),
    keyed(
      cell.queues,
      (name) => name,
      (name) => observeQueue(here, name),
    ),
  ]);
  return {
    rules,
    topic,
    subscriptions,
    trail,
    trailStatus,
    trailRecordsManagementEvents,
    bucketEncrypted,
    bucketPublicAccessBlocked,
    metricFilters,
    alarms,
    queues,
  };
}

async function keyed<Item, Value>(
  items: readonly Item[],
  key: (item: Item) => string,
  observe: (item: Item) => Promise<Value>,
): Promise<Record<string, Value>> {
  return Object.fromEntries(
    await Promise.all(items.map(async (item) => [key(item), await observe(item)] as const)),
  );
}

function observeRule({ clients, sources }: ObservedRegion, rule: ExpectedCell["rules"][number]) {
  return sources.events.observe(
    "events:DescribeRule or events:ListTargetsByRule",
    async (abortSignal) => {
      const { State } = await clients.events.send(
        new DescribeRuleCommand({ Name: rule.name, EventBusName: rule.bus }),
        { abortSignal },
      );
      const { Targets = [] } = await clients.events.send(
        new ListTargetsByRuleCommand({ Rule: rule.name, EventBusName: rule.bus }),
        { abortSignal },
      );
      return { state: State!, targetArns: Targets.map(({ Arn }) => Arn!) };
    },
    NO_RESOURCE,
  );
}

function observeTopic({ clients, sources }: ObservedRegion, TopicArn: string) {
  return sources.sns.observe(
    "sns:GetTopicAttributes",
    async (abortSignal) => {
      const { Attributes } = await clients.sns.send(new GetTopicAttributesCommand({ TopicArn }), {
        abortSignal,
      });
      return { encrypted: Boolean(Attributes?.KmsMasterKeyId) };
    },
    NO_TOPIC,
  );
}

function observeSubscriptions({ clients, sources }: ObservedRegion, TopicArn: string) {
  return sources.sns.observe(
    "sns:ListSubscriptionsByTopic",
    async (abortSignal) => {
      const found = [];
      for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic(
        { client: clients.sns },
        { TopicArn },
        { abortSignal },
      )) {
        for (const { SubscriptionArn = "", Protocol = "", Endpoint = "" } of Subscriptions) {
          // A deleted one is listed for some days.
          if (SubscriptionArn === "Deleted") continue;
          found.push({
            protocol: Protocol,
            endpoint: Endpoint,
            confirmed: SubscriptionArn.startsWith("arn:"),
          });
        }
      }
      return found;
    },
    NO_TOPIC,
  );
}

function observeTrail({ clients, sources }: ObservedRegion, Name: string) {
  return sources.cloudTrail.observe(
    "cloudtrail:GetTrail",
    async (abortSignal) => {
      const { Trail } = await clients.cloudTrail.send(new GetTrailCommand({ Name }), { abortSignal });
      return {
        homeRegion: Trail!.HomeRegion!,
        multiRegion: Trail!.IsMultiRegionTrail ?? false,
        globalServiceEvents: Trail!.IncludeGlobalServiceEvents ?? false,
        validated: Trail!.LogFileValidationEnabled ?? false,
        bucketName: Trail!.S3BucketName!,
        ...(Trail!.CloudWatchLogsLogGroupArn && { logGroupArn: Trail!.CloudWatchLogsLogGroupArn }),
      };
    },
    NO_TRAIL,
  );
}

function observeTrailStatus({ clients, sources }: ObservedRegion, Name: string) {
  return sources.cloudTrail.observe(
    "cloudtrail:GetTrailStatus",
    async (abortSignal) => {
      const status = await clients.cloudTrail.send(new GetTrailStatusCommand({ Name }), { abortSignal });
      return {
        logging: status.IsLogging ?? false,
        ...(status.LatestDeliveryError && { deliveryError: status.LatestDeliveryError }),
        ...(status.LatestCloudWatchLogsDeliveryError && {
          logGroupDeliveryError: status.LatestCloudWatchLogsDeliveryError,
        }),
      };
    },
    NO_TRAIL,
  );
}

function observeTrailEvents({ clients, sources }: ObservedRegion, TrailName: string) {
  return sources.cloudTrail.observe(
    "cloudtrail:GetEventSelectors",
    async (abortSignal) => {
      const { EventSelectors = [], AdvancedEventSelectors = [] } = await clients.cloudTrail.send(
        new GetEventSelectorsCommand({ TrailName }),
        { abortSignal },
      );
      // A trail that nobody gave selectors records all management events.
      if (EventSelectors.length === 0 && AdvancedEventSelectors.length === 0) return true;
      return (
        EventSelectors.some(
          ({ IncludeManagementEvents, ReadWriteType, ExcludeManagementEventSources = [] }) =>
            IncludeManagementEvents === true &&
            ReadWriteType === "All" &&
            ExcludeManagementEventSources.length === 0,
        ) ||
        AdvancedEventSelectors.some(
          ({ FieldSelectors = [] }) =>
            FieldSelectors.length === 1 &&
            FieldSelectors[0]?.Field === "eventCategory" &&
            FieldSelectors[0].Equals?.includes("Management") === true,
        )
      );
    },
    NO_TRAIL,
  );
}

function observeEncryption({ clients, sources }: ObservedRegion, Bucket: string) {
  return sources.s3.observe(
    "s3:GetBucketEncryption",
    async (abortSignal) => {
      const answer = await falseIf("ServerSideEncryptionConfigurationNotFoundError", () =>
        clients.s3.send(new GetBucketEncryptionCommand({ Bucket }), { abortSignal }),
      );
      // Every bucket is encrypted with a key of S3's own; a key that the account controls is another thing.
      const rules = answer ? (answer.ServerSideEncryptionConfiguration?.Rules ?? []) : [];
      return rules.some(
        (rule) =>
          rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm?.startsWith("aws:kms") === true &&
          rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID !== undefined,
      );
    },
    NO_BUCKET,
  );
}

function observePublicAccess({ clients, sources }: ObservedRegion, Bucket: string) {
  return sources.s3.observe(
    "s3:GetPublicAccessBlock",
    async (abortSignal) => {
      const answer = await falseIf("NoSuchPublicAccessBlockConfiguration", () =>
        clients.s3.send(new GetPublicAccessBlockCommand({ Bucket }), { abortSignal }),
      );
      const block = answer ? answer.PublicAccessBlockConfiguration : undefined;
      return (
        block?.BlockPublicAcls === true &&
        block.IgnorePublicAcls === true &&
        block.BlockPublicPolicy === true &&
        block.RestrictPublicBuckets === true
      );
    },
    NO_BUCKET,
  );
}

/** S3 answers with an error where a setting was never made. */
async function falseIf<T>(errorName: string, call: () => Promise<T>): Promise<T | false> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && error.name === errorName) return false;
    throw error;
  }
}

function observeMetricFilters({ clients, sources }: ObservedRegion, logGroupName: string) {
  return sources.logs.observe(
    "logs:DescribeMetricFilters",
    async (abortSignal) => {
      const names: string[] = [];
      for await (const { metricFilters = [] } of paginateDescribeMetricFilters(
        { client: clients.logs },
        { logGroupName },
        { abortSignal },
      )) {
        names.push(...metricFilters.map(({ filterName }) => filterName!));
      }
      return names;
    },
    NO_RESOURCE,
  );
}

function observeAlarms({ clients, sources }: ObservedRegion, names: readonly string[]) {
  return sources.cloudWatch.read("cloudwatch:DescribeAlarms", async (abortSignal) => {
    const found: Record<string, { actionsEnabled: boolean; actionArns: string[] }> = {};
    for (let from = 0; from < names.length; from += ALARMS_A_CALL) {
      const { MetricAlarms = [] } = await clients.cloudWatch.send(
        new DescribeAlarmsCommand({
          AlarmNames: names.slice(from, from + ALARMS_A_CALL),
          MaxRecords: ALARMS_A_CALL,
        }),
        { abortSignal },
      );
      for (const { AlarmName, ActionsEnabled, AlarmActions = [] } of MetricAlarms) {
        found[AlarmName!] = { actionsEnabled: ActionsEnabled ?? false, actionArns: AlarmActions };
      }
    }
    return found;
  });
}

function observeQueue({ clients, sources }: ObservedRegion, QueueName: string) {
  return sources.sqs.observe(
    "sqs:GetQueueUrl or sqs:GetQueueAttributes",
    async (abortSignal) => {
      const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName }), { abortSignal });
      const { Attributes } = await clients.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
        { abortSignal },
      );
      return Number(Attributes!.ApproximateNumberOfMessages);
    },
    NO_QUEUE,
  );
}

/** When a steward last wrote its report. Listing needs no key, so a cell can look at the other's without being able to read it. */
export function observeSteward(
  { clients, sources }: ObservedRegion,
  { bucketName }: ExpectedSteward,
): Promise<Observed<string | null>> {
  return sources.s3.observe(
    "s3:ListBucket",
    async (abortSignal) => {
      const { Contents = [] } = await clients.s3.send(
        new ListObjectsV2Command({ Bucket: bucketName, Prefix: LATEST_REPORT.json }),
        { abortSignal },
      );
      return Contents.find(({ Key }) => Key === LATEST_REPORT.json)?.LastModified?.toISOString() ?? null;
    },
    NO_BUCKET,
  );
}

/** Asks a region's own STS endpoint who is asking. */
export function observeSts({ clients, sources }: ObservedRegion): Promise<Observed<StsAnswer>> {
  return sources.sts.read("sts:GetCallerIdentity", async (abortSignal): Promise<StsAnswer> => {
    try {
      const { Account } = await clients.sts.send(new GetCallerIdentityCommand({}), { abortSignal });
      return { accountId: Account! };
    } catch (error) {
      if (error instanceof Error && error.name === "RegionDisabledException") return { switchedOff: true };
      throw error;
    }
  });
}
