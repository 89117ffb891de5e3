import type { Conjunction } from "./condition";
import type { WatchNames } from "./names";

/** How urgent an event is. */
export type Alert = "critical" | "high";

/** What a rule is called and says. */
interface Named {
  /** Short and stable, in kebab-case. */
  readonly id: string;
  /** Why such an event is told, in a sentence. */
  readonly why: string;
  /** Numbers of the facts that it rests on. */
  readonly facts: readonly number[];
}

/** A narrower name for some of a rule's events. It changes what is said of them, never whether they are told. */
export interface Refinement extends Named {
  readonly when: readonly Conjunction[];
}

/** One row of the table that both the event rules and `classify` are made from. */
export interface WatchRule extends Named {
  readonly alert: Alert;
  /** The event rules that it becomes part of. */
  readonly group: WatchGroup;
  /** The events: those that meet one of these. */
  any(names: WatchNames): Conjunction[];
  /** Tried in order once the rule applies. */
  readonly refinements?: readonly Refinement[];
}

/** Groups of event rules: use of the users, changes of users, changes of what watches them. */
export type WatchGroup = "use" | "tamper-users" | "tamper-watch";
