import { BulkheadError } from "../../shared/errors/bulkheadError";

/** Why something about passwords and devices was not done. */
export type CustodyErrorCode =
  /** The custodian's key cannot be used. */
  | "pgp-key"
  /** IAM does not answer. Of a change it is not known whether it was made. */
  | "iam-unavailable"
  /** The caller may not. */
  | "iam-denied"
  /** The caller's credentials are none, or are over. */
  | "iam-credentials"
  /** IAM refused for another reason; nothing was changed. */
  | "iam-refused"
  | "no-such-user"
  /** The user has no console password. */
  | "no-password"
  /** The password does not fit the account's policy. */
  | "password-refused"
  | "wrong-codes"
  | "device-limit"
  | "device-exists"
  | "no-such-device"
  | "too-few-devices"
  /** This machine's clock is wrong. */
  | "clock"
  /** Nothing was recorded, so nothing was changed. */
  | "not-recorded"
  /** The custodian has left. */
  | "custodian-left"
  /** What was asked for cannot be. */
  | "refused"
  /** Somebody stopped it, or answered no. */
  | "stopped";

/** Something about passwords and devices was not done; the message says what, and what to do. It never holds a secret. */
export class CustodyError extends BulkheadError {
  override readonly name = "CustodyError";
  constructor(
    override readonly code: CustodyErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
