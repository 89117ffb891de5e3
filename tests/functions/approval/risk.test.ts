import { expect } from "chai";
import * as fc from "fast-check";
import { intake } from "../../../functions/approval/intake/intake";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import type { Preview, Subject } from "../../../functions/approval/preview/preview";
import { assess, type PastRequests } from "../../../functions/approval/risk/assess";
import { HttpRiskModel, type RiskModel } from "../../../functions/approval/risk/riskModel";
import {
  DEFAULT_RISK_SETTINGS,
  type RequesterPast,
  type RiskFactors,
  riskOf,
} from "../../../functions/approval/risk/score";
import { checkThresholds, type Threshold, thresholdOf } from "../../../functions/approval/risk/thresholds";
import { denied } from "./support/events";

const SEED = 20261122;
/** A Wednesday at noon. */
const NOON = new Date("2026-11-18T12:00:00Z");
const PAST: RequesterPast = { lastDay: 0, sameCall: 4, anybodysCalls: 9, denied: 0 };
const SUBJECT: Subject = {
  arn: "arn:aws:ec2:us-east-1:111122223333:volume/vol-084879c77b49adac0",
  presence: "present",
  tags: {},
  details: [],
  lost: [],
  kept: [{ kind: "snapshot", id: "snap-1" }],
  affected: [],
  obstacles: [],
};
const FACTORS: RiskFactors = {
  danger: "data",
  preview: { subjects: [SUBJECT], unknown: [] },
  at: NOON,
  past: PAST,
};
const withSubject = (parts: Partial<Subject>, unknown: Preview["unknown"] = []): RiskFactors => ({
  ...FACTORS,
  preview: { subjects: [{ ...SUBJECT, ...parts }], unknown },
});
const codes = (factors: RiskFactors) => riskOf(factors).reasons.map(({ code }) => code);

describe("the risk of a request", () => {
  it("has a reason for every point", () => {
    const { score, reasons } = riskOf(FACTORS);
    expect(reasons).to.deep.equal([{ code: "danger", points: 20, text: "it destroys stored data" }]);
    expect(score).to.equal(20);
    expect(codes(withSubject({ tags: { Environment: "Prod" } }))).to.include("tag");
    expect(codes(withSubject({ tags: { environment: "test" } }))).to.not.include("tag");
    expect(codes(withSubject({ tags: undefined }))).to.include("tagsUnknown");
    expect(codes(withSubject({ kept: [] }))).to.include("noCopy");
    expect(codes({ ...withSubject({ kept: [] }), danger: "service" })).to.not.include("noCopy");
    expect(codes(withSubject({ lost: [{ kind: "volume", id: "v" }] }))).to.include("blastRadius");
    expect(codes(withSubject({}, [{ what: "snapshots", why: "denied" }]))).to.include("unknown");
    expect(codes({ ...FACTORS, past: undefined })).to.include("pastUnknown");
    expect(
      codes({ ...FACTORS, past: { lastDay: 12, sameCall: 0, anybodysCalls: 0, denied: 1 } }),
    ).to.include.members(["firstTime", "rare", "manyRequests", "deniedBefore"]);
  });

  it("knows the time of the configured zone", () => {
    const at = (time: string, timeZone: string) =>
      riskOf(
        { ...FACTORS, at: new Date(time) },
        { ...DEFAULT_RISK_SETTINGS, workingHours: { ...DEFAULT_RISK_SETTINGS.workingHours, timeZone } },
      )
        .reasons.map(({ code }) => code)
        .filter((code) => code === "dayOff" || code === "offHours");
    // Friday 23:30 in London is Saturday 8:30 in Tokyo.
    expect(at("2026-11-20T23:30:00Z", "Europe/London")).to.deep.equal(["offHours"]);
    expect(at("2026-11-20T23:30:00Z", "Asia/Tokyo")).to.deep.equal(["dayOff"]);
    expect(at("2026-11-18T00:00:00Z", "Asia/Tokyo")).to.deep.equal([]);
    expect(at("2026-11-18T00:00:00Z", "UTC")).to.deep.equal(["offHours"]);
    expect(() => at("2026-11-18T00:00:00Z", "Mars/Base")).to.throw(RangeError);
  });

  const item = fc.record({ kind: fc.constant("volume"), id: fc.string({ minLength: 1, maxLength: 8 }) });
  const subject: fc.Arbitrary<Subject> = fc.record({
    arn: fc.constant(SUBJECT.arn),
    presence: fc.constantFrom("present" as const, "unknown" as const),
    tags: fc.option(
      fc.dictionary(fc.constantFrom("env", "Name", "stage"), fc.constantFrom("prod", "test", "live")),
      { nil: undefined },
    ),
    details: fc.constant([]),
    lost: fc.array(item, { maxLength: 5 }),
    kept: fc.array(item, { maxLength: 2 }),
    affected: fc.array(item, { maxLength: 5 }),
    obstacles: fc.constant([]),
  });
  const factors: fc.Arbitrary<RiskFactors> = fc.record({
    danger: fc.constantFrom("data" as const, "service" as const, "access" as const),
    preview: fc.record({
      subjects: fc.array(subject, { minLength: 1, maxLength: 4 }),
      unknown: fc.array(fc.constant({ what: "volumes", why: "denied" as const }), { maxLength: 3 }),
    }),
    at: fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true }),
    past: fc.option(
      fc.record({
        lastDay: fc.nat(20),
        sameCall: fc.nat(2),
        anybodysCalls: fc.nat(2),
        denied: fc.nat(4),
      }),
      { nil: undefined },
    ),
    model: fc.option(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant("failed" as const)), {
      nil: undefined,
    }),
  });
  /** Each of them makes a request riskier, or leaves it. */
  const worse: Record<string, (given: RiskFactors) => RiskFactors> = {
    "a tag of production": (given) =>
      changeFirst(given, ({ tags }) => ({ tags: { ...tags, environment: "prod" } })),
    "tags that cannot be read": (given) => changeFirst(given, () => ({ tags: undefined })),
    "a resource that nothing can be read of": (given) =>
      changeFirst(given, () => ({ presence: "unknown", tags: undefined, lost: [], kept: [], affected: [] })),
    "parts that cannot be read": (given) => ({
      ...changeFirst(given, () => ({ lost: [], kept: [], affected: [] })),
      preview: {
        subjects: changeFirst(given, () => ({ lost: [], kept: [], affected: [] })).preview.subjects,
        unknown: [...given.preview.unknown, { what: "volumes", why: "denied" }],
      },
    }),
    "a past that cannot be read": ({ past: _past, ...given }) => given,
    "something more that is lost": (given) =>
      changeFirst(given, ({ lost }) => ({ lost: [...lost, { kind: "volume", id: "more" }] })),
    "something more that is affected": (given) =>
      changeFirst(given, ({ affected }) => ({ affected: [...affected, { kind: "subnet", id: "more" }] })),
    "no copy": (given) => changeFirst(given, () => ({ kept: [] })),
    "a further resource": (given) => ({
      ...given,
      preview: { ...given.preview, subjects: [...given.preview.subjects, SUBJECT] },
    }),
    "something unknown": (given) => ({
      ...given,
      preview: { ...given.preview, unknown: [...given.preview.unknown, { what: "x", why: "unavailable" }] },
    }),
    "a resource that cannot be read": (given) => changeFirst(given, () => ({ presence: "unknown" })),
    "data that is destroyed": (given) => ({ ...given, danger: "data" }),
    "more requests": (given) => changePast(given, (past) => ({ lastDay: past.lastDay + 3 })),
    "a further denial": (given) => changePast(given, (past) => ({ denied: past.denied + 1 })),
    "no experience": (given) => changePast(given, () => ({ sameCall: 0 })),
    "a call that nobody makes": (given) => changePast(given, () => ({ anybodysCalls: 0 })),
    "a model that says more": ({ model, ...given }) => ({
      ...given,
      model: typeof model === "number" ? Math.min(1, model + 0.2) : model,
    }),
    "a model that is asked": ({ model, ...given }) => ({ ...given, model: model ?? 0 }),
    "a model that fails": ({ model, ...given }) => ({ ...given, model: model ?? "failed" }),
  };
  for (const [name, change] of Object.entries(worse)) {
    it(`is never lower with ${name}`, () => {
      fc.assert(
        fc.property(factors, (given) => {
          const before = riskOf(given).score;
          const after = riskOf(change(given)).score;
          expect(after).to.be.at.least(before);
          expect(after).to.be.within(0, 100);
        }),
        { seed: SEED, numRuns: 300 },
      );
    });
  }

  it("is the sum of its reasons, none of which is negative", () => {
    fc.assert(
      fc.property(factors, (given) => {
        const { score, reasons } = riskOf(given);
        expect(reasons.every(({ points, text }) => points > 0 && text !== "")).to.equal(true);
        expect(score).to.equal(
          Math.min(
            100,
            reasons.reduce((sum, { points }) => sum + points, 0),
          ),
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

function changeFirst(given: RiskFactors, change: (subject: Subject) => Partial<Subject>): RiskFactors {
  const [first, ...others] = given.preview.subjects as [Subject, ...Subject[]];
  return { ...given, preview: { ...given.preview, subjects: [{ ...first, ...change(first) }, ...others] } };
}

function changePast(
  given: RiskFactors,
  change: (past: RequesterPast) => Partial<RequesterPast>,
): RiskFactors {
  return given.past ? { ...given, past: { ...given.past, ...change(given.past) } } : given;
}

describe("thresholds", () => {
  const level = (quorum: number) => ({ group: "leads", quorum, timeoutSeconds: 600 });
  const thresholds: Threshold[] = [
    { atLeast: 0, name: "low", levels: [level(1)] },
    { atLeast: 40, name: "medium", levels: [level(1), level(1)] },
    { atLeast: 70, name: "high", levels: [level(2), level(1)] },
  ];

  it("choose the levels by the score", () => {
    checkThresholds(thresholds);
    const name = (score: number) => thresholdOf(score, thresholds).name;
    expect([0, 39, 40, 69, 70, 100].map(name)).to.deep.equal([
      "low",
      "low",
      "medium",
      "medium",
      "high",
      "high",
    ]);
  });

  it("are refused when a higher score would need less", () => {
    const wrong = (list: Threshold[], message: string) =>
      expect(() => checkThresholds(list)).to.throw(message);
    wrong([], "has to begin at 0");
    wrong([{ ...thresholds[0]!, atLeast: 1 }], "has to begin at 0");
    wrong([{ ...thresholds[0]!, levels: [] }], "names no level");
    wrong([thresholds[0]!, { ...thresholds[1]!, atLeast: 0 }], 'threshold "medium" begins at 0');
    wrong([thresholds[0]!, { ...thresholds[1]!, atLeast: 101 }], "at most 100");
    wrong(
      [thresholds[1]!, thresholds[0]!].map((one, index) => ({ ...one, atLeast: 40 * index })),
      "asks for fewer",
    );
  });
});

describe("the assessment", () => {
  const decided = intake(
    denied("ec2", "DeleteVolume", { volumeId: "vol-084879c77b49adac0" }),
    intakeSettings(),
  );
  if (!("plan" in decided)) throw new Error(decided.why);
  const what = { plan: decided.plan, preview: FACTORS.preview, requester: ["alice"], at: NOON };
  const past: PastRequests = { of: async () => PAST };
  const failing = async () => {
    throw new Error("down");
  };
  const scored = (ports: { past: PastRequests; model?: RiskModel }) =>
    assess(what, ports, DEFAULT_RISK_SETTINGS);

  it("asks the past and the model", async () => {
    const asked: unknown[] = [];
    const own = await scored({
      past: {
        of: async (...args) => {
          asked.push(args);
          return PAST;
        },
      },
    });
    expect(own.score).to.equal(20);
    expect(asked).to.deep.equal([[["alice"], "ec2", "DeleteVolume", NOON]]);
    const features: unknown[] = [];
    const model: RiskModel = {
      assess: async (given) => {
        features.push(given);
        return 1;
      },
    };
    expect((await scored({ past, model })).score).to.equal(50);
    expect(features).to.deep.equal([
      {
        service: "ec2",
        api: "DeleteVolume",
        region: "us-east-1",
        account: "111122223333",
        points: { danger: 20 },
        blastRadius: 1,
      },
    ]);
  });

  it("is never lower when something fails", async () => {
    const own = (await scored({ past })).score;
    const zero: RiskModel = { assess: async () => 0 };
    const broken: RiskModel = { assess: failing };
    const strange: RiskModel = { assess: async () => Number.NaN };
    expect((await scored({ past, model: zero })).score).to.equal(own);
    expect((await scored({ past, model: broken })).score).to.be.greaterThan(own);
    expect((await scored({ past, model: strange })).score).to.be.greaterThan(own);
    expect((await scored({ past: { of: failing } })).score).to.be.greaterThan(own);
    const negative: RiskModel = { assess: async () => -5 };
    expect((await scored({ past, model: negative })).score).to.equal(own);
  });

  it("asks a model over HTTPS, within a time limit, and believes only what it understands", async () => {
    const requests: [string, RequestInit][] = [];
    const answering = (response: Response | Error) =>
      new HttpRiskModel({
        url: "https://models.example.com/risk",
        authorization: "Bearer canary",
        fetch: (async (url: string, init: RequestInit) => {
          requests.push([url, init]);
          if (response instanceof Error) throw response;
          return response;
        }) as typeof fetch,
      });
    const features = {
      service: "ec2",
      api: "DeleteVolume",
      region: "us-east-1",
      account: "111122223333",
      points: {},
      blastRadius: 1,
    };
    expect(await answering(Response.json({ risk: 0.7, more: "ignored" })).assess(features)).to.equal(0.7);
    const [[url, init]] = requests as [[string, RequestInit]];
    expect(url).to.equal("https://models.example.com/risk");
    expect(init).to.deep.include({ method: "POST", redirect: "error", body: JSON.stringify(features) });
    expect(init.signal).to.be.instanceOf(AbortSignal);
    const bad = [
      Response.json({ risk: 2 }),
      Response.json({ risk: "0" }),
      Response.json({}),
      Response.json({ risk: 0 }, { status: 500 }),
      new Response("no JSON"),
      new Response(`{"risk":0,"x":"${"x".repeat(20_000)}"}`),
      new Error("Bearer canary"),
    ];
    for (const response of bad) {
      const error = await answering(response)
        .assess(features)
        .then(
          () => undefined,
          (thrown: Error) => thrown,
        );
      expect(error).to.include({ code: "risk-model-failed" });
      expect(error?.message).to.not.include("canary");
    }
    for (const wrong of ["http://models.example.com", "models", "file:///etc/passwd"]) {
      expect(() => new HttpRiskModel({ url: wrong })).to.throw("https://");
    }
  });

  it("gives up on a model that does not answer", async () => {
    const model = new HttpRiskModel({
      url: "https://models.example.com/risk",
      timeoutMilliseconds: 20,
      fetch: ((_url: string, { signal }: RequestInit) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
        })) as typeof fetch,
    });
    expect((await scored({ past, model })).reasons.map(({ code }) => code)).to.include("model");
  });
});
