/** Every resource type's life at a local AWS. */
import { expect } from "chai";
import type { LocalAws } from "../../local/aws/launch";
import { AwsContext } from "../../local/provider/context";
import { HANDLERS } from "../../local/provider/handlers";
import { type Props, UNKNOWN } from "../../local/provider/types";
import { LIFE_CASES, type LifeCase, WORKLOADS, type World } from "./lifeCases";
import { makeOrganization } from "./organization";
import { ACCOUNT, type Deployed, Deployment, environment, providerAt, REGION, startAws } from "./support";

const timeouts = { connectMs: 1_000, requestMs: 10_000 };

describe("the life of a resource at the stand-in provider", () => {
  let local: LocalAws;
  before(async () => {
    local = await startAws();
    WORKLOADS.id = await makeOrganization(local.url);
  });
  after(() => local.stop());

  it("has a case for every type", () => {
    expect(LIFE_CASES.map((one) => one.type)).to.have.members([...HANDLERS.keys()]);
  });

  for (const life of LIFE_CASES) {
    it(life.type, () => live(life)).timeout(30_000);
  }

  async function live(life: LifeCase): Promise<void> {
    const account = life.account ?? ACCOUNT;
    const provider = await providerAt(local.url, {}, account);
    const deployment = new Deployment(provider);
    const aws = new AwsContext({ region: REGION }, environment(local.url, account), timeouts);
    const { type } = life;
    const input = (key: string) => HANDLERS.get(type)!.inputs[key];
    try {
      const world: World = { deployment, aws, needs: (await life.needs?.(deployment, aws)) ?? {} };
      const program = life.inputs(world);
      const urn = `urn:pulumi:test::bulkhead::${type}::subject`;

      // Preview: what AWS will decide is not known.
      const planned = await deployment.check(type, "subject", program);
      const preview = await provider.create(urn, planned, true);
      expect(preview.id).to.equal("");
      for (const key of HANDLERS.get(type)!.outputs) expect(preview.outputs[key], key).to.equal(UNKNOWN);

      const made = await deployment.make(type, "subject", program);
      let now: Deployed = made;
      for (const key of life.outputs)
        expect(made.outputs[key], `output ${key}`).to.not.be.oneOf([undefined, UNKNOWN]);
      for (const [key, value] of Object.entries(made.inputs))
        expect(made.outputs[key], key).to.deep.equal(value);

      now = await refresh(now);
      expect(now.inputs, "a refresh changes no input").to.deep.equal(made.inputs);
      expect(now.outputs, "a refresh changes no output").to.deep.equal(made.outputs);
      expect(await changes(now, program), "the same program").to.deep.equal([]);

      if (life.update) {
        const changed = { ...program, ...life.update(world) };
        const inputs = await deployment.check(type, "subject", changed, now.inputs);
        const diff = await provider.diff(urn, now.id, now.inputs, now.outputs, inputs);
        expect(diff.changed, "what the update changes").to.have.members(
          Object.keys(life.update(world)).filter(
            (key) => !(input(key)?.computed && changed[key] === undefined),
          ),
        );
        expect(diff.replaces, "what the update replaces").to.deep.equal([]);
        const foreseen = await provider.update(urn, now.id, now.outputs, inputs, true);
        const outputs = await provider.update(urn, now.id, now.outputs, inputs, false);
        for (const [key, value] of Object.entries(foreseen)) {
          if (value !== UNKNOWN) expect(outputs[key], `foreseen output ${key}`).to.deep.equal(value);
        }
        now = await refresh({ ...now, inputs, outputs });
        expect(now.inputs, "a refresh after the update changes no input").to.deep.equal(inputs);
        expect(now.outputs, "a refresh after the update changes no output").to.deep.equal(outputs);
        expect(await changes(now, changed), "the updated program").to.deep.equal([]);
        now = await drifted(now, life, world, changed);
      } else now = await drifted(now, life, world, program);

      for (const [key, value] of Object.entries(life.replaces)) {
        const inputs: Props = { ...now.inputs, [key]: value };
        const diff = await provider.diff(urn, now.id, now.inputs, now.outputs, inputs);
        expect(diff.replaces, `replaced by ${key}`).to.include(key);
      }

      await provider.delete(urn, now.id, now.inputs, now.outputs);
      expect(await provider.read(urn, now.id, now.inputs, now.outputs), "after its end").to.equal(undefined);
      await provider.delete(urn, now.id, now.inputs, now.outputs);
    } finally {
      await deployment.clean();
      provider.close();
      aws.close();
    }

    async function refresh(old: Deployed): Promise<Deployed> {
      const live = await provider.read(old.urn, old.id, old.inputs, old.outputs);
      expect(live, "what was made exists").to.not.equal(undefined);
      return { ...old, ...live! };
    }

    async function changes(old: Deployed, program: Props): Promise<string[]> {
      const inputs = await deployment.check(type, "subject", program, old.inputs);
      return (await provider.diff(old.urn, old.id, old.inputs, old.outputs, inputs)).changed;
    }

    /** Somebody changes the resource; a refresh shows it, and an update puts it right. */
    async function drifted(old: Deployed, one: LifeCase, world: World, program: Props): Promise<Deployed> {
      if (!one.drift) return old;
      await one.drift(world, old);
      const now = await refresh(old);
      const changed = await changes(now, program);
      expect(changed, "drift that is seen").to.include.members(one.driftShows!);
      const inputs = await deployment.check(type, "subject", program, now.inputs);
      if (changed.some((key) => input(key)?.replaces)) return now;
      const outputs = await provider.update(now.urn, now.id, now.outputs, inputs, false);
      const mended = await refresh({ ...now, inputs, outputs });
      expect(await changes(mended, program), "after drift was put right").to.deep.equal([]);
      return mended;
    }
  }
});
