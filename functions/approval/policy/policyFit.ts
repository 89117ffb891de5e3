import { type PlannedOperation, planFromInput } from "../operations/plan";
import { policySize, SESSION_POLICY_LIMIT } from "./sessionPolicy";

/** Whether an operation's permissions fit into one session policy, and how to split it when they do not. */
export type PolicyFit =
  | { readonly fits: true }
  | {
      readonly fits: false;
      /** How many resources fit in this place; 0 when the operation cannot be split. */
      readonly most: number;
      /** Operations that fit, with each resource of the whole in one of them. Empty when it cannot be split. */
      readonly parts: readonly PlannedOperation[];
    };

/**
 * Checks the size of the policy as it will be, with the names of partition and region in it. What does not fit is never widened: it is
 * refused, and the parts say which calls to ask for instead.
 */
export function policyFit(plan: PlannedOperation): PolicyFit {
  if (policySize(plan.grants) <= SESSION_POLICY_LIMIT) return { fits: true };
  const listed = plan.definition.parameters.find(({ kind }) => kind.list)?.input;
  if (listed === undefined) return { fits: false, most: 0, parts: [] };
  const values = plan.operation.input[listed] as readonly string[];
  const parts: PlannedOperation[] = [];
  let most = 0;
  for (let start = 0; start < values.length; ) {
    const part = largestPart(plan, listed, values.slice(start));
    if (!part) return { fits: false, most: 0, parts: [] };
    const { length } = part.operation.input[listed] as readonly string[];
    most = Math.max(most, length);
    parts.push(part);
    start += length;
  }
  return { fits: false, most, parts };
}

/** The operation with as many of the values, from the first on, as fit. */
function largestPart(
  plan: PlannedOperation,
  listed: string,
  values: readonly string[],
): PlannedOperation | undefined {
  let best: PlannedOperation | undefined;
  let low = 1;
  let high = values.length;
  while (low <= high) {
    const count = Math.floor((low + high) / 2);
    const part = withValues(plan, listed, values.slice(0, count));
    if (policySize(part.grants) <= SESSION_POLICY_LIMIT) {
      best = part;
      low = count + 1;
    } else {
      high = count - 1;
    }
  }
  return best;
}

function withValues(plan: PlannedOperation, listed: string, values: readonly string[]): PlannedOperation {
  const given = Object.fromEntries(
    plan.definition.parameters.flatMap(({ input }) => {
      const value = input === listed ? values : plan.operation.input[input];
      return value === undefined ? [] : [[input, value]];
    }),
  );
  const planned = planFromInput(plan.definition, given, plan.place);
  // A part of a list that was taken is taken too.
  if ("problem" in planned)
    throw new Error(`a part of a planned operation cannot be planned: ${planned.problem}`);
  return planned.plan;
}
