/** The engine with everything in memory: people, clock, cells, AWS. Any call of any port can be made to crash the process, before or after it. */

import { changeEntry } from "../../../../functions/approval/audit/entry";
import { InMemoryAudit } from "../../../../functions/approval/audit/inMemoryAudit";
import { AuditedPast } from "../../../../functions/approval/audit/past";
import { actorOf, Directory } from "../../../../functions/approval/directory/directory";
import { parseDirectory } from "../../../../functions/approval/directory/document";
import { NO_FENCE } from "../../../../functions/approval/engine/fence";
import type { EngineParts } from "../../../../functions/approval/engine/ports";
import { step } from "../../../../functions/approval/engine/step";
import { takeIn } from "../../../../functions/approval/engine/takeIn";
import { work } from "../../../../functions/approval/engine/work";
import type { CallOutcome } from "../../../../functions/approval/execute/act";
import { intakeSettings } from "../../../../functions/approval/intake/settings";
import { InMemoryRequestTable } from "../../../../functions/approval/links/inMemoryRequestTable";
import type { PlannedOperation } from "../../../../functions/approval/operations/plan";
import type { Preview } from "../../../../functions/approval/preview/preview";
import { DEFAULT_RISK_SETTINGS } from "../../../../functions/approval/risk/score";
import type { ApprovalSettings } from "../../../../functions/approval/settings";
import { InMemoryEngineItems } from "../../../../functions/approval/store/inMemoryEngineItems";
import { happen } from "../../../../functions/approval/workflow/happen";
import type { ApprovalRequest } from "../../../../functions/approval/workflow/request";
import type { Log } from "../../../../functions/shared/logging/logger";

/** Alice asks; Bob is of the first level, Carol and Dave of the second; Erin may bypass. */
export const DIRECTORY = {
  version: 1,
  people: [
    {
      id: "alice",
      name: "Alice",
      mail: "alice@example.com",
      identities: ["arn:aws:iam::111122223333:user/ops/alice"],
    },
    { id: "bob", name: "Bob", mail: "bob@example.com", groups: ["dba"] },
    { id: "carol", name: "Carol", mail: "carol@example.com", groups: ["leads"] },
    { id: "dave", name: "Dave", mail: "dave@example.com", groups: ["leads"] },
    { id: "erin", name: "Erin", mail: "erin@example.com", groups: ["approval-bypass"] },
  ],
  rules: [
    {
      name: "everything",
      thresholds: [
        {
          atLeast: 0,
          name: "any",
          levels: [
            { group: "dba", quorum: 1, timeoutSeconds: 600 },
            { group: "leads", quorum: 1, timeoutSeconds: 600 },
          ],
        },
      ],
    },
  ],
};

const QUIET: Log = { info() {}, warn() {}, error() {} };

/** The process was killed. */
export class Crash extends Error {}

/** Kills the process at a call of a port. */
export class Crasher {
  calls = 0;
  private dead = false;

  /** @param at number of the call, from 1 @param when whether the call still takes effect */
  constructor(
    private readonly at = Number.POSITIVE_INFINITY,
    private readonly when: "before" | "after" = "before",
  ) {}

  /** Whether the call was reached. */
  get reached(): boolean {
    return this.calls >= this.at;
  }

  /** A new process begins. */
  begin(): void {
    this.dead = false;
  }

  /** The port, such that each of its methods may be the last. */
  wrap<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          // A dead process cleans nothing up.
          if (this.dead) throw new Crash();
          const last = ++this.calls === this.at;
          if (last && this.when === "before") this.die();
          const result: unknown = await (value as (...all: unknown[]) => unknown).apply(target, args);
          if (last) this.die();
          return result;
        };
      },
    });
  }

  private die(): never {
    this.dead = true;
    throw new Crash();
  }
}

/** A table that writes the audit with each change, as the journal of the true one does. */
class JournaledTable extends InMemoryRequestTable {
  constructor(private readonly audit: InMemoryAudit) {
    super();
  }

  override async open(request: ApprovalRequest) {
    const opening = await super.open(request);
    if (opening.opened) await this.audit.append(changeEntry(request, undefined, "prod"));
    return opening;
  }

  override async replace(next: ApprovalRequest, expected: Parameters<InMemoryRequestTable["replace"]>[1]) {
    const replaced = await super.replace(next, expected);
    if (replaced) await this.audit.append(changeEntry(next, expected, "prod"));
    return replaced;
  }
}

/** What a world can be made with. */
export interface WorldOptions {
  crasher?: Crasher;
  /** What the call comes to. */
  outcome?: CallOutcome;
  fence?: EngineParts["fence"];
  peer?: EngineParts["peer"];
  snapshots?: EngineParts["snapshots"];
  directory?: unknown;
  /** In which units an account is. */
  units?: (account: string) => string[];
}

/** A world. */
export function world({
  crasher = new Crasher(),
  outcome = { outcome: "done" },
  ...options
}: WorldOptions = {}) {
  const audit = new InMemoryAudit();
  const table = new JournaledTable(audit);
  const items = new InMemoryEngineItems();
  const state = {
    now: Date.UTC(2026, 10, 23, 10),
    gone: new Set<string>(),
    calls: [] as { at: number; end: number; resources: readonly string[] }[],
    roles: new Set<string>(),
    accessEnd: 0,
    told: [] as string[],
    alerts: [] as string[],
    started: new Set<string>(),
    woken: [] as string[],
    changed: false,
  };
  const now = () => state.now;
  const directory = new Directory(parseDirectory(JSON.stringify(options.directory ?? DIRECTORY)));
  const people: EngineParts["people"] = {
    now: async () => directory,
    lately: async () => directory,
    actor: async (id, channel) => {
      const person = directory.person(id);
      return person && actorOf(person, channel);
    },
  };
  const look = (plan: PlannedOperation): Preview => ({
    subjects: plan.targets.map((arn) => ({
      arn,
      presence: state.gone.has(arn) ? "absent" : "present",
      tags: {},
      details: state.changed ? [{ label: "Type", value: "changed" }] : [],
      lost: [],
      kept: [],
      affected: [],
      obstacles: [],
    })),
    unknown: [],
  });
  const parts: EngineParts = {
    cell: "prod",
    settings: {
      times: { confirmation: 900, work: 300, tick: 900 },
      risk: DEFAULT_RISK_SETTINGS as ApprovalSettings["risk"],
      snapshot: {
        when: options.snapshots ? "data" : "never",
        by: "service",
        vault: "v",
        backupRole: "r",
        keepDays: 1,
      },
    },
    table: crasher.wrap(table),
    items: crasher.wrap(items),
    audit: crasher.wrap(audit),
    people: crasher.wrap(people),
    fence: crasher.wrap(options.fence ?? NO_FENCE),
    executions: crasher.wrap({
      ensure: async (id: string) => void state.started.add(id),
      wake: async (token: string) => void state.woken.push(token),
    }),
    announcer: crasher.wrap({
      tell: async (request: ApprovalRequest) => void state.told.push(`${request.state}-${request.level}`),
      renew: async () => {},
      form: async ({ requestId }: { requestId: string }) => void state.told.push(`form ${requestId}`),
      refused: async ({ reason }: { reason: string }) => void state.told.push(`refused ${reason}`),
    }),
    alerts: crasher.wrap({ alert: async ({ title }: { title: string }) => void state.alerts.push(title) }),
    looker: crasher.wrap({ look: async (plan: PlannedOperation) => look(plan) }),
    past: new AuditedPast(audit),
    units: { of: async (account) => options.units?.(account) ?? [] },
    access: crasher.wrap({
      give: async (_plan: PlannedOperation, id: string, at: Date) => {
        state.roles.add(id);
        state.accessEnd = at.getTime() + 120_000;
        return {
          credentials: { accessKeyId: "a", secretAccessKey: "s", sessionToken: "t" },
          end: state.accessEnd,
          role: `role/${id}`,
          finish: () => crasher.wrap({ finish: async () => void state.roles.delete(id) }).finish(),
        };
      },
    }),
    actor: crasher.wrap({
      act: async (plan: PlannedOperation) => {
        state.calls.push({ at: state.now, end: state.accessEnd, resources: plan.targets });
        if (outcome.outcome !== "failed") for (const arn of plan.targets) state.gone.add(arn);
        return outcome;
      },
    }),
    ...(options.peer && { peer: options.peer }),
    ...(options.snapshots && { snapshots: options.snapshots }),
    log: QUIET,
    now,
  };

  /** Takes in an event as EventBridge delivers it: again when it failed. */
  async function deliver(event: unknown) {
    for (let attempt = 1; ; attempt++) {
      crasher.begin();
      try {
        return await takeIn(parts, intakeSettings(), event);
      } catch (error) {
        if (!(error instanceof Crash) || attempt === 3) throw error;
      }
    }
  }

  /** Somebody clicks; pages do not crash here, since tests of the pages are about those. */
  async function act(
    id: string,
    person: string,
    kind: "confirm" | "approve" | "deny" | "finallyConfirm" | "cancel" | "bypass",
  ) {
    const actor = actorOf(directory.person(person)!, "page");
    const request = (await table.read(id))!;
    const event =
      kind === "approve"
        ? { kind, actor, level: request.level }
        : kind === "deny"
          ? { kind, actor, level: request.level, reason: "not today" }
          : kind === "bypass"
            ? { kind, actor, reason: "the house is on fire" }
            : { kind, actor };
    return happen(table, id, event, now);
  }

  /** Everybody does what they are asked to. */
  async function everybodyAgrees(id: string) {
    const request = (await table.read(id))!;
    if (request.state === "requested") await act(id, "alice", "confirm");
    if (request.state === "approving") await act(id, request.level === 0 ? "bob" : "carol", "approve");
    if (request.state === "approved") await act(id, "alice", "finallyConfirm");
  }

  /** The state machine, with its retries and pauses, until it ends. */
  async function run(id: string, onWait: (id: string) => Promise<unknown> = everybodyAgrees) {
    for (let round = 0; round < 60; round++) {
      crasher.begin();
      try {
        const answer = await step(parts, id);
        if (answer.next === "end") return (await table.read(id))!;
        if (answer.next === "work") {
          if ((await work(parts, id)).next === "again") state.now += 10_000;
        } else {
          const before = await table.read(id);
          await onWait(id);
          const after = await table.read(id);
          // Nobody did anything: the wait ends by itself.
          state.now += before!.version === after!.version ? answer.seconds * 1_000 : 1_000;
        }
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        state.now += 10_000;
      }
    }
    throw new Error("the state machine did not end");
  }

  return { parts, state, table, items, audit, directory, deliver, act, run, everybodyAgrees };
}
