/** Step Functions. */
import { arn, partitionOf } from "../../../components/regional/partition";
import { type Call, define, type Handler, syncTags, withoutAwsTags } from "../handler";
import { bool, json, map, num, obj, str } from "../schema";
import type { Props } from "../types";

/** Inputs that one UpdateStateMachine carries. */
const CONFIGURATION = [
  "definition",
  "roleArn",
  "loggingConfiguration",
  "tracingConfiguration",
  "encryptionConfiguration",
];

/** What is absent is said, too: AWS leaves alone what an update does not mention. */
function configuration(inputs: Props) {
  const { loggingConfiguration: logging, encryptionConfiguration: encryption } = inputs;
  return {
    definition: inputs.definition,
    roleArn: inputs.roleArn,
    loggingConfiguration: {
      level: logging?.level ?? "OFF",
      includeExecutionData: logging?.includeExecutionData ?? false,
      ...(logging?.logDestination && {
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logging.logDestination } }],
      }),
    },
    tracingConfiguration: { enabled: inputs.tracingConfiguration?.enabled ?? false },
    encryptionConfiguration: encryption
      ? {
          type: encryption.type ?? "AWS_OWNED_KEY",
          kmsKeyId: encryption.kmsKeyId,
          kmsDataKeyReusePeriodSeconds: encryption.kmsDataKeyReusePeriodSeconds,
        }
      : { type: "AWS_OWNED_KEY" as const },
  };
}

async function machineArn(name: string, call: Call): Promise<string> {
  const account = await call.account();
  const resource = `stateMachine:${name}`;
  return arn({
    partition: partitionOf(call.region),
    service: "states",
    region: call.region,
    account,
    resource,
  });
}

const stateMachine = define("sfn", {
  type: "aws:sfn/stateMachine:StateMachine",
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 80 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    definition: json({ required: true }),
    roleArn: str({ required: true }),
    type: str({ default: "STANDARD", replaces: true, values: ["STANDARD", "EXPRESS"] }),
    loggingConfiguration: obj(
      {
        level: str({ computed: true, values: ["ALL", "ERROR", "FATAL", "OFF"] }),
        includeExecutionData: bool({ computed: true }),
        logDestination: str({ computed: true }),
      },
      { computed: true },
    ),
    tracingConfiguration: obj({ enabled: bool({ default: false }) }, { computed: true }),
    encryptionConfiguration: obj(
      {
        type: str({ computed: true, values: ["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY"] }),
        kmsKeyId: str({ computed: true }),
        kmsDataKeyReusePeriodSeconds: num({ computed: true }),
      },
      { computed: true },
    ),
    tags: map(),
  },
  advice: {
    publish: "versions are not implemented: leave it out, executions run the latest revision",
  },
  outputs: ["arn", "creationDate", "revisionId", "status"],
  volatile: { revisionId: CONFIGURATION },
  async create(sfn, inputs) {
    const { stateMachineArn } = await sfn.createStateMachine({
      name: inputs.name,
      type: inputs.type,
      ...configuration(inputs),
      tags: Object.entries((inputs.tags ?? {}) as Record<string, string>).map(([key, value]) => ({
        key,
        value,
      })),
    });
    return stateMachineArn!;
  },
  async read(sfn, stateMachineArn) {
    const machine = await sfn.describeStateMachine({ stateMachineArn });
    const { tags = [] } = await sfn.listTagsForResource({ resourceArn: stateMachineArn });
    const logging = machine.loggingConfiguration;
    return {
      name: machine.name,
      definition: machine.definition,
      roleArn: machine.roleArn,
      type: machine.type,
      loggingConfiguration: logging && {
        level: logging.level,
        includeExecutionData: logging.includeExecutionData,
        logDestination: logging.destinations?.[0]?.cloudWatchLogsLogGroup?.logGroupArn,
      },
      tracingConfiguration: { enabled: machine.tracingConfiguration?.enabled ?? false },
      encryptionConfiguration: machine.encryptionConfiguration && { ...machine.encryptionConfiguration },
      tags: withoutAwsTags(Object.fromEntries(tags.map((tag) => [tag.key!, tag.value!]))),
      arn: machine.stateMachineArn,
      creationDate: machine.creationDate?.toISOString(),
      revisionId: machine.revisionId,
      status: machine.status,
    };
  },
  async update(sfn, stateMachineArn, inputs, olds, call) {
    if (call.changed(...CONFIGURATION)) {
      await sfn.updateStateMachine({ stateMachineArn, ...configuration(inputs) });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) =>
        sfn.tagResource({
          resourceArn: stateMachineArn,
          tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
        }),
      (tagKeys) => sfn.untagResource({ resourceArn: stateMachineArn, tagKeys }),
    );
    return undefined;
  },
  async delete(sfn, stateMachineArn) {
    await sfn.deleteStateMachine({ stateMachineArn });
  },
  identify: (_sfn, inputs, call) => machineArn(inputs.name, call),
});

export const sfnHandlers: readonly Handler[] = [stateMachine];
