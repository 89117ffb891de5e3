/** Observes the emergency users and the account's rules for them: IAM's control plane, which one region can take along (fact 9). */
import {
  type ContextEntry,
  GenerateCredentialReportCommand,
  GetAccountPasswordPolicyCommand,
  GetCredentialReportCommand,
  GetLoginProfileCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetUserCommand,
  type IAMClient,
  paginateListAccessKeys,
  paginateListAttachedUserPolicies,
  paginateListGroupsForUser,
  paginateListMFADevices,
  paginateListUserPolicies,
  paginateListUsers,
  paginateSimulatePrincipalPolicy,
} from "@aws-sdk/client-iam";
import { parseCredentialReport } from "./credentialReport";
import type { AccountObservations, SimulatedAction, UserObservations } from "./observations";
import { type ReadinessPolicy, userArn } from "./policy";
import type { Source } from "./source";

const ABSENT = ["NoSuchEntityException", "NoSuchEntity"];

/** What an emergency needs, of services that matter in one; the simulator takes no wildcards. */
const EMERGENCY_ACTIONS = [
  "cloudtrail:LookupEvents",
  "dynamodb:PutItem",
  "ec2:RunInstances",
  "events:EnableRule",
  "iam:UpdateLoginProfile",
  "kms:Decrypt",
  "lambda:InvokeFunction",
  "route53:ChangeResourceRecordSets",
  "s3:PutObject",
  "sts:AssumeRole",
];

const iso = (date: Date | undefined) => date?.toISOString();

/** Observes one user. */
export async function collectUser(
  iam: IAMClient,
  source: Source,
  policy: ReadinessPolicy,
  UserName: string,
): Promise<UserObservations> {
  const observe = <T>(call: string, ask: (abortSignal: AbortSignal) => Promise<T>) =>
    source.observe(`iam:${call}`, ask, ABSENT);
  const simulate = (mfa: boolean) =>
    observe("SimulatePrincipalPolicy", (abortSignal) =>
      simulateActions(iam, userArn(policy, UserName), mfa, policy.stsRegions[0]!, abortSignal),
    );
  const [
    user,
    loginProfile,
    accessKeys,
    devices,
    attachedPolicies,
    inlinePolicies,
    groups,
    simulatedWithMfa,
    simulatedWithoutMfa,
  ] = await Promise.all([
    observe("GetUser", async (abortSignal) => {
      const { User } = await iam.send(new GetUserCommand({ UserName }), { abortSignal });
      const lastUsed = iso(User!.PasswordLastUsed);
      const boundaryArn = User!.PermissionsBoundary?.PermissionsBoundaryArn;
      return {
        arn: User!.Arn!,
        path: User!.Path!,
        ...(lastUsed !== undefined && { passwordLastUsed: lastUsed }),
        ...(boundaryArn !== undefined && { boundaryArn }),
        tags: Object.fromEntries((User!.Tags ?? []).map(({ Key, Value }) => [Key!, Value!])),
      };
    }),
    observe("GetLoginProfile", async (abortSignal) => {
      const { LoginProfile } = await iam.send(new GetLoginProfileCommand({ UserName }), { abortSignal });
      return {
        createdAt: iso(LoginProfile!.CreateDate)!,
        resetRequired: LoginProfile!.PasswordResetRequired ?? false,
      };
    }),
    observe(
      "ListAccessKeys",
      async (abortSignal) =>
        (
          await all(
            paginateListAccessKeys({ client: iam }, { UserName }, { abortSignal }),
            (page) => page.AccessKeyMetadata,
          )
        ).length,
    ),
    observe("ListMFADevices", async (abortSignal) =>
      (
        await all(
          paginateListMFADevices({ client: iam }, { UserName }, { abortSignal }),
          (page) => page.MFADevices,
        )
      ).map(({ SerialNumber }) => SerialNumber!),
    ),
    observe("ListAttachedUserPolicies", async (abortSignal) =>
      (
        await all(
          paginateListAttachedUserPolicies({ client: iam }, { UserName }, { abortSignal }),
          (page) => page.AttachedPolicies,
        )
      ).map(({ PolicyArn }) => PolicyArn!),
    ),
    observe("ListUserPolicies", (abortSignal) =>
      all(
        paginateListUserPolicies({ client: iam }, { UserName }, { abortSignal }),
        (page) => page.PolicyNames,
      ),
    ),
    observe("ListGroupsForUser", async (abortSignal) =>
      (
        await all(
          paginateListGroupsForUser({ client: iam }, { UserName }, { abortSignal }),
          (page) => page.Groups,
        )
      ).map(({ GroupName }) => GroupName!),
    ),
    simulate(true),
    simulate(false),
  ]);
  return {
    user,
    loginProfile,
    accessKeys,
    devices,
    attachedPolicies,
    inlinePolicies,
    groups,
    simulatedWithMfa,
    simulatedWithoutMfa,
  };
}

/** Observes what is the same for all users, the organization apart. */
export async function collectAccount(
  iam: IAMClient,
  source: Source,
  { path, denyPolicyArn }: ReadinessPolicy,
): Promise<Omit<AccountObservations, "organization">> {
  const [usersUnderPath, passwordPolicy, credentialReport, denyPolicy] = await Promise.all([
    source.read("iam:ListUsers", async (abortSignal) =>
      (
        await all(
          paginateListUsers({ client: iam }, { PathPrefix: path }, { abortSignal }),
          (page) => page.Users,
        )
      ).map(({ UserName }) => UserName!),
    ),
    source.observe(
      "iam:GetAccountPasswordPolicy",
      async (abortSignal) => {
        const { PasswordPolicy } = await iam.send(new GetAccountPasswordPolicyCommand({}), { abortSignal });
        const { MinimumPasswordLength, MaxPasswordAge, HardExpiry } = PasswordPolicy!;
        return {
          ...(MinimumPasswordLength !== undefined && { minimumLength: MinimumPasswordLength }),
          // 0 stands for "never".
          ...(MaxPasswordAge && { maximumAgeDays: MaxPasswordAge }),
          hardExpiry: HardExpiry ?? false,
        };
      },
      ABSENT,
    ),
    source.read("iam:GenerateCredentialReport or iam:GetCredentialReport", (abortSignal) =>
      readCredentialReport(iam, abortSignal),
    ),
    source.observe(
      "iam:GetPolicy or iam:GetPolicyVersion",
      async (abortSignal) => {
        const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: denyPolicyArn }), {
          abortSignal,
        });
        const { PolicyVersion } = await iam.send(
          new GetPolicyVersionCommand({ PolicyArn: denyPolicyArn, VersionId: Policy!.DefaultVersionId }),
          { abortSignal },
        );
        return decodeURIComponent(PolicyVersion!.Document!);
      },
      ABSENT,
    ),
  ]);
  return { usersUnderPath, passwordPolicy, credentialReport, denyPolicy };
}

/** How often IAM is asked whether its report is ready, and how long in between, in milliseconds. */
const REPORT_TRIES = 8;
const REPORT_PAUSE = 500;

/** IAM makes the report on demand, at most every four hours (fact 34), and takes some seconds for it. */
async function readCredentialReport(
  iam: IAMClient,
  abortSignal: AbortSignal,
): Promise<Record<string, string>> {
  for (let tries = 0; tries < REPORT_TRIES; tries++) {
    const { State } = await iam.send(new GenerateCredentialReportCommand({}), { abortSignal });
    if (State === "COMPLETE") break;
    await new Promise((resolve) => setTimeout(resolve, REPORT_PAUSE));
  }
  const { Content } = await iam.send(new GetCredentialReportCommand({}), { abortSignal });
  return parseCredentialReport(Buffer.from(Content!).toString("utf8"));
}

async function simulateActions(
  iam: IAMClient,
  PolicySourceArn: string,
  mfa: boolean,
  region: string,
  abortSignal: AbortSignal,
): Promise<SimulatedAction[]> {
  const ContextEntries: ContextEntry[] = [
    {
      ContextKeyName: "aws:MultiFactorAuthPresent",
      ContextKeyValues: [String(mfa)],
      ContextKeyType: "boolean",
    },
    // Service control policies that restrict regions would else be taken to refuse.
    { ContextKeyName: "aws:RequestedRegion", ContextKeyValues: [region], ContextKeyType: "string" },
    { ContextKeyName: "aws:PrincipalArn", ContextKeyValues: [PolicySourceArn], ContextKeyType: "string" },
  ];
  const pages = paginateSimulatePrincipalPolicy(
    { client: iam },
    { PolicySourceArn, ActionNames: EMERGENCY_ACTIONS, ContextEntries },
    { abortSignal },
  );
  return (await all(pages, (page) => page.EvaluationResults)).map(
    ({ EvalActionName, EvalDecision, OrganizationsDecisionDetail }) => {
      const allowed = OrganizationsDecisionDetail?.AllowedByOrganizations;
      return {
        action: EvalActionName!,
        decision: EvalDecision!,
        ...(allowed !== undefined && { allowedByOrganization: allowed }),
      };
    },
  );
}

/** The items of all pages. */
async function all<Page, Item>(
  pages: AsyncIterable<Page>,
  items: (page: Page) => Item[] | undefined,
): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...(items(page) ?? []));
  return found;
}
