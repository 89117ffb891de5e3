import { type Conjunction, meets, valuesAt } from "./condition";
import type { WatchNames } from "./names";
import { openRecord } from "./openRecord";
import type { Alert, WatchRule } from "./rule";
import { TAMPER_RULES } from "./tamperRules";
import { IDENTITY_PATHS, USE_RULES } from "./useRules";

/** What is to be done about an event, which rule says so, and why. */
export type Verdict =
  | { alert: Alert; rule: string; why: string }
  | { quiet: true; rule: string; why: string };

/** The table: the first rule that applies decides. Use comes before tampering, so an emergency user's own changes are use. */
export const WATCH_RULES: readonly WatchRule[] = [...USE_RULES, ...TAMPER_RULES];

/** What CloudTrail writes in place of a user name that is nobody's. */
const HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS";

/**
 * Whether people are to be told of an event, and why. Pure, and never throws, whatever the event is.
 *
 * @param event a CloudTrail record, or the EventBridge event that has it as its `detail`
 * @example classify(record, DEFAULT_WATCH_NAMES) // { alert: "critical", rule: "emergency-sign-in", why: "..." }
 */
export function classify(event: unknown, names: WatchNames): Verdict {
  const opened = openRecord(event);
  if ("problem" in opened) return { quiet: true, rule: "not-a-record", why: opened.problem };
  const { record } = opened;
  for (const rule of WATCH_RULES) {
    if (!meetsAny(record, rule.any(names))) continue;
    const said = rule.refinements?.find(({ when }) => meetsAny(record, when)) ?? rule;
    return { alert: rule.alert, rule: said.id, why: said.why };
  }
  return { quiet: true, ...quietReason(record, names) };
}

/**
 * The emergency user that an event is of, spelled as in the names; undefined if it is of nobody among them. A role's session belongs to the
 * user whose name it carries.
 */
export function actorOf(record: unknown, names: WatchNames): string | undefined {
  for (const { path, form } of IDENTITY_PATHS) {
    for (const value of valuesAt(record, path.split("."))) {
      if (typeof value !== "string") continue;
      const found = names.userNames.find((name) =>
        meets(
          { value },
          {
            value: [
              form === "arn"
                ? { suffix: { "equals-ignore-case": `/${name}` } }
                : { "equals-ignore-case": name },
            ],
          },
        ),
      );
      if (found) return found;
    }
  }
  return undefined;
}

function meetsAny(record: unknown, conjunctions: readonly Conjunction[]): boolean {
  return conjunctions.some((conjunction) => meets(record, conjunction));
}

/** Why an event that no rule knows is not told. */
function quietReason(record: object, { userNames }: WatchNames): { rule: string; why: string } {
  const named = (path: string) => valuesAt(record, path.split("."));
  if (named("userIdentity.userName").includes(HIDDEN)) {
    return {
      rule: "hidden-user-name",
      why: "CloudTrail hides the user name, which it does when the name that was typed is no user's: it was not an emergency user.",
    };
  }
  const similar = (value: unknown) =>
    typeof value === "string" && userNames.some((name) => value.toLowerCase().includes(name.toLowerCase()));
  if (IDENTITY_PATHS.some(({ path }) => named(path).some(similar))) {
    return {
      rule: "another-name",
      why: "The name of who acted contains an emergency user's name, but is another one: only whole names count.",
    };
  }
  if (named("userIdentity.type").includes("Root")) {
    return {
      rule: "root-user",
      why: "The root user acted, not an emergency user. Watch the root user too, but by an alarm of its own.",
    };
  }
  return {
    rule: "not-emergency-access",
    why: "It is neither by an emergency user nor a change of one, nor of what watches them.",
  };
}
