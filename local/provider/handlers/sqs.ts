/** Simple Queue Service. */
import type { Client } from "../context";
import { define, type Handler, lastPart, syncTags, withoutAwsTags } from "../handler";
import { bool, json, map, num, policy, str } from "../schema";
import type { Props } from "../types";

/** The queue attributes that are inputs of Queue, by input. */
const ATTRIBUTES: Record<string, string> = {
  delaySeconds: "DelaySeconds",
  kmsDataKeyReusePeriodSeconds: "KmsDataKeyReusePeriodSeconds",
  kmsMasterKeyId: "KmsMasterKeyId",
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  policy: "Policy",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  redriveAllowPolicy: "RedriveAllowPolicy",
  redrivePolicy: "RedrivePolicy",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
  visibilityTimeoutSeconds: "VisibilityTimeout",
  contentBasedDeduplication: "ContentBasedDeduplication",
  deduplicationScope: "DeduplicationScope",
  fifoThroughputLimit: "FifoThroughputLimit",
};
const FIFO_ONLY = new Set(["contentBasedDeduplication", "deduplicationScope", "fifoThroughputLimit"]);

const queue = define("sqs", {
  type: "aws:sqs/queue:Queue",
  autoname: {
    property: "name",
    prefixProperty: "namePrefix",
    maxLength: 80,
    after: (inputs) => (inputs.fifoQueue ? ".fifo" : ""),
  },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    delaySeconds: num({ default: 0 }),
    kmsDataKeyReusePeriodSeconds: num({ computed: true }),
    kmsMasterKeyId: str(),
    maxMessageSize: num({ computed: true }),
    messageRetentionSeconds: num({ default: 345600 }),
    policy: policy({ computed: true }),
    receiveWaitTimeSeconds: num({ default: 0 }),
    redriveAllowPolicy: json({ computed: true }),
    redrivePolicy: json({ computed: true }),
    sqsManagedSseEnabled: bool({ computed: true }),
    visibilityTimeoutSeconds: num({ default: 30 }),
    fifoQueue: bool({ default: false, replaces: true }),
    contentBasedDeduplication: bool({ default: false }),
    deduplicationScope: str({ computed: true, values: ["messageGroup", "queue"] }),
    fifoThroughputLimit: str({ computed: true, values: ["perQueue", "perMessageGroupId"] }),
    tags: map(),
  },
  outputs: ["arn", "url"],
  async create(sqs, inputs) {
    const attributes = Object.entries(ATTRIBUTES)
      .filter(([key]) => inputs[key] !== undefined && (inputs.fifoQueue || !FIFO_ONLY.has(key)))
      .map(([key, name]) => [name, String(inputs[key])]);
    const { QueueUrl } = await sqs.createQueue({
      QueueName: inputs.name,
      Attributes: Object.fromEntries(inputs.fifoQueue ? [...attributes, ["FifoQueue", "true"]] : attributes),
      tags: inputs.tags,
    });
    return QueueUrl!;
  },
  async read(sqs, QueueUrl) {
    const { Attributes = {} } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
    const { Tags } = await sqs.listQueueTags({ QueueUrl });
    const texts: Record<string, string | undefined> = Attributes;
    const live: Props = {};
    for (const [key, input] of Object.entries(queue.inputs)) {
      const text = texts[ATTRIBUTES[key] ?? ""];
      if (text === undefined) continue;
      live[key] = input.kind === "number" ? Number(text) : input.kind === "boolean" ? text === "true" : text;
    }
    return {
      ...live,
      name: lastPart(QueueUrl, "/"),
      fifoQueue: texts.FifoQueue === "true",
      tags: withoutAwsTags(Tags),
      arn: texts.QueueArn,
      url: QueueUrl,
    };
  },
  async update(sqs, QueueUrl, inputs, olds, call) {
    const changed = Object.entries(ATTRIBUTES).filter(([key]) => call.changed(key));
    if (changed.length > 0) {
      const attributes = changed.map(([key, name]) => [name, String(inputs[key] ?? "")]);
      await sqs.setQueueAttributes({ QueueUrl, Attributes: Object.fromEntries(attributes) });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (Tags) => sqs.tagQueue({ QueueUrl, Tags }),
      (TagKeys) => sqs.untagQueue({ QueueUrl, TagKeys }),
    );
    return undefined;
  },
  async delete(sqs, QueueUrl) {
    await sqs.deleteQueue({ QueueUrl });
  },
  async identify(sqs, inputs) {
    return (await sqs.getQueueUrl({ QueueName: inputs.name })).QueueUrl;
  },
});

async function putPolicy(sqs: Client<"sqs">, QueueUrl: string, Policy: string): Promise<string> {
  await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy } });
  return QueueUrl;
}

const queuePolicy = define("sqs", {
  type: "aws:sqs/queuePolicy:QueuePolicy",
  inputs: { queueUrl: str({ required: true, replaces: true }), policy: policy({ required: true }) },
  outputs: [],
  create: (sqs, inputs) => putPolicy(sqs, inputs.queueUrl, inputs.policy),
  async read(sqs, QueueUrl) {
    const { Attributes = {} } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["Policy"] });
    return Attributes.Policy ? { queueUrl: QueueUrl, policy: Attributes.Policy } : undefined;
  },
  async update(sqs, id, inputs) {
    await putPolicy(sqs, id, inputs.policy);
    return undefined;
  },
  async delete(sqs, QueueUrl) {
    await putPolicy(sqs, QueueUrl, "");
  },
});

export const sqsHandlers: readonly Handler[] = [queue, queuePolicy];
