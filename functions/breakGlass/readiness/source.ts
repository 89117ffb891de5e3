import { withDeadline } from "../../shared/clients/deadline";
import { errorFields } from "../../shared/errors/errorFields";
import { type Observed, observed, unreadable } from "./observed";

/** How long and how often a service is asked. */
export interface SourceLimits {
  /**
   * How long one call may take in all, in milliseconds.
   * @default 5000
   */
  deadlineMilliseconds?: number;
  /**
   * How many calls may be under way at the same time.
   * @default 4
   */
  parallel?: number;
}

/** No answer at all, whatever was asked: the region is lost, hangs, or cannot be reached from here. */
class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** Names of errors that mean the same. */
const NO_ANSWER = new Set([
  "NoAnswer",
  "TimeoutError",
  "AbortError",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "ServiceUnavailable",
  "ServiceUnavailableException",
]);

/** After so many calls without an answer in a row, or the first one, the source is taken for lost and not asked any more. */
const LOST_AFTER = 2;

/**
 * A service in one region that is observed: a few calls at the same time, each under a deadline. What goes wrong becomes a reason; nothing is
 * thrown. A source that does not answer is soon left alone, so that a region that hangs costs seconds and not minutes.
 */
export class Source {
  readonly #limits: Required<SourceLimits>;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #unanswered = 0;
  #hasAnswered = false;

  /**
   * @param name the service, and its region if it has one, such as `IAM` or `SNS in us-west-2`
   */
  constructor(
    private readonly name: string,
    limits: SourceLimits = {},
  ) {
    this.#limits = {
      deadlineMilliseconds: limits.deadlineMilliseconds ?? 5_000,
      parallel: limits.parallel ?? 4,
    };
  }

  /**
   * Makes one observation.
   * @param call the call's name, such as `iam:GetUser`, for the reason
   * @param ask makes the call or calls
   * @param absent error names that mean "there is no such thing", which is an answer
   */
  async observe<T>(
    call: string,
    ask: (signal: AbortSignal) => Promise<T>,
    absent: readonly string[] = [],
  ): Promise<Observed<T | null>> {
    await this.#turn();
    try {
      if (this.#unanswered >= (this.#hasAnswered ? LOST_AFTER : 1))
        return unreadable(`${this.name} does not answer`);
      const value = await withDeadline(
        this.#limits.deadlineMilliseconds,
        ask,
        () => new NoAnswer("no answer in time"),
      );
      this.#answered();
      return observed(value);
    } catch (error) {
      const { error: name, code } = errorFields(error);
      if (absent.includes(name)) {
        this.#answered();
        return observed(null);
      }
      if (NO_ANSWER.has(name) || (code !== undefined && NO_ANSWER.has(code))) {
        this.#unanswered += 1;
        return unreadable(`${this.name} does not answer`);
      }
      this.#answered();
      return unreadable(`${this.name}: ${call} gives ${code ?? name}`);
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** The same where there is always an answer. */
  async read<T>(call: string, ask: (signal: AbortSignal) => Promise<T>): Promise<Observed<T>> {
    return (await this.observe(call, ask)) as Observed<T>;
  }

  #answered(): void {
    this.#unanswered = 0;
    this.#hasAnswered = true;
  }

  #turn(): Promise<void> {
    if (this.#underWay < this.#limits.parallel) {
      this.#underWay += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#underWay += 1;
        resolve();
      });
    });
  }
}
