/** Which events reach approval, from the same catalogue that intake decides by. Pure. */
import { DENIED } from "../../functions/approval/intake/denial";
import { OPERATIONS } from "../../functions/approval/operations/catalogue";
import { APPROVAL } from "./names";

/** One event rule's worth of denied calls. */
export interface DenialPattern {
  /** End of the rule's name: `approval`, `approval-2`. */
  readonly name: string;
  readonly eventPattern: {
    readonly source: readonly string[];
    readonly "detail-type": readonly string[];
    readonly detail: {
      readonly eventSource: readonly string[];
      readonly eventName: readonly string[];
      readonly errorCode: readonly string[];
      readonly userIdentity: { readonly type: readonly string[] };
    };
  };
}

/** Which denied calls count. */
export interface WatchedCalls {
  /** Names of the catalogue, such as `ec2:TerminateInstances`. */
  readonly events: readonly string[];
  readonly allowRoleSessions: boolean;
  readonly allowSso: boolean;
}

/** Most characters of an event pattern (EventBridge quotas). */
export const PATTERN_LIMIT = 2_048;

/** The types of `userIdentity` that can ask; sessions of IAM Identity Center are role sessions in most records. */
function callerTypes({ allowRoleSessions, allowSso }: WatchedCalls): string[] {
  return [
    "IAMUser",
    ...(allowRoleSessions || allowSso ? ["AssumedRole"] : []),
    ...(allowRoleSessions ? ["FederatedUser"] : []),
    ...(allowSso ? ["IdentityCenterUser"] : []),
  ];
}

/**
 * Patterns of the denied calls (fact 22), as few as EventBridge's limit allows. Where services share a name of a call, a pattern of both may let in one
 * that is not watched: intake, which decides, leaves it alone.
 */
export function denialPatterns(watched: WatchedCalls): DenialPattern[] {
  const patterns: DenialPattern["eventPattern"][] = [];
  for (const [eventSource, names] of callsBySource(watched.events)) {
    const last = patterns.at(-1);
    const joined =
      last &&
      patternOf([...last.detail.eventSource, eventSource], [...last.detail.eventName, ...names], watched);
    if (joined && JSON.stringify(joined).length <= PATTERN_LIMIT) patterns.splice(-1, 1, joined);
    else patterns.push(...fitting(eventSource, names, watched));
  }
  return patterns.map((eventPattern, index) => ({
    name: index === 0 ? APPROVAL : `${APPROVAL}-${index + 1}`,
    eventPattern,
  }));
}

function callsBySource(events: readonly string[]): Map<string, string[]> {
  const bySource = new Map<string, string[]>();
  for (const { event, eventSource, eventName } of OPERATIONS) {
    if (!events.includes(event)) continue;
    const names = bySource.get(eventSource) ?? [];
    if (!names.includes(eventName)) bySource.set(eventSource, [...names, eventName]);
  }
  return bySource;
}

function patternOf(
  sources: readonly string[],
  names: readonly string[],
  watched: WatchedCalls,
): DenialPattern["eventPattern"] {
  return {
    source: sources.map((source) => `aws.${source.split(".")[0]}`),
    "detail-type": ["AWS API Call via CloudTrail"],
    detail: {
      eventSource: sources,
      eventName: [...new Set(names)],
      errorCode: DENIED,
      userIdentity: { type: callerTypes(watched) },
    },
  };
}

/** One service's patterns: as many as its names need. */
function fitting(
  source: string,
  names: readonly string[],
  watched: WatchedCalls,
): DenialPattern["eventPattern"][] {
  const whole = patternOf([source], names, watched);
  if (JSON.stringify(whole).length <= PATTERN_LIMIT || names.length < 2) return [whole];
  const half = Math.ceil(names.length / 2);
  return [...fitting(source, names.slice(0, half), watched), ...fitting(source, names.slice(half), watched)];
}
