import { topicStatements } from "../../components/notification/topicPolicy";
import { normalizeCell } from "../../components/regional/cell";
import { cellKeyStatements } from "../../components/regional/cellKey";
import { type TestResource, UNKNOWN_VALUE, urnOf } from "./support/analyze";
import { documentOf, itJudges } from "./support/cases";

const CELL = normalizeCell({ name: "dr", region: "us-west-2", accountId: "222222222222" });
const TOPIC_ARN = "arn:aws:sns:us-west-2:222222222222:alerts";
const KEY_ARN = "arn:aws:kms:us-west-2:222222222222:key/k";
const TOPIC: TestResource = {
  type: "aws:sns/topic:Topic",
  name: "alerts",
  props: { arn: TOPIC_ARN, name: "alerts", kmsMasterKeyId: KEY_ARN },
};
const topicPolicy = (policy: unknown): TestResource => ({
  type: "aws:sns/topicPolicy:TopicPolicy",
  name: "policy",
  props: { arn: TOPIC_ARN, policy },
});
const key = (policy: unknown, props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:kms/key:Key",
  name: "key",
  props: { arn: KEY_ARN, keyId: "k", policy, ...props },
});

const ALLOW = {
  Sid: "Rules",
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: "sns:Publish",
  Resource: "*",
};
const BY_ARN = { ArnLike: { "aws:SourceArn": "arn:aws:events:us-west-2:222222222222:rule/*" } };
const BY_ACCOUNT = { StringEquals: { "aws:SourceAccount": "222222222222" } };
const USE_KEY = { ...ALLOW, Action: ["kms:Decrypt", "kms:GenerateDataKey*"] };

describe("events-may-publish-without-condition", () => {
  const RULE = "events-may-publish-without-condition";
  describe("topics", () => {
    const denial = (Condition: unknown, extra = {}) => ({
      Sid: "Denial",
      Effect: "Deny",
      Principal: "*",
      Action: "sns:Publish",
      Resource: "*",
      Condition,
      ...extra,
    });
    itJudges(RULE, [
      {
        title: "accepts the product's own policy",
        resources: [topicPolicy(documentOf(...topicStatements(CELL, TOPIC_ARN)))],
      },
      { title: "accepts a statement without a condition", resources: [topicPolicy(documentOf(ALLOW))] },
      {
        title: "accepts an empty condition",
        resources: [topicPolicy(documentOf({ ...ALLOW, Condition: {} }))],
      },
      {
        title: "rejects a condition on the rule",
        resources: [topicPolicy(documentOf({ ...ALLOW, Condition: BY_ARN }))],
        reports: [
          /"policy": policy: statement "Rules" lets events\.amazonaws\.com in under a condition.*of its own without a condition/,
        ],
      },
      {
        title: "rejects a condition on the account, in a policy on the topic itself",
        resources: [
          { ...TOPIC, props: { policy: documentOf({ ...ALLOW, Sid: undefined, Condition: BY_ACCOUNT }) } },
        ],
        reports: ["policy: statement 1 lets"],
      },
      {
        title: "sees wildcards in actions, and events among services",
        resources: [
          topicPolicy(
            documentOf({
              ...ALLOW,
              Action: "SNS:*",
              Principal: { Service: ["cloudwatch.amazonaws.com", "events.amazonaws.com"] },
              Condition: BY_ACCOUNT,
            }),
          ),
        ],
        reports: ["Rules"],
      },
      {
        title: "accepts it beside one without",
        resources: [topicPolicy(documentOf({ ...ALLOW, Condition: BY_ARN }, ALLOW))],
      },
      {
        title: "leaves other services' conditions alone",
        resources: [
          topicPolicy(
            documentOf({
              ...ALLOW,
              Principal: { Service: "cloudwatch.amazonaws.com" },
              Condition: BY_ACCOUNT,
            }),
          ),
        ],
      },
      {
        title: "leaves other actions alone",
        resources: [topicPolicy(documentOf({ ...ALLOW, Action: "sns:Subscribe", Condition: BY_ACCOUNT }))],
      },
      {
        title: "accepts a denial without TLS",
        resources: [topicPolicy(documentOf(ALLOW, denial({ Bool: { "aws:SecureTransport": "false" } })))],
      },
      {
        title: "rejects a denial of all that do not come from the account",
        resources: [
          topicPolicy(
            documentOf(ALLOW, denial({ StringNotEquals: { "aws:SourceAccount": "222222222222" } })),
          ),
        ],
        reports: [/statement "Denial", which denies every event rule.*PrincipalIsAWSService/],
      },
      {
        title: "accepts it for people only",
        resources: [
          topicPolicy(
            documentOf(
              ALLOW,
              denial({
                StringNotEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" },
                Bool: { "aws:PrincipalIsAWSService": "false" },
              }),
            ),
          ),
        ],
      },
      {
        title: "leaves denials on other keys alone",
        resources: [topicPolicy(documentOf(ALLOW, denial({ StringNotEquals: { "sns:Protocol": "https" } })))],
      },
      {
        title: "waits for what is not known",
        resources: [
          topicPolicy(UNKNOWN_VALUE),
          topicPolicy({ Statement: [{ ...ALLOW, Condition: UNKNOWN_VALUE }] }),
        ],
      },
      {
        title: "leaves queues alone",
        resources: [
          {
            type: "aws:sqs/queuePolicy:QueuePolicy",
            props: { policy: documentOf({ ...ALLOW, Action: "sqs:SendMessage", Condition: BY_ARN }) },
          },
        ],
      },
    ]);
  });

  describe("keys", () => {
    const conditional = documentOf({ ...USE_KEY, Condition: BY_ACCOUNT });
    const unknownKey = (dependency: TestResource): TestResource => ({
      ...TOPIC,
      props: { ...TOPIC.props, kmsMasterKeyId: UNKNOWN_VALUE },
      propertyDependencies: { kmsMasterKeyId: [urnOf(dependency)] },
    });
    itJudges(RULE, [
      {
        title: "accepts the product's own policy",
        resources: [TOPIC, key(documentOf(...cellKeyStatements(CELL)))],
      },
      {
        title: "rejects a condition in the policy of a topic's key",
        resources: [TOPIC, key(conditional)],
        reports: [/kms\/key:Key "key": policy: statement "Rules"/],
      },
      {
        title: "finds the key by its id",
        resources: [{ ...TOPIC, props: { kmsMasterKeyId: "k" } }, key(conditional)],
        reports: ["Rules"],
      },
      {
        title: "finds the key by an alias",
        resources: [
          { ...TOPIC, props: { kmsMasterKeyId: "alias/cell" } },
          { type: "aws:kms/alias:Alias", name: "a", props: { name: "alias/cell", targetKeyId: "k" } },
          key(conditional),
        ],
        reports: ["Rules"],
      },
      {
        title: "finds the key that an unknown value comes from",
        resources: [
          unknownKey(key(conditional)),
          key(conditional, { arn: UNKNOWN_VALUE, keyId: UNKNOWN_VALUE }),
        ],
        reports: ["Rules"],
      },
      {
        title: "finds a policy of its own resource",
        resources: [
          TOPIC,
          key(undefined),
          { type: "aws:kms/keyPolicy:KeyPolicy", name: "kp", props: { keyId: "k", policy: conditional } },
        ],
        reports: [/KeyPolicy "kp"/],
      },
      { title: "leaves keys of no topic alone", resources: [{ ...TOPIC, props: {} }, key(conditional)] },
      {
        title: "leaves a key without a word about events alone",
        resources: [
          TOPIC,
          key(
            documentOf({
              Effect: "Allow",
              Principal: { AWS: "arn:aws:iam::222222222222:root" },
              Action: "kms:*",
              Resource: "*",
            }),
          ),
        ],
      },
    ]);
  });
});

describe("alert-topic-has-subscription", () => {
  const alarm = (alarmActions: unknown, dependencies: string[] = []): TestResource => ({
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    name: "alarm",
    props: { name: "used", alarmActions },
    propertyDependencies: { alarmActions: dependencies },
  });
  const target = (arn: unknown): TestResource => ({
    type: "aws:cloudwatch/eventTarget:EventTarget",
    name: "target",
    props: { rule: "use", arn },
  });
  const subscription = (topic: unknown, dependencies: string[] = []): TestResource => ({
    type: "aws:sns/topicSubscription:TopicSubscription",
    name: "mail",
    props: { topic, protocol: "email", endpoint: "security@example.com" },
    propertyDependencies: { topic: dependencies },
  });
  const NEW: TestResource = { ...TOPIC, props: { name: "alerts", arn: UNKNOWN_VALUE } };
  const OTHER: TestResource = { ...TOPIC, name: "other", props: { name: "other", arn: UNKNOWN_VALUE } };
  itJudges("alert-topic-has-subscription", [
    { title: "accepts a subscription", resources: [TOPIC, alarm([TOPIC_ARN]), subscription(TOPIC_ARN)] },
    {
      title: "rejects a topic of an alarm without one",
      resources: [TOPIC, alarm([TOPIC_ARN])],
      reports: [/"alerts": alarm "used" sends to it, and nobody is subscribed/],
    },
    {
      title: "rejects a topic of an event rule without one",
      resources: [TOPIC, target(TOPIC_ARN)],
      reports: ['event rule "use" sends to it'],
    },
    {
      title: "counts no subscription of another topic",
      resources: [TOPIC, target(TOPIC_ARN), subscription(`${TOPIC_ARN}-2`)],
      reports: ["nobody is subscribed"],
    },
    { title: "leaves topics alone that nothing sends to", resources: [TOPIC] },
    { title: "leaves topics of other stacks alone", resources: [alarm([TOPIC_ARN])] },
    {
      title: "follows what is not known",
      resources: [
        NEW,
        OTHER,
        alarm([UNKNOWN_VALUE], [urnOf(NEW)]),
        subscription(UNKNOWN_VALUE, [urnOf(OTHER)]),
      ],
      reports: [/"alerts": alarm/],
    },
    {
      title: "counts a subscription of unknown origin",
      resources: [NEW, alarm([UNKNOWN_VALUE], [urnOf(NEW)]), subscription(UNKNOWN_VALUE)],
    },
    {
      title: "knows a topic that is about to be made by its name",
      resources: [NEW, alarm([TOPIC_ARN])],
      reports: ["nobody is subscribed"],
    },
  ]);
});
