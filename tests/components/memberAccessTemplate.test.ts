import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { type MemberPlanInput, planMemberAccess } from "../../components/memberAccess/plan";
import {
  type EventForwardingRequest,
  memberArn,
  type RoleRequest,
} from "../../components/memberAccess/requests";
import { memberTemplate, TEMPLATE_BODY_LIMIT } from "../../components/memberAccess/template";

const GOLDEN = path.join(__dirname, "../golden/memberAccess.template.json");

const hubs = [
  { id: "prod", arn: "arn:aws:events:us-east-1:222222222222:event-bus/bulkhead-hub" },
  { id: "dr", arn: "arn:aws:events:us-west-2:222222222222:event-bus/bulkhead-hub" },
];
const trusted = (cell: string) => `arn:aws:iam::222222222222:role/bulkhead/bulkhead-key-rotator-${cell}`;
const role: RoleRequest = {
  name: "bulkhead-key-rotator-member",
  description: "Lets Bulkhead rotate access keys",
  trustedRoleArns: [trusted("prod"), trusted("dr")],
  externalId: "bulkhead",
  statements: [
    { Sid: "ListUsers", Effect: "Allow", Action: ["iam:ListUsers"], Resource: ["*"] },
    {
      Sid: "RotateKeys",
      Effect: "Allow",
      Action: ["iam:CreateAccessKey", "iam:UpdateAccessKey"],
      Resource: [memberArn({ service: "iam", resource: "user/*" })],
      Condition: { StringNotLike: { "aws:username": ["${aws:username}-never"] } },
    },
  ],
};
const forwarding: EventForwardingRequest[] = [
  {
    name: "bulkhead-breakglass-use",
    eventPattern: {
      source: [{ prefix: "aws." }],
      detail: { readOnly: [false], count: [{ numeric: [">", 1] }] },
    },
    allManagementEvents: true,
  },
  { name: "bulkhead-breakglass-signin", eventPattern: { source: ["aws.signin"] } },
];

function template(input: Partial<MemberPlanInput>) {
  return memberTemplate(
    planMemberAccess({ namePrefix: "bulkhead", hubs, roles: [], eventForwarding: [], ...input }),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: a template of any form; the tests look into it
function parsed(input: Partial<MemberPlanInput>): any {
  return JSON.parse(template(input));
}

describe("member accounts' template", () => {
  it("is the golden one", () => {
    const actual = parsed({ roles: [role], eventForwarding: forwarding });
    if (process.env.UPDATE_GOLDEN) fs.writeFileSync(GOLDEN, `${JSON.stringify(actual, null, 2)}\n`);
    expect(actual).to.deep.equal(JSON.parse(fs.readFileSync(GOLDEN, "utf8")));
  });

  it("is the same text whatever the requests' order, and takes equal requests once", () => {
    const other = { ...role, name: "bulkhead-a" };
    const text = template({ roles: [role, other], eventForwarding: forwarding });
    expect(
      template({ roles: [other, role, { ...other }], eventForwarding: [...forwarding].reverse() }),
    ).to.equal(text);
  });

  it("keeps the types in event patterns, which CloudFormation loses in objects", () => {
    const rule = parsed({ eventForwarding: forwarding }).Resources.RuleBulkheadBreakglassUseForward
      .Properties;
    expect(JSON.parse(rule.EventPattern)).to.deep.equal(forwarding[0]!.eventPattern);
    expect(rule.State).to.equal("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
  });

  it("sends each rule's events to every hub directly, with the region's own role", () => {
    const resources = parsed({ eventForwarding: forwarding }).Resources;
    for (const id of ["RuleBulkheadBreakglassUseForward", "RuleBulkheadBreakglassSigninForward"]) {
      expect(resources[id].DependsOn).to.equal("EventForwarder");
      expect(resources[id]).not.to.have.property("Condition");
      expect(
        resources[id].Properties.Targets.map(({ Id, Arn }: { Id: string; Arn: string }) => [Id, Arn]),
      ).to.deep.equal(hubs.map((hub) => [hub.id, hub.arn]));
      for (const target of resources[id].Properties.Targets) {
        expect(target.RoleArn["Fn::Sub"]).to.equal(
          `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/bulkhead/${resources.EventForwarder.Properties.RoleName["Fn::Sub"]}`,
        );
      }
    }
  });

  it("makes roles in the home region only, and no forwarding role without rules", () => {
    const { Conditions, Resources } = parsed({ roles: [role] });
    expect(Object.keys(Resources)).to.deep.equal(["RoleBulkheadKeyRotatorMember"]);
    expect(Resources.RoleBulkheadKeyRotatorMember.Condition).to.equal("InHomeRegion");
    expect(Conditions.InHomeRegion).to.deep.equal({
      "Fn::Equals": [{ Ref: "AWS::Region" }, { Ref: "HomeRegion" }],
    });
  });

  it("leaves IAM's policy variables alone where it fills in its own", () => {
    const statements = [
      {
        Effect: "Allow",
        Action: ["iam:GetUser"],
        Resource: [memberArn({ service: "iam", resource: "user/${aws:username}" }), "arn:x:${aws:username}"],
      },
    ];
    const { Resources } = parsed({ roles: [{ ...role, statements }] });
    const policy = Resources.RoleBulkheadKeyRotatorMember.Properties.Policies[0].PolicyDocument;
    expect(policy.Statement[0].Resource).to.deep.equal([
      { "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/${!aws:username}" },
      "arn:x:${aws:username}",
    ]);
  });

  it("refuses what does not fit into a template, and names the largest parts", () => {
    const big = (name: string, bytes: number) => ({ ...role, name, description: "x".repeat(bytes) });
    expect(() =>
      template({
        roles: [big("bulkhead-a", TEMPLATE_BODY_LIMIT / 2), big("bulkhead-b", TEMPLATE_BODY_LIMIT / 2)],
      }),
    ).to.throw(/has \d+ bytes, CloudFormation takes 51200.*RoleBulkheadA \(\d+\), RoleBulkheadB/);
    const fits = template({ roles: [role] });
    expect(
      Buffer.byteLength(
        template({ roles: [big(role.name, TEMPLATE_BODY_LIMIT - fits.length + role.description.length)] }),
      ),
    ).to.equal(TEMPLATE_BODY_LIMIT);
  });

  it("refuses names that cannot be told apart", () => {
    expect(() =>
      template({
        roles: [
          { ...role, name: "a-b" },
          { ...role, name: "a_b" },
        ],
      }),
    ).to.throw("rename one");
  });

  describe("refuses a malformed request", () => {
    const roles: [string, Partial<RoleRequest>, RegExp][] = [
      ["name", { name: "1x" }, /roles: "1x": a name/],
      ["long name", { name: "x".repeat(65) }, /a name/],
      ["path", { path: "bulkhead" }, /path is "bulkhead"/],
      ["session", { maxSessionDuration: 900 }, /maxSessionDuration is 900/],
      ["no statements", { statements: [] }, /statements is empty/],
      [
        "effect",
        { statements: [{ Effect: "allow", Action: ["a:B"], Resource: ["*"] }] },
        /statements\[0\]\.Effect is "allow"/,
      ],
      ["no action", { statements: [{ Effect: "Allow", Action: [], Resource: ["*"] }] }, /Action is empty/],
      [
        "no resource",
        { statements: [{ Effect: "Allow", Action: ["a:B"], Resource: [] }] },
        /Resource is empty/,
      ],
      ["nobody trusted", { trustedRoleArns: [] }, /trustedRoleArns is empty/],
      ["everybody trusted", { trustedRoleArns: ["*"] }, /trustedRoleArns has "\*"/],
      ["wildcard", { trustedRoleArns: ["arn:aws:iam::222222222222:role/x*"] }, /without wildcards/],
      ["an account trusted", { trustedRoleArns: ["arn:aws:iam::222222222222:root"] }, /a role's whole ARN/],
      ["external id", { externalId: "x y" }, /externalId/],
      ["forwarder's name", { name: "bulkhead-event-forwarder-us-east-1" }, /roles that forward events/],
    ];
    for (const [what, fields, message] of roles) {
      it(`role: ${what}`, () => {
        expect(() => template({ roles: [{ ...role, ...fields }] })).to.throw(message);
      });
    }
    const rules: [string, Partial<EventForwardingRequest>, RegExp][] = [
      ["name without the prefix", { name: "x" }, /begins with "bulkhead-"/],
      ["long name", { name: `bulkhead-${"x".repeat(50)}` }, /at most 56/],
      ["empty pattern", { eventPattern: {} }, /eventPattern is empty/],
    ];
    for (const [what, fields, message] of rules) {
      it(`event forwarding: ${what}`, () => {
        expect(() => template({ eventForwarding: [{ ...forwarding[0]!, ...fields }] })).to.throw(message);
      });
    }
    it("two different requests of one name", () => {
      expect(() => template({ roles: [role, { ...role, description: "other" }] })).to.throw(
        "two different requests",
      );
    });
    it("event forwarding without a hub", () => {
      expect(() => template({ eventForwarding: forwarding, hubs: [] })).to.throw("no hub");
    });
  });

  it("trusts, whatever is asked for, exactly the named roles of exact accounts", () => {
    const account = fc.integer({ min: 0, max: 999_999_999_999 }).map((id) => String(id).padStart(12, "0"));
    const partition = fc.constantFrom("aws", "aws-cn", "aws-us-gov");
    const roleArn = fc
      .tuple(partition, account, fc.stringMatching(/^(\/[\w.]{1,8}){0,2}\/[\w+=,.@-]{1,20}$/))
      .map(([name, id, tail]) => `arn:${name}:iam::${id}:role${tail}`);
    const requests = fc.uniqueArray(
      fc
        .record({
          name: fc.stringMatching(/^[a-z][a-z0-9]{1,20}$/),
          trustedRoleArns: fc.array(roleArn, { minLength: 1, maxLength: 4 }),
          externalId: fc.option(fc.stringMatching(/^[\w]{2,30}$/), { nil: undefined }),
        })
        .map((fields): RoleRequest => ({ ...role, ...fields })),
      { selector: (request) => request.name.toLowerCase(), minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(requests, (roles) => {
        const { Resources } = parsed({ roles, eventForwarding: forwarding });
        for (const request of roles) {
          const found = Object.values<{ Properties: Record<string, unknown> }>(Resources).find(
            (resource) => resource.Properties.RoleName === request.name,
          );
          expect(found!.Properties.AssumeRolePolicyDocument).to.deep.equal({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: {
                  AWS: [
                    ...new Set(request.trustedRoleArns.map((arn) => arn.replace(/role\/.*$/, "root"))),
                  ].sort(),
                },
                Action: "sts:AssumeRole",
                Condition: {
                  StringEquals: {
                    "aws:PrincipalArn": [...new Set(request.trustedRoleArns)].sort(),
                    ...(request.externalId !== undefined && { "sts:ExternalId": request.externalId }),
                  },
                },
              },
            ],
          });
        }
        const trusts = Object.values<{
          Properties: { AssumeRolePolicyDocument?: { Statement: { Principal: unknown }[] } };
        }>(Resources).flatMap(({ Properties }) => Properties.AssumeRolePolicyDocument?.Statement ?? []);
        expect(trusts).to.have.length(roles.length + 1);
        for (const { Principal } of trusts) expect(JSON.stringify(Principal)).not.to.contain("*");
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});
