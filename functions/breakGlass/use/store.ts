import type { Observation } from "./observation";

/** An event of a subject, as it is kept. */
export interface StoredEvent {
  observation: Observation;
  /** When it was first seen here, ISO 8601 in UTC. */
  seenAt: string;
  /** In what it was reported for good: a use's closing report, or a notice of tampering. Undefined until then. */
  reportedIn?: string;
  /** Until when somebody is telling of it, ISO 8601. */
  claimedUntil?: string;
}

/**
 * What goes on: the use of an emergency user, or changes made by others. Times are ISO 8601 in UTC by the clocks of this function, not of the
 * events.
 */
export interface Use {
  /** The emergency user's name, or {@link TAMPERING}. */
  subject: string;
  useId: string;
  /** When the last event was seen. */
  lastSeenAt: string;
  /** What was seen first. */
  first: Observation;
  /** When the opening has to be told, unless a sign-in is told directly before. */
  openingDueAt: string;
  openingTold: boolean;
  openingClaimedUntil: string;
  /** What was seen up to then is part of some message. */
  toldThrough: string;
  /** When the last message was sent; for tampering, when the present window began. */
  lastToldAt: string;
  /** Until when a sweep is at work on it. */
  claimedUntil: string;
  /** The first event that shows that somebody has the password. */
  entered?: Observation;
  /** Whether the evidence has it. */
  enteredRecorded: boolean;
  /** How many events of the window were told one by one. */
  toldAtOnce: number;
}

/** A use that is over, until its report is sent and everything is written down. */
export interface ClosingUse extends Use {
  /** What was reported, once it is. */
  report?: { startedAt: string; endedAt: string; events: number };
}

/** The subject of what others do. No user can have this name. */
export const TAMPERING = "#tampering";

/** What has to be true of what is stored for a write to be made. */
export interface When<T> {
  /** Fields that are as here; undefined: not there. */
  equal?: Partial<T>;
  /** Times that are earlier than these. */
  before?: Partial<Pick<T, { [Field in keyof T]: T[Field] extends string ? Field : never }[keyof T]>>;
}

/** Where uses are kept. Every method is one atomic call; each may fail with the error of the store, after which it may have happened or not. */
export interface UseStore {
  event(subject: string, eventId: string): Promise<StoredEvent | undefined>;
  /** @returns false when it is there already: then nothing is written. */
  addEvent(subject: string, event: StoredEvent): Promise<boolean>;
  /** Takes the telling of an event that is not reported and not claimed at `now`. */
  claimEvent(subject: string, eventId: string, now: string, until: string): Promise<boolean>;
  reportEvent(subject: string, eventId: string, reportedIn: string): Promise<void>;
  /** The events that are not reported yet, oldest first. */
  unreported(subject: string): Promise<StoredEvent[]>;

  open(subject: string): Promise<Use | undefined>;
  allOpen(): Promise<Use[]>;
  /** @returns false when the subject has a use already: then nothing is written. */
  addUse(use: Use): Promise<boolean>;
  /** @returns false when the use is gone or the condition does not hold: then nothing is written. */
  updateUse(use: Pick<Use, "subject" | "useId">, set: Partial<Use>, when?: When<Use>): Promise<boolean>;
  /** Ends the use without a report, if nothing was seen since. */
  removeUse(use: Pick<Use, "subject" | "useId" | "lastSeenAt">): Promise<boolean>;
  /** Moves the use to those that are closing, if nothing was seen since. */
  startClosing(use: Use): Promise<boolean>;

  allClosing(): Promise<ClosingUse[]>;
  updateClosing(useId: string, set: Partial<ClosingUse>, when?: When<ClosingUse>): Promise<boolean>;
  removeClosing(useId: string): Promise<void>;
}
