/** Requests as API Gateway's HTTP APIs hand them over (payload format 2.0), and what is taken of them. */
import * as z from "zod";

const eventSchema = z.object({
  version: z.literal("2.0"),
  rawPath: z.string().max(2_048),
  rawQueryString: z.string().max(8_192).default(""),
  cookies: z.array(z.string().max(8_192)).max(64).default([]),
  headers: z.record(z.string(), z.string()).default({}),
  requestContext: z.object({
    http: z.object({ method: z.string().max(16) }),
    stage: z.string().max(128).default("$default"),
    requestId: z.string().max(128).default(""),
  }),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
});

/** Most bytes that a form may have. */
export const MAX_FORM_BYTES = 32 * 1024;
/** Slack sends the whole message along. */
export const MAX_SLACK_BYTES = 256 * 1024;

/** A request over HTTP. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Without stage: `/decide`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** API Gateway's id of it. */
  readonly id: string;
}

/** Reads an event; undefined when it is none of an HTTP API. */
export function readHttpRequest(event: unknown): HttpRequest | undefined {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const {
    rawPath,
    rawQueryString,
    cookies,
    headers,
    requestContext,
    body = "",
    isBase64Encoded,
  } = parsed.data;
  const stage = `/${requestContext.stage}`;
  return {
    method: requestContext.http.method.toUpperCase(),
    // Stages other than the default one stand before the path.
    path: rawPath.startsWith(`${stage}/`) ? rawPath.slice(stage.length) : rawPath,
    query: new URLSearchParams(rawQueryString),
    cookies: new Map(
      cookies.flatMap((cookie): [string, string][] => {
        const separator = cookie.indexOf("=");
        return separator < 1 ? [] : [[cookie.slice(0, separator).trim(), cookie.slice(separator + 1).trim()]];
      }),
    ),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
    id: /^[\w=-]{1,64}$/.test(requestContext.requestId) ? requestContext.requestId : "",
  };
}

/** A form's fields, or why there are none. */
export type Form =
  | { readonly fields: ReadonlyMap<string, string> }
  | { readonly problem: "tooLarge" | "malformed" };

/** Reads a form as browsers send it: in UTF-8, each field once. */
export function readForm({ headers, body }: HttpRequest, mostBytes = MAX_FORM_BYTES): Form {
  if (body.length > mostBytes) return { problem: "tooLarge" };
  const [type = "", ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  if (type.trim() !== "application/x-www-form-urlencoded") return { problem: "malformed" };
  if (parameters.some((each) => !/^\s*charset="?utf-8"?\s*$/.test(each))) return { problem: "malformed" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return { problem: "malformed" };
  }
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name) || fields.size >= 64) return { problem: "malformed" };
    fields.set(name, value);
  }
  return { fields };
}
