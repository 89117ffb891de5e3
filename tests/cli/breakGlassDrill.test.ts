import { expect } from "chai";
import { InMemoryEvidenceStore } from "../../functions/breakGlass/records/inMemoryEvidenceStore";
import { type EvidenceOf, recordId } from "../../functions/breakGlass/records/record";
import { type EvidenceStore, EvidenceUnavailable } from "../../functions/breakGlass/records/store";
import {
  EXERCISE_STEPS,
  type ExerciseParts,
  type ExercisePlan,
  type ExerciseResult,
  holdExercise,
  looksSecret,
  type ReadinessSummary,
} from "../../functions/breakGlass/runbook/exercise";
import { exercisePage } from "../../functions/breakGlass/runbook/exerciseReport";
import { traceText, type UseTrace } from "../../functions/breakGlass/runbook/trace";
import type { Observation } from "../../functions/breakGlass/use/observation";

const START = Date.parse("2026-03-02T09:00:00.000Z");
const USER = "breakglass-admin-1";
const PLAN: ExercisePlan = {
  userName: USER,
  custodian: "alice@example.com",
  accountId: "222222222222",
  signIn: { region: "us-west-2", url: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2" },
  by: "arn:aws:iam::222222222222:role/ops",
  commands: { fetch: "bulkhead break-glass password", rotate: "bulkhead break-glass rotate" },
  patience: 30_000,
};
const READY: ReadinessSummary = { pass: 40, fail: 0, unknown: 0, failures: [] };

/** The answers of a good exercise, in order. */
const GOOD = ["Alice, Bob", "yes", "yes", "2222 2222 2222", "yes", "yes", ""];

class Stop extends Error {}

/** A cell whose table does not answer. */
const LOST: EvidenceStore = {
  append: async () => Promise.reject(new EvidenceUnavailable("no answer")),
  list: async () => Promise.reject(new EvidenceUnavailable("no answer")),
};

const use = (cell: string, at: string, userName = USER): EvidenceOf<"useOpened"> => ({
  kind: "useOpened",
  id: recordId(at, `${cell}-${userName}`),
  at,
  by: `bulkhead-breakglass-use-${cell}`,
  userName,
  useId: `${cell}-use`,
  cell,
  firstCall: "ConsoleLogin",
  region: "us-west-2",
});
const rotation = (
  at: string,
  state: "prepared" | "effective" = "effective",
  userName = USER,
): EvidenceOf<"passwordIssued"> => ({
  kind: "passwordIssued",
  id: recordId(at, state),
  at,
  by: PLAN.by,
  userName,
  rotationId: "r1",
  state,
  custodian: "alice@example.com",
  keyFingerprint: "A".repeat(40),
  ciphertext: "-----BEGIN PGP MESSAGE-----",
  cause: "rotation",
});
const LATER = "2026-03-02T09:05:00.000Z";
const SEEN = [use("prod", LATER), use("dr", LATER)];

interface Setting {
  answers?: (string | Error)[];
  prod?: EvidenceStore;
  dr?: EvidenceStore;
  readiness?: () => Promise<ReadinessSummary>;
  signIn?: ExercisePlan["signIn"];
  trace?: (cell: string) => Promise<string>;
  /** Called before each pause: something may happen meanwhile. */
  meanwhile?: (stores: { prod: EvidenceStore; dr: EvidenceStore }) => Promise<void>;
  pause?: () => void;
}

async function hold(
  setting: Setting,
): Promise<{ result: ExerciseResult; said: string; stores: EvidenceStore[] }> {
  const prod = setting.prod ?? new InMemoryEvidenceStore(...SEEN, rotation(LATER));
  const dr = setting.dr ?? new InMemoryEvidenceStore(...SEEN);
  const answers = [...(setting.answers ?? GOOD)];
  const said: string[] = [];
  let time = START;
  const parts: ExerciseParts = {
    ask: async (question) => {
      said.push(question);
      time += 60_000;
      const answer = answers.shift();
      if (answer === undefined) throw new Stop("standard input has ended");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    say: (text) => said.push(text),
    now: () => new Date(time),
    pause: async (milliseconds) => {
      setting.pause?.();
      await setting.meanwhile?.({ prod, dr });
      time += milliseconds;
    },
    isStop: (error) => error instanceof Stop,
    readiness: setting.readiness ?? (async () => READY),
    trace: setting.trace ?? (async () => "no event arrived"),
    sides: [
      { cell: "prod", region: "us-east-1", store: prod },
      { cell: "dr", region: "us-west-2", store: dr },
    ],
    newId: () => "drill-1",
  };
  const result = await holdExercise({ ...PLAN, signIn: setting.signIn ?? PLAN.signIn }, parts);
  expect(answers, "answers that nobody asked for").to.deep.equal([]);
  return { result, said: said.join("\n"), stores: [prod, dr] };
}

const outcomes = ({ steps }: ExerciseResult) => steps.map(({ outcome }) => outcome);
/** The outcomes of a good exercise with another one at a place. */
const but = (index: number, outcome: "failed" | "skipped") =>
  EXERCISE_STEPS.map((_, step) => (step === index ? outcome : "passed"));

describe("bulkhead break-glass drill", () => {
  it("passes when every step comes off, and records it in both cells", async () => {
    const { result, stores, said } = await hold({});
    expect(result.outcome).to.equal("passed");
    expect(outcomes(result)).to.deep.equal(EXERCISE_STEPS.map(() => "passed"));
    expect(result.participants).to.deep.equal(["Alice", "Bob"]);
    expect(result.recorded.map(({ recorded }) => recorded)).to.deep.equal([true, true]);
    for (const store of stores) {
      const [record, ...others] = await store.list("drillHeld");
      expect(others).to.deep.equal([]);
      expect(record).to.include({ userName: USER, region: "us-west-2", outcome: "passed", by: PLAN.by });
      expect(record?.startedAt).to.equal("2026-03-02T09:00:00.000Z");
      expect(record?.steps.map(({ name }) => name)).to.deep.equal([...EXERCISE_STEPS]);
      expect(record?.steps[5]?.evidence).to.equal(
        `prod: ConsoleLogin at ${LATER}; dr: ConsoleLogin at ${LATER}`,
      );
    }
    expect(said).to.include(PLAN.signIn.url);
    expect(said).to.include("bulkhead break-glass rotate");
  });

  it("warns of the security key only where there are any (fact 12)", async () => {
    const signIn = { region: "cn-northwest-1", url: "https://222222222222.signin.amazonaws.cn/console" };
    expect((await hold({})).said).to.include("TOTP code, not with the security key, in");
    expect((await hold({ signIn })).said).to.include("with password and TOTP code, in a private window");
  });

  it("passes although a requirement could not be told, and says so", async () => {
    const { result } = await hold({ readiness: async () => ({ ...READY, unknown: 2 }) });
    expect(result.outcome).to.equal("passed");
    expect(result.steps[1]?.evidence).to.include("2 could not be told");
  });

  it("takes what is new, however this machine's clock differs from AWS's", async () => {
    const earlier = "2026-03-02T08:58:00.000Z";
    const { result } = await hold({
      prod: new InMemoryEvidenceStore(use("prod", "2026-03-02T08:57:00.000Z")),
      dr: new InMemoryEvidenceStore(),
      meanwhile: async ({ prod }) => {
        for (const one of [use("prod", earlier), use("dr", earlier), rotation(earlier)])
          await prod.append(one);
      },
    });
    expect(result.outcome).to.equal("passed");
    expect(result.steps[5]?.evidence).to.equal(
      `prod: ConsoleLogin at ${earlier}; dr: ConsoleLogin at ${earlier}`,
    );
  });

  it("says of each cell that noticed nothing what it knows", async () => {
    const { result } = await hold({
      prod: new InMemoryEvidenceStore(use("prod", LATER), rotation(LATER)),
      dr: new InMemoryEvidenceStore(),
      trace: async (cell) => `what ${cell} knows`,
    });
    expect(result.steps[5]).to.include({
      outcome: "failed",
      evidence: `prod: ConsoleLogin at ${LATER}; not noticed by dr (what dr knows)`,
    });
  });

  it("waits for what the cells have yet to notice", async () => {
    let rounds = 0;
    const { result } = await hold({
      prod: new InMemoryEvidenceStore(rotation(LATER)),
      dr: new InMemoryEvidenceStore(),
      meanwhile: async ({ prod }) => {
        rounds++;
        if (rounds === 2) for (const one of SEEN) await prod.append(one);
      },
    });
    expect(rounds).to.equal(2);
    expect(result.outcome).to.equal("passed");
  });

  for (const [what, setting, step, evidence] of [
    ["one person alone", { answers: ["Alice", ...GOOD.slice(1)] }, 0, "Only Alice: nobody signs in alone"],
    ["the same person twice", { answers: ["Alice, ALICE ,", ...GOOD.slice(1)] }, 0, "nobody signs in alone"],
    ["nobody", { answers: ["", ...GOOD.slice(1)] }, 0, "Nobody was named"],
    [
      "a requirement that is not met",
      { readiness: async () => ({ pass: 39, fail: 1, unknown: 0, failures: ["no TOTP device"] }) },
      1,
      "39 requirements are met, 1 are not, 0 could not be told: no TOTP device",
    ],
    [
      "nothing that could be told",
      { readiness: async () => ({ ...READY, pass: 0, unknown: 40 }) },
      1,
      "40 could not be told",
    ],
    [
      "a check that fails",
      { readiness: async () => Promise.reject(new Error("no credentials")) },
      1,
      "no credentials",
    ],
    [
      "a password that does not open",
      { answers: [GOOD[0]!, "maybe", "no", "the token was locked", ...GOOD.slice(2)] },
      2,
      "the token was locked",
    ],
    [
      "another account",
      { answers: GOOD.map((answer, index) => (index === 3 ? "333333333333" : answer)) },
      4,
      "but account 333333333333",
    ],
    [
      "a cell that did not notice",
      {
        prod: new InMemoryEvidenceStore(use("prod", LATER), rotation(LATER)),
        dr: new InMemoryEvidenceStore(),
      },
      5,
      `prod: ConsoleLogin at ${LATER}; not noticed by dr (no event arrived)`,
    ],
    [
      "a use before the exercise",
      {
        prod: new InMemoryEvidenceStore(
          use("prod", "2026-03-02T08:59:59.000Z"),
          use("dr", "2026-03-02T08:59:59.000Z"),
          rotation(LATER),
        ),
        dr: new InMemoryEvidenceStore(),
      },
      5,
      "no cell recorded the use; not noticed by prod (no event arrived), dr (no event arrived)",
    ],
    [
      "a use of another user",
      {
        prod: new InMemoryEvidenceStore(
          use("prod", LATER, "breakglass-admin-2"),
          use("dr", LATER),
          rotation(LATER),
        ),
        dr: new InMemoryEvidenceStore(),
      },
      5,
      "not noticed by prod",
    ],
    [
      "a password that was only prepared",
      { prod: new InMemoryEvidenceStore(...SEEN, rotation(LATER, "prepared")) },
      8,
      "No new password was recorded",
    ],
    [
      "another user's password",
      { prod: new InMemoryEvidenceStore(...SEEN, rotation(LATER, "effective", "breakglass-admin-2")) },
      8,
      "No new password was recorded",
    ],
  ] as [string, Setting, number, string][]) {
    it(`fails with ${what}, and goes on to the end`, async () => {
      const { result } = await hold(setting);
      expect(result.outcome).to.equal("failed");
      expect(outcomes(result)).to.deep.equal(but(step, "failed"));
      expect(result.steps[step]?.evidence).to.include(evidence);
    });
  }

  for (const [place, step] of [
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 6],
    [5, 7],
    [6, 8],
  ] as const) {
    it(`fails when "${EXERCISE_STEPS[step]}" is left out, and says so`, async () => {
      const { result } = await hold({
        answers: GOOD.map((answer, index) => (index === place ? "skip" : answer)),
      });
      expect(result.outcome).to.equal("failed");
      expect(outcomes(result)).to.deep.equal(but(step, "skipped"));
    });
  }

  it("records what was done until it was stopped, as aborted, after any question", async () => {
    for (let answered = 0; answered < GOOD.length; answered++) {
      const { result, stores } = await hold({ answers: [...GOOD.slice(0, answered), new Stop("Stopped.")] });
      expect(result.outcome, `after ${answered} answers`).to.equal("aborted");
      expect(result.steps).to.have.length(EXERCISE_STEPS.length);
      for (const store of stores) {
        const [record] = await store.list("drillHeld");
        expect(record?.outcome).to.equal("aborted");
        expect(record?.steps.at(-1)?.outcome).to.equal("skipped");
      }
    }
  });

  it("can be stopped while it waits for the cells", async () => {
    const { result } = await hold({
      answers: GOOD.slice(0, 4),
      prod: new InMemoryEvidenceStore(),
      dr: new InMemoryEvidenceStore(),
      pause: () => {
        throw new Stop("Stopped.");
      },
    });
    expect(result.outcome).to.equal("aborted");
    expect(outcomes(result).slice(0, 6)).to.deep.equal([
      "passed",
      "passed",
      "passed",
      "passed",
      "passed",
      "skipped",
    ]);
  });

  it("takes the end of the answers for a stop", async () => {
    expect((await hold({ answers: ["Alice, Bob"] })).result.outcome).to.equal("aborted");
  });

  it("does not hide a fault of its own, but records first", async () => {
    const prod = new InMemoryEvidenceStore();
    const error = await hold({ prod, answers: [new TypeError("a fault")] }).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(TypeError);
    expect((await prod.list("drillHeld")).map(({ outcome }) => outcome)).to.deep.equal(["aborted"]);
  });

  describe("with a cell that does not answer", () => {
    it("reads and records in the other, and says which is silent", async () => {
      const { result, stores } = await hold({ dr: LOST });
      // The records of the cell that answers hold what both noticed: each writes to both.
      expect(result.outcome).to.equal("passed");
      expect(result.recorded.map(({ cell, recorded }) => [cell, recorded])).to.deep.equal([
        ["prod", true],
        ["dr", false],
      ]);
      expect(await stores[0]!.list("drillHeld")).to.have.length(1);
      const silent = await hold({
        prod: new InMemoryEvidenceStore(use("prod", LATER), rotation(LATER)),
        dr: LOST,
      });
      expect(silent.result.steps[5]?.evidence).to.include(
        "not noticed by dr (no event arrived); dr does not answer",
      );
    });

    it("has failed when neither answers, and keeps the report", async () => {
      const { result } = await hold({ prod: LOST, dr: LOST });
      expect(result.outcome).to.equal("failed");
      expect(result.recorded).to.deep.equal([]);
      expect(result.recordError).to.include("nothing was recorded");
      expect(exercisePage(result)).to.include("NOT recorded: nothing was recorded");
    });
  });

  describe("secrets", () => {
    const PASSWORD = "xK9$mQ2!vR7@pL4#wT8&zN5*";

    it("are not kept when somebody types one: the question is asked again", async () => {
      const answers = [PASSWORD, GOOD[0]!, "no", PASSWORD, "it did not open", ...GOOD.slice(2)];
      const { result, said, stores } = await hold({ answers });
      expect(said).to.include("looks like a password");
      const kept = JSON.stringify([result, await stores[0]!.list("drillHeld")]) + exercisePage(result) + said;
      expect(kept).not.to.include(PASSWORD);
    });

    it("are not kept in place of an account id, whatever they look like", async () => {
      const { result } = await hold({
        answers: GOOD.map((answer, index) => (index === 3 ? "hunter2" : answer)),
      });
      expect(JSON.stringify(result)).not.to.include("hunter2");
      expect(result.steps[4]?.evidence).to.equal("What was typed is not 222222222222");
    });

    it("are told from names, addresses, ARNs and times", () => {
      for (const plain of [
        "Alice",
        "alice.with.a.long.name+x@example.com,",
        "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1",
        "https://222222222222.signin.aws.amazon.com/console?region=us-west-2",
        "2026-03-02T09:00:00.000Z",
        "the token of the custodian was locked after three attempts",
      ])
        expect(looksSecret(plain), plain).to.equal(false);
      expect(looksSecret(`it was ${PASSWORD} I think`)).to.equal(true);
    });
  });

  describe("what a cell knows of a use that it has not noticed", () => {
    const first = { call: "ConsoleLogin", time: LATER } as Observation;
    const quiet: UseTrace = { use: undefined, runs: { all: 3, failed: 0 }, waiting: { "a-queue": 0 } };
    const of = (more: Partial<UseTrace>) => traceText({ ...quiet, ...more }, "2026-03-02T09:00:00.000Z");
    for (const [what, trace, text] of [
      [
        "that nothing arrived",
        {},
        "no event of this user arrived, or its use is over already; its function ran 3 times, 0 failed; dead letters: 0 in a-queue",
      ],
      [
        "that it failed",
        { runs: { all: 3, failed: 3 }, waiting: { "a-queue": 1 } },
        "ran 3 times, 3 failed; dead letters: 1 in a-queue",
      ],
      [
        "what it has not recorded",
        { use: { first, lastSeenAt: LATER, enteredRecorded: false } },
        `it saw ConsoleLogin at ${LATER}, and has not recorded it`,
      ],
      [
        "what hides it",
        {
          use: {
            first: { ...first, time: "2026-03-02T08:00:00.000Z" },
            lastSeenAt: LATER,
            enteredRecorded: true,
          },
        },
        "a use that began with ConsoleLogin at 2026-03-02T08:00:00.000Z goes on and hides a new one",
      ],
      [
        "that it came late",
        { use: { first, lastSeenAt: LATER, enteredRecorded: true } },
        "has recorded it meanwhile",
      ],
      [
        "what does not answer",
        {
          use: { unread: "TimeoutError" },
          runs: { unread: "AccessDenied" },
          waiting: { "a-queue": { unread: "QueueDoesNotExist" } },
        },
        "its table of uses: TimeoutError; runs of its function: AccessDenied; dead letters: a-queue: QueueDoesNotExist",
      ],
    ] as [string, Partial<UseTrace>, string][]) {
      it(`says ${what}`, () => expect(of(trace)).to.include(text));
    }
  });

  it("writes a report that needs nothing else and shows names as text", async () => {
    const { result } = await hold({ answers: ["<img src=x onerror=alert(1)>, Bob", ...GOOD.slice(1)] });
    const page = exercisePage(result);
    expect(page).to.include("&lt;img src=x");
    expect(page).not.to.match(/<img|<script|<link|@import|url\(/);
    expect(page).to.include("<strong>Passed.</strong>");
    for (const name of EXERCISE_STEPS) expect(page).to.include(name);
  });
});
