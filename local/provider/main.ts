/**
 * The plugin's process: `pulumi-resource-aws [ENGINE-ADDRESS]`. Prints the port on which it serves, as the engine expects, and ends when
 * the engine does.
 */
import * as net from "node:net";
import { version } from "@pulumi/aws/package.json";
import { createAwsProvider } from "./index";
import { servePlugin } from "./plugin";

/** How often the engine is looked after. */
const WATCH_MS = 1_000;

/** Ends this process when nobody listens at the engine's address any more, which is so when the engine was killed. */
function endWith(engine: string): void {
  const colon = engine.lastIndexOf(":");
  const [host, port] = [engine.slice(0, colon), Number(engine.slice(colon + 1))];
  setInterval(() => {
    const socket = net.connect({ host, port });
    socket.on("connect", () => socket.destroy());
    socket.on("error", () => process.exit(0));
    socket.unref();
  }, WATCH_MS).unref();
}

async function main(): Promise<void> {
  const server = await servePlugin(createAwsProvider(), version);
  process.stdout.write(`${server.port}\n`);
  const engine = process.argv[2];
  if (engine?.includes(":")) endWith(engine);
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
