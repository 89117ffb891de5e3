/** The plugin as the engine meets it: a process of its own and a gRPC channel. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { expect } from "chai";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { LocalAws } from "../../local/aws/launch";
import { HANDLERS } from "../../local/provider/handlers";
import { installPlugin } from "../../local/provider/launcher";
import { type Props, SIGNATURE, SIGNATURE_SECRET, UNKNOWN } from "../../local/provider/types";
import { ACCOUNT, environment, REGION, startAws, urnOf } from "./support";

const USER = "aws:iam/user:User";
const PARAMETER = "aws:ssm/parameter:Parameter";
const secret = (value: unknown) => ({ [SIGNATURE]: SIGNATURE_SECRET, value });
const struct = (props: Props) => Struct.fromJavaScript(props);
const plain = (message: Struct | undefined): Props => message!.toJavaScript();

describe("the stand-in provider as a plugin", () => {
  let local: LocalAws;
  let folder: string;
  let child: ChildProcess;
  let client: ResourceProviderClient;

  before(async () => {
    local = await startAws();
    folder = await installPlugin(fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-plugin-")));
    ({ child, client } = await start());
    await configure({});
  });
  after(async () => {
    client?.close();
    child?.kill();
    await local?.stop();
    fs.rmSync(folder, { recursive: true });
  });

  /** Starts the plugin as the engine does: by its name on PATH; it says its port on its first line. */
  async function start(...args: string[]) {
    const env = {
      ...process.env,
      ...environment(local.url),
      PATH: `${folder}${path.delimiter}${process.env.PATH}`,
    };
    const process_ = spawn("pulumi-resource-aws", args, { env, stdio: ["ignore", "pipe", "inherit"] });
    const lines = readline.createInterface({ input: process_.stdout! });
    const port = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      process_.once("exit", (code) => reject(new Error(`the plugin ended (${code})`)));
    });
    const made = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return { child: process_, client: made };
  }

  // The generated client has no promises, and its methods no common type.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  function call(method: string, request: unknown, by = client): Promise<any> {
    return new Promise((resolve, reject) => {
      // biome-ignore lint/suspicious/noExplicitAny: see above
      const done = (error: grpc.ServiceError | null, response: any) =>
        error ? reject(error) : resolve(response);
      // biome-ignore lint/suspicious/noExplicitAny: see above
      (by as any)[method](request, done);
    });
  }

  async function errorOf(promise: Promise<unknown>): Promise<grpc.ServiceError> {
    try {
      await promise;
    } catch (error) {
      return error as grpc.ServiceError;
    }
    throw new Error("nothing was refused");
  }

  function configure(args: Props, by = client) {
    const request = new rpc.ConfigureRequest();
    const defaults = {
      region: REGION,
      accessKey: secret(ACCOUNT),
      secretKey: secret("test"),
      maxRetries: "1",
    };
    request.setArgs(struct({ ...defaults, ...args }));
    return call("configure", request, by);
  }

  async function check(type: string, news: Props): Promise<rpc.CheckResponse> {
    const request = new rpc.CheckRequest();
    request.setUrn(urnOf(type, "thing"));
    request.setOlds(struct({}));
    request.setNews(struct(news));
    request.setRandomseed(new Uint8Array([1, 2, 3]));
    return call("check", request);
  }

  async function create(type: string, properties: Props, preview = false): Promise<rpc.CreateResponse> {
    const request = new rpc.CreateRequest();
    request.setUrn(urnOf(type, "thing"));
    request.setProperties(struct(properties));
    request.setPreview(preview);
    return call("create", request);
  }

  async function remove(type: string, id: string, outputs: Props): Promise<void> {
    const request = new rpc.DeleteRequest();
    request.setUrn(urnOf(type, "thing"));
    request.setId(id);
    request.setProperties(struct(outputs));
    await call("delete", request);
  }

  it("shakes hands and says what it is", async () => {
    expect((await call("handshake", new rpc.ProviderHandshakeRequest())).getAcceptSecrets()).to.equal(false);
    expect((await call("getPluginInfo", new Empty())).getVersion()).to.match(/^7\./);
    const schema = JSON.parse((await call("getSchema", new rpc.GetSchemaRequest())).getSchema());
    expect(schema).to.include({ name: "aws" });
    expect(schema.resources).to.have.all.keys(...HANDLERS.keys());
    expect(schema.resources[USER].inputProperties.path).to.deep.equal({ type: "string" });
    await call("cancel", new Empty());
  });

  it("checks the provider's arguments, which arrive as JSON text", async () => {
    const request = new rpc.CheckRequest();
    request.setUrn(urnOf("pulumi:providers:aws", "default"));
    const endpoints = '[{"sts":"https://sts.us-west-2.amazonaws.com"}]';
    request.setNews(struct({ region: REGION, endpoints, profile: "me", skipRegionValidation: "true" }));
    const answer: rpc.CheckResponse = await call("checkConfig", request);
    expect(plain(answer.getInputs())).to.include({ endpoints, region: REGION });
    expect(answer.getFailuresList().map((failure) => failure.getProperty())).to.deep.equal(["profile"]);
  });

  it("compares the provider's arguments", async () => {
    const request = new rpc.DiffRequest();
    request.setOldInputs(struct({ region: REGION }));
    request.setNews(struct({ region: "us-east-1" }));
    const answer: rpc.DiffResponse = await call("diffConfig", request);
    expect(answer.getDiffsList()).to.deep.equal(["region"]);
    expect(answer.getReplacesList()).to.deep.equal([]);
  });

  it("does a resource's whole life", async () => {
    const checked = plain((await check(USER, { path: "/a/", tags: { a: "b" } })).getInputs());
    expect(checked.name).to.match(/^thing-[0-9a-f]{7}$/);
    const planned = await create(USER, checked, true);
    expect(plain(planned.getProperties())).to.include({ arn: UNKNOWN, name: checked.name });
    const made = await create(USER, checked);
    const outputs = plain(made.getProperties());
    expect(outputs.arn).to.contain(`:${ACCOUNT}:user/a/`);

    const read = new rpc.ReadRequest();
    read.setUrn(urnOf(USER, "thing"));
    read.setId(made.getId());
    read.setInputs(struct(checked));
    read.setProperties(struct(outputs));
    const live: rpc.ReadResponse = await call("read", read);
    expect(live.getId()).to.equal(made.getId());
    expect(plain(live.getInputs())).to.deep.equal(checked);
    expect(plain(live.getProperties())).to.deep.equal(outputs);

    const news = { ...checked, tags: { a: "c" } };
    const diff = new rpc.DiffRequest();
    diff.setUrn(urnOf(USER, "thing"));
    diff.setId(made.getId());
    diff.setOldInputs(struct(checked));
    diff.setOlds(struct(outputs));
    diff.setNews(struct(news));
    const difference: rpc.DiffResponse = await call("diff", diff);
    expect(difference.getChanges()).to.equal(rpc.DiffResponse.DiffChanges.DIFF_SOME);
    expect(difference.getDiffsList()).to.deep.equal(["tags"]);

    const update = new rpc.UpdateRequest();
    update.setUrn(urnOf(USER, "thing"));
    update.setId(made.getId());
    update.setOlds(struct(outputs));
    update.setNews(struct(news));
    const updated = plain((await call("update", update)).getProperties());
    expect(updated.tagsAll).to.deep.equal({ a: "c" });

    await remove(USER, made.getId(), updated);
    expect((await call("read", read)).getId()).to.equal("");
  });

  it("unwraps secrets and wraps secret outputs", async () => {
    const inputs = { name: "/p", type: "SecureString", value: secret("hush"), region: secret(REGION) };
    const checked = plain((await check(PARAMETER, inputs)).getInputs());
    const made = await create(PARAMETER, checked);
    const outputs = plain(made.getProperties());
    expect(outputs.value).to.deep.equal(secret("hush"));
    expect(outputs.name).to.equal("/p");
    await remove(PARAMETER, made.getId(), outputs);
  });

  it("calls functions", async () => {
    const request = new rpc.InvokeRequest();
    request.setTok("aws:index/getCallerIdentity:getCallerIdentity");
    request.setArgs(struct({}));
    expect(plain((await call("invoke", request)).getReturn())).to.include({ accountId: ACCOUNT });
  });

  it("answers failures of checks as failures, and others as errors with their message", async () => {
    const answer = await check(USER, { nonsense: true });
    expect(answer.getFailuresList()[0]!.getReason()).to.contain('does not implement input "nonsense"');
    const error = await errorOf(check("aws:redshift/cluster:Cluster", {}));
    expect(error.details).to.contain("resource type aws:redshift/cluster:Cluster is not implemented");
  });

  it("tells the engine what exists when a creation was not finished", async () => {
    const group = "aws:cloudwatch/logGroup:LogGroup";
    const checked = plain((await check(group, { name: "/half", retentionInDays: 31 })).getInputs());
    const error = await errorOf(create(group, checked));
    const status = Status.deserializeBinary(error.metadata.get("grpc-status-details-bin")[0] as Buffer);
    const detail = status.getDetailsList()[0]!;
    expect(detail.getTypeName()).to.equal("pulumirpc.ErrorResourceInitFailed");
    const incomplete = rpc.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    expect(incomplete.getId()).to.equal("/half");
    await remove(group, "/half", plain(incomplete.getProperties()));
  });

  it("says by name which RPCs it does not implement", async () => {
    for (const method of ["construct", "call", "parameterize", "getMapping"]) {
      const requests: Record<string, unknown> = {
        construct: new rpc.ConstructRequest(),
        call: new rpc.CallRequest(),
        parameterize: new rpc.ParameterizeRequest(),
        getMapping: new rpc.GetMappingRequest(),
      };
      const error = await errorOf(call(method, requests[method]));
      expect(error.code, method).to.equal(grpc.status.UNIMPLEMENTED);
      expect(error.details).to.equal(`stand-in aws provider: RPC "${method}" is not implemented`);
    }
  });

  it("ends when the engine that started it is gone", async () => {
    const engine = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => engine.once("listening", resolve));
    const address = `127.0.0.1:${(engine.address() as net.AddressInfo).port}`;
    const another = await start(address);
    const ended = new Promise<number | null>((resolve) => another.child.once("exit", resolve));
    await configure({}, another.client);
    another.client.close();
    expect(another.child.exitCode, "while the engine lives").to.equal(null);
    engine.close();
    expect(await ended).to.equal(0);
  });

  it("refuses to be configured for anything but a local AWS", async () => {
    const { AWS_ENDPOINT_URL: _, ...env } = { ...process.env };
    const command = path.join(folder, "pulumi-resource-aws");
    const process_ = spawn(command, [], { env, stdio: ["ignore", "pipe", "inherit"] });
    const [port] = await new Promise<string[]>((resolve) =>
      process_.stdout!.once("data", (data) => resolve(String(data).split("\n"))),
    );
    const one = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const error = await errorOf(configure({}, one));
    expect(error.details).to.contain("it only talks to a local AWS");
    one.close();
    process_.kill();
  });
});
