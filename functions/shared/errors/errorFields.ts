import { BulkheadError } from "./bulkheadError";

/** What of an error may be logged. */
export interface ErrorFields {
  error: string;
  code?: string;
  /** Of this project's own errors only. */
  reason?: string;
  /** Of an AWS or HTTP answer. */
  httpStatus?: number;
  requestId?: string;
  /** The same of the cause, and so on. */
  cause?: ErrorFields;
}

/** How deep causes are followed: an error can be its own cause. */
const MAX_CAUSES = 4;

/** Names and codes are short words; anything else could carry data. */
function word(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Za-z][\w.-]{0,63}$/.test(value) ? value : undefined;
}

/**
 * The parts of an error that are safe to log. Messages of foreign errors are not: JSON.parse quotes its input, SMTP servers answer with
 * addresses, and fetch names URLs, which for a webhook is the secret itself.
 */
export function errorFields(error: unknown, depth = MAX_CAUSES): ErrorFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const { code, $metadata, cause } = error as Error & {
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string };
  };
  const fields: ErrorFields = { error: word(error.name) ?? "Error" };
  const knownCode = word(code);
  if (knownCode) fields.code = knownCode;
  if (error instanceof BulkheadError) fields.reason = error.message;
  if (typeof $metadata?.httpStatusCode === "number") fields.httpStatus = $metadata.httpStatusCode;
  if (typeof $metadata?.requestId === "string") fields.requestId = $metadata.requestId;
  if (cause instanceof Error && depth > 0) fields.cause = errorFields(cause, depth - 1);
  return fields;
}
