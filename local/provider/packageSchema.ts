/** A Pulumi package schema of what the stand-in implements, for tools that ask the plugin for one. Pure. */
import type { Handler } from "./handler";
import type { Input } from "./schema";
import type { Props } from "./types";

function typeOf(input: Input): Props {
  switch (input.kind) {
    case "string":
    case "json":
      return { type: "string" };
    case "number":
    case "boolean":
      return { type: input.kind };
    case "map":
      return { type: "object", additionalProperties: { type: "string" } };
    case "list":
    case "set":
      return { type: "array", items: typeOf(input.of) };
    case "object":
      return { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } };
    case "archive":
      return { $ref: "pulumi.json#/Archive" };
  }
}

/** The schema: resource types with their inputs; outputs are those and the computed ones. */
export function packageSchema(handlers: Iterable<Handler>, version: string): Props {
  const resources: Props = {};
  for (const handler of handlers) {
    const inputs = Object.entries(handler.inputs);
    const inputProperties: Props = Object.fromEntries(inputs.map(([key, input]) => [key, typeOf(input)]));
    if (!handler.global) inputProperties.region = { type: "string" };
    const computed = Object.fromEntries(handler.outputs.map((key) => [key, { $ref: "pulumi.json#/Any" }]));
    resources[handler.type] = {
      inputProperties,
      requiredInputs: inputs.filter(([, input]) => input.required).map(([key]) => key),
      properties: { ...inputProperties, ...computed },
    };
  }
  return {
    name: "aws",
    version,
    description: "Stand-in for the aws provider at a local AWS: the part of it that Bulkhead uses.",
    resources,
  };
}
