import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteAccessKeyCommand, IAMClient, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { forEachOf } from "../functions/keyRotation/engine/pool";
import { backDate, daysAgo } from "../local/aws/keyHistory";
import { KeysBench } from "./support/keysBench";
import { type AgedUser, CENTRAL, rootClient } from "./support/keysOnLocalAws";
import { time } from "./support/measure";
import type { Benchmark, Metric } from "./support/types";

const ACCOUNTS = 20;
const USERS = 10;
const LATENCY_MS = 60;
const MANY = 2_000;
/**
 * The calls that runs make, counted where they pass on their way to the local AWS; and what a large organization costs in time and memory. The
 * functions' own code runs, in this process.
 */
export const benchmark: Benchmark = {
  name: "keys",
  description: "Calls, time and memory of key rotation",
  async run(context) {
    const metrics: Metric[] = [];
    for (const part of [nothingDue, firstTime, secretsPresent, oneLargeAccount, withLatency, manyAccounts]) {
      context.signal.throwIfAborted();
      const bench = await KeysBench.start(context);
      try {
        metrics.push(...(await part(bench)));
      } finally {
        await bench.stop();
      }
    }
    return metrics;
  },
};

const users = (count: number, ageDays: (index: number) => number): AgedUser[] =>
  Array.from({ length: count }, (_, index) => ({ name: `user-${index}`, ageDays: ageDays(index) }));

function mustHave(result: { done: number; failed: number }, done: number): void {
  if (result.done !== done || result.failed > 0) {
    throw new Error(
      `${result.done} actions were done and ${result.failed} failed: ${done} and none were expected`,
    );
  }
}

async function nothingDue(bench: KeysBench): Promise<Metric[]> {
  const ids = await bench.members(ACCOUNTS, () => users(USERS, () => 10));
  const result = await bench.run(ids);
  mustHave(result, 0);
  return [{ metric: "20 accounts x 10 users, nothing due", value: result.calls, unit: "calls", target: 80 }];
}

async function firstTime(bench: KeysBench): Promise<Metric[]> {
  const ids = await bench.members(ACCOUNTS, () => users(USERS, (index) => (index < 7 ? 95 : 10)));
  const result = await bench.run(ids);
  mustHave(result, 140);
  return [
    { metric: "the same, 140 users due for the first time", value: result.calls, unit: "calls", target: 940 },
  ];
}

async function secretsPresent(bench: KeysBench): Promise<Metric[]> {
  const ids = await bench.members(ACCOUNTS, () => users(USERS, () => 95));
  mustHave(await bench.run(ids), 200);
  await forEachOf(ids, 4, (id) => age(bench, id));
  const result = await bench.run(ids);
  mustHave(result, 200);
  const secrets = await new SecretsManagerClient(rootClient(bench.aws.url, CENTRAL)).send(
    new ListSecretsCommand({ MaxResults: 100 }),
  );
  if ((secrets.SecretList ?? []).length < 100) throw new Error("the secrets are not there");
  return [
    { metric: "the same, 200 due with secrets present", value: result.calls, unit: "calls", target: 1_000 },
  ];
}

/** As if 95 days had passed since the rotation, and the old keys had been deleted. */
async function age(bench: KeysBench, accountId: string): Promise<void> {
  const iam = new IAMClient(rootClient(bench.aws.url, accountId));
  const table = new DynamoDBClient(rootClient(bench.aws.url, CENTRAL));
  const TableName = "bulkhead-key-rotations-prod";
  const fresh: string[] = [];
  for (const { name } of users(USERS, () => 0)) {
    const { Item } = await table.send(
      new GetItemCommand({ TableName, Key: { accountId: { S: accountId }, userName: { S: name } } }),
    );
    const record = JSON.parse(Item?.record?.S ?? "{}");
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: name }));
    for (const { AccessKeyId = "" } of AccessKeyMetadata) {
      if (AccessKeyId === record.newKey) fresh.push(AccessKeyId);
      else await iam.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId }));
    }
    Object.assign(record, { rotatedAt: new Date(Date.now() - 95 * 86_400_000).toISOString() });
    await table.send(
      new PutItemCommand({ TableName, Item: { ...Item, record: { S: JSON.stringify(record) } } }),
    );
  }
  await backDate(
    bench.aws.url,
    fresh.map((accessKeyId) => ({ accessKeyId, createDate: daysAgo(95) })),
  );
}

async function oneLargeAccount(bench: KeysBench): Promise<Metric[]> {
  const ids = await bench.members(1, () => users(1_000, () => 10));
  const result = await bench.run(ids);
  mustHave(result, 0);
  const perAccount =
    result.calls -
    (bench.proxy.counts.get("S3 PUT") ?? 0) -
    OF_THE_RUN.reduce((sum, name) => sum + (bench.proxy.counts.get(name) ?? 0), 0);
  return [
    {
      metric: "1,000 users in one account, nothing due: calls for the account",
      value: perAccount,
      unit: "calls",
      target: 5,
    },
  ];
}

/** Calls that a run makes once, however many accounts there are. */
const OF_THE_RUN = ["GetItem", "Query", "Scan", "PutItem"];

async function withLatency(bench: KeysBench): Promise<Metric[]> {
  bench.proxy.latency = LATENCY_MS;
  const make = () => bench.members(10, () => users(5, () => 95));
  const [first, second] = [await make(), await make()];
  const together = await time(async () => mustHave(await bench.run(first), 50));
  const alone = await time(async () => mustHave(await bench.run(second, { width: 1, concurrency: 1 }), 50));
  return [
    { metric: "10 accounts x 5 due users at 60 ms a call", value: together, unit: "ms" },
    { metric: "the same, one user after the other", value: alone, unit: "ms" },
    { metric: "the first against the second", value: together / alone, unit: "x", target: 1 / 8 },
  ];
}

async function manyAccounts(bench: KeysBench): Promise<Metric[]> {
  const { context } = bench;
  context.progress(`makes ${MANY} accounts with 5 keys each`);
  const ids = await bench.members(MANY, (account) =>
    users(5, (index) => (account % 10 === 0 && index === 0 ? 95 : 10)),
  );
  let ended = 0;
  const memory: number[] = [];
  let calls = 0;
  const ms = await time(async () => {
    const result = await bench.run(ids, {
      onAccount: () => {
        ended += 1;
        if (ended % 100 === 0) memory.push(process.memoryUsage().rss / 1024 ** 2);
        if (ended % 500 === 0)
          context.progress(`${ended} of ${MANY} accounts, ${Math.round(memory.at(-1) ?? 0)} MiB`);
      },
    });
    mustHave(result, MANY / 10);
    calls = result.calls;
  });
  // The first quarter warms caches and connections up.
  const early = memory[Math.floor(memory.length / 4)] ?? 0;
  return [
    { metric: "2,000 accounts x 5 keys, 200 due", value: calls, unit: "calls" },
    { metric: "the same", value: ms, unit: "ms" },
    { metric: "memory at the end", value: memory.at(-1) ?? 0, unit: "MiB" },
    {
      metric: "memory at the end against that after a quarter",
      value: (memory.at(-1) ?? 0) / early,
      unit: "x",
      target: 1.25,
    },
  ];
}
