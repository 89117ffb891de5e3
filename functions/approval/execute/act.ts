import { BulkheadError } from "../../shared/errors/bulkheadError";
import { cleanLine } from "../../shared/text/cleanText";
import type { PlannedOperation } from "../operations/plan";
import { ACTING_CALLS, type SessionCredentials } from "./actingCalls";

/** What became of the one call. */
export type CallOutcome =
  /** AWS accepted it. `awsRequestId`: to find it in CloudTrail. */
  | { readonly outcome: "done"; readonly awsRequestId?: string }
  /** AWS rejected it, or it never left: nothing was done. */
  | { readonly outcome: "failed"; readonly error: string }
  /** No answer, or one that leaves open whether it took effect. Never repeated. */
  | { readonly outcome: "unknown"; readonly error: string };

/** Carries out an approved operation. */
export interface Actor {
  /** Makes the call, once. It does not throw. */
  act(plan: PlannedOperation, credentials: SessionCredentials, signal: AbortSignal): Promise<CallOutcome>;
}

/** Longest that AWS may take to answer. A call that takes longer has an unknown outcome. */
const ANSWER_MILLISECONDS = 30_000;

/** Makes approved calls by the SDK. */
export class SdkActor implements Actor {
  /** @param endpoint of every service, for the emulator @default AWS's own */
  constructor(private readonly endpoint?: string) {}

  async act(
    { operation, place }: PlannedOperation,
    credentials: SessionCredentials,
    signal: AbortSignal,
  ): Promise<CallOutcome> {
    const call = ACTING_CALLS[`${operation.service} ${operation.api}`];
    if (!call) {
      throw new BulkheadError(
        "not-allow-listed",
        `${operation.service} ${operation.api} is not among the acting calls`,
      );
    }
    if (signal.aborted) return { outcome: "failed", error: "the time was over before the call was made" };
    try {
      const { $metadata } = await call(
        operation.input,
        {
          region: place.region,
          credentials,
          maxAttempts: 1,
          requestHandler: {
            connectionTimeout: 3_000,
            requestTimeout: ANSWER_MILLISECONDS,
            throwOnRequestTimeout: true,
          },
          ...(this.endpoint !== undefined && { endpoint: this.endpoint }),
        },
        signal,
      );
      return {
        outcome: "done",
        ...($metadata.requestId !== undefined && { awsRequestId: $metadata.requestId }),
      };
    } catch (error) {
      return outcomeOf(error);
    }
  }
}

/** Errors of this side: the call was not sent. */
const NOT_SENT = new Set(["ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "CredentialsProviderError"]);
/** Answers with a status of 4xx that do not say that the call was rejected. */
const AMBIGUOUS = new Set(["RequestTimeout", "RequestTimeoutException", "TimeoutError", "AbortError"]);

/** What an error says about whether the call took effect: nothing unless AWS rejected it, or it cannot have left. */
export function outcomeOf(error: unknown): CallOutcome {
  const {
    name = "Error",
    code,
    $metadata,
  } = error as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  const text = cleanLine(status > 0 ? `${name} (status ${status})` : (code ?? name), 200);
  const rejected = status >= 400 && status < 500 && !AMBIGUOUS.has(name);
  const unsent = status === 0 && (NOT_SENT.has(code ?? "") || NOT_SENT.has(name));
  return { outcome: rejected || unsent ? "failed" : "unknown", error: text };
}
