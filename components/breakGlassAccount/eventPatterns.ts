import type { EmergencyUserNames } from "./emergencyUsers";

/** Read-only calls that are alarming all the same: they give out credentials or access (fact 21). */
const ALARMING_READ_ONLY_CALLS = ["AssumeRole", "AssumeRoot", "GetFederationToken", "GetSessionToken"];

const SIGN_IN_EVENT_SOURCE = "signin.amazonaws.com";

/**
 * The ways in which an event names an emergency user. By the end of the ARN, which is the user's, or that of the session of a switched role,
 * which the console names after the user; a user or session of the same name elsewhere is matched too, and worth an alarm. And by name and
 * account, since some events have no ARN (fact 19). A suffix, not a wildcard: EventBridge refuses patterns with many of these as too complex.
 */
function identities(users: EmergencyUserNames): Record<string, unknown>[] {
  return [
    { arn: users.userNames.map((name) => ({ suffix: `/${name}` })) },
    { userName: [...users.userNames], accountId: [users.accountId] },
  ];
}

/**
 * Pattern of everything that an emergency user does, apart from signing in: all calls that change something, and the reading ones that
 * give out access; allowed and denied alike. The rule that has it needs the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, since
 * AssumeRole counts as read-only (fact 20).
 */
export function emergencyUsePattern(users: EmergencyUserNames): Record<string, unknown> {
  const calls = [{ readOnly: [false] }, { eventName: ALARMING_READ_ONLY_CALLS }];
  return {
    source: [{ prefix: "aws." }],
    detail: {
      eventSource: [{ "anything-but": [SIGN_IN_EVENT_SOURCE] }],
      $or: identities(users).flatMap((userIdentity) => calls.map((call) => ({ userIdentity, ...call }))),
    },
  };
}

/**
 * Pattern of every sign-in attempt of an emergency user, failed ones and the check of the second factor included. `detail-type` is left
 * out, since AWS's pages disagree on its value (fact 18).
 */
export function emergencySignInPattern(users: EmergencyUserNames): Record<string, unknown> {
  return {
    source: ["aws.signin"],
    detail: {
      eventSource: [SIGN_IN_EVENT_SOURCE],
      $or: identities(users).map((userIdentity) => ({ userIdentity })),
    },
  };
}
