import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { withDecisionTable } from "../../../docs/generate";
import { decide, decideDue } from "../../../functions/keyRotation/decide/decide";
import { parseState, StateError, type UserStateInput } from "../../../functions/keyRotation/decide/state";
import { TABLE } from "../../../functions/keyRotation/decide/table";
import { ACTING, key, ours, rotated, state } from "./support/states";

const decided = (input: UserStateInput) => decide(parseState(input));

interface Example {
  row: string;
  name: string;
  state: UserStateInput;
  actions?: string[];
  notify?: string[];
}

const user = { exemptGroup: false, tags: {}, breakGlass: false } as const;
const due = [key("A", 95)];
const deactivated = rotated(20, {
  deactivatedDaysAgo: 10,
  lastAction: "deactivate:A",
  mailed: ["rotated:A", "deactivated:A"],
});
const inactive = { status: "Inactive", lastUsedDaysAgo: 30 } as const;

/** At least one example of every row; what is not said is expected to be empty. */
const EXAMPLES: Example[] = [
  { row: "cell-inactive", name: "standby", state: state(due, { cell: { ...ACTING, active: false } }) },
  {
    row: "cell-inactive",
    name: "standby with IAM out of reach stays silent",
    state: state(due, { cell: { ...ACTING, active: false, iamReachable: false } }),
  },
  {
    row: "cell-superseded",
    name: "a higher epoch",
    state: state(due, { cell: { ...ACTING, higherEpochAtPeer: true } }),
  },
  {
    row: "cell-superseded",
    name: "a higher epoch, although the peer need not be read",
    state: state(due, { cell: { ...ACTING, higherEpochAtPeer: true, peerRequired: false } }),
  },
  {
    row: "peer-unreadable",
    name: "cut off",
    state: state(due, { cell: { ...ACTING, peerReadable: false } }),
    notify: ["paused:peer-unreadable"],
  },
  {
    row: "iam-unreachable",
    name: "IAM's control plane is gone",
    state: state(due, { cell: { ...ACTING, iamReachable: false } }),
    notify: ["paused:iam-unreachable"],
  },
  {
    row: "break-glass",
    name: "an emergency user",
    state: state(due, { user: { ...user, breakGlass: true } }),
  },
  {
    row: "break-glass-unknown",
    name: "perhaps an emergency user",
    state: state(due, { user: { ...user, breakGlass: "unknown" } }),
    notify: ["unreadable:break-glass"],
  },
  { row: "exempt-group", name: "in the group", state: state(due, { user: { ...user, exemptGroup: true } }) },
  {
    row: "exempt-group-unreadable",
    name: "the group cannot be read (measured: exempt users are rotated)",
    state: state(due, { user: { ...user, exemptGroup: "unreadable" } }),
    notify: ["unreadable:exempt-group"],
  },
  {
    row: "exempt-group-unreadable",
    name: "the same in other words",
    state: state(due, { user: { ...user, exemptGroup: { error: "AccessDenied" } } }),
    notify: ["unreadable:exempt-group"],
  },
  {
    row: "tags-unreadable",
    name: "tags cannot be read",
    state: state(due, { user: { ...user, tags: "unreadable" } }),
    notify: ["unreadable:tags"],
  },
  {
    row: "exempt-tag",
    name: "tagged",
    state: state(due, { user: { ...user, tags: { "bulkhead:key-rotation": "exempt" } } }),
  },
  {
    row: "tags-malformed",
    name: "a misspelt exemption",
    state: state(due, { user: { ...user, tags: { "bulkhead:key-rotation": "Exempt" } } }),
    notify: ["malformed-tag:bulkhead:key-rotation"],
  },
  ...["ninety", "", "0", "-1", "1.5", " 60", "60/50/40", "60/70", "1e2", "60/70/80/90", "99999"].map(
    (value) => ({
      row: "tags-malformed",
      name: `days "${value}"`,
      state: state(due, { user: { ...user, tags: { "bulkhead:key-rotation-days": value } } }),
      notify: ["malformed-tag:bulkhead:key-rotation-days"],
    }),
  ),
  {
    row: "record-unreadable",
    name: "no answer from the table",
    state: state(due, { record: { error: "unreadable" } }),
    notify: ["unreadable:record"],
  },
  { row: "no-keys", name: "no keys", state: state([]) },
  {
    row: "implausible-times",
    name: "a key from the future",
    state: state([key("A", -2)]),
    notify: ["implausible-time:A"],
  },
  {
    row: "implausible-times",
    name: "used in the future",
    state: state([key("A", 95, { lastUsedDaysAgo: -3 })]),
    notify: ["implausible-time:A"],
  },
  {
    row: "implausible-times",
    name: "used before it was made",
    state: state([key("A", 95, { lastUsedDaysAgo: 99 })]),
    notify: ["implausible-time:A"],
  },
  {
    row: "implausible-times",
    name: "rotated tomorrow",
    state: state([key("A", 95), ours("B", 0)], { record: rotated(-1) }),
    notify: ["implausible-time:record"],
  },
  {
    row: "implausible-times",
    name: "deactivated before it was rotated",
    state: state([key("A", 115, inactive), ours("B", 20)], {
      record: rotated(20, { deactivatedDaysAgo: 25 }),
    }),
    notify: ["implausible-time:record"],
  },
  {
    row: "implausible-times",
    name: "the new key is younger than its rotation",
    state: state([key("A", 105), ours("B", 2)], { record: rotated(12) }),
    notify: ["implausible-time:record"],
  },
  {
    row: "implausible-times",
    name: "a rotation without its time",
    state: state([key("A", 105), ours("B", 12)], { record: rotated(0, { rotatedDaysAgo: null }) }),
    notify: ["implausible-time:record"],
  },
  {
    row: "implausible-times",
    name: "a key that replaced itself",
    state: state([key("A", 105)], { record: rotated(12, { newKey: "A" }) }),
    notify: ["implausible-time:record"],
  },
  {
    row: "unknown-last-use",
    name: "throttled (measured: counts as never used, and a key in daily use is deleted)",
    state: state([key("A", 115, { status: "Inactive", lastUsedDaysAgo: "unknown" }), ours("B", 20)], {
      record: deactivated,
    }),
    notify: ["unreadable-last-use:A"],
  },
  {
    row: "unknown-last-use",
    name: "at the deactivation",
    state: state([key("A", 105, { lastUsedDaysAgo: "unknown" }), ours("B", 12)], { record: rotated(12) }),
    notify: ["unreadable-last-use:A"],
  },
  {
    row: "orphan-and-rotate",
    name: "storing failed (measured: the credential is lost, then the old one disabled)",
    state: state([key("A", 95), ours("B", 0, { inSecret: false })], {
      record: { oldKey: "A", lastAction: "rotating:A", mailed: [] },
    }),
    actions: ["deleteOrphan:B", "rotate:A"],
    notify: ["orphan-deleted:B", "rotated:A"],
  },
  {
    row: "orphan-and-rotate",
    name: "the same with no record",
    state: state([key("A", 95), ours("B", 0, { inSecret: false })]),
    actions: ["deleteOrphan:B", "rotate:A"],
    notify: ["orphan-deleted:B", "rotated:A"],
  },
  {
    row: "orphan-and-rotate",
    name: "a record that names the key while the rotation is in progress",
    state: state([key("A", 95), ours("B", 0, { inSecret: false })], {
      record: { oldKey: "A", newKey: "B", rotatedDaysAgo: 0, lastAction: "rotating:A" },
    }),
    actions: ["deleteOrphan:B", "rotate:A"],
    notify: ["orphan-deleted:B", "rotated:A"],
  },
  {
    row: "orphan",
    name: "beside an inactive key",
    state: state([key("A", 95, { status: "Inactive" }), ours("B", 0, { inSecret: false })], {
      record: { oldKey: "A", lastAction: "rotating:A" },
    }),
    actions: ["deleteOrphan:B"],
    notify: ["orphan-deleted:B"],
  },
  {
    row: "orphan",
    name: "whose owner deleted the old key meanwhile",
    state: state([ours("B", 3, { inSecret: false })], { record: { oldKey: "A", lastAction: "rotating:A" } }),
    actions: ["deleteOrphan:B"],
    notify: ["orphan-deleted:B"],
  },
  {
    row: "replacement-gone-rotate",
    name: "the owner deleted the new key",
    state: state([key("A", 98)], { record: rotated(8) }),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
  {
    row: "replacement-gone",
    name: "the new key is gone, the old one deactivated",
    state: state([key("A", 111, inactive)], { record: deactivated }),
    notify: ["escalate:replacement-gone:A"],
  },
  {
    row: "replacement-gone",
    name: "replaced by a key of the owner's",
    state: state([key("A", 105), key("C", 1)], { record: rotated(15) }),
    notify: ["escalate:replacement-gone:A"],
  },
  {
    row: "waiting-for-deactivation",
    name: "nine days after the rotation",
    state: state([key("A", 99.9), ours("B", 9.9)], { record: rotated(9.9) }),
  },
  {
    row: "waiting-for-deactivation",
    name: "a late rotation has all of its days",
    state: state([key("A", 300), ours("B", 9)], { record: rotated(9) }),
  },
  {
    row: "waiting-for-deactivation",
    name: "a crash before the record was completed: the secret proves the rotation",
    state: state([key("A", 95), ours("B", 0)], {
      record: { oldKey: "A", lastAction: "rotating:A", mailed: [] },
    }),
    notify: ["rotated:A"],
  },
  {
    row: "re-enabled",
    name: "its owner enabled it again",
    state: state([key("A", 112), ours("B", 22)], {
      record: rotated(22, { deactivatedDaysAgo: 12, lastAction: "deactivate:A", mailed: true }),
    }),
    notify: ["escalate:re-enabled:A"],
  },
  {
    row: "new-key-not-in-secret",
    name: "at the deactivation",
    state: state([key("A", 105, { lastUsedDaysAgo: 50 }), ours("B", 12, { inSecret: false })], {
      record: rotated(12),
    }),
    notify: ["escalate:not-in-secret:B"],
  },
  {
    row: "new-key-not-in-secret",
    name: "at the deletion",
    state: state([key("A", 112, inactive), ours("B", 20, { inSecret: false })], { record: deactivated }),
    notify: ["escalate:not-in-secret:B"],
  },
  {
    row: "new-key-inactive",
    name: "at the deactivation",
    state: state([key("A", 105, { lastUsedDaysAgo: 50 }), ours("B", 12, { status: "Inactive" })], {
      record: rotated(12),
    }),
    notify: ["escalate:new-key-inactive:B"],
  },
  {
    row: "new-key-inactive",
    name: "at the deletion",
    state: state([key("A", 112, inactive), ours("B", 20, { status: "Inactive" })], { record: deactivated }),
    notify: ["escalate:new-key-inactive:B"],
  },
  {
    row: "old-key-in-use",
    name: "used every day (measured: disabled at day 97, deleted at 114)",
    state: state([key("A", 114), ours("B", 24)], { record: rotated(24) }),
    notify: ["escalate:in-use:A"],
  },
  {
    row: "old-key-in-use",
    name: "just under the idle days",
    state: state([key("A", 100, { lastUsedDaysAgo: 2.99 }), ours("B", 10)], { record: rotated(10) }),
    notify: ["escalate:in-use:A"],
  },
  {
    row: "deactivate",
    name: "idle long enough",
    state: state([key("A", 100, { lastUsedDaysAgo: 3 }), ours("B", 10)], { record: rotated(10) }),
    actions: ["deactivate:A"],
    notify: ["deactivated:A"],
  },
  {
    row: "deactivate",
    name: "never used",
    state: state([key("A", 100, { lastUsedDaysAgo: null }), ours("B", 10)], { record: rotated(10) }),
    actions: ["deactivate:A"],
    notify: ["deactivated:A"],
  },
  {
    row: "disabled-by-owner-no-room",
    name: "the owner's inactive key blocks the next rotation",
    state: state([key("A", 180, inactive), ours("B", 90)], { record: rotated(90) }),
    notify: ["escalate:two-keys:B"],
  },
  {
    row: "disabled-by-owner",
    name: "the owner disabled it",
    state: state([key("A", 150, inactive), ours("B", 60)], { record: rotated(60) }),
  },
  {
    row: "waiting-for-deletion",
    name: "a late deactivation has all of its days",
    state: state([key("A", 119, inactive), ours("B", 29)], {
      record: rotated(29, { deactivatedDaysAgo: 9.9, lastAction: "deactivate:A", mailed: true }),
    }),
  },
  {
    row: "waiting-for-deletion",
    name: "a crash before the deactivation was recorded: it counts from now",
    state: state([key("A", 119, inactive), ours("B", 29)], {
      record: rotated(29, { lastAction: "deactivating:A" }),
    }),
    notify: ["deactivated:A"],
  },
  {
    row: "used-since-replacement",
    name: "used after the rotation",
    state: state([key("A", 112, { status: "Inactive", lastUsedDaysAgo: 15 }), ours("B", 20)], {
      record: deactivated,
    }),
    notify: ["escalate:used-since-replacement:A"],
  },
  {
    row: "delete",
    name: "nothing has missed it",
    state: state([key("A", 112, inactive), ours("B", 20)], { record: deactivated }),
    actions: ["delete:A"],
    notify: ["deleted:A"],
  },
  { row: "young", name: "a key of 89 days", state: state([key("A", 89.9)]) },
  {
    row: "young",
    name: "a 50-day key its owner disabled today (measured: deleted on the next run)",
    state: state([key("A", 50, { status: "Inactive" })]),
  },
  { row: "young", name: "an old key its owner disabled", state: state([key("A", 500, inactive)]) },
  { row: "young", name: "two young keys of the owner's", state: state([key("A", 20), key("C", 10)]) },
  {
    row: "young",
    name: "what a tag allows to grow older",
    state: state(due, { user: { ...user, tags: { "bulkhead:key-rotation-days": "180" } } }),
  },
  {
    row: "young",
    name: "the owner removed the old key",
    state: state([ours("B", 12)], { record: rotated(12) }),
  },
  {
    row: "no-room",
    name: "two old keys (measured: both replaced, one new key orphaned)",
    state: state([key("A", 200), key("C", 150)]),
    notify: ["escalate:two-keys:A", "escalate:two-keys:C"],
  },
  {
    row: "no-room",
    name: "one old, one that its owner disabled",
    state: state([key("A", 95), key("C", 30, { status: "Inactive" })]),
    notify: ["escalate:two-keys:A"],
  },
  {
    row: "no-room",
    name: "a rotation of which there is no record",
    state: state([key("A", 130), ours("B", 30)]),
    notify: ["escalate:two-keys:A"],
  },
  {
    row: "no-room",
    name: "a record of keys that are gone",
    state: state([key("C", 95), key("D", 10)], { record: rotated(30) }),
    notify: ["escalate:two-keys:C"],
  },
  {
    row: "no-room",
    name: "a key that its owner made during a rotation that crashed",
    state: state([key("A", 95), key("C", 0)], { record: { oldKey: "A", lastAction: "rotating:A" } }),
    notify: ["escalate:two-keys:A"],
  },
  {
    row: "no-room",
    name: "a lost key that has been used is somebody's",
    state: state([key("A", 95), ours("B", 5, { inSecret: false, lastUsedDaysAgo: 1 })]),
    notify: ["escalate:two-keys:A"],
  },
  {
    row: "rotate",
    name: "90 days old",
    state: state([key("A", 90)]),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
  {
    row: "rotate",
    name: "never used",
    state: state([key("A", 400, { lastUsedDaysAgo: null })]),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
  {
    row: "rotate",
    name: "the second time",
    state: state([ours("B", 90, { lastUsedDaysAgo: 1 })], {
      record: rotated(90, { lastAction: "delete:A", mailed: true }),
    }),
    actions: ["rotate:B"],
    notify: ["rotated:B"],
  },
  {
    row: "rotate",
    name: "a crash before the key was made",
    state: state(due, { record: { oldKey: "A", lastAction: "rotating:A", mailed: [] } }),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
  {
    row: "rotate",
    name: "as young as its tag says",
    state: state([key("A", 30)], { user: { ...user, tags: { "bulkhead:key-rotation-days": "30" } } }),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
  {
    row: "rotate",
    name: "the peer's region declared dead",
    state: state(due, {
      cell: { ...ACTING, peerReadable: false, peerRequired: false, higherEpochAtPeer: null },
    }),
    actions: ["rotate:A"],
    notify: ["rotated:A"],
  },
];

describe("the decision table of key rotation", () => {
  describe("rows", () => {
    for (const { row, name, state: input, actions = [], notify = [] } of EXAMPLES) {
      it(`${row}: ${name}`, () => {
        const decision = decided(input);
        expect({ row: decision.row, actions: decision.actions }).to.deep.equal({ row, actions });
        expect(decision.notify).to.deep.equal(notify);
        expect(decision.why).to.not.equal("");
      });
    }

    it("has an example of each", () => {
      expect(new Set(EXAMPLES.map(({ row }) => row))).to.deep.equal(new Set(TABLE.map(({ id }) => id)));
      expect(new Set(TABLE.map(({ id }) => id)).size).to.equal(TABLE.length);
    });

    it("is documented as it is (mend with npm run docs)", () => {
      const page = fs.readFileSync(path.join(__dirname, "../../../docs/key-rotation.md"), "utf8");
      expect(page).to.equal(withDecisionTable(page));
    });

    it("does nothing in audit mode, and tells what would be done", () => {
      for (const example of EXAMPLES) {
        const audit = decideDue(parseState({ ...example.state, mode: "audit" }));
        expect(audit.actions, example.name).to.deep.equal([]);
        expect(audit.due, example.name).to.deep.equal(example.actions ?? []);
        for (const entry of audit.notify)
          if (/^(due|escalate)/.test(entry)) expect(entry).to.not.match(/^(rotated|deleted)/);
      }
      expect(decided(state(due, { mode: "audit" })).notify).to.deep.equal(["due:A"]);
      expect(decided(state(due, { mode: undefined })).notify).to.deep.equal(["due:A"]);
    });

    it("tells nothing twice that it does not do twice", () => {
      const guards = TABLE.findIndex(({ id }) => id === "no-keys");
      for (const example of EXAMPLES) {
        const { record } = parseState(example.state);
        if (TABLE.findIndex(({ id }) => id === example.row) < guards || (record && "error" in record))
          continue;
        const first = decided({ ...example.state, mode: "audit" });
        const mailed =
          record?.mailed === true
            ? true
            : [...(Array.isArray(record?.mailed) ? record.mailed : []), ...first.notify];
        const again = decided({ ...example.state, mode: "audit", record: { ...record, mailed } });
        if (mailed !== true && again.row === first.row) expect(again.notify, example.name).to.deep.equal([]);
      }
    });

    it("tells what was done and not told", () => {
      const waiting = state([key("A", 95), ours("B", 5)], { record: rotated(5, { mailed: [] }) });
      expect(decided(waiting)).to.deep.include({ actions: [], notify: ["rotated:A"] });
      expect(decided({ ...waiting, record: rotated(5, { mailed: false }) }).notify).to.deep.equal([
        "rotated:A",
      ]);
      expect(decided({ ...waiting, record: rotated(5, { mailed: true }) }).notify).to.deep.equal([]);
      expect(decided({ ...waiting, record: rotated(5, { mailed: undefined }) }).notify).to.deep.equal([]);
    });
  });

  describe("a cycle of 90, 100 and 110 days (measured: 90, 97 and 107)", () => {
    it("takes each step on its day, and not before", () => {
      const steps: [number, string][] = [];
      let record: UserStateInput["record"] = null;
      for (let day = 0; day <= 130; day += 1) {
        const rotation = record && "rotatedDaysAgo" in record;
        const sinceRotation = day - 90;
        const old = {
          status: steps.length > 1 ? ("Inactive" as const) : ("Active" as const),
          lastUsedDaysAgo: day < 90 ? 0 : day - 89,
        };
        const keys = [
          ...(steps.length < 3 ? [key("A", day, old)] : []),
          ...(rotation ? [ours("B", sinceRotation)] : []),
        ];
        const { actions } = decided(state(keys, { record }));
        for (const action of actions) {
          steps.push([day, action]);
          if (action === "rotate:A") record = rotated(0);
        }
        if (record) {
          const deactivatedOn = steps.find(([, action]) => action === "deactivate:A")?.[0];
          record = rotated(sinceRotation + 1, {
            deactivatedDaysAgo: deactivatedOn === undefined ? null : day + 1 - deactivatedOn,
          });
        }
      }
      // The old key was last used on day 89, before it was replaced.
      expect(steps).to.deep.equal([
        [90, "rotate:A"],
        [100, "deactivate:A"],
        [110, "delete:A"],
      ]);
    });
  });

  describe("safety, over all combinations", () => {
    const STATUSES = ["Active", "Inactive"] as const;
    const variants = (id: string) =>
      STATUSES.flatMap((status) =>
        [0, 12, 30, 95].flatMap((ageDays) =>
          [null, 0.5, 11, "unknown" as const].flatMap((lastUsedDaysAgo) =>
            [true, false].flatMap((inSecret) =>
              [true, false].map((createdByUs) => ({
                id,
                status,
                ageDays,
                lastUsedDaysAgo,
                inSecret,
                createdByUs,
              })),
            ),
          ),
        ),
      );
    const RECORDS: UserStateInput["record"][] = [
      null,
      { mailed: ["due:A"] },
      { oldKey: "A", lastAction: "rotating:A" },
      rotated(5),
      rotated(12),
      rotated(12, { lastAction: "deactivating:A" }),
      rotated(30),
      rotated(30, { deactivatedDaysAgo: 5 }),
      rotated(30, { deactivatedDaysAgo: 12 }),
      rotated(12, { oldKey: "X" }),
      rotated(12, { newKey: "X" }),
    ];

    it("acts exactly when the conditions of the specification hold", function () {
      this.timeout(120_000);
      const counts = new Map<string, number>();
      const all = [
        [],
        ...variants("A").map((a) => [a]),
        ...variants("A").flatMap((a) => variants("B").map((b) => [a, b])),
      ];
      const parsed = RECORDS.map((record) => parseState(state([], { record })).record);
      const base = parseState(state([]));
      for (const keys of all) {
        for (const record of parsed) {
          const { actions, row } = decide({ ...base, keys, record });
          expect(actions.map((action) => action.split(":")[0])).to.deep.equal(
            expectedActions(keys, record),
            JSON.stringify({ keys, record, row }),
          );
          counts.set(row, (counts.get(row) ?? 0) + 1);
        }
      }
      expect(counts.get("delete")).to.be.greaterThan(0);
      expect(counts.get("deactivate")).to.be.greaterThan(0);
    });

    it("does nothing while the cell does not act, the user is exempt or something is unreadable", () => {
      const blocks: Partial<UserStateInput>[] = [
        { cell: { ...ACTING, active: false } },
        { cell: { ...ACTING, higherEpochAtPeer: true } },
        { cell: { ...ACTING, peerReadable: false } },
        { cell: { ...ACTING, iamReachable: false } },
        { user: { ...user, breakGlass: true } },
        { user: { ...user, breakGlass: "unknown" } },
        { user: { ...user, exemptGroup: true } },
        { user: { ...user, exemptGroup: "unreadable" } },
        { user: { ...user, tags: { "bulkhead:key-rotation": "exempt" } } },
        { user: { ...user, tags: { "bulkhead:key-rotation-days": "x" } } },
        { user: { ...user, tags: "unreadable" } },
        { record: { error: "unreadable" } },
        { mode: "audit" },
      ];
      for (const example of EXAMPLES) {
        for (const block of blocks)
          expect(decided({ ...example.state, ...block }).actions, JSON.stringify(block)).to.deep.equal([]);
      }
    });

    it("decides about every state, and twice the same", () => {
      const days = fc.oneof(fc.integer({ min: -5, max: 400 }), fc.double({ min: -1, max: 200, noNaN: true }));
      const keyState = fc.record({
        id: fc.constantFrom("A", "B", "C", "D"),
        status: fc.constantFrom("Active", "Inactive"),
        ageDays: days,
        lastUsedDaysAgo: fc.oneof(days, fc.constant(null), fc.constant("unknown" as const)),
        inSecret: fc.boolean(),
        createdByUs: fc.boolean(),
      });
      const id = fc.constantFrom(null, "A", "B", "C", "D", "X");
      const record = fc.record({
        oldKey: id,
        newKey: id,
        rotatedDaysAgo: fc.option(days),
        deactivatedDaysAgo: fc.option(days),
        lastAction: fc.constantFrom(
          null,
          "rotating:A",
          "rotate:A",
          "deactivating:A",
          "deactivate:A",
          "delete:A",
          "?",
        ),
        mailed: fc.oneof(fc.boolean(), fc.constant(null), fc.array(fc.constantFrom("rotated:A", "due:A"))),
      });
      fc.assert(
        fc.property(
          fc.uniqueArray(keyState, { selector: (each) => each.id, maxLength: 4 }),
          fc.option(record),
          (keys, stored) => {
            const input = state(keys, { record: stored });
            const before = JSON.stringify(input);
            const decision = decided(input);
            expect(decided(input)).to.deep.equal(decision);
            expect(JSON.stringify(input)).to.equal(before);
            for (const action of decision.actions)
              expect(keys.some((each) => action.endsWith(`:${each.id}`))).to.equal(true);
            // The order of the keys means nothing.
            expect(new Set(decided({ ...input, keys: [...keys].reverse() }).actions)).to.deep.equal(
              new Set(decision.actions),
            );
          },
        ),
        { seed: 20_260_101, numRuns: 2_000 },
      );
    });
  });

  describe("what is no state", () => {
    const cases: [string, unknown, RegExp][] = [
      ["not an object", 7, /^the state: /],
      [
        "a key without status",
        { ...state([]), keys: [{ id: "A", ageDays: 1 }] },
        /^keys\[0\]\.status: Active or Inactive$/,
      ],
      ["a key that is there twice", state([key("A", 1), key("A", 2)]), /^keys\[1\]\.id: A is there twice$/],
      [
        "made by us, and it is not said whether a secret holds it",
        state([key("A", 1, { createdByUs: true, inSecret: undefined })]),
        /^keys\[0\]\.inSecret: required with createdByUs/,
      ],
      ["an age that is no number", state([key("A", Number.NaN)]), /^keys\[0\]\.ageDays: /],
      [
        "a misspelt name",
        { ...state([]), user: { ...user, exemptgroup: true } },
        /^user\.exemptgroup: not known here$/,
      ],
      [
        "no exemption group",
        { ...state([]), user: { breakGlass: false } },
        /^user\.exemptGroup: true, false or "unreadable"$/,
      ],
      [
        "a policy out of order",
        state([], { policy: { rotate: 100, deactivate: 90, delete: 110 } }),
        /^policy\.deactivate: 90 days: more than rotate \(100 days\)$/,
      ],
      [
        "a policy that deletes at once",
        state([], { policy: { delete: 100 } }),
        /^policy\.delete: 100 days: more than deactivate \(100 days\)$/,
      ],
      ["an unknown mode", { ...state([]), mode: "dry" }, /^mode: audit or enforce$/],
      ["no cell", { ...state([]), cell: undefined }, /^cell: \{active, /],
      [
        "a peer that is readable, with no epoch",
        state([], { cell: { ...ACTING, higherEpochAtPeer: undefined } }),
        /^cell\.higherEpochAtPeer: required/,
      ],
      [
        "a record of another form",
        { ...state([]), record: { oldKey: 3 } },
        /^record\.oldKey: a key's id or null$/,
      ],
      [
        "a tag that is no text",
        { ...state([]), user: { ...user, tags: { a: 1 } } },
        /^user\.tags\.a: a tag's value: a text$/,
      ],
    ];
    for (const [name, input, message] of cases) {
      it(name, () => {
        expect(() => parseState(input)).to.throw(StateError, message);
      });
    }
  });
});

/** The specification once more, written apart from the table: what may and must be done about two keys at most, in enforce mode. */
function expectedActions(
  keys: {
    id: string;
    status: string;
    ageDays: number;
    lastUsedDaysAgo: number | null | "unknown";
    inSecret: boolean;
    createdByUs: boolean;
  }[],
  record: ReturnType<typeof parseState>["record"],
): string[] {
  if (record && "error" in record) return [];
  if (keys.some(({ lastUsedDaysAgo }) => lastUsedDaysAgo === "unknown")) return [];
  if (
    keys.some(
      ({ ageDays, lastUsedDaysAgo }) => typeof lastUsedDaysAgo === "number" && lastUsedDaysAgo > ageDays + 1,
    )
  )
    return [];
  const inProgress = record?.lastAction === "rotating:A";
  const [a, b] = ["A", "B"].map((id) => keys.find((each) => each.id === id));
  const finished = inProgress && b?.createdByUs && b.inSecret;
  const rotatedDaysAgo = finished ? b.ageDays : (record?.rotatedDaysAgo ?? null);
  const named = finished ? ["A", "B"] : [record?.oldKey, record?.newKey];
  if (
    rotatedDaysAgo !== null &&
    keys.some(({ id, ageDays }) => named.includes(id) && ageDays < rotatedDaysAgo - 1)
  )
    return [];
  const orphan = (each: (typeof keys)[number]) =>
    each.createdByUs &&
    !each.inSecret &&
    each.lastUsedDaysAgo === null &&
    !named.includes(each.id) &&
    (record !== null || keys.length > 1);
  const orphans = keys.filter(orphan);
  const rest = keys.filter((each) => !orphan(each));
  const old = (each: (typeof keys)[number]) => each.status === "Active" && each.ageDays >= 90;
  const rotate = rest.length === 1 && rest.every(old) ? ["rotate"] : [];
  if (orphans.length > 0) return [...orphans.map(() => "deleteOrphan"), ...rotate];
  const underWay = rotatedDaysAgo !== null && a && named[0] === "A" && named[1] === "B" && b;
  if (!underWay) {
    // The old key of a rotation whose new key is gone is rotated again; nothing else differs from keys without a record.
    return rotate;
  }
  const replaced = b.status === "Active" && b.inSecret;
  if (a.status === "Active") {
    const idle = a.lastUsedDaysAgo === null || Number(a.lastUsedDaysAgo) >= 3;
    const first = (record?.deactivatedDaysAgo ?? null) === null;
    return rotatedDaysAgo >= 10 && replaced && idle && first ? ["deactivate"] : [];
  }
  const unused = a.lastUsedDaysAgo === null || Number(a.lastUsedDaysAgo) >= rotatedDaysAgo;
  const byUs = record?.deactivatedDaysAgo ?? -1;
  return rotatedDaysAgo >= 20 && byUs >= 10 && replaced && unused ? ["delete"] : [];
}
