import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";

/** A proxy that counts the calls of AWS that pass, and lets them take longer. */
export interface CountingProxy {
  url: string;
  /** Calls since the last reset, by operation. */
  counts: Map<string, number>;
  /** Milliseconds that are added to every call. */
  latency: number;
  reset(): void;
  stop(): Promise<void>;
}

/** Starts it on a free port of this machine. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const counts = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const body = Buffer.concat(chunks);
      const name = operation(request, body);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (proxy.latency > 0) await setTimeout(proxy.latency);
      const { method, url: path, headers } = request;
      const upstream = http.request({ agent, hostname, port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.on("error", () => response.destroy());
      upstream.end(body);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: CountingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    latency: 0,
    reset: () => counts.clear(),
    stop: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** The operation's name: in a header (JSON protocols), in the form (query protocol), or the method (S3). */
function operation({ headers, method }: http.IncomingMessage, body: Buffer): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.split(".").at(-1) ?? target;
  const action = /(?:^|&)Action=(\w+)/.exec(body.toString("latin1", 0, 2_000))?.[1];
  return action ?? `S3 ${method}`;
}
