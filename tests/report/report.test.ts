import { expect } from "chai";
import * as fc from "fast-check";
import { duration, instant, list, offset, plural } from "../../functions/shared/html/format";
import { html, visibleHtml } from "../../functions/shared/html/html";
import {
  type DrillReport,
  type DrillRun,
  type drillReportSchema,
  type drillRunSchema,
  parseJsonReport,
  renderJsonReport,
  renderReport,
  summarize,
} from "../../local/report";
import { timelineModel } from "../../local/report/timeline/model";
import { layoutAxis } from "../../local/report/timeline/warp";
import { HOSTILE, hostileRun, sampleRun } from "./support/sampleRun";

/** Compiles only when both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = T extends object ? { [K in keyof T]: Flat<T[K]> } : T;
const runTypeIsSchema: Same<Flat<DrillRun>, Flat<ReturnType<typeof drillRunSchema.parse>>> = true;
const reportTypeIsSchema: Same<Flat<DrillReport>, Flat<ReturnType<typeof drillReportSchema.parse>>> = true;

describe("JSON report", () => {
  it("has a schema that says what its types say", () => {
    expect([runTypeIsSchema, reportTypeIsSchema]).to.deep.equal([true, true]);
  });

  it("comes back as it was written, with its form and a summary", () => {
    for (const run of [sampleRun(), hostileRun()]) {
      const report = parseJsonReport(renderJsonReport(run));
      const { schema, summary, ...rest } = report;
      expect(rest).to.deep.equal(run);
      expect(schema).to.equal("bulkhead.drill-report/v1");
      expect(summary).to.deep.equal(summarize(run));
    }
  });

  it("sums up", () => {
    const run = sampleRun();
    run.calls.duringOutage.push({ region: "us-east-1", service: "s3", outcome: "hung", count: 5 });
    run.calls.duringOutage.push({ region: "us-east-1", service: "s3", outcome: "slowed", count: 50 });
    expect(summarize(run)).to.deep.equal({
      durationMs: Date.parse(run.finishedAt) - Date.parse(run.startedAt),
      steps: { passed: 17, failed: 0, skipped: 0 },
      unansweredCalls: 9,
    });
  });

  it("refuses to write a run that does not have the form, naming each place", () => {
    const run = sampleRun();
    run.finishedAt = "yesterday";
    run.resources.prod = -1;
    expect(() => renderJsonReport(run)).to.throw(/finishedAt: .*resources\.prod: /);
  });

  const refused: [string, string, RegExp][] = [
    ["what is not JSON", "{", /not JSON/],
    [
      "another version",
      '{"schema":"bulkhead.drill-report/v9"}',
      /v9", not bulkhead\.drill-report\/v1: run the drill again/,
    ],
    ["another document", "[]", /form undefined/],
    ["a report that is not whole", '{"schema":"bulkhead.drill-report/v1"}', /title: .*startedAt: /],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses to read ${what}`, () => {
      expect(() => parseJsonReport(text)).to.throw(message);
    });
  }

  it("reads a later report of the same version, which may say more", () => {
    const report = JSON.parse(renderJsonReport(sampleRun()));
    expect(parseJsonReport(JSON.stringify({ ...report, more: 1 })).title).to.equal(report.title);
  });
});

describe("HTML report, as text", () => {
  it("is the same for the same run", () => {
    expect(renderReport(sampleRun())).to.equal(renderReport(sampleRun()));
  });

  it("names no address to load from, and has no script", () => {
    const page = renderReport(sampleRun()).replace(/<(dd|td|pre|p)[ >].*?<\/\1>/gs, "");
    expect(page).not.to.match(/https?:|<script|@import|\ssrc=|javascript:/);
    expect(page.match(/url\([^)]*\)/g)).to.satisfy((all: string[]) =>
      all.every((url) => url === "url(#hatch)"),
    );
  });

  it("escapes whatever is put into a template", () => {
    for (const hostile of HOSTILE) {
      expect(html`<b title="${hostile}">${[hostile, [hostile]]}</b>`.text).to.match(
        /^<b title="[^"<>]*">[^<>"']*<\/b>$/,
      );
    }
    expect(html`${html`<i>${0}</i>`}${undefined}${false}`.text).to.equal("<i>0</i>");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = visibleHtml(text);
        expect(escaped).not.to.match(/[<>"'\u202a-\u202e\u2066-\u2069]|&(?!(amp|lt|gt|quot|#39);)/u);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("can be drawn of any run that has the form", () => {
    const start = Date.parse("2026-03-01T00:00:00Z");
    const time = fc.integer({ min: 0, max: 3_600_000 }).map((ms) => new Date(start + ms).toISOString());
    const region = fc.constantFrom("us-east-1", "us-west-2", "eu-west-1");
    const word = fc.string({ maxLength: 40 });
    const ms = fc.double({ min: 0, max: 100_000, noNaN: true });
    const run: fc.Arbitrary<DrillRun> = fc.record(
      {
        title: word,
        startedAt: time,
        finishedAt: time,
        engine: word,
        aws: word,
        outcome: fc.constantFrom("passed", "failed", "stopped"),
        cells: fc.array(fc.record({ name: word, region, role: word }), { maxLength: 3 }),
        phases: fc.array(
          fc.record({
            name: word,
            description: word,
            startedAt: time,
            durationMs: ms,
            steps: fc.array(
              fc.record(
                {
                  name: word,
                  region,
                  expectation: word,
                  outcome: fc.constantFrom("passed", "failed", "skipped"),
                  startedAt: time,
                  durationMs: ms,
                  detail: word,
                },
                { requiredKeys: ["name", "expectation", "outcome", "startedAt", "durationMs"] },
              ),
              { maxLength: 6 },
            ),
          }),
          { maxLength: 4 },
        ),
        outage: fc.record(
          {
            regions: fc.array(region, { maxLength: 2 }),
            mode: fc.constantFrom("refuse", "hang", "slow"),
            startedAt: time,
            endedAt: time,
          },
          { requiredKeys: ["regions", "mode", "startedAt"] },
        ),
        calls: fc.constant({ duringOutage: [] }),
        mails: fc.array(fc.record({ at: time, region, subject: word, to: fc.array(word), latencyMs: ms }), {
          maxLength: 3,
        }),
        resources: fc.dictionary(word, fc.nat()),
        policy: fc.constant([]),
        timings: fc.array(fc.record({ name: word, durationMs: ms })),
      },
      {
        requiredKeys: [
          "title",
          "startedAt",
          "finishedAt",
          "engine",
          "aws",
          "outcome",
          "cells",
          "phases",
          "calls",
          "mails",
          "resources",
          "policy",
          "timings",
        ],
      },
    );
    fc.assert(
      fc.property(run, (drawn) => {
        const page = renderReport(drawn);
        expect(page).not.to.match(/NaN|Infinity|\[object|="-?undefined"/);
        expect(page).not.to.match(/ (width|height)="-/);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe("Axis of the timeline", () => {
  const options = { length: 900, gap: 8, minSpan: 24, minPhase: 40 };
  const anyPhases = fc
    .array(
      fc.record({
        pause: fc.nat(1000),
        length: fc.nat(60_000),
        spans: fc.array(
          fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
          {
            maxLength: 8,
          },
        ),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => {
      let at = 0;
      return parts.map(({ pause, length, spans }) => {
        const start = at + pause;
        at = start + length;
        return {
          start,
          end: at,
          spans: spans.map(([a, b]) => ({
            start: start + Math.min(a, b) * length,
            end: start + Math.max(a, b) * length + 0.01,
          })),
          moments: [],
        };
      });
    });

  it("keeps the order of all moments, and every step visible", () => {
    fc.assert(
      fc.property(anyPhases, fc.array(fc.nat(320_000), { maxLength: 20 }), (phases, times) => {
        const axis = layoutAxis(phases, options);
        const sorted = [...times].sort((a, b) => a - b).map((time) => axis.at(time));
        for (let i = 1; i < sorted.length; i += 1)
          expect(sorted[i]).to.be.at.least((sorted[i - 1] ?? 0) - 1e-6);
        for (const [i, phase] of phases.entries()) {
          const place = axis.phases[i] ?? { from: 0, to: 0 };
          expect(place.to - place.from).to.be.at.least(options.minPhase - 1e-6);
          for (const span of phase.spans) {
            const [from, to] = [axis.inPhase(i, span.start), axis.inPhase(i, Math.min(span.end, phase.end))];
            expect(from).to.be.at.least(place.from - 1e-6);
            expect(to).to.be.at.most(place.to + 1e-6);
            // A span that begins in the last instant of its phase has no length left to show.
            if (span.end <= phase.end) expect(to - from).to.be.at.least(options.minSpan - 1e-6);
          }
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("draws steps that overlap only by rounding in one row, and those that do overlap in two", () => {
    const run = sampleRun();
    const [first, second, third] = run.phases[1]?.steps ?? [];
    if (!first || !second || !third) throw new Error("the sample has changed");
    const rows = () =>
      timelineModel(run, options)
        .bars.filter((bar) => [first, second, third].includes(bar.step))
        .map((bar) => bar.row);
    first.durationMs = Date.parse(second.startedAt) - Date.parse(first.startedAt) + 0.7;
    expect(rows()).to.deep.equal([0, 0, 0]);
    first.durationMs += 50;
    expect(rows()).to.deep.equal([0, 1, 0]);
  });

  it("fills the room it is given", () => {
    const phase = (start: number, end: number) => ({ start, end, spans: [{ start, end }], moments: [] });
    const axis = layoutAxis([phase(0, 20_000), phase(20_000, 20_100)], options);
    expect(axis.length).to.be.closeTo(options.length, 0.5);
    const [long, short] = axis.phases.map(({ from, to }) => to - from);
    expect(long).to.be.greaterThan(short ?? 0);
    expect(short).to.be.greaterThan(100);
  });

  it("has no length without phases", () => {
    expect(layoutAxis([], options)).to.include({ length: 0 });
    expect(layoutAxis([], options).at(5)).to.equal(0);
  });
});

describe("How the report says numbers", () => {
  it("says durations", () => {
    const cases: [number, string][] = [
      [0, "0 ms"],
      [0.4, "0 ms"],
      [38.2, "38 ms"],
      [999.4, "999 ms"],
      [999.6, "1.0 s"],
      [4_240, "4.2 s"],
      [59_940, "59.9 s"],
      [59_960, "1 min 00 s"],
      [65_000, "1 min 05 s"],
      [3_599_600, "1 h 00 min"],
      [7_380_000, "2 h 03 min"],
    ];
    for (const [ms, text] of cases) expect(duration(ms)).to.equal(text);
    expect(offset(-3)).to.equal("+0 ms");
  });

  it("says times and lists whatever the machine's settings", () => {
    expect(instant("2026-03-01T10:00:05.999+01:00")).to.equal("2026-03-01 09:00:05 UTC");
    expect([plural(1, "call"), plural(1204, "call")]).to.deep.equal(["1 call", "1,204 calls"]);
    expect([list([]), list(["a"]), list(["a", "b"]), list(["a", "b", "c"])]).to.deep.equal([
      "",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });
});
