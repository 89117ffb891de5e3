import { expect } from "chai";
import * as fc from "fast-check";
import type { EvidenceRecord } from "../../../functions/breakGlass/records/record";
import { createUseHandler, TICK } from "../../../functions/breakGlass/use/handle";
import { InMemoryUseStore } from "../../../functions/breakGlass/use/inMemoryUseStore";
import { readUseSettings, USE_VARIABLE } from "../../../functions/breakGlass/use/settings";
import { TOLD_AT_ONCE } from "../../../functions/breakGlass/use/tracker";
import { makeNotice } from "../../../functions/shared/notice/notice";
import { fixture, wrapped } from "./fixtures";
import { CONTEXT, MINUTE, START, tampering, told, UseWorld, userCall, userSignIn } from "./useWorld";

const USERS = ["breakglass-admin-1", "breakglass-admin-2"];

describe("use of emergency users", () => {
  describe("is told", () => {
    it("once at the beginning, in digests while it goes on, and in a report at its end", async () => {
      const world = new UseWorld();
      await world.deliver(userCall("A"));
      expect(world.kinds()).to.deep.equal(["0 opening"]);
      for (let minute = 0; minute < 20; minute++) {
        await world.deliver(userCall(`B${minute}`));
        await world.pass(1);
      }
      await world.pass(90);
      // The second digest has what came after the first, as soon as its time has come; nothing follows the report.
      expect(world.kinds()).to.deep.equal(["0 opening", "16 digest", "32 digest", "50 closing"]);
      expect(told(world, "A", "digest")).to.equal(0);
      for (let minute = 0; minute < 20; minute++) {
        expect(told(world, `CallB${minute}`, "digest"), String(minute)).to.equal(1);
        expect(told(world, `CallB${minute}`, "closing"), String(minute)).to.equal(1);
      }
    });

    it("not a second time when the sign-in was told directly", async () => {
      const world = new UseWorld();
      await world.deliver(userSignIn(1, "CheckMfa", "Success"));
      await world.deliver(userSignIn(2, "ConsoleLogin", "Success"));
      await world.pass(10);
      expect(world.kinds()).to.deep.equal([]);
      await world.deliver(userCall(3));
      await world.pass(60);
      expect(world.kinds()).to.deep.equal(["16 digest", "41 closing"]);
    });

    it("when the second factor was asked for and no sign-in followed: somebody has the password", async () => {
      const world = new UseWorld();
      await world.deliver(userSignIn(1, "CheckMfa", "Success"));
      await world.pass(40);
      expect(world.kinds()).to.deep.equal(["2 opening", "31 closing"]);
      expect([...world.evidence.values()].map(({ kind }) => kind)).to.deep.equal(["useOpened", "useClosed"]);
    });

    it("at once when a switch of role is the first that a cell sees of it", async () => {
      const world = new UseWorld();
      await world.deliver(fixture("switchRole"));
      expect(world.kinds()).to.deep.equal(["0 opening"]);
    });

    it("as over with nobody inside when sign-ins failed; then no password was used", async () => {
      const world = new UseWorld();
      for (let n = 0; n < 5; n++) await world.deliver(userSignIn(n, "ConsoleLogin", "Failure"));
      await world.pass(60);
      expect(world.kinds()).to.deep.equal(["31 closing"]);
      expect(world.sent[0]!.notice.title).to.equal(
        "Emergency user breakglass-admin-1: nobody got in, 5 sign-in(s) failed",
      );
      expect([...world.evidence]).to.deep.equal([]);
    });

    it("of each user apart, sessions of roles included", async () => {
      const world = new UseWorld();
      await world.deliver(userCall(1, USERS[0]));
      await world.deliver(wrapped(fixture("roleSession")));
      await world.deliver(userCall(2, USERS[1]));
      await world.pass(60);
      expect(world.kinds()).to.deep.equal([
        "0 opening",
        "0 opening",
        "16 digest",
        "31 closing",
        "31 closing",
      ]);
      expect(told(world, "DeleteDBInstance", "closing")).to.equal(1);
      expect(
        world.sent.find(({ notice }) => notice.text?.includes("DeleteDBInstance"))!.notice.title,
      ).to.include(USERS[0]);
    });

    it("as another use after the report, an event that comes again not at all", async () => {
      const world = new UseWorld();
      const event = userCall(1);
      await world.deliver(event);
      await world.deliver(event);
      await world.pass(60);
      await world.deliver(event);
      await world.pass(60);
      expect(world.kinds()).to.deep.equal(["0 opening", "31 closing"]);
      await world.deliver(userCall(2));
      await world.pass(60);
      expect(world.kinds().slice(2)).to.deep.equal(["120 opening", "151 closing"]);
    });

    it("with the events' own times, however late and in whatever order they come", async () => {
      const world = new UseWorld();
      const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();
      await world.deliver(userCall(1, USERS[0], { eventTime: at(0) }));
      await world.deliver(userCall(2, USERS[0], { eventTime: at(-90) }));
      await world.pass(60);
      const [report] = world.sent.filter(({ kind }) => kind === "closing");
      expect(report!.notice.lines).to.deep.include({ label: "From", value: at(-90) });
      const closed = [...world.evidence.values()].find(({ kind }) => kind === "useClosed");
      expect(closed).to.include({ startedAt: at(-90), endedAt: at(0), events: 2 });
    });

    it("nothing of what is quiet", async () => {
      const world = new UseWorld();
      expect(await world.tracker.onEvent(fixture("otherUserSignIn"))).to.equal("quiet");
      expect(await world.tracker.onEvent(undefined)).to.equal("quiet");
      expect(world.calls).to.equal(0);
    });
  });

  describe("report", () => {
    it("says who, when, from where and what, changes first, and what has to be done", async () => {
      const world = new UseWorld();
      const names = [
        "signInWithMfa",
        "callRead",
        "callDenied",
        "assumeRoleByConsole",
        "roleSession",
        "throughCloudFormation",
        "callChange",
      ];
      for (const name of names) await world.deliver(wrapped(fixture(name)));
      await world.pass(31);
      const notice = makeNotice(world.sent.find(({ kind }) => kind === "closing")!.notice);
      const facts = Object.fromEntries(notice.lines.map(({ label, value }) => [label, value]));
      expect(notice.title).to.equal(
        "Use of emergency user breakglass-admin-1 is over: 3 changes, 3 reading calls, 1 sign-in, 1 denied",
      );
      expect(facts).to.include({
        User: "breakglass-admin-1",
        MFA: "NO in 2 event(s), yes in 5",
        "From address": "192.0.2.17, AWS Internal, cloudformation.amazonaws.com",
        Accounts: "222222222222, 333333333333",
        "Roles switched into": "arn:aws:iam::333333333333:role/OrganizationAccountAccessRole",
        "Acted through": "cloudformation.amazonaws.com",
        Denied: "1",
        "Sign-ins": "1 succeeded, 0 failed",
        Events: "7",
      });
      expect(notice.text).to.match(/bulkhead break-glass rotate --user breakglass-admin-1/);
      const order = [
        "Changes:",
        "s3 CreateBucket",
        "rds DeleteDBInstance",
        "Sign-ins",
        "Only read:",
        "iam ListUsers (1 denied)",
      ];
      const places = order.map((part) => notice.text.indexOf(part));
      expect(
        places.every((place) => place >= 0),
        notice.text,
      ).to.equal(true);
      expect(notice.text).to.include("- 1 x s3 CreateBucket in us-west-2: bucketName=x-222222222222");
      expect(notice.text).to.include("- 2 x iam ListUsers (1 denied) in us-east-1");
      expect(notice.links[0]).to.deep.equal({
        title: "Runbook",
        url: "https://runbooks.example.com/break-glass",
      });
    });

    it("stays readable for thousands of calls", async () => {
      const world = new UseWorld();
      for (let n = 0; n < 1_500; n++) await world.deliver(userCall(n));
      await world.pass(31);
      const { text } = makeNotice(world.sent.at(-1)!.notice);
      expect(text).to.include("And 1380 more kinds of calls: see the trail.");
      expect(text).not.to.match(/…$/);
    });

    it("holds no parameters but names of what was acted on", async () => {
      const world = new UseWorld();
      const secret = "correct horse battery staple";
      await world.deliver(
        userCall(1, USERS[0], {
          requestParameters: {
            userName: "anaya",
            password: secret,
            policyDocument: secret,
            clientToken: secret,
            tokenName: secret,
            secretString: secret,
            tags: [{ key: secret }],
          },
          responseElements: { accessKey: { secretAccessKey: secret } },
        }),
      );
      await world.pass(31);
      expect(JSON.stringify(world.sent)).to.include("userName=anaya");
      expect(JSON.stringify(world.sent)).not.to.include(secret);
    });
  });

  describe("tampering", () => {
    it("is told at once, each; many in a window are told together at its end", async () => {
      const world = new UseWorld();
      for (let n = 0; n < 10; n++) await world.deliver(tampering(n));
      expect(world.kinds()).to.deep.equal(Array(TOLD_AT_ONCE).fill("0 tampering"));
      await world.deliver(tampering(0));
      await world.pass(60);
      expect(world.kinds().slice(TOLD_AT_ONCE)).to.deep.equal(["16 tamperings"]);
      for (let n = 0; n < 10; n++)
        expect(told(world, `Tamper${n}`, "tampering", "tamperings"), String(n)).to.equal(1);
      await world.deliver(tampering("later"));
      expect(world.kinds().at(-1)).to.equal("60 tampering");
    });

    it("by an emergency user is use", async () => {
      const world = new UseWorld();
      await world.deliver(fixture("ownChange"));
      expect(world.kinds()).to.deep.equal(["0 opening"]);
    });
  });

  describe("evidence", () => {
    it("has the beginning and the end of each use", async () => {
      const world = new UseWorld();
      await world.deliver(userSignIn(1, "ConsoleLogin", "Failure"));
      await world.deliver(userCall(2));
      await world.pass(40);
      const [opened, closed] = [...world.evidence.values()];
      expect(opened).to.include({
        kind: "useOpened",
        userName: USERS[0],
        cell: "dr",
        firstCall: "Call2",
        region: "us-east-1",
      });
      expect(closed).to.include({ kind: "useClosed", userName: USERS[0], events: 2 });
      expect(world.evidence.size).to.equal(2);
    });

    it("is left by each cell, also when both see the event in the same millisecond", async () => {
      const records: EvidenceRecord[] = [];
      const event = userSignIn(1, "ConsoleLogin", "Success");
      for (const cell of ["prod", "dr"]) {
        const world = new UseWorld(new InMemoryUseStore(), {
          now: () => START,
          context: { ...CONTEXT, cell },
          recordEvidence: async (record) => void records.push(record),
        });
        await world.deliver(event);
      }
      expect(records.map((record) => "cell" in record && record.cell)).to.deep.equal(["prod", "dr"]);
      expect(new Set(records.map(({ id }) => id)).size).to.equal(2);
    });

    it("is left although nobody can be told", async () => {
      const world = new UseWorld(new InMemoryUseStore(), {
        publish: async () => {
          throw new Error("the topic is gone");
        },
      });
      const error = await world.deliver(userCall(1)).catch((thrown: Error) => thrown);
      expect((error as Error).message).to.equal("the topic is gone");
      expect([...world.evidence.values()].map(({ kind }) => kind)).to.deep.equal(["useOpened"]);
    });

    it("is made up for when the tables answer again, without a second report", async () => {
      const world = new UseWorld();
      world.isEvidenceLost = true;
      await world.deliver(userCall(1));
      await world.pass(50);
      expect([...world.evidence]).to.deep.equal([]);
      world.isEvidenceLost = false;
      await world.pass(3);
      expect([...world.evidence.values()].map(({ kind }) => kind)).to.deep.equal(["useOpened", "useClosed"]);
      expect(world.kinds()).to.deep.equal(["0 opening", "31 closing"]);
    });
  });

  describe("whatever comes, in simulated time", () => {
    const step = fc.record({
      /** Minutes that pass before. */
      wait: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 5) },
        { weight: 1, arbitrary: fc.constantFrom(14, 16, 29, 31, 70) },
      ),
      kind: fc.constantFrom("call", "call", "call", "login", "failed", "check", "again"),
      user: fc.constantFrom(...USERS),
      which: fc.nat(30),
    });

    it("people are told what, and when, the rules say", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
          // Never reached at a sweep exactly, so that the milliseconds in between do not matter.
          const times = { digest: DIGEST * MINUTE, idle: IDLE * MINUTE, signIn: MINUTE, claim: 55_000 };
          const world = new UseWorld(undefined, { times });
          const model = new Model();
          const events: ReturnType<typeof userCall>[] = [];
          const tick = async (minutes: number) => {
            for (let passed = 0; passed < minutes; passed++) {
              await world.pass(1);
              model.sweep(world.minute);
              // Half a minute later, so that nothing depends on which of two things at the same moment comes first.
              world.time += MINUTE / 2;
            }
          };
          await tick(1);
          for (const { wait, kind, user, which } of steps) {
            await tick(wait);
            if (kind === "again" && events.length > 0) {
              await world.deliver(events[which % events.length]);
              continue;
            }
            const id = events.length;
            const event =
              kind === "login" || kind === "failed"
                ? userSignIn(id, "ConsoleLogin", kind === "login" ? "Success" : "Failure", user)
                : kind === "check"
                  ? userSignIn(id, "CheckMfa", "Success", user)
                  : userCall(id, user);
            events.push(event);
            await world.deliver(event);
            model.event(world.minute, user, kind);
          }
          await tick(120);
          expect(world.kinds()).to.deep.equal(model.messages);
          const { sent } = world;
          await tick(60);
          expect(world.sent).to.deep.equal(sent);
          for (const { eventName } of events) {
            if (eventName.startsWith("Call"))
              expect(told(world, eventName, "closing"), eventName).to.equal(1);
          }
        }),
        { seed: 50, numRuns: 150 },
      );
    });

    it("nothing is lost, and nothing told twice, by processes that run at the same time", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.boolean(),
          fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }),
          async (scheduler, isOld, ids) => {
            const world = new UseWorld();
            if (isOld) {
              // A use that is over at the very moment that more comes in.
              await world.deliver(userCall("old"));
              await world.deliver(tampering("old"));
              world.time += 31 * MINUTE;
            }
            world.between = () => scheduler.schedule(Promise.resolve());
            const work = [
              world.tracker.sweep(),
              ...ids.map((id) => world.tracker.onEvent(userCall(id))),
              ...ids.map((id) => world.tracker.onEvent(tampering(`t${id}`))),
              world.tracker.sweep(),
            ];
            await scheduler.waitFor(Promise.all(work));
            world.between = async () => {};
            await world.pass(120);
            for (const id of new Set(ids)) {
              expect(told(world, `Call${id}`, "closing"), `Call${id}`).to.equal(1);
              expect(told(world, `Tampert${id}`, "tampering", "tamperings"), `Tamper${id}`).to.equal(1);
            }
            const count = (kind: string) => world.sent.filter((one) => one.kind === kind).length;
            expect(count("opening")).to.equal(count("closing"));
          },
        ),
        { seed: 51, numRuns: 400 },
      );
    });
  });

  describe("a process that stops before or after any call", () => {
    /** A use with a digest, two more users' events and tampering, told in full. */
    const story = async (world: UseWorld) => {
      await world.deliver(userSignIn("in", "CheckMfa", "Success"));
      for (const id of ["1", "2"]) await world.deliver(userCall(id));
      await world.deliver(userSignIn("in2", "ConsoleLogin", "Success", USERS[1]));
      await world.deliver(userCall("3", USERS[1]));
      for (let n = 0; n < 5; n++) await world.deliver(tampering(n));
      await world.pass(16);
      await world.deliver(userCall("4"));
      await world.pass(120);
    };
    const checkStory = (world: UseWorld, at: string) => {
      for (const id of ["1", "2", "3", "4"]) {
        const times = told(world, `Call${id}`, "closing");
        expect(times, `Call${id}, ${at}`).to.be.within(1, 2);
      }
      for (let n = 0; n < 5; n++) {
        expect(told(world, `Tamper${n}`, "tampering", "tamperings"), `Tamper${n}, ${at}`).to.be.within(1, 2);
      }
      expect(world.sent.filter(({ kind }) => kind === "opening").length, at).to.be.within(1, 2);
      const kinds = [...world.evidence.values()].map(
        ({ kind, ...record }) => `${kind} ${(record as { userName: string }).userName}`,
      );
      for (const user of USERS) {
        expect(kinds, at).to.include(`useOpened ${user}`);
        expect(kinds, at).to.include(`useClosed ${user}`);
      }
    };

    it("loses no event and no message, and at most one message is sent again", async function () {
      this.timeout(120_000);
      const calm = new UseWorld();
      await story(calm);
      checkStory(calm, "calm");
      const expected = calm.kinds().length;
      expect(calm.kinds().filter((kind) => kind.endsWith("opening"))).to.have.length(1);
      for (let at = 1; at <= calm.calls; at++) {
        for (const when of ["before", "after"] as const) {
          const world = new UseWorld();
          world.crash = { at, when };
          await story(world);
          checkStory(world, `${when} call ${at}`);
          expect(world.sent.length, `${when} call ${at}`).to.be.within(expected - 1, expected + 2);
        }
      }
    });
  });

  describe("a process that hangs before any call for longer than a use lasts", () => {
    for (const [what, event, kinds] of [
      ["use", userCall("slow"), ["closing"]],
      ["tampering", tampering("slow"), ["tampering", "tamperings"]],
    ] as const) {
      it(`loses no event of ${what}`, async () => {
        const calm = new UseWorld();
        await calm.deliver(event);
        const { calls } = calm;
        for (let at = 1; at <= calls; at++) {
          const world = new UseWorld();
          // There is a use already, which ends meanwhile.
          await world.deliver(userCall("before"));
          await world.deliver(tampering("before"));
          const hangsAt = world.calls + at;
          world.between = async () => {
            if (world.calls + 1 !== hangsAt) return;
            world.between = async () => {};
            await world.pass(60);
          };
          await world.deliver(event);
          await world.pass(120);
          expect(told(world, event.eventName, ...kinds), `call ${at}`).to.be.within(1, 2);
          const openings = world.sent.filter(({ kind }) => kind === "opening").length;
          expect(world.sent.filter(({ kind }) => kind === "closing").length, `call ${at}`).to.equal(openings);
        }
      });
    }
  });

  describe("function", () => {
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    it("sweeps on a tick and takes everything else for an event", async () => {
      const calls: unknown[] = [];
      const handler = createUseHandler({
        log,
        tracker: {
          sweep: async () => void calls.push("sweep"),
          onEvent: async (event) => {
            calls.push(event);
            return "quiet";
          },
        },
      });
      expect(await handler(JSON.parse(JSON.stringify(TICK)))).to.deep.equal({ did: "swept" });
      expect(await handler({ detail: 1 })).to.deep.equal({ did: "quiet" });
      expect(await handler(null)).to.deep.equal({ did: "quiet" });
      expect(calls).to.deep.equal(["sweep", { detail: 1 }, null]);
    });

    it("says which variable is wrong without what is in it", () => {
      for (const [value, code] of [
        ["", "missing-variable"],
        ["{", "use-settings"],
        ['{"cell":"s3cret"}', "use-settings"],
      ] as const) {
        expect(() => readUseSettings({ [USE_VARIABLE]: value }))
          .to.throw(USE_VARIABLE)
          .with.property("code", code);
      }
    });
  });
});

const DIGEST = 14.75;
const IDLE = 29.75;

/** What has to be told when, worked out from the rules alone: one process, no store. Times are in minutes; events come half a minute after a sweep. */
class Model {
  readonly messages: string[] = [];
  private readonly uses = new Map<string, ModelledUse>();

  event(minute: number, user: string, kind: string): void {
    const now = minute + 0.5;
    const isDirect = kind === "login" || kind === "failed";
    const before = this.uses.get(user);
    const use = before ?? {
      isTold: isDirect,
      isDue: kind === "check" ? now + 1 : now,
      lastSeen: now,
      lastTold: now,
      news: 0,
    };
    this.uses.set(user, use);
    if (before && isDirect && !use.isTold) {
      use.isTold = true;
      use.lastTold = now;
    }
    if (before && !isDirect) use.news += 1;
    use.lastSeen = now;
    this.open(now, use);
  }

  sweep(minute: number): void {
    const reports: string[] = [];
    for (const [user, use] of this.uses) {
      this.open(minute, use);
      if (minute - use.lastSeen >= IDLE) {
        this.uses.delete(user);
        reports.push(`${minute} closing`);
      } else if (use.news > 0 && minute - use.lastTold >= DIGEST) {
        this.messages.push(`${minute} digest`);
        use.news = 0;
        use.lastTold = minute;
      }
    }
    // Reports come after everything else of a sweep.
    this.messages.push(...reports);
  }

  private open(now: number, use: ModelledUse): void {
    if (use.isTold || use.isDue > now) return;
    this.messages.push(`${Math.floor(now)} opening`);
    use.isTold = true;
    use.lastTold = now;
  }
}

interface ModelledUse {
  isTold: boolean;
  isDue: number;
  lastSeen: number;
  lastTold: number;
  /** Events that are part of no message yet. */
  news: number;
}
