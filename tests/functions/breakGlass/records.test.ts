import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import * as fc from "fast-check";
import { appendEverywhere, readEverywhere, union } from "../../../functions/breakGlass/records/bothCells";
import { DynamoDbEvidenceStore } from "../../../functions/breakGlass/records/dynamoDbEvidenceStore";
import { InMemoryEvidenceStore } from "../../../functions/breakGlass/records/inMemoryEvidenceStore";
import { type EvidenceOf, type EvidenceRecord, recordId } from "../../../functions/breakGlass/records/record";
import { type EvidenceStore, EvidenceUnavailable } from "../../../functions/breakGlass/records/store";
import { heldDevices, rotationDue } from "../../../functions/breakGlass/records/views";

const at = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString();

function used(day: number, userName = "u"): EvidenceOf<"useOpened"> {
  const id = recordId(at(day), `use-${userName}`);
  return {
    kind: "useOpened",
    id,
    at: at(day),
    by: "breakglass-use",
    userName,
    useId: id,
    cell: "prod",
    firstCall: "ConsoleLogin",
    region: "us-east-1",
  };
}

function issued(day: number, state: "prepared" | "effective", userName = "u"): EvidenceOf<"passwordIssued"> {
  return {
    kind: "passwordIssued",
    id: recordId(at(day), `${userName}-${state}`),
    at: at(day),
    by: "operator",
    userName,
    rotationId: "r",
    state,
    custodian: "alice@example.com",
    keyFingerprint: "A".repeat(40),
    ciphertext: "-----BEGIN PGP MESSAGE-----",
    cause: "rotation",
  };
}

class DeadStore implements EvidenceStore {
  async append(): Promise<void> {
    throw new EvidenceUnavailable("the region is gone");
  }
  async list(): Promise<never> {
    throw new EvidenceUnavailable("the region is gone");
  }
}

const side = (cell: string, store: EvidenceStore) => ({ cell, region: `${cell}-region`, store });

describe("evidence about emergency access", () => {
  describe("in both cells", () => {
    it("appends to both, and once only however often it is told", async () => {
      const stores = [new InMemoryEvidenceStore(), new InMemoryEvidenceStore()];
      const sides = stores.map((store, index) => side(`cell${index}`, store));
      for (let i = 0; i < 3; i++) {
        const writes = await appendEverywhere(sides, used(1));
        expect(writes.map(({ recorded }) => recorded)).to.deep.equal([true, true]);
      }
      for (const store of stores) expect(await store.list("useOpened")).to.deep.equal([used(1)]);
      expect((await readEverywhere(sides, "useOpened")).records).to.deep.equal([used(1)]);
    });

    it("takes one answer for enough and says which cell did not answer", async () => {
      const sides = [side("prod", new DeadStore()), side("dr", new InMemoryEvidenceStore())];
      const writes = await appendEverywhere(sides, used(1));
      expect(writes).to.deep.equal([
        { cell: "prod", region: "prod-region", recorded: false, error: "the region is gone" },
        { cell: "dr", region: "dr-region", recorded: true },
      ]);
      const { records, unanswered } = await readEverywhere(sides, "useOpened");
      expect(records).to.have.length(1);
      expect(unanswered).to.deep.equal([
        { cell: "prod", region: "prod-region", error: "the region is gone" },
      ]);
    });

    it("fails when no cell answers, naming both", async () => {
      const sides = [side("prod", new DeadStore()), side("dr", new DeadStore())];
      for (const attempt of [appendEverywhere(sides, used(1)), readEverywhere(sides, "useOpened")]) {
        const error = await attempt.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(EvidenceUnavailable);
        expect((error as Error).message).to.match(/prod: .*dr: /);
      }
    });

    it("gives the same union whatever the order and however often a record is met", () => {
      const records = fc.array(fc.integer({ min: 0, max: 40 }).map((day) => used(day) as EvidenceRecord));
      fc.assert(
        fc.property(records, records, (a, b) => {
          expect(union([...a, ...b])).to.deep.equal(union([...b, ...a, ...b]));
          expect(union(a).map(({ id }) => id)).to.deep.equal([...new Set(a.map(({ id }) => id))].sort());
        }),
        { seed: 4, numRuns: 200 },
      );
    });

    it("lists from a time on", async () => {
      const store = new InMemoryEvidenceStore(used(1), used(5), used(9));
      expect((await store.list("useOpened", at(5))).map((record) => record.at)).to.deep.equal([at(5), at(9)]);
    });
  });

  it("does not hang with a region, and names the table", async () => {
    // Nothing answers: the request is never sent on.
    const client = new DynamoDBClient({
      region: "us-west-2",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      requestHandler: { handle: () => new Promise(() => {}) },
    });
    const store = new DynamoDbEvidenceStore({
      client,
      tableName: "bulkhead-breakglass-records-dr",
      region: "us-west-2",
      timeoutMilliseconds: 20,
    });
    const error = await store.list("drillHeld").catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(EvidenceUnavailable);
    expect((error as Error).message).to.contain(
      "bulkhead-breakglass-records-dr (us-west-2): no answer within 20 ms",
    );
  });

  describe("a due rotation", () => {
    const cases: [
      string,
      EvidenceOf<"useOpened">[],
      EvidenceOf<"passwordIssued">[],
      [string, string][],
      string[],
    ][] = [
      ["nothing used", [], [], [], []],
      ["used, never changed", [used(3)], [], [], [at(3)]],
      ["used, then changed", [used(3)], [issued(4, "effective")], [], []],
      ["changed, then used", [used(4)], [issued(3, "effective")], [], [at(4)]],
      ["used, a change prepared only", [used(3)], [issued(4, "prepared")], [], [at(3)]],
      ["used twice, changed in between", [used(3), used(6)], [issued(4, "effective")], [], [at(6)]],
      ["used twice: the earlier counts", [used(6), used(3)], [], [], [at(3)]],
      ["changed past this program", [used(3)], [], [["u", at(4)]], []],
      ["changed past this program, before the use", [used(3)], [], [["u", at(2)]], [at(3)]],
      [
        "used in the second of the change: an event's whole seconds do not tell which came first",
        [used(3)],
        [{ ...issued(3, "effective"), at: at(3).replace(".000Z", ".900Z") }],
        [],
        [at(3)],
      ],
      [
        "used in the second before the change",
        [used(3)],
        [{ ...issued(3, "effective"), at: new Date(Date.parse(at(3)) + 1_000).toISOString() }],
        [],
        [],
      ],
      ["the other user's change does not count", [used(3)], [issued(4, "effective", "v")], [], [at(3)]],
    ];
    for (const [what, uses, passwords, changed, expected] of cases) {
      it(what, () => {
        expect(rotationDue(uses, passwords, new Map(changed)).map(({ usedAt }) => usedAt)).to.deep.equal(
          expected,
        );
      });
    }
  });

  it("tells which devices are held, and by whom last", () => {
    const enrolled = (day: number, serialNumber: string, holder: string): EvidenceOf<"deviceEnrolled"> => ({
      kind: "deviceEnrolled",
      id: recordId(at(day), serialNumber),
      at: at(day),
      by: "operator",
      userName: "u",
      serialNumber,
      deviceKind: "totp",
      holder,
    });
    const removed: EvidenceOf<"deviceRemoved"> = {
      kind: "deviceRemoved",
      id: recordId(at(5), "b"),
      at: at(5),
      by: "operator",
      userName: "u",
      serialNumber: "b",
      reason: "lost",
    };
    const devices = heldDevices(
      [
        enrolled(1, "a", "alice"),
        enrolled(2, "b", "bob"),
        enrolled(7, "a", "carol"),
        enrolled(6, "b", "dave"),
      ],
      [removed],
    );
    expect(devices.map(({ serialNumber, holder }) => `${serialNumber} ${holder}`)).to.deep.equal([
      "a carol",
      "b dave",
    ]);
    expect(heldDevices([enrolled(2, "b", "bob")], [removed])).to.deep.equal([]);
  });
});
