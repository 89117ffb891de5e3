import { type RunContext, runAccount } from "../../../../functions/keyRotation/engine/account";
import type { AccountResult } from "../../../../functions/keyRotation/engine/result";
import type { FateOf, World } from "./world";

let runs = 0;

/** One run in the world's account, as the account function makes it. */
export async function runIn(
  world: World,
  options: { cell?: string; fate?: FateOf; clockAhead?: number } & Partial<Omit<RunContext, "ports">> = {},
): Promise<AccountResult & { calls: number }> {
  const { cell = "prod", fate, clockAhead = 0, ...other } = options;
  const ports = world.ports(cell, fate, clockAhead);
  const result = await runAccount({
    account: {
      id: world.accountId,
      name: "workload",
      email: "owner@example.com",
      policy: { rotate: 90, deactivate: 100, delete: 110, idle: 3 },
      merged: false,
      unfinished: world.unfinished.has(world.accountId),
    },
    runId: `run-${++runs}`,
    mode: "enforce",
    cell,
    partition: "aws",
    shortestRotateDays: 90,
    exemptGroup: world.groups.has("exempt") ? "exempt" : "",
    breakGlass: { users: [], path: "/break-glass/" },
    ownerTag: "owner",
    secrets: { prefix: "/bulkhead/keys", readers: ["{userArn}"] },
    concurrency: 5,
    ports,
    ...other,
  });
  return { ...result, calls: ports.count() };
}
