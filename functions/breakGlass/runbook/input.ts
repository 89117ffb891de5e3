/** What a runbook is made of: nothing secret. */
import type { Partition } from "../../../components/regional/partition";

/** A cell as the runbook names it. */
export interface RunbookCell {
  /** The stack's name. */
  name: string;
  region: string;
  /** Where an emergency user signs in through the cell's region (fact 12). */
  signInUrl: string;
  alertTopicArn: string;
  /** Name of the table with the evidence. */
  recordsTableName: string;
  trailArn: string;
  trailBucketName: string;
  trailLogGroupName: string;
  /** Names of the event rules that see the emergency users. */
  ruleNames: readonly string[];
  /** Names of the alarms on the emergency users, in the order of the users. */
  alarmNames: readonly string[];
}

/** An emergency user and who keeps its password. */
export interface RunbookUser {
  userName: string;
  custodian: string;
}

/** Everything that a stack's runbook depends on. */
export interface RunbookInput {
  /** When it was made, ISO 8601 in UTC. */
  generatedAt: string;
  partition: Partition;
  /** The account that the emergency users live in. */
  accountId: string;
  /** The stack that it is for, and the other one. */
  own: RunbookCell;
  peer: RunbookCell;
  users: readonly RunbookUser[];
  /** IAM path of the users. */
  path: string;
  /** Seconds without events after which a use counts as over. */
  useIdleSeconds: number;
  /** Whether a function changes the password after a use. */
  rotatesAfterUse: boolean;
  /** Whether member accounts are reached by a role, and its name. */
  memberRoleName: string | undefined;
}

/** Both cells in the order in which to sign in: IAM's control plane's region last, for it is the one whose loss is feared most. */
export function cellsByPreference(
  { own, peer }: Pick<RunbookInput, "own" | "peer">,
  iamRegion: string,
): RunbookCell[] {
  return [own, peer].sort((a, b) => Number(a.region === iamRegion) - Number(b.region === iamRegion));
}
