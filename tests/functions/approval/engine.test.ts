import { expect } from "chai";
import * as fc from "fast-check";
import { openByHand } from "../../../functions/approval/engine/byHand";
import type { FenceAnswer, PeerRequests } from "../../../functions/approval/engine/ports";
import { reopen } from "../../../functions/approval/engine/reopen";
import { step } from "../../../functions/approval/engine/step";
import { sweep } from "../../../functions/approval/engine/sweep";
import { beginToWait, changed } from "../../../functions/approval/engine/wake";
import { work } from "../../../functions/approval/engine/work";
import { isFinal } from "../../../functions/approval/workflow/request";
import { Crash, Crasher, DIRECTORY, world } from "./support/engineWorld";
import { denied, EVENT_ID } from "./support/events";

const SEED = 20261123;
const instance = (n: number) => `i-${n.toString(16).padStart(17, "0")}`;
const eventId = (n: number) => `3c4226b0-1e81-48a8-a333-${n.toString(16).padStart(12, "0")}`;
const termination = (n = 1, id = EVENT_ID) =>
  denied(
    "ec2",
    "TerminateInstances",
    { instancesSet: { items: [{ instanceId: instance(n) }] } },
    { eventID: id },
  );

describe("the engine of approval", () => {
  it("brings a denied call from the operator over two levels to one call, and records every stage", async () => {
    const { deliver, run, state, audit } = world();
    expect(await deliver(termination())).to.deep.equal({ result: "opened", requestId: EVENT_ID });
    const request = await run(EVENT_ID);
    expect(request.state).to.equal("done");
    expect(state.calls).to.have.length(1);
    expect(state.calls[0]!.end - state.calls[0]!.at).to.be.at.most(120_000);
    expect([...state.roles]).to.deep.equal([]);
    expect(state.told).to.deep.equal([
      "requested-0",
      "approving-0",
      "approving-1",
      "approved-1",
      "verifying-1",
      "done-1",
    ]);
    const entries = await audit.ofRequest(EVENT_ID);
    expect(
      entries.flatMap(({ what, before = "", after }) => (after ? [`${before}>${what}>${after}`] : [])),
    ).to.deep.equal([
      ">open>requested",
      "requested>confirm>approving",
      "approving>approve>approving",
      "approving>approve>approved",
      "approved>finallyConfirm>verifying",
      "verifying>verified>executing",
      "executing>callDone>done",
    ]);
    expect(entries.find(({ what, after }) => what === "approve" && after === "approved")).to.deep.include({
      by: ["person:carol", "carol@example.com"],
      channel: "page",
    });
    expect(entries.map(({ what }) => what)).to.include.members([
      "requested",
      "lookedAgain",
      "called",
      "executed",
      "accessEnded",
    ]);
  });

  it("opens one request for 1,000 duplicates of an event, and 200 for 200 different ones at once", async () => {
    const { deliver, run, state, table } = world();
    const results = await Promise.all(Array.from({ length: 1_000 }, () => deliver(termination())));
    expect(results.filter(({ result }) => result === "opened")).to.have.length(1);
    expect(new Set(results.map((taken) => ("requestId" in taken ? taken.requestId : "")))).to.deep.equal(
      new Set([EVENT_ID]),
    );
    await run(EVENT_ID);
    expect(state.calls).to.have.length(1);
    const ids = Array.from({ length: 200 }, (_, n) => eventId(n));
    await Promise.all(ids.map((id, n) => deliver(termination(1_000 + n, id))));
    expect(await table.listOpen()).to.have.length(200);
    for (const id of ids) expect((await run(id)).state).to.equal("done");
    expect(state.calls).to.have.length(201);
    // A replay after the end does nothing either.
    expect(await deliver(termination())).to.deep.equal({ result: "again", requestId: EVENT_ID });
    expect(state.calls).to.have.length(201);
  });

  it("has one open request for an operation, whoever asks", async () => {
    const { deliver } = world();
    await deliver(termination(1, eventId(1)));
    expect(await deliver(termination(1, eventId(2)))).to.deep.equal({
      result: "duplicate",
      requestId: eventId(1),
    });
  });

  it("does not carry out what has changed since it was approved", async () => {
    const { deliver, run, state, everybodyAgrees } = world();
    await deliver(termination());
    const request = await run(EVENT_ID, async (id) => {
      await everybodyAgrees(id);
      state.changed = true;
    });
    expect(request).to.include({ state: "failed", failure: "changed" });
    expect(state.calls).to.deep.equal([]);
  });

  it("never repeats a call whose outcome is not known, and alarms", async () => {
    const { deliver, run, state } = world({ outcome: { outcome: "unknown", error: "TimeoutError" } });
    await deliver(termination());
    expect(await run(EVENT_ID)).to.include({ state: "failed", failure: "outcomeUnknown" });
    expect(state.calls).to.have.length(1);
    expect(state.alerts).to.deep.equal(["Approved call with an unknown outcome"]);
    expect([...state.roles]).to.deep.equal([]);
  });

  it("takes a snapshot first, waits for it, and stops when it fails", async () => {
    for (const end of ["done", "failed"] as const) {
      let looks = 0;
      const { deliver, run, state } = world({
        snapshots: {
          supports: () => true,
          proceed: async () =>
            ++looks < 3
              ? { progress: "running", ids: ["snap-1"] }
              : end === "done"
                ? { progress: "done", ids: ["snap-1"] }
                : { progress: "failed", ids: ["snap-1"], why: "error" },
        },
      });
      await deliver(termination());
      const request = await run(EVENT_ID);
      expect(request.state).to.equal(end);
      expect(looks).to.equal(3);
      expect(state.calls).to.have.length(end === "done" ? 1 : 0);
    }
  });

  it("alarms at an emergency bypass, which is still carried out exactly and recorded", async () => {
    const { deliver, run, state, act, audit } = world();
    await deliver(termination());
    await run(EVENT_ID, (id) => act(id, "erin", "bypass"));
    expect(state.alerts).to.include("Emergency bypass of approval used");
    expect(state.calls).to.have.length(1);
    const entry = (await audit.ofRequest(EVENT_ID)).find(({ what }) => what === "bypass");
    expect(entry).to.deep.include({
      reason: "the house is on fire",
      before: "requested",
      after: "verifying",
    });
  });

  it("sends the operator a form, or the reason why not, once", async () => {
    const { deliver, state } = world();
    const bare = denied("rds", "DeleteDBCluster", null);
    expect((await deliver(bare)).result).to.equal("formSent");
    await deliver(bare);
    expect(state.told).to.deep.equal([`form ${EVENT_ID}`]);
    const refused = denied("ec2", "DeleteSubnet", { subnetId: "*" }, { eventID: eventId(7) });
    expect((await deliver(refused)).result).to.equal("refused");
    await deliver(refused);
    expect(state.told).to.have.length(2);
  });

  it("asks in which units an account is for rules that look at them, and not otherwise", async () => {
    const asked: string[] = [];
    const units = (account: string) => {
      asked.push(account);
      return ["ou-ab12-34567890"];
    };
    await world({ units }).deliver(termination());
    expect(asked).to.deep.equal([]);
    const [rule] = DIRECTORY.rules;
    const [threshold] = rule!.thresholds;
    const ofUnit = {
      name: "of the unit",
      when: { units: ["ou-ab12-34567890"] },
      thresholds: [{ ...threshold!, name: "unit" }],
    };
    const made = world({ units, directory: { ...DIRECTORY, rules: [ofUnit, rule] } });
    await made.deliver(termination());
    expect(asked).to.deep.equal(["111122223333"]);
    expect((await made.table.readDetails(EVENT_ID))!.risk.name).to.equal("unit");
  });

  it("opens by hand what the catalogue knows, and nothing else", async () => {
    const { parts, directory, run } = world();
    const alice = directory.person("alice")!;
    const typed = {
      requestId: eventId(3),
      service: "ec2",
      api: "TerminateInstances",
      input: { InstanceIds: [instance(3)] },
      account: "111122223333",
      region: "us-east-1",
      reason: "no longer needed",
    };
    const wrong = await openByHand(parts, { ...typed, input: { InstanceIds: ["*"] } }, alice, {
      name: "alice",
    });
    expect(wrong).to.have.property("refused").that.includes("InstanceIds");
    expect(
      await openByHand(parts, { ...typed, api: "RunInstances" }, alice, { name: "alice" }),
    ).to.have.property("refused");
    expect(await openByHand(parts, typed, alice, { name: "alice" })).to.have.property("opened", true);
    expect((await run(typed.requestId)).state).to.equal("done");
  });
});

describe("a crash of the engine at any call of any port", () => {
  for (const when of ["before", "after"] as const) {
    it(`leaves one call at most and no access behind (${when} the call)`, async () => {
      let reached = 0;
      for (let at = 1; ; at++) {
        const crasher = new Crasher(at, when);
        const { deliver, run, state, table, parts, audit } = world({ crasher });
        await deliver(termination());
        const request = await run(EVENT_ID);
        if (!crasher.reached) break;
        reached = at;
        const place = `crash ${when} call ${at}`;
        expect(state.calls.length, place).to.be.at.most(1);
        expect(isFinal(request.state), place).to.equal(true);
        if (request.state === "done") expect(state.calls, place).to.have.length(1);
        // What was begun and not answered is never called done, nor repeated.
        if (state.calls.length === 1 && request.state !== "done") {
          expect(request.failure, place).to.equal("outcomeUnknown");
        }
        for (const call of state.calls) expect(call.end - call.at, place).to.be.at.most(120_000);
        // Whatever is left over of access is found from the audit.
        crasher.begin();
        state.now += 3_600_000;
        await sweep({
          ...parts,
          step: (id) => step(parts, id),
          roles: {
            audit,
            async sweep() {
              const left = [...state.roles];
              state.roles.clear();
              return left;
            },
          },
        });
        expect([...state.roles], place).to.deep.equal([]);
        expect(await table.listOpen(), place).to.deep.equal([]);
      }
      expect(reached).to.be.greaterThan(50);
    }).timeout(30_000);
  }

  it("is survived however often and in whatever order machines, sweeps and people act", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            deed: fc.constantFrom(
              "step",
              "work",
              "work",
              "sweep",
              "alice",
              "bob",
              "carol",
              "deny",
              "cancel",
              "time",
            ),
            crash: fc.option(fc.record({ after: fc.integer({ min: 1, max: 12 }), late: fc.boolean() })),
          }),
          { minLength: 10, maxLength: 60 },
        ),
        async (deeds) => {
          const { deliver, parts, state, act } = world();
          await deliver(termination());
          const running: Promise<unknown>[] = [];
          for (const { deed, crash } of deeds) {
            const crasher = new Crasher(crash?.after, crash?.late ? "after" : "before");
            const own = Object.fromEntries(
              Object.entries(parts).map(([name, port]) => [
                name,
                typeof port === "object" && !["settings", "log", "past"].includes(name)
                  ? crasher.wrap(port as object)
                  : port,
              ]),
            ) as unknown as typeof parts;
            const doing = async () => {
              switch (deed) {
                case "step":
                  return step(own, EVENT_ID);
                case "work":
                  return work(own, EVENT_ID);
                case "sweep":
                  return sweep({ ...own, step: (id) => step(own, id) });
                case "alice":
                  await act(EVENT_ID, "alice", "confirm");
                  return act(EVENT_ID, "alice", "finallyConfirm");
                case "bob":
                case "carol":
                  return act(EVENT_ID, deed, "approve");
                case "deny":
                  return act(EVENT_ID, "dave", "deny");
                case "cancel":
                  return act(EVENT_ID, "alice", "cancel");
                default:
                  state.now += 100_000;
                  return undefined;
              }
            };
            // Not awaited: they overlap.
            running.push(
              doing().catch((error: unknown) => {
                if (!(error instanceof Crash)) throw error;
              }),
            );
            if (running.length % 3 === 0) await Promise.all(running);
          }
          await Promise.all(running);
          expect(state.calls.length).to.be.at.most(1);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  }).timeout(60_000);
});

describe("callbacks of the state machine", () => {
  it("let a wait end at once when the request changed before the token was kept", async () => {
    const { deliver, parts, act, state } = world();
    await deliver(termination());
    const { version } = await step(parts, EVENT_ID);
    await act(EVENT_ID, "alice", "confirm");
    await beginToWait(parts, { requestId: EVENT_ID, version, token: "token-1" });
    expect(state.woken).to.deep.equal(["token-1"]);
  });

  it("let a wait end when the request changes after it, and only then", async () => {
    const { deliver, parts, act, state } = world();
    await deliver(termination());
    const { version } = await step(parts, EVENT_ID);
    await beginToWait(parts, { requestId: EVENT_ID, version, token: "token-1" });
    await changed(parts, EVENT_ID);
    expect(state.woken).to.deep.equal([]);
    await act(EVENT_ID, "alice", "confirm");
    await changed(parts, EVENT_ID);
    expect(state.woken).to.deep.equal(["token-1"]);
  });
});

describe("two cells", () => {
  const answer = (allowed: boolean, final = false): FenceAnswer =>
    allowed ? { allowed } : { allowed: false, why: "the other cell has opened it anew", final };
  const fence = (open: boolean, execute: FenceAnswer) => ({
    mayTakeIn: async () => answer(open),
    mayOpen: async () => answer(open),
    mayExecute: async () => execute,
  });

  it("take in no call that is the other one's", async () => {
    const { deliver, table } = world({ fence: fence(false, answer(false)) });
    expect((await deliver(termination())).result).to.equal("standby");
    expect(await table.listOpen()).to.deep.equal([]);
  });

  it("do not carry out what the other has opened anew, and wait while the other cannot be asked", async () => {
    const anew = world({ fence: fence(true, answer(false, true)) });
    await anew.deliver(termination());
    expect(await anew.run(EVENT_ID)).to.include({ state: "failed", failure: "notVerified" });
    const waiting = world({ fence: fence(true, answer(false)) });
    await waiting.deliver(termination());
    expect(await waiting.run(EVENT_ID)).to.include({ state: "failed", failure: "notVerified" });
    for (const { state } of [anew, waiting]) expect(state.calls).to.deep.equal([]);
  });

  it("open a lost cell's request anew, with every confirmation anew, once, and say what is not known", async () => {
    const lost = world();
    await lost.deliver(termination());
    await lost.everybodyAgrees(EVENT_ID);
    await lost.everybodyAgrees(EVENT_ID);
    const peer: PeerRequests = {
      cell: "prod",
      read: async (id) => {
        const request = await lost.table.read(id);
        return request && { ...request, state: "executing" };
      },
      readDetails: (id) => lost.table.readDetails(id),
      listOpen: () => lost.table.listOpen(),
      readReopening: async () => undefined,
    };
    const { parts, directory, table, run, state, audit } = world({ peer });
    const by = directory.person("carol")!;
    const first = await reopen(parts, { requestId: EVENT_ID, by, newRequestId: eventId(9) });
    expect(first).to.have.property("opened", true);
    const again = await reopen(parts, { requestId: EVENT_ID, by, newRequestId: eventId(10) });
    expect(again).to.deep.include({ opened: false, again: true });
    const request = (await table.read(eventId(9)))!;
    expect(request).to.deep.include({ state: "requested", approvals: [] });
    const details = (await table.readDetails(eventId(9)))!;
    expect(details.preview.find(({ label }) => label === "Carried out before?")?.value).to.match(
      /^NOT KNOWN/,
    );
    expect((await audit.ofRequest(eventId(9))).map(({ what }) => what)).to.include("reopened");
    expect((await run(eventId(9))).state).to.equal("done");
    expect(state.calls).to.have.length(1);
    expect(lost.state.calls).to.deep.equal([]);
  });

  it("open nothing anew that has ended, is unknown, or while this cell is on standby", async () => {
    const lost = world();
    await lost.deliver(termination());
    await lost.act(EVENT_ID, "alice", "cancel");
    const peer: PeerRequests = {
      cell: "prod",
      read: (id) => lost.table.read(id),
      readDetails: (id) => lost.table.readDetails(id),
      listOpen: () => lost.table.listOpen(),
      readReopening: async () => undefined,
    };
    const { parts, directory } = world({ peer });
    const by = directory.person("carol")!;
    const refusal = async (requestId: string, more = parts) => {
      const opened = await reopen(more, { requestId, by, newRequestId: eventId(9) });
      return "refused" in opened ? opened.refused : "";
    };
    expect(await refusal(EVENT_ID)).to.include("cancelled");
    expect(await refusal(eventId(1))).to.include("has no request");
    expect(await refusal(EVENT_ID, { ...parts, fence: fence(false, answer(false)) })).to.include(
      "opened it anew",
    );
  });
});
