import { BulkheadError } from "./errors/bulkheadError";

/** Environment variables; a parameter wherever they are read, so that tests need not change the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A variable that has to be there.
 * @throws BulkheadError `missing-variable`
 */
export function requiredVariable(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === "") {
    throw new BulkheadError(
      "missing-variable",
      `the environment variable ${name} is not set: the component that creates the function sets it`,
    );
  }
  return value;
}
