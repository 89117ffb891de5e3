import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  type ReadinessConfig,
  readinessPolicy,
  STEWARD_MAX_AGE_HOURS,
} from "../../functions/breakGlass/readiness/config";
import { REQUIREMENTS } from "../../functions/breakGlass/readiness/requirements";
import { READINESS_VARIABLE } from "../../functions/breakGlass/steward/settings";
import { type PeerArgs, peerOf } from "../activation/peer";
import { RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, type CellArgs, normalizeCell, regionalName } from "../regional/cell";
import { isRegionName, partitionOf } from "../regional/partition";
import { createPrivateBucket, expiryRule } from "../regional/privateBucket";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH } from "./emergencyUsers";
import {
  REQUIREMENT_DIMENSION,
  readinessAlarmName,
  reportsBucketArn,
  reportsBucketName,
  STEWARD,
  STEWARD_RUNS_METRIC,
  stewardScheduleName,
  stewardStoppedAlarmName,
  UNKNOWN_METRIC,
  UNREADY_METRIC,
  uncheckedAlarmName,
} from "./readinessNames";
import { stewardStatements } from "./stewardPolicy";

/** The account's password policy as it is expected. */
export interface ExpectedPasswordPolicyArgs {
  /**
   * Required. Shortest password, in characters.
   * @example 32
   */
  minimumLength: number;
  /**
   * Required. Days after which a password expires.
   * @example 90
   */
  maximumAgeDays: number;
}

/** Arguments of {@link BreakGlassSteward}. */
export interface BreakGlassStewardArgs {
  /**
   * Required. The cell that checks, in the account of the emergency users.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * The other cell, whose steward is checked and whose records are read as well.
   * @default none: there is one cell only
   * @example { name: "prod", region: "us-east-1" }
   */
  peer?: PeerArgs;
  /**
   * Name of the cell that owns the users: where to mend what is wrong with them.
   * @default the cell's own
   * @example "prod"
   */
  ownerCell?: string;
  /**
   * Required. Names of the emergency users, at least two.
   * @example ["breakglass-admin-1", "breakglass-admin-2"]
   */
  userNames: string[];
  /**
   * IAM path of the users.
   * @default "/break-glass/"
   * @example "/emergency/"
   */
  path?: string;
  /**
   * Required. ARN of the topic in the cell's region that the alarms tell; the other cell's has the same name.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Name of the topic, where it is not `PREFIX-breakglass-alerts`.
   * @default "PREFIX-breakglass-alerts"
   * @example "acme-alerts"
   */
  alertTopicName?: string;
  /**
   * What the topic feeds by functions, as Notification names them: `mail`, `slack`, `teams`. Their queues of undelivered messages are to be empty.
   * @default none
   * @example ["mail", "slack"]
   */
  channels?: string[];
  /**
   * Further functions of the cell, by their own names, whose error alarms and dead letters are checked.
   * @default none besides the monitor's, the channels' and the steward's own
   * @example ["breakglass-rotation"]
   */
  functions?: string[];
  /**
   * Name of the hub bus that member accounts send their events to. Its rules and its queue are checked.
   * @default none
   * @example "bulkhead-hub"
   */
  hubBusName?: string;
  /**
   * Regions in which SignInForwarding sends what is recorded to the cells (fact 17): to their hubs if there are any. In a cell's own region it
   * sends to the other cell.
   * @default none
   * @example ["us-east-2", "eu-north-1", "ap-southeast-2"]
   */
  signInRegions?: string[];
  /**
   * ARN of the role in the management account with which the organization is read.
   * @default none: the organization is read with the function's own credentials, which the organization allows delegated administrators only
   * @example organizationReaderRoleArn(cell, "111111111111")
   */
  organizationRoleArn?: string;
  /**
   * Statements of service control policies that are in the way on purpose, each as `POLICY-ID/SID`.
   * @default none
   * @example ["p-1a2b3c4d/DenyLeavingTheOrganization"]
   */
  toleratedScpStatements?: string[];
  /**
   * The account's password policy, where it is to have one.
   * @default none: any is taken that locks nobody out
   * @example { minimumLength: 32, maximumAgeDays: 90 }
   */
  passwordPolicy?: ExpectedPasswordPolicyArgs;
  /**
   * Days after which a password counts as old.
   * @default 90
   * @example 60
   */
  passwordMaxAgeDays?: number;
  /**
   * Days after which the last drill counts as old.
   * @default 90
   * @example 180
   */
  drillMaxAgeDays?: number;
  /**
   * When the steward runs, as EventBridge's schedule expression, once a day at least.
   * @default "cron(17 6 * * ? *)": daily at 06:17 UTC
   * @example "cron(0 4 * * ? *)"
   */
  schedule?: string;
  /**
   * Days that reports are kept.
   * @default 400
   * @example 2557
   */
  reportExpiryDays?: number;
  /**
   * Whether the reports' bucket is emptied when the stack is destroyed.
   * @default false
   * @example true
   */
  forceDestroy?: boolean;
  /**
   * Required. ARN of the cell's key: it encrypts the reports, the logs and the dead letters.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Days that the function's logs are kept.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
}

const DAY_SECONDS = 24 * 3600;
const HOUR_SECONDS = 3600;
/** Days for which something may stay unchecked before that is an alarm: longer than outages are. */
const UNCHECKED_DAYS = 3;
/** What CloudWatch takes for dimensions that powertools adds. */
const SERVICE_DIMENSION = "service";

interface Normalized {
  cell: Cell;
  cells: Cell[];
  config: ReadinessConfig;
}

function normalize(args: BreakGlassStewardArgs): Normalized {
  const cell = normalizeCell(args.cell);
  const path = args.path ?? DEFAULT_EMERGENCY_PATH;
  checkEmergencyUserNames({ userNames: args.userNames, path, accountId: cell.accountId });
  const both = [cell, ...(args.peer ? [peerOf(cell, args.peer)] : [])];
  const owner = args.ownerCell ?? cell.name;
  if (!both.some(({ name }) => name === owner)) {
    throw new Error(`ownerCell is "${owner}": one of ${both.map(({ name }) => name).join(", ")}`);
  }
  for (const region of args.signInRegions ?? []) {
    if (!isRegionName(region) || partitionOf(region) !== cell.partition) {
      throw new Error(`signInRegions has "${region}": the name of a region in partition ${cell.partition}`);
    }
  }
  const wrong = (args.toleratedScpStatements ?? []).find((each) => !/^p-[\w]+\/.+$/.test(each));
  if (wrong !== undefined) {
    throw new Error(`toleratedScpStatements has "${wrong}": POLICY-ID/SID, such as p-1a2b3c4d/DenyLeaving`);
  }
  const days = (key: "passwordMaxAgeDays" | "drillMaxAgeDays") => {
    const value = args[key] ?? 90;
    if (!Number.isInteger(value) || value < 1 || value > 1095) {
      throw new Error(`${key} is ${value}: a whole number from 1 to 1095`);
    }
    return value;
  };
  const expiryDays = args.reportExpiryDays ?? 400;
  if (!Number.isInteger(expiryDays) || expiryDays < 30 || expiryDays > 36_500) {
    throw new Error(`reportExpiryDays is ${expiryDays}: a whole number from 30 to 36500`);
  }
  return {
    cell,
    cells: both,
    config: {
      namePrefix: cell.namePrefix,
      accountId: cell.accountId,
      stsEndpoint: cell.stsEndpoint,
      cells: [...both]
        .sort((a, b) => Number(b.name === owner) - Number(a.name === owner))
        .map(({ name, region }) => ({ name, region })),
      userNames: args.userNames,
      path,
      topicName: args.alertTopicName ?? regionalName(cell, "breakglass-alerts"),
      channels: args.channels ?? [],
      functions: args.functions ?? [],
      ...(args.hubBusName && { hubBusName: args.hubBusName }),
      signInRegions: args.signInRegions ?? [],
      organizationRoleArns: args.organizationRoleArn ? [args.organizationRoleArn] : [],
      ...(args.passwordPolicy && { passwordPolicy: args.passwordPolicy }),
      passwordMaxAgeDays: days("passwordMaxAgeDays"),
      drillMaxAgeDays: days("drillMaxAgeDays"),
      toleratedScpStatements: args.toleratedScpStatements ?? [],
    },
  };
}

/**
 * Checks every day that emergency access would work: users, passwords, devices, policies, the organization's service control policies, records,
 * and the cell's own monitoring; and that the other cell's steward still checks. Each requirement has an alarm; a steward that has stopped has
 * one, too. The reports, as a page and as JSON, are in a bucket of the cell, under `readiness/`.
 *
 * In an outage of IAM the requirements that it decides are unknown, not unmet: no alarm, until they have been so for three days.
 *
 * @throws Error naming the argument, its value and what is allowed.
 * @example
 * new BreakGlassSteward("dr-steward", { cell, peer, ownerCell: "prod", userNames, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn }, { provider });
 */
export class BreakGlassSteward extends pulumi.ComponentResource {
  /** Name of the function. */
  readonly functionName: pulumi.Output<string>;
  /** Name of the bucket of the reports. */
  readonly reportsBucketName: pulumi.Output<string>;
  /** Names of the requirements' alarms. */
  readonly alarmNames: pulumi.Output<string[]>;

  constructor(name: string, args: BreakGlassStewardArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:BreakGlassSteward", name, {}, opts);
    const { cell, cells, config } = normalize(args);
    const reports = `${name}-reports`;
    const { bucket } = createPrivateBucket({
      parent: this,
      names: { bucket: reports, policy: `${reports}-policy`, others: reports },
      bucketName: reportsBucketName(cell),
      bucketArn: reportsBucketArn(cell),
      kmsKeyArn: args.kmsKeyArn,
      bucketKey: true,
      lifecycleRules: [expiryRule(args.reportExpiryDays ?? 400)],
      forceDestroy: args.forceDestroy ?? false,
    });
    const steward = new RegionalFunction(
      `${name}-function`,
      {
        cell: args.cell,
        functionName: STEWARD,
        bundle: "breakGlass-steward",
        description: "Checks every day that emergency access would work",
        kmsKeyArn: args.kmsKeyArn,
        statements: stewardStatements(
          cell,
          cells,
          readinessPolicy(config, cell.name),
          config.organizationRoleArns,
        ),
        environment: { [READINESS_VARIABLE]: JSON.stringify(config) },
        memorySize: 512,
        timeout: 180,
        logRetentionDays: args.logRetentionDays,
        alarmTopicArn: args.alertTopicArn,
      },
      { parent: this },
    );
    this.createSchedule(name, cell, args.schedule ?? "cron(17 6 * * ? *)", steward);
    const alarms = this.createAlarms(name, cell, args.alertTopicArn);

    this.functionName = steward.functionName;
    this.reportsBucketName = bucket.bucket;
    this.alarmNames = pulumi.all(alarms);
    this.registerOutputs({
      functionName: this.functionName,
      reportsBucketName: this.reportsBucketName,
      alarmNames: this.alarmNames,
    });
  }

  private createSchedule(name: string, cell: Cell, schedule: string, steward: RegionalFunction): void {
    const rule = new aws.cloudwatch.EventRule(
      `${name}-schedule`,
      {
        name: stewardScheduleName(cell),
        description: "Starts the daily check of emergency access",
        scheduleExpression: schedule,
      },
      { parent: this },
    );
    const permission = new aws.lambda.Permission(
      `${name}-schedule-permission`,
      {
        statementId: "Schedule",
        action: "lambda:InvokeFunction",
        function: steward.functionName,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${name}-schedule-target`,
      { rule: rule.name, targetId: "steward", arn: steward.functionArn },
      { parent: this, dependsOn: [permission] },
    );
  }

  private createAlarms(name: string, cell: Cell, topicArn: pulumi.Input<string>): pulumi.Output<string>[] {
    const dimensions = { [SERVICE_DIMENSION]: regionalName(cell, STEWARD) };
    const alarm = (logicalName: string, alarmArgs: Omit<aws.cloudwatch.MetricAlarmArgs, "namespace">) =>
      new aws.cloudwatch.MetricAlarm(
        `${name}-${logicalName}-alarm`,
        { namespace: "Bulkhead", alarmActions: [topicArn], ...alarmArgs },
        { parent: this },
      ).name;
    const unmet = REQUIREMENTS.map(({ id, text }) =>
      alarm(id, {
        name: readinessAlarmName(cell, id),
        alarmDescription: `Emergency access is not ready. ${text} The last report says what was found and what to do.`,
        metricName: UNREADY_METRIC,
        dimensions: { ...dimensions, [REQUIREMENT_DIMENSION]: id },
        statistic: "Maximum",
        period: DAY_SECONDS,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        // One run a day: between two of them, nothing is news. A steward that has stopped has an alarm of its own.
        treatMissingData: "ignore",
      }),
    );
    const stopped = alarm("stopped", {
      name: stewardStoppedAlarmName(cell),
      alarmDescription: `${regionalName(cell, STEWARD)} has not checked emergency access for ${STEWARD_MAX_AGE_HOURS} hours. Its log group says why.`,
      metricName: STEWARD_RUNS_METRIC,
      dimensions,
      statistic: "Sum",
      period: HOUR_SECONDS,
      evaluationPeriods: STEWARD_MAX_AGE_HOURS,
      threshold: 1,
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "breaching",
    });
    const unchecked = alarm("unchecked", {
      name: uncheckedAlarmName(cell),
      alarmDescription: `Something about emergency access could not be checked for ${UNCHECKED_DAYS} days. The last report says what.`,
      metricName: UNKNOWN_METRIC,
      dimensions,
      statistic: "Minimum",
      period: DAY_SECONDS,
      evaluationPeriods: UNCHECKED_DAYS,
      threshold: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "notBreaching",
    });
    return [...unmet, stopped, unchecked];
  }
}
