import { expect } from "chai";
import * as fc from "fast-check";
import { assess, overall, type Row } from "../../../functions/breakGlass/readiness/assess";
import type { Observations } from "../../../functions/breakGlass/readiness/observations";
import { unreadable } from "../../../functions/breakGlass/readiness/observed";
import type { Verdict } from "../../../functions/breakGlass/readiness/requirement";
import { REQUIREMENTS } from "../../../functions/breakGlass/readiness/requirements";
import { CASES, type Case } from "./readiness/cases";
import { NOW, readyObservations, readyPolicy } from "./readiness/ready";

const SEED = 20260302;

function rowsOf({ change }: Pick<Case, "change">): Row[] {
  const policy = readyPolicy();
  const observations = readyObservations();
  change(observations, policy);
  return assess(observations, policy, NOW);
}

const keyOf = ({ id, subject }: Row) => `${id} ${subject}`;

/** The paths of everything that was observed. */
function observationsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  if ("value" in value || "unreadable" in value) return [path];
  return Object.entries(value).flatMap(([key, part]) => observationsIn(part, [...path, key]));
}

/** Makes one observation unreadable. */
function lose(observations: Observations, path: readonly string[]): void {
  // biome-ignore lint/suspicious/noExplicitAny: the path leads through all kinds of objects
  const holder = path.slice(0, -1).reduce((part: any, key) => part[key], observations);
  holder[path.at(-1)!] = unreadable("lost");
}

describe("readiness: truth table", () => {
  for (const { name, change, rows } of CASES) {
    it(name, () => {
      const wrong = rowsOf({ change }).filter(({ verdict }) => verdict !== "pass");
      const expected = Object.entries(rows);
      const unexpected = wrong.filter(
        (row) => !expected.some(([key, verdict]) => keyOf(row).startsWith(key) && row.verdict === verdict),
      );
      expect(unexpected.map((row) => `${keyOf(row)}: ${row.verdict}: ${row.found}`)).to.deep.equal([]);
      expect(wrong, JSON.stringify(wrong.map(keyOf))).to.have.length(expected.length);
      for (const [key] of expected)
        expect(
          wrong.filter((row) => keyOf(row).startsWith(key)),
          key,
        ).to.have.length(1);
    });
  }

  it("has a case of each verdict for each requirement", () => {
    const seen = new Map<string, Set<Verdict>>(REQUIREMENTS.map(({ id }) => [id, new Set()]));
    for (const each of CASES) for (const { id, verdict } of rowsOf(each)) seen.get(id)!.add(verdict);
    for (const [id, verdicts] of seen) {
      expect([...verdicts], id).to.have.members(["pass", "fail", "unknown"]);
    }
  });
});

describe("readiness: rows", () => {
  it("have unique ids in kebab-case, and say what, how and from where", () => {
    const ids = REQUIREMENTS.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, text, how, source } of REQUIREMENTS) {
      expect(id).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(text, id).to.match(/\.$/);
      expect(how, id).not.to.equal("");
      expect(source, id).to.match(/^(seed|fact \d+)$/);
    }
  });

  it("are of as many subjects whatever is observed, each once", () => {
    const keys = rowsOf(CASES[0]!).map(keyOf);
    expect(new Set(keys).size).to.equal(keys.length);
    for (const each of CASES) expect(rowsOf(each).map(keyOf), each.name).to.deep.equal(keys);
  });

  it("say what to do exactly where something is to be done", () => {
    for (const each of CASES) {
      for (const row of rowsOf(each)) {
        if (row.verdict === "pass") expect(row.mend, keyOf(row)).to.equal("");
        else expect(row.mend, keyOf(row)).not.to.equal("");
        expect(row.found, keyOf(row)).not.to.equal("");
        expect(row.mend, keyOf(row)).not.to.match(/undefined|\[object/);
        expect(row.found, keyOf(row)).not.to.match(/undefined|\[object|NaN/);
      }
    }
  });

  it("sum up to fail, else unknown, else pass", () => {
    expect(overall([])).to.equal("pass");
    expect(overall([{ verdict: "pass" }, { verdict: "unknown" }])).to.equal("unknown");
    expect(overall([{ verdict: "unknown" }, { verdict: "fail" }])).to.equal("fail");
  });

  it("never turn to fail for what cannot be read, nor from fail to pass", () => {
    const base = readyObservations();
    const paths = observationsIn(base);
    expect(paths.length).to.be.greaterThan(50);
    fc.assert(
      fc.property(fc.subarray([...CASES], { maxLength: 6 }), fc.subarray(paths), (changes, lost) => {
        const policy = readyPolicy();
        const observations = readyObservations();
        for (const { change } of changes) change(observations, policy);
        const before = assess(observations, policy, NOW);
        for (const path of lost) lose(observations, path);
        const after = assess(observations, policy, NOW);
        for (const [index, row] of after.entries()) {
          const was = before[index]!.verdict;
          const context = `${keyOf(row)} was ${was} and is ${row.verdict}`;
          if (was === "fail") expect(row.verdict, context).not.to.equal("pass");
          else expect(row.verdict, context).not.to.equal("fail");
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it("are all unknown when nothing can be read", () => {
    const observations = readyObservations();
    for (const path of observationsIn(observations)) lose(observations, path);
    const rows = assess(observations, readyPolicy(), NOW);
    expect(rows.filter(({ verdict }) => verdict !== "unknown").map(keyOf)).to.deep.equal([]);
    expect(rows.length).to.be.greaterThan(60);
  });
});
