import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import type { EventForwardingRequest } from "../memberAccess/requests";
import { type Cell, type CellArgs, cellArn, normalizeCell, regionalName } from "../regional/cell";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH, type EmergencyUserNames } from "./emergencyUsers";
import { emergencySignInPattern, emergencyUsePattern } from "./eventPatterns";

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
   * Required. ARN of the cell's key, which encrypts alerts that could not be delivered.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
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

/** What a monitor needs of the member accounts: their events of these users, sent to the hubs. */
export function monitorForwardingRequests(cell: Cell, users: EmergencyUserNames): EventForwardingRequest[] {
  return [
    {
      name: regionalName(cell, "breakglass-use"),
      eventPattern: emergencyUsePattern(users),
      allManagementEvents: true,
    },
    { name: regionalName(cell, "breakglass-signin"), eventPattern: emergencySignInPattern(users) },
  ];
}

/**
 * Watches the emergency users from one cell: any use and any sign-in, failed ones too, goes from an event rule straight to the cell's
 * topic, within seconds and without a function in between (facts 23 and 25). Every cell has a monitor of its own, since a sign-in is
 * recorded in the region of the address that was used (fact 17).
 *
 * Event rules see API calls only while some trail records management events in the account (fact 20).
 *
 * @throws Error when fewer than two users are named, or a name, path or account id is malformed.
 * @example
 * new BreakGlassMonitor("dr-break-glass", { cell, userNames, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn }, { provider });
 */
export class BreakGlassMonitor extends pulumi.ComponentResource {
  /** ARNs of the event rules. */
  readonly ruleArns: pulumi.Output<string[]>;
  /** ARN of the queue that keeps alerts which could not be delivered to the topic. */
  readonly undeliveredQueueArn: pulumi.Output<string>;

  constructor(name: string, args: BreakGlassMonitorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:BreakGlassMonitor", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const users: EmergencyUserNames = {
      userNames: args.userNames,
      path: args.path ?? DEFAULT_EMERGENCY_PATH,
      accountId: args.userAccountId ?? cell.accountId,
    };
    checkEmergencyUserNames(users);

    const undelivered = createDeadLetterQueue({
      parent: this,
      name,
      queueName: regionalName(cell, "breakglass-undelivered"),
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription:
        "An alert of an emergency user's use could not be delivered. Read the queue of the same name.",
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

    const watch = (suffix: string, what: string, rule: aws.cloudwatch.EventRuleArgs) => {
      const eventRule = new aws.cloudwatch.EventRule(`${name}-${suffix}`, rule, { parent: this });
      new aws.cloudwatch.EventTarget(
        `${name}-${suffix}-alert`,
        {
          rule: eventRule.name,
          ...(rule.eventBusName && { eventBusName: rule.eventBusName }),
          targetId: "alert-topic",
          arn: args.alertTopicArn,
          inputTransformer: { inputPaths: INPUT_PATHS, inputTemplate: alertTemplate(what) },
          deadLetterConfig: { arn: undelivered.arn },
        },
        { parent: this },
      );
      return eventRule.arn;
    };
    const use = {
      name: regionalName(cell, "breakglass-use"),
      description: "Any use of an emergency user",
      eventPattern: JSON.stringify(emergencyUsePattern(users)),
      state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    };
    const signIn = {
      name: regionalName(cell, "breakglass-signin"),
      description: "Any sign-in of an emergency user, failed ones too",
      eventPattern: JSON.stringify(emergencySignInPattern(users)),
    };
    const rules = [watch("use", "Action", use), watch("signin", "Sign-in", signIn)];
    if (args.hubBusName) {
      // A rule's name is unique within its bus only, so the members' rules have the same names.
      rules.push(
        watch("member-use", "Action", { ...use, eventBusName: args.hubBusName }),
        watch("member-signin", "Sign-in", { ...signIn, eventBusName: args.hubBusName }),
      );
    }

    this.ruleArns = pulumi.all(rules);
    this.undeliveredQueueArn = undelivered.arn;
    this.registerOutputs({ ruleArns: this.ruleArns, undeliveredQueueArn: this.undeliveredQueueArn });
  }
}
