/** Truth table of the requirements: each case changes one thing of emergency access as it should be, and names the rows that change. */
import type { Observations, UserObservations } from "../../../../functions/breakGlass/readiness/observations";
import { type Observed, observed, unreadable } from "../../../../functions/breakGlass/readiness/observed";
import type { ReadinessPolicy } from "../../../../functions/breakGlass/readiness/policy";
import type { Verdict } from "../../../../functions/breakGlass/readiness/requirement";
import { ADMINISTRATOR, ALICE, BOB, DENY, daysAgo } from "./ready";

/** One case. */
export interface Case {
  name: string;
  change(observations: Observations, policy: ReadinessPolicy): void;
  /** The rows that are not `pass` afterwards, as `id subject`, with their verdicts. A subject may be its beginning. */
  rows: Record<string, Verdict>;
}

const LOST = "IAM does not answer";

/** What a value becomes. */
function set<T>(observation: Observed<T>, change: (value: T) => T): Observed<T> {
  return "value" in observation ? observed(change(observation.value)) : observation;
}

/** What a list becomes whose first item differs. */
function firstOf<Item>(
  observation: Observed<Item[] | null>,
  change: NoInfer<Partial<Item>>,
): Observed<Item[] | null> {
  return set(observation, (items) =>
    (items ?? []).map((item, i) => (i === 0 ? { ...item, ...change } : item)),
  );
}

/** A case about Alice alone. */
function alice(
  name: string,
  change: (user: UserObservations, observations: Observations) => void,
  rows: Record<string, Verdict>,
): Case {
  return {
    name,
    change: (observations) => change(observations.users[ALICE]!, observations),
    rows: Object.fromEntries(Object.entries(rows).map(([id, verdict]) => [`${id} ${ALICE}`, verdict])),
  };
}

type Cell = Observations["cells"][string];

/** A case about the cell dr alone. */
function dr(name: string, change: (cell: Cell) => void, rows: Record<string, Verdict>): Case {
  return {
    name,
    change: (observations) => change(observations.cells.dr!),
    rows: Object.fromEntries(Object.entries(rows).map(([id, verdict]) => [`${id} dr:`, verdict])),
  };
}

/** Changes both cells' records alike. */
function records(
  observations: Observations,
  change: (evidence: Extract<Observations["evidence"][string], { value: unknown }>["value"]) => void,
): void {
  for (const evidence of Object.values(observations.evidence)) {
    if ("value" in evidence) change(evidence.value);
  }
}

const scp = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** Attaches a service control policy to the unit above the account. */
function attach(observations: Observations, document: string): void {
  const { organization } = observations.account;
  if ("value" in organization && organization.value.membership === "member") {
    organization.value.levels[1]?.policies.push({ id: "p-guard", name: "guard", document });
  }
}

const everyScpRow = (verdict: Verdict) => ({
  [`scp-exempts ${ALICE}`]: verdict,
  [`scp-exempts ${BOB}`]: verdict,
});

const EVIDENCE_ROWS = (verdict: Verdict) => ({
  "drill-held": verdict,
  [`no-rotation-due ${ALICE}`]: verdict,
  [`no-rotation-due ${BOB}`]: verdict,
  [`devices-recorded ${ALICE}`]: verdict,
  [`devices-recorded ${BOB}`]: verdict,
  [`devices-held-apart ${ALICE}`]: verdict,
  [`devices-held-apart ${BOB}`]: verdict,
  [`custodian-recorded ${ALICE}`]: verdict,
  [`custodian-recorded ${BOB}`]: verdict,
});

export const CASES: readonly Case[] = [
  { name: "everything as it should be", change: () => {}, rows: {} },

  // Users
  {
    name: "one user left",
    change: ({ account }) => {
      account.usersUnderPath = observed([ALICE]);
    },
    rows: { "at-least-two-users": "fail" },
  },
  {
    name: "a user that nobody listed",
    change: ({ account }) => {
      account.usersUnderPath = observed([ALICE, BOB, "mallory"]);
    },
    rows: { "no-unlisted-users": "fail" },
  },
  {
    name: "users cannot be listed",
    change: ({ account }) => {
      account.usersUnderPath = unreadable(LOST);
    },
    rows: { "at-least-two-users": "unknown", "no-unlisted-users": "unknown" },
  },
  alice(
    "user outside the path",
    (user) => {
      user.user = set(user.user, (value) => ({ ...value!, path: "/" }));
    },
    { "user-under-path": "fail" },
  ),
  alice(
    "no owner",
    (user) => {
      user.user = set(user.user, (value) => ({ ...value!, tags: { ...value!.tags, owner: " " } }));
    },
    { "owner-and-purpose-tags": "fail" },
  ),
  alice(
    "the key rotator would take it",
    (user) => {
      user.user = set(user.user, (value) => ({
        ...value!,
        tags: { ...value!.tags, "bulkhead:key-rotation": "" },
      }));
    },
    { "rotation-exempt-tag": "fail" },
  ),
  alice(
    "a boundary",
    (user) => {
      user.user = set(user.user, (value) => ({ ...value!, boundaryArn: "arn:aws:iam::2:policy/b" }));
    },
    { "no-permissions-boundary": "fail" },
  ),
  alice(
    "the user cannot be read",
    (user) => {
      user.user = unreadable(LOST);
    },
    {
      "user-under-path": "unknown",
      "owner-and-purpose-tags": "unknown",
      "rotation-exempt-tag": "unknown",
      "no-permissions-boundary": "unknown",
      "password-changed-since-use": "unknown",
      "custodian-recorded": "unknown",
      "scp-exempts": "unknown",
    },
  ),
  {
    name: "a user that is not there",
    change: ({ users, account }) => {
      account.usersUnderPath = observed([BOB]);
      users[ALICE] = Object.fromEntries(
        Object.keys(users[ALICE]!).map((key) => [key, observed(null)]),
      ) as unknown as UserObservations;
    },
    rows: Object.fromEntries([
      ["at-least-two-users", "fail"],
      ...[
        "user-under-path",
        "owner-and-purpose-tags",
        "no-access-key",
        "rotation-exempt-tag",
        "console-password",
        "no-password-reset",
        "password-young",
        "password-not-expired",
        "password-changed-since-use",
        "two-mfa-devices",
        "totp-device",
        "fido-key",
        "devices-recorded",
        "devices-held-apart",
        "administrator-access",
        "deny-policy-attached",
        "no-other-policies",
        "no-permissions-boundary",
        "allowed-with-mfa",
        "denied-without-mfa",
        "scp-simulation",
        "scp-exempts",
        "custodian-recorded",
      ].map((id) => [`${id} ${ALICE}`, "fail"] as const),
    ]) as Record<string, Verdict>,
  },
  alice(
    "an access key",
    (user) => {
      user.accessKeys = observed(1);
    },
    { "no-access-key": "fail" },
  ),
  alice(
    "access keys cannot be listed",
    (user) => {
      user.accessKeys = unreadable(LOST);
    },
    { "no-access-key": "unknown" },
  ),

  // Passwords
  alice(
    "no password",
    (user) => {
      user.loginProfile = observed(null);
    },
    {
      "console-password": "fail",
      "no-password-reset": "fail",
      "password-young": "fail",
      "password-not-expired": "fail",
      "password-changed-since-use": "fail",
    },
  ),
  alice(
    "a change is demanded at sign-in",
    (user) => {
      user.loginProfile = set(user.loginProfile, (value) => ({ ...value!, resetRequired: true }));
    },
    { "no-password-reset": "fail" },
  ),
  alice(
    "the login profile cannot be read",
    (user) => {
      user.loginProfile = unreadable(LOST);
    },
    {
      "console-password": "unknown",
      "no-password-reset": "unknown",
      "password-young": "unknown",
      "password-not-expired": "unknown",
      "password-changed-since-use": "unknown",
      "no-rotation-due": "unknown",
    },
  ),
  {
    name: "an old password",
    change: ({ account, users }) => {
      account.credentialReport = observed({ [BOB]: daysAgo(95) });
      users[BOB]!.loginProfile = observed({ createdAt: daysAgo(200), resetRequired: false });
    },
    rows: { [`password-young ${BOB}`]: "fail", [`password-not-expired ${BOB}`]: "fail" },
  },
  {
    name: "an old password, but passwords do not expire",
    change: ({ account, users }, policy) => {
      delete policy.passwordPolicy;
      account.passwordPolicy = observed(null);
      account.credentialReport = observed({ [BOB]: daysAgo(95) });
      users[BOB]!.loginProfile = observed({ createdAt: daysAgo(200), resetRequired: false });
    },
    rows: { [`password-young ${BOB}`]: "fail" },
  },
  {
    name: "a password that is old unless the report knew better",
    change: ({ account, users }) => {
      account.credentialReport = unreadable(LOST);
      users[BOB]!.loginProfile = observed({ createdAt: daysAgo(200), resetRequired: false });
    },
    rows: {
      [`password-young ${BOB}`]: "unknown",
      [`password-not-expired ${BOB}`]: "unknown",
      [`no-rotation-due ${ALICE}`]: "unknown",
      [`no-rotation-due ${BOB}`]: "unknown",
    },
  },
  alice(
    "a use after the last change",
    (user) => {
      user.user = set(user.user, (value) => ({ ...value!, passwordLastUsed: daysAgo(2) }));
    },
    { "password-changed-since-use": "fail" },
  ),
  {
    name: "a recorded use after the last change",
    change: (observations) =>
      records(observations, ({ useOpened }) => {
        useOpened.push({ ...useOpened[0]!, id: `${daysAgo(1)}#late`, at: daysAgo(1), useId: "late" });
      }),
    rows: { [`no-rotation-due ${ALICE}`]: "fail" },
  },
  {
    name: "no password policy",
    change: ({ account }) => {
      account.passwordPolicy = observed(null);
    },
    rows: { "account-password-policy": "fail" },
  },
  {
    name: "a password policy that locks out for good",
    change: ({ account }) => {
      account.passwordPolicy = observed({ minimumLength: 32, maximumAgeDays: 90, hardExpiry: true });
    },
    rows: { "account-password-policy": "fail" },
  },
  {
    name: "a password policy that allows short passwords",
    change: ({ account }) => {
      account.passwordPolicy = observed({ minimumLength: 8, maximumAgeDays: 90, hardExpiry: false });
    },
    rows: { "account-password-policy": "fail" },
  },
  {
    name: "a password policy under which passwords expire early",
    change: ({ account }) => {
      account.passwordPolicy = observed({ minimumLength: 40, maximumAgeDays: 10, hardExpiry: false });
    },
    rows: { [`password-not-expired ${ALICE}`]: "fail", [`password-not-expired ${BOB}`]: "fail" },
  },
  {
    name: "the password policy cannot be read",
    change: ({ account }) => {
      account.passwordPolicy = unreadable(LOST);
    },
    rows: {
      "account-password-policy": "unknown",
      [`password-not-expired ${ALICE}`]: "unknown",
      [`password-not-expired ${BOB}`]: "unknown",
    },
  },

  // Devices
  alice(
    "one device only",
    (user) => {
      user.devices = set(user.devices, (serials) => serials!.slice(0, 1));
    },
    { "two-mfa-devices": "fail", "fido-key": "fail", "devices-held-apart": "fail" },
  ),
  alice(
    "no TOTP device",
    (user) => {
      user.devices = set(user.devices, (serials) => [serials![1]!]);
    },
    { "two-mfa-devices": "fail", "totp-device": "fail", "devices-held-apart": "fail" },
  ),
  {
    name: "no FIDO key, in China",
    change: ({ users }, policy) => {
      policy.demandsFido = false;
      users[ALICE]!.devices = set(users[ALICE]!.devices, (serials) => serials!.slice(0, 1));
    },
    rows: { [`two-mfa-devices ${ALICE}`]: "fail", [`devices-held-apart ${ALICE}`]: "fail" },
  },
  alice(
    "a device that nobody recorded",
    (user) => {
      user.devices = set(user.devices, (serials) => [...serials!, "arn:aws:iam::222222222222:mfa/stranger"]);
    },
    { "devices-recorded": "fail" },
  ),
  {
    name: "all devices of a user in one hand",
    change: (observations) =>
      records(observations, (evidence) => {
        for (const record of evidence.deviceEnrolled) {
          if (record.userName === ALICE) record.holder = "alice@example.com";
        }
      }),
    rows: { [`devices-held-apart ${ALICE}`]: "fail" },
  },
  {
    name: "a holder who has left",
    change: (observations) =>
      records(observations, ({ custodianLeft }) => {
        custodianLeft.push({
          kind: "custodianLeft",
          id: `${daysAgo(5)}#carol`,
          at: daysAgo(5),
          by: "operator",
          custodian: "carol@example.com",
          successor: "erin@example.com",
          userNames: [ALICE],
        });
      }),
    rows: { [`devices-held-apart ${ALICE}`]: "fail" },
  },
  alice(
    "devices cannot be listed",
    (user) => {
      user.devices = unreadable(LOST);
    },
    {
      "two-mfa-devices": "unknown",
      "totp-device": "unknown",
      "fido-key": "unknown",
      "devices-recorded": "unknown",
      "devices-held-apart": "unknown",
    },
  ),

  // Permissions
  alice(
    "no administrator",
    (user) => {
      user.attachedPolicies = observed([DENY]);
    },
    { "administrator-access": "fail" },
  ),
  alice(
    "no MFA demanded",
    (user) => {
      user.attachedPolicies = observed([ADMINISTRATOR]);
    },
    { "deny-policy-attached": "fail" },
  ),
  alice(
    "one more policy",
    (user) => {
      user.attachedPolicies = observed([ADMINISTRATOR, DENY, "arn:aws:iam::222222222222:policy/other"]);
    },
    { "no-other-policies": "fail" },
  ),
  alice(
    "a policy in the user and a group",
    (user) => {
      user.inlinePolicies = observed(["mine"]);
      user.groups = observed(["admins"]);
    },
    { "no-other-policies": "fail" },
  ),
  alice(
    "policies cannot be listed",
    (user) => {
      user.attachedPolicies = unreadable(LOST);
    },
    { "administrator-access": "unknown", "deny-policy-attached": "unknown", "no-other-policies": "unknown" },
  ),
  {
    name: "the policy exempts enrolling a device",
    change: ({ account }) => {
      account.denyPolicy = observed(
        scp({
          Effect: "Deny",
          NotAction: ["iam:EnableMFADevice"],
          Resource: "*",
          Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
        }),
      );
    },
    rows: { "deny-policy-unedited": "fail" },
  },
  {
    name: "the policy is gone",
    change: ({ account }) => {
      account.denyPolicy = observed(null);
    },
    rows: { "deny-policy-unedited": "fail" },
  },
  {
    name: "the policy cannot be read",
    change: ({ account }) => {
      account.denyPolicy = unreadable(LOST);
    },
    rows: { "deny-policy-unedited": "unknown" },
  },
  alice(
    "an action is refused with MFA",
    (user) => {
      user.simulatedWithMfa = firstOf(user.simulatedWithMfa, { decision: "implicitDeny" });
    },
    { "allowed-with-mfa": "fail" },
  ),
  alice(
    "an action is allowed without MFA",
    (user) => {
      user.simulatedWithoutMfa = firstOf(user.simulatedWithoutMfa, { decision: "allowed" });
    },
    { "denied-without-mfa": "fail" },
  ),
  alice(
    "the organization refuses an action",
    (user) => {
      user.simulatedWithMfa = firstOf(user.simulatedWithMfa, {
        decision: "implicitDeny",
        allowedByOrganization: false,
      });
    },
    { "scp-simulation": "fail" },
  ),
  alice(
    "nothing can be simulated",
    (user) => {
      user.simulatedWithMfa = unreadable(LOST);
      user.simulatedWithoutMfa = unreadable(LOST);
    },
    { "allowed-with-mfa": "unknown", "denied-without-mfa": "unknown", "scp-simulation": "unknown" },
  ),

  // Organization
  {
    name: "no organization",
    change: ({ account }) => {
      account.organization = observed({ membership: "none" });
    },
    rows: {},
  },
  {
    name: "users in the management account",
    change: ({ account }) => {
      account.organization = observed({ membership: "management" });
    },
    rows: {},
  },
  {
    name: "an organization without service control policies",
    change: ({ account }) => {
      account.organization = observed({ membership: "member", enforced: false, levels: [] });
    },
    rows: {},
  },
  {
    name: "a deny that exempts nobody",
    change: (observations) =>
      attach(observations, scp({ Sid: "Guard", Effect: "Deny", Action: "ec2:*", Resource: "*" })),
    rows: everyScpRow("fail"),
  },
  {
    name: "a deny that is there on purpose",
    change: (observations, policy) => {
      policy.toleratedScpStatements.push("p-guard/Guard");
      attach(observations, scp({ Sid: "Guard", Effect: "Deny", Action: "ec2:*", Resource: "*" }));
    },
    rows: {},
  },
  {
    name: "a deny that exempts the emergency users",
    change: (observations) =>
      attach(
        observations,
        scp({
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: { ArnNotLike: { "aws:PrincipalArn": "arn:aws:iam::*:user/break-glass/*" } },
        }),
      ),
    rows: {},
  },
  {
    name: "a unit that allows listed actions only",
    change: ({ account }) => {
      const document = scp({ Effect: "Allow", Action: ["s3:*"], Resource: "*" });
      const policies = [{ id: "p-list", name: "list", document }];
      account.organization = set(account.organization, (organization) =>
        organization.membership === "member"
          ? {
              ...organization,
              levels: organization.levels.map((level, i) => (i === 1 ? { ...level, policies } : level)),
            }
          : organization,
      );
    },
    rows: everyScpRow("fail"),
  },
  {
    name: "the organization cannot be read",
    change: ({ account }) => {
      account.organization = unreadable("AWS Organizations does not answer");
    },
    rows: everyScpRow("unknown"),
  },

  // Evidence
  {
    name: "no drill was ever held",
    change: (observations) =>
      records(observations, (evidence) => {
        evidence.drillHeld = [];
      }),
    rows: { "drill-held": "fail" },
  },
  {
    name: "the last drill is old",
    change: (observations) =>
      records(observations, ({ drillHeld }) => {
        drillHeld[0]!.at = daysAgo(91);
      }),
    rows: { "drill-held": "fail" },
  },
  {
    name: "the last drill failed, as one cell alone knows",
    change: ({ evidence }) => {
      evidence.dr = set(evidence.dr!, (value) => ({
        ...value,
        drillHeld: [
          ...value.drillHeld,
          { ...value.drillHeld[0]!, id: `${daysAgo(1)}#again`, at: daysAgo(1), outcome: "failed" },
        ],
      }));
    },
    rows: { "drill-held": "fail" },
  },
  {
    name: "the custodian has left",
    change: (observations) =>
      records(observations, ({ custodianLeft }) => {
        custodianLeft.push({
          kind: "custodianLeft",
          id: `${daysAgo(5)}#alice`,
          at: daysAgo(5),
          by: "operator",
          custodian: "alice@example.com",
          successor: "erin@example.com",
          userNames: [ALICE],
        });
      }),
    rows: { [`custodian-recorded ${ALICE}`]: "fail", [`devices-held-apart ${ALICE}`]: "fail" },
  },
  {
    name: "one cell's records cannot be read",
    change: ({ evidence }) => {
      evidence.prod = unreadable("records of cell prod: no answer");
    },
    rows: EVIDENCE_ROWS("unknown"),
  },

  // Monitoring
  dr(
    "a rule is disabled",
    (cell) => {
      const rule = "us-west-2 default bulkhead-breakglass-signin";
      cell.rules[rule] = set(cell.rules[rule]!, (value) => ({ ...value!, state: "DISABLED" }));
    },
    { "event-rules": "fail" },
  ),
  dr(
    "a rule sees writing calls only",
    (cell) => {
      const rule = "us-west-2 default bulkhead-breakglass-use";
      cell.rules[rule] = set(cell.rules[rule]!, (value) => ({ ...value!, state: "ENABLED" }));
    },
    { "event-rules": "fail" },
  ),
  dr(
    "a rule without its target",
    (cell) => {
      const rule = "us-west-2 default bulkhead-breakglass-use";
      cell.rules[rule] = set(cell.rules[rule]!, (value) => ({ ...value!, targetArns: [] }));
    },
    { "event-rules": "fail" },
  ),
  dr(
    "a rule is gone",
    (cell) => {
      cell.rules["us-west-2 default bulkhead-breakglass-use"] = observed(null);
    },
    { "event-rules": "fail" },
  ),
  dr(
    "a rule cannot be read",
    (cell) => {
      cell.rules["us-west-2 default bulkhead-breakglass-use"] = unreadable("EventBridge does not answer");
    },
    { "event-rules": "unknown" },
  ),
  dr(
    "a sign-in region's rule is gone",
    (cell) => {
      cell.rules["eu-north-1 default bulkhead-breakglass-signin"] = observed(null);
    },
    { "sign-in-region-rules": "fail" },
  ),
  dr(
    "a sign-in region is lost",
    (cell) => {
      cell.rules["eu-north-1 default bulkhead-breakglass-signin"] = unreadable("EventBridge does not answer");
    },
    { "sign-in-region-rules": "unknown" },
  ),
  dr(
    "the topic is gone",
    (cell) => {
      cell.topic = observed(null);
      cell.subscriptions = observed(null);
    },
    { "alert-topic": "fail", "alert-subscription": "fail", "no-pending-subscription": "fail" },
  ),
  dr(
    "the topic is not encrypted",
    (cell) => {
      cell.topic = observed({ encrypted: false });
    },
    { "alert-topic": "fail" },
  ),
  dr(
    "a subscription is not confirmed",
    (cell) => {
      cell.subscriptions = firstOf(cell.subscriptions, { confirmed: false });
    },
    { "no-pending-subscription": "fail" },
  ),
  dr(
    "nobody has subscribed",
    (cell) => {
      cell.subscriptions = observed([]);
    },
    { "alert-subscription": "fail" },
  ),
  dr(
    "SNS does not answer",
    (cell) => {
      cell.topic = unreadable("SNS does not answer");
      cell.subscriptions = unreadable("SNS does not answer");
    },
    { "alert-topic": "unknown", "alert-subscription": "unknown", "no-pending-subscription": "unknown" },
  ),
  dr(
    "the trail is gone",
    (cell) => {
      cell.trail = observed(null);
      cell.trailStatus = observed(null);
      cell.trailRecordsManagementEvents = observed(null);
    },
    { trail: "fail", "trail-events": "fail", "trail-logging": "fail", "trail-delivery": "fail" },
  ),
  dr(
    "the trail is of one region",
    (cell) => {
      cell.trail = set(cell.trail, (value) => ({ ...value!, multiRegion: false }));
    },
    { trail: "fail" },
  ),
  dr(
    "the trail leaves reading calls out",
    (cell) => {
      cell.trailRecordsManagementEvents = observed(false);
    },
    { "trail-events": "fail" },
  ),
  dr(
    "the trail is stopped",
    (cell) => {
      cell.trailStatus = observed({ logging: false });
    },
    { "trail-logging": "fail" },
  ),
  dr(
    "the trail cannot write",
    (cell) => {
      cell.trailStatus = observed({ logging: true, deliveryError: "AccessDenied" });
    },
    { "trail-delivery": "fail" },
  ),
  dr(
    "the trail cannot feed its log group",
    (cell) => {
      cell.trailStatus = observed({ logging: true, logGroupDeliveryError: "AccessDenied" });
    },
    { "trail-delivery": "fail" },
  ),
  dr(
    "CloudTrail does not answer",
    (cell) => {
      cell.trail = unreadable("CloudTrail does not answer");
      cell.trailStatus = unreadable("CloudTrail does not answer");
      cell.trailRecordsManagementEvents = unreadable("CloudTrail does not answer");
    },
    { trail: "unknown", "trail-events": "unknown", "trail-logging": "unknown", "trail-delivery": "unknown" },
  ),
  dr(
    "the bucket is open",
    (cell) => {
      cell.bucketPublicAccessBlocked = observed(false);
    },
    { "trail-bucket": "fail" },
  ),
  dr(
    "S3 does not answer",
    (cell) => {
      cell.bucketEncrypted = unreadable("S3 does not answer");
    },
    { "trail-bucket": "unknown" },
  ),
  dr(
    "a metric filter is gone",
    (cell) => {
      cell.metricFilters = observed([`BreakglassLogin-${ALICE}`]);
    },
    { "metric-filters": "fail" },
  ),
  {
    name: "CloudWatch Logs does not answer",
    change: ({ cells }) => {
      cells.dr!.metricFilters = unreadable("CloudWatch Logs does not answer");
    },
    rows: {
      [`metric-filters dr: BreakglassLogin-${ALICE}`]: "unknown",
      [`metric-filters dr: BreakglassLogin-${BOB}`]: "unknown",
    },
  },
  dr(
    "an alarm is switched off",
    (cell) => {
      cell.alarms = set(cell.alarms, (alarms) => ({
        ...alarms,
        [`BreakglassAccountUsed-${BOB}`]: {
          ...alarms[`BreakglassAccountUsed-${BOB}`]!,
          actionsEnabled: false,
        },
      }));
    },
    { alarms: "fail" },
  ),
  dr(
    "an alarm tells nobody",
    (cell) => {
      cell.alarms = set(cell.alarms, (alarms) => ({
        ...alarms,
        [`BreakglassAccountUsed-${BOB}`]: { actionsEnabled: true, actionArns: [] },
      }));
    },
    { alarms: "fail" },
  ),
  dr(
    "a steward's alarm is gone",
    (cell) => {
      cell.alarms = set(cell.alarms, ({ "bulkhead-readiness-trail": _, ...alarms }) => alarms);
    },
    { "readiness-alarms": "fail" },
  ),
  {
    name: "CloudWatch does not answer",
    change: ({ cells }) => {
      cells.dr!.alarms = unreadable("CloudWatch does not answer");
    },
    rows: {
      [`alarms dr: BreakglassAccountUsed-${ALICE}`]: "unknown",
      [`alarms dr: BreakglassAccountUsed-${BOB}`]: "unknown",
      "readiness-alarms dr:": "unknown",
    },
  },
  dr(
    "an alert was not delivered",
    (cell) => {
      cell.queues["bulkhead-breakglass-undelivered"] = observed(1);
    },
    { "dead-letters": "fail" },
  ),
  dr(
    "SQS does not answer",
    (cell) => {
      cell.queues["bulkhead-breakglass-undelivered"] = unreadable("SQS does not answer");
    },
    { "dead-letters": "unknown" },
  ),

  // Regions
  {
    name: "a steward has stopped",
    change: ({ stewards }) => {
      stewards.dr = observed(daysAgo(2));
    },
    rows: { "steward-ran dr:": "fail" },
  },
  {
    name: "a steward has never run",
    change: ({ stewards }) => {
      stewards.dr = observed(null);
    },
    rows: { "steward-ran dr:": "fail" },
  },
  {
    name: "the other region's reports cannot be listed",
    change: ({ stewards }) => {
      stewards.dr = unreadable("S3 in us-west-2 does not answer");
    },
    rows: { "steward-ran dr:": "unknown" },
  },
  {
    name: "STS is switched off",
    change: ({ sts }) => {
      sts["us-west-2"] = observed({ switchedOff: true });
    },
    rows: { "sts-endpoint us-west-2": "fail" },
  },
  {
    name: "STS does not answer",
    change: ({ sts }) => {
      sts["us-west-2"] = unreadable("STS in us-west-2 does not answer");
    },
    rows: { "sts-endpoint us-west-2": "unknown" },
  },
];
