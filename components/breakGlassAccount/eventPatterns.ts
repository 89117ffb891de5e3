import type { WatchNames } from "../../functions/breakGlass/events/names";
import {
  callPatterns,
  directSignInPatterns,
  type EventPattern,
  eventPatterns,
  signInPatterns,
} from "../../functions/breakGlass/events/patterns";
import type { Cell } from "../regional/cell";
import { iamControlPlaneRegion, partitionOf } from "../regional/partition";
import type { EmergencyUserNames } from "./emergencyUsers";

/** One event rule's worth of events; the patterns are made from the table that the function and `break-glass explain` decide by. */
export interface WatchPattern {
  /** End of the rule's name, such as `breakglass-tamper-users-2`. */
  name: string;
  eventPattern: EventPattern;
  /** Whether read-only calls have to be seen, too, AssumeRole among them (fact 20). */
  allManagementEvents: boolean;
}

/** What the classification goes by in a cell. */
export function watchNames(cell: Cell, users: EmergencyUserNames): WatchNames {
  return {
    userNames: users.userNames,
    path: users.path,
    namePrefix: cell.namePrefix,
    accountIds: [...new Set([cell.accountId, users.accountId])],
  };
}

/** What a cell's function is told of: everything that emergency users do, and what others change about them or about what watches them. */
export function trackedPatterns(names: WatchNames): WatchPattern[] {
  return [...numbered("breakglass-use", eventPatterns(names, "use"), true), ...tamperPatterns(names)];
}

/** What goes straight to a cell's topic. */
export function alertedPatterns(names: WatchNames): WatchPattern[] {
  return numbered("breakglass-signin", directSignInPatterns(names), false);
}

/** The same events as both of these together, each once: what other accounts and regions send to the cells. */
export function forwardedPatterns(names: WatchNames): WatchPattern[] {
  return [
    ...numbered("breakglass-use", callPatterns(names), true),
    ...numbered("breakglass-signin", signInPatterns(names), false),
    ...tamperPatterns(names),
  ];
}

/**
 * What a region sends to the cells that do not stand there: uses and sign-ins; changes of the users, which are all recorded in the region of
 * IAM's control plane (fact 16); and changes of what watches them, where a cell stands. The rules that send are looked at daily by the stewards.
 */
export function relayedPatterns(names: WatchNames, region: string, cells: readonly Cell[]): WatchPattern[] {
  const unneeded = [
    ...(region === iamControlPlaneRegion(partitionOf(region)) ? [] : tamperPatterns(names, ["tamper-users"])),
    ...(cells.some((cell) => cell.region === region) ? [] : tamperPatterns(names, ["tamper-watch"])),
  ].map(({ name }) => name);
  return forwardedPatterns(names).filter(({ name }) => !unneeded.includes(name));
}

function tamperPatterns(
  names: WatchNames,
  groups: readonly ("tamper-users" | "tamper-watch")[] = ["tamper-users", "tamper-watch"],
): WatchPattern[] {
  return groups.flatMap((group) => numbered(`breakglass-${group}`, eventPatterns(names, group), false));
}

/** One pattern is enough where names are few and short; further ones are numbered from 2. */
function numbered(name: string, patterns: EventPattern[], allManagementEvents: boolean): WatchPattern[] {
  return patterns.map((eventPattern, index) => ({
    name: index === 0 ? name : `${name}-${index + 1}`,
    eventPattern,
    allManagementEvents,
  }));
}

/** State of an event rule for a pattern (fact 20). */
export function ruleState({
  allManagementEvents,
}: WatchPattern): "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" {
  return allManagementEvents ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED";
}
