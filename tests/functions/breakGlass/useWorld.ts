import type { EvidenceRecord } from "../../../functions/breakGlass/records/record";
import { EvidenceUnavailable } from "../../../functions/breakGlass/records/store";
import { InMemoryUseStore } from "../../../functions/breakGlass/use/inMemoryUseStore";
import type { UseStore } from "../../../functions/breakGlass/use/store";
import { type TrackerParts, UseTracker } from "../../../functions/breakGlass/use/tracker";
import type { NoticeInput } from "../../../functions/shared/notice/notice";
import { NAMES } from "./fixtures";

export const MINUTE = 60_000;
export const START = Date.parse("2026-03-02T03:00:00.000Z");

/** What the messages of the world's cell say of it. */
export const CONTEXT: TrackerParts["context"] = {
  cell: "dr",
  region: "us-west-2",
  account: "222222222222",
  runbookUrl: "https://runbooks.example.com/break-glass",
  idleMinutes: 30,
  digestMinutes: 15,
  recordedBy: "bulkhead-breakglass-use",
};

/** A process that stopped in the middle. */
export class Crash extends Error {}

/** A message as it was sent. */
export interface Sent {
  /** Minutes since the start, by the simulated clock. */
  minute: number;
  kind: "opening" | "digest" | "closing" | "tampering" | "tamperings";
  notice: NoticeInput;
}

/** A cell with a clock that is set by hand, and calls that can be made to stop the process. */
export class UseWorld {
  /** Milliseconds since 1970; each look moves it by one, so that no two things happen at the same time. */
  time = START;
  readonly sent: Sent[] = [];
  readonly evidence = new Map<string, EvidenceRecord>();
  /** How often evidence was appended, repetitions included. */
  appended = 0;
  isEvidenceLost = false;
  /** Calls of store, topic and evidence so far. */
  calls = 0;
  /** Stops the process before or after that call, once. */
  crash: { at: number; when: "before" | "after" } | undefined;
  /** Runs before every call: where another process may come in between. */
  between: () => Promise<void> = async () => {};
  readonly tracker: UseTracker;

  constructor(store: UseStore = new InMemoryUseStore(), parts: Partial<TrackerParts> = {}) {
    this.tracker = new UseTracker({
      store: this.watched(store),
      publish: (notice) =>
        this.call(async () => void this.sent.push({ minute: this.minute, kind: kindOf(notice), notice })),
      recordEvidence: (record) =>
        this.call(async () => {
          if (this.isEvidenceLost) throw new EvidenceUnavailable("no cell answers");
          this.appended += 1;
          this.evidence.set(`${record.kind} ${record.id}`, record);
        }),
      names: NAMES,
      context: CONTEXT,
      times: { digest: 15 * MINUTE, idle: 30 * MINUTE, signIn: MINUTE, claim: 55_000 },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      now: () => this.time++,
      ...parts,
    });
  }

  get minute(): number {
    return Math.floor((this.time - START) / MINUTE);
  }

  /** Lets time pass, with a sweep at every full minute. One that stops is followed by the next. */
  async pass(minutes: number): Promise<void> {
    for (let passed = 0; passed < minutes; passed++) {
      this.time = START + (this.minute + 1) * MINUTE;
      await this.surviving(() => this.tracker.sweep());
    }
  }

  /** Hands over an event as Lambda does: again in the next minute when the process stopped. */
  async deliver(event: unknown): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await this.surviving(() => this.tracker.onEvent(event))) return;
      await this.pass(attempt + 1);
    }
    throw new Error("the event went to the dead letters");
  }

  kinds(): string[] {
    return this.sent.map(({ minute, kind }) => `${minute} ${kind}`);
  }

  private async surviving(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      // A sweep goes on after a step that failed and tells of it in the end.
      if (error instanceof Crash || (error as { code?: string }).code === "sweep-incomplete") return false;
      throw error;
    }
  }

  private async call<T>(work: () => Promise<T>): Promise<T> {
    await this.between();
    const number = ++this.calls;
    const stops = this.crash?.at === number ? this.crash.when : undefined;
    if (stops === "before") throw new Crash("stopped before");
    const result = await work();
    if (stops === "after") throw new Crash("stopped after");
    return result;
  }

  private watched(store: UseStore): UseStore {
    return new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => this.call(() => method.apply(target, args));
      },
    });
  }
}

function kindOf({ title }: NoticeInput): Sent["kind"] {
  if (/is being used/.test(title)) return "opening";
  if (/still being used/.test(title)) return "digest";
  if (/is over|nobody got in|nothing further/.test(title)) return "closing";
  return /more time/.test(title) ? "tamperings" : "tampering";
}

let made = 0;

/** A call by an emergency user. Its name stands in every report that has it: `Call7`. */
export function userCall(
  id: number | string,
  user = "breakglass-admin-1",
  change: Record<string, unknown> = {},
) {
  return {
    eventVersion: "1.11",
    userIdentity: {
      type: "IAMUser",
      arn: `arn:aws:iam::222222222222:user/break-glass/${user}`,
      userName: user,
      accountId: "222222222222",
    },
    eventTime: new Date(START + made++).toISOString(),
    eventSource: "iam.amazonaws.com",
    eventName: `Call${id}`,
    awsRegion: "us-east-1",
    sourceIPAddress: "192.0.2.17",
    userAgent: "aws-cli/2.31.0",
    requestParameters: { roleName: `role-${id}` },
    eventID: `event-${id}`,
    readOnly: false,
    recipientAccountId: "222222222222",
    ...change,
  };
}

/** A sign-in event of an emergency user. */
export function userSignIn(
  id: number | string,
  eventName: string,
  outcome: string,
  user = "breakglass-admin-1",
) {
  return userCall(id, user, {
    eventSource: "signin.amazonaws.com",
    eventName,
    requestParameters: null,
    responseElements: { [eventName]: outcome },
    additionalEventData: { MFAUsed: "Yes" },
  });
}

/** A change by somebody else. */
export function tampering(id: number | string) {
  return userCall(id, "breakglass-admin-1", {
    userIdentity: { type: "IAMUser", arn: "arn:aws:iam::222222222222:user/mallory", userName: "mallory" },
    eventName: `Tamper${id}`,
    requestParameters: { userName: "breakglass-admin-2" },
  });
}

/** How often a call is part of the messages of these kinds. */
export function told(world: UseWorld, call: string, ...kinds: Sent["kind"][]): number {
  return world.sent.filter(
    ({ kind, notice }) =>
      kinds.includes(kind) && new RegExp(`\\b${call}\\b`).test(`${notice.title} ${notice.text}`),
  ).length;
}
