/**
 * The session policy of an operation: exactly its actions on exactly its resources, for two minutes. It is handed to AssumeRole with the
 * executor role (fact 37), which then can do nothing else whatever its own policies allow.
 */
import type { Grant } from "../operations/plan";

/** Most characters that AssumeRole takes of a session policy. */
export const SESSION_POLICY_LIMIT = 2_048;

/** Longest time that access lasts, in seconds. A session lives for 900 at least, so the policy itself ends it. */
export const ACCESS_SECONDS = 120;

/** When access that begins now ends. */
export function accessEnd(now: Date): Date {
  return new Date(now.getTime() + ACCESS_SECONDS * 1_000);
}

/**
 * The text of the policy, without white space.
 * @param end when the access ends; requests after it are denied
 */
export function sessionPolicy(grants: readonly Grant[], end: Date): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: grants.map(({ actions, resources }, index) => ({
      Sid: `ApprovedOperation${index + 1}`,
      Effect: "Allow",
      Action: actions,
      Resource: resources,
      Condition: { DateLessThan: { "aws:CurrentTime": end.toISOString() } },
    })),
  });
}

/** Any moment: every one is written with the same number of characters. */
const ANY_TIME = new Date(0);

/** How many characters the policy of these permissions has. */
export function policySize(grants: readonly Grant[]): number {
  return sessionPolicy(grants, ANY_TIME).length;
}
