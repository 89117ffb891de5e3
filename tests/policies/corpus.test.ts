import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { rules } from "../../policypacks/identity-dr";
import { mfaVerdict } from "../../policypacks/identity-dr/lib/mfaDeny";
import { analyze } from "./support/analyze";

/** Policies of the kind that organizations publish; none of them leads to an STS endpoint, though all of them speak of STS. */
const OWN: Record<string, object> = {
  "a service control policy on STS's calls": {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "EnforceOrgIdentities",
        Effect: "Deny",
        Action: ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:SetContext"],
        Resource: "*",
        Condition: {
          StringNotEqualsIfExists: {
            "aws:PrincipalOrgID": "o-example",
            "aws:CalledViaLast": "sts.amazonaws.com",
          },
          BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
        },
      },
    ],
  },
  "a denial of regions that spares global services": {
    Version: "2012-10-17",
    Statement: {
      Effect: "Deny",
      NotAction: ["iam:*", "sts:*", "organizations:*"],
      Resource: "*",
      Condition: { StringNotEquals: { "aws:RequestedRegion": ["us-east-1", "us-west-2", "aws-global"] } },
    },
  },
  "an OIDC trust": {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: {
          Federated: "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com",
        },
        Condition: { StringEquals: { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" } },
      },
    ],
  },
};

const PUBLISHED = path.join(__dirname, "..", "..", "..", "shared", "policy-corpus");

/** The published policies, where they are at hand. Some hold unresolved placeholders and are no JSON. */
function published(): Record<string, string> {
  if (!fs.existsSync(PUBLISHED)) return {};
  const files = fs
    .readdirSync(PUBLISHED, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"));
  return Object.fromEntries(files.map((file) => [file, fs.readFileSync(path.join(PUBLISHED, file), "utf8")]));
}

describe("policies as they are published", () => {
  const all = {
    ...Object.fromEntries(Object.entries(OWN).map(([name, document]) => [name, JSON.stringify(document)])),
    ...published(),
  };

  it(`raise no alarm (${Object.keys(all).length} documents)`, async () => {
    for (const [name, text] of Object.entries(all)) {
      const resources = [
        { type: "aws:organizations/policy:Policy", props: { content: text } },
        { type: "aws:iam/policy:Policy", props: { policy: text } },
        { type: "aws:iam/role:Role", props: { assumeRolePolicy: text } },
        { type: "aws:ssm/parameter:Parameter", props: { name: "/guard-rail", value: text } },
        {
          type: "aws:s3/bucketObjectv2:BucketObjectv2",
          props: { key: `policies/${name}.json`, content: text },
        },
        { type: "aws:lambda/function:Function", props: { environment: { variables: { POLICY_1: text } } } },
      ];
      for (const resource of resources) {
        for (const { id, policy } of rules) {
          if (!("validateResource" in policy)) continue;
          expect(await analyze(id, resource), `${name} as ${resource.type}`).to.deep.equal([]);
        }
      }
    }
  });

  it("are told apart from a policy that denies everything without MFA", () => {
    for (const [name, text] of Object.entries(all)) expect(mfaVerdict(text), name).to.equal("allows");
  });
});
