import type * as http from "node:http";
import * as z from "zod";
import { countCalls } from "./journal";
import { parseRule } from "./rule";
import type { Call, CallCount, OutageRule } from "./types";

/** Path under which other processes read and steer the proxy. No AWS API has a path that starts so. */
export const CONTROL_PATH = "/_outage";

/** Longest body that the control API reads, in bytes. */
const MAX_BODY_BYTES = 64 * 1024;

/** What `GET /_outage` answers. */
export interface OutageState {
  /** Null: no outage. */
  rule: OutageRule | null;
  /** The phase that calls are marked with. Null: none. */
  label: string | null;
  /** Calls that wait for the outage to end. */
  held: number;
  /** Calls no longer remembered, because there were too many. */
  forgotten: number;
  counts: CallCount[];
  calls: readonly Call[];
}

/** What the control API steers. */
export interface Controlled {
  state(): Omit<OutageState, "counts">;
  setOutage(rule: OutageRule | undefined): Promise<void>;
  label(name: string | undefined): void;
  reset(): void;
}

/** Whether a request is for the control API. */
export function isControl(url: string): boolean {
  const path = url.split("?")[0] ?? "";
  return path === CONTROL_PATH || path.startsWith(`${CONTROL_PATH}/`);
}

const labelSchema = z.strictObject({ label: z.string().min(1).max(200).nullable() });

/**
 * Answers a request of the control API:
 * - `GET /_outage`: the state, its counts and calls ({@link OutageState}).
 * - `PUT /_outage` with a rule: puts it in force. `DELETE /_outage`: ends the outage. Both answer 204; 502 when the
 *   emulated AWS could not be told.
 * - `PUT /_outage/label` with `{"label": NAME or null}`: marks calls from now on.
 * - `DELETE /_outage/calls`: forgets the calls.
 */
export async function answerControl(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  proxy: Controlled,
): Promise<void> {
  // A page in a browser can reach this address by a name of its own: only callers that use the loopback
  // address are answered.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? "")) {
    return answer(response, 403, { message: "the control API answers at the loopback address only" });
  }
  const path = (request.url ?? "").split("?")[0];
  switch (`${request.method} ${path}`) {
    case `GET ${CONTROL_PATH}`: {
      const state = proxy.state();
      const whole: OutageState = { ...state, counts: countCalls(state.calls) };
      return answer(response, 200, whole);
    }
    case `PUT ${CONTROL_PATH}`:
      return change(request, response, parseRule, (rule) => proxy.setOutage(rule));
    case `DELETE ${CONTROL_PATH}`:
      return change(
        undefined,
        response,
        () => undefined,
        () => proxy.setOutage(undefined),
      );
    case `PUT ${CONTROL_PATH}/label`:
      return change(request, response, parseLabel, async (label) => proxy.label(label));
    case `DELETE ${CONTROL_PATH}/calls`:
      return change(
        undefined,
        response,
        () => undefined,
        async () => proxy.reset(),
      );
    default:
      return answer(response, 404, {
        message:
          `there is no ${request.method} ${path}: the control API has GET, PUT and DELETE ${CONTROL_PATH}, ` +
          `PUT ${CONTROL_PATH}/label and DELETE ${CONTROL_PATH}/calls`,
      });
  }
}

async function change<T>(
  request: http.IncomingMessage | undefined,
  response: http.ServerResponse,
  parse: (value: unknown) => T,
  apply: (value: T) => Promise<void>,
): Promise<void> {
  let value: T;
  try {
    value = parse(request && (await readJson(request)));
  } catch (error) {
    return answer(response, 400, { message: messageOf(error) });
  }
  try {
    await apply(value);
  } catch (error) {
    return answer(response, 502, { message: messageOf(error) });
  }
  return answer(response, 204, undefined);
}

function parseLabel(value: unknown): string | undefined {
  const result = labelSchema.safeParse(value);
  if (!result.success) throw new Error('expected {"label": a name of 1 to 200 characters, or null}');
  return result.data.label ?? undefined;
}

async function readJson(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Error("the body is not JSON");
  }
}

function answer(response: http.ServerResponse, status: number, body: unknown): void {
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
  });
  response.end(`${JSON.stringify(body)}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
