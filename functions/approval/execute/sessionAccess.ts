import type { STSClient } from "@aws-sdk/client-sts";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { PlannedOperation } from "../operations/plan";
import { accessEnd, SESSION_POLICY_LIMIT, sessionPolicy } from "../policy/sessionPolicy";
import { sourceIdentity } from "../policy/sourceIdentity";
import type { Access, AccessGiver } from "./access";
import { assume, isDenied, roleArn } from "./roles";

/** What {@link SessionAccess} works with. */
export interface SessionAccessOptions {
  /** Of the function's own region: STS there is all that is needed (fact 37). */
  readonly sts: Pick<STSClient, "send">;
  /** The executor role's path and name. */
  readonly role: string;
  readonly externalId: string | undefined;
}

/** The session policy of an operation. @throws BulkheadError when it does not fit: it is never widened */
export function exactPolicy(plan: PlannedOperation, now: Date): { policy: string; end: Date } {
  const end = accessEnd(now);
  const policy = sessionPolicy(plan.grants, end);
  if (policy.length > SESSION_POLICY_LIMIT) {
    throw new BulkheadError(
      "access-denied",
      "the operation's permissions do not fit into one session policy",
    );
  }
  return { policy, end };
}

/**
 * Access by a session of the executor role, which stands in the account beforehand: with a policy for exactly the operation, the request's id as
 * source identity, and an end within two minutes. It works while IAM's control plane does not.
 */
export class SessionAccess implements AccessGiver {
  constructor(private readonly options: SessionAccessOptions) {}

  async give(plan: PlannedOperation, requestId: string, now: Date): Promise<Access> {
    const { sts, role, externalId } = this.options;
    const { policy, end } = exactPolicy(plan, now);
    const arn = roleArn(plan.place, role);
    try {
      const credentials = await assume(sts, {
        roleArn: arn,
        sessionName: sourceIdentity(requestId),
        sourceIdentity: sourceIdentity(requestId),
        externalId,
        policy,
      });
      return { credentials, end: end.getTime(), role: arn, finish: async () => {} };
    } catch (cause) {
      if (!isDenied(cause)) throw cause;
      throw new BulkheadError(
        "access-denied",
        `the role ${arn} cannot be assumed: it has to stand in the account and trust the role of this function with sts:AssumeRole and sts:SetSourceIdentity`,
        { cause },
      );
    }
  }
}
