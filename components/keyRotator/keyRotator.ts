import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { SETTINGS_VARIABLE } from "../../functions/keyRotation/settings";
import { createDeadLetterQueue } from "../lambda/deadLetterQueue";
import { queueTlsOnlyStatement } from "../lambda/functionPolicy";
import { RegionalFunction, type RegionalFunctionArgs } from "../lambda/regionalFunction";
import { regionalName } from "../regional/cell";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { createPrivateBucket, LEFTOVERS } from "../regional/privateBucket";
import { createStateMachine } from "../stateMachine/stateMachine";
import { createRunAlarms } from "./alarms";
import type { KeyRotatorArgs } from "./args";
import { FUNCTION_TIMEOUT, machineDefinition, machineStatements, RESULTS_FOLDER } from "./machine";
import {
  bucketArn,
  bucketName,
  KEY_ROTATOR_FUNCTIONS,
  MACHINE,
  recordsTableName,
  secretsKeyAlias,
} from "./names";
import { accountStatements, inventoryStatements, notifyStatements, summaryStatements } from "./policies";
import { createSchedule } from "./schedule";
import { secretsKeyStatements } from "./secretsKey";
import { BUCKET_PREFIX, mailTemplates, type Normalized, normalize, settingsOf } from "./settings";

/** Seconds that one batch of notices may take, and how often it is tried before it is put aside. */
const NOTIFY_TIMEOUT = 120;
const NOTIFY_ATTEMPTS = 5;
const NOTICE_RETENTION = 4 * 24 * 3600;

/** The queue of notices to owners. */
interface NoticeQueue {
  arn: pulumi.Output<string>;
  url: pulumi.Output<string>;
}

/**
 * Rotation of the access keys of an organization's IAM users, from one cell. Every 24 hours a state machine lists the accounts and works
 * on each through an assumed role: a key that is old enough gets a successor, which is stored in Secrets Manager before anything happens to the
 * old one; the old one is deactivated when it has been idle, and deleted later. Owners are told by mail. In `audit` mode, the default, it only
 * mails and reports.
 *
 * Both cells have one. Which of them rotates, the activation records say; the other's runs record that it stands by. Each cell keeps
 * rotation records in a table of its own and writes to both, so that a primary that comes back does not repeat what DR did.
 *
 * Member accounts need the role of {@link keyRotatorRoleRequests}, the management account that of {@link ManagementAccess}.
 *
 * @throws Error naming the argument, its value and what is allowed
 * @example
 * new KeyRotator("prod-keys", {
 *   cell,
 *   peer: { name: "dr", region: "us-west-2" },
 *   kmsKeyArn: key.keyArn,
 *   alertTopicArn: alerts.topicArn,
 *   mode: "enforce",
 *   externalId: "bulkhead-4f1c",
 *   organizationId: "o-a1b2c3d4e5",
 *   managementAccountId: "111111111111",
 *   emergencyUserNames: ["breakglass-admin-1", "breakglass-admin-2"],
 *   mail: { transport: "ses", from: "keys@example.com", central: ["identity@example.com"] },
 * }, { provider });
 */
export class KeyRotator extends pulumi.ComponentResource {
  /** ARN of the state machine, one execution of which is a run. */
  readonly stateMachineArn: pulumi.Output<string>;
  /** Name of the rule that starts the runs. */
  readonly scheduleName: pulumi.Output<string>;
  /** Name of the bucket with account lists, results, reports and mail templates. */
  readonly bucketName: pulumi.Output<string>;
  /** Name of the table of rotation records. */
  readonly recordsTableName: pulumi.Output<string>;
  /** ARN of the key that centrally stored keys are encrypted with in the cell's region; empty with storage in the member accounts. */
  readonly secretsKeyArn: pulumi.Output<string>;
  /** ARNs of the roles of inventory, account, summary and, with mail, notify. */
  readonly functionRoleArns: pulumi.Output<string[]>;

  constructor(name: string, args: KeyRotatorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:KeyRotator", name, {}, opts);
    const normalized = normalize(args);
    const { cell } = normalized;
    const notices = args.mail ? this.createNoticeQueue(name, args, normalized) : undefined;
    const settings = settingsOf(args, normalized, notices?.url);

    const table = new aws.dynamodb.Table(
      `${name}-records`,
      {
        name: recordsTableName(cell),
        billingMode: "PAY_PER_REQUEST",
        hashKey: "accountId",
        rangeKey: "userName",
        attributes: ["accountId", "userName"].map((attribute) => ({ name: attribute, type: "S" })),
        serverSideEncryption: { enabled: true, kmsKeyArn: args.kmsKeyArn },
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: normalized.deletionProtection,
      },
      { parent: this },
    );
    // For account lists, results, reports and mail templates. The last list of accounts and the templates are kept always.
    const { bucket, settings: bucketSettings } = createPrivateBucket({
      parent: this,
      names: { bucket: `${name}-bucket`, policy: `${name}-bucket-policy`, others: name },
      bucketName: bucketName(cell),
      bucketArn: bucketArn(cell),
      kmsKeyArn: args.kmsKeyArn,
      // A run writes thousands of objects: with a bucket key most of them cost no call of KMS.
      bucketKey: true,
      lifecycleRules: [
        { id: "old-versions", status: "Enabled", filter: {}, ...LEFTOVERS },
        ...[`${RESULTS_FOLDER}/`, `${BUCKET_PREFIX}reports/`].map((prefix, index) => ({
          id: `expire-${index + 1}`,
          status: "Enabled",
          filter: { prefix },
          expiration: { days: normalized.reportRetentionDays },
        })),
      ],
      forceDestroy: !normalized.deletionProtection,
    });
    if (args.mail) this.createTemplates(name, args, bucket, bucketSettings);
    const secretsKey = normalized.storage === "central" ? this.createSecretsKey(name, normalized) : undefined;

    const functions = this.createFunctions(name, args, normalized, settings, notices);
    const machine = this.createMachine(name, args, normalized, functions, bucketSettings);
    const rule = createSchedule({
      parent: this,
      name,
      cell,
      machine,
      intervalHours: normalized.intervalHours,
      enabled: normalized.scheduleEnabled,
      kmsKeyArn: args.kmsKeyArn,
      alertTopicArn: args.alertTopicArn,
    });
    createRunAlarms({
      parent: this,
      name,
      cell,
      intervalHours: normalized.intervalHours,
      scheduled: normalized.scheduleEnabled,
      alertTopicArn: args.alertTopicArn,
    });

    this.stateMachineArn = machine.arn;
    this.scheduleName = rule.name;
    this.bucketName = bucket.bucket;
    this.recordsTableName = table.name;
    this.secretsKeyArn = secretsKey?.arn ?? pulumi.output("");
    this.functionRoleArns = pulumi.all(functions.map((each) => each.roleArn));
    this.registerOutputs({
      stateMachineArn: this.stateMachineArn,
      scheduleName: this.scheduleName,
      bucketName: this.bucketName,
      recordsTableName: this.recordsTableName,
      secretsKeyArn: this.secretsKeyArn,
      functionRoleArns: this.functionRoleArns,
    });
  }

  private createSecretsKey(name: string, normalized: Normalized): aws.kms.Key {
    const { cell, secretsPrefix, organizationId, accountIds } = normalized;
    const key = new aws.kms.Key(
      `${name}-secrets-key`,
      {
        description: `Rotated access keys in ${cell.region}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: policyDocument(secretsKeyStatements(cell, secretsPrefix, { organizationId, accountIds })),
      },
      { parent: this },
    );
    new aws.kms.Alias(
      `${name}-secrets-key-alias`,
      { name: secretsKeyAlias(cell), targetKeyId: key.keyId },
      { parent: this },
    );
    return key;
  }

  /** The mails' templates as objects, so that everybody can see what is sent. */
  private createTemplates(
    name: string,
    { mail }: KeyRotatorArgs,
    bucket: aws.s3.Bucket,
    dependsOn: pulumi.Resource[],
  ): void {
    for (const { key, given, otherwise } of mailTemplates(mail)) {
      const file = key.slice(key.lastIndexOf("/") + 1);
      new aws.s3.BucketObjectv2(
        `${name}-template-${file}`,
        {
          bucket: bucket.bucket,
          key,
          content: given ?? otherwise,
          contentType: `text/${file.endsWith(".html") ? "html" : "plain"}; charset=utf-8`,
        },
        { parent: this, dependsOn },
      );
    }
  }

  private createNoticeQueue(name: string, args: KeyRotatorArgs, { cell }: Normalized): NoticeQueue {
    const queueName = regionalName(cell, "key-rotator-notices");
    const deadLetters = createDeadLetterQueue({
      parent: this,
      name: `${name}-notices`,
      queueName: `${queueName}-dead-letters`,
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription: "A mail to an owner of keys could not be sent. Read the queue of the same name.",
      alarmActions: [args.alertTopicArn],
    });
    const queue = new aws.sqs.Queue(
      `${name}-notices`,
      {
        name: queueName,
        kmsMasterKeyId: args.kmsKeyArn,
        messageRetentionSeconds: NOTICE_RETENTION,
        // Six times the function's timeout (Lambda developer guide, "Using Lambda with Amazon SQS").
        visibilityTimeoutSeconds: 6 * NOTIFY_TIMEOUT,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: deadLetters.arn,
          maxReceiveCount: NOTIFY_ATTEMPTS,
        }),
      },
      { parent: this },
    );
    new aws.sqs.QueuePolicy(
      `${name}-notices-policy`,
      { queueUrl: queue.url, policy: policyDocument([queueTlsOnlyStatement(queue.arn)]) },
      { parent: this },
    );
    return { arn: queue.arn, url: queue.url };
  }

  private createFunctions(
    name: string,
    args: KeyRotatorArgs,
    normalized: Normalized,
    settings: pulumi.Output<string>,
    notices: NoticeQueue | undefined,
  ): RegionalFunction[] {
    const create = (
      which: keyof typeof KEY_ROTATOR_FUNCTIONS,
      description: string,
      statements: PolicyStatement[],
      more: Partial<RegionalFunctionArgs> = {},
    ) =>
      new RegionalFunction(
        `${name}-${which}`,
        {
          cell: args.cell,
          functionName: KEY_ROTATOR_FUNCTIONS[which],
          bundle: `keyRotation-${which}`,
          description,
          kmsKeyArn: args.kmsKeyArn,
          statements,
          environment: { [SETTINGS_VARIABLE]: settings },
          memorySize: 512,
          timeout: FUNCTION_TIMEOUT,
          logRetentionDays: normalized.logRetentionDays,
          alarmTopicArn: args.alertTopicArn,
          ...(args.vpc && { vpc: args.vpc }),
          ...more,
        },
        { parent: this },
      );
    const { alertTopicArn, emergencyPath } = args;
    const functions = [
      create(
        "inventory",
        "Lists the accounts whose keys are rotated",
        inventoryStatements(normalized, alertTopicArn),
      ),
      create(
        "account",
        "Rotates the access keys of one account's users",
        accountStatements(normalized, { emergencyPath, alertTopicArn, notifyQueueArn: notices?.arn }),
      ),
      create(
        "summary",
        "Reports what a run of the key rotator did",
        summaryStatements(normalized, alertTopicArn),
        { memorySize: 1024 },
      ),
    ];
    if (notices) {
      const notifier = create(
        "notify",
        "Tells the owners of access keys",
        notifyStatements(normalized, notices.arn),
        { timeout: NOTIFY_TIMEOUT },
      );
      new aws.lambda.EventSourceMapping(
        `${name}-notices-to-notify`,
        {
          eventSourceArn: notices.arn,
          functionName: notifier.functionName,
          batchSize: 1,
          functionResponseTypes: ["ReportBatchItemFailures"],
          // Mail servers and SES's sending rate are not to be overrun.
          scalingConfig: { maximumConcurrency: 5 },
          enabled: true,
        },
        { parent: this },
      );
      functions.push(notifier);
    }
    return functions;
  }

  private createMachine(
    name: string,
    args: KeyRotatorArgs,
    normalized: Normalized,
    functions: RegionalFunction[],
    bucketSettings: pulumi.Resource[],
  ): aws.sfn.StateMachine {
    const { cell, accountConcurrency, toleratedFailurePercentage, intervalHours } = normalized;
    return createStateMachine({
      parent: this,
      name,
      cell,
      machineName: MACHINE,
      description: "Runs of the key rotator",
      definition: machineDefinition({ cell, accountConcurrency, toleratedFailurePercentage, intervalHours }),
      statements: machineStatements(cell),
      kmsKeyArn: args.kmsKeyArn,
      logRetentionDays: normalized.logRetentionDays,
      dependsOn: [...functions, ...bucketSettings],
    });
  }
}
