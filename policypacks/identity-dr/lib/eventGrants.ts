import {
  conditionHolds,
  conditions,
  hasEffect,
  type Statement,
  statements,
  texts,
  wildcard,
} from "./iamDocument";
import { principalsOf } from "./principals";
import { type Plain, property, text } from "./walk";

/** What event rules need of a topic. */
export const PUBLISH = "sns:Publish";
/** What event rules need of the topic's key. */
export const USE_KEY = "kms:GenerateDataKey";

const EVENTS = "events.amazonaws.com";

/** The keys that EventBridge leaves out although services usually fill them in, and the ones that any service's request has. */
const REQUEST_OF_EVENTS: ReadonlyMap<string, string | undefined> = new Map([
  ["aws:sourcearn", undefined],
  ["aws:sourceaccount", undefined],
  ["aws:sourceorgid", undefined],
  ["aws:sourceorgpaths", undefined],
  ["aws:sourceowner", undefined],
  ["aws:principalarn", undefined],
  ["aws:principalaccount", undefined],
  ["aws:principalorgid", undefined],
  ["aws:principalorgpaths", undefined],
  ["aws:securetransport", "true"],
  ["aws:principalisawsservice", "true"],
  ["aws:principalservicename", EVENTS],
]);

/** How a policy lets event rules in: a name for the first statement with a condition, and whether there is one without. */
export function grantsToEvents(
  document: Plain | undefined,
  action: string,
): { conditional?: string; unconditional: boolean } {
  let conditional: string | undefined;
  for (const [index, statement] of (statements(document) ?? []).entries()) {
    if (!hasEffect(statement, "Allow") || !namesEvents(statement, false) || !covers(statement, action))
      continue;
    const block = conditions(statement);
    // Not known yet: it may be none.
    if (!block || block.length === 0) return { unconditional: true };
    conditional ??= label(statement, index);
  }
  return { ...(conditional !== undefined && { conditional }), unconditional: false };
}

/** The denials that catch every event rule, because it lacks the keys that they ask for. */
export function lossesOfEvents(document: Plain | undefined, action: string): string[] {
  return (statements(document) ?? []).flatMap((statement, index) => {
    if (!hasEffect(statement, "Deny") || !namesEvents(statement, true) || !covers(statement, action))
      return [];
    const block = conditions(statement) ?? [];
    const isMet = block.every(
      (condition) =>
        REQUEST_OF_EVENTS.has(condition.key) &&
        conditionHolds(condition, REQUEST_OF_EVENTS.get(condition.key)) === true,
    );
    return isMet && block.length > 0 ? [label(statement, index)] : [];
  });
}

function namesEvents(statement: Statement, orEverybody: boolean): boolean {
  return (principalsOf(statement) ?? []).some(
    ({ kind, value }) => (kind === "Service" && value === EVENTS) || (orEverybody && value === "*"),
  );
}

function covers(statement: Statement, action: string): boolean {
  return (texts(property(statement, "Action")) ?? []).some((pattern) =>
    wildcard(pattern.toLowerCase()).test(action.toLowerCase()),
  );
}

function label(statement: Statement, index: number): string {
  const sid = text(property(statement, "Sid"));
  return sid === undefined ? `statement ${index + 1}` : `statement "${sid}"`;
}
