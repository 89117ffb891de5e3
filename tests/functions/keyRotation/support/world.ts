import { CallFailure, type FailureKind } from "../../../../functions/keyRotation/engine/failure";
import type {
  AccountNotices,
  Clock,
  Gate,
  GateState,
  Iam,
  Notifier,
  Records,
  Secrets,
} from "../../../../functions/keyRotation/engine/ports";
import { type StoredRecord, storedRecordSchema } from "../../../../functions/keyRotation/engine/record";

const DAY = 86_400_000;
/** IAM's quota of keys a user. */
const KEYS_PER_USER = 2;

/** A key of the model. */
export interface WorldKey {
  id: string;
  secret: string;
  status: "Active" | "Inactive";
  createdAt: number;
  lastUsedAt: number | null;
  /** Whether its owner has it: made it, or took it from the secret. */
  owned: boolean;
}

export interface WorldUser {
  name: string;
  path: string;
  groups: string[];
  tags: Record<string, string>;
  keys: WorldKey[];
}

interface WorldSecret {
  policy: string | undefined;
  /** Version id to value. */
  versions: Map<string, string>;
  current: string | undefined;
  previous: string | undefined;
}

/** What happens to a call: nothing, a refusal, or the death of the process before or after it. */
export type Fate = "works" | "crashBefore" | "crashAfter" | FailureKind | "lostAnswer";

/** Decides about each call of a process; `index` counts them from 0. */
export type FateOf = (call: string, index: number) => Fate;

/** The process died. */
export class Crash extends Error {}

/**
 * AWS in memory, as far as the rotation of keys sees it, for one account: IAM with its quota, Secrets Manager with its version stages and tokens,
 * two cells' tables and activation records, a queue of notices. It watches over what must never happen, at each change.
 */
export class World {
  now = Date.parse("2026-01-01T00:00:00Z");
  readonly users = new Map<string, WorldUser>();
  readonly groups = new Set<string>();
  readonly secrets = new Map<string, WorldSecret>();
  readonly tables: Record<string, Map<string, StoredRecord>> = { prod: new Map(), dr: new Map() };
  readonly unfinished = new Set<string>();
  readonly notices: AccountNotices[] = [];
  /** Ids of entries that were told already: the notify function's own memory. */
  readonly told: string[] = [];
  gate: Record<string, GateState> = {
    prod: { active: true, higherEpochAtPeer: false, peerReadable: true, peerRequired: true },
    dr: { active: false, higherEpochAtPeer: true, peerReadable: true, peerRequired: true },
  };
  readonly violations: string[] = [];
  /** Calls by name. */
  readonly calls = new Map<string, number>();
  /** Milliseconds that each call takes. */
  latency = 0;
  private nextId = 1;
  private reports: { at: number; csv: string } | undefined;

  constructor(readonly accountId = "111111111111") {}

  addUser(name: string, other: Partial<WorldUser> = {}): WorldUser {
    const user: WorldUser = { name, path: "/", groups: [], tags: {}, keys: [], ...other };
    this.users.set(name, user);
    return user;
  }

  /** A key of the owner's own. */
  addKey(user: WorldUser, ageDays: number, other: Partial<WorldKey> = {}): WorldKey {
    const id = `AKIA${String(this.nextId++).padStart(8, "0")}`;
    const made: WorldKey = {
      id,
      secret: `secret-of-${id}`,
      status: "Active",
      createdAt: Math.floor((this.now - ageDays * DAY) / 1000) * 1000,
      lastUsedAt: null,
      owned: true,
      ...other,
    };
    user.keys.push(made);
    return made;
  }

  /** Id of the key that the secret holds; undefined: there is nothing that may be read. */
  readSecretId(user: WorldUser): string | undefined {
    const secret = [...this.secrets].find(([name]) => name.endsWith(`/${user.name}`))?.[1];
    if (!secret?.current || !secret.policy) return undefined;
    return JSON.parse(secret.versions.get(secret.current) ?? "{}").accessKeyId;
  }

  /** The owner reads the secret; undefined: there is nothing that may be read. */
  readSecret(user: WorldUser): string | undefined {
    const secret = [...this.secrets].find(([name]) => name.endsWith(`/${user.name}`))?.[1];
    if (!secret?.current || !secret.policy) return undefined;
    const value = JSON.parse(secret.versions.get(secret.current) ?? "{}");
    const held = user.keys.find(({ id }) => id === value.accessKeyId);
    if (held && held.secret !== value.secretAccessKey)
      this.violations.push(`${user.name}: the secret holds another key's secret`);
    if (held) held.owned = true;
    return value.accessKeyId;
  }

  days(days: number): void {
    this.now += days * DAY;
  }

  /** Whether the key can be used by somebody: its owner has it, or can read it. */
  private reachable(user: WorldUser, each: WorldKey): boolean {
    if (each.status !== "Active") return false;
    if (each.owned) return true;
    const secret = [...this.secrets].find(([name]) => name.endsWith(`/${user.name}`))?.[1];
    const value = secret?.current && secret.policy ? secret.versions.get(secret.current) : undefined;
    return value?.includes(`"${each.id}"`) ?? false;
  }

  /** "for every user, at every moment, at least one working key is in the secret or in the owner's hands" */
  hasWorkingKey(user: WorldUser): boolean {
    return user.keys.some((each) => this.reachable(user, each));
  }

  /** Keys that nobody has. */
  orphans(): string[] {
    return [...this.users.values()].flatMap((user) =>
      user.keys
        .filter((each) => !each.owned && !this.reachable({ ...user }, { ...each, status: "Active" }))
        .map((each) => `${user.name}/${each.id}`),
    );
  }

  /** What a process of a cell works with. */
  ports(cell: string, fate: FateOf = () => "works", clockAhead = 0) {
    let index = 0;
    let dead = false;
    const call = async <T>(name: string, work: () => T): Promise<T> => {
      // Other work of the process goes on in between.
      await Promise.resolve();
      if (dead) throw new Crash();
      const what = fate(name, index++);
      this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
      this.now += this.latency;
      if (what === "crashBefore") {
        dead = true;
        throw new Crash();
      }
      if (what !== "works" && what !== "crashAfter" && what !== "lostAnswer")
        throw new CallFailure(what, name);
      const result = work();
      if (what === "crashAfter") {
        dead = true;
        throw new Crash();
      }
      if (what === "lostAnswer") throw new CallFailure("unreachable", name);
      return result;
    };
    const user = (name: string, op: string) => {
      const found = this.users.get(name);
      if (!found) throw new CallFailure("missing", op);
      return found;
    };
    const iam: Iam = {
      generateReport: () =>
        call("GenerateCredentialReport", () => {
          if (!this.reports || this.now - this.reports.at > DAY / 6)
            this.reports = { at: this.now, csv: this.csv() };
          return "COMPLETE" as const;
        }),
      getReport: () =>
        call(
          "GetCredentialReport",
          () => this.reports && { csv: this.reports.csv, generatedAt: new Date(this.reports.at) },
        ),
      details: () =>
        call("GetAccountAuthorizationDetails", () => ({
          users: [...this.users.values()].map(({ name, path, groups, tags }) => ({
            name,
            arn: this.arn(name),
            path,
            groups,
            tags,
          })),
          groups: [...this.groups],
        })),
      listKeys: (name) =>
        call("ListAccessKeys", () =>
          user(name, "ListAccessKeys").keys.map(({ id, status, createdAt }) => ({
            id,
            status,
            createdAt: new Date(createdAt),
          })),
        ),
      lastUsed: (id) =>
        call("GetAccessKeyLastUsed", () => {
          const found = [...this.users.values()].flatMap(({ keys }) => keys).find((each) => each.id === id);
          if (!found) throw new CallFailure("missing", "GetAccessKeyLastUsed");
          return found.lastUsedAt === null ? null : new Date(found.lastUsedAt);
        }),
      createKey: (name) =>
        call("CreateAccessKey", () => {
          const found = user(name, "CreateAccessKey");
          if (found.keys.length >= KEYS_PER_USER) throw new CallFailure("limit", "CreateAccessKey");
          this.mustBeAllowed(found, "CreateAccessKey");
          const { id, secret, createdAt } = this.addKey(found, 0, { owned: false });
          return { id, secret, createdAt: new Date(createdAt) };
        }),
      deactivateKey: (name, id) =>
        call("UpdateAccessKey", () => {
          const found = user(name, "UpdateAccessKey");
          const each = found.keys.find((key) => key.id === id);
          if (!each) throw new CallFailure("missing", "UpdateAccessKey");
          this.mustBeAllowed(found, `deactivate ${id}`);
          if (each.lastUsedAt !== null && this.now - each.lastUsedAt < 3 * DAY)
            this.violations.push(`${name}: ${id} is in use and was deactivated`);
          each.status = "Inactive";
          this.mustWork(found, `deactivated ${id}`);
        }),
      deleteKey: (name, id) =>
        call("DeleteAccessKey", () => {
          const found = user(name, "DeleteAccessKey");
          const each = found.keys.find((key) => key.id === id);
          if (!each) throw new CallFailure("missing", "DeleteAccessKey");
          this.mustBeAllowed(found, `delete ${id}`);
          if (each.owned && each.status === "Active")
            this.violations.push(`${name}: ${id} is its owner's, active, and was deleted`);
          if (each.owned && this.now - each.createdAt < 100 * DAY)
            this.violations.push(`${name}: ${id} is young and was deleted`);
          const worked = this.hasWorkingKey(found);
          found.keys = found.keys.filter((key) => key.id !== id);
          if (worked) this.mustWork(found, `deleted ${id}`);
        }),
    };
    const secret = (name: string, op: string) => {
      const found = this.secrets.get(name);
      if (!found) throw new CallFailure("missing", op);
      return found;
    };
    const secrets: Secrets = {
      versions: (name) =>
        call("DescribeSecret", () => {
          const found = this.secrets.get(name);
          return found && [found.current, found.previous].filter((each) => each !== undefined);
        }),
      create: (name) =>
        call("CreateSecret", () => {
          if (this.secrets.has(name)) throw new CallFailure("exists", "CreateSecret");
          this.secrets.set(name, {
            policy: undefined,
            versions: new Map(),
            current: undefined,
            previous: undefined,
          });
        }),
      putPolicy: (name, policy) =>
        call("PutResourcePolicy", () => {
          secret(name, "PutResourcePolicy").policy = policy;
        }),
      putValue: (name, token, value) =>
        call("PutSecretValue", () => {
          const found = secret(name, "PutSecretValue");
          const stored = found.versions.get(token);
          if (stored !== undefined && stored !== value) throw new CallFailure("exists", "PutSecretValue");
          if (stored === undefined) {
            found.versions.set(token, value);
            found.previous = found.current;
            found.current = token;
          }
        }),
    };
    const write = (table: Map<string, StoredRecord>, record: StoredRecord): boolean => {
      const stored = table.get(record.userName);
      if (stored && stored.version >= record.version) return false;
      table.set(record.userName, structuredClone(storedRecordSchema.parse(record)));
      return true;
    };
    const own = this.tables[cell] ?? new Map<string, StoredRecord>();
    const peer = this.tables[cell === "prod" ? "dr" : "prod"] ?? new Map<string, StoredRecord>();
    const writeAll = (records: StoredRecord[]) =>
      new Set(records.filter((record) => !write(own, record)).map(({ userName }) => userName));
    const records: Records = {
      read: async (_, merged) => {
        const mine = await call("Query", () => [...own.values()]);
        const theirs = merged ? [] : await call("Query (peer)", () => [...peer.values()]);
        const latest = new Map<string, StoredRecord>();
        for (const record of [...theirs, ...mine]) {
          const other = latest.get(record.userName);
          if (!other || record.version >= other.version) latest.set(record.userName, structuredClone(record));
        }
        return [...latest.values()];
      },
      announce: (accountId, list) =>
        call("TransactWriteItems (announce)", () => {
          this.unfinished.add(accountId);
          return writeAll(list);
        }),
      complete: async (accountId, list, finished) => {
        const conflicts = await call("TransactWriteItems (complete)", () => {
          if (finished) this.unfinished.delete(accountId);
          return writeAll(list);
        });
        if (list.length > 0) {
          await call("TransactWriteItems (peer)", () => {
            for (const record of list) write(peer, record);
          }).catch((error: unknown) => {
            if (error instanceof Crash) throw error;
          });
        }
        return conflicts;
      },
    };
    const gate: Gate = {
      check: () =>
        call("gate", () => this.gate[cell] as GateState).catch((error: unknown) => {
          if (error instanceof Crash) throw error;
          return { active: false, higherEpochAtPeer: false, peerReadable: false, peerRequired: true };
        }),
    };
    const notifier: Notifier = {
      enabled: true,
      send: (message) =>
        call("SendMessage", () => {
          this.notices.push(message);
          for (const { id } of message.entries) if (!this.told.includes(id)) this.told.push(id);
        }),
    };
    const clock: Clock = {
      now: () => new Date(this.now + clockAhead),
      sleep: async (milliseconds) => {
        await Promise.resolve();
        if (!dead) this.now += milliseconds;
      },
      random: () => 0.5,
    };
    return { iam, secrets, records, gate, notifier, clock, count: () => index };
  }

  /** Names of what was told, in order and once each, as `user what`. */
  mails(): string[] {
    const seen = new Set<string>();
    return this.notices.flatMap(({ entries }) =>
      entries.flatMap(({ id, userName, what }) => {
        if (seen.has(id)) return [];
        seen.add(id);
        return [`${userName} ${what}`];
      }),
    );
  }

  private arn(name: string): string {
    return `arn:aws:iam::${this.accountId}:user${this.users.get(name)?.path}${name}`;
  }

  private mustWork(user: WorldUser, after: string): void {
    if (!this.hasWorkingKey(user)) this.violations.push(`${user.name}: no working key after ${after}`);
  }

  private mustBeAllowed(user: WorldUser, what: string): void {
    const exempt =
      user.groups.includes("exempt") ||
      user.tags["bulkhead:key-rotation"] === "exempt" ||
      user.path === "/break-glass/";
    if (exempt) this.violations.push(`${user.name} is exempt: ${what}`);
  }

  private csv(): string {
    const at = (time: number | null) =>
      time === null ? "N/A" : `${new Date(time).toISOString().slice(0, 19)}+00:00`;
    const columns = (each: WorldKey | undefined) =>
      each
        ? [String(each.status === "Active"), at(each.createdAt), at(each.lastUsedAt), "N/A", "N/A"]
        : ["false", "N/A", "N/A", "N/A", "N/A"];
    const head =
      "user,arn,user_creation_time,password_enabled,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service";
    const rows = [...this.users.values()].map((user) =>
      [
        user.name,
        this.arn(user.name),
        at(0),
        "false",
        ...columns(user.keys[0]),
        ...columns(user.keys[1]),
      ].join(","),
    );
    return [
      head,
      `<root_account>,arn:aws:iam::${this.accountId}:root,${at(0)},not_supported,${columns(undefined)},${columns(undefined)}`,
      ...rows,
    ].join("\n");
  }
}
