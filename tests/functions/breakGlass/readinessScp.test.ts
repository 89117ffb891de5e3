import { expect } from "chai";
import * as fc from "fast-check";
import { denyWithoutMfaStatements } from "../../../components/breakGlassAccount/denyWithoutMfa";
import { command } from "../../../functions/breakGlass/readiness/command";
import {
  conditionHolds,
  type KnownKeys,
} from "../../../functions/breakGlass/readiness/controlPolicies/condition";
import {
  type ControlledUser,
  exempting,
  obstacles,
} from "../../../functions/breakGlass/readiness/controlPolicies/inTheWay";
import { meansTheSame } from "../../../functions/breakGlass/readiness/document";

const USER: ControlledUser = {
  userName: "breakglass-admin-1",
  arn: "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1",
  accountId: "222222222222",
  tags: { purpose: "Emergency access" },
  regions: ["us-east-1", "us-west-2"],
  arnPattern: "arn:aws:iam::222222222222:user/break-glass/*",
};

const ALLOW_ALL = { Effect: "Allow", Action: "*", Resource: "*" };
const DENY = { Sid: "Guard", Effect: "Deny", Action: "ec2:*", Resource: "*" };

/** What is in the way of statements of a policy at the root, beside the policy that allows everything. */
function found(statements: object[], tolerated: string[] = [], allow: object = ALLOW_ALL) {
  const document = (...each: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: each });
  const policies = [
    { id: "p-FullAWSAccess", name: "FullAWSAccess", document: document(allow) },
    { id: "p-guard", name: "guard", document: document(...statements) },
  ];
  return obstacles([{ id: "r-ab12", policies }], USER, tolerated);
}

const when = (operator: string, key: string, value: unknown) => ({
  ...DENY,
  Condition: { [operator]: { [key]: value } },
});

describe("service control policies: statements in the way", () => {
  for (const [name, statement] of [
    ["everything denied", { ...DENY, Action: "*" }],
    ["one action denied", { ...DENY, Action: "iam:CreateUser" }],
    ["all but some actions denied", { Effect: "Deny", NotAction: ["s3:*"], Resource: "*" }],
    ["a service's resources of one kind", { ...DENY, Resource: "arn:aws:ec2:*:*:instance/*" }],
    ["a service's resources", { ...DENY, Action: "s3:*", Resource: "arn:aws:s3:::*" }],
    ["all resources but some", { Effect: "Deny", Action: "*", NotResource: "arn:aws:s3:::log/*" }],
    ["a role is exempt, users are not", when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin")],
    ["another path is exempt", when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/emergency/*")],
    ["an address that nobody can know", when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")],
    ["the second cell's region", when("StringNotEquals", "aws:RequestedRegion", "us-east-1")],
    ["users, whoever they are", when("StringEquals", "aws:PrincipalType", "User")],
    ["a tag that the users do not have", when("StringNotEquals", "aws:PrincipalTag/team", "security")],
    ["no tag at all", when("Null", "aws:PrincipalTag/team", "true")],
    ["unless called through a service", when("Bool", "aws:ViaAWSService", "false")],
    [
      "a variable that is not known",
      when("StringNotEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"),
    ],
  ] as const) {
    it(`sees: ${name}`, () => {
      const [obstacle, ...others] = found([statement]);
      expect(others).to.deep.equal([]);
      expect(obstacle).to.deep.include({ level: "r-ab12", policy: { id: "p-guard", name: "guard" } });
      // What is to be written instead is no obstacle any more.
      expect(found([obstacle!.instead])).to.deep.equal([]);
    });
  }

  for (const [name, statement] of [
    [
      "users under the path are exempt",
      when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/break-glass/*"),
    ],
    ["the same as text", when("StringNotLike", "aws:PrincipalARN", ["x", "arn:*:iam::*:user/break-glass/*"])],
    ["this very user is exempt", when("ArnNotEquals", "aws:PrincipalArn", USER.arn)],
    ["roles only", when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")],
    ["the root user only", when("StringLike", "aws:PrincipalArn", ["arn:aws:iam::*:root"])],
    ["other accounts", when("StringNotEquals", "aws:PrincipalAccount", "222222222222")],
    [
      "both cells' regions are allowed",
      when("StringNotEquals", "aws:RequestedRegion", ["us-east-1", "us-west-2"]),
    ],
    ["regions by a pattern", when("StringNotLike", "aws:RequestedRegion", "us-*")],
    ["without MFA only", when("BoolIfExists", "aws:MultiFactorAuthPresent", "false")],
    ["without TLS only", when("Bool", "aws:SecureTransport", "false")],
    ["by the user's tag", when("StringNotEquals", "aws:PrincipalTag/purpose", "Emergency access")],
    ["a tag that the users do not have", when("StringEquals", "aws:PrincipalTag/team", "sandbox")],
    ["by the user's name", when("StringNotEquals", "aws:username", ["breakglass-admin-1"])],
    ["by a variable", when("StringNotEquals", "aws:username", "${aws:username}")],
    ["services only", when("Bool", "aws:PrincipalIsAWSService", "true")],
    ["one named resource", { ...DENY, Resource: "arn:aws:iam::*:role/AWSControlTowerExecution" }],
    ["named resources by a pattern", { ...DENY, Resource: ["arn:aws:s3:::audit-*"] }],
    ["an allowance", { Effect: "Allow", Action: "s3:*", Resource: "*" }],
  ] as const) {
    it(`leaves alone: ${name}`, () => {
      expect(found([statement])).to.deep.equal([]);
    });
  }

  it("leaves statements alone that are there on purpose, by name or place", () => {
    const { Sid: _, ...nameless } = DENY;
    expect(found([DENY], ["p-guard/Guard"])).to.deep.equal([]);
    expect(found([ALLOW_ALL, nameless], ["p-guard/statement 2"])).to.deep.equal([]);
    expect(found([DENY], ["p-other/Guard"])).to.have.length(1);
  });

  it("sees a level that allows listed actions only, and how to let the emergency users through", () => {
    const [obstacle, ...others] = found([], [], {
      Effect: "Allow",
      Action: ["s3:*", "ec2:*"],
      Resource: "*",
    });
    expect(others).to.deep.equal([]);
    expect(obstacle!.what).to.equal("r-ab12 allows listed actions only");
    expect(obstacle!.instead).to.deep.equal({
      Sid: "EmergencyUsers",
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { ArnLike: { "aws:PrincipalArn": USER.arnPattern } },
    });
    expect(found([obstacle!.instead], [], { Effect: "Allow", Action: "s3:*", Resource: "*" })).to.deep.equal(
      [],
    );
  });

  it("adds to an exemption that is there already, and keeps everything else", () => {
    const statement = {
      ...DENY,
      Condition: {
        ArnNotLike: { "aws:PrincipalARN": "arn:aws:iam::*:role/admin" },
        StringNotEquals: { "aws:RequestedRegion": "eu-west-1" },
      },
    };
    expect(exempting(statement, USER.arnPattern)).to.deep.equal({
      ...DENY,
      Condition: {
        ArnNotLike: { "aws:PrincipalARN": ["arn:aws:iam::*:role/admin", USER.arnPattern] },
        StringNotEquals: { "aws:RequestedRegion": "eu-west-1" },
      },
    });
    expect(exempting(DENY, USER.arnPattern).Condition).to.deep.equal({
      ArnNotLike: { "aws:PrincipalArn": USER.arnPattern },
    });
  });

  it("never takes what it writes for an obstacle", () => {
    const operators = [
      "StringEquals",
      "StringNotLike",
      "ArnNotLike",
      "ArnNotLikeIfExists",
      "NumericLessThan",
      "Bool",
    ];
    const keys = [
      "aws:PrincipalArn",
      "aws:RequestedRegion",
      "aws:SourceIp",
      "aws:PrincipalTag/x",
      "s3:prefix",
    ];
    const condition = fc.dictionary(
      fc.constantFrom(...operators),
      fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 1 }))),
    );
    fc.assert(
      fc.property(condition, (Condition) => {
        expect(found([exempting({ ...DENY, Condition }, USER.arnPattern)])).to.deep.equal([]);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("conditions that can be told beforehand", () => {
  const known: KnownKeys = new Map([
    ["k", "value"],
    ["absent", null],
  ]);
  for (const [operator, key, wanted, holds] of [
    ["StringEquals", "K", "value", true],
    ["StringEquals", "k", ["other", "value"], true],
    ["StringNotEquals", "k", ["other", "value"], false],
    ["StringEqualsIgnoreCase", "k", "VALUE", true],
    ["StringNotEqualsIgnoreCase", "k", "VALUE", false],
    ["StringLike", "k", "va?u*", true],
    ["StringLike", "k", "v.*", false],
    ["StringEquals", "absent", "value", false],
    ["StringEqualsIfExists", "absent", "value", true],
    ["StringNotEquals", "absent", "value", true],
    ["ForAllValues:StringEquals", "absent", "value", true],
    ["ForAnyValue:StringEquals", "absent", "value", false],
    ["ForAnyValue:StringNotEquals", "absent", "value", false],
    ["ForAnyValue:StringEquals", "k", "value", true],
    ["Null", "absent", "true", true],
    ["Null", "absent", "false", false],
    ["Null", "k", "false", true],
    ["Null", "other", "true", undefined],
    ["StringEquals", "other", "value", undefined],
    ["NumericEquals", "k", "1", undefined],
    ["StringEquals", "k", "${other}", undefined],
    ["StringNotEquals", "k", ["${other}", "value"], false],
    ["StringEquals", "k", "${k}", true],
    ["StringEquals", "k", "${*}", false],
  ] as const) {
    it(`${operator} ${key} ${JSON.stringify(wanted)}: ${holds ?? "cannot be told"}`, () => {
      expect(conditionHolds({ [operator]: { [key]: wanted } }, known)).to.equal(holds);
    });
  }

  it("hold together when each holds; one that does not decides", () => {
    const yes = { k: "value" };
    expect(conditionHolds({}, known)).to.equal(true);
    expect(conditionHolds(undefined, known)).to.equal(true);
    expect(conditionHolds({ StringEquals: yes, StringLike: yes }, known)).to.equal(true);
    expect(conditionHolds({ StringEquals: yes, IpAddress: yes }, known)).to.equal(undefined);
    expect(conditionHolds({ StringNotEquals: yes, IpAddress: yes }, known)).to.equal(false);
  });

  it("compare ARNs part by part", () => {
    const arn: KnownKeys = new Map([["aws:principalarn", USER.arn]]);
    const like = (pattern: string) => conditionHolds({ ArnLike: { "aws:PrincipalArn": pattern } }, arn);
    expect(like("arn:aws:iam::*:user/break-glass/*")).to.equal(true);
    expect(like("arn:*:iam::*:user/*")).to.equal(true);
    expect(like("arn:*")).to.equal(false);
    expect(like("*")).to.equal(false);
  });
});

describe("the policy that demands MFA, compared by meaning", () => {
  const text = (statements: unknown, Version = "2012-10-17") =>
    JSON.stringify({ Version, Statement: statements });
  const [deny] = denyWithoutMfaStatements();
  const same = (document: string) => meansTheSame(document, denyWithoutMfaStatements());

  it("is itself, however it is written", () => {
    expect(same(text([deny]))).to.equal(true);
    expect(same(text(deny))).to.equal(true);
    expect(
      same(
        text({
          Resource: ["*"],
          Action: ["*"],
          Effect: "Deny",
          Condition: { boolIfExists: { "aws:multifactorauthpresent": ["false"] } },
        }),
      ),
    ).to.equal(true);
    expect(same(text([deny, deny]))).to.equal(true);
  });

  for (const [name, document] of [
    ["not JSON", "{"],
    ["not a document", "[]"],
    ["an older version", text([deny], "2008-10-17")],
    ["no statement", text([])],
    ["one more", text([deny, { Effect: "Allow", Action: "*", Resource: "*" }])],
    ["allowed", text({ ...deny, Effect: "Allow" })],
    ["fewer actions", text({ ...deny, Action: ["iam:*"] })],
    ["all but enrolling", text({ ...deny, Action: undefined, NotAction: "iam:EnableMFADevice" })],
    ["fewer resources", text({ ...deny, Resource: "arn:aws:s3:::*" })],
    [
      "only where the key exists",
      text({ ...deny, Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } }),
    ],
    ["with MFA", text({ ...deny, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } } })],
    ["no condition", text({ ...deny, Condition: undefined })],
    [
      "one more condition",
      text({
        ...deny,
        Condition: { ...(deny!.Condition as object), Bool: { "aws:SecureTransport": "false" } },
      }),
    ],
  ] as const) {
    it(`is not: ${name}`, () => {
      expect(same(document)).to.equal(false);
    });
  }
});

describe("commands", () => {
  it("can be pasted into a shell, whatever a name holds", () => {
    expect(command("aws", "iam", "get-user", "--user-name", "a+b=c,d.e@f-g_1")).to.equal(
      "aws iam get-user --user-name a+b=c,d.e@f-g_1",
    );
    expect(command("x", "it's $(rm)", "")).to.equal(`x 'it'\\''s $(rm)' ''`);
  });
});
