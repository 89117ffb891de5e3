import type { Html } from "../../shared/html/html";
import { CONTENT_SECURITY_POLICY } from "../pages/layout";

/** A response as API Gateway's HTTP APIs take it (payload format 2.0). */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
}

/**
 * What stands in every response: it is kept nowhere, its address is told to nobody (links carry their id in it), no other site can frame it,
 * and it is reached over TLS only.
 */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=63072000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex, nofollow",
};

/** A page. */
export function pageResponse(statusCode: number, page: Html, cookies: readonly string[] = []): HttpResponse {
  return {
    statusCode,
    headers: {
      ...SECURITY_HEADERS,
      "content-type": "text/html; charset=utf-8",
      vary: "accept-language, cookie",
    },
    ...(cookies.length > 0 && { cookies }),
    body: page.text,
  };
}

/**
 * Leads on with a GET, so that loading the page again sends no form again.
 * @param location relative to the page, or of the identity provider
 */
export function seeOther(location: string, cookies: readonly string[] = []): HttpResponse {
  return {
    statusCode: 303,
    headers: { ...SECURITY_HEADERS, location },
    ...(cookies.length > 0 && { cookies }),
    body: "",
  };
}

/** A response without content, for programs. */
export function plainResponse(
  statusCode: number,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { statusCode, headers: { ...SECURITY_HEADERS, ...headers }, body: "" };
}
