import { expect } from "chai";
import { analyzeStack, type TestResource, UNKNOWN_VALUE, urnOf } from "./support/analyze";

const RULE = "break-glass-requires-mfa";
const USER: TestResource = {
  type: "aws:iam/user:User",
  name: "user",
  props: { name: "breakglass-admin-1", path: "/break-glass/" },
};

/** The statement of the first seed. */
const DENY = {
  Sid: "DenyAllActionsWithoutMFA",
  Effect: "Deny",
  Action: "*",
  Resource: "*",
  Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
};

const document = (...statements: unknown[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

const inline = (policy: unknown, user: unknown = "breakglass-admin-1"): TestResource => ({
  type: "aws:iam/userPolicy:UserPolicy",
  name: "inline",
  props: { user, policy },
});

const managed = (
  policy: unknown,
  arn: unknown = "arn:aws:iam::222222222222:policy/break-glass/mfa",
): TestResource => ({
  type: "aws:iam/policy:Policy",
  name: "mfa",
  props: { name: "mfa", path: "/break-glass/", policy, arn },
});

const attachment = (policyArn: unknown, user: unknown = "breakglass-admin-1"): TestResource => ({
  type: "aws:iam/userPolicyAttachment:UserPolicyAttachment",
  name: "attachment",
  props: { user, policyArn },
});

const ARN = "arn:aws:iam::222222222222:policy/break-glass/mfa";

async function rejected(resources: TestResource[], config = {}): Promise<string> {
  const found = await analyzeStack(RULE, resources, config);
  expect(found).to.have.length(1);
  expect(found[0]?.urn).to.equal(urnOf(USER));
  expect(found[0]?.message).to.include("BoolIfExists");
  return found[0]?.message ?? "";
}

async function accepted(resources: TestResource[], config = {}): Promise<void> {
  expect(await analyzeStack(RULE, resources, config)).to.deep.equal([]);
}

describe(RULE, () => {
  describe("how the policy is tied to the user", () => {
    it("rejects a user without any policy", async () => {
      expect(await rejected([USER])).to.match(
        /"user": no policy of emergency user "breakglass-admin-1" denies everything without MFA\. Instead: attach/,
      );
    });

    it("accepts an inline policy", () => accepted([USER, inline(document(DENY))]));

    it("accepts an inline policy given as an object", () =>
      accepted([USER, inline({ Version: "2012-10-17", Statement: DENY })]));

    it("accepts an attached policy", () => accepted([USER, managed(document(DENY)), attachment(ARN)]));

    it("accepts an attached policy whose ARN is written down before the policy is made", () =>
      accepted([USER, managed(document(DENY), UNKNOWN_VALUE), attachment(ARN)]));

    it("accepts exclusive attachments and attachments to several users", async () => {
      await accepted([
        USER,
        managed(document(DENY)),
        {
          type: "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
          props: { userName: "breakglass-admin-1", policyArns: [ARN] },
        },
      ]);
      await accepted([
        USER,
        managed(document(DENY)),
        {
          type: "aws:iam/policyAttachment:PolicyAttachment",
          props: { users: ["x", "breakglass-admin-1"], policyArn: ARN },
        },
      ]);
    });

    for (const membership of [
      {
        type: "aws:iam/userGroupMembership:UserGroupMembership",
        props: { user: "breakglass-admin-1", groups: ["g"] },
      },
      {
        type: "aws:iam/groupMembership:GroupMembership",
        props: { group: "g", users: ["breakglass-admin-1"] },
      },
    ]) {
      it(`accepts a group's policy through ${membership.type}`, async () => {
        const group = { type: "aws:iam/group:Group", name: "group", props: { name: "g" } };
        const own = {
          type: "aws:iam/groupPolicy:GroupPolicy",
          props: { group: "g", policy: document(DENY) },
        };
        const tied = {
          type: "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
          props: { group: "g", policyArn: ARN },
        };
        await accepted([USER, group, membership, own]);
        await accepted([USER, membership, own]);
        await accepted([USER, group, membership, tied, managed(document(DENY))]);
        await rejected([USER, group, own]);
        await rejected([USER, group, membership]);
        await rejected([USER, membership, { ...own, props: { ...own.props, group: "h" } }]);
      });
    }

    it("rejects a policy that is attached to somebody else, or to nobody", async () => {
      await rejected([USER, inline(document(DENY), "alice")]);
      await rejected([USER, managed(document(DENY))]);
      await rejected([USER, managed(document(DENY)), attachment(ARN, "alice")]);
    });

    it("judges each emergency user by itself", async () => {
      const second = {
        ...USER,
        name: "second",
        props: { name: "breakglass-admin-2", path: "/break-glass/" },
      };
      const found = await analyzeStack(RULE, [USER, second, inline(document(DENY))]);
      expect(found.map(({ urn }) => urn)).to.deep.equal([urnOf(second)]);
    });

    it("finds emergency users by path or by name, and leaves others alone", async () => {
      const user = (name: string, path: string) => ({ ...USER, props: { name, path } });
      await rejected([user("alice", "/break-glass/")]);
      await rejected([user("breakglass-admin-7", "/")]);
      await accepted([user("alice", "/")]);
      await accepted([user("alice", "/break-glass/")], { paths: ["/other/"] });
      await rejected([user("alice", "/other/deep/")], { paths: ["/other/"] });
    });

    it("names a policy of another stack, unless the configuration says what it does", async () => {
      const resources = [USER, attachment("arn:aws:iam::222222222222:policy/shared/deny")];
      expect(await rejected(resources)).to.include(
        "arn:aws:iam::222222222222:policy/shared/deny is of another stack and not among the rule's denyingPolicies",
      );
      await accepted(resources, { denyingPolicies: ["arn:*:policy/shared/deny"] });
      const message = await rejected([USER, attachment("arn:aws:iam::aws:policy/AdministratorAccess")]);
      expect(message).not.to.include("AdministratorAccess");
    });

    it("reads aws-native's users, groups and policies", async () => {
      const user = (props: object): TestResource => ({
        type: "aws-native:iam:User",
        name: "native",
        props: { userName: "breakglass-admin-1", path: "/break-glass/", ...props },
      });
      const policyDocument = JSON.parse(document(DENY));
      await accepted([user({ policies: [{ policyName: "p", policyDocument }] })]);
      await accepted([
        user({ groups: ["g"] }),
        {
          type: "aws-native:iam:Group",
          props: { groupName: "g", policies: [{ policyName: "p", policyDocument }] },
        },
      ]);
      await accepted([
        user({}),
        { type: "aws-native:iam:ManagedPolicy", props: { users: ["breakglass-admin-1"], policyDocument } },
      ]);
      expect(await analyzeStack(RULE, [user({ policies: [] })])).to.have.length(1);
    });
  });

  describe("what the policy says", () => {
    const weak: [string, object, RegExp][] = [
      [
        "Bool",
        { Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } },
        /Bool does not hold for requests that lack the key/,
      ],
      [
        "Bool with a real boolean",
        { Condition: { Bool: { "aws:MultiFactorAuthPresent": false } } },
        /Bool does not hold/,
      ],
      [
        "StringEquals",
        { Condition: { StringEquals: { "aws:MultiFactorAuthPresent": "false" } } },
        /StringEquals does not hold/,
      ],
      [
        "Null alone",
        { Condition: { Null: { "aws:MultiFactorAuthPresent": "true" } } },
        /does not hold for requests whose key is "false"/,
      ],
      [
        "BoolIfExists true",
        { Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } } },
        /with true does not hold/,
      ],
      [
        "an exemption",
        { Action: undefined, NotAction: ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice"] },
        /NotAction exempts iam:CreateVirtualMFADevice, iam:EnableMFADevice/,
      ],
      ["some actions only", { Action: ["iam:*", "ec2:*"] }, /not every action/],
      ["some resources only", { Resource: "arn:aws:s3:::*" }, /on every resource/],
      ["NotResource", { Resource: undefined, NotResource: "arn:aws:iam::*:mfa/*" }, /on every resource/],
      [
        "a further condition",
        { Condition: { ...DENY.Condition, StringNotEquals: { "aws:RequestedRegion": "us-east-1" } } },
        /condition on aws:requestedregion leaves requests out/,
      ],
    ];
    for (const [name, change, reason] of weak) {
      it(`rejects ${name} and says why`, async () => {
        const statement = Object.fromEntries(
          Object.entries({ ...DENY, ...change }).filter(([, value]) => value !== undefined),
        );
        expect(await rejected([USER, inline(document(statement))])).to.match(reason);
      });
    }

    it("rejects the statement with effect Allow, an empty and a broken document", async () => {
      await rejected([USER, inline(document({ ...DENY, Effect: "Allow" }))]);
      await rejected([USER, inline(document())]);
      await rejected([USER, inline("{")]);
    });

    const strong: [string, object[]][] = [
      [
        "the key in another case",
        [{ ...DENY, Condition: { BoolIfExists: { "AWS:multifactorauthpresent": "false" } } }],
      ],
      ["a real boolean", [{ ...DENY, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": false } } }]],
      [
        "lists",
        [
          {
            ...DENY,
            Action: ["iam:*", "*"],
            Resource: ["*"],
            Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": ["false"] } },
          },
        ],
      ],
      ["other statements around it", [{ Effect: "Allow", Action: "*", Resource: "*" }, DENY]],
      ["no condition at all", [{ Effect: "Deny", Action: "*", Resource: "*" }]],
      [
        "two statements that together cover both kinds of request",
        [
          { ...DENY, Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } },
          { ...DENY, Condition: { Null: { "aws:MultiFactorAuthPresent": "true" } } },
        ],
      ],
      [
        "a negated operator, which holds for an absent key",
        [{ ...DENY, Condition: { StringNotEquals: { "aws:MultiFactorAuthPresent": "true" } } }],
      ],
      [
        "the age of the MFA being absent",
        [{ ...DENY, Condition: { Null: { "aws:MultiFactorAuthAge": "true" } } }],
      ],
    ];
    for (const [name, statements] of strong) {
      it(`accepts ${name}`, () => accepted([USER, inline(document(...statements))]));
    }
  });

  describe("what is not known during preview", () => {
    it("accepts an unknown document, and unknown parts of one", async () => {
      await accepted([USER, inline(UNKNOWN_VALUE)]);
      await accepted([USER, managed(UNKNOWN_VALUE), attachment(ARN)]);
      await accepted([USER, inline({ Statement: [{ ...DENY, Condition: UNKNOWN_VALUE }] })]);
      await accepted([USER, inline({ Statement: [{ ...DENY, Resource: [UNKNOWN_VALUE] }] })]);
      await accepted([USER, inline({ Statement: [UNKNOWN_VALUE] })]);
    });

    it("follows an unknown ARN to the policy that it comes from", async () => {
      const tied = (policy: TestResource): TestResource => ({
        ...attachment(UNKNOWN_VALUE),
        propertyDependencies: { policyArn: [urnOf(policy)] },
      });
      const good = managed(document(DENY), UNKNOWN_VALUE);
      const bad = managed(
        document({ ...DENY, Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } }),
        UNKNOWN_VALUE,
      );
      await accepted([USER, good, tied(good)]);
      expect(await rejected([USER, bad, tied(bad)])).to.include("mfa: Bool does not hold");
    });

    it("follows an unknown user name to the user that it comes from", async () => {
      const unnamed = { ...USER, props: { name: UNKNOWN_VALUE, path: "/break-glass/" } };
      const other = { type: "aws:iam/user:User", name: "other", props: { name: UNKNOWN_VALUE, path: "/" } };
      const tied = (user: TestResource): TestResource => ({
        ...inline(document(DENY), UNKNOWN_VALUE),
        propertyDependencies: { user: [urnOf(user)] },
      });
      await accepted([unnamed, other, tied(unnamed)]);
      await rejected([unnamed, other, tied(other)]);
    });

    it("accepts a tie of unknown origin: it may be the user's", async () => {
      await accepted([USER, inline(document(DENY), UNKNOWN_VALUE)]);
      await accepted([USER, attachment(UNKNOWN_VALUE)]);
      await accepted([
        USER,
        { type: "aws:iam/groupMembership:GroupMembership", props: { group: "g", users: [UNKNOWN_VALUE] } },
      ]);
    });

    it("follows unknown group names to the groups", async () => {
      const group = { type: "aws:iam/group:Group", name: "group", props: { name: UNKNOWN_VALUE } };
      const membership = {
        type: "aws:iam/userGroupMembership:UserGroupMembership",
        props: { user: "breakglass-admin-1", groups: [UNKNOWN_VALUE] },
        propertyDependencies: { groups: [urnOf(group)] },
      };
      const policy = (statement: object) => ({
        type: "aws:iam/groupPolicy:GroupPolicy",
        props: { group: UNKNOWN_VALUE, policy: document(statement) },
        propertyDependencies: { group: [urnOf(group)] },
      });
      await accepted([USER, group, membership, policy(DENY)]);
      await rejected([USER, group, membership, policy({ ...DENY, Action: "iam:*" })]);
    });
  });
});
