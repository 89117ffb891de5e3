import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { TICK } from "../../functions/breakGlass/use/handle";
import { USE_VARIABLE, type UseSettings } from "../../functions/breakGlass/use/settings";
import { type PeerArgs, peerOf } from "../activation/peer";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import { type FunctionVpcArgs, RegionalFunction } from "../lambda/regionalFunction";
import type { EventForwardingRequest } from "../memberAccess/requests";
import { type Cell, type CellArgs, cellArn, normalizeCell, regionalName } from "../regional/cell";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH, type EmergencyUserNames } from "./emergencyUsers";
import {
  alertedPatterns,
  forwardedPatterns,
  ruleState,
  trackedPatterns,
  type WatchPattern,
  watchNames,
} from "./eventPatterns";
import { evidenceTableName, evidenceWriterStatements } from "./evidenceTable";
import { createUseTable, useTableStatements } from "./useTable";

/** How uses are followed and told. */
export interface UseTrackingArgs {
  /**
   * The other cell, whose table of evidence is written to as well. Of use with {@link recordEvidence} only.
   * @default none
   * @example { name: "dr", region: "us-west-2" }
   */
  peer?: PeerArgs;
  /**
   * Whether the beginning and the end of each use are recorded in the cells' tables of evidence, as BreakGlassRecords makes them. What has to be
   * rotated after a use is known from there.
   * @default false: there need not be such tables
   * @example true
   */
  recordEvidence?: boolean;
  /**
   * Seconds between two messages about a use that goes on, and length of the window in which many changes by others are told together;
   * 60 to 86,400.
   * @default 900
   * @example 300
   */
  digestSeconds?: number;
  /**
   * Seconds without events after which a use counts as over and its report is sent, 120 to 86,400.
   * @default 1800
   * @example 3600
   */
  idleSeconds?: number;
  /**
   * Address of the runbook, https, for the messages. It has to be reachable when everything else is not.
   * @default none: the messages name the runbook without a link
   * @example "https://runbooks.example.com/break-glass"
   */
  runbookUrl?: string;
  /**
   * Whether AWS refuses to delete the table in which uses are followed. To remove a cell for good, set it to false and run `pulumi up` first.
   * @default true
   * @example false
   */
  deletionProtection?: boolean;
  /**
   * Days that the function's logs are kept.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
  /**
   * Network that the function runs in; it calls DynamoDB and SNS.
   * @default none: Lambda's own network
   * @example { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] }
   */
  vpc?: FunctionVpcArgs;
}

/** Arguments of {@link BreakGlassMonitor}. */
export interface BreakGlassMonitorArgs {
  /**
   * Required. The cell that watches: its rules, queue and alarm stand in its own region.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. Names of the emergency users, at least two. Only names: the users themselves may belong to another cell, which may be lost.
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
   * Account that the users live in, 12 digits.
   * @default the cell's account
   * @example "111111111111"
   */
  userAccountId?: string;
  /**
   * Required. ARN of the topic in the cell's region that is told of every use; its policy lets event rules and alarms of this account publish.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Name of the hub bus that member accounts send their events to. Without one, only the cell's own account is watched.
   * @default none
   * @example "bulkhead-hub"
   */
  hubBusName?: pulumi.Input<string>;
  /**
   * Required. ARN of the cell's key, which encrypts the table of uses, the function's data and alerts that could not be delivered.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * How uses are followed and told.
   * @default a digest every 15 minutes, a report after 30 minutes without events, no evidence
   * @example { peer: { name: "dr", region: "us-west-2" }, recordEvidence: true }
   */
  tracking?: UseTrackingArgs;
}

/** What the mail says, one line each; a value that an event lacks leaves its place empty. */
const MESSAGE: readonly string[] = [
  "[critical] <what> by emergency user <user> in account <account>",
  "If you do not know of an emergency, treat this as a break-in: see the runbook.",
  "",
  "Call:     <call> of <service>",
  "User:     <arn> <userName>",
  "MFA:      <mfa> <mfaSession>",
  "Outcome:  <error> <signIn>",
  "From:     <ip>, <agent>",
  "Region:   <region>",
  "Time:     <time>",
  "Event id: <id>",
];

const INPUT_PATHS: Record<string, string> = {
  user: "$.detail.userIdentity.userName",
  account: "$.account",
  call: "$.detail.eventName",
  service: "$.detail.eventSource",
  arn: "$.detail.userIdentity.arn",
  userName: "$.detail.userIdentity.userName",
  mfa: "$.detail.additionalEventData.MFAUsed",
  mfaSession: "$.detail.userIdentity.sessionContext.attributes.mfaAuthenticated",
  error: "$.detail.errorCode",
  signIn: "$.detail.responseElements.ConsoleLogin",
  ip: "$.detail.sourceIPAddress",
  agent: "$.detail.userAgent",
  region: "$.detail.awsRegion",
  time: "$.detail.eventTime",
  id: "$.detail.eventID",
};

/** The target's template: JSON strings, one a line, as event rules want text of several lines. */
export function alertTemplate(what: string): string {
  return MESSAGE.map((line) => JSON.stringify(line.replace("<what>", what))).join("\n");
}

/**
 * What a monitor needs of the member accounts: what these users do there, and changes of trails and of what forwards events, sent to the
 * hubs. No event is asked for twice.
 */
export function monitorForwardingRequests(cell: Cell, users: EmergencyUserNames): EventForwardingRequest[] {
  return forwardedPatterns(watchNames(cell, users)).map(({ name, eventPattern, allManagementEvents }) => ({
    name: regionalName(cell, name),
    eventPattern,
    ...(allManagementEvents && { allManagementEvents }),
  }));
}

/** Seconds that the function may run: less than the time for which it claims what it tells. */
const TIMEOUT_SECONDS = 50;

/**
 * Watches the emergency users from one cell. A sign-in, failed ones too, goes from an event rule straight to the cell's topic, within
 * seconds and without a function in between (facts 23 and 25). Everything that the users do, and what others change about them or about what
 * watches them, goes to a function too. It tells of a use once when it begins (unless a sign-in has told it), every `digestSeconds` while more
 * happens, and with a report of everything when it is over. What others change is told at once.
 *
 * Every cell has a monitor of its own, since a sign-in is recorded in the region of the address that was used (fact 17). Event rules see API
 * calls only while some trail records management events in the account (fact 20).
 *
 * When the function is down: sign-ins are told as ever, the alarms on its errors and on its dead letters reach the same topic, and what it
 * missed waits in the queue `PREFIX-breakglass-use-dead-letters` for 14 days. Invoking it with these events is safe, however often.
 *
 * @throws Error when fewer than two users are named, a name, path or account id is malformed, or a time of `tracking` is out of range.
 * @example
 * new BreakGlassMonitor("dr-break-glass", { cell, userNames, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn }, { provider });
 */
export class BreakGlassMonitor extends pulumi.ComponentResource {
  /** ARNs of the event rules. */
  readonly ruleArns: pulumi.Output<string[]>;
  /** ARN of the queue that keeps alerts which could not be delivered to the topic, and events that could not be handed to the function. */
  readonly undeliveredQueueArn: pulumi.Output<string>;
  /** Name of the function that follows uses. */
  readonly functionName: pulumi.Output<string>;
  /** Name of the table in which it does. */
  readonly useTableName: pulumi.Output<string>;

  constructor(name: string, args: BreakGlassMonitorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:BreakGlassMonitor", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const users: EmergencyUserNames = {
      userNames: args.userNames,
      path: args.path ?? DEFAULT_EMERGENCY_PATH,
      accountId: args.userAccountId ?? cell.accountId,
    };
    checkEmergencyUserNames(users);
    const tracking = normalizeTracking(args.tracking);
    const names = watchNames(cell, users);

    const undelivered = createDeadLetterQueue({
      parent: this,
      name,
      queueName: regionalName(cell, "breakglass-undelivered"),
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription:
        "An alert or an event of an emergency user's use could not be delivered. Read the queue of the same name.",
      alarmActions: [args.alertTopicArn],
      statements: (queueArn) => [
        {
          Sid: "EventRulesOfTheAccount",
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: queueArn,
          Condition: { ArnLike: { "aws:SourceArn": cellArn(cell, "events", "rule/*") } },
        },
      ],
    });
    const table = createUseTable({
      parent: this,
      name,
      cell,
      kmsKeyArn: args.kmsKeyArn,
      deletionProtection: tracking.deletionProtection,
    });
    const tracker = this.createTracker(name, args, cell, users, tracking, table);

    const rule = (suffix: string, { name: ruleName, ...pattern }: WatchPattern, bus?: pulumi.Input<string>) =>
      new aws.cloudwatch.EventRule(
        `${name}-${suffix}`,
        {
          name: regionalName(cell, ruleName),
          description: DESCRIPTIONS[ruleName.replace(/-\d+$/, "")]!,
          eventPattern: JSON.stringify(pattern.eventPattern),
          state: ruleState({ name: ruleName, ...pattern }),
          ...(bus && { eventBusName: bus }),
        },
        { parent: this },
      );
    const rules: aws.cloudwatch.EventRule[] = [];
    // A rule's name is unique within its bus only, so the rules on the hub, for the members' events, have the same names.
    const buses = [
      { prefix: "", bus: undefined },
      ...(args.hubBusName ? [{ prefix: "member-", bus: args.hubBusName }] : []),
    ];
    for (const { prefix, bus } of buses) {
      for (const pattern of alertedPatterns(names)) {
        const suffix = `${prefix}${pattern.name.replace("breakglass-", "")}`;
        const eventRule = rule(suffix, pattern, bus);
        rules.push(eventRule);
        new aws.cloudwatch.EventTarget(
          `${name}-${suffix}-alert`,
          {
            rule: eventRule.name,
            ...(bus && { eventBusName: bus }),
            targetId: "alert-topic",
            arn: args.alertTopicArn,
            inputTransformer: { inputPaths: INPUT_PATHS, inputTemplate: alertTemplate("Sign-in") },
            deadLetterConfig: { arn: undelivered.arn },
          },
          { parent: this },
        );
      }
      const permission = new aws.lambda.Permission(
        `${name}-${prefix}tracker-permission`,
        {
          statementId: bus ? "RulesOfTheHub" : "RulesOfTheAccount",
          action: "lambda:InvokeFunction",
          function: tracker.functionName,
          principal: "events.amazonaws.com",
          sourceArn: pulumi
            .output(bus)
            .apply((busName) =>
              cellArn(
                cell,
                "events",
                `rule/${busName ? `${busName}/` : ""}${regionalName(cell, "breakglass-")}*`,
              ),
            ),
        },
        { parent: this },
      );
      for (const pattern of trackedPatterns(names)) {
        const suffix = `${prefix}${pattern.name.replace("breakglass-", "")}`;
        const eventRule = rule(suffix, pattern, bus);
        rules.push(eventRule);
        new aws.cloudwatch.EventTarget(
          `${name}-${suffix}-tracker`,
          {
            rule: eventRule.name,
            ...(bus && { eventBusName: bus }),
            targetId: "use-tracker",
            arn: tracker.functionArn,
            deadLetterConfig: { arn: undelivered.arn },
          },
          { parent: this, dependsOn: [permission] },
        );
      }
      if (!bus) this.createSchedule(name, cell, tracker, permission);
    }

    this.ruleArns = pulumi.all(rules.map(({ arn }) => arn));
    this.undeliveredQueueArn = undelivered.arn;
    this.functionName = tracker.functionName;
    this.useTableName = table.name;
    this.registerOutputs({
      ruleArns: this.ruleArns,
      undeliveredQueueArn: this.undeliveredQueueArn,
      functionName: this.functionName,
      useTableName: this.useTableName,
    });
  }

  private createTracker(
    name: string,
    args: BreakGlassMonitorArgs,
    cell: Cell,
    users: EmergencyUserNames,
    tracking: NormalizedTracking,
    table: aws.dynamodb.Table,
  ): RegionalFunction {
    const peers = tracking.peer ? [peerOf(cell, tracking.peer)] : [];
    const cells = tracking.recordEvidence ? [cell, ...peers] : [];
    const { accountIds = [], ...names } = watchNames(cell, users);
    const settings = pulumi.all([args.alertTopicArn, table.name]).apply(([topicArn, tableName]) => {
      const plain: UseSettings = {
        cell: cell.name,
        region: cell.region,
        accountId: cell.accountId,
        names: { ...names, userNames: [...names.userNames], accountIds: [...accountIds] },
        topicArn,
        tableName,
        digestSeconds: tracking.digestSeconds,
        idleSeconds: tracking.idleSeconds,
        evidence: cells.map((one) => ({
          cell: one.name,
          region: one.region,
          tableName: evidenceTableName(one),
        })),
        runbookUrl: tracking.runbookUrl,
      };
      return JSON.stringify(plain);
    });
    return new RegionalFunction(
      `${name}-tracker`,
      {
        cell,
        functionName: "breakglass-use",
        bundle: "breakGlass-use",
        description:
          "Follows the uses of the emergency users and tells of each once, in digests and in a report",
        kmsKeyArn: args.kmsKeyArn,
        environment: { [USE_VARIABLE]: settings },
        timeout: TIMEOUT_SECONDS,
        statements: [
          { Sid: "TellPeople", Effect: "Allow", Action: "sns:Publish", Resource: args.alertTopicArn },
          ...useTableStatements(cell),
          ...(cells.length > 0 ? evidenceWriterStatements(cells) : []),
        ],
        alarmTopicArn: args.alertTopicArn,
        ...(tracking.logRetentionDays !== undefined && { logRetentionDays: tracking.logRetentionDays }),
        ...(tracking.vpc && { vpc: tracking.vpc }),
      },
      { parent: this },
    );
  }

  /** The tick by which digests and reports are sent. A tick that comes late is of no use: the next one is on its way. */
  private createSchedule(
    name: string,
    cell: Cell,
    tracker: RegionalFunction,
    permission: aws.lambda.Permission,
  ): void {
    const schedule = new aws.cloudwatch.EventRule(
      `${name}-sweep`,
      {
        name: regionalName(cell, "breakglass-sweep"),
        description: "Lets the function look every minute what has to be told of the uses of emergency users",
        scheduleExpression: "rate(1 minute)",
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${name}-sweep-tracker`,
      {
        rule: schedule.name,
        targetId: "use-tracker",
        arn: tracker.functionArn,
        input: JSON.stringify(TICK),
        retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 1 },
      },
      { parent: this, dependsOn: [permission] },
    );
  }
}

const DESCRIPTIONS: Record<string, string> = {
  "breakglass-use": "Any use of an emergency user",
  "breakglass-signin": "Any sign-in of an emergency user, failed ones too",
  "breakglass-tamper-users": "Changes of emergency users, their devices and policies by others",
  "breakglass-tamper-watch": "Changes of what watches the emergency users",
};

type NormalizedTracking = UseTrackingArgs &
  Required<
    Pick<
      UseTrackingArgs,
      "recordEvidence" | "digestSeconds" | "idleSeconds" | "runbookUrl" | "deletionProtection"
    >
  >;

function normalizeTracking(args: UseTrackingArgs = {}): NormalizedTracking {
  const tracking = {
    ...args,
    recordEvidence: args.recordEvidence ?? false,
    digestSeconds: args.digestSeconds ?? 900,
    idleSeconds: args.idleSeconds ?? 1800,
    runbookUrl: args.runbookUrl ?? "",
    deletionProtection: args.deletionProtection ?? true,
  };
  for (const [key, least] of [
    ["digestSeconds", 60],
    ["idleSeconds", 120],
  ] as const) {
    const value = tracking[key];
    if (!Number.isInteger(value) || value < least || value > 86_400) {
      throw new Error(`tracking.${key} is ${value}: a whole number from ${least} to 86400`);
    }
  }
  if (tracking.runbookUrl !== "" && !/^https:\/\/[^\s@]+$/.test(tracking.runbookUrl)) {
    throw new Error(`tracking.runbookUrl is "${tracking.runbookUrl}": an https address without a login`);
  }
  return tracking;
}
