/** From what was observed to what it means. Pure. */
import { union } from "../records/bothCells";
import type { EvidenceObservation, Observations } from "./observations";
import { isUnreadable, type Observed, observed, unreadable } from "./observed";
import type { ReadinessPolicy } from "./policy";
import type { Context, Group, Verdict } from "./requirement";
import { REQUIREMENTS } from "./requirements";

/** One requirement of one subject. */
export interface Row {
  /** The requirement's id. */
  id: string;
  group: Group;
  /** What has to be so. */
  requirement: string;
  /** Of what: a user, a rule, an alarm. */
  subject: string;
  verdict: Verdict;
  /** How it was checked. */
  how: string;
  /** What was found. */
  found: string;
  /** What to do, mostly a command; empty where there is nothing to do. */
  mend: string;
  /** Where the requirement comes from. */
  source: string;
}

/** What to do where nothing is known to be wrong. */
const ASK_AGAIN = "Nothing is known to be wrong. Check again when this can be read.";

/**
 * Judges every requirement. The rows are the same for one policy, whatever was observed. What could not be read makes a row `unknown`, never
 * `fail`: in an outage of IAM nothing is known to be wrong.
 */
export function assess(observations: Observations, policy: ReadinessPolicy, now: Date): Row[] {
  const context: Context = { observations, policy, now, evidence: unionOf(observations, policy) };
  return REQUIREMENTS.flatMap((requirement) =>
    requirement.judge(context).map(({ subject, judgement, mend }) => ({
      id: requirement.id,
      group: requirement.group,
      requirement: requirement.text,
      subject,
      verdict: judgement.verdict,
      how: requirement.how,
      found: judgement.found,
      mend: { pass: "", unknown: ASK_AGAIN, fail: judgement.mend ?? mend }[judgement.verdict],
      source: requirement.source,
    })),
  );
}

/** Both cells' records as one. With one cell unread it cannot be told what is missing, so nothing follows from the other's alone. */
function unionOf(observations: Observations, policy: ReadinessPolicy): Observed<EvidenceObservation> {
  const parts = policy.evidenceCells.map((cell) => observations.evidence[cell]!);
  const reasons = parts.filter(isUnreadable).map((part) => part.unreadable);
  if (reasons.length > 0) return unreadable(reasons.join("; "));
  const all = parts.map((part) => (part as { value: EvidenceObservation }).value);
  return observed({
    passwordIssued: union(all.flatMap((part) => part.passwordIssued)),
    deviceEnrolled: union(all.flatMap((part) => part.deviceEnrolled)),
    deviceRemoved: union(all.flatMap((part) => part.deviceRemoved)),
    custodianLeft: union(all.flatMap((part) => part.custodianLeft)),
    useOpened: union(all.flatMap((part) => part.useOpened)),
    drillHeld: union(all.flatMap((part) => part.drillHeld)),
  });
}

/** The verdict of many: fail if any fails, else unknown if any is unknown. */
export function overall(rows: readonly Pick<Row, "verdict">[]): Verdict {
  if (rows.some(({ verdict }) => verdict === "fail")) return "fail";
  return rows.some(({ verdict }) => verdict === "unknown") ? "unknown" : "pass";
}
