/**
 * What is observed of emergency access, as plain data without a secret. Throughout, a value of `null` means that AWS said that there is
 * no such thing; what could not be read is `unreadable` instead.
 */
import type { EvidenceOf } from "../records/record";
import type { Observed } from "./observed";

/** An emergency user's own properties. */
export interface ObservedUser {
  arn: string;
  path: string;
  /** When the password was last used to sign in, ISO 8601; absent if never. */
  passwordLastUsed?: string;
  /** ARN of the permissions boundary, if there is one. */
  boundaryArn?: string;
  tags: Record<string, string>;
}

/** What IAM's policy simulator says of one action. */
export interface SimulatedAction {
  action: string;
  decision: string;
  /** Absent where no service control policy applies. */
  allowedByOrganization?: boolean;
}

/** What is observed of one emergency user. */
export interface UserObservations {
  user: Observed<ObservedUser | null>;
  loginProfile: Observed<{ createdAt: string; resetRequired: boolean } | null>;
  /** Access keys, whether active or not: their number, since ids are of no use here. */
  accessKeys: Observed<number | null>;
  /** Serial numbers of the enabled MFA devices. */
  devices: Observed<string[] | null>;
  /** ARNs of the attached policies. */
  attachedPolicies: Observed<string[] | null>;
  /** Names of the policies in the user. */
  inlinePolicies: Observed<string[] | null>;
  groups: Observed<string[] | null>;
  simulatedWithMfa: Observed<SimulatedAction[] | null>;
  simulatedWithoutMfa: Observed<SimulatedAction[] | null>;
}

/** A service control policy as it is attached. */
export interface ObservedControlPolicy {
  id: string;
  name: string;
  document: string;
}

/** One level of the organization above the users: the account itself, a unit, or the root. */
export interface OrganizationLevel {
  id: string;
  policies: ObservedControlPolicy[];
}

/** Where the users' account stands in an organization, and what that puts on it. */
export type OrganizationObservation =
  | { membership: "none" }
  | { membership: "management" }
  /** `enforced` is false where service control policies are not switched on at the root. */
  | { membership: "member"; enforced: boolean; levels: OrganizationLevel[] };

/** The account's rules for passwords; `null` as a whole where none were set. */
export interface ObservedPasswordPolicy {
  minimumLength?: number;
  /** Days after which a password expires; absent if never. */
  maximumAgeDays?: number;
  /** Whether a user whose password has expired cannot set a new one. */
  hardExpiry: boolean;
}

/** What is observed once for all users: IAM knows no regions. */
export interface AccountObservations {
  /** Names of all users under the path of emergency users. */
  usersUnderPath: Observed<string[]>;
  passwordPolicy: Observed<ObservedPasswordPolicy | null>;
  /** By user name: when the password was last changed, ISO 8601. Users that the report does not know are missing. */
  credentialReport: Observed<Record<string, string>>;
  /** The default version's document of the policy that demands MFA. */
  denyPolicy: Observed<string | null>;
  organization: Observed<OrganizationObservation>;
}

/** A cell's records. The encrypted passwords are left out: their `ciphertext` is empty. */
export interface EvidenceObservation {
  passwordIssued: EvidenceOf<"passwordIssued">[];
  deviceEnrolled: EvidenceOf<"deviceEnrolled">[];
  deviceRemoved: EvidenceOf<"deviceRemoved">[];
  custodianLeft: EvidenceOf<"custodianLeft">[];
  useOpened: EvidenceOf<"useOpened">[];
  drillHeld: EvidenceOf<"drillHeld">[];
}

/** An event rule and its targets. */
export interface ObservedRule {
  state: string;
  targetArns: string[];
}

/** A trail's settings. */
export interface ObservedTrail {
  homeRegion: string;
  multiRegion: boolean;
  globalServiceEvents: boolean;
  /** Whether CloudTrail signs what it writes. */
  validated: boolean;
  bucketName: string;
  /** ARN of the log group it delivers to; absent if none. */
  logGroupArn?: string;
}

/** What a trail does. */
export interface ObservedTrailStatus {
  logging: boolean;
  /** Errors of the last delivery to the bucket and to the log group. */
  deliveryError?: string;
  logGroupDeliveryError?: string;
}

/** What is observed of one cell's monitoring, in its own region and in the sign-in regions that report to it. */
export interface CellObservations {
  /** By {@link ruleKey}. */
  rules: Record<string, Observed<ObservedRule | null>>;
  /** Whether the alert topic is there. */
  topic: Observed<{ encrypted: boolean } | null>;
  subscriptions: Observed<{ protocol: string; endpoint: string; confirmed: boolean }[] | null>;
  trail: Observed<ObservedTrail | null>;
  trailStatus: Observed<ObservedTrailStatus | null>;
  /** Whether the trail records reading and writing management events. */
  trailRecordsManagementEvents: Observed<boolean | null>;
  /** `null`: no such bucket. */
  bucketEncrypted: Observed<boolean | null>;
  bucketPublicAccessBlocked: Observed<boolean | null>;
  /** Names of the metric filters of the trail's log group. */
  metricFilters: Observed<string[] | null>;
  /** By name; alarms that do not exist are missing. */
  alarms: Observed<Record<string, { actionsEnabled: boolean; actionArns: string[] }>>;
  /** Messages that wait, by the queue's name. */
  queues: Record<string, Observed<number | null>>;
}

/** A region's STS: whose credentials it took, or that the account has switched it off. */
export type StsAnswer = { accountId: string } | { switchedOff: true };

/** Everything that is observed. */
export interface Observations {
  account: AccountObservations;
  /** By user name. */
  users: Record<string, UserObservations>;
  /** By cell name. Both cells' always. */
  evidence: Record<string, Observed<EvidenceObservation>>;
  /** By cell name: when its steward last wrote its report, ISO 8601; `null` if never. */
  stewards: Record<string, Observed<string | null>>;
  /** By region: what its own STS endpoint answers. */
  sts: Record<string, Observed<StsAnswer>>;
  /** By cell name. */
  cells: Record<string, CellObservations>;
}

/** The key of a rule in {@link CellObservations.rules}: rules of one name stand on several buses and in several regions. */
export function ruleKey(rule: { region: string; bus: string; name: string }): string {
  return `${rule.region} ${rule.bus} ${rule.name}`;
}
