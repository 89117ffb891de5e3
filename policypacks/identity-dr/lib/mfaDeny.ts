import { conditionHolds, conditions, hasEffect, type Statement, statements, texts } from "./iamDocument";
import { type Plain, property } from "./walk";

/** What a policy document does to requests without MFA. `unknown`: it cannot be said during preview. */
export type MfaVerdict = "denies" | "unknown" | "allows";

const PRESENT = "aws:multifactorauthpresent";
const AGE = "aws:multifactorauthage";

/**
 * What a request without MFA looks like (fact 29): with long-term keys neither key is there; with temporary credentials the first one
 * says `false`. A policy must deny both.
 */
const REQUESTS_WITHOUT_MFA: readonly ReadonlyMap<string, string | undefined>[] = [
  new Map([
    [PRESENT, undefined],
    [AGE, undefined],
  ]),
  new Map([
    [PRESENT, "false"],
    [AGE, undefined],
  ]),
];

/** Whether a document denies every action on every resource to all requests without MFA, by one statement or by several together. */
export function mfaVerdict(document: Plain | undefined): MfaVerdict {
  const all = statements(document);
  if (!all) return "unknown";
  const denies = all.filter((statement) => hasEffect(statement, "Deny"));
  if (REQUESTS_WITHOUT_MFA.every((request) => denies.some((statement) => denied(statement, request)))) {
    return "denies";
  }
  return denies.some(hasUnknownParts) ? "unknown" : "allows";
}

function denied(statement: Statement, request: ReadonlyMap<string, string | undefined>): boolean {
  return (
    coversEverything(statement) &&
    (conditions(statement) ?? [FAILING]).every(
      (condition) =>
        request.has(condition.key) && conditionHolds(condition, request.get(condition.key)) === true,
    )
  );
}

/** Stands for conditions that are not known. */
const FAILING = { operator: "", key: "", values: [] };

function coversEverything(statement: Statement): boolean {
  const actions = texts(property(statement, "Action")) ?? [];
  const resources = texts(property(statement, "Resource")) ?? [];
  return (
    property(statement, "NotAction") === undefined &&
    property(statement, "NotResource") === undefined &&
    actions.some((action) => action === "*" || action === "*:*") &&
    resources.includes("*")
  );
}

function hasUnknownParts(statement: Statement): boolean {
  const parts = ["Action", "NotAction", "Resource", "NotResource"].map((element) =>
    property(statement, element),
  );
  return conditions(statement) === undefined || parts.some((part) => texts(part) === undefined);
}

/** Why the statements of a document that are about MFA are not enough, in words; empty when there are none. */
export function mfaWeaknesses(document: Plain | undefined): string[] {
  const about = (statements(document) ?? []).filter(
    (statement) =>
      hasEffect(statement, "Deny") &&
      conditions(statement)?.some(({ key }) => key === PRESENT || key === AGE),
  );
  return about.flatMap(weaknessesOf);
}

function weaknessesOf(statement: Statement): string[] {
  const reasons: string[] = [];
  const exempt = texts(property(statement, "NotAction")) ?? [];
  if (exempt.length > 0) reasons.push(`NotAction exempts ${exempt.join(", ")}`);
  else if (!coversEverything(statement))
    reasons.push('not every action ("*") on every resource ("*") is denied');
  for (const condition of conditions(statement) ?? []) {
    const { key, operator, values } = condition;
    if (key !== PRESENT && key !== AGE) {
      reasons.push(`the condition on ${key} leaves requests out`);
    } else if (conditionHolds(condition, undefined) === false) {
      reasons.push(`${operator} does not hold for requests that lack the key, which long-term keys do`);
    } else if (key === PRESENT && conditionHolds(condition, "false") === false) {
      reasons.push(`${operator} with ${values.join(", ")} does not hold for requests whose key is "false"`);
    }
  }
  return reasons;
}
