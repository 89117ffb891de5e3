/** The rules about what emergency users do. */
import type { Conjunction, Filter } from "./condition";
import type { WatchNames } from "./names";
import type { WatchRule } from "./rule";

export const SIGN_IN_EVENT_SOURCE = "signin.amazonaws.com";

const anyCase = (text: string) => ({ "equals-ignore-case": text });

/** Where an event can name who acted, and whether as a name or at the end of an ARN. Also the order in which the actor is looked for. */
export const IDENTITY_PATHS = [
  // The user's, or that of a role's session, which the console names after the user.
  { path: "userIdentity.arn", form: "arn" },
  // Some sign-in events have no ARN (fact 19).
  { path: "userIdentity.userName", form: "name" },
  // Sessions of GetFederationToken.
  { path: "userIdentity.sessionContext.sessionIssuer.arn", form: "arn" },
  { path: "userIdentity.sessionContext.sessionIssuer.userName", form: "name" },
  // Kept by STS through every further role.
  { path: "userIdentity.sessionContext.sourceIdentity", form: "name" },
  // A switch of role, as the role's account sees it.
  { path: "additionalEventData.SwitchFrom", form: "arn" },
  // A role assumed from another account: the caller is only an account there (fact 22).
  { path: "requestParameters.roleSessionName", form: "name" },
] as const;

/**
 * The ways in which an event names an emergency user, in any account: a user of this name elsewhere is worth an alarm too. Names are whole and
 * of any case. Suffixes, not wildcards: EventBridge refuses patterns with many of these as too complex.
 */
export function identities({ userNames }: WatchNames): Conjunction[] {
  return IDENTITY_PATHS.map(({ path, form }) => ({
    [path]: userNames.map(
      (name): Filter => (form === "arn" ? { suffix: anyCase(`/${name}`) } : anyCase(name)),
    ),
  }));
}

const signIn = (...eventName: string[]): Conjunction[] => [
  { eventSource: [SIGN_IN_EVENT_SOURCE], eventName },
];

export const USE_RULES: readonly WatchRule[] = [
  {
    id: "emergency-user-call",
    alert: "critical",
    group: "use",
    why: "Everything that an emergency user does is told, reading calls and denied ones too.",
    facts: [19, 20, 21, 22],
    any: identities,
    refinements: [
      {
        id: "emergency-sign-in-failed",
        why: "Somebody tried to sign in as an emergency user and was not let in.",
        facts: [17, 18, 19],
        when: [
          {
            eventSource: [SIGN_IN_EVENT_SOURCE],
            eventName: ["ConsoleLogin"],
            "responseElements.ConsoleLogin": ["Failure"],
          },
          {
            eventSource: [SIGN_IN_EVENT_SOURCE],
            eventName: ["CheckMfa"],
            "responseElements.CheckMfa": ["Failure"],
          },
        ],
      },
      {
        id: "emergency-mfa-check",
        why: "The second factor of an emergency user was asked for: whoever signs in has the password.",
        facts: [19, 21],
        when: signIn("CheckMfa"),
      },
      {
        id: "emergency-role-switch",
        why: "An emergency user switched into a role, or a role's session carries its name.",
        facts: [19, 21],
        when: [
          ...signIn("SwitchRole", "ExitRole", "RenewRole"),
          {
            eventSource: ["sts.amazonaws.com"],
            eventName: ["AssumeRole", "AssumeRoot", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"],
          },
        ],
      },
      {
        id: "emergency-sign-in",
        why: "An emergency user signed in.",
        facts: [17, 18, 19],
        when: [{ eventSource: [SIGN_IN_EVENT_SOURCE] }],
      },
      {
        id: "emergency-use-through-service",
        why: "A service of AWS acted on behalf of an emergency user.",
        facts: [21],
        when: [{ "userIdentity.invokedBy": [{ exists: true }] }],
      },
      {
        id: "emergency-role-session",
        why: "A role's session that carries an emergency user's name acted.",
        facts: [19, 21],
        when: [{ "userIdentity.type": ["AssumedRole"] }],
      },
    ],
  },
];
