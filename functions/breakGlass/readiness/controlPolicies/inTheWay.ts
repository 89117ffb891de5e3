/**
 * Which statements of an organization's service control policies stand in the way of an emergency user, and what to write instead. The policy
 * simulator's word alone is not enough: it does not know every condition (IAM user guide, "Testing IAM policies").
 */
import { statementsOf } from "../document";
import type { ObservedControlPolicy, OrganizationLevel } from "../observations";
import { conditionHolds, type KnownKeys } from "./condition";

/** The user that is looked at. */
export interface ControlledUser {
  userName: string;
  arn: string;
  accountId: string;
  tags: Record<string, string>;
  /** The regions that the user has to be able to work in. */
  regions: string[];
  /** Pattern of all emergency users' ARNs: what is to be exempted. */
  arnPattern: string;
}

/** One thing in the way. */
export interface Obstacle {
  /** The level that it is attached to. */
  level: string;
  /** The policy, unless the level as a whole allows too little. */
  policy?: { id: string; name: string };
  /** The statement's name or place, such as `DenyRegions` or `statement 2`. */
  statement?: string;
  /** What is wrong. */
  what: string;
  /** The statement to write instead, or to attach. */
  instead: Record<string, unknown>;
}

type Statement = Record<string, unknown>;

const list = (value: unknown): string[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : [value]).map(String);

/**
 * Whether a resource is meant as a kind of things, not as a named one: `*`, all of a service, all of a type. A statement that protects one named role
 * takes nothing away that an emergency would need.
 */
function isBroad(resource: string): boolean {
  if (/^\*+$/.test(resource)) return true;
  const rest = resource.split(":").slice(5).join(":");
  return /^([\w-]+[/:])?\*+$/.test(rest);
}

function isNarrow(statement: Statement): boolean {
  return statement.Resource !== undefined && !list(statement.Resource).some(isBroad);
}

/** What is known of the user's requests, in one region. */
function knownKeys(user: ControlledUser, region: string): KnownKeys {
  const keys = new Map<string, string | null>([
    ["aws:principalarn", user.arn],
    ["aws:principaltype", "User"],
    ["aws:principalaccount", user.accountId],
    ["aws:username", user.userName],
    ["aws:principalisawsservice", "false"],
    ["aws:principalservicename", null],
    ["aws:multifactorauthpresent", "true"],
    ["aws:securetransport", "true"],
    ["aws:requestedregion", region],
  ]);
  for (const [key, value] of Object.entries(user.tags))
    keys.set(`aws:principaltag/${key.toLowerCase()}`, value);
  return keys;
}

/** Tags that the user does not have are not in the request; a Map cannot list them, so they are looked for in the condition. */
function withAbsentTags(known: KnownKeys, condition: unknown): KnownKeys {
  const keys = new Map(known);
  for (const operator of Object.values((condition ?? {}) as Record<string, object>)) {
    for (const key of Object.keys(operator ?? {})) {
      const name = key.toLowerCase();
      if (name.startsWith("aws:principaltag/") && !keys.has(name)) keys.set(name, null);
    }
  }
  return keys;
}

/** Whether the statement could hit a request of the user, in any of the regions. */
function couldApply(statement: Statement, user: ControlledUser): boolean {
  return user.regions.some(
    (region) =>
      conditionHolds(statement.Condition, withAbsentTags(knownKeys(user, region), statement.Condition)) !==
      false,
  );
}

/** Whether the statement allows every action on every resource, of the user. */
function allowsEverything(statement: Statement, user: ControlledUser): boolean {
  return (
    statement.Effect === "Allow" &&
    list(statement.Action).some((action) => /^\*(:\*)?$/.test(action)) &&
    (statement.Resource === undefined || list(statement.Resource).some((each) => /^\*+$/.test(each))) &&
    user.regions.every(
      (region) =>
        conditionHolds(statement.Condition, withAbsentTags(knownKeys(user, region), statement.Condition)) ===
        true,
    )
  );
}

/** The statement with the emergency users exempted: conditions of one statement are joined by "and". */
export function exempting(statement: Statement, arnPattern: string): Record<string, unknown> {
  const condition = (statement.Condition ?? {}) as Record<string, Record<string, unknown>>;
  const operator = Object.keys(condition).find((name) => name.toLowerCase() === "arnnotlike") ?? "ArnNotLike";
  const keys = condition[operator] ?? {};
  const key =
    Object.keys(keys).find((name) => name.toLowerCase() === "aws:principalarn") ?? "aws:PrincipalArn";
  const patterns = [...list(keys[key]), arnPattern];
  return {
    ...statement,
    Condition: {
      ...condition,
      [operator]: { ...keys, [key]: patterns.length === 1 ? patterns[0] : patterns },
    },
  };
}

/** A statement that allows the emergency users everything, for levels that allow listed actions only. */
function allowing(arnPattern: string): Record<string, unknown> {
  return {
    Sid: "EmergencyUsers",
    Effect: "Allow",
    Action: "*",
    Resource: "*",
    Condition: { ArnLike: { "aws:PrincipalArn": arnPattern } },
  };
}

/**
 * What stands in the user's way.
 * @param tolerated statements that are there on purpose, as `POLICY-ID/SID`
 */
export function obstacles(
  levels: readonly OrganizationLevel[],
  user: ControlledUser,
  tolerated: readonly string[],
): Obstacle[] {
  return levels.flatMap((level) => {
    const found = level.policies.flatMap((policy) => deniesOf(level, policy, user, tolerated));
    const statements = level.policies.flatMap(({ document }) => statementsOf(document) ?? []);
    if (!statements.some((statement) => allowsEverything(statement, user))) {
      found.push({
        level: level.id,
        what: `${level.id} allows listed actions only`,
        instead: allowing(user.arnPattern),
      });
    }
    return found;
  });
}

function deniesOf(
  level: OrganizationLevel,
  { id, name, document }: ObservedControlPolicy,
  user: ControlledUser,
  tolerated: readonly string[],
): Obstacle[] {
  return (statementsOf(document) ?? []).flatMap((statement, index) => {
    const sid = typeof statement.Sid === "string" && statement.Sid !== "" ? statement.Sid : undefined;
    const called = sid ?? `statement ${index + 1}`;
    if (statement.Effect !== "Deny" || isNarrow(statement) || tolerated.includes(`${id}/${called}`))
      return [];
    if (!couldApply(statement, user)) return [];
    return [
      {
        level: level.id,
        policy: { id, name },
        statement: called,
        what: `${called} of ${id} (${name}) at ${level.id} denies ${actionsOf(statement)}`,
        instead: exempting(statement, user.arnPattern),
      },
    ];
  });
}

function actionsOf(statement: Statement): string {
  const shown = (actions: string[]) =>
    actions.length > 3
      ? `${actions.slice(0, 3).join(", ")} and ${actions.length - 3} more`
      : actions.join(", ");
  return statement.NotAction === undefined
    ? shown(list(statement.Action))
    : `all but ${shown(list(statement.NotAction))}`;
}
