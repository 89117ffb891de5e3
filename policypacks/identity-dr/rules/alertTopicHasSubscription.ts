import { byType } from "../lib/references";
import { defineRule, type RuleStackResource } from "../lib/rule";
import { meansTopic, TOPIC } from "../lib/topics";
import { list, property, text } from "../lib/walk";

/** Rejects topics that alarms and event rules send to, and that nobody listens to. */
export const alertTopicHasSubscription = defineRule({
  id: "alert-topic-has-subscription",
  title: "Alert topics have subscriptions",
  description: "A topic that alarms or event rules send to must have a subscription in the stack.",
  severity: "high",
  why: "A topic without a subscription takes every alert and tells nobody. Nothing fails, so nobody finds out.",
  looksAt: [
    "topics of the stack that an alarm of the stack names in `alarmActions`, or an event rule's target in `arn`",
    "`TopicSubscription` resources of the stack",
  ],
  leavesAlone: [
    "topics of other stacks, and topics that only functions send to",
    "whether a subscription was confirmed: that is the steward's to watch",
  ],
  unknowns: "a subscription to a topic that is not known counts for every topic that it may be.",
  examples: {
    rejected: `new aws.cloudwatch.MetricAlarm("used", { ..., alarmActions: [topic.arn] }, { provider });`,
    accepted: `new aws.cloudwatch.MetricAlarm("used", { ..., alarmActions: [topic.arn] }, { provider });
new aws.sns.TopicSubscription("mail", { topic: topic.arn, protocol: "email", endpoint: "security@example.com" }, { provider });`,
  },
  options: {},
  appliesTo: (type) => TYPES.has(type),
  stack(resources, _config, report) {
    const of = byType(resources);
    for (const topic of of(TOPIC)) {
      const isSubscribed = of(SUBSCRIPTION).some((one) => meansTopic(one, "topic", topic) !== "no");
      if (isSubscribed) continue;
      const sender =
        of(ALARM).find((alarm) => meansTopic(alarm, "alarmActions", topic) === "yes") ??
        of(TARGET).find((target) => meansTopic(target, "arn", topic) === "yes");
      if (sender)
        report(topic, {
          path: "",
          found: `${describe(sender)} sends to it, and nobody is subscribed`,
          instead: INSTEAD,
        });
    }
  },
});

const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const TYPES: ReadonlySet<string> = new Set([TOPIC, ALARM, TARGET, SUBSCRIPTION]);

const INSTEAD = "subscribe an address that people read, in the same stack";

function describe(sender: RuleStackResource): string {
  const name = text(list(property(sender.props, "name", "rule"))[0]) ?? sender.name;
  return `${sender.type === ALARM ? "alarm" : "event rule"} "${name}"`;
}
