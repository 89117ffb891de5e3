import { createHash } from "node:crypto";
import * as z from "zod";
import { cleanLine } from "../../shared/text/cleanText";
import { valuesAt } from "../events/condition";
import { DIRECT_SIGN_IN } from "../events/patterns";
import { SIGN_IN_EVENT_SOURCE } from "../events/useRules";

/**
 * What is kept of an event: who did what, when, where from, and what came of it. No parameters, which may hold secrets; of them only names
 * and ids of what was acted on.
 */
export const observationSchema = z.object({
  eventId: z.string().min(1),
  /** When it happened, ISO 8601 in UTC. */
  time: z.iso.datetime(),
  /** Such as `iam.amazonaws.com`. */
  service: z.string(),
  /** Such as `CreateUser`. */
  call: z.string(),
  region: z.string(),
  account: z.string(),
  /** ARN of who acted, else the name. */
  actor: z.string(),
  ip: z.string(),
  agent: z.string(),
  /** Whether a second factor was given; empty when the event does not say. */
  mfa: z.enum(["yes", "no", ""]),
  /** Empty when it succeeded, else the error's code, `Failure` for sign-ins. */
  error: z.string(),
  readOnly: z.boolean(),
  /** The service that acted on behalf of the user, if one did. */
  via: z.string(),
  /** ARN of the role that was switched into, if it was that. */
  role: z.string(),
  /** What was acted on, as `name=value`. */
  on: z.string(),
  /** The classification's rule. */
  rule: z.string(),
  why: z.string(),
});

/** One event as it is kept. */
export type Observation = z.infer<typeof observationSchema>;

const TEXT_LIMIT = 300;
const OBJECTS_SHOWN = 3;
const READING =
  /^(Get|List|Describe|Head|Lookup|BatchGet|Search|Query|Scan|Filter|View|Select|Check|Test|Preview|Simulate)/;
/** Parameters that say on what a call acts: ids, names and ARNs, which are no secrets. */
const NAMING = /(name|names|id|arn|identifier|url|rule)$/i;
const NOT_NAMING = /(token|session|client|request|kms|externalId|accessKeyId)/i;

/**
 * Reads an event. Never throws: what is missing or of a strange type is left empty.
 * @param event as it came, perhaps wrapped by EventBridge; for its id and time when the record has none
 * @param seenAt stands in for a time that is missing or no time, ISO 8601
 */
export function observe(
  event: unknown,
  record: object,
  verdict: { rule: string; why: string },
  seenAt: string,
): Observation {
  const text = (path: string) => firstText(record, path);
  const outcome =
    text("responseElements.ConsoleLogin") ||
    text("responseElements.CheckMfa") ||
    text("responseElements.SwitchRole");
  const service = text("eventSource");
  const call = text("eventName");
  const time = text("eventTime") || firstText(event, "time");
  const readOnly = valuesAt(record, ["readOnly"])[0];
  return {
    eventId: (text("eventID") || firstText(event, "id") || hash(record)).slice(0, 100),
    time: isTime(time) ? new Date(time).toISOString() : seenAt,
    service,
    call,
    region: text("awsRegion") || firstText(event, "region"),
    account: text("recipientAccountId") || firstText(event, "account") || text("userIdentity.accountId"),
    actor: text("userIdentity.arn") || text("userIdentity.userName") || text("userIdentity.type"),
    ip: text("sourceIPAddress"),
    agent: text("userAgent"),
    mfa: yesOrNo(
      text("additionalEventData.MFAUsed") || text("userIdentity.sessionContext.attributes.mfaAuthenticated"),
    ),
    error: text("errorCode") || (outcome === "Failure" ? outcome : ""),
    readOnly:
      typeof readOnly === "boolean" ? readOnly : service !== SIGN_IN_EVENT_SOURCE && READING.test(call),
    via: text("userIdentity.invokedBy"),
    role: roleOf(service, call, text),
    on: actedOn(record),
    rule: verdict.rule,
    why: verdict.why,
  };
}

/** Whether an event rule has told of it already, straight to the topic. */
export function isToldDirectly({ service, call }: Observation): boolean {
  return service === SIGN_IN_EVENT_SOURCE && call === DIRECT_SIGN_IN;
}

/** Whether it shows that somebody has the password: everything but a sign-in that failed. */
export function showsPassword(observation: Observation): boolean {
  return !(isToldDirectly(observation) && observation.error !== "");
}

/** Whether AWS said no (fact 22). */
export function isDenied({ error }: Observation): boolean {
  return /AccessDenied|UnauthorizedOperation|^Failure$/.test(error);
}

function roleOf(service: string, call: string, text: (path: string) => string): string {
  if (service === SIGN_IN_EVENT_SOURCE) return call === "SwitchRole" ? text("userIdentity.arn") : "";
  return service === "sts.amazonaws.com" && call.startsWith("Assume")
    ? text("requestParameters.roleArn") || text("requestParameters.targetPrincipal")
    : "";
}

function actedOn(record: object): string {
  const parameters = (record as { requestParameters?: unknown }).requestParameters;
  if (typeof parameters !== "object" || parameters === null) return "";
  return Object.entries(parameters)
    .filter(
      ([name, value]) =>
        NAMING.test(name) && !NOT_NAMING.test(name) && typeof value === "string" && value !== "",
    )
    .slice(0, OBJECTS_SHOWN)
    .map(([name, value]) => `${cleanLine(name, 60)}=${cleanLine(String(value), 150)}`)
    .join(", ");
}

function firstText(value: unknown, path: string): string {
  const found = valuesAt(value, path.split(".")).find((one) => typeof one === "string");
  return typeof found === "string" ? cleanLine(found, TEXT_LIMIT) : "";
}

function yesOrNo(text: string): Observation["mfa"] {
  if (/^(yes|true)$/i.test(text)) return "yes";
  return /^(no|false)$/i.test(text) ? "no" : "";
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text));
}

/** Stands in for the id of an event that has none: the same event, the same id. */
function hash(record: object): string {
  return createHash("sha256").update(JSON.stringify(record)).digest("hex");
}
