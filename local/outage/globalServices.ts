import {
  iamControlPlaneRegion,
  isRegionName,
  organizationsControlPlaneRegion,
  partitionOf,
} from "../../components/regional/partition";
import type { Home } from "./types";

/** Signing names of the services that are global as a whole (facts 9, 10 and 16). */
const GLOBAL_SERVICES: ReadonlySet<string> = new Set([
  "iam",
  "organizations",
  "account",
  "route53",
  "cloudfront",
  "waf",
  "shield",
]);

/** Operations of regional services that need Route 53's control plane (fact 10). */
const NEEDS_GLOBAL_CONTROL_PLANE: ReadonlySet<string> = new Set([
  "apigateway:CreateApi",
  "apigateway:CreateRestApi",
  "elasticloadbalancing:CreateLoadBalancer",
  "lambda:CreateFunctionUrlConfig",
]);

/** What decides where a call is served. */
export interface Served {
  service: string;
  action: string;
  /** Whether an S3 call changes a bucket itself: CreateBucket, DeleteBucket, PutBucket* and their like. */
  changesBucket: boolean;
  /** Whether the meant endpoint is STS's global one. */
  globalSts: boolean;
  /** Start of the request's body, as far as it was read. */
  body: string;
}

/** Where a call is served; see {@link Home}. */
export function homeOf(call: Served): Home {
  if (GLOBAL_SERVICES.has(call.service)) return "global";
  if (call.globalSts || call.changesBucket) return "both";
  if (NEEDS_GLOBAL_CONTROL_PLANE.has(`${call.service}:${call.action}`)) return "both";
  // Gateway endpoints, the default type, are route table entries: no names, so no Route 53.
  if (call.service === "ec2" && call.action === "CreateVpcEndpoint") {
    return new URLSearchParams(call.body).get("VpcEndpointType") === "Interface" ? "both" : "regional";
  }
  if (call.service === "wafv2" && isForCloudFront(call.body)) return "global";
  return "regional";
}

/**
 * Region of the control plane of a global service, in the partition of the region that the caller signed
 * for.
 */
export function controlPlaneRegion(service: string, signedRegion: string | undefined): string {
  const partition =
    signedRegion !== undefined && isRegionName(signedRegion) ? partitionOf(signedRegion) : "aws";
  return service === "organizations"
    ? organizationsControlPlaneRegion(partition)
    : iamControlPlaneRegion(partition);
}

/** WAF serves CloudFront by one global scope; calls name it, or a resource whose ARN has it. */
function isForCloudFront(body: string): boolean {
  try {
    const input: unknown = JSON.parse(body);
    if (typeof input !== "object" || input === null) return false;
    const values = new Map(Object.entries(input));
    if (values.get("Scope") === "CLOUDFRONT") return true;
    return ["ARN", "WebACLArn", "ResourceArn", "ResourceARN"].some((key) => {
      const value = values.get(key);
      return typeof value === "string" && (value.includes(":global/") || value.includes(":cloudfront:"));
    });
  } catch {
    // Too long to be read whole, or not JSON: its region decides.
    return false;
  }
}
