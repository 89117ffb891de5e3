/** What the engine does with registrations: every resource option, order, replacement, references. No SDK involved. */

import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { SIGNATURE, SIGNATURE_ARCHIVE, SIGNATURE_ASSET, secret, UNKNOWN } from "../../local/engine/wire";
import { FastWorld, type Options, type Program, type Script } from "./inProcess";
import { changes, errors, expectOk } from "./support";

describe("engine: deployments", () => {
  let world: FastWorld;
  beforeEach(() => {
    world = new FastWorld();
  });
  afterEach(() => world.stop());

  /** Deploys and gives the changes that reached the cloud; the preview before must have shown the same plan. */
  async function up(script: Script, more: Parameters<FastWorld["run"]>[1] = {}): Promise<string[]> {
    const preview = await world.rehearse(script, more);
    expectOk(preview);
    world.cloud.reset();
    const result = await world.run(script, more);
    expectOk(result);
    // A preview takes for changed what depends on an unknown; that may turn out to be the same.
    const isGuess = (name: string) =>
      preview.plan.some(
        (i) => `${i.op} ${i.urn.split("::").pop()}` === name && JSON.stringify(i.diffs).includes("[unknown]"),
      );
    const done = changes(result);
    expect(changes(preview).filter((name) => done.includes(name) || !isGuess(name))).to.deep.equal(done);
    expect(Object.values(result.counts).reduce((a, b) => a + b)).to.equal(
      Object.values(preview.counts).reduce((a, b) => a + b),
    );
    const state = await world.state();
    const urns = state.map((r) => r.urn);
    expect(new Set(urns).size, "a URN stands twice in the state").to.equal(urns.length);
    for (const [i, r] of state.entries()) {
      const needs = [...(r.dependencies ?? []), ...(r.parent ? [r.parent] : [])];
      for (const urn of needs)
        expect(urns.slice(0, i), `${r.urn} stands before what it needs`).to.include(urn);
    }
    return world.cloud.writes();
  }

  it("creates, leaves alone, updates, and deletes in reverse dependency order", async () => {
    const three: Script = async (p) => {
      const a = await p.thing("a", { size: 1 });
      const b = await p.user("b", a);
      await p.user("c", b);
    };
    expect(await up(three)).to.deep.equal(["create a", "create b", "create c"]);
    expect(await up(three)).to.deep.equal([]);
    const preview = await world.rehearse((p) => p.thing("a", { size: 2 }));
    expect(preview.plan.find((i) => i.op === "update")!.diffs).to.deep.equal([
      { path: "size", old: 1, new: 2 },
    ]);
    expect(await up((p) => p.thing("a", { size: 2 }))).to.deep.equal(["update a", "delete c", "delete b"]);
    expect(world.cloud.things.map((t) => t.id)).to.deep.equal(["a"]);
  });

  it("replaces by creating first, and deletes the old one after its users have moved", async () => {
    const script =
      (name: string): Script =>
      async (p) => {
        const a = await p.thing("a", { name });
        await p.user("b", a);
      };
    await up(script("one"));
    const plan = await world.rehearse(script("two"));
    expect(plan.plan.find((i) => i.op === "replace")!.replaceKeys).to.deep.equal(["name"]);
    expect(plan.counts).to.include({ replace: 1, update: 1 });
    expect(await up(script("two"))).to.deep.equal(["create two", "update b", "delete one"]);
  });

  it("replaces by deleting first where the provider or the option wants it, with what has to go along", async () => {
    const script =
      (kind: string, opts: Options = {}): Script =>
      async (p) => {
        const a = await p.thing("a", { kind }, opts);
        // `kind` is fixed: one that is not known yet replaces. What only depends on `a` stays.
        const inputs = { kind: String(a.outputs.arn), ref: a.id || UNKNOWN };
        await p.thing("goes", inputs, {
          dependencies: [a.urn],
          propertyDependencies: { kind: [a.urn], ref: [a.urn] },
        });
        await p.thing("stays", {}, { dependencies: [a.urn], propertyDependencies: {} });
      };
    await up(script("k1"));
    expect(await up(script("k2"))).to.deep.equal(["delete goes", "delete a", "create a", "create goes"]);
    // Not in this cloud, where names are unique: with the option against it the old one would have to stay.
    const other = await world.run(script("k3", { deleteBeforeReplace: false }));
    expect(errors(other)).to.equal("a thing named a exists already");
  });

  it("what was deleted ahead of a replacement and is no longer in the program is just gone", async () => {
    await up(async (p) => {
      const a = await p.thing("a", { kind: "k1" });
      const inputs = { kind: String(a.outputs.arn) };
      await p.thing("goes", inputs, { dependencies: [a.urn], propertyDependencies: { kind: [a.urn] } });
    });
    expect(await up((p) => p.thing("a", { kind: "k2" }))).to.deep.equal([
      "delete goes",
      "delete a",
      "create a",
    ]);
    expect((await world.state()).filter((r) => r.urn.endsWith("::goes"))).to.deep.equal([]);
  });

  it("refuses to replace or delete what is protected, and deletes nothing then", async () => {
    await up((p) => p.thing("a", { kind: "k1" }, { protect: true }));
    const replace = await world.run((p) => p.thing("a", { kind: "k2" }, { protect: true }));
    expect(errors(replace)).to.include("is protected and would have to be replaced (because of kind)");
    await up(async (p) => {
      await p.thing("a", { kind: "k1" }, { protect: true });
      await p.thing("b");
    });
    const remove = await world.run(async () => {});
    expect(errors(remove)).to.include("is protected and would be deleted");
    expect(errors(await world.rehearse(async () => {}))).to.include("is protected");
    expect(world.cloud.find("b")).to.not.equal(undefined);
    expect(world.cloud.find("a")!.serial).to.equal(1);
    const writes = await up((p) => p.thing("a", { kind: "k2" }, { protect: false }));
    expect(writes).to.deep.equal(["delete a", "create a", "delete b"]);
  });

  it("children inherit protect, retainOnDelete, deletedWith and the provider", async () => {
    await up(async (p) => {
      const provider = await p.provider("prov", { zone: "z1" });
      const box = await p.component("box", { protect: true, retainOnDelete: true, provider });
      await p.thing("a", {}, { parent: box.urn });
    });
    const a = await world.resource("a");
    expect(a).to.include({ protect: true, retainOnDelete: true });
    expect(a.provider).to.include("::prov::");
    expect(a.urn).to.include("component:x:Y$fake:index:Thing");
  });

  it("ignoreChanges keeps what is deployed; hideDiffs hides but does not ignore", async () => {
    await up((p) => p.thing("a", { size: 1, tags: { x: "1", y: "1" } }));
    const opts = { ignoreChanges: ["size", "tags.x"] };
    expect(await up((p) => p.thing("a", { size: 2, tags: { x: "2", y: "1" } }, opts))).to.deep.equal([]);
    const hidden = await world.rehearse((p) =>
      p.thing("a", { size: 2, tags: { x: "2" } }, { hideDiffs: ["tags"] }),
    );
    expect(hidden.plan.find((i) => i.op === "update")!.diffs.map((d) => d.path)).to.deep.equal(["size"]);
  });

  it("finds a resource under an alias: by URN, name, type, parent, and below an aliased parent", async () => {
    await up(async (p) => {
      const box = await p.component("box", {}, "component:x:Old");
      const a = await p.thing("box-a", { name: "a" }, { parent: box.urn });
      await p.user("b", a, { name: "b" });
      await p.thing("c", { name: "c" });
      await p.thing("d", { name: "d" });
    });
    const old = await world.resource("d");
    const writes = await up(async (p) => {
      const box = await p.component("crate", { aliases: [{ type: "component:x:Old", name: "box" }] });
      const a = await p.thing("crate-a", { name: "a" }, { parent: box.urn });
      await p.user(
        "b2",
        a,
        { name: "b" },
        { aliases: [{ name: "b" }], dependencies: [a.urn], parent: box.urn },
      );
    }).catch((error: Error) => error.message);
    // b2 moved below the box as well: an alias must say so, otherwise it is another resource.
    expect(writes).to.be.a("string");
    world.stop();
    world = new FastWorld();
    await up(async (p) => {
      const box = await p.component("box", {}, "component:x:Old");
      const a = await p.thing("box-a", { name: "a" }, { parent: box.urn });
      await p.user("b", a, { name: "b" });
      await p.thing("d", { name: "d" });
    });
    expect(
      await up(async (p) => {
        const box = await p.component("crate", { aliases: [{ type: "component:x:Old", name: "box" }] });
        const a = await p.thing("crate-a", { name: "a" }, { parent: box.urn });
        const moved = [{ name: "b", noParent: true }];
        await p.user("b2", a, { name: "b" }, { aliases: moved, dependencies: [a.urn], parent: box.urn });
        await p.thing("d2", { name: "d" }, { aliases: [{ urn: old.urn }] });
      }),
    ).to.deep.equal([]);
    expect((await world.resource("b2")).dependencies[0]).to.match(
      /component:x:Y\$fake:index:Thing::crate-a$/,
    );
  });

  it("refuses two resources of one URN, and an alias that is taken", async () => {
    const twice = await world.rehearse(async (p) => {
      await p.thing("a");
      await p.thing("a", { name: "other" });
    });
    expect(errors(twice)).to.include("Duplicate resource URN");
    await up((p) => p.thing("a"));
    const taken = await world.rehearse(async (p) => {
      await p.thing("a");
      await p.thing("b", {}, { aliases: [{ name: "a" }] });
    });
    // The first of them was found under its own URN, so the other is simply new.
    expect(taken.counts).to.include({ same: 2, create: 1 });
    const stolen = await world.rehearse(async (p) => {
      await p.thing("b", { name: "a" }, { aliases: [{ name: "a" }] });
      await p.thing("a");
    });
    expect(errors(stolen)).to.include("has an alias of that URN and took it over");
  });

  it("additionalSecretOutputs and the provider's own secret outputs are encrypted in the state and masked", async () => {
    await up((p) =>
      p.thing("a", { tags: { t: secret("in-clear-nowhere") } }, { additionalSecretOutputs: ["arn"] }),
    );
    const a = await world.resource("a");
    for (const value of [a.outputs.arn, a.outputs.serial, a.inputs.tags.t, a.outputs.tags.t]) {
      expect(value).to.have.property("ciphertext").that.matches(/^v1:/);
    }
    const files = fs
      .readdirSync(path.dirname(world.stateFile))
      .map((f) => fs.readFileSync(path.join(path.dirname(world.stateFile), f), "utf8"));
    expect(files.join()).to.not.include("in-clear-nowhere");
    expect(
      JSON.stringify(await world.rehearse((p) => p.thing("a", { tags: { t: secret("changed") } }))),
    ).to.not.include("changed");
  });

  it("a secret that did not change keeps its ciphertext", async () => {
    const script: Script = (p) => p.thing("a", { secret: secret("s") });
    await up(script);
    const before = (await world.resource("a")).inputs.secret.ciphertext;
    await up(script);
    expect((await world.resource("a")).inputs.secret.ciphertext).to.equal(before);
  });

  it("retainOnDelete and deletedWith leave deletions to others", async () => {
    await up(async (p) => {
      await p.thing("kept", {}, { retainOnDelete: true });
      const a = await p.thing("a");
      await p.thing("with", {}, { deletedWith: a.urn, dependencies: [a.urn] });
    });
    expect(await up(async () => {})).to.deep.equal(["delete a"]);
    expect(world.cloud.things.map((t) => t.id)).to.deep.equal(["kept", "with"]);
    expect(await world.state()).to.have.length(1);
  });

  it("replaceOnChanges, replaceWith, deletedWith and replacementTrigger force replacements", async () => {
    const script =
      (n: number): Script =>
      async (p) => {
        const a = await p.thing("a", { size: n }, { replaceOnChanges: ["size"], deleteBeforeReplace: true });
        await p.thing("b", {}, { replaceWith: [a.urn], dependencies: [a.urn], deleteBeforeReplace: true });
        await p.thing("c", {}, { deletedWith: a.urn, dependencies: [a.urn], deleteBeforeReplace: true });
        await p.thing("d", {}, { replacementTrigger: n, deleteBeforeReplace: true });
      };
    await up(script(1));
    expect(await up(script(1))).to.deep.equal([]);
    world.cloud.drift("c", undefined); // What is deleted with another one is gone when that is.
    expect(await up(script(2))).to.deep.equal([
      ...["delete b", "delete a", "create a", "create b", "create c", "delete d", "create d"],
    ]);
  });

  it("keeps explicit providers apart, updates them in place, and replaces what belongs to a replaced one", async () => {
    const script =
      (inputs: Record<string, unknown>): Script =>
      async (p) => {
        const provider = await p.provider("prov", inputs);
        await p.serial("a", {}, { provider });
      };
    await up(script({ zone: "z1" }));
    expect((await world.resource("a")).outputs.arn).to.match(/^fake:z1:a-auto-/);
    expect(await up(script({ zone: "z1", prefix: "x" }))).to.deep.equal([]);
    const writes = await up(script({ zone: "z2" }));
    expect(writes.map((w) => w.split(" ")[0])).to.deep.equal(["create", "delete"]);
    expect((await world.resource("a")).outputs.arn).to.match(/^fake:z2:/);
    const wrong = await world.rehearse(script({ zon: "z2" }));
    expect(errors(wrong)).to.include("zon: not an argument of this provider");
  });

  it("makes the default provider from the configuration, by version, and refuses it where it is disabled", async () => {
    const script: Script = (p) => p.thing("a", {}, { version: "1.2.3" });
    await up(script, { config: { "fake:zone": "configured" } });
    const provider = (await world.state()).find((r) => r.type === "pulumi:providers:fake");
    expect(provider.urn).to.match(/::default_1_2_3$/);
    expect(provider.inputs).to.deep.equal({ prefix: "p", version: "1.2.3", zone: "configured" });
    expect((await world.resource("a")).outputs.arn).to.equal("fake:configured:a");
    const disabled = await world.rehearse(script, {
      config: { "pulumi:disable-default-providers": '["fake"]' },
    });
    expect(errors(disabled)).to.include("Default provider for 'fake' disabled");
    expect(errors(await world.rehearse((p) => p.custom("none:x:Y", "n", {})))).to.include(
      "there is no provider for none",
    );
  });

  it("in a preview, a provider with unknown arguments is not asked, and its resources are unknown", async () => {
    const result = await world.rehearse(async (p) => {
      const a = await p.thing("a");
      const provider = await p.provider("prov", { zone: a.outputs.arn });
      await p.thing("b", {}, { provider });
    });
    expectOk(result);
    expect(world.cloud.calls).to.deep.equal([]);
    expect(result.plan.find((i) => i.urn.endsWith("::prov"))!.diffs).to.deep.equal([
      { path: "zone", new: "[unknown]" },
    ]);
  });

  it("a preview tells of everything that is wrong, not only of the first thing", async () => {
    const result = await world.rehearse(async (p) => {
      await p.thing("a", { size: -1 });
      await p.thing("b", { colour: "red" });
      await p.custom("fake:index:Nothing", "c", {});
    });
    expect(errors(result).split("\n")).to.deep.equal([
      "size: must not be negative",
      "colour: not an input of this type",
      "type fake:index:Nothing is not implemented",
    ]);
    expect(result.diagnostics.map((d) => d.urn!.split("::").pop())).to.deep.equal(["a", "b", "c"]);
  });

  it("files and folders are compared by content, wherever they lie", async () => {
    const place = (name: string, content: string) => {
      const folder = path.join(world.folder, name);
      fs.mkdirSync(path.join(folder, "sub"), { recursive: true });
      fs.writeFileSync(path.join(folder, "f.txt"), content);
      fs.writeFileSync(path.join(folder, "sub", "g.txt"), "same");
      return folder;
    };
    const script =
      (folder: string): Script =>
      async (p: Program) => {
        await p.thing("file", {
          content: { [SIGNATURE]: SIGNATURE_ASSET, path: path.join(folder, "f.txt") },
        });
        await p.thing("folder", { content: { [SIGNATURE]: SIGNATURE_ARCHIVE, path: folder } });
        const text = {
          [SIGNATURE]: SIGNATURE_ASSET,
          text: fs.readFileSync(path.join(folder, "f.txt"), "utf8"),
        };
        await p.thing("parts", { content: { [SIGNATURE]: SIGNATURE_ARCHIVE, assets: { "a.txt": text } } });
      };
    await up(script(place("one", "x")));
    expect(await up(script(place("two", "x")))).to.deep.equal([]);
    expect((await world.resource("folder")).inputs.content.path).to.equal(path.join(world.folder, "two"));
    expect((await up(script(place("two", "y")))).sort()).to.deep.equal([
      "update file",
      "update folder",
      "update parts",
    ]);
    const missing = await world.rehearse((p) =>
      p.thing("x", { content: { [SIGNATURE]: SIGNATURE_ASSET, path: "/no/such" } }),
    );
    expect(errors(missing)).to.include("the asset /no/such cannot be read");
  });

  it("does independent things side by side, but never more than it may", async () => {
    world.cloud.latency = 5;
    const script: Script = async (p) => {
      await Promise.all(Array.from({ length: 12 }, (_, i) => p.thing(`t${i}`)));
    };
    expectOk(await world.run(script, { parallel: 4 }));
    expect(world.cloud.peak).to.equal(4);
    world.cloud.reset();
    expectOk(await world.fast.destroy(world.options({}, { parallel: 4 })));
    expect(world.cloud.peak).to.equal(4);
    expect(world.cloud.things).to.have.length(0);
  });

  it("refresh takes over what changed, forgets what is gone, and the next deployment repairs both", async () => {
    const script: Script = async (p) => {
      await p.thing("a", { size: 1 });
      const b = await p.thing("b");
      await p.user("c", b);
    };
    await up(script);
    world.cloud.drift("a", { size: 7 });
    world.cloud.drift("b", undefined);
    const refreshed = await world.fast.refresh(world.options({}));
    expectOk(refreshed);
    expect(refreshed.counts).to.deep.equal({ update: 1, delete: 1, same: 1 });
    expect(refreshed.plan.find((i) => i.op === "update")!.diffs).to.deep.equal([
      { path: "size", old: 1, new: 7 },
    ]);
    expect((await world.resource("c")).dependencies ?? []).to.deep.equal([]);
    expect(await up(script)).to.deep.equal(["update a", "create b"]);
  });

  it("destroy deletes everything in order and keeps an empty state; a protected stack is left alone", async () => {
    await up(async (p) => {
      const a = await p.thing("a");
      await p.user("b", a, {}, { protect: true, dependencies: [a.urn] });
    });
    world.cloud.reset();
    expect(errors(await world.fast.destroy(world.options({})))).to.include("is protected");
    expect(world.cloud.writes()).to.deep.equal([]);
    await up(async (p) => {
      const a = await p.thing("a");
      await p.user("b", a);
    });
    world.cloud.reset();
    const destroyed = await world.fast.destroy(world.options({}));
    expectOk(destroyed);
    expect(destroyed.counts).to.deep.equal({ delete: 3 });
    expect(world.cloud.writes()).to.deep.equal(["delete b", "delete a"]);
    expect(await world.state()).to.deep.equal([]);
  });

  it("a failing resource ends the run, keeps what was done, and the next run carries on", async () => {
    const script =
      (ref: string): Script =>
      async (p) => {
        await p.thing("a");
        await p.thing("b", { ref });
        await p.thing("c");
      };
    const failed = await world.run(script("missing"));
    expect(errors(failed)).to.equal("no thing named missing to refer to");
    expect(failed.counts).to.deep.equal({ create: 2 });
    expect(world.cloud.things.map((t) => t.id)).to.deep.equal(["a"]);
    expect((await world.driver.exportState("dev")).deployment.pending_operations).to.equal(undefined);
    expect(await up(script("a"))).to.deep.equal(["create b", "create c"]);
  });

  it("a failing deletion keeps what it needs and lets the rest go", async () => {
    await up(async (p) => {
      await p.thing("a");
      await p.thing("z");
    });
    world.cloud.hook = (moment, call) => {
      if (moment === "before" && call.op === "delete" && call.id === "a") throw new Error("not now");
    };
    expect(errors(await world.run(async () => {}))).to.equal("not now");
    world.cloud.hook = undefined;
    expect(world.cloud.things.map((t) => t.id)).to.deep.equal(["a"]);
    expect(await up(async () => {})).to.deep.equal(["delete a"]);
  });

  it("what was made only in part is recorded, reported, and repaired by the next run", async () => {
    const half = await world.run((p) => p.thing("a", { kind: "half-made", size: 5 }));
    expect(errors(half)).to.equal("it was made only in part");
    expect((await world.resource("a")).initErrors).to.deep.equal(["it was made only in part"]);
    expect(await up((p) => p.thing("a", { kind: "half-made", size: 5 }))).to.deep.equal(["update a"]);
    expect((await world.resource("a")).initErrors).to.equal(undefined);
  });

  it("customTimeouts are kept: an operation that takes longer fails and is looked into by the next run", async () => {
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.cloud.hook = (moment) => (moment === "after" ? released : undefined);
    const script: Script = (p) => p.thing("a", {}, { customTimeouts: { create: 0.01 } });
    expect(errors(await world.run(script))).to.include(
      "did not end within the 0.01 s of customTimeouts.create",
    );
    release();
    world.cloud.hook = undefined;
    const next = await world.run(script);
    expectOk(next);
    expect(next.diagnostics[0]!.message).to.include("had created it (a); it is taken over");
    expect(next.counts).to.include({ same: 2 });
  });

  it("reads what it does not manage, and does not delete it", async () => {
    await world.cloud.create("fake:index:Thing", "theirs", { name: "theirs", size: 3 });
    const script: Script = async (p) => {
      const read = await (
        p as unknown as { deployment: { read(r: object): Promise<{ outputs: Record<string, unknown> }> } }
      ).deployment.read({
        type: "fake:index:Thing",
        name: "theirs",
        id: "theirs",
        inputs: {},
        dependencies: [],
      });
      await p.thing("a", { size: read.outputs.size });
    };
    expect(await up(script)).to.deep.equal(["create a"]);
    expect(await world.resource("theirs")).to.include({ external: true, id: "theirs" });
    expect((await world.resource("a")).inputs.size).to.equal(3);
    expect(await up(async () => {})).to.deep.equal(["delete a"]);
    expect(world.cloud.things.map((t) => t.id)).to.deep.equal(["theirs"]);
  });

  it("an abort finishes the step under way, records it, starts nothing more", async () => {
    const controller = new AbortController();
    world.cloud.hook = (moment, call) => {
      if (moment === "before" && call.id === "b") controller.abort();
    };
    const script: Script = async (p) => {
      for (const name of ["a", "b", "c"]) await p.thing(name);
    };
    const result = await world.run(script, { signal: controller.signal });
    expect(result).to.include({ ok: false, cancelled: true });
    expect((await world.state()).filter((r) => r.type === "fake:index:Thing").map((r) => r.id)).to.deep.equal(
      ["a", "b"],
    );
    world.cloud.hook = undefined;
    expect(await up(script)).to.deep.equal(["create c"]);
  });
});
