/**
 * Follows the uses of the emergency users, and what others change about them, and says when people are told what: one message when a use
 * begins, one for each stretch of time in which more happened, and one report of everything when it is over.
 *
 * How nothing gets lost, whatever stops when: an event is first noted on the subject's use (which keeps the use from ending), then stored as not
 * reported, then the use is looked at again and opened anew if it ended meanwhile. So every stored event has a use that ends later, and the end
 * of a use reports everything of its subject that is not reported. A message is sent before it is written down that it was: after a
 * crash in between it is sent again, never left out.
 */

import { BulkheadError } from "../../shared/errors/bulkheadError";
import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { NoticeInput } from "../../shared/notice/notice";
import { actorOf, classify } from "../events/classify";
import type { WatchNames } from "../events/names";
import { openRecord } from "../events/openRecord";
import { SIGN_IN_EVENT_SOURCE } from "../events/useRules";
import { type EvidenceRecord, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";
import {
  closingNotice,
  digestNotice,
  type NoticeContext,
  openingNotice,
  tamperingNotice,
  tamperingsNotice,
} from "./notices";
import { isToldDirectly, type Observation, observe, showsPassword } from "./observation";
import { type ClosingUse, type StoredEvent, TAMPERING, type Use, type UseStore } from "./store";

/** How long things take, in milliseconds. */
export interface UseTimes {
  /** Between two messages about a use that goes on. */
  digest: number;
  /** Without events until a use counts as over. */
  idle: number;
  /** How long a sign-in may take until it is told otherwise: the check of the second factor comes before the sign-in itself. */
  signIn: number;
  /** How long whoever tells something may take before another one does. Longer than the function runs. */
  claim: number;
}

/** What a tracker works with. */
export interface TrackerParts {
  store: UseStore;
  /** Tells people. */
  publish(notice: NoticeInput): Promise<void>;
  /** Appends to the evidence. @throws EvidenceUnavailable */
  recordEvidence(record: EvidenceRecord): Promise<void>;
  names: WatchNames;
  context: NoticeContext;
  times: UseTimes;
  log: Log;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What became of an event. */
export type EventOutcome = "quiet" | "repeated" | "use" | "tampering";

/** Events of tampering that are told one by one in a window; further ones are told together at its end. */
export const TOLD_AT_ONCE = 3;

/** How often a step is tried again that somebody else came before. */
const ATTEMPTS = 10;

/** Events that are marked at the same time. */
const PARALLEL = 20;

/** Follows the uses in one cell. Any number of processes may do so at the same time. */
export class UseTracker {
  constructor(private readonly parts: TrackerParts) {}

  /** Takes an event: a CloudTrail record or an EventBridge event with one. It may come several times, and in any order. */
  async onEvent(event: unknown): Promise<EventOutcome> {
    const { names } = this.parts;
    const verdict = classify(event, names);
    const opened = openRecord(event);
    if (!("alert" in verdict) || "problem" in opened) return "quiet";
    const observation = observe(event, opened.record, verdict, this.iso());
    const user = verdict.alert === "critical" ? actorOf(opened.record, names) : undefined;
    const isNew = await this.take(user ?? TAMPERING, observation);
    if (!isNew) return "repeated";
    return user === undefined ? "tampering" : "use";
  }

  /**
   * What is due by now: openings, digests, reports. Called once a minute.
   * @throws BulkheadError when something could not be done; everything else was, and it is tried again at the next call.
   */
  async sweep(): Promise<void> {
    const { store } = this.parts;
    const failed: unknown[] = [];
    const each = async <T>(things: T[], work: (thing: T) => Promise<void>) => {
      for (const thing of things) {
        try {
          await work(thing);
        } catch (error) {
          failed.push(error);
          this.parts.log.error("Not done, is tried again", { ...errorFields(error) });
        }
      }
    };
    await each(await store.allOpen(), (use) =>
      use.subject === TAMPERING ? this.sweepTampering(use) : this.sweepUse(use),
    );
    await each(await store.allClosing(), (use) => this.close(use));
    if (failed.length > 0) {
      throw new BulkheadError(
        "sweep-incomplete",
        `${failed.length} step(s) failed; they are tried again in a minute`,
      );
    }
  }

  private iso(after = 0): string {
    return new Date(this.parts.now() + after).toISOString();
  }

  /** Whether a time is this long ago. */
  private isPast(time: string, milliseconds: number): boolean {
    return this.parts.now() - Date.parse(time) >= milliseconds;
  }

  /** Stores an event and tells what has to be told at once. @returns false when it was reported before. */
  private async take(subject: string, observation: Observation): Promise<boolean> {
    const { store, times } = this.parts;
    const stored = await store.event(subject, observation.eventId);
    if (stored?.reportedIn !== undefined) return false;
    const event: StoredEvent = stored ?? {
      observation,
      seenAt: this.iso(),
      ...(subject === TAMPERING && { claimedUntil: this.iso(times.claim) }),
    };
    await this.note(subject, event);
    const isAdded = stored === undefined && (await store.addEvent(subject, event));
    // The use may have ended between the two; the event needs one that ends later.
    const use = (await store.open(subject)) ?? (await this.note(subject, event));
    if (subject === TAMPERING) await this.tellTampering(event, isAdded);
    else await this.open(use);
    return true;
  }

  /** Notes on the subject's use that something was seen, and opens one if there is none. */
  private async note(subject: string, { observation, seenAt }: StoredEvent): Promise<Use> {
    const { store } = this.parts;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const use = await store.open(subject);
      if (!use) {
        const created = this.newUse(subject, observation);
        if (await store.addUse(created)) return created;
        continue;
      }
      // First of all that something was seen: from here on the use cannot end before what follows.
      const isNoted = await store.updateUse(use, { lastSeenAt: seenAt }, { before: { lastSeenAt: seenAt } });
      if (use.entered === undefined && showsPassword(observation)) {
        await store.updateUse(use, { entered: observation }, { equal: { entered: undefined } });
      }
      if (!use.openingTold && isToldDirectly(observation)) {
        await store.updateUse(use, { openingTold: true, lastToldAt: this.iso() });
      }
      const after = await store.open(subject);
      // Something may have been seen later already.
      if (after?.useId === use.useId && (isNoted || after.lastSeenAt >= seenAt)) return after;
    }
    throw new BulkheadError(
      "use-contended",
      "the use could not be noted: too many others did at the same time; it is tried again",
    );
  }

  private newUse(subject: string, first: Observation): Use {
    const now = this.iso();
    const isDirect = isToldDirectly(first);
    // The check of the second factor becomes a sign-in that is told directly; only if it does not, it is told itself.
    const waits = first.service === SIGN_IN_EVENT_SOURCE && first.call === "CheckMfa";
    return {
      subject,
      // Of the cell, too: both may see the same event in the same millisecond, and each has to leave a record of its own.
      useId: `${now}-${this.parts.context.cell}-${first.eventId}`,
      lastSeenAt: now,
      first,
      openingDueAt: this.iso(waits ? this.parts.times.signIn : 0),
      openingTold: isDirect || subject === TAMPERING,
      openingClaimedUntil: "",
      toldThrough: "",
      lastToldAt: now,
      claimedUntil: "",
      ...(showsPassword(first) && { entered: first }),
      enteredRecorded: false,
      toldAtOnce: 0,
    };
  }

  /** Tells of a use and records it, the one whether or not the other can be done: a topic that refuses must not cost the evidence. */
  private async open(use: Use): Promise<void> {
    try {
      await this.tellOpening(use);
    } finally {
      await this.recordOpening(use);
    }
  }

  private async tellOpening(use: Use): Promise<void> {
    const { store, publish, context, times } = this.parts;
    if (use.openingTold || !this.isPast(use.openingDueAt, 0)) return;
    const isMine = await store.updateUse(
      use,
      { openingClaimedUntil: this.iso(times.claim) },
      { equal: { openingTold: false }, before: { openingClaimedUntil: this.iso() } },
    );
    if (!isMine) return;
    await publish(openingNotice(use, context));
    await store.updateUse(use, { openingTold: true, lastToldAt: this.iso() });
  }

  /** The evidence that a password was used. Without an answer the next sweep tries again. */
  private async recordOpening(use: Use): Promise<void> {
    const { store, recordEvidence, log } = this.parts;
    const { entered } = use;
    if (entered === undefined || use.enteredRecorded) return;
    try {
      await recordEvidence(this.openingRecord(use, entered));
    } catch (error) {
      if (!(error instanceof EvidenceUnavailable)) throw error;
      log.warn("The use could not be recorded yet", { ...errorFields(error) });
      return;
    }
    await store.updateUse(use, { enteredRecorded: true });
  }

  private openingRecord({ subject, useId }: Use, entered: Observation): EvidenceRecord {
    const { cell, recordedBy } = this.parts.context;
    return {
      kind: "useOpened",
      id: recordId(entered.time, useId),
      at: entered.time,
      by: recordedBy,
      userName: subject,
      useId,
      cell,
      firstCall: entered.call || "unknown",
      region: entered.region || "unknown",
    };
  }

  private async sweepUse(use: Use): Promise<void> {
    await this.open(use);
    if (this.isPast(use.lastSeenAt, this.parts.times.idle)) await this.parts.store.startClosing(use);
    else await this.tellDigest(use);
  }

  private async tellDigest(use: Use): Promise<void> {
    const { store, publish, context, times } = this.parts;
    if (use.lastSeenAt <= use.toldThrough || !this.isPast(use.lastToldAt, times.digest)) return;
    const isMine = await store.updateUse(
      use,
      { claimedUntil: this.iso(times.claim) },
      { equal: { lastToldAt: use.lastToldAt }, before: { claimedUntil: this.iso() } },
    );
    if (!isMine) return;
    const events = await store.unreported(use.subject);
    const fresh = events.filter(({ seenAt }) => seenAt > use.toldThrough);
    const news = fresh.filter(
      ({ observation }) => !isToldDirectly(observation) && observation.eventId !== use.first.eventId,
    );
    if (news.length > 0) await publish(digestNotice(use, observations(news), observations(events), context));
    const latest = fresh.at(-1)?.seenAt;
    await store.updateUse(use, {
      claimedUntil: "",
      ...(latest !== undefined && { toldThrough: latest }),
      ...(news.length > 0 && { lastToldAt: this.iso() }),
    });
  }

  private async close(use: ClosingUse): Promise<void> {
    const { store, publish, context, times } = this.parts;
    const isMine = await store.updateClosing(
      use.useId,
      { claimedUntil: this.iso(times.claim) },
      { before: { claimedUntil: this.iso() } },
    );
    if (!isMine) return;
    // Later ones belong to the user's next use.
    const events = (await store.unreported(use.subject)).filter(({ seenAt }) => seenAt <= use.lastSeenAt);
    let { report } = use;
    if (report === undefined) {
      const all = observations(events);
      // Noted but never stored, because every attempt stopped in between.
      if (!(await store.event(use.subject, use.first.eventId))) all.unshift(use.first);
      report = reportOf(use, all);
      if (all.length > 0 || use.openingTold) await publish(closingNotice(use, all, context));
      await store.updateClosing(use.useId, { report });
    }
    for (let start = 0; start < events.length; start += PARALLEL) {
      await Promise.all(
        events
          .slice(start, start + PARALLEL)
          .map(({ observation }) => store.reportEvent(use.subject, observation.eventId, use.useId)),
      );
    }
    await this.recordClosing(use, report);
    await store.removeClosing(use.useId);
  }

  /** @throws EvidenceUnavailable: the use stays among the closing ones, without its report being sent again. */
  private async recordClosing(use: ClosingUse, report: NonNullable<ClosingUse["report"]>): Promise<void> {
    const { recordEvidence, context } = this.parts;
    if (use.entered === undefined || report.events === 0) return;
    await recordEvidence(this.openingRecord(use, use.entered));
    await recordEvidence({
      kind: "useClosed",
      id: recordId(report.endedAt, use.useId),
      at: report.endedAt,
      by: context.recordedBy,
      userName: use.subject,
      useId: use.useId,
      cell: context.cell,
      ...report,
    });
  }

  private async tellTampering(event: StoredEvent, isAdded: boolean): Promise<void> {
    const { store, publish, context, times } = this.parts;
    const { observation } = event;
    // Whoever added it has the first claim; a later delivery takes it over once that has run out.
    if (
      !isAdded &&
      !(await store.claimEvent(TAMPERING, observation.eventId, this.iso(), this.iso(times.claim)))
    )
      return;
    if (!(await this.takeSlot())) return;
    await publish(tamperingNotice(observation, context));
    await store.reportEvent(TAMPERING, observation.eventId, "at once");
  }

  /** @returns false when the window's are used up, or too many want one: then the end of the window tells. */
  private async takeSlot(): Promise<boolean> {
    const { store } = this.parts;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const group = await store.open(TAMPERING);
      if (!group || group.toldAtOnce >= TOLD_AT_ONCE) return false;
      const { toldAtOnce } = group;
      if (await store.updateUse(group, { toldAtOnce: toldAtOnce + 1 }, { equal: { toldAtOnce } }))
        return true;
    }
    return false;
  }

  private async sweepTampering(group: Use): Promise<void> {
    const { store, publish, context, times } = this.parts;
    if (!this.isPast(group.lastToldAt, times.digest)) return;
    const isMine = await store.updateUse(
      group,
      { claimedUntil: this.iso(times.claim) },
      { equal: { lastToldAt: group.lastToldAt }, before: { claimedUntil: this.iso() } },
    );
    if (!isMine) return;
    const waiting = await store.unreported(TAMPERING);
    const now = this.iso();
    const events = waiting.filter(({ claimedUntil = "" }) => claimedUntil < now);
    if (events.length > 0) {
      await publish(tamperingsNotice(observations(events), context));
      for (const { observation } of events)
        await store.reportEvent(TAMPERING, observation.eventId, "together");
    } else if (waiting.length === 0 && this.isPast(group.lastSeenAt, times.claim)) {
      // Whoever noted an event has stored it by now, or has failed and notes it again.
      if (await store.removeUse(group)) return;
    }
    await store.updateUse(group, {
      claimedUntil: "",
      ...(events.length > 0 && { lastToldAt: this.iso(), toldAtOnce: 0 }),
    });
  }
}

const observations = (events: readonly StoredEvent[]) => events.map(({ observation }) => observation);

function reportOf(use: Use, events: readonly Observation[]): NonNullable<ClosingUse["report"]> {
  const times = [...events.map(({ time }) => time), use.first.time].sort();
  return { startedAt: times[0]!, endedAt: times.at(-1)!, events: events.length };
}
