/** Snapshots that are taken before something is destroyed. Starting one again does no harm: it finds the one that was begun. */
import {
  type BackupClient,
  DescribeBackupJobCommand,
  type DescribeBackupJobCommandOutput,
  StartBackupJobCommand,
} from "@aws-sdk/client-backup";
import {
  CreateSnapshotCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import {
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
  DBClusterSnapshotAlreadyExistsFault,
  DBSnapshotAlreadyExistsFault,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBSnapshotsCommand,
  type RDSClient,
} from "@aws-sdk/client-rds";
import type { PlannedOperation } from "../operations/plan";

/** How far the snapshots of a request are. */
export type SnapshotProgress =
  | { readonly progress: "running" | "done"; readonly ids: readonly string[] }
  | { readonly progress: "failed"; readonly ids: readonly string[]; readonly why: string };

/** Takes snapshots. */
export interface Snapshots {
  /** Whether a snapshot of what the operation destroys can be taken. */
  supports(plan: PlannedOperation): boolean;
  /**
   * Begins the snapshots of a request unless they are begun, and tells how far they are.
   * @throws whatever AWS answers; it may be tried again until the stage's time is over
   */
  proceed(plan: PlannedOperation, requestId: string): Promise<SnapshotProgress>;
}

/** Clients with the credentials of the account's snapshot role. */
export interface SnapshotClients {
  readonly ec2: Pick<EC2Client, "send">;
  readonly rds: Pick<RDSClient, "send">;
  readonly backup: Pick<BackupClient, "send">;
}

/** The IAM actions that snapshots need, for the snapshot role. */
export const SNAPSHOT_ACTIONS: readonly string[] = [
  "backup:DescribeBackupJob",
  "backup:StartBackupJob",
  "ec2:CreateSnapshot",
  "ec2:CreateTags",
  "ec2:DescribeSnapshots",
  "ec2:DescribeVolumes",
  "iam:PassRole",
  "rds:AddTagsToResource",
  "rds:CreateDBClusterSnapshot",
  "rds:CreateDBSnapshot",
  "rds:DescribeDBClusterSnapshots",
  "rds:DescribeDBSnapshots",
];

const REQUEST_TAG = "bulkhead:approval-request";

/** Adds up the progress of several snapshots: one that failed makes all fail. */
function together(parts: readonly SnapshotProgress[]): SnapshotProgress {
  const ids = parts.flatMap((part) => part.ids);
  const failed = parts.find((part) => part.progress === "failed");
  if (failed?.progress === "failed") return { progress: "failed", ids, why: failed.why };
  return { progress: parts.every(({ progress }) => progress === "done") ? "done" : "running", ids };
}

/** Snapshots of the services themselves: EBS volumes, RDS instances and clusters. */
export class ServiceSnapshots implements Snapshots {
  constructor(
    private readonly clientsOf: (plan: PlannedOperation, requestId: string) => Promise<SnapshotClients>,
  ) {}

  supports({ operation: { service, api } }: PlannedOperation): boolean {
    return SERVICE_CALLS.has(`${service} ${api}`);
  }

  async proceed(plan: PlannedOperation, requestId: string): Promise<SnapshotProgress> {
    const { ec2, rds } = await this.clientsOf(plan, requestId);
    const { input, service, api } = plan.operation;
    switch (`${service} ${api}`) {
      case "ec2 TerminateInstances":
        return volumes(ec2, await volumesOf(ec2, input.InstanceIds as readonly string[]), requestId);
      case "ec2 DeleteVolume":
        return volumes(ec2, [String(input.VolumeId)], requestId);
      case "rds DeleteDBInstance":
        return instance(rds, String(input.DBInstanceIdentifier), requestId);
      default:
        return cluster(rds, String(input.DBClusterIdentifier), requestId);
    }
  }
}

const SERVICE_CALLS: ReadonlySet<string> = new Set([
  "ec2 TerminateInstances",
  "ec2 DeleteVolume",
  "rds DeleteDBInstance",
  "rds DeleteDBCluster",
]);

async function volumesOf(ec2: SnapshotClients["ec2"], instanceIds: readonly string[]): Promise<string[]> {
  const { Volumes = [] } = await ec2.send(
    new DescribeVolumesCommand({
      Filters: [{ Name: "attachment.instance-id", Values: [...instanceIds] }],
    }),
  );
  return Volumes.flatMap(({ VolumeId }) => VolumeId ?? []);
}

async function volumes(
  ec2: SnapshotClients["ec2"],
  ids: readonly string[],
  requestId: string,
): Promise<SnapshotProgress> {
  if (ids.length === 0) return { progress: "done", ids: [] };
  // EC2 knows no token for this call, so the request's tag tells which were begun.
  const { Snapshots: begun = [] } = await ec2.send(
    new DescribeSnapshotsCommand({
      OwnerIds: ["self"],
      Filters: [{ Name: `tag:${REQUEST_TAG}`, Values: [requestId] }],
    }),
  );
  const parts: SnapshotProgress[] = [];
  for (const VolumeId of ids) {
    const known = begun.find((snapshot) => snapshot.VolumeId === VolumeId);
    const { SnapshotId = "", State } =
      known ??
      (await ec2.send(
        new CreateSnapshotCommand({
          VolumeId,
          Description: `Before approved operation ${requestId}`,
          TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: REQUEST_TAG, Value: requestId }] }],
        }),
      ));
    if (State === "error") {
      parts.push({ progress: "failed", ids: [SnapshotId], why: `the snapshot of ${VolumeId} failed` });
    } else {
      parts.push({ progress: State === "completed" ? "done" : "running", ids: [SnapshotId] });
    }
  }
  return together(parts);
}

/** A name that RDS accepts, the same however often it is made. */
const rdsName = (requestId: string) =>
  `bulkhead-${requestId.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`.slice(0, 200);

async function instance(
  rds: SnapshotClients["rds"],
  DBInstanceIdentifier: string,
  requestId: string,
): Promise<SnapshotProgress> {
  const DBSnapshotIdentifier = rdsName(requestId);
  try {
    await rds.send(
      new CreateDBSnapshotCommand({
        DBInstanceIdentifier,
        DBSnapshotIdentifier,
        Tags: [{ Key: REQUEST_TAG, Value: requestId }],
      }),
    );
  } catch (error) {
    if (!(error instanceof DBSnapshotAlreadyExistsFault)) throw error;
  }
  const { DBSnapshots = [] } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }));
  return rdsProgress(DBSnapshotIdentifier, DBSnapshots[0]?.Status);
}

async function cluster(
  rds: SnapshotClients["rds"],
  DBClusterIdentifier: string,
  requestId: string,
): Promise<SnapshotProgress> {
  const DBClusterSnapshotIdentifier = rdsName(requestId);
  try {
    await rds.send(
      new CreateDBClusterSnapshotCommand({
        DBClusterIdentifier,
        DBClusterSnapshotIdentifier,
        Tags: [{ Key: REQUEST_TAG, Value: requestId }],
      }),
    );
  } catch (error) {
    if (!(error instanceof DBClusterSnapshotAlreadyExistsFault)) throw error;
  }
  const { DBClusterSnapshots = [] } = await rds.send(
    new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier }),
  );
  return rdsProgress(DBClusterSnapshotIdentifier, DBClusterSnapshots[0]?.Status);
}

function rdsProgress(id: string, status: string | undefined): SnapshotProgress {
  if (status === "available") return { progress: "done", ids: [id] };
  if (status === "failed") return { progress: "failed", ids: [id], why: `the snapshot ${id} failed` };
  return { progress: "running", ids: [id] };
}

/** What {@link BackupSnapshots} asks AWS Backup for. */
export interface BackupPlan {
  readonly vault: string;
  /** ARN of the role that AWS Backup works with, in the account of the operation. */
  readonly roleArn: (plan: PlannedOperation) => string;
  readonly keepDays: number;
}

/** What AWS Backup can copy of the operations of the catalogue. */
const BACKUP_CALLS: ReadonlySet<string> = new Set([...SERVICE_CALLS, "dynamodb DeleteTable"]);

const ENDED: ReadonlySet<string> = new Set(["ABORTED", "ABORTING", "EXPIRED", "FAILED", "PARTIAL"]);

/** Snapshots by AWS Backup, into its vault. */
export class BackupSnapshots implements Snapshots {
  constructor(
    private readonly clientsOf: (plan: PlannedOperation, requestId: string) => Promise<SnapshotClients>,
    private readonly backupPlan: BackupPlan,
  ) {}

  supports({ operation: { service, api } }: PlannedOperation): boolean {
    return BACKUP_CALLS.has(`${service} ${api}`);
  }

  async proceed(plan: PlannedOperation, requestId: string): Promise<SnapshotProgress> {
    const { backup } = await this.clientsOf(plan, requestId);
    const { vault, roleArn, keepDays } = this.backupPlan;
    const parts: SnapshotProgress[] = [];
    for (const [index, ResourceArn] of plan.targets.entries()) {
      const { BackupJobId = "" } = await backup.send(
        new StartBackupJobCommand({
          BackupVaultName: vault,
          ResourceArn,
          IamRoleArn: roleArn(plan),
          // The same token gives the same job.
          IdempotencyToken: `${requestId}-${index}`,
          Lifecycle: { DeleteAfterDays: keepDays },
        }),
      );
      parts.push(jobProgress(await backup.send(new DescribeBackupJobCommand({ BackupJobId })), BackupJobId));
    }
    return together(parts);
  }
}

function jobProgress({ State, ResourceArn }: DescribeBackupJobCommandOutput, id: string): SnapshotProgress {
  if (State === "COMPLETED") return { progress: "done", ids: [id] };
  if (ENDED.has(State ?? ""))
    return { progress: "failed", ids: [id], why: `the backup of ${ResourceArn} ended as ${State}` };
  return { progress: "running", ids: [id] };
}
