import { expect } from "chai";
import * as fc from "fast-check";
import { decide } from "../../local/outage/decide";
import { parseRule } from "../../local/outage/rule";
import type { Home, OutageRule } from "../../local/outage/types";

const HOMES: Home[] = ["regional", "global", "both"];
const REGIONS = ["us-east-1", "us-west-2", "cn-north-1", "us-gov-west-1"];

/** Rule, then for each call `region home` whether it is lost and why. */
const TABLE: [string, Omit<OutageRule, "mode">, Record<string, "region" | "global-services" | undefined>][] =
  [
    [
      "us-east-1 with every global service",
      { regions: ["us-east-1"], globalServices: true },
      {
        "us-east-1 regional": "region",
        "us-east-1 global": "global-services",
        "us-east-1 both": "region",
        "us-west-2 regional": undefined,
        "us-west-2 both": "global-services",
        "cn-north-1 regional": undefined,
        "cn-north-1 global": undefined,
        "cn-north-1 both": undefined,
        "us-gov-west-1 global": undefined,
        "unknown regional": undefined,
        "unknown both": undefined,
      },
    ],
    [
      "us-east-1 alone: IAM still answers, the global STS endpoint does not",
      { regions: ["us-east-1"], globalServices: false },
      {
        "us-east-1 regional": "region",
        "us-east-1 global": undefined,
        "us-east-1 both": "region",
        "us-west-2 both": undefined,
      },
    ],
    [
      "the global services alone",
      { regions: [], globalServices: true },
      {
        "us-east-1 regional": undefined,
        "us-east-1 global": "global-services",
        "us-west-2 both": "global-services",
        "cn-north-1 global": "global-services",
        "unknown both": "global-services",
      },
    ],
    [
      "China",
      { regions: ["cn-northwest-1"], globalServices: true },
      {
        "cn-north-1 global": "global-services",
        "cn-north-1 regional": undefined,
        "us-east-1 global": undefined,
      },
    ],
  ];

describe("What an outage does to a call", () => {
  for (const [what, rule, calls] of TABLE) {
    for (const [call, because] of Object.entries(calls)) {
      const [region = "", home] = call.split(" ") as [string, Home];
      it(`${what}: ${call} is ${because ? `lost (${because})` : "answered"}`, () => {
        const outcomes = { refuse: "refused", hang: "hung", slow: "slowed" } as const;
        for (const mode of ["refuse", "hang", "slow"] as const) {
          const expected = because ? { outcome: outcomes[mode], because } : { outcome: "passed" };
          expect(decide({ region, home }, { ...rule, mode })).to.deep.equal(expected);
        }
      });
    }
  }

  it("passes everything without a rule", () => {
    for (const home of HOMES) {
      expect(decide({ region: "us-east-1", home }, undefined)).to.deep.equal({ outcome: "passed" });
    }
  });

  const anyRule = fc.record({
    regions: fc.subarray(REGIONS),
    globalServices: fc.boolean(),
    mode: fc.constantFrom("refuse" as const, "hang" as const, "slow" as const),
  });
  const anyCall = fc.record({ region: fc.constantFrom(...REGIONS), home: fc.constantFrom(...HOMES) });

  it("loses more when more is lost, never less", () => {
    fc.assert(
      fc.property(anyRule, anyCall, fc.constantFrom(...REGIONS), (rule, call, more) => {
        // Except that global services alone mean those of every partition: there a region narrows it down.
        fc.pre(rule.regions.length > 0 || !rule.globalServices);
        if (decide(call, rule).outcome === "passed") return;
        const regions = [...rule.regions, more];
        expect(decide(call, { ...rule, regions }).outcome).not.to.equal("passed");
        expect(decide(call, { ...rule, regions, globalServices: true }).outcome).not.to.equal("passed");
      }),
      { seed: 3, numRuns: 1000 },
    );
  });

  it("never touches a regional call of a region that is not lost", () => {
    fc.assert(
      fc.property(anyRule, fc.constantFrom(...REGIONS), (rule, region) => {
        fc.pre(!rule.regions.includes(region));
        expect(decide({ region, home: "regional" }, rule).outcome).to.equal("passed");
      }),
      { seed: 3 },
    );
  });
});

describe("Outage rules from outside", () => {
  it("are taken when they are whole", () => {
    const rule = { regions: ["us-east-1"], globalServices: true, mode: "slow", delayMs: 5 };
    expect(parseRule(rule)).to.deep.equal(rule);
  });

  const faults: [string, unknown, string][] = [
    ["nothing", undefined, "rule: "],
    ["an unknown mode", { regions: ["us-east-1"], globalServices: true, mode: "explode" }, "mode: "],
    [
      "a word that is no region",
      { regions: ["virginia"], globalServices: true, mode: "hang" },
      'regions.0: "virginia" is not',
    ],
    ["an unknown key", { regions: ["us-east-1"], globalServices: true, mode: "hang", delay: 1 }, '"delay"'],
    ["slow without a delay", { regions: ["us-east-1"], globalServices: true, mode: "slow" }, "delayMs: mode"],
    [
      "a delay without effect",
      { regions: ["us-east-1"], globalServices: true, mode: "hang", delayMs: 1 },
      "delayMs: has no effect",
    ],
    [
      "a negative delay",
      { regions: ["us-east-1"], globalServices: true, mode: "slow", delayMs: -1 },
      "delayMs: ",
    ],
    ["a rule that hits nothing", { regions: [], globalServices: false, mode: "hang" }, "hits nothing"],
  ];
  for (const [what, value, message] of faults) {
    it(`are refused: ${what}`, () => {
      expect(() => parseRule(value))
        .to.throw(/^not an outage rule: /)
        .with.property("message")
        .that.contains(message);
    });
  }

  it("are refused with all faults at once", () => {
    expect(() => parseRule({ regions: ["x"], globalServices: 1, mode: "y" })).to.throw(
      /regions\.0: .*globalServices: .*mode: /,
    );
  });
});
