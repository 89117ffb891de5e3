import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import * as fc from "fast-check";
import { bundlePath } from "../../components/lambda/bundle";
import { functionRoleArn } from "../../components/lambda/functionNames";
import { RegionalFunction, type RegionalFunctionArgs } from "../../components/lambda/regionalFunction";
import { ensureBuilt } from "../support/builtFunctions";
import { jsonInput, type PulumiMocks, startMocks, UNKNOWN, unknownOutput } from "../support/pulumiMocks";

const CELL = { name: "dr", region: "us-west-2", accountId: "222222222222" };
const KEY = "arn:aws:kms:us-west-2:222222222222:key/cell";
const TOPIC = "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts";
const QUEUE = "arn:aws:sqs:us-west-2:222222222222:bulkhead-steward-dead-letters";

function create(
  overrides: Partial<RegionalFunctionArgs> = {},
  region = overrides.cell?.region ?? CELL.region,
): RegionalFunction {
  const provider = new aws.Provider("cell", { region });
  return new RegionalFunction(
    "f",
    {
      cell: CELL,
      functionName: "steward",
      bundle: "notification",
      description: "Keeps watch",
      kmsKeyArn: KEY,
      ...overrides,
    },
    { provider },
  );
}

async function created(overrides: Partial<RegionalFunctionArgs> = {}): Promise<PulumiMocks> {
  const mocks = await startMocks();
  await mocks.outputsOf(create(overrides));
  return mocks;
}

describe("RegionalFunction", () => {
  before(() => ensureBuilt("notification"));

  it("creates exactly these children, all below it, in the cell's region, by the given provider", async () => {
    const mocks = await created();
    expect(mocks.childrenOf("f").map(({ type, name }) => `${type} ${name}`)).to.have.members([
      "aws:cloudwatch/logGroup:LogGroup f-logs",
      "aws:sqs/queue:Queue f-dead-letters",
      "aws:sqs/queuePolicy:QueuePolicy f-dead-letters-policy",
      "aws:cloudwatch/metricAlarm:MetricAlarm f-dead-letters-alarm",
      "aws:iam/role:Role f-role",
      "aws:iam/rolePolicy:RolePolicy f-policy",
      "aws:lambda/function:Function f-function",
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig f-async",
      "aws:cloudwatch/metricAlarm:MetricAlarm f-errors-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm f-throttles-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm f-duration-alarm",
    ]);
    for (const child of mocks.childrenOf("f")) {
      expect(child, child.name).to.include({ providerName: "cell", region: "us-west-2" });
      expect(child.options.protect, child.name).to.equal(false);
    }
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });

  it("gives the function what the design demands", async () => {
    const mocks = await created();
    const lambda = mocks.find("aws:lambda/function:Function");
    expect(lambda.inputs).to.deep.equal({
      name: "bulkhead-steward",
      description: "Keeps watch",
      role: "arn:aws:iam::222222222222:role/bulkhead/bulkhead-steward-dr",
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      handler: "index.handler",
      code: { archive: { assets: { "index.mjs": { asset: { path: bundlePath("notification") } } } } },
      memorySize: 256,
      timeout: 30,
      environment: {
        variables: {
          AWS_STS_REGIONAL_ENDPOINTS: "regional",
          AWS_ENDPOINT_URL_STS: "https://sts.us-west-2.amazonaws.com",
          POWERTOOLS_SERVICE_NAME: "bulkhead-steward",
          POWERTOOLS_METRICS_NAMESPACE: "Bulkhead",
          POWERTOOLS_LOG_LEVEL: "INFO",
          BULKHEAD_CELL: "dr",
        },
      },
      kmsKeyArn: KEY,
      deadLetterConfig: { targetArn: QUEUE },
      loggingConfig: { logFormat: "JSON", logGroup: "/aws/lambda/bulkhead-steward" },
      tracingConfig: { mode: "Active" },
    });
    expect(lambda.dependencyNames).to.include.members(["f-logs", "f-policy", "f-role", "f-dead-letters"]);
    expect(mocks.find("aws:cloudwatch/logGroup:LogGroup").inputs).to.deep.equal({
      name: "/aws/lambda/bulkhead-steward",
      kmsKeyId: KEY,
      retentionInDays: 365,
    });
    expect(mocks.find("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").inputs).to.deep.equal(
      {
        functionName: "bulkhead-steward",
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: 21_600,
      },
    );
  });

  it("keeps dead letters encrypted for 14 days, over TLS only, with an alarm", async () => {
    const mocks = await created({ alarmTopicArn: TOPIC });
    expect(mocks.find("aws:sqs/queue:Queue").inputs).to.deep.equal({
      name: "bulkhead-steward-dead-letters",
      kmsMasterKeyId: KEY,
      messageRetentionSeconds: 1_209_600,
    });
    expect(jsonInput(mocks.find("aws:sqs/queuePolicy:QueuePolicy"), "policy")).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "OnlyOverTls",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: QUEUE,
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
    expect(mocks.find("aws:cloudwatch/metricAlarm:MetricAlarm", "f-dead-letters-alarm").inputs).to.deep.equal(
      {
        name: "bulkhead-steward-dead-letters",
        alarmDescription: "Events that bulkhead-steward failed on wait in the queue of the same name.",
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: "bulkhead-steward-dead-letters" },
        statistic: "Maximum",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: "notBreaching",
        alarmActions: [TOPIC],
      },
    );
  });

  it("may be assumed by Lambda for this account only, and do exactly what it is given", async () => {
    const secret = {
      Sid: "ReadSecrets",
      Effect: "Allow",
      Action: "ssm:GetParameter",
      Resource: pulumi.output("arn:p"),
    };
    const mocks = await created({ statements: [secret] });
    const role = mocks.find("aws:iam/role:Role");
    expect(role.inputs).to.deep.include({ name: "bulkhead-steward-dr", path: "/bulkhead/" });
    expect(jsonInput(role, "assumeRolePolicy")).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "lambda.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "aws:SourceAccount": "222222222222" } },
        },
      ],
    });
    const policy = mocks.find("aws:iam/rolePolicy:RolePolicy");
    expect(policy.inputs).to.deep.include({ name: "function", role: "bulkhead-steward-dr" });
    expect(jsonInput(policy, "policy")).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "OwnLogs",
          Effect: "Allow",
          Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
          Resource: "arn:aws:logs:us-west-2:222222222222:log-group:/aws/lambda/bulkhead-steward:*",
        },
        { Sid: "OwnDeadLetters", Effect: "Allow", Action: "sqs:SendMessage", Resource: QUEUE },
        {
          Sid: "Traces",
          Effect: "Allow",
          Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
          Resource: "*",
        },
        { Sid: "CellKey", Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: KEY },
        { Sid: "ReadSecrets", Effect: "Allow", Action: "ssm:GetParameter", Resource: "arn:p" },
      ],
    });
  });

  it("may manage network interfaces in a VPC, but not from its own code", async () => {
    const mocks = await created({ vpc: { subnetIds: ["subnet-1", "subnet-2"], securityGroupIds: ["sg-1"] } });
    expect(mocks.find("aws:lambda/function:Function").inputs.vpcConfig).to.deep.equal({
      subnetIds: ["subnet-1", "subnet-2"],
      securityGroupIds: ["sg-1"],
    });
    const { Statement } = jsonInput(mocks.find("aws:iam/rolePolicy:RolePolicy"), "policy");
    const actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ];
    expect(Statement.slice(4)).to.deep.equal([
      { Sid: "NetworkInterfacesByLambda", Effect: "Allow", Action: actions, Resource: "*" },
      {
        Sid: "NoNetworkInterfacesByTheCode",
        Effect: "Deny",
        Action: actions,
        Resource: "*",
        Condition: {
          ArnEquals: {
            "lambda:SourceFunctionArn": "arn:aws:lambda:us-west-2:222222222222:function:bulkhead-steward",
          },
        },
      },
    ]);
  });

  it("alarms on errors, throttles and runs near the timeout", async () => {
    const mocks = await created({ alarmTopicArn: TOPIC, timeout: 60 });
    const alarms = ["errors", "throttles", "duration"].map((suffix) => {
      const { inputs } = mocks.find("aws:cloudwatch/metricAlarm:MetricAlarm", `f-${suffix}-alarm`);
      expect(inputs).to.deep.include({
        name: `bulkhead-steward-${suffix}`,
        namespace: "AWS/Lambda",
        dimensions: { FunctionName: "bulkhead-steward" },
        alarmActions: [TOPIC],
        treatMissingData: "notBreaching",
      });
      return [inputs.metricName, inputs.statistic, inputs.threshold];
    });
    expect(alarms).to.deep.equal([
      ["Errors", "Sum", 1],
      ["Throttles", "Sum", 1],
      ["Duration", "Maximum", 54_000],
    ]);
  });

  it("takes memory, timeout, concurrency, retries, retention and variables as given", async () => {
    const mocks = await created({
      memorySize: 512,
      timeout: 120,
      reservedConcurrency: 2,
      maximumRetryAttempts: 0,
      maximumEventAge: 300,
      logRetentionDays: 30,
      environment: { TABLE: pulumi.output("t") },
    });
    const { inputs } = mocks.find("aws:lambda/function:Function");
    expect(inputs).to.include({ memorySize: 512, timeout: 120, reservedConcurrentExecutions: 2 });
    expect(inputs.environment.variables).to.include({ TABLE: "t", BULKHEAD_CELL: "dr" });
    expect(
      mocks.find("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").inputs,
    ).to.deep.include({ maximumRetryAttempts: 0, maximumEventAgeInSeconds: 300 });
    expect(mocks.find("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays).to.equal(30);
  });

  it("tells what it made", async () => {
    const mocks = await startMocks();
    const outputs = await mocks.outputsOf(create());
    expect(outputs).to.deep.equal({
      functionArn: "arn:aws:lambda:us-west-2:222222222222:function:bulkhead-steward",
      functionName: "bulkhead-steward",
      roleArn: functionRoleArn(CELL, "steward"),
      roleName: "bulkhead-steward-dr",
      deadLetterQueueArn: QUEUE,
      logGroupName: "/aws/lambda/bulkhead-steward",
    });
    expect(mocks.find("bulkhead:index:RegionalFunction").registeredOutputs).to.deep.equal(outputs);
  });

  it("can be previewed while key and topic are unknown", async () => {
    const mocks = await startMocks({ preview: true });
    create({ kmsKeyArn: unknownOutput<string>(), alarmTopicArn: unknownOutput<string>() });
    await mocks.settle();
    expect(mocks.find("aws:lambda/function:Function").inputs).to.include({
      kmsKeyArn: UNKNOWN,
      role: UNKNOWN,
    });
    expect(mocks.find("aws:iam/rolePolicy:RolePolicy").inputs.policy).to.equal(UNKNOWN);
  });

  const partitions = [
    { region: "cn-north-1", sts: "https://sts.cn-north-1.amazonaws.com.cn", partition: "aws-cn" },
    { region: "us-gov-west-1", sts: "https://sts.us-gov-west-1.amazonaws.com", partition: "aws-us-gov" },
    {
      region: "us-east-1",
      stsEndpoint: "fips",
      sts: "https://sts-fips.us-east-1.amazonaws.com",
      partition: "aws",
    },
  ];
  for (const { sts, partition, ...cell } of partitions) {
    it(`pins ${cell.region}'s own STS endpoint and uses ARNs of ${partition} only`, async () => {
      const mocks = await startMocks();
      await mocks.outputsOf(create({ cell: { ...CELL, ...cell }, kmsKeyArn: "key" }));
      const { variables } = mocks.find("aws:lambda/function:Function").inputs.environment;
      expect(variables.AWS_ENDPOINT_URL_STS).to.equal(sts);
      const arns = JSON.stringify(mocks.resources.map(({ inputs }) => inputs)).match(/arn:[a-z-]+:/g)!;
      expect(new Set(arns)).to.deep.equal(new Set([`arn:${partition}:`]));
    });
  }

  const refused: [string, Partial<RegionalFunctionArgs>, string][] = [
    ["a malformed name", { functionName: "Steward" }, 'functionName is "Steward"'],
    ["a name that makes the role's too long", { functionName: `s${"x".repeat(60)}` }, "64 are allowed"],
    ["a missing bundle", { bundle: "nothing" }, "Run `npm run build`"],
    ["a bundle outside of the folder", { bundle: "../functions/notification" }, "Run `npm run build`"],
    ["too little memory", { memorySize: 64 }, "memorySize is 64: a whole number from 128 to 10240"],
    ["a fraction of a second", { timeout: 1.5 }, "timeout is 1.5: a whole number from 1 to 900"],
    ["no concurrency", { reservedConcurrency: 0 }, "reservedConcurrency is 0"],
    [
      "too many retries",
      { maximumRetryAttempts: 3 },
      "maximumRetryAttempts is 3: a whole number from 0 to 2",
    ],
    ["a short event age", { maximumEventAge: 59 }, "maximumEventAge is 59"],
    ["an unknown retention", { logRetentionDays: 8 }, "logRetentionDays is 8: one of 1, 3, 5, 7"],
    [
      "an override of the STS endpoint",
      { environment: { AWS_ENDPOINT_URL_STS: "x" } },
      "environment.AWS_ENDPOINT_URL_STS is set by the component",
    ],
    ["an unknown effect", { statements: [{ Effect: "Maybe" }] }, 'Effect is "Maybe": "Allow" or "Deny"'],
    ["a malformed cell", { cell: { ...CELL, accountId: "1" } }, 'cell.accountId is "1"'],
  ];
  for (const [what, overrides, message] of refused) {
    it(`refuses ${what} before it creates anything`, async () => {
      const mocks = await startMocks();
      expect(() => create(overrides, CELL.region)).to.throw(message);
      await mocks.settle();
      expect(mocks.resources.filter((resource) => resource.parentName === "f")).to.deep.equal([]);
    });
  }

  it("has role ARNs that are known beforehand and differ between cells", () => {
    expect(functionRoleArn({ ...CELL, namePrefix: "acme" }, "steward")).to.equal(
      "arn:aws:iam::222222222222:role/acme/acme-steward-dr",
    );
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/);
    fc.assert(
      fc.property(name, name, name, (first, second, own) => {
        fc.pre(first !== second);
        expect(functionRoleArn({ ...CELL, name: first }, own)).not.to.equal(
          functionRoleArn({ ...CELL, name: second }, own),
        );
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe("bundlePath", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-bundle-"));
    fs.writeFileSync(path.join(folder, "package.json"), "{}");
    fs.mkdirSync(path.join(folder, "dist/functions/approval"), { recursive: true });
    fs.writeFileSync(path.join(folder, "dist/functions/approval/index.mjs"), "");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("finds the bundle from the sources of a checkout and from a compiled package", () => {
    const expected = path.join(folder, "dist/functions/approval/index.mjs");
    for (const from of ["components/lambda", "dist/components/lambda"]) {
      expect(bundlePath("approval", path.join(folder, from))).to.equal(expected);
    }
  });

  it("says what is missing, what there is, and what to run", () => {
    expect(() => bundlePath("other", path.join(folder, "components"))).to.throw(
      /bundle is "other": there is no .*other.index\.mjs \(built: approval\)\. Run `npm run build`/,
    );
  });
});
