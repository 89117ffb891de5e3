import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import { type Cell, type CellArgs, cellArn, normalizeCell, regionalName } from "../regional/cell";
import { arn } from "../regional/partition";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { eventForwarderRoleName, memberRolePath } from "./plan";

/** Arguments of {@link EventHub}. */
export interface EventHubArgs {
  /**
   * Required. The cell whose hub it is.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. Id of the organization whose accounts may send.
   * @example "o-a1b2c3d4e5"
   */
  organizationId: string;
  /**
   * Required. ARN of the cell's key, which encrypts what could not be delivered.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Required. ARN of the topic that is told when something could not be delivered.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
}

/** Name of the hub's bus, the same in every cell. */
export function eventHubName(cell: Cell): string {
  return regionalName(cell, "hub");
}

/** ARN of a cell's hub: deterministic, since members are told of both hubs although one cell may not exist yet or may be dead. */
export function eventHubArn(cell: Cell): string {
  return cellArn(cell, "events", `event-bus/${eventHubName(cell)}`);
}

/** The statements of a hub's policy: the organization's forwarding roles may send. */
export function eventHubStatements(cell: Cell, organizationId: string): PolicyStatement[] {
  const forwarder = `${memberRolePath(cell.namePrefix)}${eventForwarderRoleName(cell.namePrefix, "*")}`;
  return [
    {
      Sid: "ForwardersOfTheOrganization",
      Effect: "Allow",
      Principal: "*",
      Action: "events:PutEvents",
      Resource: eventHubArn(cell),
      Condition: {
        StringEquals: { "aws:PrincipalOrgID": organizationId },
        ArnLike: {
          "aws:PrincipalArn": arn({
            partition: cell.partition,
            service: "iam",
            account: "*",
            resource: `role${forwarder}`,
          }),
        },
      },
    },
  ];
}

/**
 * A cell's hub: the event bus in its region that all accounts of the organization send to, each cell's hub directly, since a received event is
 * not forwarded again (fact 24). Only the forwarding roles that MemberAccess makes may send, so nobody else in a member account can
 * put made-up events before the rules on the hub.
 *
 * @throws Error when organizationId is malformed.
 * @example
 * const hub = new EventHub("dr-hub", { cell, organizationId: "o-a1b2c3d4e5", kmsKeyArn: key.keyArn, alertTopicArn: alerts.topicArn }, { provider });
 */
export class EventHub extends pulumi.ComponentResource {
  /** ARN of the bus. */
  readonly busArn: pulumi.Output<string>;
  /** Name of the bus, for rules on it. */
  readonly busName: pulumi.Output<string>;
  /** ARN of the queue for events that rules on the bus could not deliver: set it as the dead-letter queue of their targets. */
  readonly deadLetterQueueArn: pulumi.Output<string>;

  constructor(name: string, args: EventHubArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:EventHub", name, {}, opts);
    const cell = normalizeCell(args.cell);
    if (!/^o-[a-z0-9]{10,32}$/.test(args.organizationId)) {
      throw new Error(
        `organizationId is "${args.organizationId}": an organization's id, such as o-a1b2c3d4e5`,
      );
    }
    const queue = createDeadLetterQueue({
      parent: this,
      name,
      queueName: `${eventHubName(cell)}-dead-letters`,
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription:
        "An event of a member account could not be delivered. Read the queue of the same name.",
      alarmActions: [args.alertTopicArn],
      statements: (queueArn) => [
        {
          Sid: "RulesOfTheHub",
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: queueArn,
          Condition: {
            ArnLike: { "aws:SourceArn": cellArn(cell, "events", `rule/${eventHubName(cell)}/*`) },
          },
        },
      ],
    });
    const bus = new aws.cloudwatch.EventBus(
      `${name}-bus`,
      {
        name: eventHubName(cell),
        description: `Events of the organization's accounts for cell ${cell.name}`,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventBusPolicy(
      `${name}-policy`,
      {
        eventBusName: bus.name,
        policy: policyDocument(eventHubStatements(cell, args.organizationId)),
      },
      { parent: this },
    );

    this.busArn = bus.arn;
    this.busName = bus.name;
    this.deadLetterQueueArn = queue.arn;
    this.registerOutputs({
      busArn: this.busArn,
      busName: this.busName,
      deadLetterQueueArn: this.deadLetterQueueArn,
    });
  }
}
