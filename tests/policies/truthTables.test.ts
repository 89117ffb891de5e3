import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { analyze } from "./support/analyze";

/** One line of a truth table. */
interface Case {
  name: string;
  type: string;
  props: Record<string, unknown>;
  provider?: { props?: Record<string, unknown> };
  /** The violations: each a path, the value that is shown and, where it matters, what to write instead. */
  expect: { path: string; value: string; instead?: string }[];
  /** A text that must not be shown. */
  never?: string;
}

const TABLES: Record<string, string> = {
  "providers.json": "no-global-sts-endpoint",
  "environments.json": "no-global-sts-endpoint",
  "userData.json": "no-global-sts-endpoint",
  "configuration.json": "no-global-sts-endpoint",
  "samlTrust.json": "no-global-sts-endpoint",
  "matchesRegion.json": "sts-endpoint-matches-region",
};

describe("truth tables", () => {
  it("are all walked", () => {
    expect(fs.readdirSync(path.join(__dirname, "cases")).sort()).to.deep.equal(Object.keys(TABLES).sort());
  });

  for (const [file, rule] of Object.entries(TABLES)) {
    describe(`${rule}: ${file}`, () => {
      const cases = JSON.parse(fs.readFileSync(path.join(__dirname, "cases", file), "utf8")) as Case[];
      for (const { name, type, props, provider, expect: expected, never } of cases) {
        it(name, async () => {
          const messages = await analyze(rule, { type, props, provider });
          expect(messages, messages.join("\n")).to.have.length(expected.length);
          for (const { path: where, value, instead } of expected) {
            const message = messages.find((candidate) => candidate.includes(`: ${where}: `));
            expect(message, `no violation at ${where} among\n${messages.join("\n")}`).to.be.a("string");
            expect(message).to.include(value);
            expect(message).to.match(/^\S+ "it": .*\. Instead: .*\.$/);
            if (instead !== undefined) expect(message?.split(". Instead: ")[1]).to.include(`${instead}`);
          }
          if (never !== undefined) expect(messages.join("\n")).not.to.include(never);
        });
      }
    });
  }
});
