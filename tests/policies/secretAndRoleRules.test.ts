import { type TestResource, UNKNOWN_VALUE } from "./support/analyze";
import { documentOf, itJudges } from "./support/cases";

describe("secrets-not-public", () => {
  const READ = { Effect: "Allow", Principal: "*", Action: "secretsmanager:GetSecretValue", Resource: "*" };
  const policy = (statement: object, props: Record<string, unknown> = {}): TestResource => ({
    type: "aws:secretsmanager/secretPolicy:SecretPolicy",
    name: "p",
    props: { policy: documentOf(statement), blockPublicPolicy: true, ...props },
  });
  const narrowed = (Condition: unknown) => policy({ ...READ, Condition });
  const OPEN = "policy: Statement[0]: Principal * without a condition that names an account";
  itJudges("secrets-not-public", [
    {
      title: "accepts named roles",
      resources: [policy({ ...READ, Principal: { AWS: "arn:aws:iam::333333333333:role/app" } })],
    },
    { title: "rejects everybody", resources: [policy(READ)], reports: [OPEN] },
    {
      title: "rejects everybody in the other form, on the secret itself",
      resources: [
        {
          type: "aws:secretsmanager/secret:Secret",
          props: { policy: documentOf({ ...READ, Principal: { AWS: ["*"] } }) },
        },
      ],
      reports: [OPEN],
    },
    {
      title: "accepts an organization, an account, a principal, a network",
      resources: [
        narrowed({ StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }),
        narrowed({ StringEquals: { "aws:PrincipalAccount": ["222222222222"] } }),
        narrowed({ ArnLike: { "aws:PrincipalArn": "arn:aws:iam::222222222222:role/*" } }),
        narrowed({ StringEquals: { "aws:SourceVpce": "vpce-0123456789abcdef0" } }),
      ],
    },
    {
      title: "rejects conditions that say nothing of who asks",
      resources: [narrowed({ Bool: { "aws:SecureTransport": "true" } })],
      reports: [OPEN],
    },
    {
      title: "rejects conditions that hold without the key",
      resources: [narrowed({ StringEqualsIfExists: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } })],
      reports: [OPEN],
    },
    {
      title: "rejects conditions that exclude only",
      resources: [narrowed({ StringNotEquals: { "aws:PrincipalAccount": "333333333333" } })],
      reports: [OPEN],
    },
    {
      title: "rejects patterns for everybody",
      resources: [narrowed({ StringLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/app" } })],
      reports: [OPEN],
    },
    { title: "leaves denials alone", resources: [policy({ ...READ, Effect: "Deny" })] },
    {
      title: "rejects a policy that may become public",
      resources: [
        policy({ ...READ, Principal: { Service: "lambda.amazonaws.com" } }, { blockPublicPolicy: undefined }),
      ],
      reports: ["write blockPublicPolicy: true"],
    },
    {
      title: "takes aws-native's policies",
      resources: [
        {
          type: "aws-native:secretsmanager:ResourcePolicy",
          props: { resourcePolicy: { Statement: READ }, blockPublicPolicy: true },
        },
      ],
      reports: ["resourcePolicy: Statement[0]"],
    },
    {
      title: "waits for what is not known",
      resources: [
        policy({}, { policy: UNKNOWN_VALUE, blockPublicPolicy: UNKNOWN_VALUE }),
        policy({}, { policy: { Statement: { ...READ, Condition: UNKNOWN_VALUE } } }),
      ],
    },
  ]);
});

/** A role, as a resource. */
const role = (name: unknown, trust: object | string, props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:iam/role:Role",
  name: "role",
  props: { name, assumeRolePolicy: typeof trust === "string" ? trust : documentOf(trust), ...props },
});

/** A stack set whose template has the role, as MemberAccess makes it. */
const template = (properties: object): TestResource => ({
  type: "aws:cloudformation/stackSet:StackSet",
  name: "members",
  props: {
    templateBody: JSON.stringify({ Resources: { R: { Type: "AWS::IAM::Role", Properties: properties } } }),
  },
});

describe("rotator-role-scope", () => {
  const TRUST = {
    Effect: "Allow",
    Principal: {
      AWS: [
        "arn:aws:iam::222222222222:role/bulkhead/bulkhead-keys-prod",
        "arn:aws:iam::222222222222:role/bulkhead/bulkhead-keys-dr",
      ],
    },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "sts:ExternalId": "abc" } },
  };
  const NAME = "bulkhead-key-rotator";
  const keys = (statement: object, type = "aws:iam/rolePolicy:RolePolicy"): TestResource => ({
    type,
    name: "p",
    props: { policy: documentOf({ Effect: "Allow", Action: ["iam:CreateAccessKey"], ...statement }) },
  });
  itJudges("rotator-role-scope", [
    { title: "accepts a trust in named roles with an external id", resources: [role(NAME, TRUST)] },
    {
      title: "rejects the account",
      resources: [role(NAME, { ...TRUST, Principal: { AWS: "arn:aws:iam::222222222222:root" } })],
      reports: [/lets "arn:aws:iam::222222222222:root" assume rotation role "bulkhead-key-rotator"/],
    },
    {
      title: "rejects everybody, and a pattern",
      resources: [
        role(NAME, { ...TRUST, Principal: "*" }),
        role(NAME, { ...TRUST, Principal: { AWS: "arn:aws:iam::222222222222:role/*" } }),
      ],
      reports: ['lets "*"', "role/*"],
    },
    {
      title: "rejects a trust without an external id",
      resources: [role(NAME, { ...TRUST, Condition: undefined })],
      reports: ["asks for no external id"],
    },
    {
      title: "rejects an external id that may be anything",
      resources: [role(NAME, { ...TRUST, Condition: { StringLike: { "sts:ExternalId": "*" } } })],
      reports: ["asks for no external id"],
    },
    {
      title: "leaves a function's own role alone",
      resources: [
        role("bulkhead-key-rotator-prod", {
          Effect: "Allow",
          Principal: { Service: "lambda.amazonaws.com" },
          Action: "sts:AssumeRole",
        }),
      ],
    },
    { title: "leaves other roles alone", resources: [role("app", { ...TRUST, Principal: "*" })] },
    {
      title: "reads templates",
      resources: [
        template({
          RoleName: NAME,
          AssumeRolePolicyDocument: { Statement: { ...TRUST, Condition: undefined } },
          Policies: [
            { PolicyDocument: { Statement: { Effect: "Allow", Action: "iam:*AccessKey*", Resource: "*" } } },
          ],
        }),
      ],
      reports: [
        "templateBody.Resources.R.Properties.Policies[0].PolicyDocument: Statement[0]",
        "templateBody.Resources.R.Properties.AssumeRolePolicyDocument",
      ],
    },
    {
      title: "accepts users in a template's account",
      resources: [
        template({
          RoleName: NAME,
          AssumeRolePolicyDocument: { Statement: TRUST },
          Policies: [
            {
              PolicyDocument: {
                Statement: {
                  Effect: "Allow",
                  Action: "iam:CreateAccessKey",
                  Resource: { "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/*" },
                },
              },
            },
          ],
        }),
      ],
    },
    {
      title: "accepts keys of users",
      resources: [
        keys({ Resource: "arn:aws:iam::333333333333:user/*" }),
        keys({ Resource: ["arn:aws:iam::333333333333:user/app/*"] }, "aws:iam/policy:Policy"),
      ],
    },
    {
      title: "rejects keys of everything",
      resources: [keys({ Resource: "*" })],
      reports: [/policy: Statement\[0\]: "iam:CreateAccessKey" is allowed on "\*"\. Instead: name users/],
    },
    {
      title: "rejects keys beyond users",
      resources: [
        keys(
          {
            Action: "iam:*AccessKey",
            Resource: ["arn:aws:iam::333333333333:user/a", "arn:aws:iam::333333333333:*"],
          },
          "aws:iam/policy:Policy",
        ),
      ],
      reports: ['allowed on "arn:aws:iam::333333333333:*"'],
    },
    {
      title: "rejects all resources but some",
      resources: [keys({ NotResource: "arn:aws:iam::333333333333:user/a" })],
      reports: ['allowed on "NotResource"'],
    },
    {
      title: "reads inline policies of roles",
      resources: [
        role("app", TRUST, {
          inlinePolicies: [
            { policy: documentOf({ Effect: "Allow", Action: "iam:DeleteAccessKey", Resource: "*" }) },
          ],
        }),
      ],
      reports: ["inlinePolicies[0].policy"],
    },
    {
      title: "leaves reading, denials and administrators alone",
      resources: [
        keys({ Action: ["iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"], Resource: "*" }),
        keys({ Effect: "Deny", Resource: "*" }),
        keys({ Action: "*", Resource: "*" }),
        keys({ Action: "iam:*", Resource: "*" }),
      ],
    },
    {
      title: "waits for what is not known",
      resources: [
        keys({}),
        { ...keys({}), props: { policy: UNKNOWN_VALUE } },
        role(UNKNOWN_VALUE, TRUST),
        role(NAME, UNKNOWN_VALUE),
        {
          ...keys({}),
          props: {
            policy: {
              Statement: { Effect: "Allow", Action: "iam:CreateAccessKey", Resource: UNKNOWN_VALUE },
            },
          },
        },
      ],
    },
  ]);
});

describe("executor-role-trust", () => {
  const NAME = "bulkhead-approval-executor";
  const EXECUTOR = "arn:aws:iam::222222222222:role/bulkhead/bulkhead-approval-work-prod";
  const ROOT = "arn:aws:iam::222222222222:root";
  const named = (values: unknown, operator = "StringEquals") => ({
    StringLike: { "sts:SourceIdentity": "*" },
    [operator]: {
      ...(operator === "StringLike" && { "sts:SourceIdentity": "*" }),
      "aws:PrincipalArn": values,
    },
  });
  const TRUST = {
    Effect: "Allow",
    Principal: { AWS: EXECUTOR },
    Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
    Condition: { StringLike: { "sts:SourceIdentity": "*" } },
  };
  itJudges("executor-role-trust", [
    {
      title: "accepts the executor function's role with a source identity",
      resources: [role(NAME, TRUST, { maxSessionDuration: 3600 })],
    },
    {
      title: "rejects the account",
      resources: [role(NAME, { ...TRUST, Principal: { AWS: "222222222222" } })],
      reports: ['lets "222222222222" assume executor role'],
    },
    {
      title: "rejects another role beside it",
      resources: [
        role(NAME, { ...TRUST, Principal: { AWS: [EXECUTOR, "arn:aws:iam::222222222222:role/admin"] } }),
      ],
      reports: ["role/admin"],
    },
    {
      title: "rejects patterns",
      resources: [
        role(NAME, {
          ...TRUST,
          Principal: { AWS: "arn:aws:iam::222222222222:role/bulkhead/bulkhead-approval-work-*" },
        }),
      ],
      reports: ["approval-work-*"],
    },
    {
      title: "accepts the executor function's roles by a condition on their ARNs",
      resources: [
        role(NAME, { ...TRUST, Principal: { AWS: [ROOT] }, Condition: named([EXECUTOR]) }),
        role(NAME, { ...TRUST, Principal: { AWS: "222222222222" }, Condition: named(EXECUTOR, "ArnEquals") }),
      ],
    },
    {
      title: "rejects another role in the condition",
      resources: [
        role(NAME, {
          ...TRUST,
          Principal: { AWS: ROOT },
          Condition: named([EXECUTOR, "arn:aws:iam::222222222222:role/admin"]),
        }),
      ],
      reports: ["role/admin"],
    },
    {
      title: "rejects patterns in the condition, and one that may be absent",
      resources: [
        role(NAME, { ...TRUST, Principal: { AWS: ROOT }, Condition: named(`${EXECUTOR}*`, "StringLike") }),
        role(NAME, {
          ...TRUST,
          Principal: { AWS: ROOT },
          Condition: named(EXECUTOR, "StringEqualsIfExists"),
        }),
      ],
      reports: ["approval-work-prod*", `lets "${ROOT}" assume executor role`],
    },
    {
      title: "rejects a trust without a source identity",
      resources: [role(NAME, { ...TRUST, Condition: { StringEquals: { "sts:ExternalId": "x" } } })],
      reports: ["demands no source identity"],
    },
    {
      title: "rejects a source identity that may be absent",
      resources: [role(NAME, { ...TRUST, Condition: { StringLikeIfExists: { "sts:SourceIdentity": "*" } } })],
      reports: ["demands no source identity"],
    },
    {
      title: "rejects long sessions",
      resources: [role(NAME, TRUST, { maxSessionDuration: 43200 })],
      reports: ["may last 43200 seconds"],
    },
    {
      title: "takes the trusted roles from its configuration",
      resources: [role(NAME, { ...TRUST, Principal: { AWS: "arn:aws:iam::222222222222:role/acme" } })],
      config: { trustedRoles: ["arn:aws:iam::222222222222:role/acme"] },
    },
    {
      title: "reads templates",
      resources: [
        template({
          RoleName: "acme-approval-executor",
          AssumeRolePolicyDocument: { Statement: { ...TRUST, Principal: { AWS: "*" } } },
          MaxSessionDuration: 7200,
        }),
      ],
      reports: ['"*" assume executor role "acme-approval-executor"', "may last 7200"],
    },
    {
      title: "leaves the function's own role and other roles alone",
      resources: [
        role("bulkhead-approval-executor-prod", {
          Effect: "Allow",
          Principal: { Service: "lambda.amazonaws.com" },
          Action: "sts:AssumeRole",
        }),
        role("app", { ...TRUST, Principal: "*" }),
      ],
    },
    {
      title: "waits for what is not known",
      resources: [role(NAME, UNKNOWN_VALUE, { maxSessionDuration: UNKNOWN_VALUE })],
    },
  ]);
});

describe("audit-table-protected", () => {
  const RULE = "audit-table-protected";
  const GOOD = {
    name: "bulkhead-approval-audit",
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
    serverSideEncryption: { enabled: true, kmsKeyArn: "arn:aws:kms:::key/k" },
  };
  const table = (props: Record<string, unknown> = {}): TestResource => ({
    type: "aws:dynamodb/table:Table",
    name: "audit",
    props: { ...GOOD, ...props },
  });
  const OTHER: TestResource = {
    type: "aws:dynamodb/table:Table",
    name: "other",
    props: { name: "bulkhead-activation", deletionProtectionEnabled: true },
  };
  const ARN = "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-approval-audit";
  const may = (Action: unknown, Resource: unknown = ARN): TestResource => ({
    type: "aws:iam/rolePolicy:RolePolicy",
    name: "p",
    props: { policy: documentOf({ Effect: "Allow", Action, Resource }) },
  });
  itJudges(RULE, [
    {
      title: "accepts a protected table",
      resources: [table(), table({ name: "bulkhead-breakglass-records-prod" })],
    },
    {
      title: "rejects one that cannot be brought back",
      resources: [table({ pointInTimeRecovery: undefined })],
      reports: ["pointInTimeRecovery: { enabled: true }"],
    },
    {
      title: "rejects a replica that cannot be brought back",
      resources: [table({ replicas: [{ regionName: "us-west-2" }] })],
      reports: ["replicas[0].pointInTimeRecovery"],
    },
    {
      title: "rejects AWS's own key",
      resources: [table({ serverSideEncryption: { enabled: true } })],
      reports: ["serverSideEncryption"],
    },
    {
      title: "rejects a table that one call deletes",
      resources: [table({ deletionProtectionEnabled: undefined }), OTHER],
      reports: ["one call deletes the table"],
    },
    {
      title: "rejects it among protected ones",
      resources: [table({ deletionProtectionEnabled: false }), OTHER],
      reports: ["deletionProtectionEnabled"],
    },
    { title: "accepts it in a trial", resources: [table({ deletionProtectionEnabled: false })] },
    { title: "leaves other tables alone", resources: [OTHER] },
    {
      title: "waits for what is not known",
      resources: [
        table({
          pointInTimeRecovery: UNKNOWN_VALUE,
          serverSideEncryption: UNKNOWN_VALUE,
          deletionProtectionEnabled: UNKNOWN_VALUE,
        }),
        table({ name: UNKNOWN_VALUE, pointInTimeRecovery: null }),
      ],
    },
    {
      title: "accepts adding and reading",
      resources: [table(), may(["dynamodb:PutItem", "dynamodb:Query", "dynamodb:GetItem"])],
    },
    {
      title: "rejects changing and deleting",
      resources: [
        table(),
        may("dynamodb:UpdateItem"),
        may(["dynamodb:Delete*"]),
        may("dynamodb:BatchWriteItem"),
      ],
      reports: ["UpdateItem", "Delete*", "BatchWriteItem"].map(
        (action) => `"dynamodb:${action}" may change records of "bulkhead-approval-audit"`,
      ),
    },
    {
      title: "rejects it by name alone",
      resources: [may("dynamodb:*")],
      reports: ["bulkhead-approval-audit"],
    },
    {
      title: "rejects patterns that reach the table",
      resources: [
        table(),
        may("dynamodb:UpdateItem", "*"),
        may("dynamodb:UpdateItem", "arn:aws:dynamodb:*:222222222222:table/bulkhead-*"),
      ],
      reports: ["approval-audit", "approval-audit"],
    },
    {
      title: "leaves other tables' records and administrators alone",
      resources: [
        table(),
        may(
          "dynamodb:UpdateItem",
          "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-approval-requests",
        ),
        may("dynamodb:UpdateItem", "arn:aws:dynamodb:us-east-1:222222222222:table/x-*"),
        may("*", "*"),
      ],
    },
  ]);
});
