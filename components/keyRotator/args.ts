import type * as pulumi from "@pulumi/pulumi";
import type { PeerArgs } from "../activation/peer";
import type { FunctionVpcArgs } from "../lambda/regionalFunction";
import type { SmtpArgs } from "../notification/channels";
import type { CellArgs } from "../regional/cell";

/** A further region that secrets are replicated to. */
export interface SecretReplicaArgs {
  /**
   * Required. The region.
   * @example "eu-west-1"
   */
  region: string;
  /**
   * ARN of a customer-managed key in that region, whose policy lets the readers' accounts decrypt through Secrets Manager.
   * @default none: the key that AWS manages, which no other account can read with
   * @example "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
   */
  kmsKeyArn?: string;
}

/** A tag that accounts have to have to be looked after. */
export interface AccountTagArgs {
  /**
   * Required. The tag's key.
   * @example "environment"
   */
  key: string;
  /**
   * The values, any of which will do.
   * @default []: any value
   * @example ["production"]
   */
  values?: string[];
}

/** Mails to the owners of keys. */
export interface OwnerMailArgs {
  /**
   * Required. `ses` or `smtp`. Partitions without SES (China) have SMTP only (fact 14).
   * @example "ses"
   */
  transport: string;
  /**
   * Required. The sender's address. With SES it, or its domain, has to be a verified identity in the cell's region.
   * @example "keys@example.com"
   */
  from: string;
  /**
   * The server. Required with transport `smtp`, and only then.
   * @default none
   * @example { host: "email-smtp.us-west-2.amazonaws.com", userParameter: "/bulkhead/smtp/user", passwordParameter: "/bulkhead/smtp/password" }
   */
  smtp?: SmtpArgs;
  /**
   * To whom a mail goes, the first of these that there is: `tag` (the address in the user's tag {@link ownerTag}), `account` (the
   * account's own address), `central` (the addresses of {@link central}).
   * @default ["tag", "account", "central"]
   * @example ["central"]
   */
  to?: string[];
  /**
   * The tag of a user that holds its owner's address.
   * @default "owner"
   * @example "contact"
   */
  ownerTag?: string;
  /**
   * Central addresses, such as that of the administrators.
   * @default []
   * @example ["identity@example.com"]
   */
  central?: string[];
  /**
   * HTML of the mails in audit mode, in place of the built-in one. It holds `{{entries}}` and may hold `{{accountId}}`, `{{accountName}}`,
   * `{{count}}` and `{{runId}}`. Templates are objects in the rotator's bucket.
   * @default the built-in template
   * @example fs.readFileSync("mails/audit.html", "utf8")
   */
  auditTemplate?: string;
  /**
   * The same as plain text, for readers without HTML.
   * @default the built-in template
   * @example fs.readFileSync("mails/audit.txt", "utf8")
   */
  auditTextTemplate?: string;
  /**
   * HTML of the mails in enforce mode, in place of the built-in one.
   * @default the built-in template
   * @example fs.readFileSync("mails/enforce.html", "utf8")
   */
  enforceTemplate?: string;
  /**
   * The same as plain text, for readers without HTML.
   * @default the built-in template
   * @example fs.readFileSync("mails/enforce.txt", "utf8")
   */
  enforceTextTemplate?: string;
}

/** Arguments of {@link KeyRotator}. */
export interface KeyRotatorArgs {
  /**
   * Required. The cell that the rotator works for.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The other cell. Only one of the two rotates at any time: the one whose activation record says so.
   * @example { name: "dr", region: "us-west-2" }
   */
  peer: PeerArgs;
  /**
   * Required. ARN of the cell's key: it encrypts tables, bucket, queues, logs and executions.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Required. ARN of the topic that alarms and failed runs tell.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * `audit` mails and reports what would be done, and changes nothing; `enforce` rotates.
   * @default "audit"
   * @example "enforce"
   */
  mode?: string;
  /**
   * Age in days at which a key gets a successor.
   * @default 90
   * @example 60
   */
  rotateDays?: number;
  /**
   * Age in days at which the replaced key is deactivated, if it has been idle for {@link idleDays}.
   * @default 100
   * @example 75
   */
  deactivateDays?: number;
  /**
   * Age in days at which the replaced key is deleted.
   * @default 110
   * @example 90
   */
  deleteDays?: number;
  /**
   * Days that the replaced key must not have been used before it is deactivated.
   * @default 3
   * @example 7
   */
  idleDays?: number;
  /**
   * The shortest rotation age that a tag of a user or an account may ask for, in days. A small number costs calls for every user who is older.
   * @default rotateDays
   * @example 30
   */
  shortestRotateDays?: number;
  /**
   * Required. The external id that is given when the role in a member account is assumed.
   * @example "bulkhead-4f1c"
   */
  externalId: string;
  /**
   * Name of the IAM group whose users are never touched. An account where it cannot be read is left alone altogether.
   * @default "": no group
   * @example "key-rotation-exempt"
   */
  exemptGroup?: string;
  /**
   * Names of the emergency users, who are never touched.
   * @default []
   * @example ["breakglass-admin-1", "breakglass-admin-2"]
   */
  emergencyUserNames?: string[];
  /**
   * IAM path of the emergency users: no user below it is ever touched.
   * @default "/break-glass/"
   * @example "/emergency/"
   */
  emergencyPath?: string;
  /**
   * Id of the organization, for the policy of the key: its accounts may read their own secrets.
   * @default "": no organization, only the accounts of accountIds
   * @example "o-a1b2c3d4e5"
   */
  organizationId?: string;
  /**
   * Id of the organization's management account, whose role PREFIX-organization-reader lists the accounts.
   * @default "": no organization, only the accounts of accountIds
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
   * Only these accounts are looked after. Required without {@link managementAccountId}.
   * @default []: every account of the organization
   * @example ["333333333333"]
   */
  accountIds?: string[];
  /**
   * Accounts that are left out.
   * @default []
   * @example ["444444444444"]
   */
  excludedAccountIds?: string[];
  /**
   * Only accounts in these organizational units (or roots) and those below them.
   * @default []: wherever they are
   * @example ["ou-a1b2-c3d4e5f6"]
   */
  organizationalUnitIds?: string[];
  /**
   * Only accounts with all of these tags. Reading tags costs a call an account.
   * @default []
   * @example [{ key: "environment", values: ["production"] }]
   */
  accountTags?: AccountTagArgs[];
  /**
   * Whether tags of accounts may exempt them or change their ages. Reading tags costs a call an account.
   * @default false
   * @example true
   */
  readAccountTags?: boolean;
  /**
   * Where new keys are stored: `central`, in the cell's account with a customer-managed key, or `member`, in the user's own account.
   * @default "central"
   * @example "member"
   */
  storage?: string;
  /**
   * Region of the secrets: the same in both cells, so that each secret has one home.
   * @default the cell's region: right for the primary cell, for the other give the primary's
   * @example "us-east-1"
   */
  secretsRegion?: string;
  /**
   * Further regions that secrets are replicated to. The other one of the two cells' regions gets a replica always.
   * @default []
   * @example [{ region: "eu-west-1", kmsKeyArn: euKeyArn }]
   */
  secretReplicas?: SecretReplicaArgs[];
  /**
   * First part of the secrets' names, which are PREFIX/ACCOUNT/USER.
   * @default "/bulkhead/keys"
   * @example "/acme/keys"
   */
  secretsPrefix?: string;
  /**
   * ARNs of the principals that may read a user's secret; `{account}`, `{user}` and `{userArn}` stand for the user's own.
   * @default ["{userArn}"]: the user
   * @example ["arn:aws:iam::{account}:role/deployment"]
   */
  secretReaders?: string[];
  /**
   * Hours from one run to the next, 1 to 144.
   * @default 24
   * @example 12
   */
  intervalHours?: number;
  /**
   * Whether runs are started. A standby's runs only record that it is standing by; disabled schedules are enabled by the promotion.
   * @default true
   * @example false
   */
  scheduleEnabled?: boolean;
  /**
   * Accounts that are worked on at the same time, 1 to 1000.
   * @default 10
   * @example 40
   */
  accountConcurrency?: number;
  /**
   * Users of one account that are worked on at the same time, 1 to 50.
   * @default 5
   * @example 10
   */
  userConcurrency?: number;
  /**
   * Share of the accounts in percent that may fail before the rest of a run is given up, 0 to 100.
   * @default 25
   * @example 5
   */
  toleratedFailurePercentage?: number;
  /**
   * Mails to the owners of keys.
   * @default none: nobody is mailed, the reports in the bucket say everything
   * @example { transport: "ses", from: "keys@example.com", central: ["identity@example.com"] }
   */
  mail?: OwnerMailArgs;
  /**
   * Network that the functions run in.
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
   * Days that results and reports are kept in the bucket, 7 to 36500.
   * @default 400
   * @example 90
   */
  reportRetentionDays?: number;
  /**
   * Whether AWS refuses to delete the table, and the bucket unless it is empty. False is for trials.
   * @default true
   * @example false
   */
  deletionProtection?: boolean;
}
