/** Approval's pages over stores in memory, and a server on this machine in front of them. */
import { randomUUID } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { People } from "../../functions/approval/directory/people";
import { createApp } from "../../functions/approval/http/app";
import type { Engine, HandOpened, OpenedByHand, Renewal } from "../../functions/approval/http/engine";
import type { AppParts } from "../../functions/approval/http/parts";
import type { HttpResponse } from "../../functions/approval/http/response";
import { InMemoryRequestTable } from "../../functions/approval/links/inMemoryRequestTable";
import { issueLink, type LinkFor } from "../../functions/approval/links/issue";
import type { LinkSecret } from "../../functions/approval/links/secret";
import { OPERATIONS } from "../../functions/approval/operations/catalogue";
import type { RequestDetails } from "../../functions/approval/pages/details";
import { happen } from "../../functions/approval/workflow/happen";
import {
  type ApprovalRequest,
  newRequest,
  type RequestEvent,
} from "../../functions/approval/workflow/request";
import { BYPASS_GROUP } from "../../functions/approval/workflow/transition";
import type { Log } from "../../functions/shared/logging/logger";

/** When the tests' clock begins. */
export const START = Date.UTC(2026, 10, 22, 3, 15);
export const REQUEST_ID = "3c4226b0-1e81-48a8-a333-7fa5f3cbd118";
export const PREVIEW_HASH = "a".repeat(64);
export const OPERATION_HASH = "0".repeat(64);

type Document = Record<string, unknown> & { people: Record<string, unknown>[] };

const levels = [
  {
    group: "dba",
    quorum: 1,
    timeoutSeconds: 3_600,
    escalation: { group: "on-call", afterSeconds: 1_800 },
  },
  { group: "leads", quorum: 2, timeoutSeconds: 7_200 },
];

/** A directory document: alice asks; bob, carol, dave and erin approve; frank was deactivated; wei reads Chinese. */
export function sampleDirectory(): Document {
  const person = (id: string, name: string, groups: string[], more: object = {}) => ({
    id,
    name,
    mail: `${id}@example.com`,
    identities: [`arn:aws:iam::111122223333:user/ops/${id}`],
    groups,
    ...more,
  });
  return {
    version: 1,
    people: [
      person("alice", "Alice Ng", ["dba", "leads"]),
      person("bob", "Bob Marsh", ["dba"], { slackId: "U0BOB" }),
      person("carol", "Carol Díaz", ["dba", "leads"], { slackId: "U0CAROL" }),
      person("dave", "Dave Okafor", ["leads"]),
      person("erin", "Erin Wu", ["on-call", BYPASS_GROUP]),
      person("frank", "Frank Gone", ["dba", "leads"], { active: false }),
      person("wei", "魏明", ["leads"], { language: "zh" }),
    ],
    rules: [{ name: "all", thresholds: [{ atLeast: 0, name: "high", levels }] }],
  };
}

/** The details of the request that the tests are about. */
export function sampleDetails(more: Partial<RequestDetails> = {}): RequestDetails {
  return {
    requestId: REQUEST_ID,
    operationHash: OPERATION_HASH,
    previewHash: PREVIEW_HASH,
    event: "ec2:TerminateInstances",
    operation: {
      service: "ec2",
      api: "TerminateInstances",
      input: { InstanceIds: ["i-0fc5d99558e8357e8"] },
      actions: ["ec2:TerminateInstances"],
      resources: ["arn:aws:ec2:us-east-1:111122223333:instance/i-0fc5d99558e8357e8"],
    },
    account: { id: "111122223333", name: "shop-production" },
    region: "us-east-1",
    requester: { person: "alice", name: "alice", arn: "arn:aws:iam::111122223333:user/ops/alice" },
    calledAt: "2026-11-22T03:14:20Z",
    reason: "replaced by the new fleet, OPS-1204",
    preview: [
      { label: "Resource", value: "arn:aws:ec2:us-east-1:111122223333:instance/i-0fc5d99558e8357e8" },
      { label: "Name", value: "orders-db-2" },
      { label: "Type", value: "m7g.2xlarge, running" },
      {
        label: "Lost with it",
        value: "volume vol-0a1b2c3d4e5f60718 (500 GiB, gp3, deleted on termination)",
      },
      { label: "Copies that stay", value: "snapshot snap-0123456789abcdef0 (2026-11-21)" },
      { label: "Affected", value: "target group orders (1 of 2 healthy targets)" },
      { label: "Tags", value: "environment=production, team=orders" },
      { label: "Not known", value: "alarms on the instance: reading it is not allowed" },
    ],
    risk: {
      score: 72,
      name: "high",
      reasons: [
        { code: "danger", points: 20, text: "it destroys stored data" },
        { code: "tag", points: 25, text: "it is tagged environment=production" },
        { code: "blastRadius", points: 11, text: "3 resources are deleted or affected" },
        { code: "dayOff", points: 10, text: "it is Sun in UTC, when few people are at work" },
        { code: "unknown", points: 5, text: "not everything about the resources could be read" },
      ],
    },
    ...more,
  };
}

/** An engine that only remembers what it was told. */
export class FakeEngine implements Engine {
  readonly changes: [string, number][] = [];
  readonly renewals: Renewal[] = [];
  readonly opened: HandOpened[] = [];
  answer: OpenedByHand = { opened: true };
  failing = false;

  async changed(requestId: string, version: number): Promise<void> {
    if (this.failing) throw new Error("the engine is down");
    this.changes.push([requestId, version]);
  }

  async renew(renewal: Renewal): Promise<void> {
    this.renewals.push(renewal);
  }

  async open(request: HandOpened): Promise<OpenedByHand> {
    this.opened.push(request);
    return this.answer;
  }
}

/** Everything that the pages work with, for tests to look at and to turn. */
export interface PagesWorld {
  readonly parts: AppParts;
  readonly table: InMemoryRequestTable;
  readonly engine: FakeEngine;
  readonly log: [level: string, message: string, fields: Record<string, unknown>][];
  /** Milliseconds since 1970; tests move it. */
  clock: number;
  /** The directory document as text; undefined: it cannot be read. */
  directory: string | undefined;
  readonly app: (event: unknown) => Promise<HttpResponse>;
  link(person: string, purpose: LinkFor["purpose"], more?: Partial<LinkFor>): Promise<LinkSecret>;
  /** Lets events happen past the pages. */
  happens(...events: RequestEvent[]): Promise<void>;
  request(): Promise<ApprovalRequest>;
  /** Somebody as an actor. */
  actor(
    person: string,
  ): Promise<RequestEvent extends infer E ? (E extends { actor: infer A } ? A : never) : never>;
}

/** Opens the sample request and puts the pages around it. */
export async function pagesWorld(
  more: Partial<AppParts> = {},
  details: RequestDetails = sampleDetails(),
): Promise<PagesWorld> {
  const table = new InMemoryRequestTable();
  const engine = new FakeEngine();
  const lines: PagesWorld["log"] = [];
  const at = (level: string) => (message: string, fields: Record<string, unknown>) => {
    lines.push([level, message, fields]);
  };
  const log: Log = { info: at("info"), warn: at("warn"), error: at("error") };
  const people = new People({
    log,
    source: {
      async read() {
        if (world.directory === undefined) throw new Error("the directory is out of reach");
        return world.directory;
      },
    },
  });
  const parts: AppParts = {
    cell: "prod",
    region: "us-east-1",
    baseUrl: "https://approval.example.com",
    timeZone: "Asia/Shanghai",
    language: "en",
    acting: "code",
    operations: OPERATIONS,
    table,
    people,
    engine,
    log,
    now: () => world.clock,
    newId: randomUUID,
    ...more,
  };
  const world: PagesWorld = {
    parts,
    table,
    engine,
    log: lines,
    clock: START,
    directory: JSON.stringify(sampleDirectory()),
    app: createApp(parts),
    link: (person, purpose, extra = {}) =>
      issueLink(
        table,
        {
          requestId: REQUEST_ID,
          person,
          purpose,
          ...(purpose === "decide" && { level: 0 }),
          expiresAt: START + 3_600_000,
          ...extra,
        },
        { cell: "prod", now: () => world.clock },
      ),
    async happens(...events) {
      for (const event of events) {
        const outcome = await happen(table, REQUEST_ID, event, () => world.clock);
        if (!("after" in outcome))
          throw new Error(`${event.kind} did not happen: ${JSON.stringify(outcome)}`);
      }
    },
    async request() {
      return (await table.read(REQUEST_ID))!;
    },
    async actor(person) {
      return (await people.actor(person, "test"))!;
    },
  };
  const directory = await people.now();
  await table.writeDetails(details);
  await table.open(
    newRequest(
      {
        id: REQUEST_ID,
        operationHash: details.operationHash,
        previewHash: details.previewHash,
        requester: (await people.actor("alice", "test"))!.identities as string[],
        levels: directory.document.rules[0]!.thresholds[0]!.levels,
        snapshotFirst: true,
        confirmationSeconds: 3_600,
        workSeconds: 600,
      },
      START,
    ),
  );
  return world;
}

/** What a browser sends. */
export interface Sent {
  readonly headers?: Record<string, string>;
  readonly cookies?: readonly string[];
  readonly form?: Record<string, string>;
  readonly body?: string;
  readonly base64?: boolean;
}

/** An event of an HTTP API, in payload format 2.0. */
export function httpEvent(
  method: string,
  address: string,
  { headers = {}, cookies, form, body, base64 = false }: Sent = {},
) {
  const url = new URL(address, "https://approval.example.com/");
  const text = form ? new URLSearchParams(form).toString() : body;
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookies && cookies.length > 0 && { cookies }),
    headers: {
      ...(form && { "content-type": "application/x-www-form-urlencoded" }),
      ...headers,
    },
    requestContext: {
      accountId: "111122223333",
      apiId: "api",
      domainName: "approval.example.com",
      http: { method, path: url.pathname, protocol: "HTTP/1.1", sourceIp: "198.51.100.7", userAgent: "test" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "$default",
      stage: "$default",
    },
    ...(text !== undefined && { body: base64 ? Buffer.from(text).toString("base64") : text }),
    isBase64Encoded: base64,
  };
}

/** A server on this machine that hands requests over as API Gateway does. */
export async function servePages(app: () => (event: unknown) => Promise<HttpResponse>) {
  const seen: { method: string; url: string }[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { cookie, ...headers } = request.headers;
    seen.push({ method: request.method ?? "", url: request.url ?? "" });
    const answer = await app()(
      httpEvent(request.method ?? "GET", request.url ?? "/", {
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
        ...(cookie !== undefined && { cookies: cookie.split("; ") }),
        ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString("utf8"), base64: false }),
      }),
    );
    response.writeHead(answer.statusCode, {
      ...answer.headers,
      ...(answer.cookies && { "set-cookie": [...answer.cookies] }),
    });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // A name, not an address: browsers treat it as secure, and take cookies that are for TLS only.
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    seen,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
