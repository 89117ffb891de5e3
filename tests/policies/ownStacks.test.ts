import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import * as openpgp from "openpgp";
import { parse } from "yaml";
import { rules } from "../../policypacks/identity-dr";
import { parseConfig, type StackConfig } from "../../stacks/config";
import { deployStandby } from "../../stacks/dr";
import { deployPrimary } from "../../stacks/prod";
import { mockIdentity } from "../support/pulumiMockIds";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";
import { analyze, analyzeStack, type TestResource } from "./support/analyze";

const ROOT = path.join(__dirname, "../..");
const ORGANIZATION: Partial<StackConfig> = {
  organizationId: "o-a1b2c3d4e5",
  managementAccountId: "111111111111",
  memberAccess: "stackSet",
  memberOrganizationalUnitIds: ["ou-ab12-cdef3456"],
};

/** What a program registered, as the pack is given it: inputs, computed outputs, and the provider. */
function asGiven({ resources }: PulumiMocks): TestResource[] {
  return resources
    .filter(({ type }) => !type.startsWith("pulumi:"))
    .map((resource) => {
      const region = resource.region ?? "us-east-1";
      const { state } = resource.custom
        ? mockIdentity({ ...resource, region, accountId: "222222222222", partition: "aws" })
        : { state: {} };
      return {
        type: resource.type,
        name: resource.name,
        urn: resource.urn,
        props: { ...state, ...resource.inputs },
        provider: { name: resource.providerName, props: { region: resource.region } },
      };
    });
}

describe("the product's own stacks keep to every rule", () => {
  let publicKey: string;
  before(async () => {
    ({ publicKey } = await openpgp.generateKey({ userIDs: [{ name: "Alice" }], format: "armored" }));
  });

  const config = (stack: "prod" | "dr", change: Partial<StackConfig>): StackConfig => {
    const read = (file: string) => parse(fs.readFileSync(path.join(ROOT, file), "utf8")).config;
    const values: Record<string, unknown> = {};
    for (const [key, declaration] of Object.entries<{ default?: unknown }>(read("Pulumi.yaml")))
      values[key] = declaration.default;
    for (const [key, value] of Object.entries(read(`Pulumi.${stack}.yaml`)))
      values[key.replace("bulkhead:", "")] = value;
    return parseConfig({
      ...values,
      accountId: "222222222222",
      custodians: ["alice@example.com", "bob@example.com"],
      custodianPgpKeys: [publicKey, publicKey],
      alertEmails: ["security@example.com"],
      ...change,
    });
  };

  for (const stack of ["prod", "dr"] as const) {
    for (const [what, change] of [
      ["with an organization", ORGANIZATION],
      ["as a trial", { deletionProtection: false }],
    ] as const) {
      it(`${stack}, ${what}`, async () => {
        const mocks = await startMocks({ stack });
        const deploy = stack === "prod" ? deployPrimary : deployStandby;
        deploy(stack, config(stack, change));
        await mocks.settle();
        const resources = asGiven(mocks);
        const found: string[] = [];
        for (const { id, policy } of rules) {
          if ("validateResource" in policy) {
            for (const resource of resources) {
              found.push(...(await analyze(id, resource)).map((message) => `${id}: ${message}`));
            }
          }
          if ("validateStack" in policy) {
            found.push(...(await analyzeStack(id, resources)).map(({ message }) => `${id}: ${message}`));
          }
        }
        expect(found).to.deep.equal([]);
      });
    }
  }
});
