import type { GrantDefinition, OperationDefinition, ResourcePattern } from "./definition";
import { caselessText, exactly, flag, type InputValue } from "./values";

const RDS = { eventSource: "rds.amazonaws.com", service: "rds", client: "@aws-sdk/client-rds" } as const;

/** Letters, digits and hyphens, the first a letter, no two hyphens together and none at the end; kept in lower case. */
const NAME = /^[A-Za-z](?:-?[A-Za-z0-9])*$/;
const databaseName = caselessText("a database instance's identifier", NAME, 63);
const clusterName = caselessText("a database cluster's identifier", NAME, 63);
const snapshotName = caselessText("a snapshot's identifier", NAME);

const resource = (type: string, input: string): ResourcePattern => ({
  service: "rds",
  regional: true,
  ofAccount: true,
  resource: `${type}:{${input}}`,
});

/** RDS itself rejects both of them together. */
function snapshotRule(input: Readonly<Record<string, InputValue>>): string | undefined {
  return input.SkipFinalSnapshot === true && input.FinalDBSnapshotIdentifier !== undefined
    ? "skipFinalSnapshot is true, yet finalDBSnapshotIdentifier names a final snapshot: RDS takes one of them"
    : undefined;
}

const finalSnapshot = [
  { key: "skipFinalSnapshot", input: "SkipFinalSnapshot", kind: flag },
  { key: "finalDBSnapshotIdentifier", input: "FinalDBSnapshotIdentifier", kind: snapshotName },
  { key: "deleteAutomatedBackups", input: "DeleteAutomatedBackups", kind: flag },
] as const;

/** RDS takes the final snapshot with the caller's permissions, on the database as well as on the snapshot, and copies tags to it. */
function grants(
  action: string,
  own: ResourcePattern,
  snapshotAction: string,
  snapshot: ResourcePattern,
): GrantDefinition[] {
  return [
    { actions: [action], resource: own },
    { actions: [snapshotAction], resource: own, when: "FinalDBSnapshotIdentifier" },
    {
      actions: [snapshotAction, "rds:AddTagsToResource"],
      resource: snapshot,
      when: "FinalDBSnapshotIdentifier",
    },
  ];
}

function snapshotDeletion(api: string, key: string, input: string, type: string): OperationDefinition {
  return {
    ...RDS,
    event: `rds:${api}`,
    eventName: api,
    api,
    byDefault: false,
    danger: "data",
    title: type === "snapshot" ? "Delete a database snapshot" : "Delete a database cluster's snapshot",
    parameters: [{ key, input, kind: snapshotName, required: true }],
    harmless: [{ key: "dryRun", kind: exactly(false) }],
    grants: [{ actions: [`rds:${api}`], resource: resource(type, input) }],
    fromArn: true,
  };
}

/** Calls of RDS, which Aurora, Neptune and DocumentDB share. */
export const RDS_OPERATIONS: readonly OperationDefinition[] = [
  {
    ...RDS,
    event: "rds:DeleteDBInstance",
    eventName: "DeleteDBInstance",
    api: "DeleteDBInstance",
    byDefault: true,
    danger: "data",
    title: "Delete a database instance",
    parameters: [
      { key: "dBInstanceIdentifier", input: "DBInstanceIdentifier", kind: databaseName, required: true },
      ...finalSnapshot,
    ],
    harmless: [{ key: "dryRun", kind: exactly(false) }],
    grants: grants(
      "rds:DeleteDBInstance",
      resource("db", "DBInstanceIdentifier"),
      "rds:CreateDBSnapshot",
      resource("snapshot", "FinalDBSnapshotIdentifier"),
    ),
    // Without a word about the final snapshot RDS deletes members of a cluster, whose data is the cluster's, and rejects all else.
    fromArn: true,
    rule: snapshotRule,
  },
  {
    ...RDS,
    event: "rds:DeleteDBCluster",
    eventName: "DeleteDBCluster",
    api: "DeleteDBCluster",
    byDefault: true,
    danger: "data",
    title: "Delete a database cluster",
    parameters: [
      { key: "dBClusterIdentifier", input: "DBClusterIdentifier", kind: clusterName, required: true },
      ...finalSnapshot,
    ],
    harmless: [{ key: "dryRun", kind: exactly(false) }],
    grants: grants(
      "rds:DeleteDBCluster",
      resource("cluster", "DBClusterIdentifier"),
      "rds:CreateDBClusterSnapshot",
      resource("cluster-snapshot", "FinalDBSnapshotIdentifier"),
    ),
    // Without a word about the final snapshot RDS rejects the call: somebody has to choose.
    fromArn: false,
    rule: snapshotRule,
  },
  snapshotDeletion("DeleteDBSnapshot", "dBSnapshotIdentifier", "DBSnapshotIdentifier", "snapshot"),
  snapshotDeletion(
    "DeleteDBClusterSnapshot",
    "dBClusterSnapshotIdentifier",
    "DBClusterSnapshotIdentifier",
    "cluster-snapshot",
  ),
];
