import {
  interfaceEndpointServiceName,
  isRegionName,
  partitionOf,
} from "../../../components/regional/partition";
import { squashed } from "../lib/keyNames";
import { regionOf } from "../lib/region";
import { defineRule, type RuleResource, type Violation } from "../lib/rule";
import { findSts, type StsFinding } from "../lib/stsFindings";
import { classifyStsHost, isGlobalRegion, regionalHostFor, type StsHost } from "../lib/stsHost";
import { isProviderType } from "../lib/stsPlaces";
import { type PlainObject, property, text } from "../lib/walk";

/** Rejects STS endpoints of another region than the one that uses them (facts 5 and 6). */
export const stsEndpointMatchesRegion = defineRule({
  id: "sts-endpoint-matches-region",
  title: "STS endpoint of the own region",
  description: "An STS endpoint that is set must be of the region, and of the partition, that uses it.",
  severity: "high",
  why:
    "A regional endpoint of another region is a hidden dependency on that region: with it, the credentials of this one are lost (fact 6). " +
    "A name of the wrong partition does not exist at all (fact 5).",
  looksAt: [
    "AWS providers: `endpoints[].sts` and `stsRegion` against the provider's `region`",
    "`AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL` and `AWS_STS_ENDPOINT` in environment variables and user data, against the resource's `region` or its provider's",
    "interface endpoints of STS: `serviceName` (in China with the prefix `cn.`) and `serviceRegion`, against the endpoint's region",
  ],
  leavesAlone: [
    "the global endpoint: that is `no-global-sts-endpoint`",
    "variables of other names, which may name a peer's endpoint on purpose",
    "configuration that is not bound to the resource's region: templates, parameters, documents, Kubernetes",
  ],
  unknowns: "when the region or the endpoint is not known, nothing is reported until it is.",
  examples: {
    rejected:
      'new aws.Provider("dr", { region: "us-west-2", endpoints: [{ sts: "https://sts.us-east-1.amazonaws.com" }] });',
    accepted:
      'new aws.Provider("dr", { region: "us-west-2", endpoints: [{ sts: "https://sts.us-west-2.amazonaws.com" }] });',
  },
  options: {},
  appliesTo: (type) => isProviderType(type) || type.startsWith("aws:") || type.startsWith("aws-native:"),
  resource(resource, _config, report) {
    const { type, props, provider } = resource;
    const region = regionOf(props, isProviderType(type) ? undefined : provider?.props);
    if (region === undefined) return;
    if (isProviderType(type)) {
      const violation = stsRegionOf(props, region);
      if (violation) report(violation);
    }
    if (VPC_ENDPOINT_TYPES.has(type)) {
      for (const violation of interfaceEndpoint(resource, region)) report(violation);
    }
    for (const finding of findSts(type, props).findings) {
      const violation = isBound(finding) && finding.sts && foreignHost(finding, finding.sts, region);
      if (violation) report(violation);
    }
  },
});

const VPC_ENDPOINT_TYPES: ReadonlySet<string> = new Set([
  "aws:ec2/vpcEndpoint:VpcEndpoint",
  "aws-native:ec2:VpcEndpoint",
]);

const BOUND_NAMES: ReadonlySet<string> = new Set(["awsendpointurlsts", "awsendpointurl", "awsstsendpoint"]);

/** Whether the finding is what the resource itself calls STS at. */
function isBound({ place, name }: StsFinding): boolean {
  if (place === "provider") return true;
  return (place === "environment" || place === "userData") && BOUND_NAMES.has(squashed(name ?? ""));
}

function foreignHost({ path, shown }: StsFinding, sts: StsHost, region: string): Violation | undefined {
  if (sts.scope !== "regional") return undefined;
  const own = regionalHostFor(region, sts.kind) ?? "";
  const instead = `write "https://${own}"`;
  if (sts.region !== region) {
    return {
      path,
      found: `"${shown}" is the STS endpoint of ${sts.region}, used in ${region}`,
      instead,
    };
  }
  // GovCloud's plain name is its FIPS endpoint: a name that says FIPS there is the one left to be told apart.
  const ownKinds = (["regional", "fips", "dualstack", "fips-dualstack"] as const).map((kind) =>
    regionalHostFor(region, kind),
  );
  if (!sts.privateLink && !ownKinds.includes(sts.host)) {
    return { path, found: `"${shown}" is not an STS endpoint that ${region} has`, instead };
  }
  const expected = classifyStsHost(own)?.partition;
  return sts.privateLink && sts.partition !== expected
    ? { path, found: `"${shown}" is not in ${region}'s partition`, instead }
    : undefined;
}

function stsRegionOf(props: PlainObject, region: string): Violation | undefined {
  const stsRegion = text(property(props, "stsRegion"))?.trim();
  if (!stsRegion || stsRegion.toLowerCase() === region || isGlobalRegion(stsRegion)) return undefined;
  return {
    path: "stsRegion",
    found: `"${stsRegion}" makes a provider of ${region} depend on another region for its credentials`,
    instead: `write "${region}" or leave it out`,
  };
}

const STS_SERVICE = /^(?:cn\.)?com\.amazonaws\.([a-z0-9-]+)\.(sts(?:-fips)?)$/i;

function interfaceEndpoint({ props }: RuleResource, region: string): Violation[] {
  const serviceName = text(property(props, "serviceName"))?.trim() ?? "";
  const match = STS_SERVICE.exec(serviceName);
  if (!match) return [];
  const [, serviceRegion = "", service = "sts"] = match;
  const own = interfaceEndpointServiceName(region, service.toLowerCase());
  const violations: Violation[] = [];
  if (serviceName.toLowerCase() !== own) {
    const foreign = serviceRegion.toLowerCase() !== region;
    const reason = foreign
      ? `is STS of ${serviceRegion}, for an endpoint in ${region}`
      : `does not exist in partition ${partitionOf(region)}`;
    violations.push({
      path: "serviceName",
      found: `"${serviceName}" ${reason}`,
      instead: `write "${own}"`,
    });
  }
  const remote = text(property(props, "serviceRegion"))?.trim().toLowerCase();
  if (remote !== undefined && isRegionName(remote) && remote !== region) {
    violations.push({
      path: "serviceRegion",
      found: `"${remote}" makes an endpoint in ${region} depend on another region's STS`,
      instead: `write "${region}" or leave it out`,
    });
  }
  return violations;
}
