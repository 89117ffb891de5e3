import { conditions, hasEffect, type Statement, statements, texts, wildcard } from "./iamDocument";
import { principalsOf } from "./principals";
import { type Plain, property, text } from "./walk";

/** A statement of a trust policy that lets principals of AWS accounts in. */
export interface TrustStatement {
  /** How to call it in a message. */
  label: string;
  statement: Statement;
  /** Whom it lets in: ARNs, account ids, `*`. */
  principals: string[];
}

/**
 * The statements of a trust policy that let somebody of an AWS account assume the role. Statements for services and identity providers
 * are left out, and so are those that are not known.
 */
export function accountTrust(document: Plain | undefined): TrustStatement[] {
  return (statements(document) ?? []).flatMap((statement, index) => {
    if (!hasEffect(statement, "Allow") || !assumes(statement)) return [];
    const principals = (principalsOf(statement) ?? []).flatMap(({ kind, value }) =>
      kind === "AWS" ? narrowed(value, statement) : [],
    );
    const sid = text(property(statement, "Sid"));
    const label = sid === undefined ? `Statement[${index}]` : `statement "${sid}"`;
    return principals.length === 0 ? [] : [{ label, statement, principals }];
  });
}

const ACCOUNT = /^(?:arn:[^:*?]+:iam::)?(\d{12})(?::root)?$/;

/**
 * Whom of an account a statement lets in: all of it, or, where a condition names principals by their ARNs, only these. That is how to trust a role that
 * does not exist yet.
 */
function narrowed(principal: string, statement: Statement): string[] {
  const account = ACCOUNT.exec(principal)?.[1];
  if (account === undefined) return [principal];
  const block = conditions(statement);
  // Not known yet: it may name them.
  if (block === undefined) return [];
  const named = block.find(
    ({ operator, key }) => key === "aws:principalarn" && /^(?:string|arn)(?:equals|like)$/i.test(operator),
  );
  if (named === undefined) return [principal];
  // Those of another account are let in by that account's own entry, or not at all.
  return named.values.filter((value) => (ACCOUNT_OF.exec(value)?.[1] ?? account) === account);
}

const ACCOUNT_OF = /^arn:[^:]*:iam::(\d{12}):/;

function assumes(statement: Statement): boolean {
  return (texts(property(statement, "Action")) ?? []).some((action) =>
    wildcard(action.toLowerCase()).test("sts:assumerole"),
  );
}

/** Whether a principal is one named role: neither a user, an account, everybody, nor a pattern. */
export function isNamedRole(principal: string): boolean {
  return /^arn:[^:*?]+:iam::[^:*?]+:role\/[^*?]+$/.test(principal);
}
