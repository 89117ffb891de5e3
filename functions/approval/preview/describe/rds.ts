import {
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
} from "@aws-sdk/client-rds";
import type { PlannedOperation } from "../../operations/plan";
import { type Describer, inputText } from "../describer";
import { details, type Inquiry, items, missing, subject, tagMap } from "../inquiry";
import type { Item } from "../preview";

/** What the call leaves: the final snapshot, and the automated backups unless they go too. */
function leftBehind({ operation }: PlannedOperation, retentionDays: number | undefined): Item[] {
  const { FinalDBSnapshotIdentifier, DeleteAutomatedBackups } = operation.input;
  return [
    ...(FinalDBSnapshotIdentifier === undefined
      ? []
      : [{ kind: "final snapshot", id: String(FinalDBSnapshotIdentifier), note: "taken before" }]),
    ...(DeleteAutomatedBackups === false && (retentionDays ?? 0) > 0
      ? [{ kind: "automated backups", id: `of ${retentionDays} days` }]
      : []),
  ];
}

/** RDS wants to be told what becomes of the data. */
function undecided({ operation }: PlannedOperation): string[] {
  const { SkipFinalSnapshot, FinalDBSnapshotIdentifier } = operation.input;
  return SkipFinalSnapshot !== true && FinalDBSnapshotIdentifier === undefined
    ? ["the call neither skips the final snapshot nor names one"]
    : [];
}

/** A database instance with its snapshots, backups and replicas. */
export const DELETE_DB_INSTANCE: Describer = {
  actions: ["rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:ListTagsForResource"],
  async describe(plan, { rds }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "DBInstanceIdentifier");
    const answer = await inquiry.ask("the database", () =>
      rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const database = answer.value.DBInstances?.[0];
    if (!database) return [subject(arn, { presence: "absent" })];
    const cluster = database.DBClusterIdentifier;
    const snapshots = cluster ? [] : await instanceSnapshots(id, rds, inquiry);
    const retention = database.BackupRetentionPeriod;
    const goes = plan.operation.input.DeleteAutomatedBackups !== false && !cluster && (retention ?? 0) > 0;
    return [
      subject(arn, {
        tags: tagMap(database.TagList),
        details: details({
          Engine: [database.Engine, database.EngineVersion].filter(Boolean).join(" "),
          State: database.DBInstanceStatus,
          Class: database.DBInstanceClass,
          Storage: database.AllocatedStorage && `${database.AllocatedStorage} GiB`,
          Cluster: cluster && `${cluster}: the data is the cluster's and stays`,
          "Several zones": database.MultiAZ,
          "Replica of": database.ReadReplicaSourceDBInstanceIdentifier,
          "Automated backups": retention === undefined ? undefined : `${retention} days`,
        }),
        lost: goes ? [{ kind: "automated backups", id: `of ${retention} days` }] : [],
        kept: [
          ...leftBehind(plan, cluster ? 0 : retention),
          ...snapshots,
          ...(cluster ? [{ kind: "cluster", id: cluster }] : []),
        ],
        affected: items("replica", database.ReadReplicaDBInstanceIdentifiers ?? []),
        obstacles: [
          ...(database.DeletionProtection ? ["deletion protection is on"] : []),
          ...(cluster ? [] : undecided(plan)),
        ],
      }),
    ];
  },
};

async function instanceSnapshots(
  id: string,
  rds: Parameters<Describer["describe"]>[1]["rds"],
  inquiry: Inquiry,
): Promise<Item[]> {
  // Automated snapshots go with the database; only those that somebody took stay.
  const found = await inquiry.list("snapshots of the database", () =>
    rds.send(new DescribeDBSnapshotsCommand({ DBInstanceIdentifier: id, SnapshotType: "manual" })),
  );
  return (found?.DBSnapshots ?? []).map(({ DBSnapshotIdentifier = "?", SnapshotCreateTime }) => ({
    kind: "snapshot",
    id: DBSnapshotIdentifier,
    note: SnapshotCreateTime?.toISOString(),
  }));
}

/** A cluster with its members and snapshots. */
export const DELETE_DB_CLUSTER: Describer = {
  actions: ["rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots", "rds:ListTagsForResource"],
  async describe(plan, { rds }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "DBClusterIdentifier");
    const answer = await inquiry.ask("the cluster", () =>
      rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: id })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const cluster = answer.value.DBClusters?.[0];
    if (!cluster) return [subject(arn, { presence: "absent" })];
    const found = await inquiry.list("snapshots of the cluster", () =>
      rds.send(new DescribeDBClusterSnapshotsCommand({ DBClusterIdentifier: id, SnapshotType: "manual" })),
    );
    const members = items(
      "database",
      cluster.DBClusterMembers?.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier) ?? [],
    );
    const retention = cluster.BackupRetentionPeriod;
    // Members of a Multi-AZ cluster are AWS's own and go with it; those of Aurora have to be deleted before.
    const aurora = cluster.Engine?.startsWith("aurora") ?? false;
    return [
      subject(arn, {
        tags: tagMap(cluster.TagList),
        details: details({
          Engine: [cluster.Engine, cluster.EngineVersion].filter(Boolean).join(" "),
          State: cluster.Status,
          "Replica of": cluster.ReplicationSourceIdentifier,
          "Automated backups": retention === undefined ? undefined : `${retention} days`,
        }),
        lost: aurora ? [] : members,
        kept: [
          ...leftBehind(plan, retention),
          ...items(
            "snapshot",
            found?.DBClusterSnapshots?.map(
              ({ DBClusterSnapshotIdentifier }) => DBClusterSnapshotIdentifier,
            ) ?? [],
          ),
        ],
        affected: [...(aurora ? members : []), ...items("replica", cluster.ReadReplicaIdentifiers ?? [])],
        obstacles: [
          ...(cluster.DeletionProtection ? ["deletion protection is on"] : []),
          ...(aurora && members.length > 0 ? ["the cluster still has databases"] : []),
          ...undecided(plan),
        ],
      }),
    ];
  },
};

/** A snapshot, with the other ones of the same database. */
export const DELETE_DB_SNAPSHOT: Describer = {
  actions: ["rds:DescribeDBSnapshots", "rds:ListTagsForResource"],
  async describe(plan, { rds }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "DBSnapshotIdentifier");
    const answer = await inquiry.ask("the snapshot", () =>
      rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const snapshot = answer.value.DBSnapshots?.[0];
    if (!snapshot) return [subject(arn, { presence: "absent" })];
    const { DBInstanceIdentifier: database } = snapshot;
    const others = database ? await instanceSnapshots(database, rds, inquiry) : [];
    return [
      subject(arn, {
        tags: tagMap(snapshot.TagList),
        details: details({
          Database: database,
          Engine: snapshot.Engine,
          State: snapshot.Status,
          Kind: snapshot.SnapshotType,
          Taken: snapshot.SnapshotCreateTime?.toISOString(),
          Size: snapshot.AllocatedStorage && `${snapshot.AllocatedStorage} GiB`,
        }),
        kept: others.filter((other) => other.id !== id),
        obstacles: snapshot.SnapshotType === "automated" ? ["RDS alone deletes automated snapshots"] : [],
      }),
    ];
  },
};

/** A cluster's snapshot, with the other ones of the same cluster. */
export const DELETE_DB_CLUSTER_SNAPSHOT: Describer = {
  actions: ["rds:DescribeDBClusterSnapshots", "rds:ListTagsForResource"],
  async describe(plan, { rds }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "DBClusterSnapshotIdentifier");
    const answer = await inquiry.ask("the snapshot", () =>
      rds.send(new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: id })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const snapshot = answer.value.DBClusterSnapshots?.[0];
    if (!snapshot) return [subject(arn, { presence: "absent" })];
    const { DBClusterIdentifier: cluster } = snapshot;
    const others = cluster
      ? await inquiry.list("further snapshots of the cluster", () =>
          rds.send(
            new DescribeDBClusterSnapshotsCommand({ DBClusterIdentifier: cluster, SnapshotType: "manual" }),
          ),
        )
      : undefined;
    return [
      subject(arn, {
        tags: tagMap(snapshot.TagList),
        details: details({
          Cluster: cluster,
          Engine: snapshot.Engine,
          State: snapshot.Status,
          Kind: snapshot.SnapshotType,
          Taken: snapshot.SnapshotCreateTime?.toISOString(),
        }),
        kept: items(
          "snapshot",
          (others?.DBClusterSnapshots ?? [])
            .map(({ DBClusterSnapshotIdentifier }) => DBClusterSnapshotIdentifier)
            .filter((other) => other !== id),
        ),
        obstacles: snapshot.SnapshotType === "automated" ? ["RDS alone deletes automated snapshots"] : [],
      }),
    ];
  },
};
