/** The pure parts: wire values, paths, aliases, decisions, orders, durations, differences, the event log. */

import { expect } from "chai";
import * as fc from "fast-check";
import { readEventLog } from "../../local/engine/eventLog";
import { Journal } from "../../local/engine/journal";
import {
  aliasUrns,
  applyIgnoreChanges,
  decide,
  deletionOrder,
  dependentReplacements,
  needs,
} from "../../local/engine/planner";
import { masked, propertyDiffs } from "../../local/engine/propertyDiff";
import { formatPath, parsePath, pathContains } from "../../local/engine/propertyPath";
import type { ResourceState } from "../../local/engine/state";
import { parseDuration } from "../../local/engine/timeouts";
import { makeUrn, nameOf, typeOf } from "../../local/engine/urn";
import {
  alignAssets,
  containsSecret,
  downgradeOutputs,
  markSecrets,
  plain,
  SIGNATURE,
  SIGNATURE_ASSET,
  SIGNATURE_OUTPUT,
  SIGNATURE_RESOURCE,
  sameValue,
  secret,
  UNKNOWN,
} from "../../local/engine/wire";

const SEED = { seed: 20261122 };

function state(name: string, more: Partial<ResourceState> = {}): ResourceState {
  return {
    urn: makeUrn({ stack: "s", project: "p", parent: undefined, type: "fake:index:Thing", name }),
    type: "fake:index:Thing",
    custom: true,
    id: name,
    inputs: {},
    outputs: {},
    dependencies: [],
    propertyDependencies: {},
    ...more,
  };
}

describe("engine: wire values", () => {
  it("unwraps secrets and references, and turns output values into what they hold", () => {
    const ref = { [SIGNATURE]: SIGNATURE_RESOURCE, urn: "u", id: "i" };
    expect(plain({ a: secret([secret(1)]), b: ref, c: UNKNOWN })).to.deep.equal({
      a: [1],
      b: "i",
      c: UNKNOWN,
    });
    const known = { [SIGNATURE]: SIGNATURE_OUTPUT, value: 1, secret: true, dependencies: ["u"] };
    expect(downgradeOutputs({ a: known, b: { [SIGNATURE]: SIGNATURE_OUTPUT } })).to.deep.equal({
      a: secret(1),
      b: UNKNOWN,
    });
  });

  it("marks outputs as secret where the inputs are, deep down, and whole arrays that hold a secret", () => {
    const inputs = { a: secret("x"), b: { c: secret("y"), d: 1 }, e: [1, secret(2)], f: "clear" };
    const outputs = { a: "x", b: { c: "y", d: 1 }, e: [2, 1], f: "clear", g: "named" };
    expect(markSecrets(outputs, inputs, ["g"])).to.deep.equal({
      a: secret("x"),
      b: { c: secret("y"), d: 1 },
      e: secret([2, 1]),
      f: "clear",
      g: secret("named"),
    });
  });

  it("never loses a secret: whatever is secret in the inputs is secret in outputs of the same shape", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("a", 1, true),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("k", "l"), tie("any"), { maxKeys: 2 }),
        tie("any").map((v) => secret(v)),
      ),
    })).any;
    fc.assert(
      fc.property(value, (v) => {
        const marked = markSecrets({ v: plain(v) }, { v }, []);
        expect(containsSecret(marked)).to.equal(containsSecret(v));
        expect(plain(marked)).to.deep.equal({ v: plain(v) });
      }),
      SEED,
    );
  });

  it("takes an asset with the old content for the old asset, wherever it lies", () => {
    const asset = (path: string, hash: string) => ({ [SIGNATURE]: SIGNATURE_ASSET, path, hash });
    const olds = { code: asset("/old/place", "h1"), list: [asset("/old/a", "h2")] };
    expect(
      alignAssets(olds, { code: asset("/new/place", "h1"), list: [asset("/new/a", "h2")] }),
    ).to.deep.equal(olds);
    const changed = { code: asset("/new/place", "h3"), list: [asset("/old/a", "h2")] };
    expect(alignAssets(olds, changed)).to.deep.equal(changed);
  });
});

describe("engine: property paths", () => {
  it("reads what Pulumi writes and refuses the rest", () => {
    expect(parsePath('a.b[0]["c.d"].e[*]')).to.deep.equal(["a", "b", 0, "c.d", "e", "*"]);
    expect(formatPath(["a", "b", 0, "c.d", "e"])).to.equal('a.b[0]["c.d"].e');
    expect(() => parsePath("a[x]")).to.throw('"a[x]" is not a property path');
    expect(pathContains(parsePath("a[*].b"), parsePath("a[3].b.c"))).to.equal(true);
    expect(pathContains(parsePath("a.b"), parsePath("a"))).to.equal(false);
  });

  it("survives being written and read", () => {
    const step = fc.oneof(
      fc.nat(9),
      fc.string({ minLength: 1 }).filter((s) => s !== "*" && !s.includes("\\")),
    );
    const path = fc
      .tuple(
        fc.string({ minLength: 1 }).filter((s) => !s.includes("\\")),
        fc.array(step),
      )
      .map(([h, t]) => [h, ...t]);
    fc.assert(
      fc.property(path, (p) => {
        expect(parsePath(formatPath(p))).to.deep.equal(p);
      }),
      SEED,
    );
  });

  it("ignoreChanges puts back exactly what the paths name", () => {
    const olds = { a: 1, tags: { Owner: "old", Kept: "x" }, rules: [{ p: 1 }, { p: 2 }], gone: true };
    const news = { a: 2, tags: { Owner: "new", Added: "y" }, rules: [{ p: 9 }, { p: 8 }], fresh: 1 };
    const result = applyIgnoreChanges(news, olds, ["tags.Owner", "rules[*].p", "gone", "fresh"]);
    expect(result).to.deep.equal({
      a: 2,
      tags: { Owner: "old", Added: "y" },
      rules: [{ p: 1 }, { p: 2 }],
      gone: true,
    });
  });
});

describe("engine: decisions", () => {
  const none = { changed: [], replaces: [], deleteBeforeReplace: false };
  const base = {
    old: state("a"),
    diff: none,
    replaceOnChanges: [],
    deleteBeforeReplace: undefined,
    forcedBy: [],
  };

  it("leaves, updates or replaces", () => {
    expect(decide(base).op).to.equal("same");
    expect(decide({ ...base, diff: { ...none, changed: ["x"] } }).op).to.equal("update");
    expect(decide({ ...base, diff: { ...none, changed: ["x"], replaces: ["x"] } })).to.deep.include({
      op: "replace",
      replaceKeys: ["x"],
    });
    expect(decide({ ...base, old: state("a", { initErrors: ["half"] }) }).op).to.equal("update");
    expect(decide({ ...base, old: state("a", { pendingReplacement: true }) }).op).to.equal("replace");
    expect(decide({ ...base, forcedBy: ["provider"] }).replaceKeys).to.deep.equal(["provider"]);
    const tagged = { ...base, diff: { ...none, changed: ["tags"] }, replaceOnChanges: ["tags.Owner"] };
    expect(decide(tagged).op).to.equal("replace");
  });

  it("the resource option decides over the provider whether the old one goes first", () => {
    const diff = { changed: ["x"], replaces: ["x"], deleteBeforeReplace: true };
    expect(decide({ ...base, diff }).deleteFirst).to.equal(true);
    expect(decide({ ...base, diff, deleteBeforeReplace: false }).deleteFirst).to.equal(false);
  });

  it("replaces if and only if something forces it, and never without a reason", () => {
    const keys = fc.subarray(["a", "b", "c", "d"]);
    fc.assert(
      fc.property(keys, keys, keys, keys, fc.boolean(), (changed, replacing, on, forcedBy, isPending) => {
        const replaces = replacing.filter((key) => changed.includes(key));
        const old = state("r", isPending ? { pendingReplacement: true } : {});
        const diff = { changed, replaces, deleteBeforeReplace: false };
        const decision = decide({
          old,
          diff,
          replaceOnChanges: on,
          deleteBeforeReplace: undefined,
          forcedBy,
        });
        const hasReason = replaces.length + forcedBy.length > 0 || on.some((key) => changed.includes(key));
        expect(decision.op === "replace").to.equal(hasReason || isPending);
        expect(decision.replaceKeys.length > 0).to.equal(hasReason);
        if (!hasReason && !isPending) expect(decision.op).to.equal(changed.length > 0 ? "update" : "same");
      }),
      SEED,
    );
  });
});

describe("engine: aliases", () => {
  const at = { stack: "s", project: "p", parent: undefined, type: "t:i:T", name: "new" };
  const urn = (name: string, type = "t:i:T", parent?: string) => makeUrn({ ...at, parent, type, name });

  it("gives the URN of every kind of alias", () => {
    const parent = makeUrn({ ...at, type: "c:i:C", name: "box" });
    const urns = aliasUrns(
      at,
      [
        { urn: "urn:given" },
        { name: "old" },
        { type: "t:i:Old" },
        { parent },
        { stack: "s0", project: "p0" },
      ],
      new Map(),
    );
    expect(urns).to.deep.equal([
      "urn:given",
      urn("old"),
      urn("new", "t:i:Old"),
      urn("new", "t:i:T", parent),
      "urn:pulumi:s0::p0::t:i:T::new",
    ]);
    expect(aliasUrns({ ...at, parent }, [{ noParent: true }], new Map())).to.deep.equal([urn("new")]);
  });

  it("gives the children of an aliased parent their old URNs, with the old name as prefix", () => {
    const parent = makeUrn({ ...at, type: "c:i:New", name: "app" });
    const oldParent = makeUrn({ ...at, type: "c:i:Old", name: "web" });
    const urns = aliasUrns(
      { ...at, parent, name: "app-role" },
      [{ name: "app-user" }],
      new Map([[parent, oldParent]]),
    );
    expect(urns).to.include.members([
      urn("web-role", "t:i:T", oldParent),
      urn("web-user", "t:i:T", oldParent),
    ]);
  });
});

describe("engine: orders", () => {
  /** Resources of which each may need any earlier ones, as in a state file. */
  const graph = fc
    .array(fc.array(fc.nat(20), { maxLength: 3 }), { minLength: 1, maxLength: 15 })
    .map((edges) =>
      edges.map((targets, i) => {
        const urns = [...new Set(targets.filter((t) => t < i))].map((t) => state(`r${t}`).urn);
        const half = Math.ceil(urns.length / 2);
        return state(`r${i}`, {
          dependencies: urns.slice(0, half),
          propertyDependencies: { x: urns.slice(half) },
        });
      }),
    );

  it("deletes every resource after all that need it, and nothing waits in a circle", () => {
    fc.assert(
      fc.property(graph, (resources) => {
        const order = deletionOrder(resources);
        const gone = new Set<string>();
        let left = [...resources];
        while (left.length > 0) {
          const ready = left.filter((r) => order.get(r)!.every((d) => gone.has(d.urn)));
          expect(ready).to.not.have.length(0);
          for (const r of ready) {
            for (const other of left) if (needs(other).has(r.urn)) expect(gone.has(other.urn)).to.equal(true);
          }
          for (const r of ready) gone.add(r.urn);
          left = left.filter((r) => !gone.has(r.urn));
        }
      }),
      SEED,
    );
  });

  it("finds for a replacement exactly those that are reached through resources that go along", async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.nat(14), async (resources, start) => {
        const root = resources[start % resources.length]!;
        const found = await dependentReplacements(root, resources, async (r, replaced) =>
          Object.values(r.propertyDependencies)
            .flat()
            .some((u) => replaced.has(u)),
        );
        const replaced = new Set([root.urn]);
        for (const r of resources) {
          const goes =
            r !== root &&
            Object.values(r.propertyDependencies)
              .flat()
              .some((u) => replaced.has(u));
          if (goes) replaced.add(r.urn);
          expect(found.includes(r)).to.equal(goes);
        }
      }),
      SEED,
    );
  });
});

describe("engine: what people read", () => {
  it("shows differences by path, masked", () => {
    const olds = { a: 1, tags: { x: "1", y: secret("s") }, list: [1, 2], gone: 1 };
    const news = { a: 1, tags: { x: "2", y: secret("t") }, list: [1, UNKNOWN, 3], added: secret("n") };
    expect(propertyDiffs(olds, news)).to.deep.equal([
      { path: "added", new: "[secret]" },
      { path: "gone", old: 1 },
      { path: "list[1]", old: 2, new: "[unknown]" },
      { path: "list[2]", new: 3 },
      { path: "tags.x", old: "1", new: "2" },
      { path: "tags.y", old: "[secret]", new: "[secret]" },
    ]);
    expect(propertyDiffs(olds, news, ["tags", "list[*]"]).map((d) => d.path)).to.deep.equal([
      "added",
      "gone",
    ]);
  });

  it("never shows a secret's content", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.jsonValue({ maxDepth: 2 }), (text, other) => {
        fc.pre(!JSON.stringify(other).includes(text));
        const shown = JSON.stringify([
          masked({ a: [secret({ b: text })], other }),
          propertyDiffs({ other }, { k: secret(text) }),
        ]);
        expect(shown).to.not.include(JSON.stringify(text).slice(1, -1));
      }),
      SEED,
    );
  });

  it("compares values without regard to the order of keys", () => {
    expect(sameValue({ a: 1, b: [{ c: 2 }], d: undefined }, { b: [{ c: 2 }], a: 1 })).to.equal(true);
    expect(sameValue({ a: [] }, { a: {} })).to.equal(false);
  });

  it("reads durations", () => {
    expect([parseDuration("90s"), parseDuration("1h30m"), parseDuration("250ms")]).to.deep.equal([
      90, 5400, 0.25,
    ]);
    expect(() => parseDuration("5 minutes")).to.throw('"5 minutes" is not a duration');
  });

  it("names types and names of URNs, also names with colons", () => {
    const urn = makeUrn({
      stack: "s",
      project: "p",
      parent: "urn:pulumi:s::p::c:i:C::x",
      type: "t:i:T",
      name: "a::b",
    });
    expect([urn, typeOf(urn), nameOf(urn)]).to.deep.equal([
      "urn:pulumi:s::p::c:i:C$t:i:T::a::b",
      "t:i:T",
      "a::b",
    ]);
  });

  it("reads the genuine engine's event log, also one that breaks off", () => {
    const urn = state("a").urn;
    const metadata = {
      op: "update",
      urn,
      type: "fake:index:Thing",
      old: { inputs: { a: 1 } },
      new: { inputs: { a: 2 } },
    };
    const own = { ...metadata, op: "create", type: "pulumi:providers:fake", old: null, new: { parent: "" } };
    const log = [
      { resourcePreEvent: { metadata } },
      { resourcePreEvent: { metadata: own } },
      { diagnosticEvent: { severity: "error", message: "bad\n", urn } },
      {
        policyEvent: {
          resourceUrn: urn,
          message: "m\n",
          policyName: "p",
          policyPackName: "k",
          enforcementLevel: "mandatory",
        },
      },
      { summaryEvent: { resourceChanges: { update: 1, same: 2 } } },
    ];
    const journal = new Journal({}, false);
    const { counts } = readEventLog(`${log.map((e) => JSON.stringify(e)).join("\n")}\n{"diagn`, journal);
    expect(counts).to.deep.equal({ update: 1, same: 2 });
    expect(journal.plan).to.deep.equal([
      { op: "update", urn, type: "fake:index:Thing", diffs: [{ path: "a", old: 1, new: 2 }] },
    ]);
    expect(journal.diagnostics).to.deep.equal([{ severity: "error", message: "bad", urn }]);
    expect(journal.violations[0]).to.deep.include({
      policy: "p",
      pack: "k",
      enforcement: "mandatory",
      message: "m",
    });
  });
});
