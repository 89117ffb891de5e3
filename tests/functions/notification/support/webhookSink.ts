import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A webhook on this machine that keeps what is posted to it. */
export interface WebhookSink {
  /** Its address. */
  url: string;
  requests: { path: string; contentType: string; body: string }[];
  /** What it answers from now on; a status of 0 never answers. */
  answer: { status: number; headers?: Record<string, string>; body?: string };
  stop(): Promise<void>;
}

export async function startWebhookSink(): Promise<WebhookSink> {
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    sink.requests.push({
      path: request.url ?? "",
      contentType: request.headers["content-type"] ?? "",
      body: Buffer.concat(chunks).toString("utf8"),
    });
    const { status, headers, body } = sink.answer;
    if (status !== 0) response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sink: WebhookSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/secret`,
    requests: [],
    answer: { status: 200, body: "ok" },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return sink;
}
