import { SIGN_IN_EVENT_SOURCE } from "../events/useRules";
import { isDenied, type Observation } from "./observation";

/** Calls of one kind. */
export interface CallCount {
  /** Such as `iam CreateUser`. */
  call: string;
  kind: "sign-in" | "change" | "read";
  count: number;
  denied: number;
  /** Failed otherwise. */
  failed: number;
  regions: string[];
  /** What was acted on, the first few. */
  on: string[];
  firstAt: string;
}

/** What events come to. Lists are without repetition. */
export interface Summary {
  events: number;
  /** Time of the first and the last event, ISO 8601. */
  from: string;
  to: string;
  actors: string[];
  ips: string[];
  agents: string[];
  regions: string[];
  accounts: string[];
  roles: string[];
  services: string[];
  mfa: { yes: number; no: number };
  signIns: { succeeded: number; failed: number };
  changes: number;
  reads: number;
  denied: number;
  /** Changes first, then sign-ins, then what only read; each in the order of time. */
  calls: CallCount[];
}

const ON_SHOWN = 5;
const KINDS = ["change", "sign-in", "read"] as const;

/** Sums events up. Undefined for none. */
export function summarize(observations: readonly Observation[]): Summary | undefined {
  const events = [...observations].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) return undefined;
  const all = (of: (event: Observation) => string) => unique(events.map(of));
  const calls = countCalls(events);
  const signIns = events.filter(
    ({ service, call }) => service === SIGN_IN_EVENT_SOURCE && call === "ConsoleLogin",
  );
  const ofKind = (kind: CallCount["kind"]) =>
    calls.filter((call) => call.kind === kind).reduce((sum, { count }) => sum + count, 0);
  return {
    events: events.length,
    from: first.time,
    to: last.time,
    actors: all(({ actor }) => actor),
    ips: all(({ ip }) => ip),
    agents: all(({ agent }) => agent),
    regions: all(({ region }) => region),
    accounts: all(({ account }) => account),
    roles: all(({ role }) => role),
    services: all(({ via }) => via),
    mfa: {
      yes: events.filter(({ mfa }) => mfa === "yes").length,
      no: events.filter(({ mfa }) => mfa === "no").length,
    },
    signIns: {
      succeeded: signIns.filter(({ error }) => error === "").length,
      failed: signIns.filter(({ error }) => error !== "").length,
    },
    changes: ofKind("change"),
    reads: ofKind("read"),
    denied: events.filter(isDenied).length,
    calls,
  };
}

function countCalls(events: readonly Observation[]): CallCount[] {
  const counts = new Map<string, CallCount>();
  for (const event of events) {
    const call = `${event.service.split(".")[0]} ${event.call}`;
    const kind = event.service === SIGN_IN_EVENT_SOURCE ? "sign-in" : event.readOnly ? "read" : "change";
    const count = counts.get(`${kind} ${call}`) ?? {
      call,
      kind,
      count: 0,
      denied: 0,
      failed: 0,
      regions: [],
      on: [],
      firstAt: event.time,
    };
    count.count += 1;
    if (isDenied(event)) count.denied += 1;
    else if (event.error !== "") count.failed += 1;
    if (event.region && !count.regions.includes(event.region)) count.regions.push(event.region);
    if (event.on && !count.on.includes(event.on) && count.on.length < ON_SHOWN) count.on.push(event.on);
    counts.set(`${kind} ${call}`, count);
  }
  return [...counts.values()].sort((a, b) => {
    const order = KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
    return order || (a.firstAt < b.firstAt ? -1 : 1);
  });
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== "");
}
