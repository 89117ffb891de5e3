/**
 * What components ask for in the member accounts. Requests are plain data: names, not resources, so that a cell can ask although the
 * other cell's resources do not exist yet.
 */
import { type ArnParts, arn, type Partition } from "../regional/partition";

/** Stands for the member account's own id in a request's texts: replaced in each account. */
export const MEMBER_ACCOUNT_ID = "${AWS::AccountId}";
/** Stands for the partition in a request's texts. */
export const MEMBER_PARTITION = "${AWS::Partition}";

/** Stands for the region in a request's texts. Not for roles that each account has only once. */
export const MEMBER_REGION = "${AWS::Region}";

/**
 * ARN of something in the member account itself, for the statements of a {@link RoleRequest}.
 * @param parts as in `arn`; partition and account are the member's
 * @example memberArn({ service: "iam", resource: "user/*" })
 */
export function memberArn(parts: Omit<ArnParts, "partition" | "account">): string {
  return arn({ ...parts, partition: MEMBER_PARTITION as Partition, account: MEMBER_ACCOUNT_ID });
}

/** A statement of a member role's policy. Every list is a list, also for one value. */
export interface MemberStatement {
  /**
   * The statement's id: letters and digits.
   * @default none
   */
  Sid?: string;
  /**
   * Required. Allow or Deny.
   * @example "Allow"
   */
  Effect: string;
  /**
   * Required. The actions.
   * @example ["iam:ListUsers"]
   */
  Action: string[];
  /**
   * Required. The resources; {@link memberArn} names those of the member account.
   * @example [memberArn({ service: "iam", resource: "user/*" })]
   */
  Resource: string[];
  /**
   * The conditions: operator, key, values.
   * @default none
   * @example { StringEquals: { "aws:PrincipalTag/team": ["security"] } }
   */
  Condition?: Record<string, Record<string, string[]>>;
}

/** A role that every member account is to have. Roles are global, so each account has it once. */
export interface RoleRequest {
  /**
   * Required. The role's whole name, unique among all requests.
   * @example "bulkhead-key-rotator-member"
   */
  name: string;
  /**
   * The role's path.
   * @default "/PREFIX/", with the prefix of the cell's names
   */
  path?: string;
  /**
   * Required. What it is for, for whoever finds it in a member account.
   * @example "Lets Bulkhead rotate access keys"
   */
  description: string;
  /**
   * Required. ARNs of the roles that may assume it, each whole and without wildcards; usually one for each cell. They need not exist yet.
   * @example [functionRoleArn(prod, "key-rotator"), functionRoleArn(dr, "key-rotator")]
   */
  trustedRoleArns: string[];
  /**
   * The external id that has to be given when it is assumed.
   * @default none
   */
  externalId?: string;
  /**
   * Whether whoever assumes it has to say on whose behalf, as a source identity that CloudTrail shows in every call of the session.
   * @default false
   */
  requireSourceIdentity?: boolean;
  /** Required. What it may do. */
  statements: MemberStatement[];
  /**
   * How long a session may last, in seconds, 3600 to 43200.
   * @default 3600
   */
  maxSessionDuration?: number;
}

/** A managed policy that every member account is to have, such as a permissions boundary. */
export interface PolicyRequest {
  /**
   * Required. The policy's whole name, unique among all requests. Its path is "/PREFIX/", with the prefix of the cell's names.
   * @example "bulkhead-approval-boundary"
   */
  name: string;
  /**
   * Required. What it is for, for whoever finds it in a member account.
   * @example "The most that a temporary role may do"
   */
  description: string;
  /** Required. What it allows. */
  statements: MemberStatement[];
}

/** Events that every member account is to send to both hubs, from each member region. */
export interface EventForwardingRequest {
  /**
   * Required. Name of what is forwarded, unique among all requests; the rules in the member accounts are named after it, with `-forward`.
   * @example "bulkhead-breakglass-use"
   */
  name: string;
  /**
   * Required. The pattern of EventBridge's language, as an object. Leave `detail-type` out where AWS's pages disagree (fact 18).
   * @example { source: ["aws.iam"], detail: { eventName: ["CreateUser"] } }
   */
  // biome-ignore lint/suspicious/noExplicitAny: a pattern nests freely, and `any` is what schema inference understands of that
  eventPattern: Record<string, any>;
  /**
   * Whether read-only calls are seen, too, AssumeRole among them (fact 20). The rule that receives them on the hub needs the same.
   * @default false
   */
  allManagementEvents?: boolean;
}
