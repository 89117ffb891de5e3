import { expect } from "chai";
import { CallFailure } from "../../../functions/keyRotation/engine/failure";
import type { UserOutcome } from "../../../functions/keyRotation/engine/result";
import { type InventoryPorts, takeInventory } from "../../../functions/keyRotation/inventory/inventory";
import type { AccountSource, ListedAccount } from "../../../functions/keyRotation/inventory/list";
import { csvLines, keyRow } from "../../../functions/keyRotation/report/keyFiles";
import { parseSettings } from "../../../functions/keyRotation/settings";
import { summarize } from "../../../functions/keyRotation/summary/summarize";

const settingsWith = (other: object = {}) =>
  parseSettings({
    cell: { name: "prod", region: "us-east-1", accountId: "222222222222" },
    peer: { name: "dr", region: "us-west-2" },
    memberRole: { name: "bulkhead/member", externalId: "id-1" },
    secrets: { region: "us-east-1", kmsKeyId: "arn:aws:kms:us-east-1:222222222222:key/1" },
    records: { tableName: "a", peerTableName: "b" },
    bucket: { name: "bucket" },
    ...other,
  });

class Objects {
  readonly files = new Map<string, string>();
  async get(key: string) {
    return this.files.get(key);
  }
  async put(key: string, content: string) {
    this.files.set(key, content);
  }
  async putFile(key: string, file: string) {
    this.files.set(key, (await import("node:fs")).readFileSync(file, "utf8"));
  }
}

const listed = (n: number, other: Partial<ListedAccount> = {}): ListedAccount => ({
  id: String(n).padStart(12, "0"),
  name: `account ${n}`,
  email: `owner${n}@example.com`,
  active: true,
  ...other,
});

describe("the inventory of accounts", () => {
  function setUp(accounts: ListedAccount[], other: Partial<InventoryPorts> = {}) {
    const objects = new Objects();
    const tags: Record<string, Record<string, string>> = {};
    const source: AccountSource = {
      async *all() {
        yield* accounts;
      },
      async *inUnit(unit) {
        yield* accounts.filter((_, index) => index % 2 === Number(unit));
      },
      tags: async (id) => tags[id] ?? {},
    };
    const ports: InventoryPorts = {
      permission: async () => ({ act: true, epoch: 3 }),
      source,
      objects,
      merge: async () => true,
      unfinished: async () => new Set([accounts[0]?.id ?? ""]),
      now: () => new Date(0),
      ...other,
    };
    return { objects, tags, ports };
  }
  const EVENT = { runId: "run-1", inline: false };

  it("leaves out suspended and excluded accounts, and those of other units, and knows unfinished ones", async () => {
    const { ports, objects } = setUp([
      listed(1),
      listed(2, { active: false }),
      listed(3),
      listed(4),
      listed(5),
    ]);
    const result = await takeInventory(EVENT, settingsWith({ accounts: { exclude: [listed(3).id] } }), ports);
    expect(result).to.deep.include({
      state: "run",
      accounts: 3,
      leftOut: [
        { id: listed(2).id, why: "suspended" },
        { id: listed(3).id, why: "excluded" },
      ],
    });
    const list = JSON.parse(objects.files.get(result.accountsKey) ?? "");
    expect(list[0]).to.deep.equal({
      id: listed(1).id,
      name: "account 1",
      email: "owner1@example.com",
      unfinished: true,
      merged: true,
    });
    const units = await takeInventory(
      EVENT,
      settingsWith({ accounts: { organizationalUnitIds: ["0"] } }),
      ports,
    );
    expect(units.accounts).to.equal(3);
  });

  it("goes by tags, and leaves alone what it does not understand", async () => {
    const { ports, tags, objects } = setUp([listed(1), listed(2), listed(3), listed(4), listed(5)]);
    tags[listed(1).id] = { team: "a" };
    tags[listed(2).id] = { team: "b" };
    tags[listed(3).id] = { team: "a", "bulkhead:key-rotation": "exempt" };
    tags[listed(4).id] = { team: "a", "bulkhead:key-rotation-days": "sixty" };
    tags[listed(5).id] = { team: "a", "bulkhead:key-rotation-days": "60" };
    const result = await takeInventory(
      EVENT,
      settingsWith({ accounts: { tags: [{ key: "team", values: ["a"] }], readTags: true } }),
      ports,
    );
    expect(result.leftOut.map(({ why }) => why)).to.deep.equal(["tags", "exempt", "malformed-tag"]);
    const list = JSON.parse(objects.files.get(result.accountsKey) ?? "");
    expect(list.map(({ days }: { days?: string }) => days)).to.deep.equal([undefined, "60"]);
  });

  it("uses the last list while the organization does not answer, and pauses without one", async () => {
    const { ports } = setUp([listed(1), listed(2)]);
    await takeInventory(EVENT, settingsWith(), ports);
    const down: AccountSource = {
      // biome-ignore lint/correctness/useYield: it fails before it has anything
      async *all() {
        throw new CallFailure("unreachable", "ListAccounts");
      },
      async *inUnit() {},
      tags: async () => ({}),
    };
    const result = await takeInventory(EVENT, settingsWith(), { ...ports, source: down });
    expect(result).to.deep.include({ state: "run", accounts: 2, listFrom: new Date(0).toISOString() });
    const none = await takeInventory(EVENT, settingsWith(), {
      ...ports,
      source: down,
      objects: new Objects(),
    });
    expect(none).to.deep.include({ state: "paused", reason: "organization-unreachable" });
  });

  it("stands by, and still keeps the list for the day on which it is promoted", async () => {
    const { ports, objects } = setUp([listed(1)], {
      permission: async () => ({ act: false, reason: "standby" }),
    });
    expect(await takeInventory(EVENT, settingsWith(), ports)).to.deep.include({
      state: "standby",
      accountsKey: "",
    });
    expect(objects.files.has("key-rotation/accounts/last.json")).to.equal(true);
  });
});

describe("the report of a run", () => {
  const outcome: UserOutcome = {
    userName: "=cmd()",
    row: "no-room",
    why: "",
    due: [],
    done: [],
    failed: [{ action: "rotate:K", code: "denied" }],
    told: ["escalate:two-keys:K"],
    reports: ["unreadable:record", "escalate:two-keys:K"],
  };
  const key = {
    userName: "=cmd()",
    id: "AKIA1",
    active: true,
    ageDays: 95.5,
    lastUsedDaysAgo: null,
    owner: "<script>",
  };
  const answer = (n: number) => ({
    runId: "run-1",
    accountId: listed(n).id,
    status: "done" as const,
    users: 1,
    outcomes: n === 1 ? [outcome] : [],
    keys: [{ ...key, id: `AKIA${n}` }],
  });

  it("is made from results in the bucket, of which one file is in memory at a time", async () => {
    const objects = new Objects();
    objects.files.set(
      "m/manifest.json",
      JSON.stringify({
        ResultFiles: { SUCCEEDED: [{ Key: "m/s0" }, { Key: "m/s1" }], FAILED: [{ Key: "m/f0" }] },
      }),
    );
    objects.files.set("m/s0", JSON.stringify([{ Output: JSON.stringify(answer(1)) }]));
    objects.files.set(
      "m/s1",
      JSON.stringify([
        { Output: JSON.stringify({ ...answer(2), keys: undefined, keysAt: "k/2" }) },
        { Output: "{}" },
      ]),
    );
    objects.files.set("k/2", JSON.stringify([{ ...key, id: "AKIA2" }]));
    objects.files.set(
      "m/f0",
      JSON.stringify([{ Input: JSON.stringify({ account: { id: listed(3).id } }), Error: "Lambda.Timeout" }]),
    );
    const alerts: unknown[] = [];
    const result = await summarize(
      {
        runId: "run-1",
        startedAt: "2026-01-01T00:00:00Z",
        inventory: { state: "run", reason: "", accounts: 4, leftOut: [] },
        map: { ResultWriterDetails: { Bucket: "bucket", Key: "m/manifest.json" } },
      },
      settingsWith(),
      { objects, now: () => new Date(0), alert: async (notice) => void alerts.push(notice) },
    );
    const file = (name: string) => objects.files.get(`key-rotation/reports/run-1/${name}`) ?? "";
    expect(result).to.deep.include({ failures: 1, cases: 2 });
    expect(JSON.parse(file("keys.json")).map((row: { key: string }) => row.key)).to.deep.equal([
      "AKIA1",
      "AKIA2",
    ]);
    const figures = JSON.parse(file("figures.json"));
    expect(figures.accounts).to.deep.equal({ done: 2, paused: 0, failed: 2, listed: 4, leftOut: 0 });
    expect(figures.due[0]).to.deep.equal({ label: "due now", keys: 2 });
    expect(file("report.html"))
      .to.include("<svg")
      .and.to.include("escalate:two-keys:K")
      .and.to.not.include("<script");
    expect(objects.files.get("key-rotation/reports/latest.json")).to.equal(file("figures.json"));
    expect(alerts).to.have.length(1);
  });

  it("alerts nobody when a standby stands by or nothing is wrong", async () => {
    for (const state of ["standby", "run"]) {
      const objects = new Objects();
      const alerts: unknown[] = [];
      await summarize(
        {
          runId: "run-1",
          inventory: { state, reason: "", accounts: 0, leftOut: [] },
          map: state === "run" ? [answer(2)] : null,
        },
        settingsWith(),
        { objects, now: () => new Date(0), alert: async (notice) => void alerts.push(notice) },
      );
      expect(alerts).to.deep.equal([]);
      expect(objects.files.get("key-rotation/reports/latest.json")).to.include(`"state": "${state}"`);
    }
  });

  it("has no formulas in its CSV", () => {
    const lines = csvLines([keyRow("000000000001", { ...key, owner: "+1" }, 90)], true).split("\r\n");
    expect(lines[1]).to.equal("000000000001,'=cmd(),AKIA1,active,95.5,never,-5.5,'+1");
  });
});

describe("settings", () => {
  it("name what is wrong", () => {
    expect(() => settingsWith({ mode: "dry" })).to.throw(/KEY_ROTATION_SETTINGS is wrong: mode: /);
    expect(() => settingsWith({ secrets: { region: "us-east-1" } })).to.throw(/secrets\.kmsKeyId is missing/);
    expect(() => settingsWith({ policy: { rotate: 100 } })).to.throw(
      /policy\.deactivate: 100 days: more than rotate/,
    );
    expect(() => settingsWith({ shortestRotateDays: 91 })).to.throw(
      /shortestRotateDays is 91: at most policy\.rotate \(90\)/,
    );
    expect(settingsWith()).to.deep.include({
      mode: "audit",
      policy: { rotate: 90, deactivate: 100, delete: 110, idle: 3 },
    });
  });
});
