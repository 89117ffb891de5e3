import { type Environment, requiredVariable } from "../environment";

/** Settings that every AWS client of a function gets. */
export interface ClientSettings {
  region: string;
  maxAttempts: number;
  retryMode: "standard";
  requestHandler: { connectionTimeout: number; requestTimeout: number; throwOnRequestTimeout: boolean };
}

/**
 * Settings for a client of the function's own region, or of the region given. The region is always said: without one some SDKs fall back to
 * the global STS endpoint (fact 1). Time limits are short, so that a region that hangs is noticed within the function's own timeout.
 *
 * @throws BulkheadError `missing-variable` when there is no AWS_REGION
 */
export function clientSettings(region?: string, environment: Environment = process.env): ClientSettings {
  return {
    region: region ?? requiredVariable(environment, "AWS_REGION"),
    maxAttempts: 3,
    retryMode: "standard",
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  };
}
