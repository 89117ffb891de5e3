/** Simple Notification Service. */
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { define, type Handler, lastPart, pages, someTags, syncTags, tagList, tagMap } from "../handler";
import { bool, equal, json, map, num, policy, str } from "../schema";
import type { Props } from "../types";

/** The topic attributes that are inputs of Topic, by input. */
const TOPIC_ATTRIBUTES: Record<string, string> = {
  displayName: "DisplayName",
  policy: "Policy",
  deliveryPolicy: "DeliveryPolicy",
  kmsMasterKeyId: "KmsMasterKeyId",
  tracingConfig: "TracingConfig",
  signatureVersion: "SignatureVersion",
  contentBasedDeduplication: "ContentBasedDeduplication",
};

const topic = define("sns", {
  type: "aws:sns/topic:Topic",
  autoname: {
    property: "name",
    prefixProperty: "namePrefix",
    maxLength: 256,
    after: (inputs) => (inputs.fifoTopic ? ".fifo" : ""),
  },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    displayName: str(),
    policy: policy({ computed: true }),
    deliveryPolicy: json(),
    kmsMasterKeyId: str(),
    tracingConfig: str({ computed: true, values: ["Active", "PassThrough"] }),
    signatureVersion: num({ computed: true }),
    fifoTopic: bool({ default: false, replaces: true }),
    contentBasedDeduplication: bool({ default: false }),
    tags: map(),
  },
  outputs: ["arn", "owner"],
  async create(sns, inputs) {
    const attributes = Object.entries(TOPIC_ATTRIBUTES)
      .filter(
        ([key]) => inputs[key] !== undefined && !(key === "contentBasedDeduplication" && !inputs.fifoTopic),
      )
      .map(([key, name]) => [name, String(inputs[key])]);
    const { TopicArn } = await sns.createTopic({
      Name: inputs.name,
      Attributes: Object.fromEntries(inputs.fifoTopic ? [...attributes, ["FifoTopic", "true"]] : attributes),
      Tags: someTags(inputs.tags),
    });
    return TopicArn!;
  },
  async read(sns, TopicArn) {
    const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
    const { Tags } = await sns.listTagsForResource({ ResourceArn: TopicArn });
    return {
      name: lastPart(TopicArn, ":"),
      displayName: Attributes.DisplayName,
      policy: Attributes.Policy,
      deliveryPolicy: Attributes.DeliveryPolicy,
      kmsMasterKeyId: Attributes.KmsMasterKeyId,
      tracingConfig: Attributes.TracingConfig,
      signatureVersion: Attributes.SignatureVersion && Number(Attributes.SignatureVersion),
      fifoTopic: Attributes.FifoTopic === "true",
      contentBasedDeduplication: Attributes.ContentBasedDeduplication === "true",
      tags: tagMap(Tags),
      arn: TopicArn,
      owner: Attributes.Owner,
    };
  },
  async update(sns, TopicArn, inputs, olds, call) {
    for (const [key, AttributeName] of Object.entries(TOPIC_ATTRIBUTES)) {
      if (!call.changed(key)) continue;
      await sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue: String(inputs[key] ?? "") });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => sns.tagResource({ ResourceArn: TopicArn, Tags: tagList(tags) }),
      (TagKeys) => sns.untagResource({ ResourceArn: TopicArn, TagKeys }),
    );
    return undefined;
  },
  async delete(sns, TopicArn) {
    await sns.deleteTopic({ TopicArn });
  },
  identify: async (_sns, inputs, call) =>
    arn({
      partition: partitionOf(call.region),
      service: "sns",
      region: call.region,
      account: await call.account(),
      resource: inputs.name,
    }),
});

/** What AWS gives a topic at its creation, and what it gets back when its policy resource goes. */
function defaultTopicPolicy(topicArn: string, owner: string): string {
  const actions = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
  ];
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [...actions, "Subscribe", "ListSubscriptionsByTopic", "Publish"].map(
          (action) => `SNS:${action}`,
        ),
        Resource: topicArn,
        Condition: { StringEquals: { "AWS:SourceOwner": owner } },
      },
    ],
  });
}

async function putTopicPolicy(sns: Client<"sns">, inputs: Props): Promise<string> {
  await sns.setTopicAttributes({
    TopicArn: inputs.arn,
    AttributeName: "Policy",
    AttributeValue: inputs.policy,
  });
  return inputs.arn;
}

const policyInput = policy({ required: true });

const topicPolicy = define("sns", {
  type: "aws:sns/topicPolicy:TopicPolicy",
  inputs: { arn: str({ required: true, replaces: true }), policy: policyInput },
  outputs: ["owner"],
  create: putTopicPolicy,
  async read(sns, TopicArn) {
    const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
    const { Policy = "", Owner = "" } = Attributes;
    // Every topic has a policy: AWS's own means that there is no other.
    const isDefault = equal(policyInput, Policy, defaultTopicPolicy(TopicArn, Owner));
    return isDefault ? undefined : { arn: TopicArn, policy: Policy, owner: Owner };
  },
  async update(sns, _id, inputs) {
    await putTopicPolicy(sns, inputs);
    return undefined;
  },
  async delete(sns, TopicArn) {
    const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
    await putTopicPolicy(sns, {
      arn: TopicArn,
      policy: defaultTopicPolicy(TopicArn, Attributes.Owner ?? ""),
    });
  },
});

/** The subscription attributes that can be changed, by input. */
const SUBSCRIPTION_ATTRIBUTES: Record<string, string> = {
  deliveryPolicy: "DeliveryPolicy",
  filterPolicyScope: "FilterPolicyScope",
  filterPolicy: "FilterPolicy",
  rawMessageDelivery: "RawMessageDelivery",
  redrivePolicy: "RedrivePolicy",
  subscriptionRoleArn: "SubscriptionRoleArn",
};

const topicSubscription = define("sns", {
  type: "aws:sns/topicSubscription:TopicSubscription",
  inputs: {
    topic: str({ required: true, replaces: true }),
    protocol: str({
      required: true,
      replaces: true,
      values: ["email", "email-json", "http", "https", "lambda", "sms", "sqs", "firehose", "application"],
    }),
    endpoint: str({ required: true, replaces: true }),
    deliveryPolicy: json(),
    filterPolicy: json(),
    filterPolicyScope: str({ computed: true, values: ["MessageAttributes", "MessageBody"] }),
    rawMessageDelivery: bool({ default: false }),
    redrivePolicy: json(),
    subscriptionRoleArn: str(),
  },
  advice: {
    endpointAutoConfirms: "leave it out: an HTTP endpoint confirms its subscription by itself",
    confirmationTimeoutInMinutes: "leave it out: nobody waits for the confirmation",
  },
  outputs: ["arn", "ownerId", "pendingConfirmation", "confirmationWasAuthenticated"],
  async create(sns, inputs) {
    const attributes = Object.entries(SUBSCRIPTION_ATTRIBUTES)
      .filter(([key]) => inputs[key] !== undefined && inputs[key] !== false)
      .map(([key, name]) => [name, String(inputs[key])]);
    const { SubscriptionArn } = await sns.subscribe({
      TopicArn: inputs.topic,
      Protocol: inputs.protocol,
      Endpoint: inputs.endpoint,
      Attributes: Object.fromEntries(attributes),
      ReturnSubscriptionArn: true,
    });
    return SubscriptionArn!;
  },
  async read(sns, SubscriptionArn) {
    const { Attributes = {} } = await sns.getSubscriptionAttributes({ SubscriptionArn });
    return {
      topic: Attributes.TopicArn,
      protocol: Attributes.Protocol,
      endpoint: Attributes.Endpoint,
      deliveryPolicy: Attributes.DeliveryPolicy,
      filterPolicy: Attributes.FilterPolicy,
      filterPolicyScope: Attributes.FilterPolicyScope,
      rawMessageDelivery: Attributes.RawMessageDelivery === "true",
      redrivePolicy: Attributes.RedrivePolicy,
      subscriptionRoleArn: Attributes.SubscriptionRoleArn,
      arn: SubscriptionArn,
      ownerId: Attributes.Owner,
      pendingConfirmation: Attributes.PendingConfirmation === "true",
      confirmationWasAuthenticated: Attributes.ConfirmationWasAuthenticated === "true",
    };
  },
  async update(sns, SubscriptionArn, inputs, _olds, call) {
    for (const [key, AttributeName] of Object.entries(SUBSCRIPTION_ATTRIBUTES)) {
      if (!call.changed(key)) continue;
      const isJson = /Policy$/.test(key);
      const AttributeValue = String(inputs[key] ?? (isJson ? "{}" : ""));
      await sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue });
    }
    return undefined;
  },
  async delete(sns, SubscriptionArn) {
    await sns.unsubscribe({ SubscriptionArn });
  },
  async identify(sns, inputs) {
    const subscriptions = await pages(
      (NextToken) => sns.listSubscriptionsByTopic({ TopicArn: inputs.topic, NextToken }),
      (page) => page.Subscriptions,
      (page) => page.NextToken,
    );
    const found = subscriptions.find(
      (one) => one.Protocol === inputs.protocol && one.Endpoint === inputs.endpoint,
    );
    // A subscription that waits for its confirmation is listed without its ARN.
    return found?.SubscriptionArn?.startsWith("arn:") ? found.SubscriptionArn : undefined;
  },
});

export const snsHandlers: readonly Handler[] = [topic, topicPolicy, topicSubscription];
