import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** Rules for the passwords of all IAM users of an account. */
export interface PasswordPolicyArgs {
  /**
   * Days after which a password has to be changed, 1 to 1095. An emergency user's expired password cannot be changed at sign-in, since
   * nothing at all is allowed without multi-factor authentication (fact 29): rotate it before, as the readiness report reminds of.
   * @default 90
   * @example 60
   */
  maxAgeDays?: number;
  /**
   * Shortest password, 8 to 128 characters, and at most the emergency users' length.
   * @default 32
   * @example 14
   */
  minimumLength?: number;
  /**
   * How many earlier passwords may not be used again, 1 to 24.
   * @default 24
   * @example 5
   */
  reusePrevention?: number;
}

/**
 * The account's password policy: all four kinds of characters, a longest age, no return of old passwords. Part of {@link BreakGlassAccount}; not a
 * component of its own. A password that has expired does not lock its user out (`hardExpiry` false), as far as IAM is concerned.
 *
 * @param passwordLength length of the emergency users' passwords, which must comply
 * @throws Error when a number is not allowed.
 */
export function createPasswordPolicy(
  parent: pulumi.Resource,
  name: string,
  args: PasswordPolicyArgs,
  passwordLength: number,
): aws.iam.AccountPasswordPolicy {
  const within = (key: keyof PasswordPolicyArgs, standard: number, least: number, most: number) => {
    const value = args[key] ?? standard;
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`passwordPolicy.${key} is ${value}: a whole number from ${least} to ${most}`);
  };
  return new aws.iam.AccountPasswordPolicy(
    `${name}-password-policy`,
    {
      minimumPasswordLength: within("minimumLength", 32, 8, passwordLength),
      maxPasswordAge: within("maxAgeDays", 90, 1, 1095),
      passwordReusePrevention: within("reusePrevention", 24, 1, 24),
      requireLowercaseCharacters: true,
      requireUppercaseCharacters: true,
      requireNumbers: true,
      requireSymbols: true,
      allowUsersToChangePassword: true,
      hardExpiry: false,
    },
    { parent },
  );
}
