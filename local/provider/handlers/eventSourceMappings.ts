/** AWS Lambda's event source mappings: of queues, which is what the program has. */
import { define, type Handler, lastPart, syncTags, withoutAwsTags } from "../handler";
import { bool, map, num, obj, set, str } from "../schema";
import type { Props } from "../types";
import { until } from "../wait";

/** Inputs that one UpdateEventSourceMapping carries. */
const CONFIGURATION = [
  "functionName",
  "batchSize",
  "enabled",
  "functionResponseTypes",
  "maximumBatchingWindowInSeconds",
  "scalingConfig",
];

function configuration(inputs: Props) {
  return {
    FunctionName: inputs.functionName,
    BatchSize: inputs.batchSize,
    Enabled: inputs.enabled,
    MaximumBatchingWindowInSeconds: inputs.maximumBatchingWindowInSeconds,
    FunctionResponseTypes: inputs.functionResponseTypes ?? [],
    ...(inputs.scalingConfig && {
      ScalingConfig: { MaximumConcurrency: inputs.scalingConfig.maximumConcurrency },
    }),
  };
}

const eventSourceMapping = define("lambda", {
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  inputs: {
    functionName: str({ required: true }),
    eventSourceArn: str({ required: true, replaces: true }),
    batchSize: num({ default: 10 }),
    enabled: bool({ default: true }),
    functionResponseTypes: set(str({ values: ["ReportBatchItemFailures"] })),
    maximumBatchingWindowInSeconds: num({ default: 0 }),
    scalingConfig: obj({ maximumConcurrency: num({ required: true }) }),
    tags: map(),
  },
  advice: {
    startingPosition: "only queues are implemented as event sources, which have no position: leave it out",
    filterCriteria: "filters are not implemented: let the function ignore what it does not want",
  },
  outputs: ["arn", "functionArn", "state", "uuid"],
  volatile: { functionArn: ["functionName"], state: ["enabled"] },
  async create(lambda, inputs, call) {
    const { UUID } = await lambda.createEventSourceMapping({
      EventSourceArn: inputs.eventSourceArn,
      ...configuration(inputs),
      Tags: inputs.tags,
    });
    call.created(UUID!);
    await settled(UUID!);
    return UUID!;

    async function settled(uuid: string) {
      await until(`event source mapping ${uuid} being ready`, async () => {
        const { State } = await lambda.getEventSourceMapping({ UUID: uuid });
        return State === "Enabled" || State === "Disabled";
      });
    }
  },
  async read(lambda, id, known) {
    const mapping = await lambda.getEventSourceMapping({ UUID: id });
    const { Tags } = mapping.EventSourceMappingArn
      ? await lambda.listTags({ Resource: mapping.EventSourceMappingArn })
      : { Tags: {} };
    const name = lastPart(mapping.FunctionArn ?? "", ":");
    return {
      // AWS tells the ARN only; what was given stays if it means the same function.
      functionName: [name, mapping.FunctionArn].includes(known.functionName) ? known.functionName : name,
      eventSourceArn: mapping.EventSourceArn,
      batchSize: mapping.BatchSize,
      enabled: mapping.State !== "Disabled" && mapping.State !== "Disabling",
      functionResponseTypes: mapping.FunctionResponseTypes,
      maximumBatchingWindowInSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
      scalingConfig: mapping.ScalingConfig?.MaximumConcurrency && {
        maximumConcurrency: mapping.ScalingConfig.MaximumConcurrency,
      },
      tags: withoutAwsTags(Tags),
      arn: mapping.EventSourceMappingArn,
      functionArn: mapping.FunctionArn,
      state: mapping.State,
      uuid: mapping.UUID,
    };
  },
  async update(lambda, id, inputs, olds, call) {
    if (call.changed(...CONFIGURATION)) {
      await lambda.updateEventSourceMapping({ UUID: id, ...configuration(inputs) });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (Tags) => lambda.tagResource({ Resource: olds.arn, Tags }),
      (TagKeys) => lambda.untagResource({ Resource: olds.arn, TagKeys }),
    );
    return undefined;
  },
  async delete(lambda, id) {
    await lambda.deleteEventSourceMapping({ UUID: id });
  },
  async identify(lambda, inputs) {
    const { EventSourceMappings } = await lambda.listEventSourceMappings({
      EventSourceArn: inputs.eventSourceArn,
      FunctionName: inputs.functionName,
    });
    return EventSourceMappings?.[0]?.UUID;
  },
});

export const eventSourceMappingHandlers: readonly Handler[] = [eventSourceMapping];
