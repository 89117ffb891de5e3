import {
  alertedPatterns,
  relayedPatterns,
  ruleState,
  trackedPatterns,
  type WatchPattern,
  watchNames,
} from "../../../components/breakGlassAccount/eventPatterns";
import { STEWARD, stewardScheduleName } from "../../../components/breakGlassAccount/readinessNames";
import { functionNames } from "../../../components/lambda/functionNames";
import { type Cell, cellArn, regionalName } from "../../../components/regional/cell";
import { cellsOf, type ReadinessConfig } from "./config";
import type { ExpectedRule } from "./policy";

/** The function that follows uses, by its own name. */
export const USE_TRACKER = "breakglass-use";

const DEFAULT_BUS = "default";

/** The event rules by which a cell learns of things: its own, those of its hub, the schedules, and those of the sign-in regions. */
export function expectedRules(config: ReadinessConfig, cell: Cell): ExpectedRule[] {
  const names = watchNames(cell, {
    userNames: config.userNames,
    path: config.path,
    accountId: config.accountId,
  });
  const topicArn = cellArn(cell, "sns", config.topicName);
  const trackerArn = functionNames(cell, USE_TRACKER).functionArn;
  const hub = config.hubBusName;
  const busArn = cellArn(cell, "events", `event-bus/${hub ?? DEFAULT_BUS}`);
  const rule = (
    pattern: WatchPattern,
    target: string,
    where: { region: string; bus: string; suffix?: string },
  ): ExpectedRule => ({
    name: `${regionalName(cell, pattern.name)}${where.suffix ?? ""}`,
    region: where.region,
    bus: where.bus,
    state: ruleState(pattern),
    targetArns: [target],
  });
  const schedule = (name: string, target: string): ExpectedRule => ({
    name,
    region: cell.region,
    bus: DEFAULT_BUS,
    state: "ENABLED",
    targetArns: [target],
  });
  return [
    ...[DEFAULT_BUS, ...(hub ? [hub] : [])].flatMap((bus) => [
      ...alertedPatterns(names).map((pattern) => rule(pattern, topicArn, { region: cell.region, bus })),
      ...trackedPatterns(names).map((pattern) => rule(pattern, trackerArn, { region: cell.region, bus })),
    ]),
    schedule(regionalName(cell, "breakglass-sweep"), trackerArn),
    schedule(stewardScheduleName(cell), functionNames(cell, STEWARD).functionArn),
    // In the cell's own region stands what tells the other cell; that one's report has it.
    ...config.signInRegions
      .filter((region) => region !== cell.region)
      .flatMap((region) =>
        relayedPatterns(names, region, cellsOf(config)).map((pattern) =>
          rule(pattern, busArn, { region, bus: DEFAULT_BUS, suffix: "-relay" }),
        ),
      ),
  ];
}
