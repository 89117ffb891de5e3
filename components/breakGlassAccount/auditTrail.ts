import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { LOG_RETENTION_DAYS } from "../lambda/logRetention";
import { type Cell, type CellArgs, cellArn, normalizeCell } from "../regional/cell";
import { policyDocument } from "../regional/policyDocument";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH } from "./emergencyUsers";
import { createTrailBucket, type TrailRetention } from "./trailBucket";
import {
  BREAK_GLASS_METRIC_NAMESPACE,
  trailLogGroupName,
  trailName,
  trailRoleName,
  useAlarmName,
  useFilterName,
  useFilterPattern,
  useMetricName,
} from "./trailNames";

/** Arguments of {@link AuditTrail}. */
export interface AuditTrailArgs {
  /**
   * Required. The cell that the trail has its home in.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. Names of the emergency users, at least two, who live in the cell's account.
   * @example ["breakglass-admin-1", "breakglass-admin-2"]
   */
  userNames: string[];
  /**
   * Required. ARN of the topic in the cell's region that the alarms tell; its policy lets alarms of this account publish.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Required. ARN of the cell's key; its policy has to let CloudTrail encrypt for this trail, as CellKey's does.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Days that the log group keeps what the trail recorded: one of the periods that CloudWatch Logs takes.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
  /**
   * Days after which log files are removed from the bucket, 30 to 36500.
   * @default 400
   * @example 2557
   */
  expiryDays?: number;
  /**
   * Locks every new log file against deletion for objectLockDays: `GOVERNANCE` (those with s3:BypassGovernanceRetention can undo it) or
   * `COMPLIANCE` (nobody can, the root user included; the stack cannot be destroyed until the last lock has ended). To be decided before the
   * bucket exists: a change replaces the bucket.
   * @default none: nothing is locked
   * @example "GOVERNANCE"
   */
  objectLockMode?: string;
  /**
   * Days that log files are locked, from 1 to expiryDays. Only with objectLockMode.
   * @default 90
   * @example 365
   */
  objectLockDays?: number;
  /**
   * Whether the bucket is emptied when the stack is destroyed, all that the trail recorded with it. For trials only.
   * @default false
   * @example true
   */
  forceDestroy?: boolean;
}

const OBJECT_LOCK_MODES = ["GOVERNANCE", "COMPLIANCE"];

interface Normalized extends TrailRetention {
  cell: Cell;
  logRetentionDays: number;
}

function normalize(args: AuditTrailArgs): Normalized {
  const cell = normalizeCell(args.cell);
  checkEmergencyUserNames({
    userNames: args.userNames,
    path: DEFAULT_EMERGENCY_PATH,
    accountId: cell.accountId,
  });
  const logRetentionDays = args.logRetentionDays ?? 365;
  if (!LOG_RETENTION_DAYS.includes(logRetentionDays)) {
    throw new Error(`logRetentionDays is ${logRetentionDays}: one of ${LOG_RETENTION_DAYS.join(", ")}`);
  }
  const expiryDays = wholeNumber("expiryDays", args.expiryDays ?? 400, 30, 36_500);
  if (args.objectLockMode === undefined) {
    if (args.objectLockDays !== undefined) {
      throw new Error(
        `objectLockDays is ${args.objectLockDays} without objectLockMode: give ${OBJECT_LOCK_MODES.join(" or ")}`,
      );
    }
    return { cell, logRetentionDays, expiryDays };
  }
  if (!OBJECT_LOCK_MODES.includes(args.objectLockMode)) {
    throw new Error(`objectLockMode is "${args.objectLockMode}": ${OBJECT_LOCK_MODES.join(" or ")}`);
  }
  const days = wholeNumber("objectLockDays", args.objectLockDays ?? 90, 1, expiryDays);
  return { cell, logRetentionDays, expiryDays, objectLock: { mode: args.objectLockMode, days } };
}

function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} is ${value}: a whole number from ${least} to ${most}`);
}

/**
 * The slow but independent second way of seeing a use of an emergency user, and the evidence afterwards: a multi-region trail homed in the
 * cell, with a bucket and a log group of its own, and for each user a metric filter with an alarm, as the first source document has them. A
 * trail feeds one log group, in its home region only, after about five minutes (fact 23); so each cell has a trail of its own, and the loss of
 * one region leaves the other's (fact 25). Event rules, the fast way, see API calls only while a trail records them (fact 20): this one.
 *
 * Everything is encrypted with the cell's key. Log files are validated: CloudTrail signs an hourly digest of them.
 *
 * @throws Error when a name, a number of days or the object lock's mode is not allowed, or the names of trail or bucket would be too long.
 * @example
 * new AuditTrail("dr-trail", { cell, userNames, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn }, { provider });
 */
export class AuditTrail extends pulumi.ComponentResource {
  /** ARN of the trail. */
  readonly trailArn: pulumi.Output<string>;
  /** Name of the bucket that the trail writes to. */
  readonly bucketName: pulumi.Output<string>;
  /** Name of the log group that the trail writes to. */
  readonly logGroupName: pulumi.Output<string>;
  /** Names of the alarms on the emergency users' use, in the order of the arguments. */
  readonly alarmNames: pulumi.Output<string[]>;

  constructor(name: string, args: AuditTrailArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:AuditTrail", name, {}, opts);
    const { cell, logRetentionDays, ...retention } = normalize(args);
    const { bucket, settings } = createTrailBucket({
      parent: this,
      name,
      cell,
      kmsKeyArn: args.kmsKeyArn,
      forceDestroy: args.forceDestroy ?? false,
      ...retention,
    });
    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-log-group`,
      {
        name: trailLogGroupName(cell),
        retentionInDays: logRetentionDays,
        kmsKeyId: args.kmsKeyArn,
      },
      { parent: this },
    );
    const { role, rolePolicy } = this.createDeliveryRole(name, cell);
    const trail = new aws.cloudtrail.Trail(
      `${name}-trail`,
      {
        name: trailName(cell),
        s3BucketName: bucket.bucket,
        kmsKeyId: args.kmsKeyArn,
        isMultiRegionTrail: true,
        includeGlobalServiceEvents: true,
        enableLogFileValidation: true,
        enableLogging: true,
        cloudWatchLogsGroupArn: pulumi.interpolate`${logGroup.arn}:*`,
        cloudWatchLogsRoleArn: role.arn,
      },
      { parent: this, dependsOn: [...settings, rolePolicy] },
    );
    const alarms = args.userNames.map((userName) => this.watch(name, userName, logGroup, args.alertTopicArn));

    this.trailArn = trail.arn;
    this.bucketName = bucket.bucket;
    this.logGroupName = logGroup.name;
    this.alarmNames = pulumi.all(alarms);
    this.registerOutputs({
      trailArn: this.trailArn,
      bucketName: this.bucketName,
      logGroupName: this.logGroupName,
      alarmNames: this.alarmNames,
    });
  }

  /** The role by which CloudTrail writes to the log group, and to nothing else. */
  private createDeliveryRole(name: string, cell: Cell) {
    const role = new aws.iam.Role(
      `${name}-delivery-role`,
      {
        name: trailRoleName(cell),
        path: `/${cell.namePrefix}/`,
        description: `CloudTrail writes to the log group ${trailLogGroupName(cell)}`,
        assumeRolePolicy: policyDocument([
          {
            // No condition: AWS documents the source's ARN for bucket, key and topic, not for this role.
            Effect: "Allow",
            Principal: { Service: "cloudtrail.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ]),
      },
      { parent: this },
    );
    const rolePolicy = new aws.iam.RolePolicy(
      `${name}-delivery-policy`,
      {
        name: "write-trail",
        role: role.name,
        policy: policyDocument([
          {
            Sid: "TrailWritesItsStreams",
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: cellArn(
              cell,
              "logs",
              `log-group:${trailLogGroupName(cell)}:log-stream:${cell.accountId}_CloudTrail_*`,
            ),
          },
        ]),
      },
      { parent: this },
    );
    return { role, rolePolicy };
  }

  /** Counts what a user does, and alarms at the first; the alarm's name. */
  private watch(
    name: string,
    userName: string,
    logGroup: aws.cloudwatch.LogGroup,
    alertTopicArn: pulumi.Input<string>,
  ): pulumi.Output<string> {
    new aws.cloudwatch.LogMetricFilter(
      `${name}-use-${userName}`,
      {
        name: useFilterName(userName),
        logGroupName: logGroup.name,
        pattern: useFilterPattern(userName),
        metricTransformation: {
          name: useMetricName(userName),
          namespace: BREAK_GLASS_METRIC_NAMESPACE,
          value: "1",
        },
      },
      { parent: this },
    );
    const alarm = new aws.cloudwatch.MetricAlarm(
      `${name}-used-${userName}`,
      {
        name: useAlarmName(userName),
        alarmDescription: `Emergency user ${userName} was used, as the trail tells. If you do not know of an emergency, treat this as a break-in.`,
        namespace: BREAK_GLASS_METRIC_NAMESPACE,
        metricName: useMetricName(userName),
        statistic: "Sum",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: "notBreaching",
        alarmActions: [alertTopicArn],
      },
      { parent: this },
    );
    return alarm.name;
  }
}
