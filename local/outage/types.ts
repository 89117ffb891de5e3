/** What the region proxy is told, and what it tells of the calls that it saw. */

/**
 * How a lost region behaves towards its callers.
 * - `refuse`: the connection is reset.
 * - `hang`: nothing comes back until the outage ends; then the call is carried out and answered.
 * - `slow`: the call is carried out after a delay.
 */
export const OUTAGE_MODES = ["refuse", "hang", "slow"] as const;
export type OutageMode = (typeof OUTAGE_MODES)[number];

/** Which calls an outage hits, and how. */
export interface OutageRule {
  /**
   * Names of the lost regions. May be empty when `globalServices` is set: then only the global services are
   * lost.
   */
  regions: string[];
  /**
   * Whether the global services are lost too: those of the partitions of `regions`, of every partition when
   * `regions` is empty. Without it IAM and its like are answered whatever region is lost; with it they are
   * not, whatever region is.
   */
  globalServices: boolean;
  mode: OutageMode;
  /**
   * Milliseconds by which a hit call is delayed, counted from its arrival. Required for `slow`, refused
   * otherwise.
   */
  delayMs?: number;
}

/**
 * What became of a call.
 * - `passed`: sent on at once.
 * - `refused`: its connection was reset; the target never saw it.
 * - `hung`: held; it has a status if it was carried out when the outage ended.
 * - `slowed`: sent on after a delay.
 */
export const OUTCOMES = ["passed", "refused", "hung", "slowed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Where a call is served, which says what outage it feels.
 * - `regional`: in its region.
 * - `global`: by a global service, wherever the caller signs for (facts 9, 10 and 16).
 * - `both`: in its region, but with the help of a global control plane (fact 10), or by the global STS endpoint (fact 2).
 */
export type Home = "regional" | "global" | "both";

/**
 * What kind of credential signed a call; never which. `account`: the emulator's root of an account, used to
 * set it up.
 */
export type CredentialKind = "user" | "session" | "account" | "none";

/** Stands for a service, region or action that a request does not tell. */
export const UNKNOWN = "unknown";

/** What a request says about itself, as far as an outage is concerned. */
export interface CallFacts {
  /** Signing name of the service (`iam`, `sts`, `s3`), or {@link UNKNOWN}. */
  service: string;
  /**
   * Where the call is served: the region of the endpoint that the caller meant, else the signed region; of
   * a global service its control plane's. {@link UNKNOWN} for a request that is not signed and names no
   * endpoint; no outage hits that.
   */
  region: string;
  /** The API operation (`AssumeRole`), or method and path where an API has no operation names on the wire. */
  action: string;
  /** The real AWS host that the caller meant, without port. Undefined when it did not say. */
  endpointHost?: string;
  home: Home;
  credential: CredentialKind;
}

/** One call that the proxy saw. */
export interface Call extends CallFacts {
  /** Arrival, ISO 8601 with milliseconds. */
  at: string;
  outcome: Outcome;
  /**
   * HTTP status of the answer. Undefined while under way, and when no answer was given (refused, or the
   * caller left).
   */
  status?: number;
  /**
   * From arrival to the end of the answer or of the connection, in milliseconds. Undefined while under way.
   */
  durationMs?: number;
  /** The phase that was marked when the call arrived. */
  label?: string;
}

/** How many calls of a service in a region had an outcome. */
export interface CallCount {
  region: string;
  service: string;
  outcome: Outcome;
  count: number;
}
