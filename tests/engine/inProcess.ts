/**
 * A driver whose program runs in the test's own process and talks to the deployment directly, without SDK and gRPC:
 * fast enough to be run hundreds of times.
 */

import type { DeploymentResult } from "../../local/engine";
import type { Deployment, Registered, Registration } from "../../local/engine/deployment";
import { EmbeddedDriver, type Run } from "../../local/engine/embedded";
import type { Journal } from "../../local/engine/journal";
import type { Alias } from "../../local/engine/planner";
import { PROVIDER_PREFIX, providerRef } from "../../local/engine/urn";
import { World } from "./support";

export type Options = Partial<Omit<Registration, "type" | "name" | "inputs" | "custom" | "aliases">> & {
  aliases?: Alias[];
};

/** What a test's program registers resources with. References to outputs are just values of what was registered before. */
export class Program {
  constructor(private readonly deployment: Deployment) {}

  async custom(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
    options: Options = {},
  ): Promise<Registered> {
    return await this.deployment.register({ type, name, custom: true, inputs, dependencies: [], ...options });
  }

  async thing(
    name: string,
    inputs: Record<string, unknown> = {},
    options: Options = {},
  ): Promise<Registered> {
    return await this.custom("fake:index:Thing", name, inputs, options);
  }

  /** A thing whose `ref` is another one. */
  async user(
    name: string,
    of: Registered,
    inputs: Record<string, unknown> = {},
    options: Options = {},
  ): Promise<Registered> {
    return await this.thing(
      name,
      { ...inputs, ref: of.id || UNKNOWN_ID },
      { dependencies: [of.urn], propertyDependencies: { ref: [of.urn] }, ...options },
    );
  }

  async serial(
    name: string,
    inputs: Record<string, unknown> = {},
    options: Options = {},
  ): Promise<Registered> {
    return await this.custom("fake:index:Serial", name, inputs, options);
  }

  async component(name: string, options: Options = {}, type = "component:x:Y"): Promise<Registered> {
    return await this.deployment.register({
      type,
      name,
      custom: false,
      inputs: {},
      dependencies: [],
      ...options,
    });
  }

  /** A provider; gives the reference that resources name. */
  async provider(name: string, inputs: Record<string, unknown> = {}, options: Options = {}): Promise<string> {
    const { urn, id } = await this.custom(`${PROVIDER_PREFIX}fake`, name, inputs, options);
    return providerRef(urn, id);
  }
}

/** In a preview an id may not be known yet. */
const UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Script = (program: Program) => Promise<unknown>;

class InProcessDriver extends EmbeddedDriver {
  script: Script = async () => {};

  protected override async runProgram(run: Run, journal: Journal, deployment: Deployment): Promise<boolean> {
    const { signal, stack } = run.options;
    const stop = () => deployment.stop();
    signal?.addEventListener("abort", stop);
    try {
      const name = `fixture-${stack}`;
      await deployment.register({
        type: "pulumi:pulumi:Stack",
        name,
        custom: false,
        inputs: {},
        dependencies: [],
      });
      await this.script(new Program(deployment));
      return true;
    } catch (error) {
      if ((error as Error).name !== "Unavailable") journal.diagnostic("error", (error as Error).message);
      return false;
    } finally {
      signal?.removeEventListener("abort", stop);
      await deployment.settled();
    }
  }
}

/** A {@link World} whose programs are functions. */
export class FastWorld extends World {
  readonly fast = new InProcessDriver(this.settings);

  async run(script: Script, more: Parameters<World["options"]>[1] = {}): Promise<DeploymentResult> {
    this.fast.script = script;
    return await this.fast.up(this.options({}, more));
  }

  async rehearse(script: Script, more: Parameters<World["options"]>[1] = {}): Promise<DeploymentResult> {
    this.fast.script = script;
    return await this.fast.preview(this.options({}, more));
  }
}
