import { DEFAULT_EVENTS, KNOWN_EVENTS } from "../operations/catalogue";

/** Which denied calls become requests. */
export interface IntakeSettings {
  /** Events that are watched, by the names of the catalogue. */
  readonly events: ReadonlySet<string>;
  /** Whether calls of role sessions and federated users count, not only those of IAM users. */
  readonly allowRoleSessions: boolean;
  /** Whether calls of users of IAM Identity Center count. */
  readonly allowSso: boolean;
  /** Names of the emergency users; what they are denied is theirs to look at. */
  readonly emergencyUserNames: readonly string[];
  /** Name of the role that carries out what was approved; what it is denied must not become a request again. */
  readonly executorRoleName: string;
}

/** What {@link intakeSettings} takes. */
export interface IntakeOptions {
  /**
   * Events that are watched.
   * @default every event that the catalogue marks so
   */
  readonly events?: readonly string[];
  /** @default false */
  readonly allowRoleSessions?: boolean;
  /** @default false */
  readonly allowSso?: boolean;
  /** @default breakglass-admin-1 and breakglass-admin-2 */
  readonly emergencyUserNames?: readonly string[];
  /** @default bulkhead-approval-executor */
  readonly executorRoleName?: string;
}

/** Name of the executor role unless it is configured otherwise. */
export const DEFAULT_EXECUTOR_ROLE = "bulkhead-approval-executor";

/**
 * Settings with their defaults.
 * @throws Error naming an event that is not in the catalogue
 */
export function intakeSettings({
  events = DEFAULT_EVENTS,
  allowRoleSessions = false,
  allowSso = false,
  emergencyUserNames = ["breakglass-admin-1", "breakglass-admin-2"],
  executorRoleName = DEFAULT_EXECUTOR_ROLE,
}: IntakeOptions = {}): IntakeSettings {
  const unknown = events.find((event) => !KNOWN_EVENTS.includes(event));
  if (unknown !== undefined) {
    throw new Error(`event "${unknown}" is not supported: supported are ${KNOWN_EVENTS.join(", ")}`);
  }
  return {
    events: new Set(events),
    allowRoleSessions,
    allowSso,
    emergencyUserNames,
    executorRoleName,
  };
}
