import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { strToU8, zipSync } from "fflate";
import { machineDefinition, machineStatements } from "../../components/keyRotator/machine";
import { bucketName } from "../../components/keyRotator/names";
import { normalizeCell } from "../../components/regional/cell";
import { machineBaseStatements } from "../../components/stateMachine/stateMachine";
import type { LocalAws } from "../../local/aws/launch";
import {
  createQueue,
  EAST,
  failure,
  iamClient,
  launch,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  waitFor,
} from "./support";

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const BUCKET = "rotation-results";
const FUNCTION_ARN = `arn:aws:lambda:${EAST}:${SECURITY}:function:upper`;
/** Fails for the item "bad", answers others in upper case. */
const CODE = `exports.handler = async (event) => {
  if (event.item === "bad") throw Object.assign(new Error("bad item"), { name: "BadItem" });
  return { item: event.item.toUpperCase() };
};`;

const lambdaTask = {
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Parameters: { FunctionName: FUNCTION_ARN, "Payload.$": "$" },
  OutputPath: "$.Payload",
  End: true,
};
const distributed = {
  ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
  StartAt: "Upper",
  States: { Upper: lambdaTask },
};

describe("local AWS: state machines", () => {
  let aws: LocalAws;
  let sfn: SFNClient;
  let s3: S3Client;
  let sqs: SQSClient;
  let numbers = 0;
  before(async () => {
    aws = await launch();
    const root = settings(aws, rootOf(SECURITY));
    sfn = new SFNClient(root);
    s3 = new S3Client({ ...root, forcePathStyle: true });
    sqs = new SQSClient(root);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await role("function", "lambda.amazonaws.com");
    await new LambdaClient(root).send(
      new CreateFunctionCommand({
        FunctionName: "upper",
        Role: `arn:aws:iam::${SECURITY}:role/function`,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { ZipFile: zipSync({ "index.js": strToU8(CODE) }) },
      }),
    );
  });
  after(() => aws?.stop());

  async function role(RoleName: string, service: string, ...statements: object[]): Promise<string> {
    const iam = iamClient(aws, rootOf(SECURITY));
    const trust = { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }),
    );
    if (statements.length > 0) {
      const policy = { RoleName, PolicyName: "p", PolicyDocument: document(...statements) };
      await iam.send(new PutRolePolicyCommand(policy));
    }
    return Role!.Arn!;
  }

  const allow = (Action: string | string[], Resource: string | string[]) => ({
    Effect: "Allow",
    Action,
    Resource,
  });
  const machineArn = (name: string) => `arn:aws:states:${EAST}:${SECURITY}:stateMachine:${name}`;

  /** A machine whose role has these statements, and may start the machine's own children. */
  async function machine(definition: object, ...statements: object[]): Promise<string> {
    const name = `machine-${++numbers}`;
    const own = allow("states:StartExecution", machineArn(name));
    const roleArn = await role(`role-${name}`, "states.amazonaws.com", own, ...statements);
    await sfn.send(new CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify(definition) }));
    return machineArn(name);
  }

  async function start(stateMachineArn: string, input: unknown): Promise<string> {
    const started = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return started.executionArn!;
  }

  const ended = (executionArn: string): Promise<DescribeExecutionCommandOutput> =>
    waitFor(async () => {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === "RUNNING" ? undefined : execution;
    }, 15_000);

  const run = async (stateMachineArn: string, input: unknown) => ended(await start(stateMachineArn, input));
  const one = (state: object) => ({ StartAt: "Only", States: { Only: { End: true, ...state } } });

  async function mapRun(executionArn: string) {
    const { mapRuns } = await sfn.send(new ListMapRunsCommand({ executionArn }));
    return sfn.send(new DescribeMapRunCommand({ mapRunArn: mapRuns![0]!.mapRunArn! }));
  }

  const objectText = async (Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body!.transformToString();

  describe("the execution role", () => {
    it("has to trust Step Functions", async () => {
      const roleArn = await role("stranger", "lambda.amazonaws.com");
      const definition = JSON.stringify(one({ Type: "Pass" }));
      const refused = await failure(
        sfn.send(new CreateStateMachineCommand({ name: "distrusted", roleArn, definition })),
      );
      expect(refused.name).to.equal("AccessDeniedException");
      expect(refused.message).to.contain("states.amazonaws.com");
    });

    it("has to be allowed to write the logs that are asked for", async () => {
      const roleArn = await role("silent", "states.amazonaws.com");
      const refused = await failure(
        sfn.send(
          new CreateStateMachineCommand({
            name: "logged",
            roleArn,
            definition: JSON.stringify(one({ Type: "Pass" })),
            loggingConfiguration: {
              level: "ERROR",
              destinations: [
                {
                  cloudWatchLogsLogGroup: { logGroupArn: `arn:aws:logs:${EAST}:${SECURITY}:log-group:x:*` },
                },
              ],
            },
          }),
        ),
      );
      expect(refused.message).to.contain("not authorized to access the Log Destination");
    });

    it("decides which functions are invoked", async () => {
      const denied = await run(await machine(one(lambdaTask)), { item: "a" });
      expect(denied.status).to.equal("FAILED");
      expect(denied.error).to.equal("Lambda.AWSLambdaException");
      expect(denied.cause).to.contain("lambda:InvokeFunction").and.contain(FUNCTION_ARN);
      const allowed = await run(
        await machine(one(lambdaTask), allow("lambda:InvokeFunction", FUNCTION_ARN)),
        {
          item: "a",
        },
      );
      expect(allowed.output).to.equal('{"item": "A"}');
    });

    it("decides about other integrations", async () => {
      const { queueUrl, queueArn } = await createQueue(sqs, "sent", "sns.amazonaws.com");
      const send = one({
        Type: "Task",
        Resource: "arn:aws:states:::sqs:sendMessage",
        Parameters: { QueueUrl: queueUrl, "MessageBody.$": "$" },
      });
      expect((await run(await machine(send), {})).error).to.equal("SQS.AmazonSQSException");
      expect((await run(await machine(send, allow("sqs:SendMessage", queueArn)), { a: 1 })).status).to.equal(
        "SUCCEEDED",
      );
      expect((await receiveAll(sqs, queueUrl)).map((body) => JSON.parse(body))).to.deep.equal([{ a: 1 }]);
    });
  });

  describe("a distributed map", () => {
    const invoke = allow("lambda:InvokeFunction", FUNCTION_ARN);
    const readWrite = allow(
      ["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
      `arn:aws:s3:::${BUCKET}/*`,
    );

    it("reads its items from S3 and writes results and failures there", async () => {
      const items = ["a", "b", "bad", "c"].map((item) => ({ item }));
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "items.json", Body: JSON.stringify(items) }));
      const arn = await machine(
        one({
          Type: "Map",
          Label: "Accounts",
          MaxConcurrency: 2,
          ToleratedFailurePercentage: 25,
          ItemReader: {
            Resource: "arn:aws:states:::s3:getObject",
            ReaderConfig: { InputType: "JSON" },
            Parameters: { Bucket: BUCKET, "Key.$": "$.key" },
          },
          ItemSelector: { "item.$": "$$.Map.Item.Value.item", "key.$": "$.key" },
          ItemProcessor: distributed,
          ResultWriter: {
            Resource: "arn:aws:states:::s3:putObject",
            Parameters: { Bucket: BUCKET, "Prefix.$": "States.Format('runs/{}', $$.Execution.Name)" },
          },
        }),
        invoke,
        readWrite,
      );
      const execution = await run(arn, { key: "items.json" });
      expect(execution.status, execution.cause).to.equal("SUCCEEDED");
      const output = JSON.parse(execution.output!) as {
        MapRunArn: string;
        ResultWriterDetails: { Bucket: string; Key: string };
      };
      expect(output.MapRunArn).to.match(/:mapRun:machine-\d+\/Accounts:/);
      const { Key } = output.ResultWriterDetails;
      expect(Key).to.match(new RegExp(`^runs/${execution.name}/[0-9a-f-]{36}/manifest.json$`));
      const manifest = JSON.parse(await objectText(Key)) as {
        ResultFiles: Record<string, { Key: string; Size: number }[]>;
      };
      const read = async (status: string) =>
        JSON.parse(await objectText(manifest.ResultFiles[status]![0]!.Key)) as Record<string, string>[];
      const succeeded = await read("SUCCEEDED");
      expect(succeeded.map(({ Output }) => Output)).to.deep.equal([
        '{"item": "A"}',
        '{"item": "B"}',
        '{"item": "C"}',
      ]);
      const failed = await read("FAILED");
      expect(failed).to.have.length(1);
      expect(failed[0]).to.include({
        Status: "FAILED",
        Error: "BadItem",
        Input: '{"item": "bad", "key": "items.json"}',
      });
      expect(manifest.ResultFiles.PENDING).to.deep.equal([]);
      const described = await mapRun(execution.executionArn!);
      expect(described.status).to.equal("SUCCEEDED");
      expect(described.executionCounts).to.include({ total: 4, succeeded: 3, failed: 1 });
    });

    it("gives the results itself without a writer, failures described", async () => {
      const arn = await machine(
        one({ Type: "Map", ToleratedFailureCount: 1, ItemProcessor: distributed }),
        invoke,
      );
      const { output } = await run(arn, [{ item: "a" }, { item: "bad" }]);
      const [first, second] = JSON.parse(output!) as Record<string, string>[];
      expect(first).to.deep.equal({ item: "A" });
      expect(second).to.include({ Status: "FAILED", Error: "BadItem" });
    });

    it("ends at once when too many have failed, and leaves the rest undone", async () => {
      const arn = await machine(
        one({ Type: "Map", MaxConcurrency: 1, ToleratedFailureCount: 1, ItemProcessor: distributed }),
        invoke,
      );
      const items = ["bad", "a", "bad", "b", "c"].map((item) => ({ item }));
      const execution = await run(arn, items);
      expect(execution.error).to.equal("States.ExceedToleratedFailureThreshold");
      const { status, executionCounts } = await mapRun(execution.executionArn!);
      expect(status).to.equal("FAILED");
      expect(executionCounts).to.include({ failed: 2, succeeded: 1, aborted: 2 });
    });

    it("needs its role to start children, to read and to write", async () => {
      const name = "machine-childless";
      const roleArn = await role("childless", "states.amazonaws.com", invoke);
      const definition = JSON.stringify(one({ Type: "Map", ItemProcessor: distributed }));
      await sfn.send(new CreateStateMachineCommand({ name, roleArn, definition }));
      const childless = await run(machineArn(name), [{ item: "a" }]);
      expect(childless.error).to.equal("States.Permissions");
      expect(childless.cause).to.contain("states:StartExecution");

      const reader = {
        Resource: "arn:aws:states:::s3:getObject",
        Parameters: { Bucket: BUCKET, Key: "items.json" },
      };
      const unread = await machine(
        one({ Type: "Map", ItemReader: reader, ItemProcessor: distributed }),
        invoke,
      );
      expect((await run(unread, {})).error).to.equal("States.ItemReaderFailed");
      const writer = {
        Resource: "arn:aws:states:::s3:putObject",
        Parameters: { Bucket: BUCKET, Prefix: "no" },
      };
      const unwritten = await machine(
        one({ Type: "Map", ResultWriter: writer, ItemProcessor: distributed }),
        invoke,
      );
      expect((await run(unwritten, [{ item: "a" }])).error).to.equal("States.ResultWriterFailed");
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "no/" }));
      expect(Contents ?? []).to.deep.equal([]);
    });
  });

  describe("that of the key rotator", () => {
    const cell = normalizeCell({ name: "prod", region: EAST, accountId: SECURITY });
    const bucket = bucketName(cell);
    /** What the three functions do, by the run's input. */
    const FUNCTIONS: Record<string, string> = {
      inventory: `exports.handler = async ({ runId, startedAt, only }) => {
        if (only.fail) throw new Error("no list");
        return { state: only.state ?? "run", accountsKey: "key-rotation/accounts/list.json", runId, startedAt };
      };`,
      account: `let calls = {}; exports.handler = async ({ runId, account }) => {
        if (account.accountId === "bad") throw new Error("bad account");
        calls[account.accountId + runId] = (calls[account.accountId + runId] ?? 0) + 1;
        return { accountId: account.accountId, runs: calls[account.accountId + runId], more: account.more > calls[account.accountId + runId] };
      };`,
      summary: `exports.handler = async (event) => {
        console.log(JSON.stringify(event));
        if (event.inventory.state === "unsummed") throw new Error("no summary");
        return { seen: event };
      };`,
    };
    let arn: string;
    before(async () => {
      const root = settings(aws, rootOf(SECURITY));
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      for (const [which, code] of Object.entries(FUNCTIONS)) {
        await new LambdaClient(root).send(
          new CreateFunctionCommand({
            FunctionName: `bulkhead-key-rotator-${which}`,
            Role: `arn:aws:iam::${SECURITY}:role/function`,
            Runtime: "nodejs24.x",
            Handler: "index.handler",
            Code: { ZipFile: zipSync({ "index.js": strToU8(code) }) },
          }),
        );
      }
      const statements = [
        ...machineStatements(cell),
        ...machineBaseStatements("arn:aws:kms:us-east-1:222222222222:key/cell"),
      ];
      const roleArn = await role("key-rotator-machine", "states.amazonaws.com", ...statements);
      const definition = machineDefinition({
        cell,
        accountConcurrency: 2,
        toleratedFailurePercentage: 50,
        intervalHours: 24,
      });
      // The pauses before retries are for AWS.
      const text = JSON.stringify(definition, (key, value) =>
        key === "IntervalSeconds" ? 1 : value,
      ).replaceAll('"BackoffRate":3', '"BackoffRate":1');
      arn = machineArn("bulkhead-key-rotator");
      await sfn.send(
        new CreateStateMachineCommand({
          name: "bulkhead-key-rotator",
          roleArn,
          definition: text,
          loggingConfiguration: {
            level: "ALL",
            destinations: [
              { cloudWatchLogsLogGroup: { logGroupArn: `arn:aws:logs:${EAST}:${SECURITY}:log-group:x:*` } },
            ],
          },
        }),
      );
    });

    async function runOver(accounts: object[], input: object = {}) {
      const Body = JSON.stringify(accounts);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "key-rotation/accounts/list.json", Body }));
      return ended(await start(arn, input));
    }
    const results = async (executionName: string, status: string) => {
      const Prefix = `key-rotation/runs/${executionName}/`;
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
      const key = Contents.map(({ Key }) => Key!).find((each) => each.endsWith(`${status}_0.json`));
      if (!key) return [];
      const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return JSON.parse(await object.Body!.transformToString()) as Record<string, string>[];
    };

    it("works on every account, again while there is more, and keeps what each gave", async () => {
      const execution = await runOver([
        { accountId: "1" },
        { accountId: "2", more: 3 },
        { accountId: "bad" },
      ]);
      expect(execution.status, execution.cause).to.equal("SUCCEEDED");
      const done = await results(execution.name!, "SUCCEEDED");
      expect(done.map(({ Output }) => JSON.parse(Output!))).to.deep.equal([
        { accountId: "1", runs: 1, more: false },
        { accountId: "2", runs: 3, more: false },
      ]);
      const failed = await results(execution.name!, "FAILED");
      expect(failed).to.have.length(1);
      expect(failed[0]!.Cause).to.contain("bad account");
    });

    it("does nothing in accounts when the inventory says so", async () => {
      const execution = await runOver([{ accountId: "1" }], { state: "standby" });
      expect(execution.status).to.equal("SUCCEEDED");
      expect(await results(execution.name!, "SUCCEEDED")).to.deep.equal([]);
    });

    it("fails when too many accounts fail, with what was done summed up", async () => {
      const execution = await runOver([{ accountId: "bad" }, { accountId: "bad" }, { accountId: "1" }]);
      expect(execution.status).to.equal("FAILED");
      expect(execution.error).to.equal("KeyRotationFailed");
      expect(execution.cause).to.contain("More accounts failed than are tolerated");
      expect(await results(execution.name!, "FAILED")).to.not.deep.equal([]);
    });

    it("fails when there is no list, or no summary", async () => {
      const unlisted = await runOver([], { fail: true });
      expect(unlisted.cause).to.contain("list of accounts");
      const unsummed = await runOver([], { state: "unsummed" });
      expect(unsummed.cause).to.contain("report could not be made");
    });
  });

  describe("task tokens", () => {
    let queueUrl: string;
    let arnOf: (fields: object) => Promise<string>;
    before(async () => {
      const queue = await createQueue(sqs, "tokens", "sns.amazonaws.com");
      queueUrl = queue.queueUrl;
      arnOf = (fields) =>
        machine(
          one({
            Type: "Task",
            Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            Parameters: { QueueUrl: queueUrl, MessageBody: { "token.$": "$$.Task.Token" } },
            ...fields,
          }),
          allow("sqs:SendMessage", queue.queueArn),
        );
    });
    const nextToken = () =>
      waitFor(async () => {
        const [body] = await receiveAll(sqs, queueUrl);
        return body === undefined ? undefined : (JSON.parse(body) as { token: string }).token;
      });

    it("live on by heartbeats, and die without", async () => {
      const execution = await start(await arnOf({ HeartbeatSeconds: 1 }), {});
      const taskToken = await nextToken();
      const until = Date.now() + 1500;
      await waitFor(async () => {
        await sfn.send(new SendTaskHeartbeatCommand({ taskToken }));
        return Date.now() > until || undefined;
      });
      const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn: execution }));
      expect(status).to.equal("RUNNING");
      const dead = await ended(execution);
      expect(dead.error).to.equal("States.HeartbeatTimeout");
      const late = await failure(sfn.send(new SendTaskSuccessCommand({ taskToken, output: "{}" })));
      expect(late.name).to.equal("TaskTimedOut");
    });

    it("end with their task, and with their execution", async () => {
      const answered = await start(await arnOf({ HeartbeatSeconds: 30 }), {});
      const first = await nextToken();
      await sfn.send(new SendTaskSuccessCommand({ taskToken: first, output: '{"by":"alice"}' }));
      expect((await ended(answered)).output).to.equal('{"by": "alice"}');
      const twice = await failure(sfn.send(new SendTaskSuccessCommand({ taskToken: first, output: "{}" })));
      expect(twice.name).to.equal("TaskTimedOut");

      const stopped = await start(await arnOf({}), {});
      const second = await nextToken();
      await sfn.send(new StopExecutionCommand({ executionArn: stopped }));
      const refused = await waitFor(async () => {
        const tried = sfn.send(new SendTaskHeartbeatCommand({ taskToken: second }));
        return tried.then(
          () => undefined,
          (error: Error) => error,
        );
      });
      expect(refused.name).to.equal("TaskTimedOut");
      expect((await ended(stopped)).status).to.equal("ABORTED");
      const unknown = await failure(
        sfn.send(new SendTaskSuccessCommand({ taskToken: "never-given", output: "{}" })),
      );
      expect(unknown.name).to.equal("TaskDoesNotExist");
    });

    it("are not waited for when the call that carries them fails", async () => {
      const arn = await machine(
        one({
          Type: "Task",
          Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
          Parameters: { FunctionName: FUNCTION_ARN, Payload: { item: "bad", "token.$": "$$.Task.Token" } },
        }),
        allow("lambda:InvokeFunction", FUNCTION_ARN),
      );
      expect((await run(arn, {})).error).to.equal("BadItem");
    });
  });
});
