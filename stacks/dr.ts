import { BreakGlassMonitor } from "../components/breakGlassAccount/breakGlassMonitor";
import { cellOutputs, composeCell } from "./cell";
import type { StackConfig } from "./config";

/**
 * The standby cell. It owns nothing global beyond its functions' own roles, and needs nothing of the primary, neither to be deployed nor to run:
 * what it has to know of it, it knows by name.
 */
export function deployStandby(stack: string, config: StackConfig) {
  const composed = composeCell(stack, config);
  const { cell, provider, key, alerts, hub, tracking } = composed;
  new BreakGlassMonitor(
    "break-glass-monitor",
    {
      cell,
      userNames: config.emergencyUsers,
      alertTopicArn: alerts.topicArn,
      hubBusName: hub?.busName,
      kmsKeyArn: key.keyArn,
      tracking,
    },
    { provider },
  );
  return cellOutputs(composed, config);
}
