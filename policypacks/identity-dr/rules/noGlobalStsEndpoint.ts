import {
  hasGlobalStsEndpoint,
  iamControlPlaneRegion,
  samlAudience,
} from "../../../components/regional/partition";
import { regionOf } from "../lib/region";
import { defineRule, type Violation } from "../lib/rule";
import { globalOnlySamlTrusts } from "../lib/samlTrust";
import { findSts, type StsFinding } from "../lib/stsFindings";
import { regionalHostFor } from "../lib/stsHost";
import { isProviderType } from "../lib/stsPlaces";

/** Rejects everything that leads to the global STS endpoint (facts 5 to 8). */
export const noGlobalStsEndpoint = defineRule({
  id: "no-global-sts-endpoint",
  title: "No global STS endpoint",
  description:
    "Nothing may point at the global STS endpoint, or at the sign-in endpoint without a region as the only SAML audience.",
  severity: "critical",
  why:
    "The global endpoint stands in one region. Whoever uses it gets no credentials while that region is lost, gets tokens that opt-in " +
    "regions do not accept, and goes past the interface endpoint (facts 2, 4, 5).",
  looksAt: [
    "arguments of AWS providers: `endpoints[].sts` (also as JSON text), `region` and `stsRegion` with `aws-global`",
    "environment variables: Lambda, ECS, Batch, App Runner, CodeBuild, SageMaker, Elastic Beanstalk and every property with such a name",
    "user data, plain, in base64, compressed, multi-part, with cloud-init files; build specifications; container commands",
    "SSM documents and parameters, AppConfig content, configuration files in buckets, stack templates, EKS add-ons, code given as text",
    "Kubernetes resources and Helm values: the annotation `eks.amazonaws.com/sts-regional-endpoints`, variables, configuration",
    "`AWS_STS_REGIONAL_ENDPOINTS` and `sts_regional_endpoints` with `legacy`, `useGlobalEndpoint`, `sts_endpoint` of a state backend",
    "every other property whose name says that it is an endpoint, and role trust policies with a SAML audience",
  ],
  leavesAlone: [
    "every regional endpoint: plain, FIPS, dual-stack, China's, those of single interface endpoints",
    "OIDC client ids and audiences, event sources, service principals, the XML namespace, metric filters, IAM conditions, queries (fact 7)",
    "comments; hosts that only contain the name; `NO_PROXY`",
    "SAML trust that accepts the global audience among regional ones, or puts no condition on the audience (fact 8)",
    "the contents of files and archives on disk, which the pack is not given; SAML trust inside YAML templates",
  ],
  unknowns:
    "passed over, each by itself; all known values of the resource are still checked. They are checked when they are known, during the update.",
  examples: {
    rejected:
      'new aws.Provider("dr", { region: "us-west-2", endpoints: [{ sts: "https://sts.amazonaws.com" }] });',
    accepted:
      'new aws.Provider("dr", { region: "us-west-2", endpoints: [{ sts: "https://sts.us-west-2.amazonaws.com" }] });',
  },
  options: {},
  readsAssets: true,
  resource({ type, props, provider }, _config, report) {
    const region = regionOf(props, isProviderType(type) ? undefined : provider?.props);
    const { findings, trusts } = findSts(type, props);
    for (const finding of findings) {
      const violation = globalUse(finding, region);
      if (violation) report(violation);
    }
    for (const trust of trusts) {
      for (const { audience, provider: identityProvider } of globalOnlySamlTrusts(trust.document)) {
        report({
          path: trust.path,
          found: `SAML users of ${identityProvider} are accepted with the audience "${audience}" only, which names no region`,
          instead: `let SAML:aud be a list of regional audiences, such as "${samlAudienceFor(audience, region)}", one for each region in use`,
        });
      }
    }
  },
});

/** What to write where the region of the resource is not known. */
const REGION_UNKNOWN = "sts.REGION.amazonaws.com, with the region that it runs in";

/** The violation in a finding, or undefined when it leads to a regional endpoint. */
function globalUse(finding: StsFinding, region: string | undefined): Violation | undefined {
  const { kind, shown, name, path, sts } = finding;
  const host = regionalHostFor(region, sts?.kind ?? "regional");
  const endpoint = host === undefined ? REGION_UNKNOWN : `"https://${host}"`;
  switch (kind) {
    case "endpoint":
      if (sts?.scope !== "global") return undefined;
      return { path, found: `"${shown}" is ${describe(sts.partition)}`, instead: `write ${endpoint}` };
    case "legacySetting":
      return {
        path,
        found: `"${shown}" makes SDKs call the global STS endpoint`,
        instead: `write "regional"`,
      };
    case "annotation":
      return {
        path,
        found: `"${shown}" makes pods call the global STS endpoint`,
        instead: `write "true" or leave the annotation out`,
      };
    case "globalRegion":
      return {
        path,
        found: `"${shown}" is no region and leads to the global STS endpoint`,
        instead: `write ${region === undefined ? "the region that it works in" : `"${region}"`}`,
      };
    case "globalSwitch":
      return {
        path,
        found: `"${name ?? "useGlobalEndpoint"}" being true makes the SDK call the global STS endpoint`,
        instead: `leave it out, or write ${endpoint} as the endpoint`,
      };
  }
}

function describe(partition: Parameters<typeof hasGlobalStsEndpoint>[0]): string {
  return hasGlobalStsEndpoint(partition)
    ? `the global STS endpoint, which is lost with ${iamControlPlaneRegion(partition)}`
    : "an STS endpoint without a region, which does not exist";
}

/** An audience to offer: of the region if it is known, else in the partition of the audience that was found. */
function samlAudienceFor(found: string, region: string | undefined): string {
  const host = new URL(found).hostname;
  if (region !== undefined && samlAudience(region).includes(host)) return samlAudience(region);
  return `https://REGION.${host}/saml`;
}
