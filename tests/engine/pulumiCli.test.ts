/** The driver over the genuine `pulumi`, where there is one; and what the two engines make of each other's state. */

import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { PulumiCliDriver, pulumiVersion, selectDriver } from "../../local/engine";
import { FakeCloud } from "./fixtures/fakeCloud";
import { FakeProvider } from "./fixtures/fakeProvider";
import { changes, expectOk, FIXTURES, PACK, PASSPHRASE, type Spec, thing, World } from "./support";

describe("engine: the genuine pulumi", function () {
  this.timeout(180_000);
  let world: World;
  let cloud: FakeCloud;
  let driver: PulumiCliDriver;

  before(function () {
    if (pulumiVersion() === undefined) {
      console.log("    skipped: there is no pulumi on PATH; the local engine is tested by the other files");
      this.skip();
    }
    world = new World();
    const file = path.join(world.folder, "cloud.json");
    process.env.FAKE_CLOUD_FILE = file;
    cloud = new FakeCloud(file);
    driver = new PulumiCliDriver({
      stateDir: path.join(world.folder, "pulumi"),
      passphrase: PASSPHRASE,
      plugins: { fake: path.join(FIXTURES, "fakePlugin.ts") },
    });
  });
  after(() => {
    delete process.env.FAKE_CLOUD_FILE;
    world?.stop();
  });

  const spec: Spec = {
    resources: [
      { type: "pulumi:providers:fake", name: "prov", props: { zone: "z1" } },
      { type: "component:x:Y", name: "box", opts: { provider: "prov" } },
      thing("a", { size: 1, secret: { $secret: "hush" } }, { parent: "box" }),
      thing("b", { ref: "${a.id}", content: { $text: "x" }, kind: "k" }),
    ],
    outputs: { arn: "${b.arn}", secret: "${a.secret}" },
  };
  const second: Spec = {
    ...spec,
    resources: [...spec.resources!.slice(0, 3), thing("b", { ref: "${a.id}", size: 2, kind: "k" })],
  };
  const options = (s: Spec, more = {}) => world.options(s, { policyPacks: [PACK], ...more });

  it("names its version", () => {
    expect(driver.name).to.match(/^pulumi v3\./);
    const chosen = selectDriver({
      stateDir: world.folder,
      passphrase: PASSPHRASE,
      providers: world.settings.providers,
    });
    expect(chosen.name).to.equal(driver.name);
  });

  it("previews and deploys with the pack, then finds nothing to do", async () => {
    const preview = await driver.preview(options(spec));
    expectOk(preview);
    expect(preview.counts).to.deep.equal({ create: 5 });
    expect(cloud.things).to.have.length(0);
    const up = await driver.up(options(spec));
    expectOk(up);
    expect(changes(up)).to.deep.equal(changes(preview));
    expect(up.outputs).to.deep.equal({ arn: "fake:here:b", secret: "[secret]" });
    expect(await driver.outputs("dev", { showSecrets: true })).to.include({ secret: "hush" });
    expect(cloud.things.map((t) => t.id)).to.deep.equal(["a", "b"]);
    const again = await driver.up(options(spec));
    expectOk(again);
    expect(again.counts).to.deep.equal({ same: 5 });
    expect(fs.readFileSync(path.join(FIXTURES, "program", "Pulumi.dev.yaml"), "utf8")).to.not.include("spec");
  });

  it("shows the same plan as the local engine for the same change, and carries it out", async () => {
    const embedded = new World();
    try {
      expectOk(await embedded.up(spec));
      const theirs = await driver.preview(options(second));
      const ours = await embedded.preview(second);
      expect(changes(ours)).to.deep.equal(changes(theirs));
      expect(ours.counts).to.deep.equal(theirs.counts);
      expect(ours.plan.find((i) => i.op === "update")!.diffs).to.deep.equal(
        theirs.plan.find((i) => i.op === "update")!.diffs,
      );
    } finally {
      embedded.stop();
    }
    const up = await driver.up(options(second));
    expectOk(up);
    expect(up.counts).to.deep.equal({ update: 1, same: 4 });
    expect(cloud.find("b")!.props.size).to.equal(2);
  });

  it("a policy violation stops an up before anything is made", async () => {
    const bad = { resources: [...second.resources!, thing("new"), thing("big", { size: 101 })] };
    const result = await driver.up(options(bad));
    expect(result.ok).to.equal(false);
    const mandatory = result.policyViolations.filter((v) => v.enforcement === "mandatory");
    expect(mandatory.map((v) => [v.policy, v.urn.split("::").pop()])).to.deep.equal([
      ["no-big-things", "big"],
    ]);
    expect(cloud.find("new")).to.equal(undefined);
  });

  it("reads the local engine's state: nothing to do, and everything can be deleted", async () => {
    const embedded = new World();
    try {
      // The same cloud file, so that what one has made the other finds.
      const provider = () => new FakeProvider(cloud);
      const engine = selectDriver({
        stateDir: embedded.folder,
        passphrase: PASSPHRASE,
        providers: provider,
        preferEmbedded: true,
      });
      expect(engine.name).to.equal("local engine");
      expectOk(await driver.destroy(options(second)));
      expect(cloud.things).to.have.length(0);
      expectOk(await engine.up(world.options(spec)));
      await driver.importState(options(spec), await engine.exportState("dev"));
      const preview = await driver.preview(options(spec));
      expectOk(preview);
      expect(preview.counts).to.deep.equal({ same: 5 });
      // And the other way round.
      const exported = await driver.exportState("dev");
      fs.writeFileSync(path.join(embedded.folder, "engine", "dev.json"), JSON.stringify(exported));
      const back = await engine.preview(world.options(spec));
      expectOk(back);
      expect(back.counts).to.deep.equal({ same: 5 });
    } finally {
      embedded.stop();
    }
  });

  it("refreshes and destroys", async () => {
    cloud.drift("b", { size: 9 });
    const refresh = await driver.refresh(options(spec));
    expectOk(refresh);
    expect((await driver.exportState("dev")).deployment.resources).to.satisfy(
      (list: { urn: string; outputs: { size?: number } }[]) =>
        list.some((r) => r.urn.endsWith("::b") && r.outputs.size === 9),
    );
    const destroy = await driver.destroy(options(spec));
    expectOk(destroy);
    expect(destroy.counts).to.deep.equal({ delete: 5 });
    expect(cloud.things).to.have.length(0);
  });

  it("an abort lets it finish what is under way, and the next run carries on", async () => {
    const controller = new AbortController();
    const result = await driver.up(
      options(
        { ...spec, hang: true },
        {
          policyPacks: [],
          stack: "hanging",
          signal: controller.signal,
          onOutput: (line: string) => {
            if (/fake:index:Thing b created/.test(line)) controller.abort();
          },
        },
      ),
    );
    expect(result).to.include({ ok: false, cancelled: true });
    expect(cloud.find("b")).to.not.equal(undefined);
    expectOk(await driver.destroy(options(spec, { stack: "hanging" })));
    expect(cloud.things).to.have.length(0);
  });
});
