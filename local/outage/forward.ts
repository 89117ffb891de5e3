import * as http from "node:http";
import type { RequestBody } from "./requestBody";

/** Headers that are about one connection, not about the request or answer (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  // This proxy has already asked the client to go on.
  "expect",
]);

/**
 * How long an idle connection to the target is kept, in milliseconds. Well below a server's usual limit (5
 * s), so that this side closes first: a request sent on a connection which the server is just closing could
 * be neither told lost nor safely repeated.
 */
const IDLE_CONNECTION_MS = 1_000;

/** Room for headers: session tokens and session policies in presigned URLs are long. */
export const MAX_HEADER_BYTES = 128 * 1024;

/** Sends requests on to one server, over kept connections. */
export class Forwarder {
  private readonly agent = new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });

  /** @param target URL of the server, without a path. */
  constructor(private readonly target: URL) {}

  /**
   * Sends a request on as it is, Host header included (signatures cover it), and streams the answer back.
   * Nothing is repeated: a target that breaks off is told to the client by 502, or by a broken connection
   * when the answer had begun.
   * @returns status of the answer; undefined when the client did not get it whole.
   */
  forward(
    request: http.IncomingMessage,
    body: RequestBody,
    response: http.ServerResponse,
  ): Promise<number | undefined> {
    return new Promise((resolve) => {
      const upstream = http.request({
        agent: this.agent,
        host: this.target.hostname,
        port: this.target.port || 80,
        method: request.method,
        path: request.url,
        headers: requestHeaders(request),
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      let status: number | undefined;
      response.on("close", () => {
        upstream.destroy();
        resolve(response.writableFinished ? status : undefined);
      });
      upstream.on("response", (answer) => {
        status = answer.statusCode ?? 502;
        response.sendDate = false;
        response.writeHead(status, answer.statusMessage, endToEnd(answer.rawHeaders));
        // Or the client would wait for the first bytes of a body that may be long in coming.
        response.flushHeaders();
        answer.pipe(response);
        // `pipe` does not hand on that the answer broke off: without this the client would wait forever.
        answer.on("close", () => {
          if (!answer.complete) response.destroy();
        });
      });
      upstream.on("error", (error: NodeJS.ErrnoException) => {
        // An answer that had begun and broke off is seen to above; one that was complete (the target
        // refused the rest of a long body) still has to reach the client.
        if (response.destroyed || response.headersSent) return;
        status = 502;
        response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
        response.end(
          `The region proxy got no answer from the emulated AWS at ${this.target.origin} (${error.code ?? error.message}). ` +
            "See whether it is still running.\n",
        );
      });
      body.sendTo(upstream);
    });
  }

  /** Closes the connections to the target. */
  close(): void {
    this.agent.destroy();
  }
}

function requestHeaders(request: http.IncomingMessage): string[] {
  const headers = endToEnd(request.rawHeaders);
  const framed = "content-length" in request.headers || "transfer-encoding" in request.headers;
  const mayHaveBody = !["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"].includes(request.method ?? "");
  // Else Node would send an empty body in chunks, which not every server expects.
  if (!framed && mayHaveBody) headers.push("Content-Length", "0");
  return headers;
}

/** Names and values in turn, as they came over the wire, without those about the connection. */
function endToEnd(raw: readonly string[]): string[] {
  const dropped = new Set(HOP_BY_HOP);
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== "connection") continue;
    for (const name of (raw[i + 1] ?? "").split(",")) dropped.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] ?? "", raw[i + 1] ?? ""];
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
