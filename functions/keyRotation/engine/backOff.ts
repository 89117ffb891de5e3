import { failureKind } from "./failure";
import type { Clock } from "./ports";

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 20_000;
/** With pauses that double, more than a minute. */
const ATTEMPTS = 9;

/**
 * Makes the calls of one account, and meets throttling: a refused call is made again after a pause, and while it pauses all other calls of the
 * account wait with it. The pause doubles with every refusal and shrinks slowly with every success, so that the account finds the rate that its
 * services bear. Only refused calls are repeated: of these it is certain that they did nothing.
 */
export class BackOff {
  private pause = 0;
  private until = 0;

  constructor(private readonly clock: Clock) {}

  /** @throws the call's own error; after the last attempt that of the refusal. */
  async call<T>(make: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      await this.wait();
      try {
        const result = await make();
        this.pause = this.pause < FIRST_PAUSE ? 0 : this.pause * 0.75;
        return result;
      } catch (error) {
        if (failureKind(error) !== "throttled" || attempt === ATTEMPTS) throw error;
        this.pause = Math.min(LONGEST_PAUSE, Math.max(FIRST_PAUSE, this.pause * 2));
        // Spread over the second half of the pause, so that those who wait do not come back together.
        const length = this.pause * (0.5 + this.clock.random() / 2);
        this.until = Math.max(this.until, this.clock.now().getTime() + length);
      }
    }
  }

  private async wait(): Promise<void> {
    const now = this.clock.now().getTime();
    // A clock that jumps back must not turn a pause into a standstill.
    const rest = Math.min(this.until - now, LONGEST_PAUSE);
    if (rest > 0) await this.clock.sleep(rest);
  }
}
