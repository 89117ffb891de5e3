import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { LOG_RETENTION_DAYS } from "../components/lambda/logRetention";
import {
  isRegionName,
  PARTITION_NAMES,
  partitionOf,
  STS_ENDPOINT_KINDS,
} from "../components/regional/partition";
import { LANGUAGES } from "../functions/approval/directory/document";
import { DOCUMENT_ADDRESS } from "../functions/approval/directory/documentAddress";
import { isTimeZone } from "../functions/approval/http/settings";
import { KNOWN_EVENTS } from "../functions/approval/operations/catalogue";

/**
 * The whole configuration of a stack. Pulumi.yaml declares every key with type, default and description; this file says which values are
 * allowed. Nothing else reads Pulumi's configuration.
 */

const accountId = z.string().regex(/^\d{12}$/, "an account id of 12 digits");
const region = z.string().refine(isRegionName, "the name of an AWS region, such as us-west-2");
const address = z.email("an e-mail address");
const addresses = z.array(address);
const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,19}$/,
    "a lower-case letter, then at most 19 lower-case letters, digits and hyphens",
  );
const parameterName = z.string().regex(/^\/?[\w.\-/]{1,1010}$/, "the name of an SSM parameter");
const organizationalUnitId = z
  .string()
  .regex(/^(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32})$/, "an organizational unit's or root's id");
const days = z.int().min(1).max(3650, "1 to 3650 days");
const externalId = z
  .string()
  .regex(/^[\w+=,.@:/-]{2,1224}$/, "an external id, 2 letters, digits and +=,.@:/- or more");
const https = z.url({ protocol: /^https$/, error: "an https address" });
const documentAddress = z.string().regex(DOCUMENT_ADDRESS, "s3://BUCKET/KEY or ssm:/NAME");
const hour = z.int().min(0).max(24, "an hour, 0 to 24");
/** An optional string: Pulumi.yaml's default is the empty one. */
const orEmpty = <T extends z.ZodType<string>>(schema: T) => z.union([z.literal(""), schema]);

const schema = z.object({
  role: z.enum(["primary", "standby"], "primary or standby"),
  region,
  peerName: name,
  peerRegion: region,
  accountId,
  partition: z.enum(PARTITION_NAMES, `one of ${PARTITION_NAMES.join(", ")}`),
  namePrefix: name,
  stsEndpoint: z.enum(STS_ENDPOINT_KINDS, `one of ${STS_ENDPOINT_KINDS.join(", ")}`),
  tags: z.array(z.string().regex(/^[^=]{1,128}=.{0,256}$/, "a tag as key=value")),
  emergencyUsers: z
    .array(z.string().regex(/^[\w+=,.@-]{1,64}$/, "an IAM user name"))
    .min(2, "at least 2 names"),
  custodians: addresses,
  custodianPgpKeys: z.array(z.string().min(1, "a PGP public key")),
  passwordRotation: z.enum(["off", "afterUse"], "off or afterUse"),
  accountPasswordPolicy: z.boolean(),
  passwordMinimumLength: z.int().min(8).max(40, "8 to 40 characters"),
  passwordMaxAgeDays: z.int().min(1).max(1095, "1 to 1095 days"),
  drillMaxAgeDays: z.int().min(1).max(400, "1 to 400 days"),
  signInRegions: z.array(region),
  digestSeconds: z.int().min(60).max(86_400, "60 to 86400 seconds"),
  useIdleSeconds: z.int().min(120).max(86_400, "120 to 86400 seconds"),
  runbookUrl: orEmpty(https),
  toleratedScpStatements: z.array(z.string().regex(/^p-\w+\/.+$/, "POLICY-ID/SID")),
  trailExpiryDays: z.int().min(30).max(36_500, "30 to 36500 days"),
  trailObjectLock: z.enum(["none", "GOVERNANCE", "COMPLIANCE"], "none, GOVERNANCE or COMPLIANCE"),
  trailObjectLockDays: z.int().min(1).max(36_500, "1 to 36500 days"),
  alertEmails: addresses.min(1, "at least one address"),
  mailTransport: z.enum(["none", "ses", "smtp"], "none, ses or smtp"),
  mailFrom: orEmpty(address),
  mailTo: addresses,
  smtpHost: orEmpty(z.string().regex(/^[\w.-]{1,253}$/, "a host name")),
  smtpPort: z.int().min(1).max(65535, "a port, 1 to 65535"),
  smtpUserParameter: orEmpty(parameterName),
  smtpPasswordParameter: orEmpty(parameterName),
  slackWebhookParameter: orEmpty(parameterName),
  teamsWebhookParameter: orEmpty(parameterName),
  organizationId: orEmpty(
    z.string().regex(/^o-[a-z0-9]{10,32}$/, "an organization's id, such as o-a1b2c3d4e5"),
  ),
  managementAccountId: orEmpty(accountId),
  managementRoleName: z.string().regex(/^[\w+=,.@-]{1,64}$/, "an IAM role name"),
  memberAccess: z.enum(["none", "stackSet", "providers"], "none, stackSet or providers"),
  memberOrganizationalUnitIds: z.array(organizationalUnitId),
  memberAccountIds: z.array(accountId),
  memberRoleName: z.string().regex(/^[\w+=,.@-]{1,64}$/, "an IAM role name"),
  memberRegions: z.array(region),
  keyRotation: z.enum(["off", "audit", "enforce"], "off, audit or enforce"),
  keyRotationExternalId: orEmpty(externalId),
  keyRotateDays: days,
  keyDeactivateDays: days,
  keyDeleteDays: days,
  keyIdleDays: z.int().min(0).max(3650, "0 to 3650 days"),
  keyExemptGroup: orEmpty(z.string().regex(/^[\w+=,.@-]{1,128}$/, "the name of an IAM group")),
  keyAccountIds: z.array(accountId),
  keyExcludedAccountIds: z.array(accountId),
  keyOrganizationalUnitIds: z.array(organizationalUnitId),
  keyStorage: z.enum(["central", "member"], "central or member"),
  keyReplicaRegions: z.array(region),
  keyReplicaKmsKeyArns: z.array(
    z.string().regex(/^arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)\/[\w/-]+$/, "the ARN of a KMS key"),
  ),
  keyIntervalHours: z.int().min(1).max(144, "1 to 144 hours"),
  standbySchedules: z.enum(["enabled", "disabled"], "enabled or disabled"),
  approval: z.enum(["off", "on"], "off or on"),
  approvalDirectory: orEmpty(documentAddress),
  approvalEvents: z.array(z.enum(KNOWN_EVENTS as [string, ...string[]], `of ${KNOWN_EVENTS.join(", ")}`)),
  approvalRoleSessions: z.boolean(),
  approvalSso: z.boolean(),
  approvalExternalId: orEmpty(externalId),
  approvalExecution: z.enum(["session", "role"], "session or role"),
  approvalSnapshots: z.enum(["never", "service", "backup"], "never, service or backup"),
  approvalBackupVault: z.string().regex(/^[\w-]{2,50}$/, "the name of a vault of AWS Backup"),
  approvalBackupRole: z.string().regex(/^[\w+=,.@/-]{1,512}$/, "an IAM role, as PATH/NAME or NAME"),
  approvalBackupDays: z.int().min(1).max(36_500, "1 to 36500 days"),
  approvalConfirmationSeconds: z.int().min(1).max(2_592_000, "1 to 2592000 seconds"),
  approvalWorkSeconds: z.int().min(60).max(86_400, "60 to 86400 seconds"),
  approvalLanguage: z.enum(LANGUAGES, `one of ${LANGUAGES.join(", ")}`),
  approvalTimeZone: z.string().refine(isTimeZone, "an IANA time zone, such as Europe/Berlin"),
  approvalWorkingHours: z.tuple([hour, hour], "two hours, such as 8 and 18"),
  approvalWorkingDays: z.array(z.int().min(0).max(6, "0 (Sunday) to 6")),
  approvalRiskTags: z.array(
    z
      .string()
      .regex(/^[^=]{1,128}=.{0,256}:(\d{1,2}|100)$/, "a tag as key=value:points, with 0 to 100 points"),
  ),
  approvalRiskModelUrl: orEmpty(https),
  approvalRiskModelParameter: orEmpty(parameterName),
  approvalMailTemplates: orEmpty(documentAddress),
  approvalSlackWebhookParameter: orEmpty(parameterName),
  approvalTeamsWebhookParameter: orEmpty(parameterName),
  approvalSlackSigningParameter: orEmpty(parameterName),
  approvalSlackTeam: orEmpty(
    z.string().regex(/^[TE][A-Z0-9]{2,20}$/, "a Slack workspace's id, such as T02ABCDEF"),
  ),
  approvalDomain: orEmpty(
    z
      .string()
      .regex(
        /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
        "a host name such as approval.example.com",
      ),
  ),
  approvalCertificateArn: orEmpty(
    z.string().regex(/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/, "the ARN of a certificate"),
  ),
  approvalIssuer: orEmpty(https),
  approvalClientId: z.string().max(255, "a client's id"),
  approvalClientSecretParameter: orEmpty(parameterName),
  approvalCookieKeyParameter: orEmpty(parameterName),
  approvalScopes: z.string().max(500, "scopes with blanks between them"),
  approvalIdentityClaim: z.string().min(1, "a claim's name"),
  approvalGroupsClaim: z.string().max(255, "a claim's name"),
  approvalVerifiedEmail: z.boolean(),
  approvalActing: z.enum(["signIn", "either"], "signIn or either"),
  approvalSessionSeconds: z.int().min(60).max(86_400, "60 to 86400 seconds"),
  approvalIamUserAccounts: z.array(accountId),
  approvalActiveWithoutAnswer: z.boolean(),
  approvalRequestsPerSecond: z.int().min(1).max(2_500, "1 to 2500"),
  network: z.enum(["none", "create", "existing"], "none, create or existing"),
  networkCidr: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2[0-4])$/, "an IPv4 range from /16 to /24, such as 10.64.0.0/20"),
  vpcId: orEmpty(z.string().regex(/^vpc-[0-9a-f]{8,17}$/, "a VPC's id")),
  subnetIds: z.array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, "a subnet's id")),
  routeTableIds: z.array(z.string().regex(/^rtb-[0-9a-f]{8,17}$/, "a route table's id")),
  logRetentionDays: z
    .int()
    .refine((days) => LOG_RETENTION_DAYS.includes(days), `one of ${LOG_RETENTION_DAYS.join(", ")}`),
  deletionProtection: z.boolean(),
});

/** The configuration of one stack, checked. Every key as Pulumi.yaml describes it. */
export type StackConfig = z.infer<typeof schema>;
type Key = keyof StackConfig;

/** The keys of the configuration, without their namespace. */
export const CONFIG_KEYS = Object.keys(schema.shape) as Key[];

/** One thing wrong with the configuration. */
interface Problem {
  /** Such as `bulkhead:alertEmails[1]`. */
  key: string;
  value: unknown;
  allowed: string;
}

/** The configuration cannot be used; the message lists every problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly Problem[]) {
    super(
      [
        `The configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}:`,
        ...problems.map(({ key, value, allowed }) => `  ${key} is ${shown(value)}: ${allowed}`),
        "Set a value with: pulumi config set KEY VALUE (a list: pulumi config set --path 'KEY[0]' VALUE).",
      ].join("\n"),
    );
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "not set";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What one key demands of others; run only when each value by itself is right. */
function crossChecks(config: StackConfig): Problem[] {
  const problems: Problem[] = [];
  const demand = (met: boolean, key: Key, allowed: string) => {
    if (!met) problems.push({ key: `bulkhead:${key}`, value: config[key], allowed });
  };
  const given = (key: Key) => config[key].toString() !== "";
  for (const key of ["region", "peerRegion"] as const) {
    demand(
      partitionOf(config[key]) === config.partition,
      key,
      `a region of the partition ${config.partition}`,
    );
  }
  demand(config.peerRegion !== config.region, "peerRegion", "another region than the cell's own");
  for (const key of ["memberRegions", "signInRegions"] as const) {
    for (const each of config[key])
      demand(partitionOf(each) === config.partition, key, `regions of the partition ${config.partition}`);
  }
  if (config.stsEndpoint.startsWith("fips")) {
    demand(
      /^(us|us-gov|ca)-/.test(config.region),
      "stsEndpoint",
      "a FIPS endpoint exists in regions of the United States and Canada only",
    );
  }
  if (config.role === "primary" || config.passwordRotation !== "off") {
    const perUser = `one for each of the ${config.emergencyUsers.length} emergencyUsers, in their order`;
    demand(config.custodians.length === config.emergencyUsers.length, "custodians", perUser);
    demand(config.custodianPgpKeys.length === config.emergencyUsers.length, "custodianPgpKeys", perUser);
  }
  demand(
    config.trailObjectLock === "none" || config.trailObjectLockDays <= config.trailExpiryDays,
    "trailObjectLockDays",
    `at most trailExpiryDays, which is ${config.trailExpiryDays}`,
  );
  if (config.mailTransport !== "none") {
    demand(given("mailFrom"), "mailFrom", `required with mailTransport ${config.mailTransport}`);
    demand(given("mailTo"), "mailTo", `required with mailTransport ${config.mailTransport}`);
  }
  if (config.mailTransport === "smtp") {
    for (const key of ["smtpHost", "smtpUserParameter", "smtpPasswordParameter"] as const) {
      demand(given(key), key, "required with mailTransport smtp");
    }
  }
  demand(
    config.mailTransport !== "ses" || config.partition !== "aws-cn",
    "mailTransport",
    "none or smtp: China has no SES",
  );
  if (config.memberAccess !== "none") {
    demand(given("organizationId"), "organizationId", `required with memberAccess ${config.memberAccess}`);
    demand(
      given("managementAccountId"),
      "managementAccountId",
      `required with memberAccess ${config.memberAccess}`,
    );
  }
  demand(
    config.memberAccess !== "stackSet" || config.memberOrganizationalUnitIds.length > 0,
    "memberOrganizationalUnitIds",
    "required with memberAccess stackSet: at least one unit, or the root",
  );
  demand(
    config.memberAccess !== "providers" || config.memberAccountIds.length > 0,
    "memberAccountIds",
    "required with memberAccess providers: at least one account",
  );
  checkKeyRotation(config, demand);
  checkApproval(config, demand);
  if (config.network === "existing") {
    demand(given("vpcId"), "vpcId", "required with network existing");
    demand(config.subnetIds.length >= 2, "subnetIds", "with network existing: two subnets or more");
    demand(
      config.routeTableIds.length >= 1,
      "routeTableIds",
      "with network existing: the subnets' route tables",
    );
  } else {
    for (const key of ["vpcId", "subnetIds", "routeTableIds"] as const) {
      demand(!given(key), key, "only with network existing");
    }
  }
  demand(
    config.network === "none" || config.mailTransport !== "ses",
    "mailTransport",
    "smtp in a private network: its endpoint for SES takes SMTP only",
  );
  return problems;
}

/** What rotating keys demands of the configuration, whether it is on or not yet. */
function checkKeyRotation(
  config: StackConfig,
  demand: (met: boolean, key: Key, allowed: string) => void,
): void {
  const { keyRotation, keyStorage, keyRotateDays, keyDeactivateDays, keyDeleteDays, keyReplicaRegions } =
    config;
  if (keyRotation !== "off") {
    const withIt = `required with keyRotation ${keyRotation}`;
    demand(config.keyRotationExternalId !== "", "keyRotationExternalId", withIt);
    demand(
      config.memberAccess !== "none",
      "memberAccess",
      `stackSet or providers with keyRotation ${keyRotation}: it works through a role in each account`,
    );
  }
  demand(
    keyDeactivateDays > keyRotateDays,
    "keyDeactivateDays",
    `more than keyRotateDays, which is ${keyRotateDays}`,
  );
  demand(
    keyDeleteDays > keyDeactivateDays,
    "keyDeleteDays",
    `more than keyDeactivateDays, which is ${keyDeactivateDays}`,
  );
  demand(
    keyReplicaRegions.every(
      (each, index) =>
        partitionOf(each) === config.partition &&
        ![config.region, config.peerRegion].includes(each) &&
        keyReplicaRegions.indexOf(each) === index,
    ),
    "keyReplicaRegions",
    `regions of the partition ${config.partition}, each once, and not the two cells' own, which have the keys anyway`,
  );
  demand(
    config.keyReplicaKmsKeyArns.length === (keyStorage === "central" ? keyReplicaRegions.length : 0),
    "keyReplicaKmsKeyArns",
    keyStorage === "central"
      ? `one for each of the ${keyReplicaRegions.length} keyReplicaRegions, in their order: no other account can read with the key that AWS manages`
      : "only with keyStorage central",
  );
}

/** What approval demands of the configuration, whether it is on or not yet. */
function checkApproval(config: StackConfig, demand: (met: boolean, key: Key, allowed: string) => void): void {
  const given = (key: Key) => config[key].toString() !== "";
  const together = (key: Key, needed: Key) =>
    demand(!given(key) || given(needed), needed, `required with ${key}`);
  if (config.approval === "on") {
    demand(given("approvalDirectory"), "approvalDirectory", "required with approval on");
    demand(
      config.mailTransport !== "none",
      "mailTransport",
      "ses or smtp with approval on: people are asked by mail",
    );
  }
  const [from, to] = config.approvalWorkingHours;
  demand(from < to, "approvalWorkingHours", "the first hour before the last one");
  together("approvalRiskModelParameter", "approvalRiskModelUrl");
  together("approvalSlackSigningParameter", "approvalSlackTeam");
  together("approvalSlackTeam", "approvalSlackSigningParameter");
  together("approvalSlackSigningParameter", "approvalSlackWebhookParameter");
  together("approvalDomain", "approvalCertificateArn");
  together("approvalCertificateArn", "approvalDomain");
  together("approvalIssuer", "approvalClientId");
  together("approvalIssuer", "approvalCookieKeyParameter");
  for (const key of ["approvalClientId", "approvalClientSecretParameter", "approvalGroupsClaim"] as const) {
    together(key, "approvalIssuer");
  }
}

/**
 * Checks a configuration's values.
 * @throws ConfigError with every problem at once, each naming key, value and what is allowed.
 */
export function parseConfig(values: Record<string, unknown>): StackConfig {
  const result = schema.safeParse(values);
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map((issue) => ({
        key: `bulkhead:${issue.path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i ? "." : ""}${String(part)}`)).join("")}`,
        value: issue.path.reduce<unknown>(
          (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
          values,
        ),
        allowed: issue.message,
      })),
    );
  }
  const problems = crossChecks(result.data);
  if (problems.length) throw new ConfigError(problems);
  return result.data;
}

/** What is taken as it stands; everything else is JSON. */
const TEXT_TYPES = [z.ZodString, z.ZodEnum, z.ZodUnion] as const;

/** Reads the running stack's configuration. @throws ConfigError */
export function readConfig(): StackConfig {
  const config = new pulumi.Config("bulkhead");
  // Pulumi hands out text; a value that is not JSON is a plain string, such as a region's name or an account id.
  const value = (key: Key): unknown => {
    const text = config.get(key);
    if (text === undefined) return undefined;
    if (!TEXT_TYPES.some((type) => schema.shape[key] instanceof type)) {
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    }
    return text;
  };
  return parseConfig(Object.fromEntries(CONFIG_KEYS.map((key) => [key, value(key)])));
}
