import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { strToU8, zipSync } from "fflate";
import { type LocalAws, launchAws } from "../../local/aws/launch";
import { ensurePython } from "../../local/aws/python";
import {
  createQueue,
  failure,
  iamClient,
  Listener,
  launch,
  ROOT,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  WEST,
  waitFor,
} from "./support";

/** ESM, with the SDK's way of calling: `https.request` imported by name. */
const HANDLER = `
import { request } from "node:https";
export const handler = async (event) => {
  if (event.fail) throw new RangeError("as asked");
  if (event.host) {
    return await new Promise((resolve, reject) => {
      request({ hostname: event.host, path: "/", method: "GET" }, (response) => {
        response.resume().on("end", () => resolve({ status: response.statusCode }));
      }).on("error", reject).end();
    });
  }
  return { node: process.version, pid: process.pid, endpoint: process.env.AWS_ENDPOINT_URL, leaked: process.env.BULKHEAD_TEST_SECRET ?? null };
};`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = (pid: number) => waitFor(async () => (isAlive(pid) ? undefined : true));

async function createFunction(aws: LocalAws, options: { DeadLetterConfig?: { TargetArn: string } } = {}) {
  const { Role } = await iamClient(aws, rootOf(SECURITY)).send(
    new CreateRoleCommand({
      RoleName: "function",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  const lambda = new LambdaClient(settings(aws, rootOf(SECURITY), WEST));
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: "probe",
      Role: Role!.Arn,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipSync({ "index.mjs": strToU8(HANDLER) }) },
      ...options,
    }),
  );
  return lambda;
}

async function invoke(lambda: LambdaClient, event: object) {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: "probe", Payload: JSON.stringify(event) }),
  );
  return { FunctionError, body: JSON.parse(Buffer.from(Payload!).toString()) };
}

describe("local AWS: process", () => {
  it("starts quickly, binds loopback only, and ends with its functions' processes", async () => {
    process.env.BULKHEAD_TEST_SECRET = "of the developer";
    const aws = await launch({ lambdaEndpointUrl: "http://127.0.0.1:1" });
    delete process.env.BULKHEAD_TEST_SECRET;
    try {
      expect(aws.url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
      const health = (await (await fetch(`${aws.url}/_bulkhead/health`)).json()) as { ministack: string };
      expect(health.ministack).to.equal("1.5.33");
      const external = Object.values(os.networkInterfaces())
        .flat()
        .find((each) => each && !each.internal && each.family === "IPv4");
      if (external) {
        const refused = await failure(fetch(aws.url.replace("127.0.0.1", external.address)));
        expect(refused.message).to.contain("fetch failed");
      }

      const lambda = await createFunction(aws);
      const first = await invoke(lambda, {});
      expect(first.body).to.include({
        node: process.version,
        endpoint: "http://127.0.0.1:1",
        leaked: null,
      });
      expect(isAlive(first.body.pid)).to.equal(true);
      await aws.setLambdaEndpointUrl(aws.url);
      const second = await invoke(lambda, {});
      expect(second.body.endpoint).to.equal(aws.url);
      await gone(first.body.pid);

      await aws.stop();
      await gone(second.body.pid);
      expect(isAlive(aws.pid)).to.equal(false);
      expect(await aws.ended).to.equal(0);
      await aws.stop();
    } finally {
      await aws.stop();
    }
  });

  it("sends functions' requests for AWS's hosts to the endpoint, and passes errors and dead letters on", async () => {
    const aws = await launch();
    const seen: { host: string | undefined; meant: string | undefined }[] = [];
    const proxy = (await import("node:http")).createServer((request, response) => {
      seen.push({
        host: request.headers.host,
        meant: request.headers["x-bulkhead-endpoint"] as string | undefined,
      });
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      await aws.setLambdaEndpointUrl(`http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`);
      const sqs = new SQSClient(settings(aws, rootOf(SECURITY), WEST));
      const { queueUrl, queueArn } = await createQueue(sqs, "dead", "nobody.amazonaws.com");
      const lambda = await createFunction(aws);
      expect((await invoke(lambda, { host: "sts.us-west-2.amazonaws.com" })).body).to.deep.equal({
        status: 204,
      });
      expect(seen).to.deep.equal([
        { host: "sts.us-west-2.amazonaws.com", meant: "sts.us-west-2.amazonaws.com" },
      ]);
      const failed = await invoke(lambda, { fail: true });
      expect(failed.FunctionError).to.equal("Unhandled");
      expect(failed.body).to.include({ errorType: "RangeError", errorMessage: "as asked" });

      await iamClient(aws, rootOf(SECURITY)).send(
        new PutRolePolicyCommand({
          RoleName: "function",
          PolicyName: "dead-letters",
          PolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn }],
          }),
        }),
      );
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: "probe",
          DeadLetterConfig: { TargetArn: queueArn },
        }),
      );
      const { PutFunctionEventInvokeConfigCommand } = await import("@aws-sdk/client-lambda");
      await lambda.send(
        new PutFunctionEventInvokeConfigCommand({ FunctionName: "probe", MaximumRetryAttempts: 0 }),
      );
      await lambda.send(
        new AddPermissionCommand({
          FunctionName: "probe",
          StatementId: "events",
          Action: "lambda:InvokeFunction",
          Principal: "events.amazonaws.com",
        }),
      );
      await Listener.open(aws, {
        name: "to-function",
        region: WEST,
        pattern: { source: ["test"] },
        target: { Arn: `arn:aws:lambda:${WEST}:${SECURITY}:function:probe`, Input: '{"fail":true}' },
      });
      const { EventBridgeClient, PutEventsCommand } = await import("@aws-sdk/client-eventbridge");
      await new EventBridgeClient(settings(aws, rootOf(SECURITY), WEST)).send(
        new PutEventsCommand({ Entries: [{ Source: "test", DetailType: "t", Detail: "{}" }] }),
      );
      const letters = await waitFor(async () => {
        const bodies = await receiveAll(sqs, queueUrl);
        return bodies.length > 0 ? bodies : undefined;
      });
      expect(letters).to.deep.equal(['{"fail": true}']);
    } finally {
      proxy.close();
      await aws.stop();
    }
  });

  it("says which port is in use", async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as net.AddressInfo;
    const error = await failure(launch({ port }));
    taken.close();
    expect(error).to.include({ name: "LocalAwsError", code: "port-in-use" });
    expect(error.message).to.contain(`Port ${port} on 127.0.0.1 is in use`);
  });

  it("leaves nothing behind when its parent is killed", async () => {
    const script = `
      import { launchAws } from ${JSON.stringify(path.join(ROOT, "local/aws/launch"))};
      launchAws({ root: ${JSON.stringify(ROOT)} }).then((aws) => console.log(JSON.stringify({ url: aws.url, pid: aws.pid })));
    `;
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulkhead-parent-"));
    const file = path.join(folder, "parent.ts");
    await fs.writeFile(file, script);
    const parent = spawn(process.execPath, ["--import", "tsx", file], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        readline.createInterface({ input: parent.stdout }).once("line", resolve);
        parent.once("exit", (code) => reject(new Error(`the parent ended: ${code}`)));
      });
      const started = JSON.parse(line) as { url: string; pid: number };
      const lambda = await createFunction(started as LocalAws);
      const { body } = await invoke(lambda, {});
      parent.removeAllListeners("exit");
      parent.kill("SIGKILL");
      await gone(started.pid);
      await gone(body.pid);
    } finally {
      parent.kill("SIGKILL");
      await fs.rm(folder, { recursive: true });
    }
  });

  it("ends its functions' processes when it is killed itself", async () => {
    const aws = await launch();
    const { body } = await invoke(await createFunction(aws), {});
    process.kill(aws.pid, "SIGKILL");
    await aws.ended;
    await gone(body.pid);
  });
});

describe("local AWS: Python", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulkhead-python-"));
    await fs.mkdir(path.join(folder, "bin"));
  });
  afterEach(() => fs.rm(folder, { recursive: true, force: true }));

  /** A program of this name that is a shell script. */
  async function program(name: string, script: string): Promise<void> {
    await fs.writeFile(path.join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const ensure = (options: { requirements?: string; path?: string } = {}) =>
    ensurePython({
      root: folder,
      env: { ...process.env, PATH: options.path ?? path.join(folder, "bin") },
      requirements: options.requirements,
    });

  it("says that there is none", async () => {
    const error = await failure(ensure());
    expect(error).to.include({ name: "PythonError", code: "no-python" });
    expect(error.message).to.contain("Python 3.10 or newer");
  });

  it("says that it is too old", async () => {
    await program("python3", "echo bulkhead 3 8 1");
    const error = await failure(ensure());
    expect(error).to.include({ code: "python-too-old" });
    expect(error.message).to.contain("python3 is Python 3.8");
  });

  it("says that the modules for virtual environments are missing", async () => {
    await program("python3", "echo bulkhead 3 11 0");
    const error = await failure(ensure());
    expect(error).to.include({ code: "no-venv-module" });
    expect(error.message).to.contain("apt install python3-venv");
  });

  it("says so when making the environment finds them missing", async () => {
    await program(
      "python3",
      'if [ "$1" = "-c" ]; then echo bulkhead 3 11 1; else echo "ensurepip is not available"; exit 1; fi',
    );
    expect(await failure(ensure())).to.include({ code: "no-venv-module" });
  });

  it("prefers a Python that will do over one that will not", async () => {
    await program("python3", "echo bulkhead 3 9 1");
    await program(
      "python3.12",
      'if [ "$1" = "-c" ]; then echo bulkhead 3 12 1; else echo broken >&2; exit 1; fi',
    );
    const error = await failure(ensure());
    expect(error).to.include({ code: "install-failed" });
    expect(error.message).to.contain("python3.12").and.contain("broken");
  });

  /** A `python3` whose environments hold a pip that fails with the text, or works when it is "". */
  async function pretending(pipSays: string): Promise<void> {
    const fake = `case "$*" in
      "-c "*) echo bulkhead 3 11 1;;
      *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python"; echo made >> ${folder}/made;;
      *"pip install"*) ${pipSays ? `echo "${pipSays}" >&2; exit 1` : "exit 0"};;
    esac`;
    await program("python3", fake);
  }

  it("says that the network is missing, and leaves no half-made environment", async () => {
    await pretending("Failed to establish a new connection: Temporary failure in name resolution");
    const error = await failure(ensure({ path: `${folder}/bin:/usr/bin:/bin` }));
    expect(error).to.include({ code: "no-network" });
    expect(error.message).to.contain("connect to the network");
    expect(await fs.readdir(path.join(folder, ".bulkhead"))).to.be.empty;
  });

  it("makes the environment once, and anew when it is half-made or the requirements change", async () => {
    await pretending("");
    const requirements = path.join(folder, "requirements.txt");
    await fs.writeFile(requirements, "one==1\n");
    const run = () => ensure({ path: `${folder}/bin:/usr/bin:/bin`, requirements });
    expect(await run()).to.deep.equal({
      python: path.join(folder, ".bulkhead/venv/bin/python"),
      created: true,
    });
    expect((await run()).created).to.equal(false);
    await fs.writeFile(requirements, "one==2\n");
    expect((await run()).created).to.equal(true);
    await fs.rm(path.join(folder, ".bulkhead/venv/bulkhead.json"));
    await fs.mkdir(path.join(folder, ".bulkhead/venv-draft-999999-dead"));
    expect((await run()).created).to.equal(true);
    expect(await fs.readdir(path.join(folder, ".bulkhead"))).to.deep.equal(["venv"]);
    await fs.writeFile(requirements, "one==3\n");
    const both = await Promise.all([run(), run()]);
    expect(both.map((each) => each.python)).to.deep.equal([both[0]!.python, both[0]!.python]);
    expect(await fs.readdir(path.join(folder, ".bulkhead"))).to.deep.equal(["venv"]);
  });

  it("is not asked for anything by a launch that fails at it", async () => {
    const before = process.env.PATH;
    process.env.PATH = path.join(folder, "bin");
    const error = await failure(launchAws({ root: folder }));
    process.env.PATH = before;
    expect(error).to.include({ code: "no-python" });
  });
});
