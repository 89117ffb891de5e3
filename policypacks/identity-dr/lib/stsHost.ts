import {
  iamControlPlaneRegion,
  isRegionName,
  PARTITION_NAMES,
  type Partition,
  partitionOf,
  type StsEndpointKind,
  stsEndpointHost,
} from "../../../components/regional/partition";

/** What a host name says about STS (fact 5). */
export interface StsHost {
  /** The name in lower case, without a trailing dot, port or user. */
  readonly host: string;
  /** `global`: the name is tied to no region, or to no real one, whether or not the partition has such an endpoint. */
  readonly scope: "global" | "regional";
  /** The region in the name. Set if and only if the scope is `regional`. */
  readonly region?: string;
  /** The partition whose domain the name ends in (GovCloud shares its domain with `aws`: then the region decides). */
  readonly partition: Partition;
  readonly kind: StsEndpointKind;
  /** The name of one interface endpoint (`vpce-...`), which only its network can use. */
  readonly privateLink: boolean;
}

interface Domain {
  suffix: string;
  partition: Partition;
  dualStack: boolean;
}

/** The domains that STS's endpoints stand in, derived from the partition's own table; the longest first. */
const DOMAINS: readonly Domain[] = PARTITION_NAMES.flatMap((partition) => {
  const region = iamControlPlaneRegion(partition);
  return (["regional", "dualstack"] as const).map((kind) => ({
    suffix: stsEndpointHost(region, kind).slice(`sts.${region}.`.length),
    partition,
    dualStack: kind === "dualstack",
  }));
})
  .filter((domain, index, all) => all.findIndex(({ suffix }) => suffix === domain.suffix) === index)
  .sort((one, other) => other.suffix.length - one.suffix.length);

/** Regular expression source that matches any of the domains. For {@link bareStsHosts}. */
const ANY_DOMAIN = DOMAINS.map(({ suffix }) => suffix.replaceAll(".", "\\.")).join("|");

const NAME = /^(vpce-[a-z0-9-]+\.)?sts(-fips|-global)?(?:\.([a-z0-9-]+))?$/;

/** The form of a region's name in any partition, known here or not. */
const REGION_LIKE = /^[a-z]{2,}(?:-[a-z]+)+-\d+$/;

/**
 * What a host name says about STS, or undefined when it is no STS endpoint.
 * @param name a host name in any case, with or without one trailing dot; no port.
 */
export function classifyStsHost(name: string): StsHost | undefined {
  const host = name.toLowerCase().replace(/\.$/, "");
  const domain = DOMAINS.find(({ suffix }) => host.endsWith(`.${suffix}`));
  if (!domain) return undefined;
  const match = NAME.exec(host.slice(0, -domain.suffix.length - 1).replace(/\.vpce$/, ""));
  if (!match) return undefined;
  const [, endpointId, variant, region] = match;
  const fips = variant === "-fips";
  const kind: StsEndpointKind = domain.dualStack
    ? fips
      ? "fips-dualstack"
      : "dualstack"
    : fips
      ? "fips"
      : "regional";
  const common = { host, kind, privateLink: endpointId !== undefined };
  // `sts-global.R` serves the global name inside a region (fact 3): who names it still means the global endpoint.
  if (region === undefined || variant === "-global" || isGlobalRegion(region)) {
    return { ...common, scope: "global", partition: domain.partition };
  }
  if (!REGION_LIKE.test(region)) return undefined;
  const partition = isRegionName(region) ? partitionOf(region) : domain.partition;
  return { ...common, scope: "regional", region, partition };
}

/** Whether a region is one of the SDKs' pseudo regions that lead to the global endpoint (fact 6). */
export function isGlobalRegion(region: string): boolean {
  return /^aws(?:-[a-z]+)*-global$/i.test(region.trim());
}

/** A host name, and what else of the text mattered. */
interface ParsedEndpoint {
  host: string;
  /** Whether the text was a URL (`//` stood before the host). */
  isUrl: boolean;
  hasPort: boolean;
  path: string;
}

/**
 * Reads the whole text as a URL or as a host name with an optional port and path. The platform's own URL parser does it, so that
 * what a client would take for the host is the host: case, user and password, percent-encoding, full-width letters, backslashes.
 */
function parseEndpoint(text: string): ParsedEndpoint | undefined {
  const trimmed = text.trim().replace(/^["'`]+|["'`]+$/g, "");
  if (trimmed === "" || trimmed.length > 2048) return undefined;
  const scheme = /^(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}/i.exec(trimmed)?.[0];
  const rest = scheme === undefined ? trimmed : trimmed.slice(scheme.length);
  try {
    // Only with a web scheme does the parser treat the host as a host name.
    const url = new URL(`https://${rest}`);
    return {
      host: url.hostname,
      isUrl: scheme !== undefined,
      hasPort: /^(?:[^/?#\\]*@)?[^/?#\\:]*:\d+/.test(rest),
      path: url.pathname,
    };
  } catch {
    return undefined;
  }
}

/** Reads the whole text as an endpoint and classifies its host; see {@link parseEndpoint} and {@link classifyStsHost}. */
export function parseStsEndpoint(text: string): (ParsedEndpoint & { sts: StsHost }) | undefined {
  const parsed = parseEndpoint(text);
  const sts = parsed && classifyStsHost(parsed.host);
  return parsed && sts ? { ...parsed, sts } : undefined;
}

const BARE_HOST = new RegExp(
  `(?<![\\w.-])(?:vpce-[\\w-]+\\.)?sts(?:-fips|-global)?(?:\\.[a-z0-9-]+)?(?:\\.vpce)?\\.(?:${ANY_DOMAIN})` +
    "(\\.?)(:\\d{1,5})?(?![\\w-]|\\.\\w)",
  "gi",
);

/** Every STS host name that stands alone in a text: not as a part of a longer name, not with escaped dots. */
export function bareStsHosts(
  text: string,
): { index: number; length: number; hasPort: boolean; sts: StsHost }[] {
  return [...text.matchAll(BARE_HOST)].flatMap((match) => {
    const sts = classifyStsHost(match[0].replace(/:\d+$/, ""));
    return sts ? [{ index: match.index, length: match[0].length, hasPort: match[2] !== undefined, sts }] : [];
  });
}

/** The regional host to write instead, of the same kind where the region has it. Undefined when the region is not known. */
export function regionalHostFor(region: string | undefined, kind: StsEndpointKind): string | undefined {
  if (region === undefined || !isRegionName(region)) return undefined;
  try {
    return stsEndpointHost(region, kind);
  } catch {
    return stsEndpointHost(region, kind === "fips-dualstack" ? "dualstack" : "regional");
  }
}
