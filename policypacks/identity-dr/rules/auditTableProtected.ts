import { hasEffect, statements, texts, wildcard } from "../lib/iamDocument";
import { byType } from "../lib/references";
import { holdsRoles, type PolicyView, policiesIn } from "../lib/roles";
import { defineRule, type RuleResource, type Violation } from "../lib/rule";
import { matches } from "../lib/ruleConfig";
import { isTrial, TABLE } from "../lib/tables";
import { isObject, list, type Plain, type PlainObject, property, text, UNKNOWN } from "../lib/walk";

/** Rejects evidence that could be lost, or rewritten by the functions that it is about. */
export const auditTableProtected = defineRule({
  id: "audit-table-protected",
  title: "Audit tables are protected, and only grow",
  description:
    "A table of approvals or evidence must be recoverable, encrypted and protected from deletion, and no role may change or delete its records.",
  severity: "high",
  why:
    "The tables say who asked, who approved and what was done. A record that a function may rewrite proves nothing about that function, and a " +
    "table that one call deletes proves nothing at all.",
  looksAt: [
    "tables whose name is among `tableNames`: point-in-time recovery, also of replicas; a KMS key; deletion protection",
    "statements of roles' and managed policies that allow UpdateItem, DeleteItem, BatchWriteItem or their PartiQL forms on a table of the stack " +
      "whose name is among `appendOnlyTableNames`, or on a name of that form",
  ],
  leavesAlone: [
    "deletion protection in a trial: a stack whose tables all say `deletionProtectionEnabled: false`",
    "PutItem, which only a condition in the request keeps from overwriting: that is the functions' part",
    "administrators' policies, which allow `*`",
  ],
  unknowns: "a value, a name or a document that is not known counts as right until it is known.",
  examples: {
    rejected: `new aws.iam.RolePolicy("audit", { role, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Action: "dynamodb:UpdateItem", Resource: "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-approval-audit" },
] } }, { provider });`,
    accepted: `new aws.iam.RolePolicy("audit", { role, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-approval-audit" },
] } }, { provider });`,
  },
  options: {
    tableNames: {
      description: "Names of the tables to protect; * stands for any characters.",
      default: ["*approval*", "*-breakglass-records*"],
    },
    appendOnlyTableNames: {
      description: "Names of the tables whose records nobody may change; * stands for any characters.",
      default: ["*approval*audit*", "*-breakglass-records*"],
    },
  },
  appliesTo: (type) => type === TABLE || holdsRoles(type),
  resource({ type, props }, { tableNames }, report) {
    if (type === TABLE && isNamed(props, tableNames)) for (const violation of gaps(props)) report(violation);
  },
  stack(resources, { tableNames, appendOnlyTableNames }, report) {
    const tables = byType(resources)(TABLE);
    if (!isTrial(tables)) {
      for (const table of tables) {
        const isProtected = property(table.props, "deletionProtectionEnabled");
        if (!isNamed(table.props, tableNames) || isProtected === true || isProtected === UNKNOWN) continue;
        report(table, {
          path: "deletionProtectionEnabled",
          found: "one call deletes the table",
          instead: "write deletionProtectionEnabled: true",
        });
      }
    }
    const names = tables.flatMap(({ props }) => {
      const name = text(property(props, "name"));
      return name !== undefined && appendOnlyTableNames.some((pattern) => matches(pattern, name))
        ? [name]
        : [];
    });
    for (const holder of resources) {
      for (const violation of rewrites(holder, names, appendOnlyTableNames)) report(holder, violation);
    }
  },
});

function isNamed(props: PlainObject, patterns: readonly string[]): boolean {
  const name = text(property(props, "name"));
  return name !== undefined && patterns.some((pattern) => matches(pattern, name));
}

const isOn = (value: Plain | undefined) => value === true || value === UNKNOWN;

function gaps(props: PlainObject): Violation[] {
  const found: Violation[] = [];
  const recovery = property(props, "pointInTimeRecovery");
  if (!(recovery === UNKNOWN || (isObject(recovery) && isOn(property(recovery, "enabled"))))) {
    found.push({
      path: "pointInTimeRecovery",
      found: "what is lost from the table cannot be brought back",
      instead: "write pointInTimeRecovery: { enabled: true }",
    });
  }
  for (const [index, replica] of list(property(props, "replicas")).entries()) {
    if (!isObject(replica) || isOn(property(replica, "pointInTimeRecovery"))) continue;
    found.push({
      path: `replicas[${index}].pointInTimeRecovery`,
      found: "what is lost from the replica cannot be brought back",
      instead: "write pointInTimeRecovery: true",
    });
  }
  const encryption = property(props, "serverSideEncryption");
  const isEncrypted =
    encryption === UNKNOWN ||
    (isObject(encryption) &&
      isOn(property(encryption, "enabled")) &&
      !isMissing(property(encryption, "kmsKeyArn")));
  if (!isEncrypted) {
    found.push({
      path: "serverSideEncryption",
      found: "the table is not encrypted with a key of the account's own",
      instead: "write serverSideEncryption: { enabled: true, kmsKeyArn } with the cell's key",
    });
  }
  return found;
}

function isMissing(value: Plain | undefined): boolean {
  return value === undefined || value === null || value === "";
}

const REWRITING = [
  "dynamodb:updateitem",
  "dynamodb:deleteitem",
  "dynamodb:batchwriteitem",
  "dynamodb:partiqlupdate",
  "dynamodb:partiqldelete",
];

function rewrites(holder: RuleResource, names: readonly string[], patterns: readonly string[]): Violation[] {
  return policiesIn(holder.type, holder.props).flatMap((policy) => rewritesOf(policy, names, patterns));
}

function rewritesOf(
  { path, document }: PolicyView,
  names: readonly string[],
  patterns: readonly string[],
): Violation[] {
  return (statements(document) ?? []).flatMap((statement, index) => {
    if (!hasEffect(statement, "Allow")) return [];
    const action = texts(property(statement, "Action"))?.find(
      (pattern) => pattern !== "*" && REWRITING.some((one) => wildcard(pattern.toLowerCase()).test(one)),
    );
    if (action === undefined) return [];
    const table = texts(property(statement, "Resource"))
      ?.map((resource) => reached(resource, names, patterns))
      .find((name) => name !== undefined);
    if (table === undefined) return [];
    return [
      {
        path: `${path}: Statement[${index}]`,
        found: `"${action}" may change records of "${table}"`,
        instead: "allow dynamodb:PutItem, with a condition in each request that the record is not there yet",
      },
    ];
  });
}

/** The append-only table that a statement's resource reaches. */
function reached(
  resource: string,
  names: readonly string[],
  patterns: readonly string[],
): string | undefined {
  const named = /:table\/([^/]+)$/.exec(resource)?.[1];
  const isFixed = named !== undefined && !/[*?]/.test(named);
  if (isFixed && patterns.some((pattern) => matches(pattern, named))) return named;
  const pattern = resource === "*" ? "*" : named;
  return pattern === undefined || isFixed ? undefined : names.find((name) => wildcard(pattern).test(name));
}
