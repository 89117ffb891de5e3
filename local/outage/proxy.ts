import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { answerControl, type Controlled, isControl } from "./control";
import { Forwarder, MAX_HEADER_BYTES } from "./forward";
import { Gate } from "./gate";
import { identify, needsBody } from "./identify";
import { Journal } from "./journal";
import { RequestBody } from "./requestBody";
import { parseRule } from "./rule";
import { OutageTarget } from "./target";
import type { Call, OutageRule } from "./types";

/** Bytes of a body that are read to find its operation: SDKs put it first. */
const PEEK_BYTES = 64 * 1024;

/**
 * Bytes of a held call's body that are taken in. Reading on is what lets the proxy notice that its caller
 * left; one that sends more than this is noticed at the end of the outage.
 */
const HELD_BYTES = 32 * 1024 * 1024;

/**
 * Paths of the emulator's own APIs (inbox, sign-in, health): not AWS, so no outage hits them and they do not
 * count.
 */
const OWN_PATHS = ["/_bulkhead/", "/_ministack/"];

/** How a region proxy is started. */
export interface RegionProxyOptions {
  /** URL of the emulated AWS, `http://HOST:PORT`. Required. */
  target: string;
  /**
   * Port on 127.0.0.1; 0 takes a free one.
   * @default 0
   */
  port?: number;
  /**
   * Whether the emulated AWS is told of outages, so that deliveries inside it (events, mails, schedules)
   * stop as well.
   * @default true
   */
  tellTarget?: boolean;
}

/** A reverse proxy in front of the emulated AWS that can lose regions, and counts calls. */
export interface RegionProxy {
  /** What clients take as AWS_ENDPOINT_URL. */
  readonly url: string;
  /**
   * Puts a rule in force at once for calls that arrive or wait; calls already sent on are carried out.
   * Undefined ends the outage. Resolves when the emulated AWS knows it too.
   * @throws Error when the rule is not valid (nothing changes then), or when the emulated AWS could not be
   * told (calls obey the rule all the same).
   */
  setOutage(rule: OutageRule | undefined): Promise<void>;
  /** The rule in force; undefined: no outage. */
  outage(): OutageRule | undefined;
  /**
   * The calls so far in order of arrival, each as it is now. A call appears once all of it that tells its
   * operation has come.
   */
  calls(): readonly Call[];
  /** Marks calls that arrive from now on with the name of a phase; undefined ends that. */
  label(name: string | undefined): void;
  /** Forgets the calls so far. */
  reset(): void;
  /**
   * Breaks off what is under way, closes the port, ends the outage at the emulated AWS. Further calls have
   * no effect.
   */
  stop(): Promise<void>;
}

/** The port that was asked for is taken. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  constructor(port: number) {
    super(`Port ${port} on 127.0.0.1 is in use: end the program that has it, or ask for another port.`);
  }
}

/**
 * Starts a region proxy on the loopback address. Other processes steer it under `/_outage` (see control.ts).
 * @throws PortInUseError
 * @throws Error when the target is not an http URL
 */
export async function startRegionProxy(options: RegionProxyOptions): Promise<RegionProxy> {
  const target = parseTarget(options.target);
  const gate = new Gate();
  const journal = new Journal();
  const forwarder = new Forwarder(target);
  const outageTarget = options.tellTarget === false ? undefined : new OutageTarget(target);

  const controlled: Controlled = {
    state: () => ({
      rule: gate.rule ?? null,
      label: journal.label ?? null,
      held: gate.held,
      forgotten: journal.forgotten,
      calls: journal.calls(),
    }),
    setOutage: async (rule) => {
      const valid = rule === undefined ? undefined : parseRule(rule);
      gate.change(valid);
      await outageTarget?.tell(valid);
    },
    label: (name) => {
      journal.label = name;
    },
    reset: () => journal.reset(),
  };

  const handle = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    // One of several requests sent without waiting, whose client has left meanwhile.
    if (request.socket.destroyed) return;
    const arrivedAt = performance.now();
    const url = request.url ?? "/";
    if (isControl(url)) return answerControl(request, response, controlled);
    const body = new RequestBody(request);
    if (OWN_PATHS.some((path) => url.startsWith(path))) {
      await forwarder.forward(request, body, response);
      return;
    }

    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const head = { method: request.method ?? "GET", url, headers: request.headers };
    const peek = needsBody(head);
    if (peek) await body.read(PEEK_BYTES);
    // Half a request: its caller left before anybody could tell what it was.
    if (response.destroyed) return;

    const facts = identify(head, peek ? body.head.toString("utf8") : "");
    const entry = journal.enter(facts, arrivedAt);
    const exit = gate.admit(facts, arrivedAt, gone.signal, (outcome) => {
      entry.mark(outcome);
      if (outcome !== "refused") void body.read(HELD_BYTES);
    });
    switch (await exit) {
      case "forward":
        entry.end(await forwarder.forward(request, body, response));
        break;
      case "refuse":
        request.socket.resetAndDestroy();
        entry.end(undefined);
        break;
      case "left":
        entry.end(undefined);
        break;
    }
  };

  const server = http.createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    // A held call may come and wait as long as it likes; an idle connection is the client's to close, for
    // the reason given at the connections to the target.
    requestTimeout: 0,
    keepAliveTimeout: 0,
  });
  const turns = new WeakMap<Socket, Promise<void>>();
  server.on("request", (request, response) => {
    // Requests that a client sends without waiting are taken one by one: resetting a connection for the
    // second must not cost the answer of the first.
    const before = turns.get(request.socket) ?? Promise.resolve();
    const turn = before.then(async () => {
      await handle(request, response).catch((error: unknown) => {
        // A fault of the proxy itself: the client must not wait for an answer that cannot come.
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
      if (!response.closed && !request.socket.destroyed)
        await new Promise((resolve) => response.once("close", resolve));
    });
    turns.set(request.socket, turn);
  });
  await listen(server, options.port ?? 0);

  let stopping: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setOutage: controlled.setOutage,
    outage: () => gate.rule,
    calls: () => journal.calls(),
    label: controlled.label,
    reset: controlled.reset,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // The rule stays: calls that wait end with their connections; let go, they would be carried out with
    // nobody to answer.
    server.closeAllConnections();
    await closed;
    // The emulated AWS may have been stopped before: then there is no outage left to end.
    await outageTarget?.tell(undefined).catch(() => undefined);
    forwarder.close();
  }
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" || url.pathname !== "/") {
    throw new Error(
      `"${text}" cannot be the region proxy's target: give the emulated AWS as http://HOST:PORT`,
    );
  }
  return url;
}

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? new PortInUseError(port) : error);
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}
