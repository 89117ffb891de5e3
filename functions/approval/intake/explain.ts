import type { Operation } from "../operations/plan";
import type { Intake } from "./intake";

/** What intake makes of an event, as it is shown: exactly one of the four, and why. */
export type Explanation = (
  | { readonly operation: Operation }
  | { readonly refuse: string }
  | { readonly form: true }
  | { readonly ignore: true }
) & { readonly why: string };

/** The decision without what only the functions need. */
export function explanation(decided: Intake): Explanation {
  const { why } = decided;
  if ("plan" in decided) return { operation: decided.plan.operation, why };
  if ("refuse" in decided) return { refuse: decided.refuse, why };
  if ("form" in decided) return { form: true, why };
  return { ignore: true, why };
}
