/** The temporary roles of execution mode `role`: made for one operation, deleted after it in every outcome, and swept when left over. */
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  EntityAlreadyExistsException,
  type IAMClient,
  NoSuchEntityException,
  PutRolePolicyCommand,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import { arn } from "../../../components/regional/partition";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { PlannedOperation } from "../operations/plan";
import { ACCESS_SECONDS, sessionPolicy } from "../policy/sessionPolicy";
import { sourceIdentity } from "../policy/sourceIdentity";
import type { Access, AccessGiver } from "./access";
import type { SessionCredentials } from "./actingCalls";
import { assume, isDenied, roleArn } from "./roles";

/** Path of temporary roles in every account; there is nothing else below it. */
export const TEMPORARY_ROLE_PATH = "/bulkhead/approval-temporary/";

const POLICY_NAME = "operation";

/** What {@link TemporaryRoleAccess} works with. */
export interface TemporaryRoleOptions {
  readonly sts: Pick<STSClient, "send">;
  /** A client for IAM's control plane with these credentials. */
  readonly iamOf: (credentials: SessionCredentials, place: PlannedOperation["place"]) => IAMClient;
  /** Path and name of the role that may create and delete temporary roles. */
  readonly roleManager: string;
  /** Path and name of the managed policy that bounds them. */
  readonly boundary: string;
  /** ARN of the principal that may assume them: the role of the function that runs this. */
  readonly trusted: string;
  readonly externalId: string | undefined;
  /** Seconds that a new role may take until it can be assumed (fact 37). */
  readonly propagation: number;
  /** Waits; between attempts. */
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly now: () => number;
}

/** Name of a request's temporary role: the same however often it is made, so that none is forgotten. */
export function temporaryRoleName(requestId: string): string {
  return `approval-${sourceIdentity(requestId)}`.slice(0, 64);
}

/** Access by a role that is created for the operation. Needs IAM's control plane, which is in one region (fact 9). */
export class TemporaryRoleAccess implements AccessGiver {
  constructor(private readonly options: TemporaryRoleOptions) {}

  async give(plan: PlannedOperation, requestId: string, now: Date): Promise<Access> {
    const { place } = plan;
    const { sts, boundary, trusted, externalId, propagation } = this.options;
    const roleName = temporaryRoleName(requestId);
    // The role's own policy ends too, a little later than the session's: what deletion leaves for a moment is worth nothing.
    const last = new Date(now.getTime() + (propagation + ACCESS_SECONDS) * 1_000);
    const iam = await this.manager(place, requestId);
    const finish = () => removeRole(iam, roleName);
    const create = async () => {
      try {
        await iam.send(
          new CreateRoleCommand({
            RoleName: roleName,
            Path: TEMPORARY_ROLE_PATH,
            Description: `Approved operation ${requestId}`,
            MaxSessionDuration: 3_600,
            PermissionsBoundary: arn({
              partition: place.partition,
              service: "iam",
              account: place.account,
              resource: `policy/${boundary}`,
            }),
            AssumeRolePolicyDocument: trustPolicy(trusted, requestId, externalId),
            Tags: [{ Key: "bulkhead:approval-request", Value: requestId }],
          }),
        );
      } catch (error) {
        // Left over by an earlier attempt of this very request: its policy is written anew below.
        if (!(error instanceof EntityAlreadyExistsException)) throw error;
      }
      await iam.send(
        new PutRolePolicyCommand({
          RoleName: roleName,
          PolicyName: POLICY_NAME,
          PolicyDocument: sessionPolicy(plan.grants, last),
        }),
      );
    };
    const roleArnOfIt = roleArn(place, `${TEMPORARY_ROLE_PATH.slice(1)}${roleName}`);
    try {
      await create().catch(asControlPlaneError);
      const credentials = await this.whenReady(() => {
        const policy = sessionPolicy(plan.grants, new Date(this.options.now() + ACCESS_SECONDS * 1_000));
        return assume(sts, {
          roleArn: roleArnOfIt,
          sessionName: sourceIdentity(requestId),
          sourceIdentity: sourceIdentity(requestId),
          externalId,
          policy,
        });
      });
      const end = Math.min(last.getTime(), this.options.now() + ACCESS_SECONDS * 1_000);
      return { credentials, end, role: roleArnOfIt, finish };
    } catch (error) {
      await finish();
      throw error;
    }
  }

  /** Tries until the role has arrived everywhere: until then STS says that it is not allowed. */
  private async whenReady<T>(attempt: () => Promise<T>): Promise<T> {
    const { propagation, wait, now } = this.options;
    const until = now() + propagation * 1_000;
    for (let pause = 500; ; pause = Math.min(pause * 2, 5_000)) {
      try {
        return await attempt();
      } catch (cause) {
        if (!isDenied(cause)) throw cause;
        if (now() + pause > until) {
          throw new BulkheadError(
            "access-denied",
            `the temporary role cannot be assumed after ${propagation} s: its boundary, or a control policy, may forbid it`,
            { cause },
          );
        }
      }
      await wait(pause);
    }
  }

  private async manager(place: PlannedOperation["place"], requestId: string): Promise<IAMClient> {
    const { sts, roleManager, externalId, iamOf } = this.options;
    const arnOfIt = roleArn(place, roleManager);
    const credentials = await assume(sts, {
      roleArn: arnOfIt,
      sessionName: sourceIdentity(requestId),
      externalId,
    }).catch((cause: unknown) => {
      if (!isDenied(cause)) throw cause;
      throw new BulkheadError(
        "access-denied",
        `the role ${arnOfIt}, which execution mode "role" needs, cannot be assumed`,
        { cause },
      );
    });
    return iamOf(credentials, place);
  }
}

function trustPolicy(trusted: string, requestId: string, externalId: string | undefined): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: trusted },
        Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
        Condition: {
          StringEquals: {
            "sts:SourceIdentity": requestId,
            ...(externalId !== undefined && { "sts:ExternalId": externalId }),
          },
        },
      },
    ],
  });
}

/** An error of IAM that may be the lost control plane, as one that says what to do. */
function asControlPlaneError(cause: unknown): never {
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  if (isDenied(cause)) {
    throw new BulkheadError("access-denied", "the role manager may not create the temporary role", { cause });
  }
  if (status >= 400 && status < 500) throw cause;
  throw new BulkheadError(
    "access-denied",
    'IAM\'s control plane does not answer, and execution mode "role" needs it to create a role: wait for it, or set execution.mode to "session", which needs the regional STS only',
    { cause },
  );
}

/** Deletes a temporary role and its policy, if they are there. @throws BulkheadError `access-left` */
async function removeRole(iam: IAMClient, RoleName: string): Promise<void> {
  try {
    await ifThere(iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME })));
    await ifThere(iam.send(new DeleteRoleCommand({ RoleName })));
  } catch (cause) {
    throw new BulkheadError(
      "access-left",
      `the temporary role ${TEMPORARY_ROLE_PATH}${RoleName} could not be deleted: its policy has ended or ends within minutes, and the sweeper tries again`,
      { cause },
    );
  }
}

async function ifThere(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof NoSuchEntityException)) throw error;
  }
}

/**
 * Deletes the temporary roles of an account that are older than any operation takes.
 * @returns names of those that were deleted
 */
export async function sweepRoles(iam: IAMClient, olderThan: Date): Promise<string[]> {
  const swept: string[] = [];
  for await (const { Roles = [] } of paginateListRoles(
    { client: iam },
    { PathPrefix: TEMPORARY_ROLE_PATH },
  )) {
    for (const { RoleName, CreateDate } of Roles) {
      if (RoleName === undefined || (CreateDate && CreateDate >= olderThan)) continue;
      await removeRole(iam, RoleName);
      swept.push(RoleName);
    }
  }
  return swept;
}
