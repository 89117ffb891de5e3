import { type CellUser, eventPattern, isInCell, RULE, TARGET, type WatchedCell } from "./cells";
import { isSeen, WATCHED_EVENTS } from "./emergencyEvents";
import { arnKind, type byType, relation } from "./references";
import type { RuleStackResource } from "./rule";
import { sendsToTopic } from "./topics";
import { property, text, UNKNOWN } from "./walk";

/** What a cell's event rules do not tell people of, and what to do about it. */
export function missingAlerts(
  of: ReturnType<typeof byType>,
  cell: WatchedCell,
  user: CellUser,
): { found: string; instead: string }[] {
  const rules = of(RULE)
    .filter((rule) => isInCell(rule, cell) && isEnabled(rule) && isOnDefaultBus(rule))
    .map((rule) => ({ rule, targets: of(TARGET).filter((target) => isTargetOf(target, rule)) }));
  const missed = (direct: boolean) => {
    const able = rules.filter(({ targets }) =>
      direct ? targets.some((target) => sendsToTopic(target, "arn")) : targets.length > 0,
    );
    // A pattern that is not known may be the right one.
    if (able.some(({ rule }) => property(rule.props, "eventPattern") === UNKNOWN)) return [];
    return WATCHED_EVENTS.filter((event) => {
      const patterns = able
        .filter(({ rule }) => !event.readOnly || getsReadOnlyEvents(rule))
        .map(({ rule }) => eventPattern(rule.props))
        .filter((pattern) => pattern !== undefined);
      return event.direct === direct && !isSeen(event, user, patterns);
    }).map(({ what }) => what);
  };
  const report = (what: readonly string[], target: string) =>
    what.length === 0
      ? []
      : [
          {
            found: `no enabled event rule with ${target} as target sees ${list(what)} of "${user.userName}"`,
            instead:
              "add a BreakGlassMonitor, or the rules that it has, with a standard topic of the same region",
          },
        ];
  return [...report(missed(true), "a topic"), ...report(missed(false), "anything")];
}

const ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

function isEnabled({ props }: RuleStackResource): boolean {
  return property(props, "state") !== "DISABLED" && property(props, "isEnabled") !== false;
}

function getsReadOnlyEvents({ props }: RuleStackResource): boolean {
  const state = property(props, "state");
  return state === ALL_EVENTS || state === UNKNOWN;
}

function isOnDefaultBus(rule: RuleStackResource): boolean {
  const bus = property(rule.props, "eventBusName");
  if (bus === undefined || bus === null) return true;
  return arnKind(rule, "eventBusName", (value) => /(?:^|\/)default$/.test(value), "") !== "no";
}

function isTargetOf(target: RuleStackResource, rule: RuleStackResource): boolean {
  const name = text(property(rule.props, "name"));
  const bus = text(property(rule.props, "eventBusName")) ?? "default";
  const targetBus = text(property(target.props, "eventBusName")) ?? "default";
  // Rules of the same name may stand on several buses.
  return bus === targetBus && relation(target, "rule", rule, (value) => value === name) !== "no";
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
