import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type CellArgs, normalizeCell, regionalName } from "../regional/cell";
import { awsManagedPolicyArn } from "../regional/partition";
import { policyDocument } from "../regional/policyDocument";
import { BreakGlassMonitor, type UseTrackingArgs } from "./breakGlassMonitor";
import { DENY_WITHOUT_MFA_POLICY, denyWithoutMfaStatements } from "./denyWithoutMfa";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH, type EmergencyUserNames } from "./emergencyUsers";
import { createPasswordPolicy, type PasswordPolicyArgs } from "./passwordPolicy";
import { pgpPublicKeyBase64 } from "./pgpPublicKey";

/** Tag of users whose access keys the key rotator leaves alone, when its value is `exempt`. */
const KEY_ROTATION_TAG = "bulkhead:key-rotation";

/** One emergency user and the custodian who keeps its password. */
export interface EmergencyUserArgs {
  /**
   * Required. IAM user name.
   * @example "breakglass-admin-1"
   */
  userName: string;
  /**
   * Required. Who keeps the password: a person's or a team's address. Becomes the user's tag `owner`.
   * @example "alice@example.com"
   */
  custodian: string;
  /**
   * Required. The custodian's PGP public key, ASCII-armoured or in base64. The password leaves AWS only encrypted to it.
   * @example fs.readFileSync("custodians/alice.asc", "utf8")
   */
  pgpPublicKey: string;
}

/** Arguments of {@link BreakGlassAccount}. */
export interface BreakGlassAccountArgs {
  /**
   * Required. The cell that owns the users: in the account of the stack's provider.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The emergency users, at least two.
   * @example [{ userName: "breakglass-admin-1", custodian: "alice@example.com", pgpPublicKey }, ...]
   */
  users: EmergencyUserArgs[];
  /**
   * IAM path of the users and their policy.
   * @default "/break-glass/"
   * @example "/emergency/"
   */
  path?: string;
  /**
   * Length of the random passwords in characters, 32 to 128 (fact 26).
   * @default 40
   * @example 64
   */
  passwordLength?: number;
  /**
   * Value of the users' tag `purpose`.
   * @default "Emergency access when all other ways to sign in have failed"
   * @example "Emergency access, see runbook SEC-7"
   */
  purpose?: string;
  /**
   * Required. ARN of the topic that is told of every use.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Name of the hub bus that member accounts send their events to.
   * @default none: only the cell's own account is watched
   * @example "bulkhead-hub"
   */
  hubBusName?: pulumi.Input<string>;
  /**
   * Required. ARN of the cell's key, which encrypts alerts that could not be delivered.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Rules for the passwords of all IAM users of the account, not of the emergency users alone. Needed only where other users have passwords:
   * the emergency users' are made longer than any rule asks. `{}` takes the defaults.
   * @default none: the account's password policy is left as it is
   * @example { maxAgeDays: 90 }
   */
  passwordPolicy?: PasswordPolicyArgs;
  /**
   * How the cell's monitor follows uses and tells of them.
   * @default a digest every 15 minutes, a report after 30 minutes without events, no evidence
   * @example { peer: { name: "dr", region: "us-west-2" }, recordEvidence: true }
   */
  tracking?: UseTrackingArgs;
}

/**
 * Emergency access: users that depend on no identity provider and no region, and that nobody can use unnoticed. Everything is attached
 * beforehand (fact 11), for with IAM's control plane lost nothing can be attached any more, while existing users still sign in (fact 12).
 *
 * Each user has a random password, encrypted by the provider to its custodian's PGP key and never reset at first sign-in (fact 29),
 * AdministratorAccess, the policy that denies everything without multi-factor authentication, and no access key. The MFA devices
 * are enrolled with a tool, not here: their seeds would stand in Pulumi's state (fact 30).
 *
 * @throws Error when fewer than two users are given, a name is malformed or given twice, a PGP key is not a public key, or passwordLength is
 * not from 32 to 128.
 * @example
 * const breakGlass = new BreakGlassAccount("prod-break-glass", { cell, users, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn }, { provider });
 * export const encryptedPasswords = breakGlass.encryptedPasswords;
 */
export class BreakGlassAccount extends pulumi.ComponentResource {
  /** ARNs of the users, in the order of the arguments. */
  readonly userArns: pulumi.Output<string[]>;
  /** Each user's password by user name: a PGP message in base64 that only the custodian can decrypt. */
  readonly encryptedPasswords: pulumi.Output<Record<string, string>>;
  /** ARN of the policy that denies everything without multi-factor authentication. */
  readonly denyWithoutMfaPolicyArn: pulumi.Output<string>;

  constructor(name: string, args: BreakGlassAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:BreakGlassAccount", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const path = args.path ?? DEFAULT_EMERGENCY_PATH;
    const names: EmergencyUserNames = {
      userNames: args.users.map((user) => user.userName),
      path,
      accountId: cell.accountId,
    };
    checkEmergencyUserNames(names);
    const keys = args.users.map((user) => pgpPublicKeyBase64(user.pgpPublicKey, user.custodian));
    const passwordLength = args.passwordLength ?? 40;
    if (!Number.isInteger(passwordLength) || passwordLength < 32 || passwordLength > 128) {
      throw new Error(`passwordLength is ${passwordLength}: a whole number from 32 to 128`);
    }

    const denyWithoutMfa = new aws.iam.Policy(
      `${name}-deny-without-mfa`,
      {
        name: regionalName(cell, DENY_WITHOUT_MFA_POLICY),
        path,
        description: "Emergency users can do nothing without multi-factor authentication",
        policy: policyDocument(denyWithoutMfaStatements()),
      },
      { parent: this },
    );
    const users = args.users.map((user, index) => {
      const resourceName = `${name}-${user.userName}`;
      const iamUser = new aws.iam.User(
        resourceName,
        {
          name: user.userName,
          path,
          tags: {
            owner: user.custodian,
            purpose: args.purpose ?? "Emergency access when all other ways to sign in have failed",
            // Emergency users have no access keys. Should somebody make one, the key rotator must not hand it on; the monitor tells.
            [KEY_ROTATION_TAG]: "exempt",
          },
        },
        { parent: this },
      );
      // The deny policy comes before the password, so that there is no moment in which a password alone is enough.
      const deny = new aws.iam.UserPolicyAttachment(
        `${resourceName}-deny-without-mfa`,
        { user: iamUser.name, policyArn: denyWithoutMfa.arn },
        { parent: this },
      );
      new aws.iam.UserPolicyAttachment(
        `${resourceName}-administrator`,
        { user: iamUser.name, policyArn: awsManagedPolicyArn(cell.partition, "AdministratorAccess") },
        { parent: this, dependsOn: [deny] },
      );
      const login = new aws.iam.UserLoginProfile(
        `${resourceName}-password`,
        { user: iamUser.name, pgpKey: keys[index]!, passwordLength, passwordResetRequired: false },
        // Only the first password comes from here. A custodian's successor gets theirs by a rotation, which loses nothing; a new key or length
        // here would make a login profile anew, with a moment without any.
        { parent: this, dependsOn: [deny], ignoreChanges: ["pgpKey", "passwordLength"] },
      );
      return { userName: user.userName, arn: iamUser.arn, encryptedPassword: login.encryptedPassword };
    });
    if (args.passwordPolicy) createPasswordPolicy(this, name, args.passwordPolicy, passwordLength);
    new BreakGlassMonitor(
      `${name}-monitor`,
      {
        cell: args.cell,
        userNames: [...names.userNames],
        path,
        alertTopicArn: args.alertTopicArn,
        hubBusName: args.hubBusName,
        kmsKeyArn: args.kmsKeyArn,
        tracking: args.tracking,
      },
      { parent: this },
    );

    this.userArns = pulumi.all(users.map((user) => user.arn));
    this.encryptedPasswords = pulumi
      .all(users.map((user) => user.encryptedPassword))
      .apply((passwords) =>
        Object.fromEntries(passwords.map((text, index) => [users[index]!.userName, text])),
      );
    this.denyWithoutMfaPolicyArn = denyWithoutMfa.arn;
    this.registerOutputs({
      userArns: this.userArns,
      encryptedPasswords: this.encryptedPasswords,
      denyWithoutMfaPolicyArn: this.denyWithoutMfaPolicyArn,
    });
  }
}
