import type * as http from "node:http";
import { type EndpointFacts, parseEndpointHost } from "./endpointHost";
import { controlPlaneRegion, homeOf } from "./globalServices";
import { restAction, s3Action } from "./restAction";
import { type CallFacts, type CredentialKind, UNKNOWN } from "./types";

/** The header by which a caller with an emulator's endpoint says which real host it meant. */
export const ENDPOINT_HEADER = "x-bulkhead-endpoint";

/** A request without its body. */
export interface RequestHead {
  method: string;
  /** Path and query as they came over the wire. */
  url: string;
  headers: http.IncomingHttpHeaders;
}

interface Scope {
  accessKeyId: string;
  region?: string;
  service: string;
}

/**
 * Whether a request can be told only with the start of its body: the query protocol has its operation
 * there, and WAF its scope.
 */
export function needsBody(head: RequestHead): boolean {
  if (head.method !== "POST") return false;
  return isForm(head) || scopeOf(head, splitUrl(head.url).query)?.service === "wafv2";
}

/**
 * What a request says about itself. Never throws: what it does not tell is {@link UNKNOWN}.
 * @param body start of the body, when {@link needsBody}; else "".
 */
export function identify(head: RequestHead, body: string): CallFacts {
  const { path, query } = splitUrl(head.url);
  const scope = scopeOf(head, query);
  const { host: endpointHost, facts: endpoint } = meantEndpoint(head);
  const named = namedAction(head, path, query, body);
  const service = scope?.service ?? endpoint?.service ?? serviceOfUnsigned(named) ?? UNKNOWN;
  const s3 = service === "s3" ? s3Action(head.method, hostOf(head), path, query) : undefined;
  // The path of a request that is not signed may be its credential (a link in a mail): only its first part
  // is kept.
  const shownPath = scope ? path : `/${path.split("/")[1] ?? ""}`;
  const action = s3?.action ?? named ?? restAction(service, head.method, shownPath);
  const home = homeOf({
    service,
    action,
    changesBucket: s3?.changesBucket ?? false,
    globalSts: service === "sts" && endpoint?.globalSts === true,
    body,
  });
  // The endpoint is where the request goes; the signature only says for which region it was made.
  const region = endpoint?.region ?? scope?.region;
  return {
    service,
    region: home === "global" ? controlPlaneRegion(service, region) : (region ?? UNKNOWN),
    action,
    ...(endpointHost === undefined ? {} : { endpointHost }),
    home,
    credential: credentialKind(scope?.accessKeyId),
  };
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf("?");
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

/**
 * The credential scope of a signed request: in the Authorization header, or in the query of a presigned one.
 */
function scopeOf(head: RequestHead, query: URLSearchParams): Scope | undefined {
  const credential =
    /^AWS4-[A-Z0-9-]+ .*?Credential=([^,\s]+)/.exec(head.headers.authorization ?? "")?.[1] ??
    query.get("X-Amz-Credential");
  if (!credential) return undefined;
  // From the right: KEY/DATE/REGION/SERVICE/aws4_request. Version 4a has no region there but a set of them
  // elsewhere.
  const parts = credential.split("/");
  const [accessKeyId, service] = [parts[0], parts.at(-2)];
  if (parts.length < 4 || !accessKeyId || !service) return undefined;
  const set = first(head.headers["x-amz-region-set"]) ?? query.get("X-Amz-Region-Set") ?? undefined;
  const region = parts.length >= 5 ? parts.at(-3) : set?.split(",")[0]?.trim();
  return { accessKeyId, service, ...(region ? { region } : {}) };
}

/** The host that the caller meant: what it says, or the host it addressed if that is a name of AWS. */
function meantEndpoint(head: RequestHead): { host?: string; facts?: EndpointFacts } {
  const said = first(head.headers[ENDPOINT_HEADER])?.trim();
  if (said) return withFacts(withoutPort(said), parseEndpointHost(withoutPort(said)));
  const facts = parseEndpointHost(hostOf(head));
  return facts ? withFacts(hostOf(head), facts) : {};
}

function withFacts(host: string, facts: EndpointFacts | undefined): { host: string; facts?: EndpointFacts } {
  return facts ? { host, facts } : { host };
}

/** The operation where the protocol has a place for its name; undefined for REST. */
function namedAction(
  head: RequestHead,
  path: string,
  query: URLSearchParams,
  body: string,
): string | undefined {
  // JSON protocols: "DynamoDB_20120810.PutItem".
  const target = first(head.headers["x-amz-target"]);
  if (target) return target.slice(target.lastIndexOf(".") + 1);
  const inQuery = query.get("Action");
  if (inQuery) return inQuery;
  if (isForm(head)) return new URLSearchParams(body).get("Action") ?? undefined;
  // CBOR protocol.
  return /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1];
}

/** Federated sign-in is not signed, and an emulator's client need not say the host. */
function serviceOfUnsigned(action: string | undefined): string | undefined {
  return action === "AssumeRoleWithSAML" || action === "AssumeRoleWithWebIdentity" ? "sts" : undefined;
}

function credentialKind(accessKeyId: string | undefined): CredentialKind {
  if (accessKeyId === undefined) return "none";
  if (/^\d{12}$/.test(accessKeyId)) return "account";
  return accessKeyId.startsWith("ASIA") ? "session" : "user";
}

function isForm(head: RequestHead): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(head.headers["content-type"] ?? "");
}

function hostOf(head: RequestHead): string {
  return withoutPort(head.headers.host ?? "");
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
