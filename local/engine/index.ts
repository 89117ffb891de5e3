/** Deploying stacks on this machine: with the genuine `pulumi` where it is installed, else with the engine of this folder. */
import * as path from "node:path";
import type { StackDriver } from "./driver";
import { EmbeddedDriver } from "./embedded";
import type { ProviderFactory } from "./providers";
import { PulumiCliDriver, pulumiVersion } from "./pulumiCli";

export type { DeploymentOptions, DeploymentResult, EngineEvent, StackDriver } from "./driver";
export { EmbeddedDriver, type EmbeddedOptions } from "./embedded";
export { PulumiCliDriver, pulumiVersion } from "./pulumiCli";

interface DriverOptions {
  /** Required. Folder of the state; each driver keeps to a folder of its own in it. */
  stateDir: string;
  /** Required. Encrypts secrets in the state and decrypts those of the configuration. */
  passphrase: string;
  /** Required. Makes the providers of the local engine; throws, naming the package, when there is none. */
  providers: ProviderFactory;
  /** Plugin scripts for `pulumi`, by package. @default the stand-in for aws */
  plugins?: Record<string, string>;
  /** Use the local engine even where there is a `pulumi`. @default false */
  preferEmbedded?: boolean;
}

/**
 * The driver for this machine: the genuine `pulumi` when it is on PATH, else the local engine. Its `name` says which.
 *
 * @example
 *   const driver = selectDriver({ stateDir, passphrase, providers: () => createAwsProvider() });
 *   const result = await driver.up({ stack: "prod", projectDir: ".", onOutput: console.log });
 */
export function selectDriver(options: DriverOptions): StackDriver {
  const { stateDir, passphrase, providers, plugins } = options;
  if (options.preferEmbedded !== true && pulumiVersion() !== undefined) {
    const own = path.join(stateDir, "pulumi");
    return new PulumiCliDriver({ stateDir: own, passphrase, ...(plugins === undefined ? {} : { plugins }) });
  }
  return new EmbeddedDriver({ stateDir: path.join(stateDir, "engine"), passphrase, providers });
}
