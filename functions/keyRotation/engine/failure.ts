import { BulkheadError } from "../../shared/errors/bulkheadError";

/** What kind of failure a call ended in, as far as the rotation has to tell them apart. */
export type FailureKind =
  /** Refused for being one call too many: certainly not done, to be tried again. */
  | "throttled"
  /** The service did not answer: before a change whether it was made is not known. */
  | "unreachable"
  /** The caller may not do it. */
  | "denied"
  /** What it is about does not exist. */
  | "missing"
  /** It exists already. */
  | "exists"
  /** A quota: the user has two keys. */
  | "limit"
  /** Somebody else changed it in between. */
  | "conflict"
  | "other";

/** A call that failed. The message is this project's own: what AWS said is the cause, which is not logged. */
export class CallFailure extends BulkheadError {
  override readonly name: string = "CallFailure";
  constructor(
    readonly kind: FailureKind,
    /** The call, such as `CreateAccessKey`. */
    readonly call: string,
    options?: ErrorOptions,
  ) {
    super(`call-${kind}`, `${call} failed: ${MEANINGS[kind]}`, options);
  }
}

const MEANINGS: Record<FailureKind, string> = {
  throttled: "too many calls, and trying again did not help",
  unreachable: "no answer",
  denied: "access denied",
  missing: "it does not exist",
  exists: "it exists already",
  limit: "a quota is used up",
  conflict: "somebody else changed it in between",
  other: "the service refused it",
};

/** The kind of an error; errors of other classes are `other`. */
export function failureKind(error: unknown): FailureKind {
  return error instanceof CallFailure ? error.kind : "other";
}
