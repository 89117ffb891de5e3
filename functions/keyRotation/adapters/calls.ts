import { CallFailure, type FailureKind } from "../engine/failure";

/** Makes a call of an AWS client; what it throws becomes a {@link CallFailure}. */
export async function awsCall<T>(name: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof CallFailure) throw error;
    throw new CallFailure(kindOf(error), name, { cause: error });
  }
}

const NAMES: [RegExp, FailureKind][] = [
  // Before "limit": some of these have it in their names.
  [/Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ThroughputExceeded|RequestThrottled/, "throttled"],
  [
    /AccessDenied|Unauthorized|NotAuthorized|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|SignatureDoesNotMatch/,
    "denied",
  ],
  [/NoSuchEntity|ResourceNotFound|NoSuchKey|NotFound/, "missing"],
  [/AlreadyExists|ResourceExists/, "exists"],
  [/LimitExceeded|QuotaExceeded/, "limit"],
  [/ConditionalCheckFailed|TransactionConflict/, "conflict"],
];

function kindOf(error: unknown): FailureKind {
  const {
    name = "",
    $metadata,
    $retryable,
  } = (error ?? {}) as {
    name?: string;
    $metadata?: { httpStatusCode?: number };
    $retryable?: { throttling?: boolean };
  };
  const status = $metadata?.httpStatusCode;
  if ($retryable?.throttling || status === 429) return "throttled";
  const known = NAMES.find(([pattern]) => pattern.test(name))?.[1];
  if (known) return known;
  // No answer, or one that says that the service is not well: it may have done what was asked all the same.
  return status === undefined || status >= 500 ? "unreachable" : "other";
}
