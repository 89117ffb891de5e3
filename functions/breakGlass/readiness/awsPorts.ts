/** The ports of {@link collect} over AWS: for the steward's own credentials and for an operator's. */
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { IAMClient } from "@aws-sdk/client-iam";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { evidenceTableName } from "../../../components/breakGlassAccount/evidenceTable";
import type { Cell } from "../../../components/regional/cell";
import {
  iamControlPlaneRegion,
  organizationsControlPlaneRegion,
} from "../../../components/regional/partition";
import { clientSettings } from "../../shared/clients/clientSettings";
import { DynamoDbEvidenceStore } from "../records/dynamoDbEvidenceStore";
import type { ReadinessPorts } from "./collect";
import type { SourceLimits } from "./source";

/** What the ports are made from. */
export interface AwsPortsOptions {
  /** The cells; the first is asked for credentials of other roles. */
  cells: readonly Cell[];
  /** Roles that may read the organization, tried one after the other; none: with the credentials that there are. */
  organizationRoleArns: readonly string[];
  /**
   * URL of a region's own STS endpoint.
   * @default the SDK's choice, which is the regional one (fact 1)
   */
  stsEndpoint?(region: string): string;
  limits?: SourceLimits;
}

/** Seconds that the credentials of a role that reads the organization last: the least that STS gives. */
const ROLE_SECONDS = 900;

/** Clients of every service. Calls are tried twice: what does not answer then is not waited for. */
export function awsReadinessPorts(options: AwsPortsOptions): ReadinessPorts & {
  /**
   * Finds the credentials that all calls are made with, which may take a program or a person.
   * @throws the SDK's error when there are none
   */
  signIn(): Promise<void>;
  /** Ends all connections. */
  close(): void;
} {
  const { cells, organizationRoleArns, stsEndpoint, limits } = options;
  const here = cells[0]!;
  const clients: { destroy(): void }[] = [];
  const opened = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  // Looked for once, by one client, for all of them: a credentials program would else be run twenty times.
  const { credentials } = opened(new STSClient(clientSettings(here.region))).config;
  const settings = (region: string) => ({ ...clientSettings(region), maxAttempts: 2, credentials });
  const sts = (region: string) =>
    opened(new STSClient({ ...settings(region), ...(stsEndpoint && { endpoint: stsEndpoint(region) }) }));
  const organizations = organizationsControlPlaneRegion(here.partition);
  return {
    iam: opened(new IAMClient(settings(iamControlPlaneRegion(here.partition)))),
    organization: {
      own: opened(new OrganizationsClient(settings(organizations))),
      readers: organizationRoleArns.map((RoleArn) => async () => {
        const { Credentials } = await sts(here.region).send(
          new AssumeRoleCommand({
            RoleArn,
            RoleSessionName: `${here.namePrefix}-readiness`,
            DurationSeconds: ROLE_SECONDS,
          }),
        );
        return opened(
          new OrganizationsClient({
            ...settings(organizations),
            credentials: {
              accessKeyId: Credentials!.AccessKeyId!,
              secretAccessKey: Credentials!.SecretAccessKey!,
              sessionToken: Credentials!.SessionToken!,
            },
          }),
        );
      }),
    },
    regional: (region) => ({
      cloudTrail: opened(new CloudTrailClient(settings(region))),
      cloudWatch: opened(new CloudWatchClient(settings(region))),
      events: opened(new EventBridgeClient(settings(region))),
      logs: opened(new CloudWatchLogsClient(settings(region))),
      s3: opened(new S3Client(settings(region))),
      sns: opened(new SNSClient(settings(region))),
      // Queues are in the client's own region; what stands in their URLs is not asked.
      sqs: opened(new SQSClient({ ...settings(region), useQueueUrlAsEndpoint: false })),
      sts: sts(region),
    }),
    evidence: (name) => {
      const cell = cells.find((each) => each.name === name)!;
      return new DynamoDbEvidenceStore({
        client: opened(new DynamoDBClient(settings(cell.region))),
        tableName: evidenceTableName(cell),
        region: cell.region,
      });
    },
    ...(limits && { limits }),
    async signIn() {
      await credentials();
    },
    close: () => {
      for (const client of clients) client.destroy();
    },
  };
}
