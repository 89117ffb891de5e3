/** Names of operations of APIs that say them by method and path only. */

/** What an S3 request does, and to what. */
export interface S3Action {
  action: string;
  /** Whether it changes a bucket itself, which is a matter of S3's control plane in one region (fact 10). */
  changesBucket: boolean;
}

/** Sub-resources of a bucket whose operations are not called Verb + Bucket + Name. */
const BUCKET_SUBRESOURCES: Record<string, string> = {
  accelerate: "BucketAccelerateConfiguration",
  acl: "BucketAcl",
  analytics: "BucketAnalyticsConfiguration",
  cors: "BucketCors",
  encryption: "BucketEncryption",
  "intelligent-tiering": "BucketIntelligentTieringConfiguration",
  inventory: "BucketInventoryConfiguration",
  lifecycle: "BucketLifecycleConfiguration",
  location: "BucketLocation",
  logging: "BucketLogging",
  metrics: "BucketMetricsConfiguration",
  notification: "BucketNotificationConfiguration",
  "object-lock": "ObjectLockConfiguration",
  ownershipControls: "BucketOwnershipControls",
  policy: "BucketPolicy",
  publicAccessBlock: "PublicAccessBlock",
  replication: "BucketReplication",
  requestPayment: "BucketRequestPayment",
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
  website: "BucketWebsite",
};

/**
 * Names the operation of an S3 request.
 * @param host without port; a name in front of `s3` or `localhost` is a bucket's (virtual-host style).
 */
export function s3Action(method: string, host: string, path: string, query: URLSearchParams): S3Action {
  const inHost = /^(.+)\.(s3[.-].*|localhost)$/.test(host);
  const segments = path.split("/").filter((part) => part !== "");
  const level = segments.length + (inHost ? 1 : 0);
  if (level === 0) return { action: "ListBuckets", changesBucket: false };
  if (level > 1) return { action: `${objectVerb(method)}Object`, changesBucket: false };
  const subresource = Object.keys(BUCKET_SUBRESOURCES).find((name) => query.has(name));
  const changesBucket = method === "PUT" || method === "DELETE";
  if (subresource !== undefined) {
    const verb = { PUT: "Put", DELETE: "Delete", GET: "Get" }[method] ?? method;
    return { action: `${verb}${BUCKET_SUBRESOURCES[subresource]}`, changesBucket };
  }
  const plain: Record<string, string> = {
    PUT: "CreateBucket",
    DELETE: "DeleteBucket",
    HEAD: "HeadBucket",
    GET: query.has("list-type") ? "ListObjectsV2" : "ListObjects",
    POST: query.has("delete") ? "DeleteObjects" : "PostObject",
  };
  return { action: plain[method] ?? `${method} bucket`, changesBucket };
}

function objectVerb(method: string): string {
  return { PUT: "Put", DELETE: "Delete", HEAD: "Head", GET: "Get", POST: "Post" }[method] ?? method;
}

interface RestRoute {
  service: string;
  method: string;
  path: RegExp;
  action: string;
}

/** Those whose name matters to an outage or is worth reading in a report. */
const ROUTES: readonly RestRoute[] = [
  { service: "lambda", method: "POST", path: /^\/[\d-]+\/functions\/[^/]+\/invocations$/, action: "Invoke" },
  {
    service: "lambda",
    method: "POST",
    path: /^\/[\d-]+\/functions\/[^/]+\/url$/,
    action: "CreateFunctionUrlConfig",
  },
  { service: "apigateway", method: "POST", path: /^\/v2\/apis$/, action: "CreateApi" },
  { service: "apigateway", method: "POST", path: /^\/restapis$/, action: "CreateRestApi" },
  { service: "ses", method: "POST", path: /^\/v2\/email\/outbound-emails$/, action: "SendEmail" },
];

/** A path longer than this is cut: it is shown to people. */
const LONGEST_PATH = 120;

/** Names the operation of another REST API: by name where it is known here, else method and path. */
export function restAction(service: string, method: string, path: string): string {
  const route = ROUTES.find(
    (candidate) =>
      candidate.service === service &&
      candidate.method === method &&
      candidate.path.test(path.replace(/\/$/, "")),
  );
  if (route) return route.action;
  return `${method} ${path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path}`;
}
