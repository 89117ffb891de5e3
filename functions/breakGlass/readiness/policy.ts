/** What is expected of emergency access: which users, cells and monitoring there are to be, and how old things may be. Plain data. */
import { arn, type Partition } from "../../../components/regional/partition";

/** An event rule that has to be there. */
export interface ExpectedRule {
  name: string;
  region: string;
  /** Name of the bus. */
  bus: string;
  /** `ENABLED`, or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS` where reading calls matter, too (fact 20). */
  state: string;
  /** ARNs that it has to send to. It may send to others. */
  targetArns: string[];
}

/** The cell's trail. */
export interface ExpectedTrail {
  name: string;
  bucketName: string;
  logGroupName: string;
}

/** What one cell has to have. */
export interface ExpectedCell {
  /** The stack's name. */
  name: string;
  region: string;
  rules: ExpectedRule[];
  topicArn: string;
  trail: ExpectedTrail;
  /** Names of the metric filters of the trail's log group. */
  metricFilters: string[];
  /** Names of the alarms; each has to tell the topic. */
  alarms: string[];
  /** Names of the steward's alarms, one for each requirement. */
  readinessAlarms: string[];
  /** Names of the queues that have to be empty. */
  queues: string[];
}

/** A cell's steward, which writes a report every day. */
export interface ExpectedSteward {
  /** The stack's name. */
  cell: string;
  region: string;
  functionName: string;
  /** Bucket of its reports. */
  bucketName: string;
}

/** Rules that the account is to have for passwords. */
export interface ExpectedPasswordPolicy {
  minimumLength: number;
  maximumAgeDays: number;
}

/** What is expected. */
export interface ReadinessPolicy {
  partition: Partition;
  /** The account that the users live in. */
  accountId: string;
  /** IAM path of the users, with slashes at both ends. */
  path: string;
  userNames: string[];
  /** The cell that owns the users: its stack's name. */
  ownerCell: string;
  /** ARN of the policy that demands MFA. */
  denyPolicyArn: string;
  /** ARN of AdministratorAccess. */
  administratorPolicyArn: string;
  /** The account's rules for passwords, where it is to have some. */
  passwordPolicy?: ExpectedPasswordPolicy;
  passwordMaxAgeDays: number;
  drillMaxAgeDays: number;
  /** Hours since the last run after which a steward counts as stopped. */
  stewardMaxAgeHours: number;
  /** Whether a FIDO key is demanded besides the TOTP device: not in China (fact 12). */
  demandsFido: boolean;
  /** Statements of service control policies that are in the way on purpose, as `POLICY-ID/SID`. */
  toleratedScpStatements: string[];
  /** The cells whose monitoring is judged. */
  cells: ExpectedCell[];
  /** The stewards that have to have run lately. */
  stewards: ExpectedSteward[];
  /** The cells that keep evidence: both, always. */
  evidenceCells: string[];
  /** Regions whose own STS endpoint has to answer. */
  stsRegions: string[];
}

/** ARN of an emergency user. */
export function userArn({ partition, accountId, path }: ReadinessPolicy, userName: string): string {
  return arn({ partition, service: "iam", account: accountId, resource: `user${path}${userName}` });
}

/** Pattern of the ARNs of all emergency users, for conditions of service control policies. */
export function userArnPattern(policy: ReadinessPolicy): string {
  return userArn(policy, "*");
}
