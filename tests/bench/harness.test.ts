import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { alternate, median } from "../../bench/support/measure";
import { benchmarkNames, loadBenchmarks } from "../../bench/support/registry";
import { runBenchmarks } from "../../bench/support/runner";
import { quantity } from "../../bench/support/table";

/** Source of a benchmark whose `run` has this body. */
const source = (name: string, description: string, body: string) =>
  `exports.benchmark = { name: "${name}", description: "${description}", run: async (context) => { ${body} } };\n`;

const BENCHMARKS = {
  good: source(
    "good",
    "Meets a target",
    `context.progress("at work");
     return [{ metric: "ratio", value: 1.23456789, unit: "x", target: 1.5 }, { metric: "calls", value: 1204, unit: "calls" }];`,
  ),
  missed: source(
    "missed",
    "Misses a target",
    `return [{ metric: "time", value: 20.000001, unit: "ms", target: 20 }];`,
  ),
  broken: source("broken", "Cannot measure", `throw new Error("nothing to measure here");`),
  // The harness's own file is none.
  run: "throw new Error();",
};

describe("bench", () => {
  let folder: string;
  let resultsFolder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-bench-"));
    resultsFolder = path.join(folder, "results");
    for (const [name, text] of Object.entries(BENCHMARKS)) {
      fs.writeFileSync(path.join(folder, `${name}.ts`), text);
    }
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  async function bench(...args: string[]) {
    const [out, errors]: string[][] = [[], []];
    const code = await runBenchmarks({
      root: "/nowhere",
      folder,
      resultsFolder,
      args,
      out: (text) => out?.push(text),
      error: (text) => errors?.push(text),
      signal: new AbortController().signal,
    });
    return { code, out: out?.join("\n") ?? "", errors: errors?.join("\n") ?? "" };
  }
  const written = (name: string) =>
    JSON.parse(fs.readFileSync(path.join(resultsFolder, `${name}.json`), "utf8"));

  it("runs a benchmark by name, prints a table and writes its results", async () => {
    const { code, out, errors } = await bench("good");
    expect(code).to.equal(0);
    expect(errors).to.equal("good: at work");
    expect(out.split("\n")).to.deep.equal([
      "benchmark  metric        value     target",
      "---------  ------  -----------  ---------  ---",
      "good       ratio        1.23 x  <= 1.50 x  met",
      "           calls   1,204 calls",
    ]);
    expect(written("good")).to.deep.equal([
      { metric: "ratio", value: 1.2346, unit: "x", target: 1.5, met: true },
      { metric: "calls", value: 1204, unit: "calls", target: null, met: null },
    ]);
    expect(fs.readdirSync(resultsFolder)).to.deep.equal(["good.json"]);
  });

  it("says when a target is missed, by however little; that is no failure", async () => {
    const { code, out } = await bench("missed");
    expect(code).to.equal(0);
    expect(out).to.contain("MISSED");
    expect(written("missed")).to.deep.equal([
      { metric: "time", value: 20, unit: "ms", target: 20, met: false },
    ]);
  });

  it("runs all without a name; one that fails does not keep the others", async () => {
    const { code, out, errors } = await bench();
    expect(code).to.equal(1);
    expect(errors).to.contain("broken: could not measure: nothing to measure here");
    expect(out).to.contain("good").and.contain("missed");
    expect(fs.readdirSync(resultsFolder).sort()).to.deep.equal(["good.json", "missed.json"]);
  });

  it("runs one that is named twice once", async () => {
    const { errors } = await bench("good", "good");
    expect(errors).to.equal("good: at work");
  });

  it("refuses a name that is none, listing those that are", async () => {
    const { code, out, errors } = await bench("good", "nothing");
    expect(code).to.equal(2);
    expect(errors).to.contain('There is no benchmark "nothing". There are: broken, good, missed.');
    expect(out).to.equal("");
    expect(fs.existsSync(resultsFolder)).to.equal(false);
  });

  it("refuses an option that is none", async () => {
    expect(await bench("--fast")).to.deep.include({ code: 2 });
  });

  it("lists, and helps", async () => {
    expect((await bench("--list")).out.split("\n")).to.deep.equal([
      "broken  Cannot measure",
      "good    Meets a target",
      "missed  Misses a target",
    ]);
    expect((await bench("--help")).out)
      .to.contain("npm run bench -- ")
      .and.contain("broken, good, missed");
  });

  it("stops at an interrupt", async () => {
    const code = await runBenchmarks({
      root: "/nowhere",
      folder,
      resultsFolder,
      args: [],
      out: () => {},
      error: () => {},
      signal: AbortSignal.abort(),
    });
    expect(code).to.equal(130);
  });

  it("has every benchmark of the project under its name", async () => {
    const own = path.join(__dirname, "..", "..", "bench");
    const benchmarks = await loadBenchmarks(own, []);
    expect(benchmarks.map(({ name }) => name)).to.deep.equal(benchmarkNames(own));
    expect(benchmarks.map(({ name }) => name)).to.include.members(["pack", "preview", "start"]);
  });
});

describe("bench: measuring", () => {
  it("takes medians", () => {
    expect([median([3]), median([9, 1, 5]), median([4, 1, 3, 2])]).to.deep.equal([3, 5, 2.5]);
    expect(() => median([])).to.throw("no values");
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        expect(values.filter((value) => value < middle).length).to.be.at.most(values.length / 2);
        expect(values.filter((value) => value > middle).length).to.be.at.most(values.length / 2);
      }),
      { seed: 3 },
    );
  });

  it("lets contestants take turns, changes who is first, and does not count the first round", async () => {
    const turns: string[] = [];
    const contestant = (name: string, times: number[]) => async () => {
      turns.push(name);
      return times.shift() ?? 0;
    };
    const result = await alternate(
      { a: contestant("a", [900, 1, 3, 2]), b: contestant("b", [900, 10, 30, 20]) },
      3,
    );
    expect(result).to.deep.equal({ a: 2, b: 20 });
    expect(turns.join("")).to.equal("abbaabba");
  });

  it("stops between turns", async () => {
    let turns = 0;
    const stop = new AbortController();
    const contestant = async () => {
      turns += 1;
      stop.abort();
      return 1;
    };
    const failure = await alternate({ a: contestant }, 5, stop.signal).catch((error: Error) => error.name);
    expect(failure).to.equal("AbortError");
    expect(turns).to.equal(1);
  });

  it("says quantities", () => {
    expect([
      quantity(0.123, "x"),
      quantity(12.34, "ms"),
      quantity(1204.4, "ms"),
      quantity(7, "calls"),
    ]).to.deep.equal(["0.12 x", "12.3 ms", "1,204 ms", "7 calls"]);
  });
});
