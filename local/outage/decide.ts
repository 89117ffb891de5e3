import { isRegionName, partitionOf } from "../../components/regional/partition";
import type { CallFacts, OutageRule, Outcome } from "./types";

/** What is to become of a call now. */
export interface Decision {
  outcome: Outcome;
  /** Why it is not passed: its region is lost, or the global services are. Undefined when passed. */
  because?: "region" | "global-services";
}

/**
 * What a rule does to a call. Pure: the same facts and rule always give the same decision.
 * @param rule undefined: no outage, every call passes.
 */
export function decide(call: Pick<CallFacts, "region" | "home">, rule: OutageRule | undefined): Decision {
  if (!rule) return { outcome: "passed" };
  const because = lostBecause(call, rule);
  if (!because) return { outcome: "passed" };
  const outcome = ({ refuse: "refused", hang: "hung", slow: "slowed" } as const)[rule.mode];
  return { outcome, because };
}

function lostBecause(call: Pick<CallFacts, "region" | "home">, rule: OutageRule): Decision["because"] {
  if (call.home !== "global" && rule.regions.includes(call.region)) return "region";
  if (call.home !== "regional" && rule.globalServices && samePartition(call.region, rule.regions)) {
    return "global-services";
  }
  return undefined;
}

/** Global services are of one partition: the loss of us-east-1 does not touch IAM in China. */
function samePartition(region: string, lost: readonly string[]): boolean {
  if (lost.length === 0) return true;
  return isRegionName(region) && lost.some((other) => partitionOf(other) === partitionOf(region));
}
