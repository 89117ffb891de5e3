/**
 * Who uses the command line, by AWS's word: the caller signs a request to STS's GetCallerIdentity, together with the hash of what they want, and sends
 * the signature. This function puts the request together again and asks its own region's STS. Nothing else can be done with the signature, it is good
 * for a few minutes, and for this one wish.
 */
import { createHash } from "node:crypto";
import * as https from "node:https";
import { stsEndpointHost } from "../../../components/regional/partition";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { canonicalJson } from "../policy/operationHash";

/** The header that binds a signature to what is wanted. */
export const AUDIENCE_HEADER = "x-bulkhead-audience";
const BODY = "Action=GetCallerIdentity&Version=2011-06-15";

/** The headers that a signature may cover; whatever else there were could only serve to confuse. */
const HEADERS: ReadonlySet<string> = new Set([
  "amz-sdk-invocation-id",
  "amz-sdk-request",
  "authorization",
  "content-length",
  "content-type",
  "host",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-user-agent",
  AUDIENCE_HEADER,
]);

/** What is wanted, as signatures name it. */
export function audienceOf(cell: string, wish: unknown): string {
  return createHash("sha256")
    .update(`bulkhead-approval ${cell} ${canonicalJson(wish)}`)
    .digest("hex");
}

/** Asks STS with these headers. Returns the answer's status and text. */
export type AskSts = (
  host: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<{ status: number; text: string }>;

/**
 * The ARN of whoever signed.
 * @param headers of the signed request
 * @throws BulkheadError `not-proven`
 */
export async function callerOf(
  headers: Readonly<Record<string, string>>,
  expected: { readonly region: string; readonly audience: string },
  ask: AskSts = askSts,
): Promise<string> {
  const host = stsEndpointHost(expected.region);
  const own = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const unknown = [...own.keys()].find((name) => !HEADERS.has(name));
  if (unknown !== undefined) throw notProven("it has a header that such requests do not have");
  const signed = /SignedHeaders=([a-z0-9;-]+)/.exec(own.get("authorization") ?? "")?.[1]?.split(";") ?? [];
  if (!signed.includes("host") || !signed.includes(AUDIENCE_HEADER)) {
    throw notProven("it does not cover its host and what is wanted");
  }
  if (own.get("host") !== host) throw notProven(`it is not made for ${host}`);
  if (own.get(AUDIENCE_HEADER) !== expected.audience) throw notProven("it is made for another wish");
  const { status, text } = await ask(host, Object.fromEntries(own), BODY);
  const arn = /<Arn>([^<>\s]{20,2048})<\/Arn>/.exec(text)?.[1];
  if (status !== 200 || arn === undefined) throw notProven("STS does not accept it: it may be too old");
  return arn;
}

function notProven(why: string): BulkheadError {
  return new BulkheadError("not-proven", `the signature does not show who calls: ${why}`);
}

const askSts: AskSts = (host, headers, body) =>
  new Promise((resolve, reject) => {
    const request = https.request(
      { host, method: "POST", path: "/", headers, timeout: 5_000 },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part.slice(0, 20_000 - text.length);
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error("STS did not answer")));
    request.on("error", reject);
    request.end(body);
  });
