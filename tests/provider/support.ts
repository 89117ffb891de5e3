/** A local AWS and providers at it, for the provider's tests. */
import * as path from "node:path";
import { type LocalAws, launchAws } from "../../local/aws/launch";
import { AwsProvider } from "../../local/provider/core";
import type { Props, Provider } from "../../local/provider/types";

/** Account in which the tests' resources are. */
export const ACCOUNT = "222222222222";
/** Where StackSets with organizational units are managed. */
export const MANAGEMENT_ACCOUNT = "111111111111";
export const REGION = "us-west-2";

/** Starts a local AWS; the caller stops it. */
export function startAws(): Promise<LocalAws> {
  return launchAws({ root: path.resolve(__dirname, "../..") });
}

/** What the provider finds in its environment. A 12-digit access key is that account's root user in the local AWS. */
export function environment(url: string, account = ACCOUNT): NodeJS.ProcessEnv {
  return { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: account, AWS_SECRET_ACCESS_KEY: "test" };
}

/** A configured provider. */
export async function providerAt(url: string, config: Props = {}, account = ACCOUNT): Promise<AwsProvider> {
  const provider = new AwsProvider({ env: environment(url, account) });
  await provider.configure({ region: REGION, ...config });
  return provider;
}

export function urnOf(type: string, name: string): string {
  return `urn:pulumi:test::bulkhead::${type}::${name}`;
}

/** A resource as an engine would record it. */
export interface Deployed {
  urn: string;
  type: string;
  id: string;
  inputs: Props;
  outputs: Props;
}

/** Does to a provider what an engine does, and cleans up. */
export class Deployment {
  readonly #resources: Deployed[] = [];

  constructor(readonly provider: Provider) {}

  /** Check, fail on failures. */
  async check(type: string, name: string, news: Props, olds: Props = {}): Promise<Props> {
    const { inputs, failures } = await this.provider.check(urnOf(type, name), olds, news);
    if (failures.length > 0) throw new Error(`${type}: ${JSON.stringify(failures)}`);
    return inputs;
  }

  /** Check and create. */
  async make(type: string, name: string, news: Props): Promise<Deployed> {
    const urn = urnOf(type, name);
    const inputs = await this.check(type, name, news);
    const { id, outputs } = await this.provider.create(urn, inputs, false);
    const resource = { urn, type, id, inputs, outputs };
    this.#resources.push(resource);
    return resource;
  }

  /** Deletes everything that was made, last first. */
  async clean(): Promise<void> {
    for (const { urn, id, inputs, outputs } of this.#resources.reverse()) {
      await this.provider.delete(urn, id, inputs, outputs);
    }
    this.#resources.length = 0;
  }
}
