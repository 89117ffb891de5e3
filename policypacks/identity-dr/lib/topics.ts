import { arnKind, relation } from "./references";
import type { RuleStackResource } from "./rule";
import { property, text } from "./walk";

/** Type of an SNS topic. */
export const TOPIC = "aws:sns/topic:Topic";

/** Whether an ARN is that of a standard topic: event rules and alarms must not depend on what a FIFO topic cannot deliver to. */
function isStandardTopicArn(value: string): boolean {
  return /^arn:[^:]+:sns:[^:]*:[^:]*:[\w-]+$/.test(value);
}

/** Whether a property holds the ARN of a standard topic, of this stack or another. Not known counts as yes, unless it comes from elsewhere. */
export function sendsToTopic(resource: RuleStackResource, propertyName: string): boolean {
  return arnKind(resource, propertyName, isStandardTopicArn, TOPIC) !== "no";
}

/** Whether a property means this topic: by ARN, or, before the topic is made, by the ARN's last part. */
export function meansTopic(resource: RuleStackResource, propertyName: string, topic: RuleStackResource) {
  const arn = text(property(topic.props, "arn"));
  const name = text(property(topic.props, "name"));
  return relation(resource, propertyName, topic, (value) => {
    if (arn !== undefined) return value === arn;
    return name !== undefined && isStandardTopicArn(value) && value.endsWith(`:${name}`);
  });
}
