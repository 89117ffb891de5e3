import * as z from "zod";
import { DEFAULT_EMERGENCY_PATH } from "../../../components/breakGlassAccount/emergencyUsers";
import {
  alertedPatterns,
  trackedPatterns,
  watchNames,
} from "../../../components/breakGlassAccount/eventPatterns";
import { evidenceTableName } from "../../../components/breakGlassAccount/evidenceTable";
import {
  trailArn,
  trailBucketName,
  trailLogGroupName,
  useAlarmName,
} from "../../../components/breakGlassAccount/trailNames";
import { type Cell, cellArn, normalizeCell, regionalName } from "../../../components/regional/cell";
import { consoleSignInUrl } from "../../../components/regional/partition";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { RunbookCell, RunbookInput, RunbookUser } from "./input";

/** The outputs of a stack that its runbook names. */
const outputsSchema = z.object({
  cellName: z.string(),
  region: z.string(),
  signInUrl: z.string(),
  alertTopicArn: z.string(),
  recordsTableName: z.string(),
  trailArn: z.string(),
  trailBucketName: z.string(),
  trailLogGroupName: z.string(),
});

/** What a stack's files say, as far as the runbook needs it. */
export interface StackFacts {
  /** The stack's name. */
  stack: string;
  region: string;
  peerName: string;
  peerRegion: string;
  accountId: string;
  namePrefix: string;
  users: readonly RunbookUser[];
  useIdleSeconds: number;
  rotatesAfterUse: boolean;
  /** Role that the management account, or the emergency users, can switch into in member accounts. */
  memberRoleName: string | undefined;
}

/** The outputs cannot be used; the message says why. */
export class OutputsError extends BulkheadError {
  override readonly name = "OutputsError";
  constructor(message: string) {
    super("stack-outputs", message);
  }
}

/**
 * The runbook's input from the configuration and the real outputs of one stack. The other cell is known by its names, since it may be lost
 * when the runbook is made.
 *
 * @param outputs what `pulumi stack output --json` printed, parsed
 * @param now when
 * @throws OutputsError when outputs are missing, all named at once, or are of another stack than the configuration.
 */
export function runbookInput(facts: StackFacts, outputs: unknown, now: Date): RunbookInput {
  const parsed = outputsSchema.safeParse(outputs);
  if (!parsed.success) throw new OutputsError(missing(outputs, facts.stack));
  const own = parsed.data;
  const input = runbookInputByName(facts, now);
  const { name: cellName, region, signInUrl } = input.own;
  for (const [key, value] of Object.entries({ cellName, region, signInUrl })) {
    const given = own[key as "cellName" | "region" | "signInUrl"];
    if (given !== value) {
      throw new OutputsError(
        `The outputs are of another stack: ${key} is "${given}", and the configuration of ${facts.stack} says "${value}". ` +
          `Make them with: pulumi stack output -s ${facts.stack} --json`,
      );
    }
  }
  return { ...input, own: { ...input.own, ...own, name: cellName } };
}

/** The same by names alone, for what needs no outputs: names are chosen by the configuration. */
export function runbookInputByName(facts: StackFacts, now: Date): RunbookInput {
  const cell = normalizeCell({ ...facts, name: facts.stack });
  const peer = normalizeCell({ ...facts, name: facts.peerName, region: facts.peerRegion });
  return {
    generatedAt: now.toISOString(),
    partition: cell.partition,
    accountId: cell.accountId,
    own: byName(cell, facts.users),
    peer: byName(peer, facts.users),
    users: facts.users,
    path: DEFAULT_EMERGENCY_PATH,
    useIdleSeconds: facts.useIdleSeconds,
    rotatesAfterUse: facts.rotatesAfterUse,
    memberRoleName: facts.memberRoleName,
  };
}

function missing(outputs: unknown, stack: string): string {
  const make = `Make them with: pulumi stack output -s ${stack} --json`;
  if (typeof outputs !== "object" || outputs === null || Array.isArray(outputs)) {
    return `The outputs are not a JSON object. ${make}`;
  }
  const names = Object.keys(outputsSchema.shape);
  const lacking = names.filter((name) => typeof (outputs as Record<string, unknown>)[name] !== "string");
  return `The outputs lack ${lacking.join(", ")}. ${make}. If they still lack them, deploy the stack first: pulumi up -s ${stack}`;
}

/** A cell by what its names are, whether it answers or not. */
function byName(cell: Cell, users: readonly RunbookUser[]): RunbookCell {
  const watched = watchNames(cell, {
    userNames: users.map(({ userName }) => userName),
    path: DEFAULT_EMERGENCY_PATH,
    accountId: cell.accountId,
  });
  return {
    name: cell.name,
    region: cell.region,
    signInUrl: consoleSignInUrl(cell.accountId, cell.region),
    alertTopicArn: cellArn(cell, "sns", regionalName(cell, "breakglass-alerts")),
    recordsTableName: evidenceTableName(cell),
    trailArn: trailArn(cell),
    trailBucketName: trailBucketName(cell),
    trailLogGroupName: trailLogGroupName(cell),
    ruleNames: [...alertedPatterns(watched), ...trackedPatterns(watched)].map(({ name }) =>
      regionalName(cell, name),
    ),
    alarmNames: users.map(({ userName }) => useAlarmName(userName)),
  };
}
