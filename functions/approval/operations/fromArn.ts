import type { OperationDefinition } from "./definition";
import { PLACEHOLDER, type Planning, planFromInput } from "./plan";
import { type Place, parseArn } from "./values";

/** The input that an ARN stands for, or undefined when it is not one of such a resource in this place. */
function inputOf(
  definition: OperationDefinition,
  arnText: string,
  place: Place,
): Record<string, unknown> | undefined {
  const pattern = definition.grants[0]!.resource;
  if ("arnIn" in pattern) return { [pattern.arnIn]: arnText };
  const parsed = parseArn(arnText);
  if (
    !parsed ||
    parsed.partition !== place.partition ||
    parsed.service !== pattern.service ||
    parsed.region !== (pattern.regional ? place.region : "") ||
    parsed.account !== (pattern.ofAccount ? place.account : "")
  ) {
    return undefined;
  }
  const names = [...pattern.resource.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  const form = pattern.resource.replace("*", "[^/:]+").replace(PLACEHOLDER, "([^/:]+)");
  const match = new RegExp(`^${form}$`).exec(parsed.resource);
  if (!match) return undefined;
  return Object.fromEntries(
    names.map((name, index) => {
      const { kind } = definition.parameters.find(({ input }) => input === name)!;
      const value = match[index + 1]!;
      return [name, kind.list ? [value] : value];
    }),
  );
}

/**
 * Plans an operation from the ARN of its resource, for records that have no parameters.
 * @returns a problem when the ARN is not one of such a resource in this place
 */
export function planFromArn(definition: OperationDefinition, arnText: string, place: Place): Planning {
  const input = inputOf(definition, arnText, place);
  if (!input)
    return { problem: `the ARN is not one that ${definition.api} is for, in this account and region` };
  return planFromInput(definition, input, place);
}
