import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import { type FunctionVpcArgs, RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, type CellArgs, normalizeCell } from "../regional/cell";
import { policyDocument } from "../regional/policyDocument";
import {
  type ChannelPlan,
  type ChatArgs,
  channelEnvironment,
  checkMailAddress,
  type MailArgs,
  planChats,
  planMail,
} from "./channels";
import { topicStatements } from "./topicPolicy";

/** Arguments of {@link Notification}. */
export interface NotificationArgs {
  /**
   * Required. The cell that tells people.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. Name of the topic. If it begins with the cell's prefix, so do the functions' names.
   * @example "bulkhead-breakglass-alerts"
   */
  topicName: string;
  /**
   * Required. ARN of the cell's key; its policy has to let event rules, alarms and SNS use it, as CellKey's does.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Addresses that SNS itself mails to, as plain text and with nothing in between that could fail. Each has to be confirmed once by its owner.
   * @default none
   * @example ["security@example.com"]
   */
  emails?: string[];
  /**
   * Mail in readable form, sent by a function.
   * @default none
   * @example { transport: "ses", from: "alerts@example.com", to: ["oncall@example.com"] }
   */
  mail?: MailArgs;
  /**
   * Chat channels, each served by a function of its own.
   * @default none
   * @example [{ kind: "slack", webhookParameter: "/bulkhead/slack-webhook" }]
   */
  chat?: ChatArgs[];
  /**
   * Network that the mail function runs in. Chat functions run in Lambda's own network, since webhooks are on the internet.
   * @default none
   * @example { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] }
   */
  vpc?: FunctionVpcArgs;
  /**
   * Days that the functions' logs are kept.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
}

interface Normalized {
  cell: Cell;
  emails: string[];
  channels: ChannelPlan[];
  /** Start of the functions' own names: the topic's without the cell's prefix. */
  functionNameStart: string;
}

function normalize(args: NotificationArgs): Normalized {
  const cell = normalizeCell(args.cell);
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(args.topicName)) {
    throw new Error(
      `topicName is "${args.topicName}": a lower-case letter, then at most 99 lower-case letters, digits and hyphens`,
    );
  }
  const emails = args.emails ?? [];
  emails.forEach((address, index) => {
    checkMailAddress(`emails[${index}]`, address);
    if (emails.indexOf(address) !== index) throw new Error(`emails[${index}] is "${address}": named twice`);
  });
  const prefix = `${cell.namePrefix}-`;
  return {
    cell,
    emails,
    channels: [...(args.mail ? [planMail(cell, args.mail)] : []), ...planChats(cell, args.chat ?? [])],
    functionNameStart: args.topicName.startsWith(prefix)
      ? args.topicName.slice(prefix.length)
      : args.topicName,
  };
}

/**
 * How a cell tells people: an encrypted topic of its own region that event rules and alarms publish to, mails by SNS itself, and, where
 * wanted, readable mail and chat messages by functions. Each channel has its own function, subscription and role: a chat that is down keeps
 * no mail from being sent, is retried alone, and its function can read its own secret only. What could not be handed to a function waits in
 * a dead-letter queue; so does what a function gave up on.
 *
 * @throws Error naming the argument, its value and what is allowed; SES in a partition that has none among them.
 * @example
 * const alerts = new Notification("dr-alerts", {
 *   cell,
 *   topicName: "bulkhead-breakglass-alerts",
 *   kmsKeyArn: key.keyArn,
 *   emails: ["security@example.com"],
 *   chat: [{ kind: "slack", webhookParameter: "/bulkhead/slack-webhook" }],
 * }, { provider });
 */
export class Notification extends pulumi.ComponentResource {
  /** ARN of the topic; it is known only after the topic lets event rules and alarms publish. */
  readonly topicArn: pulumi.Output<string>;
  /** Name of the topic. */
  readonly topicName: pulumi.Output<string>;
  /** Names of the functions that serve the channels: mail first, then the chats in their order. */
  readonly functionNames: pulumi.Output<string[]>;

  constructor(name: string, args: NotificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:Notification", name, {}, opts);
    const normalized = normalize(args);
    const { cell, channels } = normalized;
    if (normalized.emails.length === 0 && channels.length === 0) {
      void pulumi.log.warn("no emails, mail or chat are given: nobody is told unless others subscribe", this);
    }

    const topic = new aws.sns.Topic(
      `${name}-topic`,
      {
        name: args.topicName,
        // What recipients of SNS's mails see as the sender's name.
        displayName: `Bulkhead ${cell.name}`,
        kmsMasterKeyId: args.kmsKeyArn,
        signatureVersion: 2,
      },
      { parent: this },
    );
    const topicPolicy = new aws.sns.TopicPolicy(
      `${name}-topic-policy`,
      { arn: topic.arn, policy: policyDocument(topicStatements(cell, topic.arn)) },
      { parent: this },
    );
    for (const address of normalized.emails) {
      new aws.sns.TopicSubscription(
        `${name}-email-${address}`,
        { topic: topic.arn, protocol: "email", endpoint: address },
        { parent: this },
      );
    }
    const functions = this.createChannels(name, args, normalized, topic);

    this.topicArn = pulumi.all([topic.arn, topicPolicy.id]).apply(([arn]) => arn);
    this.topicName = topic.name;
    this.functionNames = pulumi.all(functions.map((channel) => channel.functionName));
    this.registerOutputs({
      topicArn: this.topicArn,
      topicName: this.topicName,
      functionNames: this.functionNames,
    });
  }

  private createChannels(
    name: string,
    args: NotificationArgs,
    { cell, channels, functionNameStart }: Normalized,
    topic: aws.sns.Topic,
  ): RegionalFunction[] {
    if (channels.length === 0) return [];
    const undelivered = createDeadLetterQueue({
      parent: this,
      name,
      queueName: `${args.topicName}-dead-letters`,
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription: `Messages that ${args.topicName} could not hand to a function wait in the queue of the same name.`,
      alarmActions: [topic.arn],
      statements: (queueArn) => [
        {
          Sid: "UndeliveredMessagesOfTheTopic",
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: queueArn,
          Condition: { ArnEquals: { "aws:SourceArn": topic.arn } },
        },
      ],
    });
    return channels.map((channel) => {
      const notifier = new RegionalFunction(
        `${name}-${channel.suffix}`,
        {
          cell,
          functionName: `${functionNameStart}-${channel.suffix}`,
          bundle: "notification",
          description: `Tells people of ${args.topicName} by ${channel.words}`,
          kmsKeyArn: args.kmsKeyArn,
          statements: channel.statements,
          environment: channelEnvironment(channel),
          logRetentionDays: args.logRetentionDays,
          // A channel that fails is told of through the others, SNS's own mails among them.
          alarmTopicArn: topic.arn,
          ...(channel.inNetwork && args.vpc && { vpc: args.vpc }),
        },
        { parent: this },
      );
      const permission = new aws.lambda.Permission(
        `${name}-${channel.suffix}-permission`,
        {
          statementId: "AlertTopic",
          action: "lambda:InvokeFunction",
          function: notifier.functionName,
          principal: "sns.amazonaws.com",
          sourceArn: topic.arn,
        },
        { parent: this },
      );
      new aws.sns.TopicSubscription(
        `${name}-${channel.suffix}-subscription`,
        {
          topic: topic.arn,
          protocol: "lambda",
          endpoint: notifier.functionArn,
          redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: undelivered.arn }),
        },
        { parent: this, dependsOn: [permission] },
      );
      return notifier;
    });
  }
}
