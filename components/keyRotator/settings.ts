import * as pulumi from "@pulumi/pulumi";
import { builtInTemplate, templateProblem } from "../../functions/keyRotation/notify/render";
import { type KeyRotationSettingsInput, parseSettings } from "../../functions/keyRotation/settings";
import { peerOf } from "../activation/peer";
import { DEFAULT_EMERGENCY_PATH } from "../breakGlassAccount/emergencyUsers";
import { LOG_RETENTION_DAYS } from "../lambda/logRetention";
import { organizationReaderRoleArn } from "../memberAccess/organizationReader";
import { planMail } from "../notification/channels";
import { type Cell, normalizeCell } from "../regional/cell";
import { isRegionName, partitionOf } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import type { KeyRotatorArgs, OwnerMailArgs, SecretReplicaArgs } from "./args";
import { bucketName, memberRolePathAndName, recordsTableName, secretsKeyAliasArn } from "./names";
import { checkEmergencyPath, oneOf } from "./requests";

/** Lambda's limit for all variables is 4 KB; the other variables, the topic's ARN and the queue's URL need less than one. */
const MAX_SETTINGS = 3_000;
/** Where everything of the rotator is in its bucket. */
export const BUCKET_PREFIX = "key-rotation/";

/** The arguments with their defaults, checked. */
export interface Normalized {
  readonly cell: Cell;
  readonly peer: Cell;
  readonly mode: "audit" | "enforce";
  readonly storage: "central" | "member";
  readonly secretsRegion: string;
  readonly secretsPrefix: string;
  /** Regions with replicas: the other one of the cells' two first. */
  readonly replicas: SecretReplicaArgs[];
  readonly organizationId: string;
  readonly managementAccountId: string;
  readonly accountIds: string[];
  readonly intervalHours: number;
  readonly scheduleEnabled: boolean;
  readonly accountConcurrency: number;
  readonly toleratedFailurePercentage: number;
  readonly logRetentionDays: number;
  readonly reportRetentionDays: number;
  readonly deletionProtection: boolean;
  /** What the mail needs of the notify function's role; undefined: nobody is mailed. */
  readonly mailStatements: PolicyStatement[] | undefined;
}

function wholeNumber(argument: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${argument} is ${value}: a whole number from ${least} to ${most}`);
}

function percentage(argument: string, value: number): number {
  if (value >= 0 && value <= 100) return value;
  throw new Error(`${argument} is ${value}: a number from 0 to 100`);
}

/** @throws Error naming the argument, its value and what is allowed */
export function normalize(args: KeyRotatorArgs): Normalized {
  const normalized = withDefaults(args);
  checkSettings(plainSettings(args, normalized));
  checkTemplates(args.mail);
  return normalized;
}

function withDefaults(args: KeyRotatorArgs): Normalized {
  const cell = normalizeCell(args.cell);
  const peer = peerOf(cell, args.peer);
  const storage = oneOf("storage", args.storage ?? "central", ["central", "member"]);
  const secretsRegion = args.secretsRegion ?? cell.region;
  if (secretsRegion !== cell.region && secretsRegion !== peer.region) {
    throw new Error(
      `secretsRegion is "${secretsRegion}": the region of one of the two cells, ${cell.region} or ${peer.region}`,
    );
  }
  const organizationId = args.organizationId ?? "";
  if (organizationId && !/^o-[a-z0-9]{10,32}$/.test(organizationId)) {
    throw new Error(`organizationId is "${organizationId}": an organization's id, such as o-a1b2c3d4e5`);
  }
  const managementAccountId = args.managementAccountId ?? "";
  const accountIds = args.accountIds ?? [];
  if (!managementAccountId && accountIds.length === 0) {
    throw new Error(
      "neither managementAccountId nor accountIds is given: name the management account, whose organization is looked after, or single accounts",
    );
  }
  checkEmergencyPath(args.emergencyPath);
  const logRetentionDays = args.logRetentionDays ?? 365;
  if (!LOG_RETENTION_DAYS.includes(logRetentionDays)) {
    throw new Error(`logRetentionDays is ${logRetentionDays}: one of ${LOG_RETENTION_DAYS.join(", ")}`);
  }
  return {
    cell,
    peer,
    mode: oneOf("mode", args.mode ?? "audit", ["audit", "enforce"]),
    storage,
    secretsRegion,
    secretsPrefix: args.secretsPrefix ?? "/bulkhead/keys",
    replicas: replicasOf(args, cell, peer, secretsRegion, storage),
    organizationId,
    managementAccountId,
    accountIds,
    intervalHours: wholeNumber("intervalHours", args.intervalHours ?? 24, 1, 144),
    scheduleEnabled: args.scheduleEnabled ?? true,
    accountConcurrency: wholeNumber("accountConcurrency", args.accountConcurrency ?? 10, 1, 1000),
    toleratedFailurePercentage: percentage(
      "toleratedFailurePercentage",
      args.toleratedFailurePercentage ?? 25,
    ),
    logRetentionDays,
    reportRetentionDays: wholeNumber("reportRetentionDays", args.reportRetentionDays ?? 400, 7, 36_500),
    deletionProtection: args.deletionProtection ?? true,
    mailStatements: args.mail && mailStatements(cell, args.mail),
  };
}

function replicasOf(
  args: KeyRotatorArgs,
  cell: Cell,
  peer: Cell,
  secretsRegion: string,
  storage: string,
): SecretReplicaArgs[] {
  const other = secretsRegion === cell.region ? peer.region : cell.region;
  const further = args.secretReplicas ?? [];
  const seen = new Set([secretsRegion, other]);
  further.forEach(({ region }, index) => {
    const argument = `secretReplicas[${index}].region`;
    if (!isRegionName(region) || partitionOf(region) !== cell.partition) {
      throw new Error(`${argument} is "${region}": a region of partition ${cell.partition}`);
    }
    if (seen.has(region)) {
      throw new Error(`${argument} is "${region}": that region has the secret or a replica already`);
    }
    seen.add(region);
  });
  // In the member's own account the key that AWS manages does; centrally, the other cell keeps a key of the same alias.
  const kmsKeyArn = storage === "central" ? secretsKeyAliasArn(cell, other) : undefined;
  return [{ region: other, ...(kmsKeyArn && { kmsKeyArn }) }, ...further];
}

/** The notify function's mail is planned as a notification's is; there it has fixed recipients, here the owners. */
function mailStatements(cell: Cell, mail: OwnerMailArgs): PolicyStatement[] {
  const { transport, from, smtp } = mail;
  return planMail(cell, { transport, from, to: [from], ...(smtp && { smtp }) }).statements;
}

/**
 * The functions' settings, as JSON.
 * @param notifyQueueUrl undefined: nobody is mailed
 */
export function settingsOf(
  args: KeyRotatorArgs,
  normalized: Normalized,
  notifyQueueUrl: pulumi.Input<string> | undefined,
): pulumi.Output<string> {
  return pulumi.jsonStringify({
    ...plainSettings(args, normalized),
    alertTopicArn: args.alertTopicArn,
    notifyQueueUrl: notifyQueueUrl ?? "",
  });
}

function plainSettings(args: KeyRotatorArgs, normalized: Normalized): KeyRotationSettingsInput {
  const { cell, peer, managementAccountId } = normalized;
  return {
    mode: normalized.mode,
    cell: {
      name: cell.name,
      region: cell.region,
      accountId: cell.accountId,
      namePrefix: cell.namePrefix,
    },
    peer: { name: peer.name, region: peer.region },
    policy: {
      ...(args.rotateDays !== undefined && { rotate: args.rotateDays }),
      ...(args.deactivateDays !== undefined && { deactivate: args.deactivateDays }),
      ...(args.deleteDays !== undefined && { delete: args.deleteDays }),
      ...(args.idleDays !== undefined && { idle: args.idleDays }),
    },
    ...(args.shortestRotateDays !== undefined && { shortestRotateDays: args.shortestRotateDays }),
    ...(args.exemptGroup && { exemptGroup: args.exemptGroup }),
    breakGlass: {
      users: args.emergencyUserNames ?? [],
      path: args.emergencyPath ?? DEFAULT_EMERGENCY_PATH,
    },
    memberRole: { name: memberRolePathAndName(cell), externalId: args.externalId },
    ...(managementAccountId && {
      organization: {
        managementAccountId,
        readerRoleArn: organizationReaderRoleArn(cell, managementAccountId),
        ...(args.organizationExternalId && { externalId: args.organizationExternalId }),
      },
    }),
    accounts: {
      include: normalized.accountIds,
      exclude: args.excludedAccountIds ?? [],
      organizationalUnitIds: args.organizationalUnitIds ?? [],
      tags: args.accountTags ?? [],
      readTags: args.readAccountTags ?? false,
    },
    secrets: {
      storage: normalized.storage,
      region: normalized.secretsRegion,
      kmsKeyId: normalized.storage === "central" ? secretsKeyAliasArn(cell, normalized.secretsRegion) : "",
      replicas: normalized.replicas.map(({ region, kmsKeyArn }) => ({ region, kmsKeyId: kmsKeyArn ?? "" })),
      prefix: normalized.secretsPrefix,
      ...(args.secretReaders && { readers: args.secretReaders }),
    },
    records: { tableName: recordsTableName(cell), peerTableName: recordsTableName(peer) },
    bucket: { name: bucketName(cell), prefix: BUCKET_PREFIX },
    ...(args.mail && { mail: mailSettings(args.mail) }),
    concurrency: args.userConcurrency ?? 5,
  };
}

function checkTemplates(mail: OwnerMailArgs | undefined): void {
  for (const { argument, given } of mailTemplates(mail)) {
    const problem = given === undefined ? undefined : templateProblem(given);
    if (problem) throw new Error(`mail.${argument}: ${problem}`);
  }
}

/** The templates: the arguments' names, the objects' keys, what was given, and what there is otherwise. */
export function mailTemplates(mail: OwnerMailArgs | undefined) {
  const [audit, enforce] = [builtInTemplate("audit"), builtInTemplate("enforce")];
  const key = (name: string) => `${BUCKET_PREFIX}templates/${name}`;
  return [
    {
      argument: "auditTemplate",
      key: key("audit.html"),
      given: mail?.auditTemplate,
      otherwise: audit.html,
    },
    {
      argument: "auditTextTemplate",
      key: key("audit.txt"),
      given: mail?.auditTextTemplate,
      otherwise: audit.text,
    },
    {
      argument: "enforceTemplate",
      key: key("enforce.html"),
      given: mail?.enforceTemplate,
      otherwise: enforce.html,
    },
    {
      argument: "enforceTextTemplate",
      key: key("enforce.txt"),
      given: mail?.enforceTextTemplate,
      otherwise: enforce.text,
    },
  ];
}

function mailSettings(mail: OwnerMailArgs): KeyRotationSettingsInput["mail"] {
  const { from, smtp } = mail;
  return {
    transport: smtp
      ? {
          kind: "smtp",
          from,
          host: smtp.host,
          ...(smtp.port !== undefined && { port: smtp.port }),
          ...(smtp.userParameter && {
            login: { userParameter: smtp.userParameter, passwordParameter: smtp.passwordParameter ?? "" },
          }),
        }
      : { kind: "ses", from },
    // Checked with all the other settings.
    ...(mail.to && { to: mail.to as ("tag" | "account" | "central")[] }),
    ...(mail.ownerTag && { ownerTag: mail.ownerTag }),
    ...(mail.central && { central: mail.central }),
  };
}

/** What an argument is called in the settings' own messages. */
const ARGUMENTS: readonly [RegExp, string][] = [
  [/^policy\.rotate\b/, "rotateDays"],
  [/^policy\.deactivate\b/, "deactivateDays"],
  [/^policy\.delete\b/, "deleteDays"],
  [/^policy\.idle\b/, "idleDays"],
  [/^memberRole\.externalId\b/, "externalId"],
  [/^organization\.managementAccountId\b/, "managementAccountId"],
  [/^organization\.externalId\b/, "organizationExternalId"],
  [/^accounts\.include\b/, "accountIds"],
  [/^accounts\.exclude\b/, "excludedAccountIds"],
  [/^accounts\.tags\b/, "accountTags"],
  [/^accounts\.organizationalUnitIds\b/, "organizationalUnitIds"],
  [/^secrets\.prefix\b/, "secretsPrefix"],
  [/^secrets\.readers\b/, "secretReaders"],
  [/^breakGlass\.users\b/, "emergencyUserNames"],
  [/^concurrency\b/, "userConcurrency"],
];

/**
 * The functions check their settings themselves; here the same check comes before anything is made.
 * @throws Error naming the argument that is wrong, or when the settings are longer than a function's environment holds
 */
function checkSettings(plain: KeyRotationSettingsInput): void {
  const size = Buffer.byteLength(JSON.stringify(plain));
  if (size > MAX_SETTINGS) {
    throw new Error(
      `the key rotator's settings have ${size} bytes, more than a function's environment holds (${MAX_SETTINGS}): ` +
        "name organizational units instead of single accounts, and a mailing list instead of many addresses",
    );
  }
  try {
    parseSettings(plain);
  } catch (error) {
    const problems = (error as Error).message.replace(/^\S+ is wrong: /, "").split("; ");
    const named = problems.map((problem) => {
      const found = ARGUMENTS.find(([pattern]) => pattern.test(problem));
      return found ? problem.replace(found[0], found[1]) : problem;
    });
    throw new Error(named.join("; "));
  }
}
