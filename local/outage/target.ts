import type { OutageRule } from "./types";

/** How long the emulated AWS may take to answer, in milliseconds. */
const ANSWER_WITHIN_MS = 10_000;

/** What the emulated AWS is told of an outage. */
interface ToldOutage {
  regions: string[];
  globalServices: boolean;
}

const NONE: ToldOutage = { regions: [], globalServices: false };

/**
 * Tells the emulated AWS which regions are lost, so that events inside it stop too: they never pass the
 * proxy. Told in order, and only what it does not know yet.
 */
export class OutageTarget {
  /** Undefined: not known, since it did not answer. */
  private told: ToldOutage | undefined = NONE;
  private queue: Promise<void> = Promise.resolve();

  /** @param target URL of the emulated AWS. */
  constructor(private readonly target: URL) {}

  /**
   * Tells it a rule. A slow region still delivers its events, so `slow` counts as no outage here.
   * @throws Error when it did not accept.
   */
  tell(rule: OutageRule | undefined): Promise<void> {
    const outage =
      rule && rule.mode !== "slow" ? { regions: rule.regions, globalServices: rule.globalServices } : NONE;
    const done = this.queue.then(() => this.put(outage));
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async put(outage: ToldOutage): Promise<void> {
    if (JSON.stringify(outage) === JSON.stringify(this.told)) return;
    const url = new URL("/_bulkhead/outage", this.target);
    const status = await send(url, outage);
    if (typeof status === "string" || status >= 300) {
      if (typeof status === "string") this.told = undefined;
      const problem = typeof status === "string" ? `did not answer (${status})` : `answered ${status}`;
      throw new Error(
        `calls obey the outage rule, but ${url} ${problem}: events inside the emulated AWS go on as before. ` +
          "Start it by launchAws (local/aws), whose overlay has this address, or set tellTarget: false to do without.",
      );
    }
    this.told = outage;
  }
}

/** @returns status of the answer, or why there is none. */
async function send(url: URL, outage: ToldOutage): Promise<number | string> {
  try {
    const answer = await fetch(url, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(outage),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return cause instanceof Error ? cause.message || cause.name : String(cause);
  }
}
