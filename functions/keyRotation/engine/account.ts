import type { Partition } from "../../../components/regional/partition";
import { type DueDecision, decideDue } from "../decide/decide";
import { factsOf, isError } from "../decide/facts";
import { DAYS_TAG, type Policy, readTags } from "../decide/policy";
import type { UserState } from "../decide/state";
import { isOwnersNotice } from "../decide/table";
import { BackOff } from "./backOff";
import { mayBeDue, onlyWaits } from "./candidates";
import { carryOut } from "./carryOut";
import {
  clockIsWrong,
  iamIsUnreachable,
  type ReportedUser,
  ROOT_USER,
  readCredentialReport,
} from "./credentialReport";
import { failureKind } from "./failure";
import { gateReason, mayAct } from "./gateState";
import { failureNotices, noticeEntries } from "./notices";
import { forEachOf } from "./pool";
import type {
  Clock,
  Gate,
  GateState,
  Iam,
  NoticeEntry,
  Notifier,
  Records,
  Secrets,
  UserDetails,
} from "./ports";
import { daysBetween, emptyRecord, isUnfinished, nextRecord, recordState, type StoredRecord } from "./record";
import type { AccountResult, InventoryKey, UserOutcome } from "./result";
import { secretName } from "./secret";
import { readUserKeys, type UserKeys } from "./userKeys";

/** The account that a run works on. */
export interface Account {
  id: string;
  name: string;
  /** The account's own address; empty: not known. */
  email: string;
  /** What holds in this account, with what its tags say. */
  policy: Policy;
  /** Whether an earlier run left something unfinished there: then records are read even if nothing seems due. */
  unfinished: boolean;
  /** Whether this cell's table of records has been brought up to date since the cell became the acting one. */
  merged: boolean;
}

/** What a run is to do, and with what. */
export interface RunContext {
  account: Account;
  runId: string;
  mode: "audit" | "enforce";
  /** Only decides: what the next run would do. */
  planOnly?: boolean;
  /** Only this user; and, with `force`, whatever the age of the key. */
  only?: { userName: string; force: boolean };
  cell: string;
  partition: Partition;
  shortestRotateDays: number;
  exemptGroup: string;
  breakGlass: { users: readonly string[]; path: string };
  ownerTag: string;
  secrets: { prefix: string; readers: readonly string[] };
  concurrency: number;
  /** Whether no more is to be begun. @default never */
  timeIsUp?: () => boolean;
  /** Is told why an account paused or failed. @default nobody */
  onError?: (error: unknown) => void;
  ports: { iam: Iam; secrets: Secrets; records: Records; gate: Gate; notifier: Notifier; clock: Clock };
}

/** Users for whom something is announced in one call: DynamoDB takes 100 items in a transaction, one of which is the account's own. */
const BATCH = 99;

/**
 * One run in one account: finds out who can be due, reads what is needed about these, decides, and does it. Errors end where they belong: in
 * the user, or in the account. Throws nothing but errors of its own making.
 */
export async function runAccount(context: RunContext): Promise<AccountResult> {
  const result: AccountResult = {
    accountId: context.account.id,
    status: "done",
    users: 0,
    outcomes: [],
    keys: [],
  };
  try {
    await run(context, result);
  } catch (error) {
    context.onError?.(error);
    result.status = iamIsUnreachable(error) ? "paused" : "failed";
    result.reason = iamIsUnreachable(error) ? "iam-unreachable" : codeOf(error);
  }
  return result;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "unexpected";
}

async function run(context: RunContext, result: AccountResult): Promise<void> {
  const { account, ports, only } = context;
  const { clock } = ports;
  const backOff = new BackOff(clock);
  const report = await readCredentialReport(ports.iam, backOff, clock);
  const now = clock.now();
  const users = report.users.filter(({ userName }) => userName !== ROOT_USER);
  result.users = users.length;
  result.keys = users.flatMap((user) => inventory(user, now));
  if (clockIsWrong(report, now)) return pause(result, "clock-wrong");
  const shortest = only?.force ? 0 : Math.min(context.shortestRotateDays, account.policy.rotate);
  const perhaps = users.filter(
    (user) => (!only || user.userName === only.userName) && mayBeDue(user, shortest, now),
  );
  if (perhaps.length === 0 && !account.unfinished) return;

  const gate = await ports.gate.check();
  if (!mayAct(gate)) return pause(result, gateReason(gate));
  const [records, details] = await Promise.all([
    readRecords(context, backOff),
    readDetails(context, backOff),
  ]);
  const unfinished = users.filter((user) => {
    const record = records instanceof Map ? records.get(user.userName) : undefined;
    return !perhaps.includes(user) && !only && record !== undefined && isUnfinished(record);
  });
  const reading: Reading = { context, backOff, gate, records, details, now };
  const plans: Plan[] = [];
  await forEachOf([...perhaps, ...unfinished], context.concurrency, async (user) => {
    const plan = await planUser(reading, user);
    if (plan) plans.push(plan);
  });
  const order = new Map(users.map(({ userName }, index) => [userName, index]));
  plans.sort((a, b) => (order.get(a.user.userName) ?? 0) - (order.get(b.user.userName) ?? 0));
  complete(result, plans, context.ownerTag);
  if (context.planOnly) {
    result.outcomes = plans.map((plan) => plan.outcome);
    return;
  }
  result.outcomes = plans.map((plan) => plan.outcome);
  const known = records instanceof Map ? records : new Map<string, StoredRecord>();
  for (let start = 0; start === 0 || start < plans.length; start += BATCH) {
    if (start > 0 && context.timeIsUp?.()) {
      result.more = true;
      break;
    }
    const batch = plans.slice(start, start + BATCH);
    if (
      !(await carryOutBatch({ ...reading, records: known }, batch, start + BATCH >= plans.length, result))
    ) {
      return pause(result, "stood-down");
    }
  }
}

function pause(result: AccountResult, reason: string): void {
  result.status = "paused";
  result.reason = reason;
}

/** What the run knows before it looks at single users. */
interface Reading {
  context: RunContext;
  backOff: BackOff;
  gate: GateState;
  records: Map<string, StoredRecord> | { error: string };
  details: { users: Map<string, UserDetails>; groups: Set<string> } | { error: string };
  now: Date;
}

/** A user, what is known, and what is to be done. */
interface Plan {
  user: ReportedUser;
  details: UserDetails | undefined;
  record: StoredRecord;
  keys: UserKeys | undefined;
  decision: DueDecision;
  state: UserState;
  outcome: UserOutcome;
}

async function readRecords({ account, ports }: RunContext, backOff: BackOff): Promise<Reading["records"]> {
  try {
    const records = await backOff.call(() => ports.records.read(account.id, account.merged));
    return new Map(records.map((record) => [record.userName, record]));
  } catch {
    return { error: "unreadable" };
  }
}

async function readDetails({ ports }: RunContext, backOff: BackOff): Promise<Reading["details"]> {
  const users = new Map<string, UserDetails>();
  const groups = new Set<string>();
  try {
    let marker: string | undefined;
    do {
      const page = await backOff.call(() => ports.iam.details(marker));
      for (const { name, ...details } of page.users) users.set(name, details);
      for (const group of page.groups) groups.add(group);
      marker = page.next;
    } while (marker !== undefined);
    return { users, groups };
  } catch (error) {
    if (iamIsUnreachable(error)) throw error;
    return { error: "unreadable" };
  }
}

/** What the decision is made from, but for the keys. */
function stateWithoutKeys(reading: Reading, user: ReportedUser): UserState {
  const { context, gate, records, details, now } = reading;
  const { account, exemptGroup, breakGlass } = context;
  const known = isError(details) ? undefined : details.users.get(user.userName);
  const record = records instanceof Map ? records.get(user.userName) : records;
  const isBreakGlass =
    breakGlass.users.includes(user.userName) || userPath(user.arn).startsWith(breakGlass.path);
  return {
    keys: [],
    user: {
      // A group that is not there at all may be a name with a typing error: nobody can be told to be outside of it.
      exemptGroup:
        exemptGroup === ""
          ? false
          : isError(details) || !known || !details.groups.has(exemptGroup)
            ? { error: "unreadable" }
            : known.groups.includes(exemptGroup),
      tags: known ? withoutDays(known.tags, context.only?.force === true) : { error: "unreadable" },
      breakGlass: isBreakGlass,
    },
    record: record === undefined ? null : isError(record) ? record : recordState(record, now),
    policy: context.only?.force ? forced(account.policy) : account.policy,
    mode: context.mode,
    cell: { ...gate, iamReachable: true },
  };
}

/** The policy under which every key is due, with the same distances. */
function forced(policy: Policy): Policy {
  const rotate = Number.MIN_VALUE;
  return {
    ...policy,
    rotate,
    deactivate: policy.deactivate - policy.rotate,
    delete: policy.delete - policy.rotate,
  };
}

/** A forced rotation does not wait for the age that a tag asks for; an exemption holds. */
function withoutDays(tags: Record<string, string>, force: boolean): Record<string, string> {
  if (!force) return tags;
  const { [DAYS_TAG]: _, ...others } = tags;
  return others;
}

/** `/team/` of `arn:aws:iam::111111111111:user/team/alice`. */
function userPath(userArn: string): string {
  const resource = userArn.split(":").slice(5).join(":");
  return resource.replace(/^user/, "").replace(/[^/]*$/, "");
}

async function planUser(reading: Reading, user: ReportedUser): Promise<Plan | undefined> {
  const { context, backOff, records, details, now } = reading;
  const bare = stateWithoutKeys(reading, user);
  const early = decideDue(bare);
  const stored = records instanceof Map ? records.get(user.userName) : undefined;
  const base = {
    user,
    details: isError(details) ? undefined : details.users.get(user.userName),
    record: stored ?? emptyRecord(context.account.id, user.userName),
  };
  // Whoever is not to be touched, keys or no keys, needs no reading of keys.
  if (early.row !== "no-keys") {
    return {
      ...base,
      keys: undefined,
      decision: early,
      state: bare,
      outcome: outcomeOf(user.userName, early),
    };
  }
  const tags = isError(bare.user.tags)
    ? undefined
    : readTags(bare.user.tags as Record<string, string>, bare.policy);
  const policy = tags && "policy" in tags ? tags.policy : bare.policy;
  if (!context.only?.force && onlyWaits(user, stored, policy, now)) return undefined;
  try {
    const keys = await readUserKeys({
      iam: context.ports.iam,
      secrets: context.ports.secrets,
      backOff,
      user,
      record: stored,
      accountId: context.account.id,
      secretName: secretName(context.secrets.prefix, context.account.id, user.userName),
      policy,
      runId: context.runId,
      now,
    });
    if (keys.busy)
      return { ...base, keys, decision: early, state: bare, outcome: leftAlone(user.userName, "busy", []) };
    const state = { ...bare, keys: keys.states };
    const decision = decideDue(state);
    return { ...base, keys, decision, state, outcome: outcomeOf(user.userName, decision) };
  } catch (error) {
    if (iamIsUnreachable(error)) throw error;
    const outcome = leftAlone(user.userName, "unreadable", ["unreadable:keys"]);
    // A user who is gone since the report was made is nothing to report.
    return failureKind(error) === "missing"
      ? undefined
      : { ...base, keys: undefined, decision: early, state: bare, outcome };
  }
}

function outcomeOf(userName: string, { row, why, due, standing }: DueDecision): UserOutcome {
  return { userName, row, why, due, done: [], failed: [], told: [], reports: standing };
}

function leftAlone(userName: string, row: string, reports: string[]): UserOutcome {
  const why =
    row === "busy"
      ? "another run is working on this user"
      : "the user's keys could not be read: nothing is done";
  return { userName, row, why, due: [], done: [], failed: [], told: [], reports };
}

/** Ids, statuses and owners, as far as they were read, into the inventory. */
function complete(result: AccountResult, plans: Plan[], ownerTag: string): void {
  for (const { user, keys, details } of plans) {
    const rows = result.keys.filter(({ userName }) => userName === user.userName);
    for (const [index, row] of rows.entries()) {
      const id = keys?.bySlot[index];
      if (id !== undefined) row.id = id;
      if (details) row.owner = details.tags[ownerTag] ?? "";
    }
  }
}

function inventory(user: ReportedUser, now: Date): InventoryKey[] {
  const days = (at: Date) => Math.round(daysBetween(at, now) * 10) / 10;
  return user.keys.map((key) => ({
    userName: user.userName,
    id: "",
    active: key.active,
    ageDays: days(key.createdAt),
    lastUsedDaysAgo:
      key.lastUsedAt === null ? null : key.lastUsedAt === undefined ? -1 : days(key.lastUsedAt),
    owner: "",
  }));
}

/**
 * Carries the plans of a part of the users out: announce, do, tell, record.
 * @returns whether the cell still is the acting one
 */
async function carryOutBatch(
  { context, backOff, gate, records, now }: Reading & { records: Map<string, StoredRecord> },
  plans: Plan[],
  last: boolean,
  result: AccountResult,
): Promise<boolean> {
  const { account, ports } = context;
  const by = () => ({ now: ports.clock.now(), cell: context.cell });
  const done = await carryOut(
    { ...context, backOff, gate: { state: gate, at: now } },
    plans.map((plan) => ({
      userName: plan.user.userName,
      userArn: plan.details?.arn ?? plan.user.arn,
      record: plan.record,
      found: adopted(plan, by()),
      actions: plan.decision.actions,
      keyIds: plan.keys?.states.map(({ id }) => id) ?? [],
      outcome: plan.outcome,
    })),
  );
  const recordOf = (plan: Plan) => done.records.get(plan.user.userName) ?? plan.record;
  const entries = plans.flatMap((plan) => entriesOf(context, plan, recordOf(plan)));
  const told = ports.notifier.enabled && (await tell(context, backOff, entries));
  if (!told && ports.notifier.enabled) result.reason = "notices-not-sent";
  const changed: StoredRecord[] = [];
  for (const plan of plans) {
    const record = recordOf(plan);
    const news = told
      ? entries.filter(({ userName }) => userName === plan.user.userName).map(({ what }) => what)
      : [];
    plan.outcome.told = news;
    const mailed = [...new Set([...record.mailed, ...news.filter((what) => !what.startsWith("failed:"))])];
    const more = mailed.length > record.mailed.length;
    if (!more && !done.records.has(plan.user.userName)) continue;
    const next = more ? nextRecord(record, { mailed }, by()) : record;
    changed.push(next);
    records.set(next.userName, next);
  }
  const unfinished = [...records.values()].some(isUnfinished);
  if (changed.length > 0 || (last && account.unfinished && !unfinished)) {
    await backOff.call(() => ports.records.complete(account.id, changed, last && !unfinished));
  }
  return !done.stoodDown;
}

function entriesOf(context: RunContext, plan: Plan, record: StoredRecord): NoticeEntry[] {
  const { account, ownerTag, secrets } = context;
  const { userName } = plan.user;
  const about = {
    accountId: account.id,
    userName,
    owner: plan.details?.tags[ownerTag] ?? "",
    newKey: record.newKey,
  };
  const name = secretName(secrets.prefix, account.id, userName);
  // Of a user who was left alone, the decision is not what was carried out.
  const notify = plan.outcome.row === plan.decision.row ? plan.decision.notify.filter(isOwnersNotice) : [];
  return [...noticeEntries(notify, plan.outcome, about, name), ...failureNotices(plan.outcome, about)];
}

/** Hands over what is to be told. If that fails nothing is marked as told, and the next run hands it over. */
async function tell(
  { account, ports, runId, mode }: RunContext,
  backOff: BackOff,
  entries: NoticeEntry[],
): Promise<boolean> {
  if (entries.length === 0) return true;
  const message = {
    accountId: account.id,
    accountName: account.name,
    accountEmail: account.email,
    runId,
    mode,
    entries,
  };
  try {
    await backOff.call(() => ports.notifier.send(message));
    return true;
  } catch {
    return false;
  }
}

/** The record with what the keys prove and a crash kept from being written. */
function adopted(plan: Plan, by: { now: Date; cell: string }): StoredRecord | undefined {
  const { record, keys, state } = plan;
  const facts = factsOf(state);
  if (!keys || !facts.record || isError(state.record) || state.record === null || record.version === 0)
    return undefined;
  if (facts.record.newKey !== record.newKey) {
    const fresh = keys.listed.find(({ id }) => id === facts.record?.newKey);
    if (!fresh) return undefined;
    const rotatedAt = fresh.createdAt.toISOString();
    return nextRecord(
      record,
      { newKey: fresh.id, rotatedAt, lastAction: facts.record.lastAction, announced: null },
      by,
    );
  }
  if (facts.record.deactivatedDaysAgo === 0 && record.deactivatedAt === null) {
    return nextRecord(
      record,
      { deactivatedAt: by.now.toISOString(), lastAction: facts.record.lastAction },
      by,
    );
  }
  if (/^deleting:/.test(record.lastAction ?? "") && !keys.listed.some(({ id }) => id === record.oldKey)) {
    return nextRecord(record, { lastAction: `delete:${record.oldKey}` }, by);
  }
  return undefined;
}
