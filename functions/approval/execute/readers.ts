import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { EKSClient } from "@aws-sdk/client-eks";
import { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { KMSClient } from "@aws-sdk/client-kms";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { RDSClient } from "@aws-sdk/client-rds";
import { S3Client } from "@aws-sdk/client-s3";
import { S3ControlClient } from "@aws-sdk/client-s3-control";
import type { STSClient } from "@aws-sdk/client-sts";
import { clientSettings } from "../../shared/clients/clientSettings";
import type { PlannedOperation } from "../operations/plan";
import type { Place } from "../operations/values";
import type { PreviewClients } from "../preview/clients";
import { lookAt } from "../preview/look";
import type { Preview } from "../preview/preview";
import type { SessionCredentials } from "./actingCalls";
import { assume, roleArn } from "./roles";

/** Looks at what an operation is about. */
export interface Looker {
  /** What there is now. It does not fail: what cannot be read is among the preview's unknown. */
  look(plan: PlannedOperation): Promise<Preview>;
}

/** What {@link RoleLooker} works with. */
export interface RoleLookerOptions {
  readonly sts: Pick<STSClient, "send">;
  /** The reader role's path and name. */
  readonly role: string;
  readonly externalId: string | undefined;
  /** @default AWS's own */
  readonly endpoint?: string;
}

const REUSE_MILLISECONDS = 10 * 60_000;

/** Looks with the reader role of the operation's account. */
export class RoleLooker implements Looker {
  private readonly known = new Map<string, { clients: PreviewClients; until: number }>();

  constructor(private readonly options: RoleLookerOptions) {}

  async look(plan: PlannedOperation): Promise<Preview> {
    return lookAt(plan, await this.clients(plan.place));
  }

  private async clients(place: Place): Promise<PreviewClients> {
    const key = `${place.account} ${place.region}`;
    const known = this.known.get(key);
    if (known && known.until > Date.now()) return known.clients;
    const { sts, role, externalId, endpoint } = this.options;
    const credentials = await assume(sts, {
      roleArn: roleArn(place, role),
      sessionName: "bulkhead-approval-preview",
      externalId,
    }).catch(() => undefined);
    const clients = previewClients(place.region, credentials, endpoint);
    if (credentials) this.known.set(key, { clients, until: Date.now() + REUSE_MILLISECONDS });
    return clients;
  }
}

/** Without the role nothing can be read: the clients then have credentials that nobody has, and the preview says that nothing is known. */
const NOBODY: SessionCredentials = {
  accessKeyId: "no-reader-role",
  secretAccessKey: "no-reader-role",
  sessionToken: "no-reader-role",
};

function previewClients(
  region: string,
  credentials: SessionCredentials = NOBODY,
  endpoint?: string,
): PreviewClients {
  const settings = { ...clientSettings(region), credentials, ...(endpoint !== undefined && { endpoint }) };
  return {
    cloudwatch: new CloudWatchClient(settings),
    dynamodb: new DynamoDBClient(settings),
    ec2: new EC2Client(settings),
    eks: new EKSClient(settings),
    elb: new ElasticLoadBalancingClient(settings),
    elbv2: new ElasticLoadBalancingV2Client(settings),
    kms: new KMSClient(settings),
    lambda: new LambdaClient(settings),
    rds: new RDSClient(settings),
    s3: new S3Client({ ...settings, ...(endpoint !== undefined && { forcePathStyle: true }) }),
    s3control: new S3ControlClient(settings),
  };
}
