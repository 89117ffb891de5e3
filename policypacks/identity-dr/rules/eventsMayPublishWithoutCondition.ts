import { grantsToEvents, lossesOfEvents, PUBLISH, USE_KEY } from "../lib/eventGrants";
import { relation } from "../lib/references";
import { defineRule, type RuleStackResource } from "../lib/rule";
import { TOPIC } from "../lib/topics";
import { type Plain, property, text } from "../lib/walk";

/** Rejects policies that let event rules publish under a condition, which is never met. */
export const eventsMayPublishWithoutCondition = defineRule({
  id: "events-may-publish-without-condition",
  title: "Event rules may publish without a condition",
  description:
    "A topic's policy, and the policy of a topic's key, must let events.amazonaws.com in without a condition, if at all.",
  severity: "critical",
  why:
    "EventBridge fills in no condition keys when it publishes to a topic and uses the topic's key. A condition on aws:SourceArn or " +
    "aws:SourceAccount, right for every other service, is never met there: every alert is lost without a word.",
  looksAt: [
    "policies of topics: `Topic.policy` and `TopicPolicy.policy`",
    "policies of keys that a topic of the stack is encrypted with: `Key.policy` and `KeyPolicy.policy`",
    "denials for everybody whose condition holds for a request without these keys, such as `StringNotEquals` with aws:SourceAccount",
  ],
  leavesAlone: [
    "a statement with a condition beside one without that grants the same",
    "statements for other services, for which conditions are right; policies of queues, for which EventBridge fills in the keys",
    "keys that encrypt no topic of the stack",
  ],
  unknowns: "a policy, or a topic's key, that is not known is passed over until it is.",
  examples: {
    rejected: `new aws.sns.TopicPolicy("policy", { arn: topic.arn, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: topic.arn,
    Condition: { ArnLike: { "aws:SourceArn": ruleArn } } },
] } }, { provider });`,
    accepted: `new aws.sns.TopicPolicy("policy", { arn: topic.arn, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: topic.arn },
] } }, { provider });`,
  },
  options: {},
  appliesTo: (type) => type in POLICY_PROPERTIES || type === ALIAS,
  resource({ type, props }, _config, report) {
    const path = POLICY_PROPERTIES[type];
    if (path === undefined || !type.includes(":sns/")) return;
    for (const loss of problems(property(props, path), PUBLISH)) report({ path, ...loss });
  },
  stack(resources, _config, report) {
    const topics = resources.filter(({ type }) => type === TOPIC);
    const aliases = resources.filter(({ type }) => type === ALIAS);
    const keys = resources.filter(
      (key) => key.type === KEY && topics.some((topic) => encryptsTopic(key, topic, aliases)),
    );
    for (const key of keys) {
      for (const loss of problems(property(key.props, "policy"), USE_KEY))
        report(key, { path: "policy", ...loss });
    }
    for (const policy of resources) {
      if (policy.type !== KEY_POLICY || !keys.some((key) => isOfKey(policy, "keyId", key))) continue;
      for (const loss of problems(property(policy.props, "policy"), USE_KEY)) {
        report(policy, { path: "policy", ...loss });
      }
    }
  },
});

const KEY = "aws:kms/key:Key";
const KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy";
const ALIAS = "aws:kms/alias:Alias";

/** The types with a policy that event rules have to pass, and its property. */
const POLICY_PROPERTIES: Readonly<Record<string, string>> = {
  [TOPIC]: "policy",
  "aws:sns/topicPolicy:TopicPolicy": "policy",
  [KEY]: "policy",
  [KEY_POLICY]: "policy",
  "aws-native:sns:TopicPolicy": "policyDocument",
  "aws-native:sns:TopicInlinePolicy": "policyDocument",
};

function problems(document: Plain | undefined, action: string): { found: string; instead: string }[] {
  const { conditional, unconditional } = grantsToEvents(document, action);
  const found = lossesOfEvents(document, action).map((loss) => ({
    found: `${loss}, which denies every event rule`,
    instead: 'add the condition {"Bool":{"aws:PrincipalIsAWSService":"false"}} to the denial',
  }));
  if (unconditional || !conditional) return found;
  return [
    {
      found: `${conditional} lets events.amazonaws.com in under a condition, which EventBridge never meets here`,
      instead: "give events.amazonaws.com a statement of its own without a condition",
    },
    ...found,
  ];
}

function encryptsTopic(
  key: RuleStackResource,
  topic: RuleStackResource,
  aliases: readonly RuleStackResource[],
): boolean {
  if (isOfKey(topic, "kmsMasterKeyId", key)) return true;
  const named = text(property(topic.props, "kmsMasterKeyId"));
  return aliases.some((alias) => {
    const name = text(property(alias.props, "name"));
    return name !== undefined && named?.endsWith(name) === true && isOfKey(alias, "targetKeyId", key);
  });
}

function isOfKey(resource: RuleStackResource, propertyName: string, key: RuleStackResource): boolean {
  const names = [property(key.props, "arn"), property(key.props, "keyId")];
  return relation(resource, propertyName, key, (value) => names.includes(value)) === "yes";
}
