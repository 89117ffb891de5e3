import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { activationWorkerStatements } from "../activation/activationPolicy";
import { activationTableName } from "../activation/names";
import { type PeerArgs, peerOf } from "../activation/peer";
import { type FunctionVpcArgs, RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, type CellArgs, cellArn, cellIamArn, normalizeCell, regionalName } from "../regional/cell";
import { iamControlPlaneRegion } from "../regional/partition";
import type { EmergencyUserArgs } from "./breakGlassAccount";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH } from "./emergencyUsers";
import { evidenceTableName, evidenceWriterStatements } from "./evidenceTable";
import { pgpPublicKeyBase64 } from "./pgpPublicKey";

/** Arguments of {@link EmergencyPasswordRotation}. */
export interface EmergencyPasswordRotationArgs {
  /**
   * Required. The cell that the function works in. Give each cell of a pair one; only the acting cell's does something.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The other cell: its activation record is asked, and its table gets a copy of every new password.
   * @example { name: "dr", region: "us-west-2" }
   */
  peer: PeerArgs;
  /**
   * Required. The emergency users, at least two, with the custodians whose keys new passwords are encrypted to. They live in the cell's account.
   * @example [{ userName: "breakglass-admin-1", custodian: "alice@example.com", pgpPublicKey }, ...]
   */
  users: EmergencyUserArgs[];
  /**
   * IAM path of the users.
   * @default "/break-glass/"
   * @example "/emergency/"
   */
  path?: string;
  /**
   * Length of new passwords in characters, 32 to 128.
   * @default 40
   * @example 64
   */
  passwordLength?: number;
  /**
   * Hours after which a use that nobody saw the end of counts as over, 1 to 24. A console session ends after 12 hours.
   * @default 12
   * @example 4
   */
  maximumUseHours?: number;
  /**
   * Required. ARN of the topic that is told when a new password waits for its custodian.
   * @example notification.topicArn
   */
  alertTopicArn: pulumi.Input<string>;
  /**
   * Required. ARN of the cell's own key: it encrypts the function's environment, logs and messages.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * Days that logs are kept: a number that CloudWatch Logs knows.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
  /**
   * Network that the function runs in. It has to reach IAM's endpoint, which in another region than IAM's control plane takes a way to the
   * internet.
   * @default none: Lambda's own network, with a way to the internet
   * @example { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] }
   */
  vpc?: FunctionVpcArgs;
}

const FUNCTION_NAME = "breakglass-rotation";
/** Characters that a parameter of Systems Manager takes: in the standard and in the advanced tier. */
const PARAMETER_LIMITS = { Standard: 4096, Advanced: 8192 } as const;

/**
 * Changes an emergency user's password by itself after it was used: within an hour after the use has ended. Keeps only the PGP ciphertext, in
 * the tables of both cells, and tells the topic that the new password waits for its custodian.
 *
 * Weigh it before you turn it on. Without it, somebody has to run `bulkhead break-glass rotate` after each use, and the steward reminds them
 * daily. With it, a function exists that may set these users' passwords: whoever can change its code or its
 * environment can give themselves a password (writing to the parameters with the custodians' keys is not enough). A password alone opens nothing, since the users can do nothing without an MFA device, and the
 * function may touch no device, policy or other user; each of its changes raises the alert about UpdateLoginProfile.
 *
 * @throws Error when fewer than two users are given, a name is malformed, a key is not a public key or too long, or a number is out of range.
 * @example
 * new EmergencyPasswordRotation(
 *   "prod-password-rotation",
 *   { cell, peer: { name: "dr", region: "us-west-2" }, users, alertTopicArn: alerts.topicArn, kmsKeyArn: key.keyArn },
 *   { provider },
 * );
 */
export class EmergencyPasswordRotation extends pulumi.ComponentResource {
  /** ARN of the function. */
  readonly functionArn: pulumi.Output<string>;
  /** ARN of the function's role: the one that may set these users' passwords. */
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: EmergencyPasswordRotationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:EmergencyPasswordRotation", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const peer = peerOf(cell, args.peer);
    const path = args.path ?? DEFAULT_EMERGENCY_PATH;
    const userNames = args.users.map((user) => user.userName);
    checkEmergencyUserNames({ userNames, path, accountId: cell.accountId });
    const passwordLength = wholeNumber("passwordLength", args.passwordLength ?? 40, 32, 128);
    const maximumUseHours = wholeNumber("maximumUseHours", args.maximumUseHours ?? 12, 1, 24);

    const keys = args.users.map((user) => {
      const parameter = keyParameterName(cell, user.userName);
      const value = pgpPublicKeyBase64(user.pgpPublicKey, user.custodian);
      if (value.length > PARAMETER_LIMITS.Advanced) {
        throw new Error(
          `the PGP key of ${user.custodian} has ${value.length} characters in base64, and a parameter takes ${PARAMETER_LIMITS.Advanced}: export it without other people's signatures (gpg --export-options export-minimal --armor --export)`,
        );
      }
      new aws.ssm.Parameter(
        `${name}-${user.userName}-key`,
        {
          name: parameter,
          type: "String",
          description: `PGP public key of the custodian of ${user.userName}`,
          value,
          tier: value.length > PARAMETER_LIMITS.Standard ? "Advanced" : "Standard",
        },
        { parent: this },
      );
      return {
        userName: user.userName,
        custodian: user.custodian,
        keyParameter: parameter,
        // Who can write the parameter alone cannot slip in a key of their own.
        keySha256: createHash("sha256").update(value).digest("hex"),
      };
    });

    const rotation = new RegionalFunction(
      `${name}-function`,
      {
        cell: args.cell,
        functionName: FUNCTION_NAME,
        bundle: "breakGlass-rotation",
        description: "Gives emergency users a new password after a use",
        kmsKeyArn: args.kmsKeyArn,
        timeout: 300,
        // The next hour's run is the retry.
        maximumRetryAttempts: 0,
        logRetentionDays: args.logRetentionDays,
        alarmTopicArn: args.alertTopicArn,
        vpc: args.vpc,
        environment: {
          PEER_CELL: peer.name,
          PEER_REGION: peer.region,
          ACTIVATION_TABLE: activationTableName(cell),
          PEER_ACTIVATION_TABLE: activationTableName(peer),
          EVIDENCE_TABLE: evidenceTableName(cell),
          PEER_EVIDENCE_TABLE: evidenceTableName(peer),
          IAM_REGION: iamControlPlaneRegion(cell.partition),
          ALERT_TOPIC_ARN: args.alertTopicArn,
          EMERGENCY_USERS: JSON.stringify(keys),
          MAXIMUM_USE_HOURS: String(maximumUseHours),
          PASSWORD_LENGTH: String(passwordLength),
        },
        statements: [
          {
            Sid: "SetEmergencyPasswords",
            Effect: "Allow",
            Action: ["iam:GetLoginProfile", "iam:UpdateLoginProfile"],
            Resource: userNames.map((userName) => cellIamArn(cell, `user${path}${userName}`)),
          },
          {
            Sid: "ReadCustodiansKeys",
            Effect: "Allow",
            Action: "ssm:GetParameter",
            Resource: keys.map(({ keyParameter }) => cellArn(cell, "ssm", `parameter${keyParameter}`)),
          },
          { Sid: "TellTopic", Effect: "Allow", Action: "sns:Publish", Resource: args.alertTopicArn },
          ...evidenceWriterStatements([cell, peer]),
          ...activationWorkerStatements(cell, peer),
        ],
      },
      { parent: this },
    );
    const schedule = new aws.cloudwatch.EventRule(
      `${name}-schedule`,
      {
        name: regionalName(cell, FUNCTION_NAME),
        description: "Looks hourly whether an emergency user's password has to be changed",
        scheduleExpression: "rate(1 hour)",
      },
      { parent: this },
    );
    const permission = new aws.lambda.Permission(
      `${name}-schedule-permission`,
      {
        action: "lambda:InvokeFunction",
        function: rotation.functionName,
        principal: "events.amazonaws.com",
        sourceArn: schedule.arn,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${name}-schedule-target`,
      { rule: schedule.name, targetId: "function", arn: rotation.functionArn, input: "{}" },
      { parent: this, dependsOn: [permission] },
    );

    this.functionArn = rotation.functionArn;
    this.roleArn = rotation.roleArn;
    this.registerOutputs({ functionArn: this.functionArn, roleArn: this.roleArn });
  }
}

function keyParameterName(cell: Cell, userName: string): string {
  // IAM allows characters in user names that Systems Manager does not take.
  const name = userName.replace(/[^\w.-]/g, (character) => `_x${character.charCodeAt(0).toString(16)}`);
  return `/${cell.namePrefix}/break-glass/${name}/pgp-public-key`;
}

function wholeNumber(argument: string, value: number, minimum: number, maximum: number): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new Error(`${argument} is ${value}: a whole number from ${minimum} to ${maximum}`);
}
