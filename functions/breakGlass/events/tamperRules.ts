/** The rules about what others do to the users and to what watches them; succeeded or denied alike. */
import type { Conjunction, Filter } from "./condition";
import type { WatchNames } from "./names";
import type { WatchRule } from "./rule";

const anyCase = (text: string) => ({ "equals-ignore-case": text });

/** All calls of a service but those that only read. */
const CHANGES: Filter[] = [{ "anything-but": { prefix: ["Get", "List"] } }];
const IAM = { eventSource: ["iam.amazonaws.com"] };
const DENY_POLICY = "deny-without-mfa";

/** The accounts in which things without a name of ours count. */
const ofTheAccounts = ({ accountIds }: WatchNames): Conjunction =>
  accountIds === undefined ? {} : { recipientAccountId: [...accountIds] };

/**
 * What a denial says of its object. IAM leaves the parameters out of what it denies, and other services may, but the message names the
 * resource: "... on resource: user NAME because ...", or its ARN.
 */
const deniedOn = (...endings: string[]): Filter[] =>
  endings.flatMap((ending): Filter[] => [{ suffix: ending }, { wildcard: `*${ending} *` }]);

const iamCalls = (...eventName: string[]): Conjunction => ({ ...IAM, eventName });
const refinement = (id: string, why: string, ...eventName: string[]) => ({
  id,
  why,
  facts: [21],
  when: [iamCalls(...eventName)],
});

const USER_RULES: readonly WatchRule[] = [
  {
    id: "emergency-user-changed",
    alert: "high",
    group: "tamper-users",
    why: "Somebody else changed an emergency user, or tried to.",
    facts: [11, 21, 22],
    any: ({ userNames }) => {
      const named = userNames.map(anyCase);
      return [
        { ...IAM, eventName: CHANGES, "requestParameters.userName": named },
        // Another user renamed to an emergency user's name.
        { ...IAM, eventName: ["UpdateUser"], "requestParameters.newUserName": named },
        {
          ...IAM,
          eventName: CHANGES,
          errorMessage: userNames.flatMap((name) => deniedOn(`resource: user ${name}`, `/${name}`)),
        },
      ];
    },
    refinements: [
      refinement(
        "emergency-password-changed",
        "Somebody else set or removed an emergency user's password, or tried to.",
        "CreateLoginProfile",
        "UpdateLoginProfile",
        "DeleteLoginProfile",
        "ChangePassword",
      ),
      refinement(
        "emergency-access-key",
        "An access key of an emergency user was made or changed, or that was tried. Emergency users have none, ever.",
        "CreateAccessKey",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "CreateServiceSpecificCredential",
        "UpdateServiceSpecificCredential",
        "ResetServiceSpecificCredential",
        "DeleteServiceSpecificCredential",
        "UploadSigningCertificate",
        "UpdateSigningCertificate",
        "DeleteSigningCertificate",
        "UploadSSHPublicKey",
        "UpdateSSHPublicKey",
        "DeleteSSHPublicKey",
      ),
      refinement(
        "emergency-mfa-changed",
        "Somebody else changed an emergency user's MFA devices, or tried to.",
        "EnableMFADevice",
        "DeactivateMFADevice",
        "ResyncMFADevice",
      ),
      refinement(
        "emergency-permissions-changed",
        "What an emergency user may do was changed, or that was tried: policies, boundary or groups.",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "PutUserPolicy",
        "DeleteUserPolicy",
        "PutUserPermissionsBoundary",
        "DeleteUserPermissionsBoundary",
        "AddUserToGroup",
        "RemoveUserFromGroup",
      ),
      refinement(
        "emergency-user-made-or-deleted",
        "An emergency user was made, renamed or deleted, or that was tried.",
        "CreateUser",
        "UpdateUser",
        "DeleteUser",
      ),
      refinement(
        "emergency-user-tags",
        "An emergency user's tags were changed, or that was tried.",
        "TagUser",
        "UntagUser",
      ),
    ],
  },
  {
    id: "emergency-mfa-device-changed",
    alert: "high",
    group: "tamper-users",
    why: "A virtual MFA device of an emergency user was made, deleted or changed, or that was tried.",
    facts: [21, 29, 30],
    any: ({ userNames, path }) => [
      {
        ...IAM,
        eventName: CHANGES,
        "requestParameters.serialNumber": [
          { wildcard: `*:mfa${path}*` },
          ...userNames.map((name) => ({ suffix: anyCase(`/${name}`) })),
        ],
      },
      {
        ...IAM,
        eventName: ["CreateVirtualMFADevice"],
        "requestParameters.virtualMFADeviceName": userNames.flatMap((name): Filter[] => [
          anyCase(name),
          { prefix: anyCase(`${name}-`) },
        ]),
      },
      { ...IAM, eventName: ["CreateVirtualMFADevice"], "requestParameters.path": [path] },
    ],
  },
  {
    id: "emergency-policy-changed",
    alert: "high",
    group: "tamper-users",
    why: "A policy of the emergency users was changed, or that was tried: without it a password alone would be enough.",
    facts: [21, 29],
    any: ({ path, namePrefix }) => {
      const change = iamCalls(
        "CreatePolicyVersion",
        "SetDefaultPolicyVersion",
        "DeletePolicyVersion",
        "DeletePolicy",
        "TagPolicy",
        "UntagPolicy",
      );
      return [
        {
          ...change,
          "requestParameters.policyArn": [
            { wildcard: `*:policy${path}*` },
            { suffix: `/${namePrefix}-${DENY_POLICY}` },
          ],
        },
        { ...change, errorMessage: [{ wildcard: `*:policy${path}*` }] },
        { ...IAM, eventName: ["CreatePolicy"], "requestParameters.path": [path] },
      ];
    },
  },
  {
    id: "password-policy-changed",
    alert: "high",
    group: "tamper-users",
    why: "The account's password policy, which holds for the emergency users too, was changed, or that was tried.",
    facts: [21],
    any: (names): Conjunction[] => [
      {
        ...iamCalls("UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
        ...ofTheAccounts(names),
      },
    ],
  },
];

const ROLE_CHANGES = [
  "DeleteRole",
  "UpdateAssumeRolePolicy",
  "PutRolePolicy",
  "DeleteRolePolicy",
  "AttachRolePolicy",
  "DetachRolePolicy",
  "PutRolePermissionsBoundary",
];

const WATCH_RULES: readonly WatchRule[] = [
  {
    id: "trail-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A trail was stopped, deleted or changed, or that was tried: what it records is what everybody here is told by.",
    facts: [20, 21],
    any: () => [
      {
        eventSource: ["cloudtrail.amazonaws.com"],
        eventName: ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"],
      },
    ],
  },
  {
    id: "event-rule-changed",
    alert: "high",
    group: "tamper-watch",
    why: "An event rule, a target or a bus that tells of emergency users was changed, or that was tried.",
    facts: [20, 21, 24],
    any: ({ namePrefix }) => {
      const events = { eventSource: ["events.amazonaws.com"] };
      const rules: Filter[] = [
        { prefix: `${namePrefix}-breakglass-` },
        { wildcard: `${namePrefix}-*-forward` },
      ];
      const hub = [`${namePrefix}-hub`];
      return [
        { ...events, eventName: ["PutRule", "DisableRule", "DeleteRule"], "requestParameters.name": rules },
        { ...events, eventName: ["PutTargets", "RemoveTargets"], "requestParameters.rule": rules },
        { ...events, eventName: ["DeleteEventBus", "UpdateEventBus"], "requestParameters.name": hub },
        {
          ...events,
          eventName: ["PutPermission", "RemovePermission"],
          "requestParameters.eventBusName": hub,
        },
      ];
    },
  },
  {
    id: "alert-topic-changed",
    alert: "high",
    group: "tamper-watch",
    why: "The alert topic or one of its subscriptions was changed or deleted, or that was tried.",
    facts: [21, 25],
    any: ({ namePrefix }) => {
      const topic = `:${namePrefix}-breakglass-alerts`;
      const sns = { eventSource: ["sns.amazonaws.com"] };
      return [
        {
          ...sns,
          eventName: ["DeleteTopic", "SetTopicAttributes", "AddPermission", "RemovePermission"],
          "requestParameters.topicArn": [{ suffix: topic }],
        },
        {
          ...sns,
          eventName: ["PutDataProtectionPolicy"],
          "requestParameters.resourceArn": [{ suffix: topic }],
        },
        {
          ...sns,
          eventName: ["Unsubscribe", "SetSubscriptionAttributes"],
          "requestParameters.subscriptionArn": [{ wildcard: `*${topic}:*` }],
        },
      ];
    },
  },
  {
    id: "alarm-changed",
    alert: "high",
    group: "tamper-watch",
    why: "An alarm on emergency access was changed, silenced or deleted, or that was tried.",
    facts: [21, 25],
    any: ({ namePrefix, userNames }) => {
      const alarms = { eventSource: ["monitoring.amazonaws.com"] };
      // Those of the trails' metrics have the names of the first source document.
      const named = [
        { prefix: `${namePrefix}-breakglass-` },
        ...userNames.map((name) => `BreakglassAccountUsed-${name}`),
      ];
      return [
        {
          ...alarms,
          eventName: ["DeleteAlarms", "DisableAlarmActions"],
          "requestParameters.alarmNames": named,
        },
        { ...alarms, eventName: ["PutMetricAlarm", "SetAlarmState"], "requestParameters.alarmName": named },
      ];
    },
  },
  {
    id: "log-group-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A log group of the trails or of the functions of emergency access, or its metric filter, was changed or deleted, or that was tried.",
    facts: [21, 23],
    any: ({ namePrefix }): Conjunction[] => [
      {
        eventSource: ["logs.amazonaws.com"],
        eventName: [
          "DeleteLogGroup",
          "DeleteLogStream",
          "DeleteMetricFilter",
          "PutMetricFilter",
          "PutRetentionPolicy",
          "DisassociateKmsKey",
        ],
        "requestParameters.logGroupName": [
          { prefix: `/${namePrefix}/${namePrefix}-trail-` },
          { prefix: `/aws/lambda/${namePrefix}-breakglass-` },
        ],
      },
    ],
  },
  {
    id: "trail-bucket-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A bucket that keeps the trails was changed or deleted, or that was tried.",
    facts: [21],
    any: ({ namePrefix }): Conjunction[] => [
      {
        eventSource: ["s3.amazonaws.com"],
        eventName: [{ prefix: "DeleteBucket" }, { prefix: "PutBucket" }],
        "requestParameters.bucketName": [{ prefix: `${namePrefix}-trail-` }],
      },
    ],
  },
  {
    id: "cell-key-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A key of the account was disabled, scheduled for deletion or given another policy, or that was tried: alerts, trails and tables are encrypted by one.",
    facts: [21],
    // A key's id is known to no configuration, so any key of the cells' account counts.
    any: (names): Conjunction[] => [
      {
        eventSource: ["kms.amazonaws.com"],
        eventName: ["DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"],
        ...ofTheAccounts(names),
      },
    ],
  },
  {
    id: "function-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A function of emergency access, or the role that it works with, was changed or deleted, or that was tried.",
    facts: [21],
    any: ({ namePrefix }): Conjunction[] => [
      {
        eventSource: ["lambda.amazonaws.com"],
        // Lambda's events have the date of its interface in their names, such as DeleteFunction20150331.
        eventName: [
          { prefix: "DeleteFunction" },
          { prefix: "UpdateFunction" },
          { prefix: "PutFunction" },
          { prefix: "RemovePermission" },
        ],
        "requestParameters.functionName": [
          { prefix: `${namePrefix}-breakglass-` },
          { wildcard: `*:${namePrefix}-breakglass-*` },
        ],
      },
      {
        ...iamCalls(...ROLE_CHANGES),
        "requestParameters.roleName": [
          { prefix: `${namePrefix}-breakglass-` },
          { prefix: `${namePrefix}-event-forwarder-` },
          { prefix: `${namePrefix}-trail-` },
        ],
      },
    ],
  },
  {
    id: "store-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A table or queue of emergency access was changed, emptied or deleted, or that was tried.",
    facts: [21],
    any: ({ namePrefix }): Conjunction[] => [
      {
        eventSource: ["dynamodb.amazonaws.com"],
        eventName: ["DeleteTable", "UpdateTable", "UpdateContinuousBackups", "UpdateTimeToLive"],
        "requestParameters.tableName": [
          { prefix: `${namePrefix}-breakglass-` },
          { wildcard: `*:table/${namePrefix}-breakglass-*` },
        ],
      },
      {
        eventSource: ["sqs.amazonaws.com"],
        eventName: ["DeleteQueue", "PurgeQueue", "SetQueueAttributes", "RemovePermission"],
        "requestParameters.queueUrl": [{ wildcard: `*/${namePrefix}-breakglass-*` }],
      },
    ],
  },
  {
    id: "watch-change-denied",
    alert: "high",
    group: "tamper-watch",
    why: "Somebody tried to change what watches emergency access and was denied.",
    facts: [21, 22],
    // A role of emergency access that is denied something stands before "resource:" and has a slash, not a colon, before its name.
    any: ({ namePrefix }): Conjunction[] => [
      {
        eventSource: [
          "events.amazonaws.com",
          "sns.amazonaws.com",
          "monitoring.amazonaws.com",
          "logs.amazonaws.com",
          "lambda.amazonaws.com",
          "dynamodb.amazonaws.com",
          "sqs.amazonaws.com",
        ],
        eventName: [{ "anything-but": { prefix: ["Get", "List", "Describe"] } }],
        errorMessage: [
          { wildcard: `*:${namePrefix}-breakglass-*` },
          { wildcard: `*:rule/${namePrefix}-*` },
          { wildcard: `*:table/${namePrefix}-breakglass-*` },
        ],
      },
      {
        ...iamCalls(...ROLE_CHANGES),
        errorMessage: [{ wildcard: `*resource: role ${namePrefix}-breakglass-*` }],
      },
    ],
  },
  {
    id: "control-policy-changed",
    alert: "high",
    group: "tamper-watch",
    why: "A policy of the organization was attached, detached, changed or deleted, or that was tried: a control policy can take away what emergency users need.",
    facts: [9, 16, 27],
    any: () => [
      {
        eventSource: ["organizations.amazonaws.com"],
        eventName: ["AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy"],
      },
    ],
  },
];

export const TAMPER_RULES: readonly WatchRule[] = [...USER_RULES, ...WATCH_RULES];
