import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import { type Cell, cellArn, regionalName } from "../regional/cell";
import { policyDocument } from "../regional/policyDocument";
import { serviceTrustStatement } from "../stateMachine/stateMachine";
import { machineArn, scheduleName, scheduleRoleName } from "./names";

/** What a schedule is made of. */
export interface ScheduleParts {
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  machine: aws.sfn.StateMachine;
  intervalHours: number;
  enabled: boolean;
  kmsKeyArn: pulumi.Input<string>;
  alertTopicArn: pulumi.Input<string>;
}

/**
 * The rule that starts the runs, with the role that it starts them with, and a queue for starts that failed. A promotion enables a rule that
 * is disabled with one call in its own region (`EnableRule`).
 */
export function createSchedule(parts: ScheduleParts): aws.cloudwatch.EventRule {
  const { name, parent, cell } = parts;
  const ruleArn = cellArn(cell, "events", `rule/${scheduleName(cell)}`);
  const undelivered = createDeadLetterQueue({
    parent,
    name: `${name}-schedule`,
    queueName: regionalName(cell, "key-rotator-schedule-dead-letters"),
    kmsKeyArn: parts.kmsKeyArn,
    alarmDescription: "A run of the key rotator could not be started. Read the queue of the same name.",
    alarmActions: [parts.alertTopicArn],
    statements: (queueArn) => [
      {
        Sid: "TheSchedule",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": ruleArn } },
      },
    ],
  });
  const role = new aws.iam.Role(
    `${name}-schedule-role`,
    {
      name: scheduleRoleName(cell),
      path: `/${cell.namePrefix}/`,
      description: `Schedule of the key rotator in ${cell.region}`,
      assumeRolePolicy: policyDocument([serviceTrustStatement(cell, "events.amazonaws.com", ruleArn)]),
    },
    { parent },
  );
  const rolePolicy = new aws.iam.RolePolicy(
    `${name}-schedule-policy`,
    {
      name: "start",
      role: role.name,
      policy: policyDocument([
        { Sid: "StartRuns", Effect: "Allow", Action: "states:StartExecution", Resource: machineArn(cell) },
      ]),
    },
    { parent },
  );
  const { intervalHours } = parts;
  const rule = new aws.cloudwatch.EventRule(
    `${name}-schedule`,
    {
      name: scheduleName(cell),
      description: "Starts the key rotator's runs",
      scheduleExpression: `rate(${intervalHours} hour${intervalHours === 1 ? "" : "s"})`,
      state: parts.enabled ? "ENABLED" : "DISABLED",
    },
    { parent },
  );
  new aws.cloudwatch.EventTarget(
    `${name}-schedule-target`,
    {
      rule: rule.name,
      targetId: "key-rotator",
      arn: parts.machine.arn,
      roleArn: role.arn,
      input: "{}",
      retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 20 },
      deadLetterConfig: { arn: undelivered.arn },
    },
    { parent, dependsOn: [rolePolicy] },
  );
  return rule;
}
