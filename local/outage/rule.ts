import * as z from "zod";
import { isRegionName } from "../../components/regional/partition";
import { OUTAGE_MODES, type OutageRule } from "./types";

/** The longest delay that `slow` accepts: ten minutes. More is a `hang`. */
const LONGEST_DELAY_MS = 600_000;

const ruleSchema: z.ZodType<OutageRule> = z
  .strictObject({
    regions: z.array(
      z.string().refine(isRegionName, { error: (issue) => `"${issue.input}" is not the name of a region` }),
    ),
    globalServices: z.boolean(),
    mode: z.enum(OUTAGE_MODES),
    delayMs: z.int().min(1).max(LONGEST_DELAY_MS).optional(),
  })
  .superRefine((rule, context) => {
    if (rule.regions.length === 0 && !rule.globalServices) {
      context.addIssue({
        code: "custom",
        path: ["regions"],
        message:
          "the rule hits nothing: name a region or set globalServices; to end an outage, unset the rule",
      });
    }
    if (rule.mode === "slow" && rule.delayMs === undefined) {
      context.addIssue({ code: "custom", path: ["delayMs"], message: 'mode "slow" needs delayMs' });
    }
    if (rule.mode !== "slow" && rule.delayMs !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["delayMs"],
        message: `has no effect in mode "${rule.mode}"`,
      });
    }
  });

/**
 * The rule in a value that came from outside.
 * @throws Error that names every fault of the value.
 */
export function parseRule(value: unknown): OutageRule {
  const result = ruleSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join(".") || "rule"}: ${issue.message}`);
  throw new Error(`not an outage rule: ${faults.join("; ")}`);
}
