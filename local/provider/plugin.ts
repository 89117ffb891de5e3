/** The stand-in as a Pulumi provider plugin: a gRPC server that the genuine Pulumi engine drives. */
import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { errorMessage, PREFIX } from "./errors";
import { HANDLERS } from "./handlers";
import { packageSchema } from "./packageSchema";
import { type CheckResult, type DiffResult, IncompleteResourceError, type Provider } from "./types";
import { fromStruct, toStruct } from "./wire";

/** Function code travels in messages, as text even. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** A running plugin server. */
export interface PluginServer {
  /** TCP port on 127.0.0.1. */
  port: number;
  stop(): void;
}

/**
 * Serves one provider instance, as the engine expects: one process (and port) for each.
 * @param version what the plugin says its version is
 */
export async function servePlugin(provider: Provider, version: string): Promise<PluginServer> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES });
  server.addService(ResourceProviderService, implementation(provider, version));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { port, stop: () => server.forceShutdown() };
}

// The generated service description has no useful types: requests are told apart by the RPC's name.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Rpc = (request: any) => Promise<unknown>;

function implementation(provider: Provider, version: string): grpc.UntypedServiceImplementation {
  const rpcs = rpcsOf(provider, version);
  const methods: grpc.UntypedServiceImplementation = {};
  for (const name of Object.keys(ResourceProviderService)) {
    const run = rpcs[name];
    methods[name] = run ? unary(run) : unimplemented(name);
  }
  return methods;
}

function unary(run: Rpc): grpc.handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    run(call.request).then(
      (response) => callback(null, response),
      (error) => callback(serviceError(error)),
    );
  };
}

/** Answers both kinds of calls that the service has: with one response, and with a stream of them. */
function unimplemented(name: string): grpc.UntypedHandleCall {
  const error = { code: grpc.status.UNIMPLEMENTED, details: `${PREFIX}: RPC "${name}" is not implemented` };
  return ((call: grpc.ServerWritableStream<unknown, unknown>, callback?: grpc.sendUnaryData<unknown>) => {
    if (callback) callback(error);
    else call.emit("error", error);
  }) as grpc.UntypedHandleCall;
}

function serviceError(error: unknown): Partial<grpc.StatusObject> {
  const details = errorMessage(error);
  if (!(error instanceof IncompleteResourceError)) return { code: grpc.status.UNKNOWN, details };
  // The engine records what exists already from this detail of the status.
  const incomplete = new rpc.ErrorResourceInitFailed();
  incomplete.setId(error.id);
  incomplete.setProperties(toStruct(error.outputs));
  incomplete.setInputs(toStruct(error.inputs));
  incomplete.setReasonsList([details]);
  const any = new Any();
  any.pack(incomplete.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(details);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
}

function checkResponse({ inputs, failures }: CheckResult): rpc.CheckResponse {
  const response = new rpc.CheckResponse();
  response.setInputs(toStruct(inputs));
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new rpc.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

function diffResponse({ changed, replaces, deleteBeforeReplace }: DiffResult): rpc.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  const response = new rpc.DiffResponse();
  response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList(changed);
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(deleteBeforeReplace);
  return response;
}

function typeOf(urn: string): string {
  const types = urn.split("::")[2] ?? "";
  return types.slice(types.lastIndexOf("$") + 1);
}

/** The RPCs that are implemented, by their names in the service description. */
function rpcsOf(provider: Provider, version: string): Record<string, Rpc> {
  const secretsOf = (urn: string) => provider.secretOutputs(typeOf(urn));
  return {
    async handshake() {
      return new rpc.ProviderHandshakeResponse();
    },
    async getPluginInfo() {
      const info = new PluginInfo();
      info.setVersion(version);
      return info;
    },
    async getSchema() {
      const response = new rpc.GetSchemaResponse();
      response.setSchema(JSON.stringify(packageSchema(HANDLERS.values(), version)));
      return response;
    },
    async cancel() {
      return new Empty();
    },
    async checkConfig(request: rpc.CheckRequest) {
      return checkResponse(await provider.checkConfig(fromStruct(request.getNews())));
    },
    async diffConfig(request: rpc.DiffRequest) {
      const olds = fromStruct(request.getOldInputs() ?? request.getOlds());
      return diffResponse(await provider.diffConfig(olds, fromStruct(request.getNews())));
    },
    async configure(request: rpc.ConfigureRequest) {
      await provider.configure(fromStruct(request.getArgs()));
      const response = new rpc.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    },
    async check(request: rpc.CheckRequest) {
      const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
      return checkResponse(await provider.check(request.getUrn(), olds, news, request.getRandomseed_asU8()));
    },
    async diff(request: rpc.DiffRequest) {
      const outputs = fromStruct(request.getOlds());
      const inputs = fromStruct(request.getOldInputs());
      const news = fromStruct(request.getNews());
      return diffResponse(await provider.diff(request.getUrn(), request.getId(), inputs, outputs, news));
    },
    async create(request: rpc.CreateRequest) {
      const urn = request.getUrn();
      const made = await provider.create(urn, fromStruct(request.getProperties()), request.getPreview());
      const response = new rpc.CreateResponse();
      response.setId(made.id);
      response.setProperties(toStruct(made.outputs, secretsOf(urn)));
      return response;
    },
    async read(request: rpc.ReadRequest) {
      const urn = request.getUrn();
      const [inputs, outputs] = [fromStruct(request.getInputs()), fromStruct(request.getProperties())];
      const live = await provider.read(urn, request.getId(), inputs, outputs);
      const response = new rpc.ReadResponse();
      // No id: the resource is gone.
      if (!live) return response;
      response.setId(live.id);
      response.setInputs(toStruct(live.inputs, secretsOf(urn)));
      response.setProperties(toStruct(live.outputs, secretsOf(urn)));
      return response;
    },
    async update(request: rpc.UpdateRequest) {
      const urn = request.getUrn();
      const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
      const outputs = await provider.update(urn, request.getId(), olds, news, request.getPreview());
      const response = new rpc.UpdateResponse();
      response.setProperties(toStruct(outputs, secretsOf(urn)));
      return response;
    },
    async delete(request: rpc.DeleteRequest) {
      const [inputs, outputs] = [fromStruct(request.getOldInputs()), fromStruct(request.getProperties())];
      await provider.delete(request.getUrn(), request.getId(), inputs, outputs);
      return new Empty();
    },
    async invoke(request: rpc.InvokeRequest) {
      const result = await provider.invoke(request.getTok(), fromStruct(request.getArgs()));
      const response = new rpc.InvokeResponse();
      response.setReturn(toStruct(result));
      return response;
    },
  };
}
