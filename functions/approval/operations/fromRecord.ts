/** From the parameters of a record to a plan (fact 36). */
import { cleanLine } from "../../shared/text/cleanText";
import type { OperationDefinition, ParameterDefinition } from "./definition";
import { type Planning, planFromInput } from "./plan";
import type { Place } from "./values";

/** What CloudTrail writes in place of values that it does not show. */
export const HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** Whether the value is an object of JSON: no list, not null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of a record, for messages: texts on one line, short, in quotes; of what is larger only the kind. */
export function shown(value: unknown): string {
  if (typeof value === "string") return cleanLine(JSON.stringify(cleanLine(value, 80)), 100);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "a structure" : String(value);
}

/** Whether a value is hidden, or holds one that is; JSON of a record is shallow, and what is deeper is refused anyway. */
function holdsHidden(value: unknown, depth = 8): boolean {
  if (typeof value === "string") return value.includes(HIDDEN);
  if (depth === 0 || typeof value !== "object" || value === null) return false;
  return Object.values(value).some((item) => holdsHidden(item, depth - 1));
}

/**
 * Plans an operation from requestParameters: every key has to be known and every value of its form.
 * @param parameters of the record, known to be an object
 */
export function planFromRecord(
  definition: OperationDefinition,
  parameters: Readonly<Record<string, unknown>>,
  place: Place,
): Planning {
  const { wrapper, api } = definition;
  if (wrapper === undefined) return planFromParameters(definition, parameters, "", place);
  const stranger = Object.keys(parameters).find((key) => key !== wrapper);
  if (stranger !== undefined) return { problem: unknownKey(api, stranger) };
  const inner = parameters[wrapper];
  if (inner === HIDDEN) return { problem: hiddenValue(api, wrapper) };
  if (!isObject(inner)) {
    return { problem: `${wrapper} of ${api} is ${shown(inner)}, not a structure with the parameters` };
  }
  return planFromParameters(definition, inner, `${wrapper}.`, place);
}

function planFromParameters(
  definition: OperationDefinition,
  parameters: Readonly<Record<string, unknown>>,
  prefix: string,
  place: Place,
): Planning {
  const { api } = definition;
  const known = new Map(definition.parameters.map((parameter) => [parameter.key, parameter]));
  const harmless = new Map(definition.harmless.map(({ key, kind }) => [key, kind]));
  const input: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(parameters)) {
    const path = `${prefix}${key}`;
    const parameter = known.get(key);
    const expected = parameter?.kind ?? harmless.get(key);
    if (!expected) return { problem: unknownKey(api, path) };
    if (holdsHidden(value)) return { problem: hiddenValue(api, path) };
    if (!parameter) {
      if (expected.read(value, place) === undefined) {
        return {
          problem: `${path} of ${api} is ${shown(value)}; only ${expected.what} is known to be harmless`,
        };
      }
      continue;
    }
    const plain = parameter.itemMember === undefined ? value : itemsOf(value, parameter, path, api);
    if (isProblem(plain)) return plain;
    if (expected.read(plain, place) === undefined) {
      return { problem: `${path} of ${api} is ${shown(value)}, not ${expected.what}` };
    }
    input[parameter.input] = plain;
  }
  const missing = definition.parameters.find(
    (parameter) => parameter.required && !(parameter.input in input),
  );
  if (missing) return { problem: `the record does not say ${prefix}${missing.key}, which ${api} needs` };
  return planFromInput(definition, input, place);
}

interface Problem {
  readonly problem: string;
}

const isProblem = (value: unknown): value is Problem => isObject(value) && "problem" in value;

/** The values of `{items: [{member: value}, ...]}`. */
function itemsOf(
  value: unknown,
  { itemMember }: ParameterDefinition,
  path: string,
  api: string,
): unknown[] | Problem {
  const items =
    isObject(value) && Object.keys(value).every((key) => key === "items") ? value.items : undefined;
  if (!Array.isArray(items))
    return { problem: `${path} of ${api} is ${shown(value)}, not a list in "items"` };
  if (items.length === 0) return { problem: `${path} of ${api} names nothing: its list is empty` };
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) {
      return { problem: `${path}.items[${index}] of ${api} is ${shown(item)}, not a structure` };
    }
    const stranger = Object.keys(item).find((key) => key !== itemMember);
    if (stranger !== undefined) return { problem: unknownKey(api, `${path}.items[${index}].${stranger}`) };
  }
  return items.map((item) => item[itemMember!]);
}

function unknownKey(api: string, path: string): string {
  return `${api} has the parameter ${shown(path)}, which is not known: what it does cannot be shown to an approver`;
}

function hiddenValue(api: string, path: string): string {
  return `CloudTrail hides the value of ${shown(path)} (${HIDDEN}), which ${api} needs: open the request by hand`;
}
