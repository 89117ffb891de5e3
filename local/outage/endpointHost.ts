import { dnsSuffix, iamControlPlaneRegion, isRegionName } from "../../components/regional/partition";

/** What the host name of an AWS endpoint tells. */
export interface EndpointFacts {
  /** Undefined when the name does not tell. */
  service?: string;
  /** Undefined for a global endpoint other than that of STS, and when the name does not tell. */
  region?: string;
  /** Whether it is STS's global endpoint, which is us-east-1's (fact 2). */
  globalSts: boolean;
}

/** Names in front of the region that are not the service's. */
const NOT_A_SERVICE = new Set(["dualstack"]);

/**
 * Reads the host name of an AWS endpoint: regional, FIPS, dual-stack, interface endpoint, global, or the
 * sign-in pages.
 * @returns undefined when it is not the name of one (such as `127.0.0.1`, or a name of the caller's own).
 */
export function parseEndpointHost(host: string): EndpointFacts | undefined {
  const labels = host.toLowerCase().split(".");
  const globalSuffix = dnsSuffix("aws").split(".");
  // From the right: a bucket's name may contain dots, and labels that look like a region.
  const at = labels.findLastIndex((label) => isRegionName(label));
  if (at >= 0 && labels.length - at > 2) {
    const before = labels.slice(0, at).filter((label) => !NOT_A_SERVICE.has(label));
    // The sign-in pages have the region in front: REGION.signin.aws.amazon.com.
    const name = (before.at(-1) ?? labels[at + 1] ?? "").replace(/-fips$/, "");
    // The name that a call of the global endpoint carries when it is served locally (fact 3).
    if (name === "sts-global") return { service: "sts", region: globalStsRegion(), globalSts: true };
    return { service: name, region: labels[at], globalSts: false };
  }
  if (labels.length <= globalSuffix.length || !host.toLowerCase().endsWith(`.${globalSuffix.join(".")}`)) {
    return undefined;
  }
  const service = labels[labels.length - globalSuffix.length - 1] ?? "";
  // Before 2019 regions of S3 were part of the first label.
  const legacy = /^s3-(.+)$/.exec(service)?.[1];
  if (legacy !== undefined && isRegionName(legacy))
    return { service: "s3", region: legacy, globalSts: false };
  if (service === "sts") return { service, region: globalStsRegion(), globalSts: true };
  return { service, globalSts: false };
}

/**
 * Only partition aws has a global STS endpoint; it stands where IAM's control plane does (facts 2, 5 and 9).
 */
function globalStsRegion(): string {
  return iamControlPlaneRegion("aws");
}
