import { expect } from "chai";
import { analyze, type TestResource, UNKNOWN_VALUE, urnOf } from "./support/analyze";
import { documentOf, itJudges } from "./support/cases";

const user = (name: unknown, path: unknown = "/break-glass/", resource = String(name)): TestResource => ({
  type: "aws:iam/user:User",
  name: resource,
  props: { name, path },
});
const ONE = user("breakglass-admin-1");
const TWO = user("breakglass-admin-2");
const login = (props: Record<string, unknown>, owner?: TestResource): TestResource => ({
  type: "aws:iam/userLoginProfile:UserLoginProfile",
  name: "login",
  props: {
    user: "breakglass-admin-1",
    pgpKey: "mDME",
    passwordLength: 40,
    passwordResetRequired: false,
    ...props,
  },
  ...(owner && { propertyDependencies: { user: [urnOf(owner)] } }),
});

describe("break-glass-user-path", () => {
  itJudges("break-glass-user-path", [
    {
      title: "accepts the path, and paths below it",
      resources: [ONE, user("breakglass-admin-2", "/break-glass/eu/")],
    },
    {
      title: "rejects another path",
      resources: [user("breakglass-admin-1", "/people/")],
      reports: [/path: .* stands at "\/people\/"\. Instead: write path: "\/break-glass\/"/],
    },
    {
      title: "rejects IAM's default",
      resources: [{ ...ONE, props: { name: "breakglass-admin-1" } }],
      reports: ['stands at "/"'],
    },
    {
      title: "rejects a path that only contains it",
      resources: [user("breakglass-admin-1", "/not/break-glass/")],
      reports: ["/not/break-glass/"],
    },
    {
      title: "compares names without case",
      resources: [user("BreakGlass-Admin-1", "/")],
      reports: ['"BreakGlass-Admin-1"'],
    },
    { title: "leaves other users alone", resources: [user("deploy", "/")] },
    {
      title: "waits for what is not known",
      resources: [user("breakglass-admin-1", UNKNOWN_VALUE), user(UNKNOWN_VALUE, "/")],
    },
    {
      title: "takes names and paths from its configuration",
      resources: [user("sos-1", "/people/")],
      config: { userNames: ["sos-*"], paths: ["/sos/", "/help/"] },
      reports: ['write path: "/sos/" or "/help/"'],
    },
    {
      title: "takes aws-native's users",
      resources: [{ type: "aws-native:iam:User", props: { userName: "breakglass-admin-1" } }],
      reports: ['stands at "/"'],
    },
  ]);
});

describe("break-glass-password-encrypted", () => {
  const RULE = "break-glass-password-encrypted";
  itJudges(RULE, [
    { title: "accepts 32 characters for a PGP key", resources: [ONE, login({ passwordLength: 32 })] },
    {
      title: "rejects a password without a key",
      resources: [login({ pgpKey: undefined })],
      reports: ["stands readable in the state"],
    },
    { title: "rejects an empty key", resources: [login({ pgpKey: "" })], reports: ["pgpKey"] },
    {
      title: "rejects a short password",
      resources: [login({ passwordLength: 31 })],
      reports: ["has 31 characters"],
    },
    {
      title: "knows the provider's default length",
      resources: [login({ passwordLength: undefined })],
      reports: ["has 20 characters"],
    },
    {
      title: "finds the user by its path",
      resources: [user("alice"), login({ user: "alice", pgpKey: null })],
      reports: ["pgpKey"],
    },
    {
      title: "finds the user that an unknown name comes from",
      resources: [ONE, login({ user: UNKNOWN_VALUE, passwordLength: 20 }, ONE)],
      reports: ["has 20 characters"],
    },
    {
      title: "leaves other users' passwords alone",
      resources: [user("alice", "/"), login({ user: "alice", pgpKey: null })],
    },
    {
      title: "waits for what is not known",
      resources: [login({ pgpKey: UNKNOWN_VALUE, passwordLength: UNKNOWN_VALUE })],
    },
  ]);

  it("shows nothing of a key", async () => {
    const [message] = await analyze(RULE, login({ passwordLength: 8, pgpKey: "secretlooking" }));
    expect(message).not.to.include("secretlooking");
  });
});

describe("break-glass-no-password-reset", () => {
  itJudges("break-glass-no-password-reset", [
    { title: "accepts a password that stays", resources: [ONE, login({})] },
    {
      title: "accepts a profile that does not say",
      resources: [login({ passwordResetRequired: undefined })],
    },
    {
      title: "rejects a reset, once",
      resources: [ONE, login({ passwordResetRequired: true })],
      reports: ["passwordResetRequired: an emergency user would have to change its password"],
    },
    {
      title: "finds the user by its path",
      resources: [user("alice"), login({ user: "alice", passwordResetRequired: true })],
      reports: ["write passwordResetRequired: false"],
    },
    {
      title: "finds the user that an unknown name comes from",
      resources: [ONE, login({ user: UNKNOWN_VALUE, passwordResetRequired: true }, ONE)],
      reports: ["passwordResetRequired"],
    },
    {
      title: "leaves other users alone",
      resources: [user("alice", "/"), login({ user: "alice", passwordResetRequired: true })],
    },
    { title: "waits for what is not known", resources: [login({ passwordResetRequired: UNKNOWN_VALUE })] },
    {
      title: "takes aws-native's users",
      resources: [
        {
          type: "aws-native:iam:User",
          props: { userName: "breakglass-admin-1", loginProfile: { passwordResetRequired: true } },
        },
      ],
      reports: ["loginProfile.passwordResetRequired"],
    },
    {
      title: "rejects a hard expiry for the account",
      resources: [
        {
          type: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
          props: { maxPasswordAge: 90, hardExpiry: true },
        },
      ],
      reports: ["hardExpiry"],
    },
    {
      title: "accepts an age without it",
      resources: [
        { type: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy", props: { maxPasswordAge: 90 } },
      ],
    },
  ]);
});

describe("at-least-two-emergency-users", () => {
  itJudges("at-least-two-emergency-users", [
    { title: "accepts two", resources: [ONE, TWO] },
    { title: "accepts a stack without any", resources: [user("alice", "/")] },
    {
      title: "rejects one",
      resources: [ONE, user("alice", "/")],
      reports: ['"breakglass-admin-1" is the stack\'s only emergency user'],
    },
    { title: "counts a user that may be one", resources: [ONE, user(UNKNOWN_VALUE, UNKNOWN_VALUE, "other")] },
    { title: "counts users by their path", resources: [ONE, user("alice")] },
  ]);
});

describe("break-glass-has-administrator", () => {
  const attachment = (policyArn: unknown, extra: Partial<TestResource> = {}): TestResource => ({
    type: "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    name: "attachment",
    props: { user: "breakglass-admin-1", policyArn },
    ...extra,
  });
  const inline = (policy: unknown): TestResource => ({
    type: "aws:iam/userPolicy:UserPolicy",
    name: "inline",
    props: { user: "breakglass-admin-1", policy },
  });
  const ALL = { Effect: "Allow", Action: "*", Resource: "*" };
  itJudges("break-glass-has-administrator", [
    {
      title: "accepts AdministratorAccess",
      resources: [ONE, attachment("arn:aws:iam::aws:policy/AdministratorAccess")],
    },
    {
      title: "accepts China's",
      resources: [ONE, attachment("arn:aws-cn:iam::aws:policy/AdministratorAccess")],
    },
    { title: "accepts an own policy that allows everything", resources: [ONE, inline(documentOf(ALL))] },
    {
      title: "rejects a user without policies",
      resources: [ONE],
      reports: ['"breakglass-admin-1" has no policy that lets it do everything'],
    },
    {
      title: "rejects other policies",
      resources: [ONE, attachment("arn:aws:iam::aws:policy/ReadOnlyAccess")],
      reports: ["attach arn:PARTITION"],
    },
    {
      title: "rejects one of that name that is not AWS's",
      resources: [ONE, attachment("arn:aws:iam::222222222222:policy/AdministratorAccess")],
      reports: ["breakglass-admin-1"],
    },
    {
      title: "rejects a policy with a condition",
      resources: [
        ONE,
        inline(documentOf({ ...ALL, Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } })),
      ],
      reports: ["breakglass-admin-1"],
    },
    {
      title: "rejects a policy for some resources, and a denial",
      resources: [
        ONE,
        inline(documentOf({ ...ALL, Resource: "arn:aws:s3:::*" }, { ...ALL, Effect: "Deny" })),
      ],
      reports: ["breakglass-admin-1"],
    },
    { title: "waits for what is not known", resources: [ONE, inline(UNKNOWN_VALUE)] },
    {
      title: "waits for statements that are not known",
      resources: [ONE, inline({ Version: "2012-10-17", Statement: UNKNOWN_VALUE })],
    },
    { title: "waits for an ARN that is not known", resources: [ONE, attachment(UNKNOWN_VALUE)] },
    { title: "leaves other users alone", resources: [user("alice", "/")] },
  ]);
});
