import { memoize } from "./walk";

/** The words of a key in lower case: `AWS_ENDPOINT_URL_STS`, `awsEndpointUrlSts` and `aws.endpoint-url.sts` have the same four. */
const words: (key: string) => readonly string[] = memoize(
  (key) =>
    key
      .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
      .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((word) => word !== ""),
  4096,
);

/** The key in lower case without separators, for comparison with a known name in any notation. */
export const squashed: (key: string) => string = memoize((key) => words(key).join(""), 4096);

const ENDPOINT_WORDS = new Set([
  "endpoint",
  "endpoints",
  "url",
  "urls",
  "uri",
  "host",
  "hosts",
  "hostname",
  "server",
  "address",
  "addr",
  "domain",
  "fqdn",
  "target",
  "origin",
]);

/** Whether a key names STS's endpoint: `sts`, `stsEndpoint`, `sts_endpoint`, `AWS_ENDPOINT_URL_STS`, `STS_HOST` and the like. */
function namesStsEndpoint(key: string): boolean {
  const parts = words(key);
  if (/^(?:aws)?sts(?:endpoint|url|uri|host)/.test(parts.join(""))) return !isRegionalEndpointsSetting(key);
  if (!parts.includes("sts")) return false;
  return parts.length === 1 || parts.some((word) => ENDPOINT_WORDS.has(word));
}

/** Whether a key names an endpoint of whatever service: `endpoint`, `AWS_ENDPOINT_URL`, `apiEndpoint`. */
export function namesEndpoint(key: string): boolean {
  return namesStsEndpoint(key) || words(key).some((word) => word === "endpoint" || word === "endpoints");
}

/** Whether a key names something that one connects to, in the wide sense that a script or a configuration file needs. */
export function namesAddress(key: string): boolean {
  const parts = words(key);
  // CloudTrail's `clientProvidedHostHeader` is asked for in queries (fact 3).
  if (parts.includes("header")) return false;
  return namesStsEndpoint(key) || parts.some((word) => ENDPOINT_WORDS.has(word));
}

/**
 * Whether a key says that its value is compared or handed over, never called, whatever its form: OIDC audiences and client ids, XML
 * namespaces, lists of hosts that a proxy is not used for (fact 7).
 */
export function neverCalled(key: string): boolean {
  const parts = words(key);
  const joined = parts.join("");
  return (
    parts.some((word) => /^(?:aud|audiences?|xmlns|clientids?)$/.test(word)) ||
    /clientid|apiaudience|noproxy/.test(joined)
  );
}

/**
 * Whether a bare host name under this key is a name of the service and not an address: event sources, service principals, patterns,
 * queries (fact 7).
 */
export function namesService(key: string): boolean {
  if (neverCalled(key)) return true;
  if (namesStsEndpoint(key)) return false;
  return words(key).some((word) =>
    /^(?:sources?|services?|principals?|patterns?|query|queries|filters?|namespaces?|trusted|allowed)$/.test(
      word,
    ),
  );
}

/** Whether a key is the setting `AWS_STS_REGIONAL_ENDPOINTS` or `sts_regional_endpoints`, or ends in it (fact 6). */
export function isRegionalEndpointsSetting(key: string): boolean {
  return squashed(key).endsWith("stsregionalendpoints");
}

/** Whether a key is the service-account annotation of EKS (fact 6). */
export function isRegionalEndpointsAnnotation(key: string): boolean {
  return squashed(key).endsWith("eksamazonawscomstsregionalendpoints");
}

/** Whether a key is the JavaScript SDK's switch to the global endpoint (fact 6). */
export function isUseGlobalEndpoint(key: string): boolean {
  return squashed(key).endsWith("useglobalendpoint");
}

/** Whether a key names the region that an SDK works in. */
export function namesRegion(key: string): boolean {
  return /(?:^|aws|default|sts)region(?:name)?$/.test(squashed(key)) && key !== "awsRegion";
}
