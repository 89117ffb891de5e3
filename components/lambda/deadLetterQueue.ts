import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { queueTlsOnlyStatement } from "./functionPolicy";

const FOURTEEN_DAYS = 14 * 24 * 3600;

/** What a dead-letter queue is made of. */
export interface DeadLetterQueueParts {
  /** The parent; the children are named after it: `NAME-dead-letters` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  /** Physical name of the queue and of its alarm. */
  queueName: string;
  kmsKeyArn: pulumi.Input<string>;
  /** What a message in it means, for whoever gets the alarm. */
  alarmDescription: string;
  /** Topics that the alarm tells. */
  alarmActions: pulumi.Input<string>[];
  /** Further statements of the queue's policy, given its ARN. */
  statements?: (queueArn: pulumi.Output<string>) => PolicyStatement[];
}

/**
 * An encrypted queue that keeps what could not be processed for 14 days, the longest that SQS can, with an alarm on the first message. Part
 * of the components that have one; not a component of its own.
 */
export function createDeadLetterQueue(parts: DeadLetterQueueParts): aws.sqs.Queue {
  const { name, parent } = parts;
  const queue = new aws.sqs.Queue(
    `${name}-dead-letters`,
    {
      name: parts.queueName,
      kmsMasterKeyId: parts.kmsKeyArn,
      messageRetentionSeconds: FOURTEEN_DAYS,
    },
    { parent },
  );
  new aws.sqs.QueuePolicy(
    `${name}-dead-letters-policy`,
    {
      queueUrl: queue.url,
      policy: policyDocument([...(parts.statements?.(queue.arn) ?? []), queueTlsOnlyStatement(queue.arn)]),
    },
    { parent },
  );
  new aws.cloudwatch.MetricAlarm(
    `${name}-dead-letters-alarm`,
    {
      name: parts.queueName,
      alarmDescription: parts.alarmDescription,
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: parts.queueName },
      statistic: "Maximum",
      period: 60,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "notBreaching",
      alarmActions: parts.alarmActions,
    },
    { parent },
  );
  return queue;
}
