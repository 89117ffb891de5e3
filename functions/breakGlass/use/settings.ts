import * as z from "zod";
import { type Environment, requiredVariable } from "../../shared/environment";
import { BulkheadError } from "../../shared/errors/bulkheadError";

/** The environment variable with the function's settings, as JSON. */
export const USE_VARIABLE = "BREAKGLASS_USE";

const settingsSchema = z.object({
  cell: z.string().min(1),
  region: z.string().min(1),
  accountId: z.string().min(1),
  names: z.object({
    userNames: z.array(z.string().min(1)).min(1),
    path: z.string().min(1),
    namePrefix: z.string().min(1),
    accountIds: z.array(z.string().min(1)),
  }),
  topicArn: z.string().min(1),
  tableName: z.string().min(1),
  digestSeconds: z.int().positive(),
  idleSeconds: z.int().positive(),
  /** Cells whose tables of evidence are written to; none: nothing is recorded. */
  evidence: z.array(z.object({ cell: z.string(), region: z.string(), tableName: z.string() })),
  runbookUrl: z.string(),
});

/** What the component tells the function. */
export type UseSettings = z.output<typeof settingsSchema>;

/**
 * The settings from the environment.
 * @throws BulkheadError `missing-variable` or `use-settings`
 */
export function readUseSettings(environment: Environment): UseSettings {
  const text = requiredVariable(environment, USE_VARIABLE);
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BulkheadError(
      "use-settings",
      `the environment variable ${USE_VARIABLE} does not hold this function's settings: the BreakGlassMonitor component sets it`,
      { cause },
    );
  }
}
