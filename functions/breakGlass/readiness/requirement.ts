/** What a requirement is, and how one is written down. */
import type { EvidenceObservation, Observations, UserObservations } from "./observations";
import { isUnreadable, type Observed } from "./observed";
import type { ExpectedCell, ReadinessPolicy } from "./policy";

/** `unknown`: something that decides could not be read. */
export type Verdict = "pass" | "fail" | "unknown";

/** What requirements are shown under. */
export const GROUPS = {
  users: "Emergency users",
  password: "Passwords",
  devices: "MFA devices",
  permissions: "What the users may do",
  organization: "Organization",
  evidence: "Drills, uses and custodians",
  monitoring: "Monitoring",
  regions: "Cells and regions",
} as const;

/** A key of {@link GROUPS}. */
export type Group = keyof typeof GROUPS;

/** What was found of one subject. */
export interface Judgement {
  verdict: Verdict;
  /** What was found, in a sentence. */
  found: string;
  /** What to do, where it depends on what was found. */
  mend?: string;
}

/** What a judgement is made from. */
export interface Context {
  observations: Observations;
  policy: ReadinessPolicy;
  now: Date;
  /** Both cells' records as one; unreadable when either is, since what is missing could decide. */
  evidence: Observed<EvidenceObservation>;
}

/** One thing that a requirement is demanded of. */
interface Subject {
  subject: string;
  judgement: Judgement;
  /** What to do unless the judgement says otherwise. */
  mend: string;
}

/** A requirement of emergency access. */
export interface Requirement {
  /** In kebab-case; a dimension of metrics and part of alarms' names. */
  readonly id: string;
  readonly group: Group;
  /** What has to be so. */
  readonly text: string;
  /** Where it comes from: `seed`, the first source document, or a fact of aws-facts.md. */
  readonly source: string;
  /** How it is checked: calls, or records. */
  readonly how: string;
  /** What it is demanded of; the policy alone decides how many there are. */
  readonly per: "account" | "user" | "cell" | "rule" | "alarm" | "queue" | "steward" | "region";
  judge(context: Context): Subject[];
}

/** What requirements of any kind have in common. */
type Described = Pick<Requirement, "id" | "group" | "text" | "source" | "how">;

export const pass = (found: string): Judgement => ({ verdict: "pass", found });
export const fail = (found: string, mend?: string): Judgement => ({ verdict: "fail", found, mend });
export const unknown = (reason: string): Judgement => ({ verdict: "unknown", found: reason });

/** Judges what was read; what could not be read is unknown. */
export function judged<T>(observation: Observed<T>, judge: (value: T) => Judgement): Judgement {
  return isUnreadable(observation) ? unknown(observation.unreadable) : judge(observation.value);
}

/** Pass with one sentence or fail with another. */
export function either(holds: boolean, found: string, otherwise: string = found): Judgement {
  return holds ? pass(found) : fail(otherwise);
}

/** A requirement of the account as a whole. */
export function perAccount(
  described: Described & {
    mend: (policy: ReadinessPolicy) => string;
    judge: (context: Context) => Judgement;
  },
): Requirement {
  const { mend, judge, ...rest } = described;
  return {
    ...rest,
    per: "account",
    judge: (context) => [
      {
        subject: `account ${context.policy.accountId}`,
        judgement: judge(context),
        mend: mend(context.policy),
      },
    ],
  };
}

/** A requirement of each emergency user. */
export function perUser(
  described: Described & {
    mend: (userName: string, policy: ReadinessPolicy) => string;
    judge: (user: UserObservations, context: Context, userName: string) => Judgement;
  },
): Requirement {
  const { mend, judge, ...rest } = described;
  return {
    ...rest,
    per: "user",
    judge: (context) =>
      context.policy.userNames.map((userName) => ({
        subject: userName,
        judgement: judge(context.observations.users[userName]!, context, userName),
        mend: mend(userName, context.policy),
      })),
  };
}

/** A requirement of something that each cell has one or several of. */
export function perCell<Item>(
  described: Described & {
    per: Requirement["per"];
    items: (cell: ExpectedCell) => readonly Item[];
    /** Names the item after the cell's name. */
    name: (item: Item, cell: ExpectedCell) => string;
    mend: (item: Item, cell: ExpectedCell, policy: ReadinessPolicy) => string;
    judge: (
      observations: Observations["cells"][string],
      item: Item,
      cell: ExpectedCell,
      context: Context,
    ) => Judgement;
  },
): Requirement {
  const { items, name, mend, judge, ...rest } = described;
  return {
    ...rest,
    judge: (context) =>
      context.policy.cells.flatMap((cell) =>
        items(cell).map((item) => ({
          subject: `${cell.name}: ${name(item, cell)}`,
          judgement: judge(context.observations.cells[cell.name]!, item, cell, context),
          mend: mend(item, cell, context.policy),
        })),
      ),
  };
}

/** A user that is not there meets no requirement. */
export function ofUser<T>(observation: Observed<T | null>, judge: (value: T) => Judgement): Judgement {
  return judged(observation, (value) => (value === null ? fail("There is no such user.") : judge(value)));
}
