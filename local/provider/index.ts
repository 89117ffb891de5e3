/**
 * The stand-in for the genuine `aws` provider in local mode: the same resource types, inputs and outputs, at an AWS on this machine.
 * It refuses by name whatever it does not implement.
 */
import { AwsProvider, type AwsProviderOptions } from "./core";
import type { Provider } from "./types";

export type { AwsProviderOptions } from "./core";

/**
 * An unconfigured instance of the stand-in provider, one for each `pulumi:providers:aws` resource.
 * @example
 * const provider = createAwsProvider({ env: { ...process.env, AWS_ENDPOINT_URL: proxy.url } });
 * await provider.configure({ region: "us-west-2" });
 */
export function createAwsProvider(options?: AwsProviderOptions): Provider {
  return new AwsProvider(options);
}
