/** EventBridge (the `cloudwatch` module's event... types). */
import type { Client } from "../context";
import { StandInError } from "../errors";
import { define, type Handler, pages, someTags, syncTags, tagList, tagMap } from "../handler";
import { bool, json, map, num, obj, policy, str } from "../schema";
import type { Props } from "../types";

type Events = Client<"events">;

/** The bus that every account has in every region. */
const DEFAULT_BUS = "default";

async function syncEventTags(events: Events, ResourceARN: string, olds: Props, inputs: Props): Promise<void> {
  await syncTags(
    olds.tags,
    inputs.tags,
    (tags) => events.tagResource({ ResourceARN, Tags: tagList(tags) }),
    (TagKeys) => events.untagResource({ ResourceARN, TagKeys }),
  );
}

const eventBus = define("events", {
  type: "aws:cloudwatch/eventBus:EventBus",
  autoname: { property: "name", maxLength: 256 },
  inputs: {
    name: str({ replaces: true }),
    description: str(),
    kmsKeyIdentifier: str(),
    deadLetterConfig: obj({ arn: str() }),
    tags: map(),
  },
  outputs: ["arn"],
  async create(events, inputs) {
    await events.createEventBus({
      Name: inputs.name,
      Description: inputs.description,
      KmsKeyIdentifier: inputs.kmsKeyIdentifier,
      DeadLetterConfig: inputs.deadLetterConfig && { Arn: inputs.deadLetterConfig.arn },
      Tags: someTags(inputs.tags),
    });
    return inputs.name;
  },
  async read(events, id) {
    const bus = await events.describeEventBus({ Name: id });
    const { Tags } = await events.listTagsForResource({ ResourceARN: bus.Arn });
    return {
      name: bus.Name,
      description: bus.Description,
      kmsKeyIdentifier: bus.KmsKeyIdentifier,
      deadLetterConfig: bus.DeadLetterConfig?.Arn && { arn: bus.DeadLetterConfig.Arn },
      tags: tagMap(Tags),
      arn: bus.Arn,
    };
  },
  async update(events, id, inputs, olds, call) {
    if (call.changed("description", "kmsKeyIdentifier", "deadLetterConfig")) {
      await events.updateEventBus({
        Name: id,
        Description: inputs.description ?? "",
        KmsKeyIdentifier: inputs.kmsKeyIdentifier ?? "",
        DeadLetterConfig: inputs.deadLetterConfig ? { Arn: inputs.deadLetterConfig.arn } : {},
      });
    }
    await syncEventTags(events, olds.arn, olds, inputs);
    return undefined;
  },
  async delete(events, id) {
    await events.deleteEventBus({ Name: id });
  },
  identify: async (_events, inputs) => inputs.name,
});

const eventBusPolicy = define("events", {
  type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
  inputs: { eventBusName: str({ default: DEFAULT_BUS, replaces: true }), policy: policy({ required: true }) },
  outputs: [],
  async create(events, inputs) {
    await events.putPermission({ EventBusName: inputs.eventBusName, Policy: inputs.policy });
    return inputs.eventBusName;
  },
  async read(events, id) {
    const { Policy } = await events.describeEventBus({ Name: id });
    return Policy ? { eventBusName: id, policy: Policy } : undefined;
  },
  async update(events, id, inputs) {
    // Statements are added to those that are there: what is no longer wanted goes first.
    await events.removePermission({ EventBusName: id, RemoveAllPermissions: true });
    await events.putPermission({ EventBusName: id, Policy: inputs.policy });
    return undefined;
  },
  async delete(events, id) {
    await events.removePermission({ EventBusName: id, RemoveAllPermissions: true });
  },
});

/** Ids as the genuine provider has them: the default bus goes without saying. */
function ruleId(bus: string, name: string): string {
  return bus === DEFAULT_BUS ? name : `${bus}/${name}`;
}

function ruleOf(id: string): { bus: string; name: string } {
  const at = id.lastIndexOf("/");
  return at < 0 ? { bus: DEFAULT_BUS, name: id } : { bus: id.slice(0, at), name: id.slice(at + 1) };
}

async function putRule(
  events: Events,
  inputs: Props,
  Tags?: { Key: string; Value: string }[],
): Promise<void> {
  await events.putRule({
    Name: inputs.name,
    EventBusName: inputs.eventBusName,
    Description: inputs.description,
    EventPattern: inputs.eventPattern,
    ScheduleExpression: inputs.scheduleExpression,
    RoleArn: inputs.roleArn,
    State: inputs.state,
    Tags,
  });
}

const eventRule = define("events", {
  type: "aws:cloudwatch/eventRule:EventRule",
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 64 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    eventBusName: str({ default: DEFAULT_BUS, replaces: true }),
    description: str(),
    eventPattern: json(),
    scheduleExpression: str(),
    roleArn: str(),
    state: str({
      default: "ENABLED",
      values: ["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"],
    }),
    forceDestroy: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  advice: { isEnabled: "use state" },
  outputs: ["arn"],
  validate(inputs) {
    if (inputs.eventPattern !== undefined || inputs.scheduleExpression !== undefined) return [];
    return [{ property: "eventPattern", reason: "is missing: give eventPattern or scheduleExpression" }];
  },
  async create(events, inputs) {
    await putRule(events, inputs, someTags(inputs.tags));
    return ruleId(inputs.eventBusName, inputs.name);
  },
  async read(events, id) {
    const { bus, name } = ruleOf(id);
    const rule = await events.describeRule({ Name: name, EventBusName: bus });
    const { Tags } = await events.listTagsForResource({ ResourceARN: rule.Arn });
    return {
      name: rule.Name,
      eventBusName: bus,
      description: rule.Description,
      eventPattern: rule.EventPattern,
      scheduleExpression: rule.ScheduleExpression,
      roleArn: rule.RoleArn,
      state: rule.State,
      tags: tagMap(Tags),
      arn: rule.Arn,
    };
  },
  async update(events, _id, inputs, olds, call) {
    if (call.changed("description", "eventPattern", "scheduleExpression", "roleArn", "state")) {
      await putRule(events, inputs);
    }
    await syncEventTags(events, olds.arn, olds, inputs);
    return undefined;
  },
  async delete(events, id, olds) {
    const { bus, name } = ruleOf(id);
    const Force = olds.forceDestroy ?? false;
    if (Force) {
      const { Targets = [] } = await events.listTargetsByRule({ Rule: name, EventBusName: bus });
      const Ids = Targets.map((target) => target.Id!);
      if (Ids.length > 0) await events.removeTargets({ Rule: name, EventBusName: bus, Ids, Force });
    }
    await events.deleteRule({ Name: name, EventBusName: bus, Force });
  },
  identify: async (_events, inputs) => ruleId(inputs.eventBusName, inputs.name),
});

async function putTarget(events: Events, inputs: Props): Promise<void> {
  const answer = await events.putTargets({
    Rule: inputs.rule,
    EventBusName: inputs.eventBusName,
    Targets: [
      {
        Id: inputs.targetId,
        Arn: inputs.arn,
        RoleArn: inputs.roleArn,
        Input: inputs.input,
        InputPath: inputs.inputPath,
        InputTransformer: inputs.inputTransformer && {
          InputPathsMap: inputs.inputTransformer.inputPaths,
          InputTemplate: inputs.inputTransformer.inputTemplate,
        },
        DeadLetterConfig: inputs.deadLetterConfig && { Arn: inputs.deadLetterConfig.arn },
        RetryPolicy: inputs.retryPolicy && {
          MaximumEventAgeInSeconds: inputs.retryPolicy.maximumEventAgeInSeconds,
          MaximumRetryAttempts: inputs.retryPolicy.maximumRetryAttempts,
        },
        SqsParameters: inputs.sqsTarget && { MessageGroupId: inputs.sqsTarget.messageGroupId },
      },
    ],
  });
  const failed = answer.FailedEntries?.[0];
  if (failed)
    throw new StandInError(`target ${failed.TargetId}: ${failed.ErrorCode}: ${failed.ErrorMessage}`);
}

/** Rule and target names hold no slash; a bus may be named by an ARN, which does. */
function targetOf(id: string): { bus: string; rule: string; target: string } {
  const [target = "", rule = "", ...bus] = id.split("/").reverse();
  return { bus: bus.reverse().join("/") || DEFAULT_BUS, rule, target };
}

function targetId(inputs: Props): string {
  return `${inputs.eventBusName}/${inputs.rule}/${inputs.targetId}`;
}

const eventTarget = define("events", {
  type: "aws:cloudwatch/eventTarget:EventTarget",
  autoname: { property: "targetId", maxLength: 64 },
  inputs: {
    rule: str({ required: true, replaces: true }),
    eventBusName: str({ default: DEFAULT_BUS, replaces: true }),
    targetId: str({ replaces: true }),
    arn: str({ required: true }),
    roleArn: str(),
    input: str(),
    inputPath: str(),
    inputTransformer: obj({ inputPaths: map(), inputTemplate: str({ required: true }) }),
    deadLetterConfig: obj({ arn: str() }),
    retryPolicy: obj({ maximumEventAgeInSeconds: num(), maximumRetryAttempts: num() }),
    sqsTarget: obj({ messageGroupId: str() }),
    forceDestroy: bool({ default: false, writeOnly: true }),
  },
  outputs: [],
  async create(events, inputs) {
    await putTarget(events, inputs);
    return targetId(inputs);
  },
  async read(events, id) {
    const { bus, rule, target } = targetOf(id);
    const targets = await pages(
      (NextToken) => events.listTargetsByRule({ Rule: rule, EventBusName: bus, NextToken }),
      (page) => page.Targets,
      (page) => page.NextToken,
    );
    const live = targets.find((found) => found.Id === target);
    return (
      live && {
        rule,
        eventBusName: bus,
        targetId: target,
        arn: live.Arn,
        roleArn: live.RoleArn,
        input: live.Input,
        inputPath: live.InputPath,
        inputTransformer: live.InputTransformer && {
          inputPaths: live.InputTransformer.InputPathsMap,
          inputTemplate: live.InputTransformer.InputTemplate,
        },
        deadLetterConfig: live.DeadLetterConfig?.Arn && { arn: live.DeadLetterConfig.Arn },
        retryPolicy: live.RetryPolicy && {
          maximumEventAgeInSeconds: live.RetryPolicy.MaximumEventAgeInSeconds,
          maximumRetryAttempts: live.RetryPolicy.MaximumRetryAttempts,
        },
        sqsTarget: live.SqsParameters && { messageGroupId: live.SqsParameters.MessageGroupId },
      }
    );
  },
  async update(events, _id, inputs) {
    await putTarget(events, inputs);
    return undefined;
  },
  async delete(events, id, olds) {
    const { bus, rule, target } = targetOf(id);
    const Force = olds.forceDestroy ?? false;
    await events.removeTargets({ Rule: rule, EventBusName: bus, Ids: [target], Force });
  },
  identify: async (_events, inputs) => targetId(inputs),
});

export const eventsHandlers: readonly Handler[] = [eventBus, eventBusPolicy, eventRule, eventTarget];
