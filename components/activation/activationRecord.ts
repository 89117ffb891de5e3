import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ACTIVATION_TABLE_KEY, toItem } from "../../functions/shared/activation/item";
import { initialRecord } from "../../functions/shared/activation/record";
import { type CellArgs, normalizeCell } from "../regional/cell";
import { activationTableName } from "./names";
import { type PeerArgs, peerOf } from "./peer";

/** Arguments of {@link ActivationRecord}. */
export interface ActivationRecordArgs {
  /**
   * Required. The cell whose record it is.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The other cell of the pair.
   * @example { name: "dr", region: "us-west-2" }
   */
  peer: PeerArgs;
  /**
   * Required. ARN of the cell's own key, in the cell's region.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Required. Whether the cell acts before anybody has promoted one: true for exactly one cell of the pair. Has no effect once the record
   * exists.
   * @example true // in prod; false in dr
   */
  initiallyActive: boolean;
  /**
   * Whether AWS refuses to delete the table. To remove a cell for good, set it to false and run `pulumi up` first.
   * @default true
   * @example false
   */
  deletionProtection?: boolean;
}

/**
 * A cell's activation record, kept in a table of its own region: whether the cell may do what only one of the two may do. Promotions
 * change it by data-plane writes (fact 33); `pulumi up` creates it and never changes it afterwards, so no deployment undoes a promotion.
 *
 * A plain table, not a global one: the two regions' records are different things, and a global table would let each region write over
 * the other's (fact 32).
 *
 * @throws Error when the peer has the cell's own name or region, or is of another partition.
 * @example
 * const activation = new ActivationRecord(
 *   "prod-activation",
 *   { cell, peer: { name: "dr", region: "us-west-2" }, kmsKeyArn: key.keyArn, initiallyActive: true },
 *   { provider },
 * );
 */
export class ActivationRecord extends pulumi.ComponentResource {
  /** Name of the table. */
  readonly tableName: pulumi.Output<string>;
  /** ARN of the table. */
  readonly tableArn: pulumi.Output<string>;

  constructor(name: string, args: ActivationRecordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:ActivationRecord", name, {}, opts);
    const cell = normalizeCell(args.cell);
    peerOf(cell, args.peer);

    const table = new aws.dynamodb.Table(
      `${name}-table`,
      {
        name: activationTableName(cell),
        billingMode: "PAY_PER_REQUEST",
        hashKey: ACTIVATION_TABLE_KEY,
        attributes: [{ name: ACTIVATION_TABLE_KEY, type: "S" }],
        serverSideEncryption: { enabled: true, kmsKeyArn: args.kmsKeyArn },
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: args.deletionProtection ?? true,
      },
      { parent: this },
    );
    new aws.dynamodb.TableItem(
      `${name}-record`,
      {
        tableName: table.name,
        hashKey: ACTIVATION_TABLE_KEY,
        item: JSON.stringify(toItem(initialRecord(cell.name, args.initiallyActive))),
      },
      // A promotion must not be undone by a deployment.
      { parent: this, ignoreChanges: ["item"] },
    );

    this.tableName = table.name;
    this.tableArn = table.arn;
    this.registerOutputs({ tableName: this.tableName, tableArn: this.tableArn });
  }
}
