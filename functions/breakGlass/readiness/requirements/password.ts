/** Whether the passwords would be taken. */
import { rotationDue } from "../../records/views";
import { command, redeploy } from "../command";
import type { UserObservations } from "../observations";
import { isUnreadable, type Observed, together } from "../observed";
import {
  type Context,
  either,
  fail,
  type Judgement,
  judged,
  ofUser,
  pass,
  perAccount,
  perUser,
  type Requirement,
  unknown,
} from "../requirement";

const DAY = 24 * 3600 * 1000;

/** The very command that gives the user a new password. */
const rotate = (userName: string) => command("bulkhead", "break-glass", "rotate", "--user", userName);

/** What is known of a password's last change: the latest of three tellers, and what could not be read. */
interface LastChange {
  /** ISO 8601; absent if nobody tells. */
  at?: string;
  unread: string[];
}

/**
 * When the password was last changed. IAM says so in its credential report only, which is up to four hours old (fact 34); the records know
 * rotations by this program at once, and a login profile cannot be older than its password.
 */
function lastChange(user: UserObservations, context: Context, userName: string): LastChange {
  const { credentialReport } = context.observations.account;
  const { loginProfile } = user;
  const { evidence } = context;
  const told = [
    isUnreadable(loginProfile) ? undefined : loginProfile.value?.createdAt,
    isUnreadable(credentialReport) ? undefined : credentialReport.value[userName],
    ...(isUnreadable(evidence)
      ? []
      : evidence.value.passwordIssued
          .filter((record) => record.userName === userName && record.state === "effective")
          .map((record) => record.at)),
  ].filter((at) => at !== undefined);
  const at = told.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  const unread = [loginProfile, credentialReport, evidence].flatMap((observation: Observed<unknown>) =>
    isUnreadable(observation) ? [observation.unreadable] : [],
  );
  return { ...(at !== undefined && { at }), unread: [...new Set(unread)] };
}

/** Judges a password by its last change: good news is good although somebody could not be asked, bad news is not. */
function byLastChange(
  user: UserObservations,
  context: Context,
  userName: string,
  judge: (at: string) => Judgement,
): Judgement {
  // Without a login profile there is no password, whatever records say.
  if (isUnreadable(user.loginProfile)) return unknown(user.loginProfile.unreadable);
  if (user.loginProfile.value === null) return fail("There is no password.");
  const { at, unread } = lastChange(user, context, userName);
  const judgement = at === undefined ? fail("Nobody knows when it was set.") : judge(at);
  return judgement.verdict === "fail" && unread.length > 0 ? unknown(unread.join("; ")) : judgement;
}

const day = (iso: string) => new Date(iso).toISOString().slice(0, 10);
const ageInDays = (iso: string, now: Date) => Math.floor((now.getTime() - Date.parse(iso)) / DAY);
const days = (count: number) => `${count} day${count === 1 ? "" : "s"}`;

export const PASSWORD_REQUIREMENTS: readonly Requirement[] = [
  perUser({
    id: "console-password",
    group: "password",
    text: "The user has a password for the console.",
    source: "seed",
    how: "iam:GetLoginProfile",
    mend: rotate,
    judge: ({ loginProfile }) =>
      judged(loginProfile, (profile) =>
        profile === null
          ? fail("There is no password.")
          : pass(`There is one, first set ${day(profile.createdAt)}.`),
      ),
  }),
  perUser({
    id: "no-password-reset",
    group: "password",
    text: "The password need not be changed at sign-in: under the policy that demands MFA that would fail.",
    source: "fact 29",
    how: "iam:GetLoginProfile",
    mend: (userName) =>
      command("aws", "iam", "update-login-profile", "--user-name", userName, "--no-password-reset-required"),
    judge: ({ loginProfile }) =>
      judged(loginProfile, (profile) =>
        profile === null
          ? fail("There is no password.")
          : either(
              !profile.resetRequired,
              "No change is demanded.",
              "A change is demanded at the next sign-in.",
            ),
      ),
  }),
  perUser({
    id: "password-young",
    group: "password",
    text: "The password is younger than the configured age, 90 days by default.",
    source: "seed",
    how: "IAM's credential report, iam:GetLoginProfile, records of rotations",
    mend: rotate,
    judge: (user, context, userName) =>
      byLastChange(user, context, userName, (at) => {
        const age = ageInDays(at, context.now);
        const limit = context.policy.passwordMaxAgeDays;
        return either(age < limit, `Set ${day(at)}, ${days(age)} ago; the limit is ${days(limit)}.`);
      }),
  }),
  perUser({
    id: "password-not-expired",
    group: "password",
    text: "The password has not expired by the account's password policy, which would demand a change at sign-in.",
    source: "fact 29",
    how: "iam:GetAccountPasswordPolicy, IAM's credential report, records of rotations",
    mend: rotate,
    judge: (user, context, userName) =>
      judged(context.observations.account.passwordPolicy, (policy) => {
        const limit = policy?.maximumAgeDays;
        if (limit === undefined) return pass("In this account, passwords do not expire.");
        return byLastChange(user, context, userName, (at) => {
          const age = ageInDays(at, context.now);
          return either(
            age < limit,
            `Set ${days(age)} ago; in this account passwords expire after ${days(limit)}.`,
          );
        });
      }),
  }),
  perUser({
    id: "password-changed-since-use",
    group: "password",
    text: "The password has been changed since it was last used to sign in.",
    source: "seed",
    how: "iam:GetUser (PasswordLastUsed), IAM's credential report, records of rotations",
    mend: rotate,
    judge: (user, context, userName) =>
      ofUser(user.user, ({ passwordLastUsed }) =>
        passwordLastUsed === undefined
          ? pass("It was never used.")
          : byLastChange(user, context, userName, (at) =>
              either(
                Date.parse(at) >= Date.parse(passwordLastUsed),
                `Last used ${day(passwordLastUsed)}, changed since.`,
                `Last used ${passwordLastUsed}, last changed ${at}.`,
              ),
            ),
      ),
  }),
  perAccount({
    id: "account-password-policy",
    group: "password",
    text: "The account's password policy is as configured, and locks out no emergency user for good.",
    source: "seed",
    how: "iam:GetAccountPasswordPolicy",
    mend: ({ ownerCell }) => redeploy(ownerCell),
    judge: ({ observations, policy }) =>
      judged(observations.account.passwordPolicy, (found) => {
        if (found?.hardExpiry) {
          return fail(
            "An expired password can only be replaced by an administrator (HardExpiry), who may be locked out too.",
            "aws iam update-account-password-policy --no-hard-expiry, with the account's other rules",
          );
        }
        const wanted = policy.passwordPolicy;
        if (wanted === undefined) return pass("None is configured; nobody is locked out for good.");
        if (found === null) return fail("The account has no password policy.");
        const short = (found.minimumLength ?? 0) < wanted.minimumLength;
        const old = (found.maximumAgeDays ?? Number.POSITIVE_INFINITY) > wanted.maximumAgeDays;
        return either(
          !short && !old,
          `Length ${found.minimumLength} or more, at most ${days(found.maximumAgeDays ?? 0)} old.`,
          [
            short &&
              `Passwords of ${found.minimumLength ?? "any"} characters are allowed, not ${wanted.minimumLength}.`,
            old &&
              `Passwords expire ${found.maximumAgeDays === undefined ? "never" : `after ${days(found.maximumAgeDays)}`}, not after ${days(wanted.maximumAgeDays)}.`,
          ]
            .filter(Boolean)
            .join(" "),
        );
      }),
  }),
  perUser({
    id: "no-rotation-due",
    group: "password",
    text: "No use of the user still waits for its new password.",
    source: "seed",
    how: "records of uses and rotations in both cells, IAM's credential report",
    mend: rotate,
    judge: (user, context, userName) =>
      judged(
        together([context.evidence, user.loginProfile, context.observations.account.credentialReport]),
        ([evidence]) => {
          const { at } = lastChange(user, context, userName);
          const [open] = rotationDue(
            evidence.useOpened.filter((use) => use.userName === userName),
            evidence.passwordIssued,
            new Map(at === undefined ? [] : [[userName, at]]),
          );
          return open === undefined
            ? pass("No use waits.")
            : fail(`Used ${open.usedAt}, and the password was not changed since.`);
        },
      ),
  }),
];
