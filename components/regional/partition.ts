/**
 * What differs between the AWS partitions: ARNs, endpoint names, control-plane regions. Pure functions; nothing else in the product
 * spells out a partition, an endpoint's host name or a region's special role.
 */

/** The partitions that are supported. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov";

/** Which of STS's regional endpoints is used (fact 5). */
export const STS_ENDPOINT_KINDS = ["regional", "fips", "dualstack", "fips-dualstack"] as const;
export type StsEndpointKind = (typeof STS_ENDPOINT_KINDS)[number];

interface PartitionFacts {
  dnsSuffix: string;
  dualStackDnsSuffix: string;
  /** Region of IAM's control plane, where IAM's events are recorded (facts 9 and 16). */
  iamControlPlane: string;
  /** Region of the control plane of AWS Organizations (fact 9). */
  organizationsControlPlane: string;
  /**
   * Regions in which sign-ins at the global address and what IAM does are recorded (facts 16 and 17); sign-ins at a region's own address are
   * recorded there.
   */
  signInRegions: readonly string[];
  /** Host name suffix of the console's sign-in endpoints (facts 8 and 12). */
  signInDnsSuffix: string;
  /** Whether an endpoint exists that is not of one region (facts 2 and 5). */
  hasGlobalStsEndpoint: boolean;
  hasSes: boolean;
  /** Whether IAM users can have FIDO security keys as MFA devices (fact 12). */
  hasSecurityKeys: boolean;
}

const PARTITIONS: Record<Partition, PartitionFacts> = {
  aws: {
    dnsSuffix: "amazonaws.com",
    dualStackDnsSuffix: "api.aws",
    iamControlPlane: "us-east-1",
    organizationsControlPlane: "us-east-1",
    signInRegions: ["us-east-1", "us-east-2", "us-west-2", "eu-north-1", "ap-southeast-2"],
    signInDnsSuffix: "signin.aws.amazon.com",
    hasGlobalStsEndpoint: true,
    hasSes: true,
    hasSecurityKeys: true,
  },
  "aws-cn": {
    dnsSuffix: "amazonaws.com.cn",
    dualStackDnsSuffix: "api.amazonwebservices.com.cn",
    iamControlPlane: "cn-north-1",
    organizationsControlPlane: "cn-northwest-1",
    signInRegions: ["cn-north-1", "cn-northwest-1"],
    signInDnsSuffix: "signin.amazonaws.cn",
    hasGlobalStsEndpoint: false,
    hasSes: false,
    hasSecurityKeys: false,
  },
  "aws-us-gov": {
    dnsSuffix: "amazonaws.com",
    dualStackDnsSuffix: "api.aws",
    iamControlPlane: "us-gov-west-1",
    organizationsControlPlane: "us-gov-west-1",
    signInRegions: ["us-gov-west-1", "us-gov-east-1"],
    signInDnsSuffix: "signin.amazonaws-us-gov.com",
    hasGlobalStsEndpoint: false,
    hasSes: true,
    hasSecurityKeys: true,
  },
};

/** The supported partitions' names. */
export const PARTITION_NAMES = Object.keys(PARTITIONS) as Partition[];

const REGION = /^(us|us-gov|cn|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d$/;

/** Whether the text has the form of a region's name in a supported partition (isolated partitions are not supported). */
export function isRegionName(text: string): boolean {
  return REGION.test(text);
}

/**
 * The partition that a region belongs to.
 * @throws Error when the text is not the name of a region in a supported partition.
 */
export function partitionOf(region: string): Partition {
  if (!isRegionName(region)) {
    throw new Error(`"${region}" is not the name of a region in partition ${PARTITION_NAMES.join(", ")}`);
  }
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** Everything of an ARN that is not the same for each resource. */
export interface ArnParts {
  partition: Partition;
  service: string;
  /** @default "" (a global service) */
  region?: string;
  /** @default "" (such as S3 buckets and AWS's own managed policies, which have "aws") */
  account?: string;
  resource: string;
}

/** An ARN from its parts. The only place where one is put together. */
export function arn(parts: ArnParts): string {
  return [
    "arn",
    parts.partition,
    parts.service,
    parts.region ?? "",
    parts.account ?? "",
    parts.resource,
  ].join(":");
}

/** ARN of a policy that AWS manages, for example `AdministratorAccess`. */
export function awsManagedPolicyArn(partition: Partition, name: string): string {
  return arn({ partition, service: "iam", account: "aws", resource: `policy/${name}` });
}

/** The domain of the partition's service endpoints, without a leading dot. */
export function dnsSuffix(partition: Partition): string {
  return PARTITIONS[partition].dnsSuffix;
}

/** Region of IAM's control plane: IAM's events are recorded there and only there (facts 9 and 16). */
export function iamControlPlaneRegion(partition: Partition): string {
  return PARTITIONS[partition].iamControlPlane;
}

/** Region of the control plane of AWS Organizations, not the same as IAM's in China (fact 9). */
export function organizationsControlPlaneRegion(partition: Partition): string {
  return PARTITIONS[partition].organizationsControlPlane;
}

/**
 * Regions in which a sign-in can be recorded although nobody chose them: those of the global sign-in address and of IAM's own events (facts 16
 * and 17).
 */
export function signInRegions(partition: Partition): string[] {
  return [...PARTITIONS[partition].signInRegions];
}

/** Whether an IAM user can have a FIDO security key. In China MFA is by TOTP only (fact 12). */
export function hasSecurityKeys(partition: Partition): boolean {
  return PARTITIONS[partition].hasSecurityKeys;
}

/** Whether Amazon SES exists in the partition. China has none: mail goes by SMTP there (fact 14). */
export function hasSes(partition: Partition): boolean {
  return PARTITIONS[partition].hasSes;
}

/** Whether the partition has a global STS endpoint at all (fact 5). */
export function hasGlobalStsEndpoint(partition: Partition): boolean {
  return PARTITIONS[partition].hasGlobalStsEndpoint;
}

/**
 * Host name of a region's own STS endpoint (fact 5).
 * @param kind `fips` exists in the United States and Canada only; in GovCloud the plain name is the FIPS endpoint.
 * @throws Error when the region has no endpoint of that kind.
 */
export function stsEndpointHost(region: string, kind: StsEndpointKind = "regional"): string {
  const partition = partitionOf(region);
  const facts = PARTITIONS[partition];
  if (kind.startsWith("fips") && !/^(us|us-gov|ca)-/.test(region)) {
    throw new Error(
      `${region} has no FIPS endpoint of STS (only regions of the United States and Canada have): use "regional" or "dualstack"`,
    );
  }
  switch (kind) {
    case "regional":
      return `sts.${region}.${facts.dnsSuffix}`;
    case "fips":
      return partition === "aws-us-gov"
        ? `sts.${region}.${facts.dnsSuffix}`
        : `sts-fips.${region}.${facts.dnsSuffix}`;
    case "dualstack":
      return `sts.${region}.${facts.dualStackDnsSuffix}`;
    case "fips-dualstack":
      return `sts-fips.${region}.${facts.dualStackDnsSuffix}`;
  }
}

/** URL of a region's own STS endpoint; see {@link stsEndpointHost}. */
export function stsEndpointUrl(region: string, kind: StsEndpointKind = "regional"): string {
  return `https://${stsEndpointHost(region, kind)}`;
}

/**
 * Service name of an interface endpoint. In China STS's carries the prefix `cn.` (fact 5).
 * @param service as in the name's last part, for example `sts`, `secretsmanager`, `email-smtp`.
 */
export function interfaceEndpointServiceName(region: string, service: string): string {
  const prefix = partitionOf(region) === "aws-cn" && service === "sts" ? "cn.com.amazonaws" : "com.amazonaws";
  return `${prefix}.${region}.${service}`;
}

/** The audience (`saml:aud`) of a region's own sign-in endpoint, for role trust policies (fact 8). */
export function samlAudience(region: string): string {
  const suffix = PARTITIONS[partitionOf(region)].signInDnsSuffix;
  return `https://${region}.${suffix}/saml`;
}

/** Where a user of an account signs in to the console through the given region, also when others are lost (fact 12). */
export function consoleSignInUrl(accountId: string, region: string): string {
  const suffix = PARTITIONS[partitionOf(region)].signInDnsSuffix;
  return `https://${accountId}.${suffix}/console?region=${region}`;
}
