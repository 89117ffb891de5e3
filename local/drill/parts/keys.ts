/** Rotation of access keys: in both modes, read from the other region, paused by the outage, and continued by whichever cell acts. */

import { isDeepStrictEqual } from "node:util";
import { DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import * as z from "zod";
import { machineArn, recordsTableName } from "../../../components/keyRotator/names";
import { normalizeCell } from "../../../components/regional/cell";
import { secretName } from "../../../functions/keyRotation/engine/secret";
import { type Mail, readInbox } from "../../aws/inbox";
import { backDate, daysAgo } from "../../aws/keyHistory";
import { type LocalCell, PRIMARY, STANDBY } from "../../environment";
import type { Evidence } from "../../report/types";
import { waitFor } from "../../waitFor";
import { type DrillContext, NO_ANSWER_MS } from "../context";
import { createKeyUsers, type KeyUser, SECRETS_PREFIX } from "../keyUsers";
import type { StepFindings } from "../runner";
import { update } from "./cells";

/** Longest wait for a run: here it takes seconds, and half a minute with IAM hanging. */
const RUN_TIMEOUT_MS = 120_000;
/** Longest wait for a mail to an owner. */
const MAIL_TIMEOUT_MS = 15_000;
/** Days that go by before the replaced keys are deactivated: one more than it takes. */
const DAYS_GO_BY = 11;

const countsSchema = z.record(z.string(), z.number());
const figuresSchema = z.object({
  runId: z.string(),
  mode: z.string(),
  state: z.string(),
  reason: z.string(),
  accounts: z.object({ done: z.number(), paused: z.number(), failed: z.number() }),
  done: countsSchema,
  wouldDo: countsSchema,
  failures: z.object({ total: z.number() }),
  cases: z.object({ first: z.array(z.object({ userName: z.string(), row: z.string() })) }),
});
type Figures = z.infer<typeof figuresSchema>;
const planSchema = z.object({ outcomes: z.array(z.object({ due: z.array(z.string()) })) });

/** The drill's small organization, and what of its keys the steps hand on to one another. */
export class KeyRotation {
  private users: Record<string, KeyUser> = {};
  /** What IAM had of each user after the last step. */
  private known: Record<string, Record<string, string>> = {};

  /** Secret halves of the keys that were read from secrets. */
  private readonly read = new Set<string>();
  private update: Promise<StepFindings> | undefined;
  private paused: Promise<{ figures: Figures; before: Set<string> }> | undefined;

  constructor(private readonly context: DrillContext) {}

  async createUsers(): Promise<StepFindings> {
    this.users = await createKeyUsers(this.url, this.context.accountId);
    this.known = await this.look();
    const keys = Object.values(this.known).flatMap((each) => Object.keys(each));
    return { detail: `${Object.keys(this.users).length} users with ${keys.length} keys in three accounts` };
  }

  /** Both cells' schedules have their hour. In audit mode owners are told what would be done; the standby learns which accounts there are. */
  async audit(): Promise<StepFindings> {
    const before = await this.inbox();
    const [figures, standby] = await Promise.all([this.run(PRIMARY), this.run(STANDBY)]);
    demand(figures.mode === "audit" && figures.state === "run", "the run was no audit", figures);
    demand(
      isDeepStrictEqual(figures.wouldDo, { rotate: 2 }) && isDeepStrictEqual(figures.done, {}),
      "not two keys are due",
      figures,
    );
    demand(standby.state === "standby", `${STANDBY.name} did not stand by`, standby);
    await this.unchanged();
    return {
      detail: `two keys are due, one user has no room for a new one; nothing was changed; ${STANDBY.name} stands by`,
      evidence: await this.mails(before, "[Audit]", ["dana@example.com", "billing@example.com"]),
    };
  }

  /** The secret halves of all keys that programs have or had, to look for. */
  get secrets(): string[] {
    const first = Object.values(this.users).flatMap(({ keys }) => keys);
    return [...first.map(({ secretAccessKey }) => secretAccessKey), ...this.read];
  }

  /** The same program with another value: a deployment takes its time, and nothing waits for it. */
  async beginToEnforce(): Promise<StepFindings> {
    this.update = update(this.context, PRIMARY);
    // What comes of it is seen later.
    this.update.catch(() => {});
    return { detail: "keyRotation: enforce" };
  }

  async seeEnforcing(): Promise<StepFindings> {
    return this.update!;
  }

  /** Resolves when nothing goes on any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.update, this.paused]);
  }

  /** The plan is what the run does. */
  async enforce(): Promise<StepFindings> {
    const { stdout, stderr } = await this.context.command(["keys", "plan", PRIMARY.name, "--json"]);
    const planned = stdout
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => planSchema.parse(JSON.parse(line)).outcomes.flatMap(({ due }) => due));
    const wanted = ["deployer", "invoices"].map((name) => `rotate:${this.user(name).key.accessKeyId}`);
    demand(isDeepStrictEqual(planned.sort(), wanted.sort()), "the plan is another one", { planned, stderr });
    const before = await this.inbox();
    const figures = await this.run(PRIMARY);
    demand(
      figures.mode === "enforce" &&
        isDeepStrictEqual(figures.done, { rotate: 2 }) &&
        figures.failures.total === 0,
      "the run did something else than was planned",
      figures,
    );
    await this.rotated(["deployer", "invoices"]);
    return {
      detail: `as planned: ${planned.length} keys have a successor, no other key was touched`,
      evidence: await this.mails(before, "[Access keys]", ["dana@example.com", "billing@example.com"]),
    };
  }

  /** A program in a member account reads its new key with the old one, and works with the new one. */
  async readAndWork(cell: LocalCell, names: readonly string[]): Promise<StepFindings> {
    const lines: string[] = [];
    for (const name of names) {
      const user = this.user(name);
      const fresh = await user.readKey(this.member, cell.region);
      demand(fresh.accessKeyId !== user.key.accessKeyId, `${name} has read the key that it has`, {});
      demand(fresh.accessKeyId in this.known[name]!, `${name} has read a key that IAM does not know`, {});
      await user.work(this.member, cell.region, fresh);
      this.read.add(fresh.secretAccessKey);
      lines.push(`${name} read ${fresh.accessKeyId} in ${cell.region} and worked with it`);
    }
    return { detail: lines.join("\n") };
  }

  /** A key becomes due while IAM is lost. The run has to wait for what does not answer, and nothing waits for it. */
  async beginToPause(): Promise<StepFindings> {
    // AWS refuses what is signed a quarter of an hour ahead, as the functions' clocks are since an earlier step.
    await this.context.environment.aws.setFunctionClock(0);
    await this.becomesDue("courier");
    const before = await this.inbox();
    this.paused = this.run(STANDBY).then((figures) => ({ figures, before }));
    // What comes of it is seen later.
    this.paused.catch(() => {});
    return { detail: "the key of courier is 91 days old" };
  }

  /** The run says that it has paused, and has changed nothing. */
  async pause(): Promise<StepFindings> {
    const { figures, before } = await this.paused!;
    demand(
      figures.accounts.paused === 3 && isDeepStrictEqual(figures.done, {}),
      "the run did not pause",
      figures,
    );
    await this.user("courier").work(this.member, STANDBY.region);
    const mail = await this.mail(
      before,
      "the mail that the rotation pauses",
      (each) => each.region === STANDBY.region && each.kind === "ses" && /[Kk]ey rotation/.test(each.subject),
    );
    return {
      detail: `${figures.accounts.paused} accounts paused; the key that became due works on`,
      evidence: [{ label: mail.subject, value: mail.text }],
    };
  }

  /** Nothing was lost, DR does what became due, and the returned primary nothing. */
  async goOn(): Promise<StepFindings> {
    await this.unchanged();
    const [figures, returned] = await Promise.all([this.run(STANDBY), this.run(PRIMARY)]);
    demand(
      isDeepStrictEqual(figures.done, { rotate: 1 }) && figures.failures.total === 0,
      "not one key was rotated",
      figures,
    );
    demand(
      returned.state !== "run" && isDeepStrictEqual(returned.done, {}),
      `${PRIMARY.name} acted`,
      returned,
    );
    await this.rotated(["courier"]);
    const read = await this.readAndWork(PRIMARY, ["courier"]);
    return {
      detail: `${STANDBY.name} rotated the key of courier, ${PRIMARY.name} stood back (${returned.reason})\n${read.detail}`,
    };
  }

  /** The primary acts again. It goes on with the rotations of both cells, and repeats none. */
  async giveBack(): Promise<StepFindings> {
    const { exitCode, stdout, stderr } = await this.context.command([
      "failback",
      PRIMARY.name,
      "--reason",
      "us-east-1 is stable again",
    ]);
    demand(exitCode === 0, "the work was not given back", { stdout, stderr });
    await this.daysGoBy(["deployer", "courier", "invoices"], ["invoices"]);
    const figures = await this.run(PRIMARY);
    demand(
      isDeepStrictEqual(figures.done, { deactivate: 2 }) && figures.failures.total === 0,
      "not two were deactivated",
      figures,
    );
    demand(
      figures.cases.first.some(({ userName, row }) => userName === "invoices" && row === "old-key-in-use"),
      "the key that is still in use was not reported",
      figures,
    );
    const now = await this.look();
    for (const [name, before] of Object.entries(this.known)) {
      const [oldest] = Object.keys(before);
      const wanted = ["deployer", "courier"].includes(name) ? { ...before, [oldest!]: "Inactive" } : before;
      demand(isDeepStrictEqual(now[name], wanted), `the keys of ${name} are not as they should be`, now);
    }
    this.known = now;
    return {
      detail: `${stdout.split("\n")[0]}\ndeactivated the old keys of deployer (rotated by ${PRIMARY.name}) and courier (rotated by ${STANDBY.name}); that of invoices is still in use and was left alone`,
    };
  }

  private get url(): string {
    return this.context.environment.aws.url;
  }

  /** Settings of a member's clients: like everybody else they go through the region proxy. */
  private get member() {
    return {
      endpoint: this.context.environment.proxy.url,
      maxAttempts: 1,
      requestHandler: { requestTimeout: NO_ANSWER_MS, throwOnRequestTimeout: true },
    };
  }

  private user(name: string): KeyUser {
    return this.users[name]!;
  }

  private async look(): Promise<Record<string, Record<string, string>>> {
    const entries = Object.values(this.users).map(
      async (user) => [user.name, await user.keysInIam(this.url)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  private async unchanged(): Promise<void> {
    const now = await this.look();
    demand(isDeepStrictEqual(now, this.known), "keys were changed", { before: this.known, now });
  }

  /** These users, and no others, have got one key more, and a secret. */
  private async rotated(names: readonly string[]): Promise<void> {
    const now = await this.look();
    for (const [name, before] of Object.entries(this.known)) {
      const fresh = Object.keys(now[name]!).filter((id) => !(id in before));
      const kept = Object.fromEntries(Object.entries(now[name]!).filter(([id]) => id in before));
      const wanted = names.includes(name) ? 1 : 0;
      demand(
        fresh.length === wanted && isDeepStrictEqual(kept, before),
        `the keys of ${name} are not as they should be`,
        now,
      );
    }
    this.known = now;
    const client = new SecretsManagerClient(this.context.deployerSettings(PRIMARY.region));
    for (const name of names) {
      const user = this.user(name);
      const SecretId = secretName(SECRETS_PREFIX, user.accountId, name);
      user.secretArn = (await client.send(new DescribeSecretCommand({ SecretId }))).ARN ?? "";
    }
    client.destroy();
  }

  /** What the schedule does every day; then what the command says of it. */
  private async run(cell: LocalCell): Promise<Figures> {
    const sfn = new SFNClient(this.context.deployerSettings(cell.region));
    const stateMachineArn = machineArn(this.cell(cell));
    const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: "{}" }));
    const ended = await waitFor(
      `the end of the rotation's run in ${cell.region}`,
      async () => {
        const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
        return execution.status === "RUNNING" ? undefined : execution;
      },
      { timeoutMs: RUN_TIMEOUT_MS, intervalMs: 100, signal: this.context.options.signal },
    );
    sfn.destroy();
    demand(ended.status === "SUCCEEDED", `the run in ${cell.region} ended as ${ended.status}`, ended);
    const { stdout, stderr } = await this.context.command(["keys", "status", cell.name, "--json"]);
    try {
      const figures = figuresSchema.parse(JSON.parse(stdout));
      demand(figures.runId === ended.name, "the status is that of another run", figures);
      return figures;
    } catch (error) {
      throw new Error(`"bulkhead keys status ${cell.name}" gave no figures: ${stderr}`, { cause: error });
    }
  }

  private cell({ name, region }: LocalCell) {
    return normalizeCell({ name, region, accountId: this.context.accountId });
  }

  /** Days go by, and the user's key is due. */
  private async becomesDue(name: string): Promise<void> {
    const { accessKeyId } = this.user(name).key;
    await backDate(this.url, [{ accessKeyId, createDate: daysAgo(91), lastUsed: { date: daysAgo(1) } }]);
  }

  /**
   * Days go by for rotated keys: in IAM and in both cells' records. Their programs work with the new keys, but for those that did not change.
   */
  private async daysGoBy(names: readonly string[], unchanged: readonly string[]): Promise<void> {
    const rotatedAt = daysAgo(DAYS_GO_BY);
    for (const name of names) {
      const [old, fresh] = Object.keys(this.known[name]!);
      await backDate(this.url, [
        {
          accessKeyId: old!,
          createDate: daysAgo(90 + DAYS_GO_BY),
          lastUsed: { date: daysAgo(unchanged.includes(name) ? 0.5 : DAYS_GO_BY - 1) },
        },
        { accessKeyId: fresh!, createDate: rotatedAt, lastUsed: { date: daysAgo(0.5) } },
      ]);
    }
    for (const cell of [PRIMARY, STANDBY]) {
      const TableName = recordsTableName(this.cell(cell));
      const client = new DynamoDBClient(this.context.deployerSettings(cell.region));
      const { Items = [] } = await client.send(new ScanCommand({ TableName }));
      for (const item of Items.filter(({ userName }) => names.includes(userName?.S ?? ""))) {
        const record = { ...JSON.parse(item.record?.S ?? "{}"), rotatedAt };
        await client.send(
          new PutItemCommand({ TableName, Item: { ...item, record: { S: JSON.stringify(record) } } }),
        );
      }
      client.destroy();
    }
  }

  private async inbox(): Promise<Set<string>> {
    return new Set((await readInbox(this.context.environment.proxy.url)).map(({ id }) => id));
  }

  private async mail(before: Set<string>, what: string, is: (mail: Mail) => boolean): Promise<Mail> {
    return waitFor(
      what,
      async () =>
        (await readInbox(this.context.environment.proxy.url)).find(
          (each) => !before.has(each.id) && is(each),
        ),
      { timeoutMs: MAIL_TIMEOUT_MS, signal: this.context.options.signal },
    );
  }

  private async mails(before: Set<string>, subject: string, to: readonly string[]): Promise<Evidence[]> {
    const evidence: Evidence[] = [];
    for (const address of to) {
      const found = await this.mail(
        before,
        `the mail "${subject}" to ${address}`,
        (each) => each.to.includes(address) && each.subject.startsWith(subject),
      );
      evidence.push({ label: `To ${address}: ${found.subject}`, value: found.text });
    }
    return evidence;
  }
}

function demand(met: boolean, otherwise: string, found: unknown): void {
  if (!met) throw new Error(`${otherwise}: ${JSON.stringify(found)}`);
}
