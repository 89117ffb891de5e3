import type { Partition } from "../../../components/regional/partition";
import type { BackOff } from "./backOff";
import { failureKind } from "./failure";
import { mayAct } from "./gateState";
import { forEachOf } from "./pool";
import type { Clock, CreatedKey, Gate, GateState, Iam, Records, Secrets } from "./ports";
import { nextRecord, type StoredRecord } from "./record";
import type { UserOutcome } from "./result";
import { policyDigest, secretName, secretPolicy, secretValue, versionOf } from "./secret";

/** What actions are carried out with. */
export interface CarryOutContext {
  account: { id: string };
  runId: string;
  cell: string;
  partition: Partition;
  secrets: { prefix: string; readers: readonly string[] };
  concurrency: number;
  backOff: BackOff;
  /** The last answer of the gate, and when it was given. */
  gate: { state: GateState; at: Date };
  ports: { iam: Iam; secrets: Secrets; records: Records; gate: Gate; clock: Clock };
}

/** A user and what is to be done. */
export interface Planned {
  userName: string;
  userArn: string;
  /** As it was read. */
  record: StoredRecord;
  /** The record completed by what a crash had kept from it; undefined: nothing was missing. */
  found: StoredRecord | undefined;
  /** As decided: deleteOrphan first. */
  actions: string[];
  /** Ids of the keys that the user has. */
  keyIds: string[];
  /** Gets what was done and what failed. */
  outcome: UserOutcome;
}

/** What came of it. */
export interface CarriedOut {
  /** The records that are to be written now. */
  records: Map<string, StoredRecord>;
  /** Whether the cell was found not to be the acting one any more: nothing was done from then on. */
  stoodDown: boolean;
}

/** How long an answer of the gate holds for making a key, which destroys nothing. */
const GATE_MILLISECONDS = 10_000;
const STORE_ATTEMPTS = 4;
/** How long after its announcement a key may be made. */
export const ANNOUNCED_MILLISECONDS = 5 * 60_000;

/**
 * Carries decisions out, for users of one account. In this order, so that a crash between any two calls loses nothing:
 * 1. Orphans of earlier crashes are deleted, while the record still tells that they are.
 * 2. What is to be done is written into the records, in one call for all users.
 * 3. For a rotation: the secret and its policy, then the key, then the secret's value. From the moment when the key is there, either the
 *    secret holds it, or the announcement and the secret's missing version tell that nobody has it.
 * 4. The gate is asked again before each deactivation and deletion.
 * The caller then tells the owners and writes the records of what was done.
 */
export async function carryOut(context: CarryOutContext, planned: Planned[]): Promise<CarriedOut> {
  const result: CarriedOut = { records: new Map(), stoodDown: false };
  const work = new Work(context, result);
  for (const { userName, found } of planned) if (found) result.records.set(userName, found);
  const cleared: Planned[] = [];
  await forEachOf(
    planned.filter(({ actions }) => actions.length > 0),
    context.concurrency,
    async (plan) => {
      if (await work.deleteOrphans(plan)) cleared.push(plan);
    },
  );
  const begun = await work.announce(cleared.filter((plan) => mainAction(plan) !== undefined));
  await forEachOf(begun, context.concurrency, ({ plan, announced }) => work.act(plan, announced));
  if (result.stoodDown) {
    for (const { userName, outcome } of planned)
      if (outcome.done.length === 0) result.records.delete(userName);
  }
  return result;
}

const verb = (action: string) => action.split(":")[0];
const keyOf = (action: string) => action.slice(action.indexOf(":") + 1);
const mainAction = ({ actions }: Planned) => actions.find((action) => verb(action) !== "deleteOrphan");

const IN_PROGRESS: Record<string, string> = {
  rotate: "rotating",
  deactivate: "deactivating",
  delete: "deleting",
};

interface Begun {
  plan: Planned;
  announced: StoredRecord;
}

class Work {
  constructor(
    private readonly context: CarryOutContext,
    private readonly result: CarriedOut,
  ) {}

  /** @returns whether the user's other action may follow */
  async deleteOrphans({ actions, userName, outcome }: Planned): Promise<boolean> {
    for (const action of actions.filter((each) => verb(each) === "deleteOrphan")) {
      if (!(await this.mayDestroy())) return false;
      try {
        await this.destroy(() => this.context.ports.iam.deleteKey(userName, keyOf(action)));
        outcome.done.push(action);
      } catch (error) {
        outcome.failed.push({ action, code: codeOf(error) });
        return false;
      }
    }
    return true;
  }

  /** Writes what is to be done. Users whose record somebody else has changed are left alone. */
  async announce(plans: Planned[]): Promise<Begun[]> {
    if (plans.length === 0 || !(await this.mayBegin())) return [];
    const { ports, account, runId, cell, backOff } = this.context;
    const now = ports.clock.now();
    const begun = plans.map((plan): Begun => {
      const record = plan.found ?? plan.record;
      const action = mainAction(plan) ?? "";
      const at = now.toISOString();
      const rotation = verb(action) === "rotate";
      const open = rotation && /^rotating\b/.test(record.lastAction ?? "") ? record.announced : null;
      const change: Partial<StoredRecord> = {
        lastAction: `${IN_PROGRESS[verb(action) ?? ""]}:${keyOf(action)}`,
        announced: {
          at,
          runId,
          keysBefore:
            open?.keysBefore ?? plan.keyIds.filter((id) => !plan.actions.includes(`deleteOrphan:${id}`)),
          attempts: [...(open?.attempts ?? []).slice(-20), at],
        },
        ...(rotation && {
          oldKey: keyOf(action),
          newKey: null,
          rotatedAt: null,
          deactivatedAt: null,
          mailed: [],
        }),
      };
      return { plan, announced: nextRecord(record, change, { now, cell }) };
    });
    const conflicts = await backOff.call(() =>
      ports.records.announce(
        account.id,
        begun.map(({ announced }) => announced),
      ),
    );
    for (const { plan } of begun) {
      if (!conflicts.has(plan.userName)) continue;
      this.result.records.delete(plan.userName);
      plan.outcome.reports.push("busy:record");
    }
    return begun.filter(({ plan }) => !conflicts.has(plan.userName));
  }

  /** Carries one user's action out. Errors end in the user's outcome. */
  async act(plan: Planned, announced: StoredRecord): Promise<void> {
    const action = mainAction(plan) ?? "";
    const step = { rotate: this.rotate, deactivate: this.deactivate, delete: this.delete }[
      verb(action) ?? ""
    ];
    try {
      const change = await step?.call(this, plan, announced, keyOf(action));
      if (!change) {
        this.revert(plan, announced);
        return;
      }
      plan.outcome.done.push(action);
      this.finish(plan, announced, { ...change, lastAction: action, announced: null });
    } catch (error) {
      plan.outcome.failed.push({ action, code: codeOf(error) });
      // Where it is not certain that nothing was done, the announcement stays, and the next run finds out.
      if (error instanceof NothingDone) this.revert(plan, announced);
    }
  }

  private async rotate(
    plan: Planned,
    announced: StoredRecord,
    _: string,
  ): Promise<Partial<StoredRecord> | undefined> {
    const { ports, account } = this.context;
    const { userName } = plan;
    const name = secretName(this.context.secrets.prefix, account.id, userName);
    const policy = secretPolicy({
      partition: this.context.partition,
      accountId: account.id,
      userName,
      userArn: plan.userArn,
      readers: this.context.secrets.readers,
    });
    const digest = policyDigest(policy);
    if (announced.secretPolicy !== digest)
      await nothingDone(() => this.prepareSecret(name, userName, policy));
    if (!(await this.mayBegin())) return undefined;
    // What comes later than that would not be found by its announcement.
    const age = ports.clock.now().getTime() - Date.parse(announced.announced?.at ?? "");
    if (!(age >= 0 && age <= ANNOUNCED_MILLISECONDS)) throw new NothingDone(undefined);
    const key = await this.createKey(userName);
    try {
      await this.store(name, userName, policy, key);
    } catch (error) {
      // Nobody has this key. If it cannot be removed now, the next run does it.
      if (!(await this.mayDestroy())) throw error;
      await this.destroy(() => ports.iam.deleteKey(userName, key.id));
      throw new NothingDone(error);
    }
    return {
      newKey: key.id,
      rotatedAt: key.createdAt.toISOString(),
      deactivatedAt: null,
      secretPolicy: digest,
    };
  }

  private async prepareSecret(name: string, userName: string, policy: string): Promise<void> {
    const { ports, backOff, account } = this.context;
    const tags = { "bulkhead:account": account.id, "bulkhead:user": userName };
    try {
      await backOff.call(() => ports.secrets.create(name, tags));
    } catch (error) {
      if (failureKind(error) !== "exists") throw error;
    }
    await backOff.call(() => ports.secrets.putPolicy(name, policy));
  }

  private async createKey(userName: string): Promise<CreatedKey> {
    try {
      return await this.context.backOff.call(() => this.context.ports.iam.createKey(userName));
    } catch (error) {
      throw ["denied", "missing", "limit", "throttled"].includes(failureKind(error))
        ? new NothingDone(error)
        : error;
    }
  }

  /** Stores the key. The token is the key's own: storing it twice is storing it once. */
  private async store(name: string, userName: string, policy: string, key: CreatedKey): Promise<void> {
    const { ports, backOff, account } = this.context;
    const token = versionOf(account.id, userName, key.id);
    const value = secretValue({ accountId: account.id, userName }, key);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await backOff.call(() => ports.secrets.putValue(name, token, value));
        return;
      } catch (error) {
        const kind = failureKind(error);
        if (attempt === STORE_ATTEMPTS || kind === "denied" || kind === "throttled") throw error;
        // Somebody deleted the secret although the record knows it.
        if (kind === "missing") await this.prepareSecret(name, userName, policy);
        else await ports.clock.sleep(500 * attempt);
      }
    }
  }

  private async deactivate(
    plan: Planned,
    _: StoredRecord,
    keyId: string,
  ): Promise<Partial<StoredRecord> | undefined> {
    const { ports } = this.context;
    if (!(await this.mayDestroy())) return undefined;
    try {
      await this.destroy(() => ports.iam.deactivateKey(plan.userName, keyId));
    } catch (error) {
      throw certainlyNotDone(error) ? new NothingDone(error) : error;
    }
    return { deactivatedAt: ports.clock.now().toISOString() };
  }

  private async delete(
    plan: Planned,
    _: StoredRecord,
    keyId: string,
  ): Promise<Partial<StoredRecord> | undefined> {
    const { ports } = this.context;
    if (!(await this.mayDestroy())) return undefined;
    try {
      await this.destroy(() => ports.iam.deleteKey(plan.userName, keyId));
    } catch (error) {
      throw certainlyNotDone(error) ? new NothingDone(error) : error;
    }
    return {};
  }

  /** A destructive call, made again only when it was refused for being one too many, and then only if the gate is still open. */
  private async destroy(call: () => Promise<void>): Promise<void> {
    let first = true;
    await this.context.backOff.call(async () => {
      if (!first && !(await this.mayDestroy())) throw new NothingDone(undefined);
      first = false;
      await call();
    });
  }

  /** Asked right before each destructive call. */
  private async mayDestroy(): Promise<boolean> {
    const { ports, gate } = this.context;
    if (this.result.stoodDown) return false;
    gate.state = await ports.gate.check();
    gate.at = ports.clock.now();
    if (mayAct(gate.state)) return true;
    this.result.stoodDown = true;
    return false;
  }

  /** Asked before a key is made: an answer of a few seconds ago will do, since a key too many destroys nothing. */
  private async mayBegin(): Promise<boolean> {
    const { ports, gate } = this.context;
    const age = ports.clock.now().getTime() - gate.at.getTime();
    if (this.result.stoodDown) return false;
    return age >= 0 && age < GATE_MILLISECONDS ? mayAct(gate.state) : this.mayDestroy();
  }

  private finish(plan: Planned, announced: StoredRecord, change: Partial<StoredRecord>): void {
    const { ports, cell } = this.context;
    this.result.records.set(plan.userName, nextRecord(announced, change, { now: ports.clock.now(), cell }));
  }

  /** Takes the announcement back: the record says again what it said before. */
  private revert(plan: Planned, announced: StoredRecord): void {
    // Whoever stands down writes nothing more than what was done: the other cell finds the announcement.
    if (this.result.stoodDown) return;
    const { version: _, ...before } = plan.found ?? plan.record;
    this.finish(plan, announced, before);
  }
}

/** A failure after which it is certain that nothing was changed that the record has to know of. */
class NothingDone extends Error {
  override readonly name = "NothingDone";
  constructor(cause: unknown) {
    super("nothing was done", { cause });
  }
}

async function nothingDone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new NothingDone(error);
  }
}

function certainlyNotDone(error: unknown): boolean {
  return ["denied", "throttled", "missing", "limit"].includes(failureKind(error));
}

function codeOf(error: unknown): string {
  const kind = failureKind(error instanceof NothingDone ? error.cause : error);
  return error instanceof NothingDone && error.cause === undefined ? "given-up" : kind;
}
