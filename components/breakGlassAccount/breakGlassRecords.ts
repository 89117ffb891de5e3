import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { EVIDENCE_TABLE_KEYS } from "../../functions/breakGlass/records/dynamoDbEvidenceStore";
import { type CellArgs, normalizeCell } from "../regional/cell";
import { evidenceTableName } from "./evidenceTable";

/** Arguments of {@link BreakGlassRecords}. */
export interface BreakGlassRecordsArgs {
  /**
   * Required. The cell that keeps the evidence.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. ARN of the cell's own key, in the cell's region.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Whether AWS refuses to delete the table. To remove a cell for good, set it to false and run `pulumi up` first.
   * @default true
   * @example false
   */
  deletionProtection?: boolean;
}

/**
 * A cell's evidence about emergency access: uses, rotations, devices, drills. Each cell has a table of its own and whoever writes, writes
 * to both: records are never changed, so the union of both is always right, and neither table needs the other region (a global table
 * would need both for its creation).
 *
 * @example
 * const records = new BreakGlassRecords("prod-records", { cell, kmsKeyArn: key.keyArn }, { provider });
 */
export class BreakGlassRecords extends pulumi.ComponentResource {
  /** Name of the table. */
  readonly tableName: pulumi.Output<string>;
  /** ARN of the table. */
  readonly tableArn: pulumi.Output<string>;

  constructor(name: string, args: BreakGlassRecordsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:BreakGlassRecords", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const table = new aws.dynamodb.Table(
      `${name}-table`,
      {
        name: evidenceTableName(cell),
        billingMode: "PAY_PER_REQUEST",
        hashKey: EVIDENCE_TABLE_KEYS.hashKey,
        rangeKey: EVIDENCE_TABLE_KEYS.rangeKey,
        attributes: Object.values(EVIDENCE_TABLE_KEYS).map((key) => ({ name: key, type: "S" })),
        serverSideEncryption: { enabled: true, kmsKeyArn: args.kmsKeyArn },
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: args.deletionProtection ?? true,
      },
      { parent: this },
    );
    this.tableName = table.name;
    this.tableArn = table.arn;
    this.registerOutputs({ tableName: this.tableName, tableArn: this.tableArn });
  }
}
