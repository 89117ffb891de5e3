import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { planText } from "../../cli/commands/keys/plan";
import { statusText } from "../../cli/commands/keys/status";
import { FigureCollector } from "../../functions/keyRotation/report/figures";
import { key, ours, rotated, state } from "../functions/keyRotation/support/states";

const ROOT = path.resolve(__dirname, "../..");

function bulkhead(args: string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(ROOT, "cli/bulkhead.js"), "keys", ...args],
    { input, encoding: "utf8", cwd: ROOT },
  );
  return { status, stdout, stderr };
}

describe("bulkhead keys explain", () => {
  const due = state([key("A", 95)]);
  const inUse = state([key("A", 105), ours("B", 12)], { record: rotated(12) });

  it("gives the decision and its row, from a file, from - and from standard input", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keys-"));
    const file = path.join(folder, "state.json");
    fs.writeFileSync(file, JSON.stringify(due));
    try {
      const expected = { actions: ["rotate:A"], notify: ["rotated:A"], row: "rotate" };
      for (const result of [
        bulkhead(["explain", file, "--json"]),
        bulkhead(["explain", "-", "--json"], JSON.stringify(due)),
        bulkhead(["explain", "--json"], JSON.stringify(due)),
      ]) {
        expect(result.status, result.stderr).to.equal(0);
        expect(JSON.parse(result.stdout)).to.deep.include(expected);
      }
      expect(bulkhead(["explain", file]).stdout).to.match(
        /^actions: rotate:A\nnotify: {2}rotated:A\nrow: {5}rotate\nwhy: {5}/,
      );
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("gives an array for an array, in its order", () => {
    const { status, stdout } = bulkhead(["explain", "--json"], JSON.stringify([inUse, due]));
    expect(status).to.equal(0);
    expect(JSON.parse(stdout).map(({ row }: { row: string }) => row)).to.deep.equal([
      "old-key-in-use",
      "rotate",
    ]);
    expect(bulkhead(["explain", "--json"], "[]").stdout.trim()).to.equal("[]");
  });

  it("keeps the others' results when one element is no state, and exits with 2", () => {
    const { status, stdout, stderr } = bulkhead(
      ["explain", "--json"],
      JSON.stringify([due, { ...due, mode: "x" }, inUse]),
    );
    expect(status).to.equal(2);
    const [first, second, third] = JSON.parse(stdout);
    expect([first.row, second, third.row]).to.deep.equal([
      "rotate",
      { error: "mode: audit or enforce" },
      "old-key-in-use",
    ]);
    expect(stderr.trim()).to.equal("standard input, element 1: mode: audit or enforce");
  });

  it("refuses what is no state with one message and no output", () => {
    const cases: [string, string][] = [
      ["", "standard input is not JSON (it is empty). Expected is a user's state"],
      ["{]", "standard input is not JSON (line 1, column 2). Expected is"],
      ["7", "standard input: the state: "],
      [
        JSON.stringify({ ...due, keys: [{ id: "A" }] }),
        "standard input: keys[0].status: Active or Inactive; keys[0].ageDays: ",
      ],
    ];
    for (const [input, message] of cases) {
      const { status, stdout, stderr } = bulkhead(["explain"], input);
      expect({ status, stdout }, input).to.deep.equal({ status: 2, stdout: "" });
      expect(stderr.trim().split("\n")).to.have.length(1);
      expect(stderr).to.include(message);
    }
    expect(bulkhead(["explain", "no-such-file.json"])).to.deep.include({ status: 2 });
  });
});

describe("bulkhead keys plan, rotate and status", () => {
  it("refuse a cell that there is not, and an incomplete call", () => {
    for (const args of [
      ["plan", "nope"],
      ["status", "nope"],
      ["rotate", "nope", "--user", "a", "--account", "1"],
      ["rotate", "prod"],
    ]) {
      const { status, stderr } = bulkhead(args);
      expect(status, stderr).to.equal(2);
    }
  });

  it("show what is due, and leave out what is quiet", () => {
    const base = { why: "because", done: [], failed: [], told: [], reports: [] };
    const outcomes = [
      { ...base, userName: "alice", row: "rotate", due: ["rotate:A"] },
      { ...base, userName: "bob", row: "exempt-tag", due: [] },
      { ...base, userName: "carol", row: "no-room", due: [] },
    ];
    const text = planText({ accountId: "111111111111", status: "done", outcomes });
    expect(text).to.equal(
      "111111111111\n  alice: rotate:A [rotate] because\n  carol: nothing [no-room] because\n",
    );
    expect(planText({ accountId: "111111111111", status: "done", outcomes: [] })).to.equal("");
    expect(planText({ accountId: "1", status: "paused", reason: "standby", outcomes: [] })).to.equal(
      "1\n  paused: standby\n",
    );
  });

  it("say how the last run ended", () => {
    const collector = new FigureCollector(
      {
        runId: "r",
        cell: "prod",
        mode: "enforce",
        startedAt: "2026-01-01T00:00:00Z",
        state: "run",
        reason: "",
        listed: 2,
        leftOut: 0,
      },
      90,
    );
    collector.addFailure("111111111111", "Lambda.Timeout");
    expect(statusText(collector.figures))
      .to.include("accounts: 0 done, 0 paused, 1 failed, 0 left out")
      .and.to.include("account 111111111111 failed: Lambda.Timeout");
  });
});
