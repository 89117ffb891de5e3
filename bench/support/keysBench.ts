import * as path from "node:path";
import type { AccountAnswer } from "../../functions/keyRotation/account/work";
import { forEachOf } from "../../functions/keyRotation/engine/pool";
import type { KeyRotationSettingsInput } from "../../functions/keyRotation/settings";
import { launchAws } from "../../local/aws/launch";
import { type CountingProxy, startCountingProxy } from "./countingProxy";
import {
  type AgedUser,
  CELLS,
  createMember,
  createRotation,
  functionEnvironment,
  type RotationOnLocalAws,
} from "./keysOnLocalAws";
import type { BenchContext } from "./types";

/** Accounts at the same time, as the state machine's map has it by default. */
const WIDTH = 10;

type Handler<T> = (event: unknown) => Promise<T>;

/** A local AWS with the rotation's parts, and the functions' handlers. */
export class KeysBench {
  private readonly environment = { ...process.env };
  private next = 0;

  private constructor(
    readonly context: BenchContext,
    readonly aws: Awaited<ReturnType<typeof launchAws>>,
    readonly proxy: CountingProxy,
    readonly rotation: RotationOnLocalAws,
  ) {}

  static async start(context: BenchContext): Promise<KeysBench> {
    const aws = await launchAws({ root: context.root });
    return new KeysBench(context, aws, await startCountingProxy(aws.url), await createRotation(aws.url));
  }

  async stop(): Promise<void> {
    for (const name of Object.keys(process.env)) if (!(name in this.environment)) delete process.env[name];
    Object.assign(process.env, this.environment);
    await this.proxy.stop();
    await this.aws.stop();
  }

  /** So many accounts with these users. @returns their ids */
  async members(count: number, users: (account: number) => AgedUser[]): Promise<string[]> {
    const ids = Array.from({ length: count }, () => String(300_000_000_000 + this.next++));
    await forEachOf(ids, 4, async (id) => {
      await createMember(this.aws.url, id, users(ids.indexOf(id)));
    });
    return ids;
  }

  private load<T>(name: string, settings: KeyRotationSettingsInput): Handler<T> {
    Object.assign(process.env, functionEnvironment(this.proxy.url, CELLS.prod, settings));
    const file = path.join(this.context.root, "functions/keyRotation", name, "handler.ts");
    delete require.cache[require.resolve(file)];
    return (require(file) as { handler: Handler<T> }).handler;
  }

  /** A whole run: the inventory, then each account. */
  async run(
    ids: string[],
    {
      width = WIDTH,
      concurrency = 5,
      onAccount = () => {},
    }: { width?: number; concurrency?: number; onAccount?: () => void } = {},
  ): Promise<{ calls: number; done: number; failed: number }> {
    const settings = this.rotation.settings("prod", { accounts: { include: ids }, concurrency });
    const handlers = {
      inventory: this.load<unknown>("inventory", settings),
      account: this.load<AccountAnswer>("account", settings),
    };
    this.proxy.reset();
    const runId = `run-${this.next++}`;
    await handlers.inventory({ runId });
    const result = { calls: 0, done: 0, failed: 0 };
    await forEachOf(ids, width, async (id) => {
      const account = { id, name: `account ${id}`, email: "owner@example.com", merged: true };
      const answer = await handlers.account({ runId, account });
      result.done += answer.outcomes.flatMap(({ done }) => done).length;
      result.failed +=
        answer.outcomes.flatMap(({ failed }) => failed).length + (answer.status === "done" ? 0 : 1);
      onAccount();
    });
    result.calls = [...this.proxy.counts.values()].reduce((sum, count) => sum + count, 0);
    const detail = [...this.proxy.counts]
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count}`);
    this.context.progress(
      `${ids.length} accounts: ${result.calls} calls (${detail.join(", ")}); ${result.done} done, ${result.failed} failed`,
    );
    return result;
  }
}
