import { type Environment, requiredVariable } from "../../shared/environment";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { type ReadinessConfig, readinessConfigSchema } from "../readiness/config";

/** What the function's environment says. Set by the component BreakGlassSteward. */
export interface StewardSettings {
  /** Name of the cell that the function works for. */
  cell: string;
  config: ReadinessConfig;
}

/** Name of the variable that holds the settings as JSON. */
export const READINESS_VARIABLE = "READINESS";

/**
 * Reads and checks the environment.
 * @throws BulkheadError `missing-variable`, `wrong-variable`
 */
export function readStewardSettings(environment: Environment): StewardSettings {
  const text = requiredVariable(environment, READINESS_VARIABLE);
  const cell = requiredVariable(environment, "BULKHEAD_CELL");
  try {
    const config = readinessConfigSchema.parse(JSON.parse(text));
    if (!config.cells.some(({ name }) => name === cell)) throw new Error("the cell is not among the cells");
    return { cell, config };
  } catch (cause) {
    throw new BulkheadError("wrong-variable", `${READINESS_VARIABLE} is not what BreakGlassSteward writes`, {
      cause,
    });
  }
}
