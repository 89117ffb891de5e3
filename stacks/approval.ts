import type * as pulumi from "@pulumi/pulumi";
import { ApprovalWorkflow } from "../components/approvalWorkflow/approvalWorkflow";
import type { ApprovalPagesArgs, ApprovalRiskArgs, RiskTagArgs } from "../components/approvalWorkflow/args";
import type { ApprovalFunction } from "../components/approvalWorkflow/names";
import {
  type ApprovalAccess,
  approvalForwardingRequests,
  approvalPolicyRequests,
  approvalRoleRequests,
} from "../components/approvalWorkflow/requests";
import type { FunctionVpcArgs } from "../components/lambda/regionalFunction";
import type { MemberRequestsArgs } from "../components/memberAccess/memberAccess";
import type { CellArgs } from "../components/regional/cell";
import type { StackConfig } from "./config";
import { mailSending } from "./mail";

/** What of the cell its approval works with. */
export interface ApprovalParts {
  cell: CellArgs;
  kmsKeyArn: pulumi.Input<string>;
  alertTopicArn: pulumi.Input<string>;
  /** Undefined without an organization. */
  hubBusName: pulumi.Input<string> | undefined;
  /** The existing network, with a way out. Undefined: Lambda's own. */
  vpc: FunctionVpcArgs | undefined;
}

/** The functions that read in which organizational units an account is. */
export const ORGANIZATION_READERS: readonly ApprovalFunction[] = [
  "approval-intake",
  "approval-engine",
  "approval-desk",
];

/** The cell's approval; none with approval off. */
export function composeApproval(
  { cell, kmsKeyArn, alertTopicArn, hubBusName, vpc }: ApprovalParts,
  config: StackConfig,
  opts: pulumi.ComponentResourceOptions,
): ApprovalWorkflow | undefined {
  const sending = mailSending(config);
  if (config.approval === "off" || !sending) return undefined;
  const { snapshots, ...access } = accessOf(cell, config);
  return new ApprovalWorkflow(
    "approval",
    {
      ...access,
      kmsKeyArn,
      alertTopicArn,
      ...(hubBusName && { hubBusName }),
      directory: config.approvalDirectory,
      mail: {
        ...sending,
        ...(config.approvalMailTemplates && { templates: config.approvalMailTemplates }),
      },
      chats: chatsOf(config),
      pages: pagesOf(config),
      emergencyUserNames: config.emergencyUsers,
      risk: riskOf(config),
      confirmationSeconds: config.approvalConfirmationSeconds,
      workSeconds: config.approvalWorkSeconds,
      snapshots: {
        when: snapshots,
        ...(config.approvalSnapshots === "backup" && {
          by: "backup",
          vault: config.approvalBackupVault,
          backupRole: config.approvalBackupRole,
          keepDays: config.approvalBackupDays,
        }),
      },
      ...(config.memberAccess !== "none" && { managementAccountId: config.managementAccountId }),
      ownsAccountRoles: config.role === "primary",
      ...(vpc && { vpc }),
      logRetentionDays: config.logRetentionDays,
      deletionProtection: config.deletionProtection,
    },
    opts,
  );
}

/** What approval needs of the member accounts; nothing with approval off. */
export function approvalMemberRequests(
  cell: CellArgs,
  config: StackConfig,
): Required<Pick<MemberRequestsArgs, "eventForwarding" | "roles" | "policies">> {
  if (config.approval === "off") return { eventForwarding: [], roles: [], policies: [] };
  const access = accessOf(cell, config);
  return {
    eventForwarding: approvalForwardingRequests(access),
    roles: approvalRoleRequests(access),
    policies: approvalPolicyRequests(access),
  };
}

/** What the cell's approval and the roles that it assumes agree on. */
function accessOf(cell: CellArgs, config: StackConfig): ApprovalAccess {
  return {
    cell,
    peer: { name: config.peerName, region: config.peerRegion },
    ...(config.approvalEvents.length > 0 && { events: config.approvalEvents }),
    allowRoleSessions: config.approvalRoleSessions,
    allowSso: config.approvalSso,
    ...(config.approvalExternalId && { externalId: config.approvalExternalId }),
    executionMode: config.approvalExecution,
    snapshots: config.approvalSnapshots === "never" ? "never" : "data",
    iamUserAccounts: config.approvalIamUserAccounts,
  };
}

function chatsOf(config: StackConfig) {
  const slack = config.approvalSlackWebhookParameter;
  const teams = config.approvalTeamsWebhookParameter;
  return [
    ...(slack
      ? [{ kind: "slack", webhookParameter: slack, buttons: config.approvalSlackSigningParameter !== "" }]
      : []),
    ...(teams ? [{ kind: "teams", webhookParameter: teams }] : []),
  ];
}

function pagesOf(config: StackConfig): ApprovalPagesArgs {
  const { approvalScopes, approvalGroupsClaim, approvalClientSecretParameter } = config;
  return {
    ...(config.approvalDomain && {
      domain: { name: config.approvalDomain, certificateArn: config.approvalCertificateArn },
    }),
    timeZone: config.approvalTimeZone,
    language: config.approvalLanguage,
    ...(config.approvalIssuer && {
      signIn: {
        issuer: config.approvalIssuer,
        clientId: config.approvalClientId,
        ...(approvalClientSecretParameter && { clientSecretParameter: approvalClientSecretParameter }),
        cookieKeyParameter: config.approvalCookieKeyParameter,
        ...(approvalScopes && { scopes: approvalScopes }),
        identityClaim: config.approvalIdentityClaim,
        ...(approvalGroupsClaim && { groupsClaim: approvalGroupsClaim }),
        requireVerifiedEmail: config.approvalVerifiedEmail,
        acting: config.approvalActing,
        sessionSeconds: config.approvalSessionSeconds,
      },
    }),
    ...(config.approvalSlackSigningParameter && {
      slack: { signingSecretParameter: config.approvalSlackSigningParameter, team: config.approvalSlackTeam },
    }),
    iamUserAccounts: config.approvalIamUserAccounts,
    activeWithoutAnswer: config.approvalActiveWithoutAnswer,
    throttlingRate: config.approvalRequestsPerSecond,
    throttlingBurst: config.approvalRequestsPerSecond * 2,
  };
}

function riskOf(config: StackConfig): ApprovalRiskArgs {
  const [from, to] = config.approvalWorkingHours;
  return {
    workingHours: { timeZone: config.approvalTimeZone, from, to, days: config.approvalWorkingDays },
    ...(config.approvalRiskTags.length > 0 && { tagRules: config.approvalRiskTags.map(riskTag) }),
    ...(config.approvalRiskModelUrl && {
      model: {
        url: config.approvalRiskModelUrl,
        ...(config.approvalRiskModelParameter && {
          authorizationParameter: config.approvalRiskModelParameter,
        }),
      },
    }),
  };
}

/** From `key=value:points`. */
function riskTag(text: string): RiskTagArgs {
  const [equals, colon] = [text.indexOf("="), text.lastIndexOf(":")];
  return {
    key: text.slice(0, equals),
    values: [text.slice(equals + 1, colon)],
    points: Number(text.slice(colon + 1)),
  };
}
