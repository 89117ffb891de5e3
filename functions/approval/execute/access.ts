import type { PlannedOperation } from "../operations/plan";
import type { SessionCredentials } from "./actingCalls";

/** Access for one operation. */
export interface Access {
  readonly credentials: SessionCredentials;
  /** When AWS stops taking the credentials, in milliseconds since 1970. */
  readonly end: number;
  /** What was made for it, for the audit, such as a temporary role's ARN. */
  readonly role: string;
  /**
   * Ends the access, in every outcome and however often. Credentials of a session cannot be taken back; they end by themselves, within two minutes.
   * @throws BulkheadError `access-left` when something that gives access could not be removed
   */
  finish(): Promise<void>;
}

/** Gives access to exactly one operation. */
export interface AccessGiver {
  /**
   * @throws BulkheadError `access-denied` (no use in trying again), or whatever STS or IAM answered (it may be tried again); nothing is left then
   */
  give(plan: PlannedOperation, requestId: string, now: Date): Promise<Access>;
}
