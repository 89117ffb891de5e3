/** True programs under the SDK's runner, and a true policy pack. Each program run takes about a second, so each shows much. */

import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import type { EngineEvent } from "../../local/engine";
import { StackLock } from "../../local/engine/lock";
import {
  changes,
  errors,
  expectOk,
  FIXTURES,
  type Item,
  PACK,
  type Spec,
  serial,
  thing,
  World,
} from "./support";

const provider = (
  name: string,
  props: Record<string, unknown> = {},
  opts: Record<string, unknown> = {},
): Item => ({
  type: "pulumi:providers:fake",
  name,
  props,
  opts,
});
const component = (name: string, opts: Record<string, unknown> = {}, registers = {}): Item => ({
  type: "component:x:Y",
  name,
  opts,
  registers,
});

describe("engine: programs", () => {
  let world: World;
  before(() => {
    world = new World();
  });
  after(() => world.stop());

  const first: Spec = {
    resources: [
      provider("prov", { zone: "z1" }),
      component("box", { provider: "prov", protect: true }, { of: "${inner.arn}" }),
      thing("inner", { secret: { $secret: "hush" } }, { parent: "box" }),
      thing(
        "user",
        { ref: "${inner.id}", size: 1, tags: { t: "${inner.arn}" } },
        { additionalSecretOutputs: ["arn"] },
      ),
      thing(
        "files",
        { content: { $files: { a: "1" } } },
        { dependsOn: ["user"], customTimeouts: { create: "1m" } },
      ),
      { type: "lookup", name: "found", props: { name: "${inner.id}" } },
      { type: "lookup", name: "absent", props: { name: "nothing" } },
    ],
    outputs: {
      arn: "${inner.arn}",
      secret: "${inner.secret}",
      found: "${found.result}",
      absent: "${absent.result}",
    },
    print: "hello from the program",
  };

  it("previews without touching anything; unknowns and secrets are masked", async () => {
    const result = await world.preview(first);
    expectOk(result);
    expect(world.cloud.writes()).to.deep.equal([]);
    expect(fs.existsSync(world.stateFile)).to.equal(false);
    expect(result.outputs).to.deep.equal({
      arn: "[unknown]",
      secret: "[secret]",
      found: "[unknown]",
      absent: false,
    });
    expect(result.counts).to.deep.equal({ create: 6 });
    const user = result.plan.find((i) => i.urn.endsWith("::user"))!;
    expect(user.diffs).to.deep.include.members([
      { path: "ref", new: "[unknown]" },
      { path: "size", new: 1 },
    ]);
    expect(world.lines.join("\n")).to.include("hello from the program").and.to.not.include("hush");
  });

  it("carries out what it showed, with inherited providers, invokes and component outputs", async () => {
    const events: EngineEvent[] = [];
    const result = await world.up(first, { onEvent: (event) => events.push(event) });
    expectOk(result);
    expect(result.counts).to.deep.equal({ create: 6 });
    expect(result.outputs).to.deep.equal({
      arn: "fake:z1:inner",
      secret: "[secret]",
      found: true,
      absent: false,
    });
    expect(events.filter((e) => e.type === "step" && e.moment === "done")).to.have.length(3);
    expect(await world.driver.outputs("dev", { showSecrets: true })).to.include({ secret: "hush" });
    expect(await world.driver.outputs("dev")).to.include({ secret: "[secret]" });
    const inner = await world.resource("inner");
    expect(inner.provider).to.include("::prov::");
    expect(inner.protect).to.equal(true);
    const box = await world.resource("box");
    expect(box.outputs).to.deep.equal({ of: "fake:z1:inner" });
    const user = await world.resource("user");
    expect(user.provider).to.include("::default::");
    expect(user.propertyDependencies).to.deep.include({ ref: [inner.urn], tags: [inner.urn], size: [] });
    expect(user.outputs.arn).to.have.property("ciphertext");
    expect((await world.resource("files")).customTimeouts).to.deep.equal({ create: 60 });
    expect(result.timings).to.include.keys(
      "opening",
      "starting the program",
      "program",
      "providers",
      "total",
    );
  });

  it("finds nothing to do the second time", async () => {
    const before = await world.state();
    world.cloud.reset();
    const result = await world.up(first);
    expectOk(result);
    expect(result.counts).to.deep.equal({ same: 6 });
    expect(world.cloud.writes()).to.deep.equal([]);
    expect(await world.state()).to.deep.equal(before);
  });

  it("aliases, options and changes come through from the SDK", async () => {
    const changed: Spec = {
      resources: [
        provider("prov2", { zone: "z1" }, { aliases: [{ name: "prov" }] }),
        component("crate", { provider: "prov2", protect: false, aliases: [{ name: "box" }] }),
        component("shelf"),
        thing("inner", { secret: { $secret: "other" } }, { parent: "crate", ignoreChanges: ["secret"] }),
        thing(
          "user",
          { ref: "${inner.id}", size: 2 },
          { parent: "shelf", aliases: [{ noParent: true }], ignoreChanges: ["tags"] },
        ),
        thing(
          "fresh",
          { kind: "k" },
          { deletedWith: "inner", retainOnDelete: true, replaceOnChanges: ["size"], hideDiffs: ["kind"] },
        ),
        serial(
          "serial",
          {},
          { replacementTrigger: "1", replaceWith: ["user"], deleteBeforeReplace: true, version: "2.0.0" },
        ),
      ],
    };
    const preview = await world.preview(changed);
    world.cloud.reset();
    const result = await world.up(changed);
    expectOk(result);
    expect(changes(result)).to.deep.equal(changes(preview));
    expect(changes(result)).to.deep.equal([
      "create fresh",
      "create serial",
      "create shelf",
      "delete files",
      "update user",
    ]);
    expect(result.plan.find((i) => i.op === "update")!.diffs).to.deep.equal([
      { path: "size", old: 1, new: 2 },
    ]);
    expect(await world.resource("fresh")).to.deep.include({
      retainOnDelete: true,
      replaceOnChanges: ["size"],
      deletedWith: (await world.resource("inner")).urn,
    });
    const made = await world.resource("serial");
    expect(made).to.deep.include({
      replacementTrigger: "1",
      replaceWith: [(await world.resource("user")).urn],
    });
    expect(made.provider).to.include("::default_2_0_0::");
    expect((await world.state()).map((r) => r.urn.split("::").pop())).to.not.include.members(["box", "prov"]);
  });

  it("another stack of the project is read by reference, its secrets stay secret", async () => {
    const spec: Spec = {
      resources: [
        { type: "reference", name: "ref", props: { name: "organization/fixture/dev" } },
        thing("a", {
          name: "referring",
          tags: { x: "${ref.outputs.plain}" },
          secret: "${ref.outputs.hidden}",
        }),
      ],
    };
    await world.deploy({ outputs: { plain: "seen", hidden: { $secret: "unseen" } } });
    expectOk(await world.up(spec, { stack: "other" }));
    const [a, ref] = ["a", "ref"].map((n) => (name: string) => name.endsWith(`::${n}`));
    const state = await world.state("other");
    const thingState = state.find((r) => a!(r.urn));
    expect(thingState.inputs.tags).to.deep.equal({ x: "seen" });
    expect(thingState.inputs.secret).to.have.property("ciphertext");
    expect(state.find((r) => ref!(r.urn))).to.include({ external: true, id: "organization/fixture/dev" });
    const missing = await world.preview(
      { resources: [{ type: "reference", name: "r", props: { name: "nowhere" } }] },
      { stack: "other" },
    );
    expect(errors(missing)).to.include("there is no stack nowhere");
  });
});

describe("engine: programs that go wrong", () => {
  let world: World;
  before(() => {
    world = new World();
  });
  after(() => world.stop());

  it("a program that throws is reported with its message, once, and nothing is deleted", async () => {
    await world.deploy({ resources: [thing("a")] });
    const result = await world.up({ resources: [], fail: "the program is broken" });
    expect(errors(result).match(/the program is broken/g)).to.have.length(1);
    expect(world.cloud.things).to.have.length(1);
    const exit = await world.up({ resources: [], exit: 0 });
    // With requests under way the SDK makes it a failure itself.
    expect(errors(exit)).to.match(/ended before everything was registered|ended with code 1/);
    const code = await world.up({ resources: [], exit: 3 });
    expect(errors(code)).to.include("ended with code 3");
    expect(world.cloud.things).to.have.length(1);
  });

  it("promises have a stack only where they are debugged, errors always", async () => {
    const leaking: Spec = { resources: [thing("a", { size: { $never: true } })] };
    const debug = { env: { PULUMI_DEBUG_PROMISE_LEAKS: "true" } };
    const place = /at make .*fixtures.program.index\.cjs:\d+:\d+/;
    world.lines.length = 0;
    expect(errors(await world.preview(leaking, debug))).to.include("ended");
    expect(world.lines.join("\n"))
      .to.match(/Promise leak detected/)
      .and.match(place);
    world.lines.length = 0;
    expect(errors(await world.preview(leaking))).to.include("ended");
    expect(world.lines.join("\n")).not.to.match(place);
    const thrown = await world.preview({ resources: [{ type: "fake:index:Thing", name: "" }] });
    expect(errors(thrown)).to.match(place);
  });

  it("everything that is not implemented is refused by name, each with what to do instead", async () => {
    const refused: [Item, RegExp][] = [
      [
        thing("a", {}, { import: "x" }),
        /the resource option import \(of fake:index:Thing "a"\) is not implemented/,
      ],
      [thing("a", {}, { transforms: true }), /the resource option transforms/],
      [thing("a", {}, { hook: true }), /the resource hook "before"/],
      [
        thing("a", {}, { pluginDownloadURL: "https://example.com" }),
        /pluginDownloadURL \(https:\/\/example.com\)/,
      ],
      [
        { type: "remote:ec2:Vpc", name: "net" },
        /the remote component remote:ec2:Vpc "net".*needs its provider's plugin/,
      ],
    ];
    // One program with all of them: a preview tells of each.
    const result = await world.preview({
      resources: refused.map(([item], i) => ({ ...item, name: i === 4 ? "net" : "a" })),
    });
    const told = errors(result);
    for (const [, message] of refused) expect(told).to.match(message);
    expect(told).to.not.match(/update the Pulumi CLI/i);
  });

  it("an abort ends a program that hangs, and leaves no process and no lock", async () => {
    // Another file's tests, in the same process, may have left some of their own.
    const children = () =>
      fs.existsSync("/proc")
        ? fs.readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(/\s+/)
        : [];
    const before = children();
    const controller = new AbortController();
    const running = world.up(
      { resources: [thing("a")], hang: true, print: "pid" },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "step" && event.moment === "done") controller.abort();
        },
        stack: "hanging",
      },
    );
    world.cloud.drift("a", undefined);
    const result = await running;
    expect(result).to.include({ ok: false, cancelled: true });
    expect((await world.state("hanging")).some((r) => r.id === "a")).to.equal(true);
    expect(fs.readdirSync(world.settings.stateDir).filter((f) => f.endsWith(".lock"))).to.deep.equal([]);
    expect(children().filter((pid) => !before.includes(pid))).to.deep.equal([]);
  });

  it("TypeScript programs run with the project's compiler options, from the folder of `main`", async () => {
    const result = await world.driver.preview({ stack: "ts", projectDir: path.join(FIXTURES, "typescript") });
    expectOk(result);
    expect(result.outputs).to.deep.equal({ folder: "src", project: "typed", count: 4 });
  });

  it("what was transpiled is kept: with the lines of its source, and only until the source or an option changes", async () => {
    // Below the project, whose packages it takes. Always the same, or one more file would be kept for each run of this test.
    const folder = path.join(FIXTURES, "transpiled");
    fs.mkdirSync(folder, { recursive: true });
    try {
      const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);
      const options = (target: string) =>
        JSON.stringify({ compilerOptions: { module: "commonjs", moduleResolution: "node", target } });
      const source = (text: string) =>
        `interface Wide {\n  a: string;\n}\nconst wide: Wide = { a: "${text}" };\nthrow new Error(wide.a);\n`;
      const run = async () => errors(await world.driver.preview({ stack: "ts", projectDir: folder }));
      write("Pulumi.yaml", "name: kept\nruntime: nodejs\nmain: index.ts\n");
      write("tsconfig.json", options("ES2022"));
      write("index.ts", source("one"));
      for (const _ of ["made", "kept"]) {
        expect(await run())
          .to.include("one")
          .and.match(/index\.ts:5:7/);
      }
      write("index.ts", `\n${source("two")}`);
      expect(await run())
        .to.include("two")
        .and.match(/index\.ts:6:7/);
      write("index.ts", "throw new Error(String(class { static a = 1; }));");
      expect(await run()).to.include("static a = 1");
      write("tsconfig.json", options("ES2021"));
      expect(await run()).not.to.include("static a = 1");
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe("engine: policies", () => {
  let world: World;
  before(() => {
    world = new World();
  });
  after(() => world.stop());
  const packs = { policyPacks: [PACK] };

  it("a mandatory violation stops an up before anything is made; every one is listed; advisory ones too", async () => {
    const bad: Spec = {
      resources: [
        provider("zoneless"),
        thing("small", { size: 1, kind: "red" }),
        thing("big", { size: 101 }, { provider: "zoneless" }),
        thing("huge", { size: 102 }),
      ],
    };
    const result = await world.up(bad, packs);
    expect(result.ok).to.equal(false);
    expect(
      result.policyViolations.map((v) => [v.enforcement, v.policy, v.urn.split("::").pop()]).sort(),
    ).to.deep.equal([
      ["advisory", "no-red-things", "small"],
      ["advisory", "zone-is-named", "big"],
      ["mandatory", "no-big-things", "big"],
      ["mandatory", "no-big-things", "huge"],
    ]);
    expect(result.policyViolations.find((v) => v.urn.endsWith("huge"))!.message).to.include(
      "size 102 is above 100",
    );
    expect(world.cloud.writes()).to.deep.equal([]);
    expect(result.counts).to.deep.equal({});
    expect(world.lines.join("\n")).to.include("[mandatory] no-big-things: huge");
  });

  it("without the preview a refused resource is still not made", async () => {
    const spec = { resources: [thing("first"), thing("big", { size: 101 }, { dependsOn: ["first"] })] };
    const more = { ...packs, skipPreview: true };
    const result = await world.up(spec, more);
    expect(result.ok).to.equal(false);
    expect(result.timings).not.to.have.property("preview");
    expect(result.policyViolations.map(({ policy }) => policy)).to.deep.equal(["no-big-things"]);
    expect(world.cloud.things).to.have.length(1);
    expectOk(await world.up({ resources: [] }, more));
    expect(world.cloud.things).to.deep.equal([]);
  });

  it("a stack policy does as well, and what keeps to the policies is made", async () => {
    const many = { resources: Array.from({ length: 21 }, (_, i) => thing(`t${i}`)) };
    const refused = await world.preview(many, packs);
    expect(refused.policyViolations).to.have.length(1);
    expect(refused.policyViolations[0]).to.include({ policy: "few-things", enforcement: "mandatory" });
    const both = [thing("a", { kind: "red" }), thing("b", { kind: "untagged" })];
    const good = await world.up({ resources: both }, packs);
    expectOk({ ...good, policyViolations: [] });
    expect(good.policyViolations.map((v) => v.enforcement)).to.deep.equal(["advisory"]);
    expect(world.cloud.things).to.have.length(2);
    expect(world.cloud.find("b")!.props.tags, "a policy may change what is made").to.deep.equal({
      by: "policy",
    });
    expect(good.timings).to.include.keys("starting policy packs", "preview", "policies");
  });

  it("a second run on the stack is told who works on it", async () => {
    const lock = StackLock.acquire(`${world.stateFile}.lock`, "dev");
    const result = await world.up({ resources: [] });
    lock.release();
    expect(errors(result)).to.include(`another run (process ${process.pid}`);
  });

  it("a pack that hangs while it starts is ended by an abort", async () => {
    const folder = path.join(world.folder, "hanging");
    fs.cpSync(PACK, folder, { recursive: true });
    fs.symlinkSync(path.join(__dirname, "..", "..", "node_modules"), path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "index.cjs"), 'console.log("loading"); setInterval(() => {}, 1000);');
    const controller = new AbortController();
    const onOutput = (line: string) => {
      if (line.includes("loading")) controller.abort();
    };
    const more = { policyPacks: [folder], signal: controller.signal, onOutput };
    expect(await world.up({ resources: [thing("z")] }, more)).to.include({ ok: false, cancelled: true });
    expect(world.cloud.find("z")).to.equal(undefined);
  });

  it("a pack that does not start is told with its error", async () => {
    const folder = path.join(world.folder, "broken");
    fs.cpSync(PACK, folder, { recursive: true });
    fs.symlinkSync(path.join(__dirname, "..", "..", "node_modules"), path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "index.cjs"), 'throw new Error("the pack is broken");');
    const result = await world.preview({ resources: [thing("a")] }, { policyPacks: [folder] });
    expect(errors(result)).to.include("the pack is broken");
  });
});
