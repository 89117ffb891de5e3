import type { CellAddress, CellPair } from "./cells";
import { CliError } from "./exitCodes";
import { stackValues } from "./stackConfig";

/** What became of a schedule when another cell was made the acting one. */
export interface ScheduleReport {
  cell: string;
  region: string;
  /** Name of the event rule. */
  rule: string;
  /** What it was to become. */
  wanted: "enabled" | "disabled";
  done: boolean;
  /** Why it was not done. */
  error?: string;
}

/** Changes an event rule; throws when it does not work. */
export type RuleSwitch = (rule: { region: string; name: string; enabled: boolean }) => Promise<void>;

/**
 * Starts the runs of a cell that acts now, and stops those of one that stands by again: where the stack's file says `standbySchedules: disabled`.
 * Everywhere else schedules run always, and nothing is done. One call in each such cell's own region, after the records are written and apart
 * from them: a promotion does not depend on it.
 *
 * @param folder the folder of Pulumi.yaml
 * @param cells the cell that acts now, and the other one
 */
export async function switchSchedules(
  folder: string,
  { own, peer }: CellPair,
  change: RuleSwitch = switchRule,
): Promise<ScheduleReport[]> {
  const quiet = [
    { cell: own, enabled: true },
    { cell: peer, enabled: false },
  ].filter(({ cell }) => isQuiet(folder, cell));
  if (quiet.length === 0) return [];
  // Loaded only where it is needed: the command starts faster without.
  const { normalizeCell } =
    require("../components/regional/cell") as typeof import("../components/regional/cell");
  const { scheduleName } =
    require("../components/keyRotator/names") as typeof import("../components/keyRotator/names");
  return Promise.all(
    quiet.map(async ({ cell, enabled }) => {
      // The account takes no part in the rule's name.
      const rule = scheduleName(normalizeCell({ ...cell, accountId: "000000000000" }));
      const wanted = enabled ? ("enabled" as const) : ("disabled" as const);
      const report = { cell: cell.name, region: cell.region, rule, wanted };
      try {
        await change({ region: cell.region, name: rule, enabled });
        return { ...report, done: true };
      } catch (error) {
        return { ...report, done: false, error: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/** Whether a cell's runs are started only while it acts. A stack whose file is not here is left alone. */
function isQuiet(folder: string, { name }: CellAddress): boolean {
  try {
    const { role, keyRotation, standbySchedules } = stackValues(folder, name);
    return role === "standby" && standbySchedules === "disabled" && (keyRotation ?? "off") !== "off";
  } catch (error) {
    if (error instanceof CliError) return false;
    throw error;
  }
}

/** What is said about them: a line each. */
export function scheduleLines(reports: readonly ScheduleReport[]): string[] {
  return reports.map(({ cell, region, rule, wanted, done, error }) => {
    if (done) return `The schedule of ${cell} (rule ${rule} in ${region}) is ${wanted}.`;
    const verb = wanted === "enabled" ? "enable" : "disable";
    return (
      `The schedule of ${cell} could not be ${wanted} (${error}). Run this command again, or: ` +
      `aws events ${verb}-rule --region ${region} --name ${rule}`
    );
  });
}

async function switchRule({ region, name, enabled }: Parameters<RuleSwitch>[0]): Promise<void> {
  const { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } =
    require("@aws-sdk/client-eventbridge") as typeof import("@aws-sdk/client-eventbridge");
  const client = new EventBridgeClient({ region, maxAttempts: 2 });
  const abortSignal = AbortSignal.timeout(5000);
  try {
    if (enabled) await client.send(new EnableRuleCommand({ Name: name }), { abortSignal });
    else await client.send(new DisableRuleCommand({ Name: name }), { abortSignal });
  } finally {
    client.destroy();
  }
}
