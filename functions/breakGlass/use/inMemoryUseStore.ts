import type { ClosingUse, StoredEvent, Use, UseStore, When } from "./store";

/** A store in the memory of the process: for tests and simulations. */
export class InMemoryUseStore implements UseStore {
  private readonly events = new Map<string, StoredEvent>();
  private readonly uses = new Map<string, Use>();
  private readonly closing = new Map<string, ClosingUse>();

  async event(subject: string, eventId: string): Promise<StoredEvent | undefined> {
    return structuredClone(this.events.get(key(subject, eventId)));
  }

  async addEvent(subject: string, event: StoredEvent): Promise<boolean> {
    const id = key(subject, event.observation.eventId);
    if (this.events.has(id)) return false;
    this.events.set(id, structuredClone(event));
    return true;
  }

  async claimEvent(subject: string, eventId: string, now: string, until: string): Promise<boolean> {
    const event = this.events.get(key(subject, eventId));
    if (!event || event.reportedIn !== undefined || (event.claimedUntil ?? "") >= now) return false;
    event.claimedUntil = until;
    return true;
  }

  async reportEvent(subject: string, eventId: string, reportedIn: string): Promise<void> {
    const event = this.events.get(key(subject, eventId));
    if (event) event.reportedIn ??= reportedIn;
  }

  async unreported(subject: string): Promise<StoredEvent[]> {
    return [...this.events]
      .filter(([id, event]) => id.startsWith(key(subject, "")) && event.reportedIn === undefined)
      .map(([, event]) => structuredClone(event))
      .sort(bySeenAt);
  }

  async open(subject: string): Promise<Use | undefined> {
    return structuredClone(this.uses.get(subject));
  }

  async allOpen(): Promise<Use[]> {
    return structuredClone([...this.uses.values()]);
  }

  async addUse(use: Use): Promise<boolean> {
    if (this.uses.has(use.subject)) return false;
    this.uses.set(use.subject, structuredClone(use));
    return true;
  }

  async updateUse({ subject, useId }: Pick<Use, "subject" | "useId">, set: Partial<Use>, when?: When<Use>) {
    const use = this.uses.get(subject);
    if (use?.useId !== useId || !holds(use, when)) return false;
    Object.assign(use, structuredClone(set));
    return true;
  }

  async removeUse({ subject, useId, lastSeenAt }: Pick<Use, "subject" | "useId" | "lastSeenAt">) {
    const use = this.uses.get(subject);
    if (use?.useId !== useId || use.lastSeenAt !== lastSeenAt) return false;
    return this.uses.delete(subject);
  }

  async startClosing(use: Use): Promise<boolean> {
    if (!(await this.removeUse(use))) return false;
    this.closing.set(use.useId, { ...structuredClone(use), claimedUntil: "" });
    return true;
  }

  async allClosing(): Promise<ClosingUse[]> {
    return structuredClone([...this.closing.values()]);
  }

  async updateClosing(useId: string, set: Partial<ClosingUse>, when?: When<ClosingUse>): Promise<boolean> {
    const use = this.closing.get(useId);
    if (!use || !holds(use, when)) return false;
    Object.assign(use, structuredClone(set));
    return true;
  }

  async removeClosing(useId: string): Promise<void> {
    this.closing.delete(useId);
  }
}

const key = (subject: string, eventId: string) => `${subject}\n${eventId}`;

/** Oldest first. */
export function bySeenAt(a: StoredEvent, b: StoredEvent): number {
  const order = (event: StoredEvent) =>
    `${event.seenAt} ${event.observation.time} ${event.observation.eventId}`;
  return order(a) < order(b) ? -1 : 1;
}

function holds<T extends object>(stored: T, when: When<T> = {}): boolean {
  const fields = stored as Record<string, unknown>;
  const equal = Object.entries(when.equal ?? {}).every(([field, value]) => fields[field] === value);
  const before = Object.entries(when.before ?? {}).every(
    ([field, value]) => String(fields[field]) < String(value),
  );
  return equal && before;
}
