/** The provider's own arguments: which are understood, what they mean. Pure. */
import { PREFIX } from "./errors";
import {
  bool,
  hasUnknown,
  type Inputs,
  isPlainObject,
  list,
  map,
  normalizeFields,
  num,
  obj,
  set,
  str,
} from "./schema";
import { type CheckFailure, type CheckResult, type DiffResult, type Props, UNKNOWN } from "./types";

/** One role to assume on the way to the credentials in use. */
export interface AssumeRole {
  roleArn: string;
  externalId?: string;
  sessionName?: string;
  /** A duration as Go writes it, such as `1h` or `15m`. @default AWS's: one hour */
  duration?: string;
  policy?: string;
  policyArns?: string[];
  sourceIdentity?: string;
  tags?: Record<string, string>;
  transitiveTagKeys?: string[];
}

/** The provider's arguments, decoded. Absent ones take their default where they are used. */
export interface ProviderConfig {
  region?: string;
  accessKey?: string;
  secretKey?: string;
  token?: string;
  assumeRoles?: AssumeRole[];
  /** Addresses by the service's name in the provider, each naming the host that the genuine provider would call. */
  endpoints?: Record<string, string>[];
  defaultTags?: { tags?: Record<string, string> };
  allowedAccountIds?: string[];
  forbiddenAccountIds?: string[];
  stsRegion?: string;
  skipCredentialsValidation?: boolean;
  skipMetadataApiCheck?: boolean;
  skipRegionValidation?: boolean;
  skipRequestingAccountId?: boolean;
  useFipsEndpoint?: boolean;
  useDualstackEndpoint?: boolean;
  /** @default 2 */
  maxRetries?: number;
}

const CONFIG_INPUTS: Inputs = {
  region: str(),
  accessKey: str(),
  secretKey: str(),
  token: str(),
  assumeRoles: list(
    obj({
      roleArn: str({ required: true }),
      externalId: str(),
      sessionName: str(),
      duration: str(),
      policy: str(),
      policyArns: set(str()),
      sourceIdentity: str(),
      tags: map(),
      transitiveTagKeys: set(str()),
    }),
  ),
  endpoints: list(map()),
  defaultTags: obj({ tags: map() }),
  allowedAccountIds: set(str()),
  forbiddenAccountIds: set(str()),
  stsRegion: str(),
  skipCredentialsValidation: bool(),
  skipMetadataApiCheck: bool(),
  skipRegionValidation: bool(),
  skipRequestingAccountId: bool(),
  useFipsEndpoint: bool(),
  useDualstackEndpoint: bool(),
  maxRetries: num(),
};

/** What the engine adds to a provider's arguments for its own use. */
const ENGINE_KEYS = new Set(["version", "pluginDownloadURL", "pluginChecksums", "parameterization"]);

/** Arguments that are refused with better advice than "remove it". */
const ADVICE: Record<string, string> = {
  profile: "give accessKey and secretKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  sharedConfigFiles: "give accessKey and secretKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  sharedCredentialsFiles: "give accessKey and secretKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  assumeRoleWithWebIdentity: "use assumeRoles",
};

/** Names of services in `endpoints` that the stand-in calls. */
export const ENDPOINT_NAMES: Readonly<Record<string, string>> = {
  apigatewayv2: "apigatewayv2",
  cloudformation: "cloudformation",
  cloudtrail: "cloudtrail",
  cloudwatch: "cloudwatch",
  cloudwatchevents: "events",
  cloudwatchlog: "logs",
  cloudwatchlogs: "logs",
  dynamodb: "dynamodb",
  ec2: "ec2",
  eventbridge: "events",
  events: "events",
  iam: "iam",
  kms: "kms",
  lambda: "lambda",
  logs: "logs",
  s3: "s3",
  sfn: "sfn",
  sns: "sns",
  sqs: "sqs",
  ssm: "ssm",
  sts: "sts",
};

/** Region names have this form in every partition. */
const REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/;

/** Provider arguments that are not strings arrive as JSON text. Text that is not JSON is left as it is, and refused by its type. */
function decode(values: Props): Props {
  const decoded: Props = {};
  for (const [key, value] of Object.entries(values)) {
    const declared = CONFIG_INPUTS[key];
    if (ENGINE_KEYS.has(key) || key.startsWith("__")) continue;
    if (typeof value !== "string" || value === UNKNOWN || !declared || declared.kind === "string") {
      decoded[key] = value;
    } else if (value !== "") {
      try {
        decoded[key] = JSON.parse(value);
      } catch {
        decoded[key] = value;
      }
    }
  }
  return decoded;
}

/** Decodes the provider's arguments and finds what is wrong with them. */
export function parseConfig(values: Props): { config: ProviderConfig; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const config = normalizeFields(CONFIG_INPUTS, decode(values), "", failures, (path) => {
    const advice = ADVICE[path] ?? "remove it, or use the genuine provider on real AWS";
    return `${PREFIX}: the provider's argument "${path}" is not implemented; ${advice}`;
  });
  for (const key of ["region", "stsRegion"]) {
    const region = config[key];
    if (region !== undefined && !hasUnknown(region) && !REGION.test(region)) {
      failures.push({ property: key, reason: `${PREFIX}: "${region}" is not the name of a region` });
    }
  }
  if ((config.accessKey === undefined) !== (config.secretKey === undefined)) {
    failures.push({
      property: "accessKey",
      reason: `${PREFIX}: give accessKey and secretKey together, or neither`,
    });
  }
  for (const endpoints of Array.isArray(config.endpoints) ? config.endpoints : []) {
    if (!isPlainObject(endpoints)) continue;
    for (const [service, address] of Object.entries(endpoints)) {
      if (!(service in ENDPOINT_NAMES)) {
        const reason = `${PREFIX}: service "${service}" is not implemented; remove its endpoint`;
        failures.push({ property: `endpoints.${service}`, reason });
      } else if (!hasUnknown(address) && !URL.canParse(String(address))) {
        const reason = `${PREFIX}: "${address}" is not a URL; write https://HOST`;
        failures.push({ property: `endpoints.${service}`, reason });
      }
    }
  }
  return { config: config as ProviderConfig, failures };
}

/** CheckConfig: the arguments come back as they were, since they are what the engine stores. */
export function checkConfig(news: Props): CheckResult {
  return { inputs: news, failures: parseConfig(news).failures };
}

/**
 * DiffConfig: a changed argument never replaces the provider. Resources notice by themselves when their region changes with it.
 */
export function diffConfig(oldInputs: Props, news: Props): DiffResult {
  const keys = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
  const changed = keys.filter((key) => JSON.stringify(oldInputs[key]) !== JSON.stringify(news[key]));
  return {
    changed: changed.filter((key) => !key.startsWith("__")),
    replaces: [],
    deleteBeforeReplace: false,
  };
}

/**
 * Seconds of a Go duration, such as `1h30m`.
 * @throws Error when the text is not a duration.
 */
export function durationSeconds(duration: string): number {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)];
  if (parts.length === 0 || parts.map(([text]) => text).join("") !== duration) {
    throw new Error(`"${duration}" is not a duration: write it like 1h, 15m or 900s`);
  }
  const seconds = { h: 3600, m: 60, s: 1 };
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * seconds[unit as "h" | "m" | "s"], 0);
}
