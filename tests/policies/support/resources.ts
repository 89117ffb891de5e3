import type { MeasuredResource } from "../../../policypacks/measure";

/** A small generator of numbers from 0 up to 1 (mulberry32): the same seed gives the same resources on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const REGION = "us-west-2";

/** The provider that all generated resources use. */
const PROVIDER = {
  type: "pulumi:providers:aws",
  name: "cell",
  urn: "urn:pulumi:bench::bulkhead::pulumi:providers:aws::cell",
  props: {
    region: REGION,
    endpoints: JSON.stringify([{ sts: `https://sts.${REGION}.amazonaws.com` }]),
  },
};

type Next = () => number;
type Maker = (next: Next, index: number) => { type: string; props: Record<string, unknown> };

const MAKERS: readonly Maker[] = [
  (next) => ({
    type: "aws:lambda/function:Function",
    props: {
      runtime: "nodejs24.x",
      role: "arn:aws:iam::222222222222:role/bulkhead/x",
      environment: {
        variables: { AWS_ENDPOINT_URL_STS: `https://sts.${REGION}.amazonaws.com`, ...variables(next) },
      },
      tags: { team: "identity" },
    },
  }),
  (next) => ({ type: "aws:iam/role:Role", props: { path: "/bulkhead/", assumeRolePolicy: trust(next) } }),
  (next, index) => ({
    type: "aws:iam/policy:Policy",
    props: {
      name: `policy-${index}`,
      path: "/bulkhead/",
      policy: document(next, 4 + Math.floor(next() * 12)),
    },
  }),
  (next) => ({
    type: "aws:ecs/taskDefinition:TaskDefinition",
    props: {
      family: "x",
      containerDefinitions: JSON.stringify(
        Array.from({ length: 1 + Math.floor(next() * 4) }, (_, index) => ({
          name: `c${index}`,
          image: "public.ecr.aws/docker/library/busybox:1",
          command: ["sh", "-c", script(next, 5)],
          environment: Object.entries(variables(next)).map(([name, value]) => ({ name, value })),
        })),
      ),
    },
  }),
  (next) => ({
    type: "aws:ec2/launchTemplate:LaunchTemplate",
    props: {
      userData: Buffer.from(`#!/bin/bash\n${script(next, 60 + Math.floor(next() * 200))}`).toString("base64"),
    },
  }),
  (next) => ({
    type: "aws:cloudwatch/eventRule:EventRule",
    props: {
      eventPattern: JSON.stringify({
        source: ["aws.sts", "aws.signin"],
        detail: {
          eventSource: ["sts.amazonaws.com", "signin.amazonaws.com"],
          eventName: [word(next), word(next)],
        },
      }),
    },
  }),
  (next) => ({
    type: "aws:ssm/document:Document",
    props: {
      documentType: "Command",
      content: JSON.stringify({
        schemaVersion: "2.2",
        mainSteps: [{ action: "aws:runShellScript", inputs: { runCommand: script(next, 20).split("\n") } }],
      }),
    },
  }),
  (next) => ({
    type: "aws:codebuild/project:Project",
    props: {
      environment: {
        image: "aws/codebuild/standard:7.0",
        environmentVariables: Object.entries(variables(next)).map(([name, value]) => ({ name, value })),
      },
      source: {
        type: "NO_SOURCE",
        buildspec: `version: 0.2\nphases:\n  build:\n    commands:\n${yaml(next, 12)}`,
      },
    },
  }),
  (next) => ({
    type: "aws:cloudformation/stackSet:StackSet",
    props: {
      templateBody: JSON.stringify({
        Resources: Object.fromEntries(
          Array.from({ length: 6 }, (_, index) => [
            `Role${index}`,
            { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: JSON.parse(trust(next)) } },
          ]),
        ),
      }),
    },
  }),
  (next) => ({ type: "aws:sns/topic:Topic", props: { displayName: word(next), policy: document(next, 2) } }),
  (next) => ({ type: "aws:sqs/queue:Queue", props: { visibilityTimeoutSeconds: Math.floor(next() * 300) } }),
  (next, index) => ({ type: "aws:iam/user:User", props: { name: `user-${index}`, path: `/${word(next)}/` } }),
  (_, index) => ({ type: "aws:iam/accessKey:AccessKey", props: { user: `user-${index - 1}` } }),
  (next) => ({
    type: "kubernetes:apps/v1:Deployment",
    props: {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: "a",
                env: Object.entries(variables(next)).map(([name, value]) => ({ name, value })),
                args: ["-v"],
              },
            ],
          },
        },
      },
    },
  }),
];

const WORDS =
  "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar".split(" ");

function word(next: Next): string {
  return WORDS[Math.floor(next() * WORDS.length)] as string;
}

function variables(next: Next): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: 2 + Math.floor(next() * 8) }, (_, index) => [
      `${word(next).toUpperCase()}_${index}`,
      next() < 0.3 ? `https://${word(next)}.example.com/${word(next)}` : `${word(next)} ${word(next)}`,
    ]),
  );
}

function script(next: Next, lines: number): string {
  return Array.from({ length: lines }, () => {
    const kind = next();
    if (kind < 0.1) return `export AWS_ENDPOINT_URL_STS=https://sts.${REGION}.amazonaws.com`;
    if (kind < 0.2) return `# ${word(next)} sts.amazonaws.com ${word(next)}`;
    if (kind < 0.3) return `aws sts get-caller-identity --region ${REGION}`;
    return `/usr/local/bin/${word(next)} --${word(next)} "${word(next)} ${word(next)}"`;
  }).join("\n");
}

function yaml(next: Next, lines: number): string {
  return script(next, lines)
    .split("\n")
    .map((line) => `      - ${line}\n`)
    .join("");
}

function trust(next: Next): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithSAML",
        Principal: { Federated: "arn:aws:iam::222222222222:saml-provider/idp" },
        Condition: {
          StringEquals: {
            "SAML:aud": [
              "https://signin.aws.amazon.com/saml",
              `https://${REGION}.signin.aws.amazon.com/saml`,
            ],
          },
        },
      },
      { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: `${word(next)}.amazonaws.com` } },
    ],
  });
}

function document(next: Next, statements: number): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: Array.from({ length: statements }, (_, index) => ({
      Sid: `S${index}`,
      Effect: next() < 0.3 ? "Deny" : "Allow",
      Action: [`sts:${word(next)}`, `iam:${word(next)}`],
      Resource: "*",
      Condition: { StringEquals: { "aws:CalledVia": "sts.amazonaws.com" } },
    })),
  });
}

/**
 * Resources of mixed types, none of which breaks a rule: about 1.5 kilobytes of properties each, some with documents and scripts of ten
 * kilobytes.
 * @param count how many.
 * @param seed the same seed gives the same resources.
 */
export function generateResources(count = 1000, seed = 20251020): MeasuredResource[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, index) => {
    const maker = MAKERS[index % MAKERS.length] as Maker;
    const { type, props } = maker(next, index);
    const name = `resource-${index}`;
    const urn = `urn:pulumi:bench::bulkhead::${type}::${name}`;
    return type.startsWith("aws:")
      ? { type, name, urn, props, provider: PROVIDER }
      : { type, name, urn, props };
  });
}
