import { expect } from "chai";
import * as fc from "fast-check";
import { happen } from "../../../functions/approval/workflow/happen";
import { InMemoryRequestStore } from "../../../functions/approval/workflow/inMemoryRequestStore";
import {
  type Actor,
  type ApprovalRequest,
  isFinal,
  type Level,
  type NewRequest,
  newRequest,
  type RequestEvent,
  STATES,
  type State,
} from "../../../functions/approval/workflow/request";
import type { RequestStore } from "../../../functions/approval/workflow/store";
import {
  askedGroups,
  BYPASS_GROUP,
  nextDue,
  TRANSITIONS,
  transition,
} from "../../../functions/approval/workflow/transition";

const SEED = 20261122;
const START = Date.UTC(2026, 10, 22, 3);
const PREVIEW = "a".repeat(64);
const CHANGED = "b".repeat(64);

const person = (name: string, ...groups: string[]): Actor => ({
  identities: [`${name}@example.com`, `arn:aws:iam::111122223333:user/${name}`],
  groups,
  active: true,
  channel: "page",
});
const ALICE = person("alice", "dba", "leads");
const BOB = person("bob", "dba");
const CAROL = person("carol", "dba", "leads");
const DAVE = person("dave", "leads");
const ERIN = person("erin", "on-call", BYPASS_GROUP);
const GONE: Actor = { ...person("frank", "dba", "leads", BYPASS_GROUP), active: false };
const MALLORY = person("mallory", "interns");

const LEVELS: Level[] = [
  { group: "dba", quorum: 1, timeoutSeconds: 600, escalation: { group: "on-call", afterSeconds: 300 } },
  { group: "leads", quorum: 1, timeoutSeconds: 600 },
];
const PARTS: NewRequest = {
  id: "3c4226b0-1e81-48a8-a333-7fa5f3cbd118",
  operationHash: "0".repeat(64),
  previewHash: PREVIEW,
  requester: [...ALICE.identities],
  levels: LEVELS,
  snapshotFirst: false,
  confirmationSeconds: 900,
  workSeconds: 120,
};

/** The request after these events, each of which has to take effect. */
function reached(parts: Partial<NewRequest>, ...events: RequestEvent[]): ApprovalRequest {
  let request = newRequest({ ...PARTS, ...parts }, START);
  for (const event of events) {
    const outcome = transition(request, event, START + 1_000);
    if ("refused" in outcome) throw new Error(`${event.kind} in ${request.state}: ${outcome.refused}`);
    request = outcome.next;
  }
  return request;
}
const refusal = (request: ApprovalRequest, event: RequestEvent, now = START + 1_000) => {
  const outcome = transition(request, event, now);
  return "refused" in outcome ? outcome.refused : `became ${outcome.next.state}`;
};

const confirm: RequestEvent = { kind: "confirm", actor: ALICE };
const approve = (actor: Actor, level: number): RequestEvent => ({ kind: "approve", actor, level });
const deny = (actor: Actor, level: number): RequestEvent => ({
  kind: "deny",
  actor,
  level,
  reason: "not today",
});
const finallyConfirm: RequestEvent = { kind: "finallyConfirm", actor: ALICE };
const verified: RequestEvent = { kind: "verified", previewHash: PREVIEW };
const tick: RequestEvent = { kind: "tick" };
const toApproved = [confirm, approve(BOB, 0), approve(CAROL, 1)];

describe("a request for approval", () => {
  it("goes from the operator over every level and back to the operator", () => {
    const done = reached({}, ...toApproved, finallyConfirm, verified, { kind: "callDone" });
    expect(done).to.include({ state: "done", version: 7 });
    expect(done.approvals.map(({ by, level }) => [by[0], level])).to.deep.equal([
      ["bob@example.com", 0],
      ["carol@example.com", 1],
    ]);
    expect(done.confirmed?.by).to.deep.equal(ALICE.identities);
    expect(done.finallyConfirmed?.by).to.deep.equal(ALICE.identities);
  });

  it("takes a snapshot first, and stops when that fails", () => {
    const snapshotting = reached({ snapshotFirst: true }, ...toApproved, finallyConfirm);
    expect(snapshotting.state).to.equal("snapshotting");
    expect(
      reached({ snapshotFirst: true }, ...toApproved, finallyConfirm, { kind: "snapshotDone" }).state,
    ).to.equal("verifying");
    expect(
      reached({ snapshotFirst: true }, ...toApproved, finallyConfirm, { kind: "snapshotFailed" }),
    ).to.include({
      state: "failed",
      failure: "snapshotFailed",
    });
    expect(refusal(snapshotting, verified)).to.equal("alreadyHandled");
  });

  it("is not carried out when the resources have changed since", () => {
    const changed = reached({}, ...toApproved, finallyConfirm, { kind: "verified", previewHash: CHANGED });
    expect(changed).to.include({ state: "failed", failure: "changed" });
  });

  it("needs as many approvals as the quorum says", () => {
    const levels = [{ group: "leads", quorum: 2, timeoutSeconds: 600 }];
    const one = reached({ levels }, confirm, approve(CAROL, 0));
    expect(one.state).to.equal("approving");
    expect(refusal(one, approve(CAROL, 0))).to.equal("approvedAlready");
    expect(reached({ levels }, confirm, approve(CAROL, 0), approve(DAVE, 0)).state).to.equal("approved");
  });

  it("lets nobody approve who must not", () => {
    const waiting = reached({}, confirm);
    expect(refusal(waiting, approve(ALICE, 0))).to.equal("ownRequest");
    const other = { ...ALICE, identities: ["ALICE@example.com"] };
    expect(refusal(waiting, approve(other, 0))).to.equal("ownRequest");
    expect(refusal(waiting, approve(GONE, 0))).to.equal("deactivated");
    expect(refusal(waiting, approve(MALLORY, 0))).to.equal("notAnApprover");
    expect(refusal(waiting, approve(DAVE, 0))).to.equal("notAnApprover");
    const second = reached({}, confirm, approve(CAROL, 0));
    expect(refusal(second, approve(CAROL, 1))).to.equal("approvedAlready");
    expect(refusal(second, approve(BOB, 0))).to.equal("alreadyHandled");
    expect(refusal(second, approve(DAVE, 0))).to.equal("alreadyHandled");
    expect(refusal(second, approve(DAVE, 1))).to.equal("became approved");
  });

  it("lets only the requester confirm and cancel", () => {
    const fresh = reached({});
    expect(refusal(fresh, { kind: "confirm", actor: BOB })).to.equal("notTheRequester");
    expect(refusal(fresh, { kind: "confirm", actor: { ...ALICE, active: false } })).to.equal("deactivated");
    for (const request of [fresh, reached({}, confirm), reached({}, ...toApproved)]) {
      expect(refusal(request, { kind: "cancel", actor: BOB })).to.equal("notTheRequester");
      expect(refusal(request, { kind: "cancel", actor: ALICE })).to.equal("became cancelled");
    }
    expect(refusal(reached({}, ...toApproved), { kind: "finallyConfirm", actor: BOB })).to.equal(
      "notTheRequester",
    );
  });

  it("ends with a denial by anybody who is asked, also by one who has approved", () => {
    const denied = reached({}, confirm, deny(BOB, 0));
    expect(denied).to.include({ state: "denied" });
    expect(denied.denial).to.include({ reason: "not today" });
    expect(refusal(denied, approve(CAROL, 0))).to.equal("alreadyHandled");
    const levels = [{ group: "leads", quorum: 2, timeoutSeconds: 600 }];
    expect(reached({ levels }, confirm, approve(CAROL, 0), deny(CAROL, 0)).state).to.equal("denied");
    const second = reached({}, confirm, approve(BOB, 0));
    expect(refusal(second, deny(BOB, 0))).to.equal("approvedAlready");
    expect(refusal(reached({}, confirm), deny(ALICE, 0))).to.equal("ownRequest");
    expect(refusal(reached({}, confirm), deny(GONE, 0))).to.equal("deactivated");
  });

  it("expires at every stage, and a click after the end changes nothing even before anybody noticed", () => {
    const stages: [ApprovalRequest, RequestEvent][] = [
      [reached({}), confirm],
      [reached({}, confirm), approve(BOB, 0)],
      [reached({}, ...toApproved), finallyConfirm],
    ];
    for (const [request, event] of stages) {
      expect(refusal(request, tick, request.deadline - 1)).to.be.oneOf(["notDue", "became approving"]);
      expect(refusal(request, event, request.deadline)).to.equal("tooLate");
      expect(refusal(request, tick, request.deadline)).to.equal("became expired");
    }
  });

  it("asks further people when nobody decides", () => {
    const waiting = reached({}, confirm);
    const due = waiting.stageAt + 300_000;
    expect(nextDue(waiting)).to.equal(due);
    expect(refusal(waiting, approve(ERIN, 0))).to.equal("notAnApprover");
    expect(refusal(waiting, tick, due - 1)).to.equal("notDue");
    const outcome = transition(waiting, tick, due);
    if ("refused" in outcome) throw new Error(outcome.refused);
    expect(askedGroups(outcome.next)).to.deep.equal(["dba", "on-call"]);
    expect(nextDue(outcome.next)).to.equal(waiting.deadline);
    expect(refusal(outcome.next, tick, due)).to.equal("notDue");
    expect(refusal(outcome.next, approve(ERIN, 0), due)).to.equal("became approving");
  });

  it("has an emergency bypass for a second person, which shows in the end", () => {
    const bypass = (actor: Actor): RequestEvent => ({ kind: "bypass", actor, reason: "the shop is down" });
    for (const request of [reached({}), reached({}, confirm), reached({}, ...toApproved)]) {
      expect(refusal(request, bypass(ERIN))).to.equal("became verifying");
      expect(refusal(request, bypass(BOB))).to.equal("notAnApprover");
      expect(refusal(request, bypass(GONE))).to.equal("deactivated");
      expect(refusal(request, bypass({ ...ALICE, groups: [BYPASS_GROUP] }))).to.equal("ownRequest");
    }
    const ended = reached({}, bypass(ERIN), verified, { kind: "callDone" });
    expect(ended).to.include({ state: "bypassed" });
    expect(ended.bypass).to.include({ reason: "the shop is down" });
  });

  it("never begins a call twice, and says so when its outcome is not known", () => {
    const executing = reached({}, ...toApproved, finallyConfirm, verified);
    expect(refusal(executing, verified)).to.equal("alreadyHandled");
    const outcome = transition(executing, tick, executing.deadline);
    expect("next" in outcome && outcome.next).to.include({ state: "failed", failure: "outcomeUnknown" });
    const verifying = reached({}, ...toApproved, finallyConfirm);
    const late = transition(verifying, tick, verifying.deadline);
    expect("next" in late && late.next).to.include({ state: "failed", failure: "notVerified" });
  });

  it("has nothing after its end, and a way to it from everywhere", () => {
    for (const state of STATES) {
      const onward = TRANSITIONS.filter(({ from }) => from === state);
      if (isFinal(state)) expect(onward, state).to.deep.equal([]);
      // Time alone ends every stage.
      else expect(onward.find(({ on }) => on === "tick")?.to.some(isFinal), state).to.equal(true);
    }
    const targets = new Set(TRANSITIONS.flatMap(({ to }) => to));
    expect(STATES.filter((state) => !targets.has(state))).to.deep.equal(["requested"]);
  });

  it("is refused when its parts are out of bounds", () => {
    expect(() => newRequest({ ...PARTS, levels: [] }, START)).to.throw();
    expect(() => newRequest({ ...PARTS, levels: [{ ...LEVELS[0]!, quorum: 0 }] }, START)).to.throw();
    expect(() => newRequest({ ...PARTS, requester: [] }, START)).to.throw();
  });
});

/** A store that notes every write that took effect, and waits for its turn before each access. */
class ScheduledStore implements RequestStore {
  readonly writes: { before: { state: State; version: number }; after: ApprovalRequest }[] = [];
  constructor(
    private readonly store: InMemoryRequestStore,
    private readonly turn: (what: string) => Promise<unknown>,
    /** Whether the writer learns nothing of the n-th write: its answer is lost, and the SDK's repetition fails. */
    private readonly loses: (write: number) => boolean,
  ) {}

  async open(request: ApprovalRequest) {
    await this.turn("open");
    return this.store.open(request);
  }

  async read(id: string) {
    await this.turn("read");
    return this.store.read(id);
  }

  async replace(next: ApprovalRequest, expected: { state: State; version: number }) {
    await this.turn("replace");
    const { state, version } = expected;
    if (!(await this.store.replace(next, expected))) return false;
    this.writes.push({ before: { state, version }, after: structuredClone(next) });
    return !this.loses(this.writes.length);
  }
}

const people = fc.constantFrom(ALICE, BOB, CAROL, DAVE, ERIN, GONE, MALLORY);
const anyLevel = fc.nat(1);
const anyEvent: fc.Arbitrary<RequestEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(confirm) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("approve" as const), actor: people, level: anyLevel }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("deny" as const),
      actor: people,
      level: anyLevel,
      reason: fc.constant("no"),
    }),
  },
  { weight: 4, arbitrary: fc.constant(finallyConfirm) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), actor: people }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("bypass" as const),
      actor: people,
      reason: fc.constant("fire"),
    }),
  },
  { weight: 3, arbitrary: fc.constant<RequestEvent>({ kind: "snapshotDone" }) },
  { weight: 1, arbitrary: fc.constant<RequestEvent>({ kind: "snapshotFailed" }) },
  { weight: 5, arbitrary: fc.constant(verified) },
  { weight: 1, arbitrary: fc.constant<RequestEvent>({ kind: "verified", previewHash: CHANGED }) },
  { weight: 2, arbitrary: fc.constant(tick) },
  { weight: 1, arbitrary: fc.constant<RequestEvent>({ kind: "callDone" }) },
);

type Step = { event: RequestEvent; copies: number } | { passSeconds: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ event: anyEvent, copies: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ passSeconds: fc.constantFrom(1, 60, 301, 601, 901) }) },
  ),
  { minLength: 4, maxLength: 25 },
);
/** What usually happens, so that many runs come far. */
const usual: Step[] = [...toApproved, finallyConfirm, verified].map((event) => ({ event, copies: 2 }));

describe("requests under replayed, reordered and raced callbacks", () => {
  it("have one outcome, and are executed at most once and only when everybody agreed", async () => {
    const seen = new Set<State>();
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        steps,
        fc.boolean(),
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: 8 }), { freq: 3 }),
        fc.nat(6),
        async (scheduler, random, snapshotFirst, raced, lost, usualFrom) => {
          const memory = new InMemoryRequestStore();
          const store = new ScheduledStore(
            memory,
            (what) => scheduler.schedule(Promise.resolve(), what),
            (write) => write === lost,
          );
          let now = START;
          let calls = 0;
          const underWay: Promise<void>[] = [];
          const parts = { ...PARTS, snapshotFirst };
          await memory.open(newRequest(parts, START));
          const all = [...random.slice(0, usualFrom), ...usual, ...random.slice(usualFrom)];
          for (const step of all) {
            if ("passSeconds" in step) {
              now += step.passSeconds * 1_000;
              continue;
            }
            const running = Array.from({ length: step.copies }, async () => {
              const happening = await happen(store, PARTS.id, step.event, () => now);
              // Whoever brings it to executing makes the call.
              if ("after" in happening && happening.after.state === "executing") {
                calls++;
                await happen(store, PARTS.id, { kind: "callDone" }, () => now);
              }
            });
            // Raced: further steps begin while these are under way.
            underWay.push(...running);
            if (!raced) await scheduler.waitIdle();
          }
          await scheduler.waitIdle();
          await Promise.all(underWay);

          checkHistory(store, snapshotFirst);
          expect(calls).to.be.at.most(1);
          for (const { after: request } of store.writes) seen.add(request.state);
        },
      ),
      { seed: SEED, numRuns: 1_500 },
    );
    // The runs came everywhere.
    expect([...seen].sort()).to.deep.equal(STATES.filter((state) => state !== "requested").sort());
  });

  it("open once for an event and for an operation, and again after the end", async () => {
    const store = new InMemoryRequestStore();
    const openings = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        store.open(newRequest({ ...PARTS, id: index % 2 ? PARTS.id : `event-${index}` }, START)),
      ),
    );
    expect(openings.filter(({ opened }) => opened)).to.have.length(1);
    const [{ id }] = [newRequest({ ...PARTS, id: "event-0" }, START)];
    expect(openings.every((one) => one.opened || one.existing.id === id)).to.equal(true);
    await happen(store, id, { kind: "cancel", actor: ALICE }, () => START);
    expect(await store.open(newRequest({ ...PARTS, id }, START))).to.include({ opened: false });
    expect(await store.open(newRequest({ ...PARTS, id: "event-new" }, START))).to.deep.equal({
      opened: true,
    });
    expect(await happen(store, "nobody", confirm, () => START)).to.deep.equal({ unknown: true });
  });

  it("let 200 different ones open at once", async () => {
    const store = new InMemoryRequestStore();
    const openings = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        store.open(
          newRequest(
            { ...PARTS, id: `event-${index}`, operationHash: index.toString(16).padStart(64, "0") },
            START,
          ),
        ),
      ),
    );
    expect(openings.every(({ opened }) => opened)).to.equal(true);
  });
});

/** What holds of every history, whatever happened in whatever order. */
function checkHistory({ writes }: ScheduledStore, snapshotFirst: boolean): void {
  let state: State = "requested";
  for (const [index, { before, after: request }] of writes.entries()) {
    expect(before.state).to.equal(state);
    expect(isFinal(before.state), "nothing after the end").to.equal(false);
    expect(request.version).to.equal(index + 2);
    expect(TRANSITIONS.some(({ from, to }) => from === before.state && to.includes(request.state))).to.equal(
      true,
    );
    state = request.state;
  }
  const executed = writes.filter(({ after: request }) => request.state === "executing");
  expect(executed.length).to.be.at.most(1);
  const [execution] = executed;
  if (!execution) return;
  const request = execution.after;
  expect(request.denial).to.equal(undefined);
  if (request.bypass) {
    expect(request.bypass.by).to.deep.equal(ERIN.identities);
    return;
  }
  expect(request.confirmed?.by).to.deep.equal(ALICE.identities);
  expect(request.finallyConfirmed?.by).to.deep.equal(ALICE.identities);
  const approvers = request.approvals.map(({ by }) => by[0]!);
  expect(new Set(approvers).size).to.equal(approvers.length);
  for (const name of ["alice", "frank", "mallory"]) expect(approvers).to.not.include(`${name}@example.com`);
  for (const [index, { quorum }] of LEVELS.entries()) {
    expect(request.approvals.filter(({ level }) => level === index)).to.have.length(quorum);
  }
  const states = writes.map(({ after: each }) => each.state);
  expect(states.includes("snapshotting")).to.equal(snapshotFirst);
}
