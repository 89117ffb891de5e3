import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it reached the fake AWS. */
export interface Received {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
}

export interface FakeAws {
  url: string;
  /** Requests that arrived whole, but for those of the outage address. */
  received: Received[];
  /** Requests that broke off before they were whole. */
  broken: number;
  /** Bodies of `PUT /_bulkhead/outage`. */
  outages: unknown[];
  /** Answers the next requests; undefined: 200 with the request's body. */
  answer?: ((request: Received, response: http.ServerResponse) => void) | undefined;
  stop(): Promise<void>;
}

/** A server in the place of the emulated AWS. @param overlay whether it can be told of outages. */
export async function startFakeAws(overlay = true): Promise<FakeAws> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("close", () => {
      if (!request.complete) aws.broken += 1;
    });
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (request.url === "/_bulkhead/outage") {
        if (overlay) aws.outages.push(JSON.parse(body.toString()));
        response.writeHead(overlay ? 200 : 404).end();
        return;
      }
      const received = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body,
      };
      aws.received.push(received);
      if (aws.answer) aws.answer(received, response);
      else response.writeHead(200, { "content-type": "application/octet-stream" }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const aws: FakeAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    broken: 0,
    outages: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return aws;
}
