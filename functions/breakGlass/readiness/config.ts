/** From a few settings to everything that is expected, by the same names that the components give. */
import * as z from "zod";
import { DENY_WITHOUT_MFA_POLICY } from "../../../components/breakGlassAccount/denyWithoutMfa";
import {
  readinessAlarmName,
  reportsBucketName,
  STEWARD,
  stewardStoppedAlarmName,
  uncheckedAlarmName,
} from "../../../components/breakGlassAccount/readinessNames";
import {
  trailBucketName,
  trailLogGroupName,
  trailName,
  useAlarmName,
  useFilterName,
} from "../../../components/breakGlassAccount/trailNames";
import { functionNames } from "../../../components/lambda/functionNames";
import { type Cell, cellArn, normalizeCell, regionalName } from "../../../components/regional/cell";
import {
  arn,
  awsManagedPolicyArn,
  hasSecurityKeys,
  partitionOf,
} from "../../../components/regional/partition";
import { expectedRules, USE_TRACKER } from "./expectedRules";
import type { ExpectedCell, ReadinessPolicy } from "./policy";
import { REQUIREMENTS } from "./requirements";

/** The settings: what the component puts into the function's environment, and the command reads from the stacks' files. */
export const readinessConfigSchema = z.object({
  namePrefix: z.string(),
  accountId: z.string(),
  stsEndpoint: z.string(),
  /** Both cells, or the one that there is; the first owns the users. */
  cells: z.array(z.object({ name: z.string(), region: z.string() })).min(1),
  userNames: z.array(z.string()).min(2),
  path: z.string(),
  /** Name of the topic in each cell. */
  topicName: z.string(),
  /** What the topic feeds besides SNS's own mails: `mail`, `slack`, `teams`. */
  channels: z.array(z.string()),
  /** Further functions of each cell, by their own names, whose errors and dead letters are looked at. */
  functions: z.array(z.string()),
  /** Name of the bus in each cell that member accounts and sign-in regions send to; without one, the latter send to the default bus. */
  hubBusName: z.string().optional(),
  /** Regions whose events are sent to the cells that do not stand there. */
  signInRegions: z.array(z.string()),
  /** Roles that may read the organization, tried one after the other; none: whoever checks reads it with their own credentials. */
  organizationRoleArns: z.array(z.string()),
  passwordPolicy: z.object({ minimumLength: z.number(), maximumAgeDays: z.number() }).optional(),
  passwordMaxAgeDays: z.number(),
  drillMaxAgeDays: z.number(),
  toleratedScpStatements: z.array(z.string()),
});

/** The settings. */
export type ReadinessConfig = z.infer<typeof readinessConfigSchema>;

/** Hours after which a daily run counts as missed. */
export const STEWARD_MAX_AGE_HOURS = 26;

/** The cells of the settings. */
export function cellsOf({ cells, namePrefix, accountId, stsEndpoint }: ReadinessConfig): Cell[] {
  return cells.map((cell) => normalizeCell({ ...cell, namePrefix, accountId, stsEndpoint }));
}

/**
 * What is expected.
 * @param own the cell that is looked at from within, which judges its own monitoring and the other's steward; without one, both cells in whole
 */
export function readinessPolicy(config: ReadinessConfig, own?: string): ReadinessPolicy {
  const cells = cellsOf(config);
  const owner = cells[0]!;
  const partition = partitionOf(owner.region);
  const policyPath = `policy${config.path}${regionalName(owner, DENY_WITHOUT_MFA_POLICY)}`;
  return {
    partition,
    accountId: config.accountId,
    path: config.path,
    userNames: config.userNames,
    ownerCell: owner.name,
    denyPolicyArn: arn({ partition, service: "iam", account: config.accountId, resource: policyPath }),
    administratorPolicyArn: awsManagedPolicyArn(partition, "AdministratorAccess"),
    ...(config.passwordPolicy && { passwordPolicy: config.passwordPolicy }),
    passwordMaxAgeDays: config.passwordMaxAgeDays,
    drillMaxAgeDays: config.drillMaxAgeDays,
    stewardMaxAgeHours: STEWARD_MAX_AGE_HOURS,
    demandsFido: hasSecurityKeys(partition),
    toleratedScpStatements: config.toleratedScpStatements,
    cells: cells
      .filter((cell) => own === undefined || cell.name === own)
      .map((cell) => expectedCell(config, cell)),
    stewards: cells
      .filter((cell) => cell.name !== own)
      .map((cell) => ({
        cell: cell.name,
        region: cell.region,
        functionName: regionalName(cell, STEWARD),
        bucketName: reportsBucketName(cell),
      })),
    evidenceCells: cells.map((cell) => cell.name),
    stsRegions: cells.map((cell) => cell.region),
  };
}

function expectedCell(config: ReadinessConfig, cell: Cell): ExpectedCell {
  const queues = queueNames(config, cell);
  return {
    name: cell.name,
    region: cell.region,
    rules: expectedRules(config, cell),
    topicArn: cellArn(cell, "sns", config.topicName),
    trail: {
      name: trailName(cell),
      bucketName: trailBucketName(cell),
      logGroupName: trailLogGroupName(cell),
    },
    metricFilters: config.userNames.map(useFilterName),
    alarms: [
      ...config.userNames.map(useAlarmName),
      // A queue of undelivered messages has an alarm of its own name.
      ...queues,
      ...functionsOf(config).map((name) => `${regionalName(cell, name)}-errors`),
      stewardStoppedAlarmName(cell),
      uncheckedAlarmName(cell),
    ],
    readinessAlarms: REQUIREMENTS.map(({ id }) => readinessAlarmName(cell, id)),
    queues,
  };
}

/** The functions that take part in alerting, by their own names. */
function functionsOf({ topicName, channels, functions, namePrefix }: ReadinessConfig): string[] {
  const prefix = `${namePrefix}-`;
  const start = topicName.startsWith(prefix) ? topicName.slice(prefix.length) : topicName;
  return [USE_TRACKER, STEWARD, ...channels.map((channel) => `${start}-${channel}`), ...functions];
}

/** The queues that keep alerts and events which could not be delivered. */
function queueNames(config: ReadinessConfig, cell: Cell): string[] {
  const { topicName, channels, hubBusName } = config;
  return [
    regionalName(cell, "breakglass-undelivered"),
    ...(hubBusName ? [`${hubBusName}-dead-letters`] : []),
    ...(channels.length > 0 ? [`${topicName}-dead-letters`] : []),
    ...functionsOf(config).map((name) => functionNames(cell, name).deadLetterQueueName),
  ];
}
