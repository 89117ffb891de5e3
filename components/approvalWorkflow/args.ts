import type * as pulumi from "@pulumi/pulumi";
import type { PeerArgs } from "../activation/peer";
import type { FunctionVpcArgs } from "../lambda/regionalFunction";
import type { SmtpArgs } from "../notification/channels";
import type { CellArgs } from "../regional/cell";

/** Mails to operators and approvers. */
export interface ApprovalMailArgs {
  /**
   * Required. `ses` or `smtp`. Partitions without SES (China) have SMTP only (fact 14).
   * @example "ses"
   */
  transport: string;
  /**
   * Required. The sender's address. With SES it, or its domain, has to be a verified identity in the cell's region.
   * @example "approval@example.com"
   */
  from: string;
  /**
   * The server. Required with transport `smtp`, and only then.
   * @default none
   * @example { host: "email-smtp.us-west-2.amazonaws.com", userParameter: "/bulkhead/smtp/user", passwordParameter: "/bulkhead/smtp/password" }
   */
  smtp?: SmtpArgs;
  /**
   * Address of the document with the team's own templates, `s3://BUCKET/KEY` or `ssm:/NAME`, in the cell's region.
   * @default none: the built-in templates
   * @example "s3://acme-approval-us-east-1/templates.json"
   */
  templates?: string;
}

/** A chat that everybody in a channel reads. */
export interface ApprovalChatArgs {
  /**
   * Required. `slack` or `teams`.
   * @example "slack"
   */
  kind: string;
  /**
   * Required. Name of the SecureString parameter with the webhook's address, in the cell's region.
   * @example "/bulkhead/approval/slack-webhook"
   */
  webhookParameter: string;
  /**
   * Whether people approve and deny in the message itself. Slack only; needs {@link ApprovalPagesArgs.slack}.
   * @default false
   * @example true
   */
  buttons?: boolean;
}

/** Sign-in at an identity provider (OpenID Connect). */
export interface ApprovalSignInArgs {
  /**
   * Required. The provider's issuer, https.
   * @example "https://login.example.com"
   */
  issuer: string;
  /**
   * Required. Id of the client that is registered there, with `BASE/callback` as its redirect address.
   * @example "bulkhead-approval"
   */
  clientId: string;
  /**
   * Name of the SecureString parameter with the client's secret, in the cell's region.
   * @default none: a public client
   * @example "/bulkhead/approval/oidc-client-secret"
   */
  clientSecretParameter?: string;
  /**
   * Required. Name of the SecureString parameter with the key of cookies: 32 random bytes or more, in base64.
   * @example "/bulkhead/approval/cookie-key"
   */
  cookieKeyParameter: string;
  /**
   * Scopes that are asked for, with blanks between them.
   * @default those that the claims need
   * @example "openid email groups"
   */
  scopes?: string;
  /**
   * The claim by which people are found in the directory.
   * @default "email"
   * @example "preferred_username"
   */
  identityClaim?: string;
  /**
   * The claim with a person's groups.
   * @default none: groups are the directory's
   * @example "groups"
   */
  groupsClaim?: string;
  /**
   * Whether a mail address counts only when the provider says that it is verified.
   * @default true
   * @example false
   */
  requireVerifiedEmail?: boolean;
  /**
   * How people show that it is they who act: `signIn`, or `either` a sign-in or the code of their mail, so that approval goes on while the provider is
   * out of reach.
   * @default "signIn"
   * @example "either"
   */
  acting?: string;
  /**
   * Seconds that a session lasts, 60 to 86,400.
   * @default 3600
   * @example 900
   */
  sessionSeconds?: number;
}

/** Clicks in Slack. */
export interface ApprovalSlackArgs {
  /**
   * Required. Name of the SecureString parameter with the app's signing secret, in the cell's region.
   * @example "/bulkhead/approval/slack-signing-secret"
   */
  signingSecretParameter: string;
  /**
   * Required. Id of the workspace; clicks in others are not taken.
   * @example "T02ABCDEF"
   */
  team: string;
}

/** A name of one's own for the pages. */
export interface ApprovalDomainArgs {
  /**
   * Required. The host name. Its DNS record is made elsewhere, beforehand, for the output `domainTarget`.
   * @example "approval-dr.example.com"
   */
  name: string;
  /**
   * Required. ARN of the certificate for it, in the cell's region.
   * @example "arn:aws:acm:us-west-2:222222222222:certificate/12345678-1234-1234-1234-123456789012"
   */
  certificateArn: pulumi.Input<string>;
}

/** The pages on which people confirm, approve and deny. */
export interface ApprovalPagesArgs {
  /**
   * A name of one's own. API Gateway's own address is switched off then.
   * @default none: API Gateway's own address
   * @example { name: "approval-dr.example.com", certificateArn }
   */
  domain?: ApprovalDomainArgs;
  /**
   * IANA name of the time zone that times are shown in beside UTC.
   * @default "UTC"
   * @example "Asia/Shanghai"
   */
  timeZone?: string;
  /**
   * `en` or `zh`: for people whose language is not known, and for chats.
   * @default "en"
   * @example "zh"
   */
  language?: string;
  /**
   * Sign-in at an identity provider.
   * @default none: people act with the code of their mail
   * @example { issuer: "https://login.example.com", clientId: "bulkhead-approval", cookieKeyParameter: "/bulkhead/approval/cookie-key" }
   */
  signIn?: ApprovalSignInArgs;
  /**
   * Clicks in Slack.
   * @default none: nobody decides in Slack
   * @example { signingSecretParameter: "/bulkhead/approval/slack-signing-secret", team: "T02ABCDEF" }
   */
  slack?: ApprovalSlackArgs;
  /**
   * Accounts whose IAM users are looked up before somebody acts: who was deleted there, or tagged `bulkhead:inactive`, cannot.
   * @default []: the directory alone says who is active
   * @example ["222222222222"]
   */
  iamUserAccounts?: string[];
  /**
   * Whether people count as active while IAM gives no answer, as when its control plane is lost (fact 9).
   * @default false: nobody of whom it is not known can act
   * @example true
   */
  activeWithoutAnswer?: boolean;
  /**
   * Requests a second that all pages together take, 1 to 10,000.
   * @default 20
   * @example 50
   */
  throttlingRate?: number;
  /**
   * Requests at the same moment that all pages together take, 1 to 5,000.
   * @default 40
   * @example 100
   */
  throttlingBurst?: number;
}

/** When people work, for the weighing of risk. */
export interface WorkingHoursArgs {
  /**
   * Required. IANA name of the time zone.
   * @example "Europe/Berlin"
   */
  timeZone: string;
  /**
   * Required. First hour, 0 to 24.
   * @example 8
   */
  from: number;
  /**
   * Required. Hour at which work ends, 0 to 24.
   * @example 18
   */
  to: number;
  /**
   * Required. Days of the week, 0 is Sunday.
   * @example [1, 2, 3, 4, 5]
   */
  days: number[];
}

/** A tag that makes an operation more risky. */
export interface RiskTagArgs {
  /**
   * Required. The tag's key.
   * @example "environment"
   */
  key: string;
  /**
   * Required. Its values.
   * @example ["production"]
   */
  values: string[];
  /**
   * Required. Points that it adds, 0 to 100.
   * @example 30
   */
  points: number;
}

/** A model that weighs risk, too. */
export interface RiskModelArgs {
  /**
   * Required. Its endpoint, https.
   * @example "https://risk.example.com/score"
   */
  url: string;
  /**
   * Name of the SecureString parameter with the value of its `authorization` header, in the cell's region.
   * @default none
   * @example "/bulkhead/approval/risk-model"
   */
  authorizationParameter?: string;
}

/** How risk is weighed. */
export interface ApprovalRiskArgs {
  /**
   * When people work.
   * @default 8 to 18 on weekdays, UTC
   * @example { timeZone: "Europe/Berlin", from: 7, to: 19, days: [1, 2, 3, 4, 5] }
   */
  workingHours?: WorkingHoursArgs;
  /**
   * Tags that count.
   * @default environment=prod and its like
   * @example [{ key: "tier", values: ["gold"], points: 25 }]
   */
  tagRules?: RiskTagArgs[];
  /**
   * A model that is asked, too. When it does not answer, the score is never lower than without.
   * @default none
   * @example { url: "https://risk.example.com/score" }
   */
  model?: RiskModelArgs;
}

/** Snapshots before the call. */
export interface ApprovalSnapshotArgs {
  /**
   * `never`, or `data`: whenever the operation destroys data and a snapshot can be taken.
   * @default "never"
   * @example "data"
   */
  when?: string;
  /**
   * `service`: the service's own (EBS, RDS). `backup`: AWS Backup, whose vault and role have to stand in each account.
   * @default "service"
   * @example "backup"
   */
  by?: string;
  /**
   * Name of AWS Backup's vault.
   * @default "bulkhead-approval"
   * @example "central"
   */
  vault?: string;
  /**
   * Role that AWS Backup works with, with its path and without a leading slash.
   * @default "bulkhead-approval-backup"
   * @example "service-role/AWSBackupDefaultServiceRole"
   */
  backupRole?: string;
  /**
   * Days that a snapshot of AWS Backup is kept, 1 to 36,500.
   * @default 35
   * @example 90
   */
  keepDays?: number;
}

/** Arguments of {@link ApprovalWorkflow}. */
export interface ApprovalWorkflowArgs {
  /**
   * Required. The cell that approval works for.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The other cell. Replicas of this cell's tables stand in its region, from where its functions read what was under way here.
   * @example { name: "dr", region: "us-west-2" }
   */
  peer: PeerArgs;
  /**
   * Required. ARN of the cell's key: it encrypts logs, queues, executions and the functions' settings. The tables have a key of their own.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Required. ARN of the topic that alarms tell, and that is told of every use of the bypass.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Name of the hub bus that member accounts send their denied calls to.
   * @default none: only the cell's own account is watched
   * @example hub.busName
   */
  hubBusName?: pulumi.Input<string>;
  /**
   * Required. Address of the directory of people, groups and rules, `s3://BUCKET/KEY` or `ssm:/NAME`, in the cell's region. See docs/approval.md.
   * @example "s3://acme-approval-us-east-1/directory.json"
   */
  directory: string;
  /**
   * Required. How mails are sent.
   * @example { transport: "ses", from: "approval@example.com" }
   */
  mail: ApprovalMailArgs;
  /**
   * Chats that are told.
   * @default []
   * @example [{ kind: "slack", webhookParameter: "/bulkhead/approval/slack-webhook", buttons: true }]
   */
  chats?: ApprovalChatArgs[];
  /**
   * The pages.
   * @default API Gateway's own address, codes by mail, English
   * @example { timeZone: "Asia/Shanghai", language: "zh" }
   */
  pages?: ApprovalPagesArgs;
  /**
   * Events that are watched, by the names of docs/approval.md.
   * @default those marked there as watched by default
   * @example ["ec2:TerminateInstances", "rds:DeleteDBInstance"]
   */
  events?: string[];
  /**
   * Whether calls of role sessions and federated users count, not only those of IAM users.
   * @default false
   * @example true
   */
  allowRoleSessions?: boolean;
  /**
   * Whether calls of users of IAM Identity Center count.
   * @default false
   * @example true
   */
  allowSso?: boolean;
  /**
   * Names of the emergency users, whose calls never wait for approval.
   * @default breakglass-admin-1 and breakglass-admin-2
   * @example ["breakglass-admin-1", "breakglass-admin-2", "breakglass-admin-3"]
   */
  emergencyUserNames?: string[];
  /**
   * How risk is weighed. The thresholds are the directory's.
   * @default working hours in UTC, tags of production, no model
   * @example { workingHours: { timeZone: "Europe/Berlin", from: 7, to: 19, days: [1, 2, 3, 4, 5] } }
   */
  risk?: ApprovalRiskArgs;
  /**
   * Seconds that the operator has to confirm, at the beginning and at the end; 1 to 2,592,000.
   * @default 3600
   * @example 900
   */
  confirmationSeconds?: number;
  /**
   * Seconds that snapshot, second look and call may each take; 60 to 86,400.
   * @default 900
   * @example 3600
   */
  workSeconds?: number;
  /**
   * How an approved operation is carried out: `session`, with the executor role that stands in each account; or `role`, with a role that is made for it,
   * which needs IAM's control plane (fact 9).
   * @default "session"
   * @example "role"
   */
  executionMode?: string;
  /**
   * Snapshots before the call.
   * @default none are taken
   * @example { when: "data", by: "service" }
   */
  snapshots?: ApprovalSnapshotArgs;
  /**
   * The external id that the functions give when they assume the accounts' roles; the same as in {@link approvalRoleRequests}.
   * @default none
   * @example "bulkhead-4f1c"
   */
  externalId?: string;
  /**
   * Id of the organization's management account, whose role PREFIX-organization-reader says in which units an account is: for approvers by unit.
   * @default "": rules that name units count for every account
   * @example "111111111111"
   */
  managementAccountId?: string;
  /**
   * The external id that is given when the organization reader's role is assumed.
   * @default none
   * @example "bulkhead-4f1c"
   */
  organizationExternalId?: string;
  /**
   * Whether the roles that stand in every account are made in the cell's own account, too. Roles are global: for exactly one of the two cells.
   * @default false
   * @example true
   */
  ownsAccountRoles?: boolean;
  /**
   * Network that the functions run in. Those that call Slack, Teams, an identity provider or a risk model need a way to the internet from there.
   * @default none: Lambda's own network, with a way to the internet
   * @example { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] }
   */
  vpc?: FunctionVpcArgs;
  /**
   * Days that logs are kept: a number that CloudWatch Logs knows.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
  /**
   * Whether AWS refuses to delete the tables. To remove a cell for good, set it to false and run `pulumi up` first.
   * @default true
   * @example false
   */
  deletionProtection?: boolean;
}
