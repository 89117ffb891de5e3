import { expect } from "chai";
import { collect } from "../../../functions/breakGlass/readiness/collect";
import type { Observations } from "../../../functions/breakGlass/readiness/observations";
import type { ReadinessReport } from "../../../functions/breakGlass/readiness/readinessReport";
import { REQUIREMENTS } from "../../../functions/breakGlass/readiness/requirements";
import { type ReportFile, runSteward, type StewardResult } from "../../../functions/breakGlass/steward/run";
import { readStewardSettings } from "../../../functions/breakGlass/steward/settings";
import { type Fault, fakeAws } from "./readiness/fakeAws";
import { ALICE, NOW, readyObservations, readyPolicy } from "./readiness/ready";

interface Run {
  result: StewardResult | Error;
  files: ReportFile[];
  metrics: Map<string, number>;
  logged: string[];
}

async function run(
  options: { change?: (observations: Observations) => void; fault?: Fault; keep?: () => Promise<void> } = {},
): Promise<Run> {
  const policy = readyPolicy();
  const ready = readyObservations(policy);
  options.change?.(ready);
  const files: ReportFile[] = [];
  const metrics = new Map<string, number>();
  const logged: string[] = [];
  const log = (message: string, fields: object) => void logged.push(JSON.stringify({ message, ...fields }));
  const result = await runSteward({
    policy,
    checkedBy: "bulkhead-breakglass-steward in dr (us-west-2)",
    collect: () => collect(fakeAws(ready, policy, options.fault).ports, policy),
    keep: async (file) => {
      await options.keep?.();
      files.push(file);
    },
    now: () => NOW,
    log: { info: log, warn: log, error: log },
    count: {
      add: (metric, dimensions, value = 1) => {
        const key = [metric, ...Object.entries(dimensions).flat()].join(" ");
        expect(metrics.has(key), key).to.equal(false);
        metrics.set(key, value);
      },
    },
  }).catch((error: Error) => error);
  return { result, files, metrics, logged };
}

const reportIn = (files: ReportFile[]) =>
  JSON.parse(files.find(({ key }) => key === "readiness/latest.json")!.body) as ReadinessReport;

describe("the steward", () => {
  it("reports under the time and as the latest, page and JSON alike, the latest JSON last", async () => {
    const { result, files } = await run();
    expect(files.map(({ key, contentType }) => `${key} ${contentType}`)).to.deep.equal([
      "readiness/2026/03/2026-03-02T06-00-00Z.html text/html; charset=utf-8",
      "readiness/2026/03/2026-03-02T06-00-00Z.json application/json",
      "readiness/latest.html text/html; charset=utf-8",
      "readiness/latest.json application/json",
    ]);
    expect(files[0]!.body).to.equal(files[2]!.body);
    expect(files[1]!.body).to.equal(files[3]!.body);
    expect(reportIn(files)).to.include({
      version: 1,
      checkedAt: "2026-03-02T06:00:00.000Z",
      checkedBy: "bulkhead-breakglass-steward in dr (us-west-2)",
      accountId: "222222222222",
      verdict: "pass",
    });
    expect(result).to.deep.include({ verdict: "pass", unmet: [], unknown: [] });
  });

  it("counts each requirement once, unready and unknown apart, and its own run", async () => {
    const { metrics, result } = await run({
      change: ({ users }) => {
        users[ALICE]!.accessKeys = { value: 2 };
      },
      fault: ({ service }) => (service === "organizations" ? new Error("?") : undefined),
    });
    for (const { id } of REQUIREMENTS) {
      const unready = metrics.get(`EmergencyAccessUnready requirement ${id}`);
      expect(unready, id).to.equal(id === "no-access-key" ? 1 : 0);
      const unknown = metrics.get(`EmergencyAccessUnknown requirement ${id}`);
      expect(unknown, id).to.equal(id === "scp-exempts" ? 1 : 0);
    }
    expect(metrics.get("EmergencyAccessUnready")).to.equal(1);
    expect(metrics.get("EmergencyAccessUnknown")).to.equal(1);
    expect(metrics.get("EmergencyAccessChecked")).to.equal(1);
    expect(metrics.size).to.equal(2 * REQUIREMENTS.length + 3);
    expect(result).to.deep.include({ verdict: "fail", unmet: ["no-access-key"], unknown: ["scp-exempts"] });
  });

  it("counts nothing as unready in an outage of IAM", async () => {
    const { metrics, result } = await run({
      fault: ({ service }) =>
        service === "iam" ? Object.assign(new Error(""), { code: "ECONNRESET" }) : undefined,
    });
    const unready = [...metrics].filter(
      ([key, value]) => key.startsWith("EmergencyAccessUnready") && value !== 0,
    );
    expect(unready).to.deep.equal([]);
    expect(result).to.deep.include({ verdict: "unknown", unmet: [] });
  });

  it("has counted before it fails to keep its report, and fails then", async () => {
    const { metrics, result } = await run({
      keep: async () => {
        throw new Error("no bucket");
      },
    });
    expect(result).to.be.instanceOf(Error);
    expect(metrics.get("EmergencyAccessChecked")).to.equal(1);
  });

  it("writes no password, encrypted or not, into reports or its log", async () => {
    const canary = "-----BEGIN PGP MESSAGE----- canary";
    const { files, logged } = await run({
      change: ({ evidence }) => {
        for (const records of Object.values(evidence)) {
          if ("value" in records)
            for (const issued of records.value.passwordIssued) issued.ciphertext = canary;
        }
      },
    });
    expect(files).to.have.length(4);
    for (const text of [...files.map(({ body }) => body), ...logged])
      expect(text).not.to.contain("PGP MESSAGE");
    expect(logged).to.have.length(1);
  });
});

describe("the steward's settings", () => {
  it("are refused when they are not what the component writes", () => {
    const environment = { BULKHEAD_CELL: "dr" };
    expect(() => readStewardSettings(environment)).to.throw("READINESS is not set");
    for (const READINESS of ["{", "{}", '{"cells":[]}']) {
      expect(() => readStewardSettings({ ...environment, READINESS })).to.throw(
        "READINESS is not what BreakGlassSteward writes",
      );
    }
  });
});
