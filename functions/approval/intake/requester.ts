/** Who made a call, and whether calls of such callers become requests. */
import type { Partition } from "../../../components/regional/partition";
import { HIDDEN, shown } from "../operations/fromRecord";
import { parseArn } from "../operations/values";
import { objectIn, textIn } from "./record";
import type { IntakeSettings } from "./settings";

/** The person or program that made a call. Everything is AWS's word, not the caller's, except a session's name. */
export interface Requester {
  readonly kind: "iamUser" | "roleSession" | "identityCenterUser" | "federatedUser";
  /** For people: a user's name, `ROLE/SESSION` of a session, the session's name for users of IAM Identity Center. */
  readonly name: string;
  readonly account: string;
  /** Absent for users of IAM Identity Center who act without a role. */
  readonly arn?: string;
  readonly principalId?: string;
  /** ARN of the role or user that the session comes from. */
  readonly issuerArn?: string;
  /** Who is behind a role session, where the role's users are made to say so; it cannot be changed along a chain of roles. */
  readonly sourceIdentity?: string;
}

/** The requester, or what becomes of the call instead. */
export type Identification =
  | { readonly requester: Requester }
  | { readonly ignore: string }
  | { readonly refuse: string };

const ACCOUNT = /^\d{12}$/;
const SSO_ROLE_PREFIX = "AWSReservedSSO_";

/** Tells who made the call from the record's userIdentity. */
export function identify(
  userIdentity: Readonly<Record<string, unknown>>,
  partition: Partition,
  settings: IntakeSettings,
): Identification {
  const type = textIn(userIdentity, "type");
  switch (type) {
    case "IAMUser":
      return iamUser(userIdentity, partition, settings);
    case "AssumedRole":
      return roleSession(userIdentity, partition, settings);
    case "FederatedUser":
      return federatedUser(userIdentity, partition, settings);
    case "IdentityCenterUser":
      return identityCenterUser(userIdentity, settings);
    case "Root":
      return { ignore: "the root user made the call: no operator, and watched by other means" };
    case "AWSService":
      return { ignore: "an AWS service made the call" };
    case "AWSAccount":
      return { refuse: "somebody of another account made the call, and the record does not say who" };
    case undefined:
      return { refuse: "the record does not say who made the call" };
    default:
      return { ignore: `a caller of type ${shown(type)} made the call; only users and sessions can ask` };
  }
}

/** Checks what every identity with an ARN has in common. */
function checkedArn(
  userIdentity: Readonly<Record<string, unknown>>,
  partition: Partition,
  service: "iam" | "sts",
  resource: RegExp,
): { arn: string; account: string; parts: string[] } | { refuse: string } {
  const arn = textIn(userIdentity, "arn");
  const parsed = arn === undefined || arn.length > 2_048 ? undefined : parseArn(arn);
  const match = parsed && resource.exec(parsed.resource);
  if (!arn || !parsed || !match || parsed.service !== service || !ACCOUNT.test(parsed.account)) {
    return {
      refuse: `the caller's ARN is ${shown(arn)}, not that of a ${service === "iam" ? "user" : "session"}`,
    };
  }
  if (parsed.partition !== partition) {
    return { refuse: `the caller is of partition ${parsed.partition}, the call of partition ${partition}` };
  }
  const account = textIn(userIdentity, "accountId") ?? parsed.account;
  if (account !== parsed.account) {
    return { refuse: `the caller's account is ${shown(account)}, but their ARN says ${parsed.account}` };
  }
  return { arn, account, parts: match.slice(1) };
}

function iamUser(
  userIdentity: Readonly<Record<string, unknown>>,
  partition: Partition,
  { emergencyUserNames }: IntakeSettings,
): Identification {
  const userName = textIn(userIdentity, "userName");
  if (userName?.includes(HIDDEN)) return { refuse: "CloudTrail hides who made the call" };
  const checked = checkedArn(userIdentity, partition, "iam", /^user\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/);
  if ("refuse" in checked) return checked;
  const name = checked.parts[0]!;
  if (userName !== undefined && userName !== name) {
    return { refuse: `the caller's name is ${shown(userName)}, but their ARN says ${shown(name)}` };
  }
  if (isEmergencyUser(name, emergencyUserNames)) {
    return {
      ignore: `${name} is an emergency user: every call of theirs is alarmed, and none waits for approval`,
    };
  }
  return {
    requester: {
      kind: "iamUser",
      name,
      account: checked.account,
      arn: checked.arn,
      principalId: textIn(userIdentity, "principalId"),
    },
  };
}

/** IAM takes names that differ only in case for the same name. */
function isEmergencyUser(name: string, emergencyUserNames: readonly string[]): boolean {
  return emergencyUserNames.some((emergency) => emergency.toLowerCase() === name.toLowerCase());
}

function roleSession(
  userIdentity: Readonly<Record<string, unknown>>,
  partition: Partition,
  { allowRoleSessions, allowSso, executorRoleName }: IntakeSettings,
): Identification {
  const checked = checkedArn(
    userIdentity,
    partition,
    "sts",
    /^assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/,
  );
  const issuer = objectIn(objectIn(userIdentity, "sessionContext"), "sessionIssuer");
  const roleName = "refuse" in checked ? textIn(issuer, "userName") : checked.parts[0]!;
  if (roleName === executorRoleName) {
    return { ignore: `${executorRoleName} made the call: it carries out what was approved` };
  }
  const sso = roleName?.startsWith(SSO_ROLE_PREFIX) ?? false;
  if (sso && !allowSso) {
    return { ignore: "a user of IAM Identity Center made the call, and those are not enabled (allowSso)" };
  }
  if (!sso && !allowRoleSessions) {
    return { ignore: "a role session made the call, and those are not enabled (allowRoleSessions)" };
  }
  if ("refuse" in checked) return checked;
  const [role, session] = checked.parts as [string, string];
  return {
    requester: {
      kind: sso ? "identityCenterUser" : "roleSession",
      name: sso ? session : `${role}/${session}`,
      account: checked.account,
      arn: checked.arn,
      principalId: textIn(userIdentity, "principalId"),
      issuerArn: textIn(issuer, "arn"),
      sourceIdentity: textIn(objectIn(userIdentity, "sessionContext"), "sourceIdentity"),
    },
  };
}

function federatedUser(
  userIdentity: Readonly<Record<string, unknown>>,
  partition: Partition,
  { allowRoleSessions, emergencyUserNames }: IntakeSettings,
): Identification {
  const issuer = objectIn(objectIn(userIdentity, "sessionContext"), "sessionIssuer");
  const issuerName = textIn(issuer, "userName");
  if (issuerName !== undefined && isEmergencyUser(issuerName, emergencyUserNames)) {
    return { ignore: `a session of emergency user ${shown(issuerName)} made the call` };
  }
  if (!allowRoleSessions) {
    return { ignore: "a federated user made the call, and those are not enabled (allowRoleSessions)" };
  }
  const checked = checkedArn(userIdentity, partition, "sts", /^federated-user\/([\w+=,.@-]{2,32})$/);
  if ("refuse" in checked) return checked;
  return {
    requester: {
      kind: "federatedUser",
      name: checked.parts[0]!,
      account: checked.account,
      arn: checked.arn,
      principalId: textIn(userIdentity, "principalId"),
      issuerArn: textIn(issuer, "arn"),
    },
  };
}

function identityCenterUser(
  userIdentity: Readonly<Record<string, unknown>>,
  { allowSso }: IntakeSettings,
): Identification {
  if (!allowSso) {
    return { ignore: "a user of IAM Identity Center made the call, and those are not enabled (allowSso)" };
  }
  const account = textIn(userIdentity, "accountId");
  const userId = textIn(objectIn(userIdentity, "onBehalfOf"), "userId");
  if (
    account === undefined ||
    !ACCOUNT.test(account) ||
    userId === undefined ||
    !/^[\w-]{1,64}$/.test(userId)
  ) {
    return { refuse: "the record does not say which user of IAM Identity Center made the call" };
  }
  return {
    requester: {
      kind: "identityCenterUser",
      name: userId,
      account,
      principalId: textIn(userIdentity, "principalId"),
    },
  };
}
