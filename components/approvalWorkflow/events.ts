import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import type { RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, cellArn, regionalName } from "../regional/cell";
import { APPROVAL } from "./names";
import { denialPatterns, type WatchedCalls } from "./patterns";

/** What the rules are made of. */
export interface ApprovalEventsParts {
  /** The parent; the children are named after it: `NAME-denied` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  watched: WatchedCalls;
  hubBusName: pulumi.Input<string> | undefined;
  intake: RegionalFunction;
  sweep: RegionalFunction;
  kmsKeyArn: pulumi.Input<string>;
  alertTopicArn: pulumi.Input<string>;
}

/** Minutes between two sweeps. */
const SWEEP_MINUTES = 5;

/**
 * The rules that hand denied calls to intake, on the default bus and on the hub's, with a queue for what could not be handed over; and the schedule
 * of the sweep. Returns the rules.
 */
export function createApprovalEvents(parts: ApprovalEventsParts): aws.cloudwatch.EventRule[] {
  const { name, parent, cell, intake, hubBusName } = parts;
  const undelivered = createDeadLetterQueue({
    parent,
    name: `${name}-events`,
    queueName: regionalName(cell, "approval-undelivered"),
    kmsKeyArn: parts.kmsKeyArn,
    alarmDescription:
      "A denied call could not be handed to approval's intake. Read the queue of the same name; invoking the function with these events is safe.",
    alarmActions: [parts.alertTopicArn],
    statements: (queueArn) => [
      {
        Sid: "ApprovalsRules",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnLike: { "aws:SourceArn": cellArn(cell, "events", "rule/*") } },
      },
    ],
  });
  // A rule's name is unique within its bus only, so the rules on the hub, for the members' calls, have the same names.
  const buses = [
    { prefix: "", bus: undefined },
    ...(hubBusName === undefined ? [] : [{ prefix: "member-", bus: hubBusName }]),
  ];
  const rules = buses.flatMap(({ prefix, bus }) => {
    const permission = permit(
      parts,
      `${prefix}intake`,
      intake,
      bus ? "RulesOfTheHub" : "RulesOfTheAccount",
      bus,
    );
    return denialPatterns(parts.watched).map(({ name: ruleName, eventPattern }) => {
      const suffix = `${prefix}${ruleName.replace(APPROVAL, "denied")}`;
      const rule = new aws.cloudwatch.EventRule(
        `${name}-${suffix}`,
        {
          name: regionalName(cell, ruleName),
          description: "Denied calls that become requests for approval",
          eventPattern: JSON.stringify(eventPattern),
          ...(bus && { eventBusName: bus }),
        },
        { parent },
      );
      new aws.cloudwatch.EventTarget(
        `${name}-${suffix}-intake`,
        {
          rule: rule.name,
          ...(bus && { eventBusName: bus }),
          targetId: "approval-intake",
          arn: intake.functionArn,
          deadLetterConfig: { arn: undelivered.arn },
        },
        { parent, dependsOn: [permission] },
      );
      return rule;
    });
  });
  createSweepSchedule(parts);
  return rules;
}

function permit(
  { name, parent, cell }: ApprovalEventsParts,
  suffix: string,
  called: RegionalFunction,
  statementId: string,
  bus?: pulumi.Input<string>,
): aws.lambda.Permission {
  return new aws.lambda.Permission(
    `${name}-${suffix}-permission`,
    {
      statementId,
      action: "lambda:InvokeFunction",
      function: called.functionName,
      principal: "events.amazonaws.com",
      sourceArn: pulumi
        .output(bus)
        .apply((busName) =>
          cellArn(cell, "events", `rule/${busName ? `${busName}/` : ""}${regionalName(cell, APPROVAL)}*`),
        ),
    },
    { parent },
  );
}

/** A sweep that comes late is of no use: the next one is on its way. */
function createSweepSchedule(parts: ApprovalEventsParts): void {
  const { name, parent, cell, sweep } = parts;
  const permission = permit(parts, "sweep", sweep, "Schedule");
  const rule = new aws.cloudwatch.EventRule(
    `${name}-sweep-schedule`,
    {
      name: regionalName(cell, "approval-sweep"),
      description: "Looks for requests that nobody watches any more, and for access that is left over",
      scheduleExpression: `rate(${SWEEP_MINUTES} minutes)`,
    },
    { parent },
  );
  new aws.cloudwatch.EventTarget(
    `${name}-sweep-schedule-target`,
    {
      rule: rule.name,
      targetId: "approval-sweep",
      arn: sweep.functionArn,
      input: "{}",
      retryPolicy: { maximumEventAgeInSeconds: SWEEP_MINUTES * 60, maximumRetryAttempts: 1 },
    },
    { parent, dependsOn: [permission] },
  );
}
