/** Components on the local AWS: what they register with Pulumi's mocks, made by the stand-in provider. */
import { AwsProvider } from "../../local/provider/core";
import { type Props, SIGNATURE, SIGNATURE_ARCHIVE, SIGNATURE_ASSET } from "../../local/provider/types";
import { Deployment, environment } from "../provider/support";
import type { PulumiMocks } from "../support/pulumiMocks";

/** Of these the mocks cannot know the id, which others name. */
const NAMED_BY_OTHERS = /:(Key|Api|Integration)$/;

/** Makes what was registered, each in its region. @returns the outputs by the resources' logical names */
export async function deployRegistered(url: string, mocks: PulumiMocks): Promise<Map<string, Props>> {
  const deployments = new Map<string, Deployment>();
  const made: [string, string][] = [];
  const all = new Map<string, Props>();
  for (const resource of mocks.resources) {
    const { type, name, region, id: mockId, custom, inputs } = resource;
    if (!custom || type.startsWith("pulumi:")) continue;
    const text = made.reduce((all, [mock, real]) => all.replaceAll(mock, real), JSON.stringify(inputs));
    const wanted = JSON.parse(text);
    if (type === "aws:lambda/function:Function") {
      const { path } = wanted.code.archive.assets["index.mjs"].asset;
      const asset = { [SIGNATURE]: SIGNATURE_ASSET, path };
      wanted.code = { [SIGNATURE]: SIGNATURE_ARCHIVE, assets: { "index.mjs": asset } };
    }
    const deployment = deployments.get(region!) ?? (await deploymentIn(url, region!));
    deployments.set(region!, deployment);
    const { id, outputs } = await deployment.make(type, name, wanted);
    all.set(name, outputs);
    if (type === "aws:apigatewayv2/api:Api") {
      made.push([`https://${mockId}.execute-api.${region}.amazonaws.com`, String(outputs.apiEndpoint)]);
    }
    if (NAMED_BY_OTHERS.test(type) && mockId !== undefined) made.push([mockId, id]);
  }
  return all;
}

async function deploymentIn(url: string, region: string): Promise<Deployment> {
  const provider = new AwsProvider({ env: environment(url) });
  await provider.configure({ region });
  return new Deployment(provider);
}
