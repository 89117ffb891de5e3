/** The ResourceMonitor service, which the program calls: gRPC on one side, a {@link Deployment} on the other. */

import * as grpc from "@grpc/grpc-js";
import type * as aliasProto from "@pulumi/pulumi/proto/alias_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { StackConfig } from "./config";
import { type Deployment, type ReadRequest, type Registration, Unavailable } from "./deployment";
import type { Alias } from "./planner";
import { parseDuration } from "./timeouts";
import { fromStruct, toStruct } from "./wire";

const Feature = proto.ResourceMonitorFeature;
/**
 * What the SDK may use. Transforms, hooks and migrations are in the list although they are not implemented, because
 * otherwise the SDK says by itself to update the Pulumi command; so the refusal here gets to say what is the matter.
 */
const FEATURES = [
  Feature.RESOURCE_MONITOR_FEATURE_SECRETS,
  Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  Feature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  Feature.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
  Feature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  Feature.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
  Feature.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
  Feature.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
  Feature.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
  Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
  Feature.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
  Feature.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS,
];

/** What the service tells the program about the run. */
export interface MonitorContext {
  project: string;
  stack: string;
  organization: string;
  preview: boolean;
  parallel: number;
  config: StackConfig;
  /** Called at the first registration. */
  onFirst: () => void;
  /** Called when the program says that it has come to its end. */
  onComplete: () => void;
  /** Told of every refusal, so that it is reported even where the program swallows it. */
  onRefusal: (message: string) => void;
}

/** The service, to be added to a server. */
export function monitorService(
  deployment: Deployment,
  context: MonitorContext,
): [grpc.ServiceDefinition, grpc.UntypedServiceImplementation] {
  const packages = new Map<string, proto.RegisterPackageRequest>();
  const refuse = (what: string, instead: string): never => {
    const message = `${what} is not implemented by the local engine; ${instead}`;
    context.onRefusal(message);
    throw new Error(message);
  };
  const withPulumi = "leave it out, or deploy with pulumi itself";

  async function registerResource(
    request: proto.RegisterResourceRequest,
  ): Promise<proto.RegisterResourceResponse> {
    context.onFirst();
    const subject = `${request.getType()} "${request.getName()}"`;
    const option = (name: string): never => refuse(`the resource option ${name} (of ${subject})`, withPulumi);
    if (request.getRemote()) {
      refuse(
        `the remote component ${subject}`,
        "it needs its provider's plugin, which local mode does not run: switch it off in the local configuration, or deploy with pulumi itself",
      );
    }
    if (request.getImportid() !== "") option("import");
    if (request.getTransformsList().length > 0) option("transforms");
    if (request.getStateMigrationsList().length > 0) option("stateMigrations");
    if (request.getEnvvarmappingsMap().getLength() > 0) option("envVarMappings");
    if (Object.values(request.getHooks()?.toObject() ?? {}).some((list) => list.length > 0)) option("hooks");
    const version = versionOf(request);
    const { urn, id, outputs } = await deployment.register({ ...registrationOf(request), version });
    return new proto.RegisterResourceResponse().setUrn(urn).setId(id).setObject(toStruct(outputs));
  }

  async function readResource(request: proto.ReadResourceRequest): Promise<proto.ReadResourceResponse> {
    context.onFirst();
    const version = versionOf(request);
    const { urn, outputs } = await deployment.read({ ...readRequestOf(request), version });
    return new proto.ReadResourceResponse().setUrn(urn).setProperties(toStruct(outputs));
  }

  async function invoke(request: proto.ResourceInvokeRequest): Promise<proto.ResourceInvokeResponse> {
    const args = fromStruct(request.getArgs());
    const result = await deployment.invoke(request.getTok(), args, request.getProvider(), versionOf(request));
    const response = new proto.ResourceInvokeResponse();
    return result === undefined ? response.setUnknown(true) : response.setReturn(toStruct(result));
  }

  /** The provider version that a request asks for, itself or by a registered package. */
  function versionOf(request: {
    getPackageref(): string;
    getVersion(): string;
    getPlugindownloadurl(): string;
  }): string {
    const known = packages.get(request.getPackageref());
    const url = known?.getDownloadUrl() || request.getPlugindownloadurl();
    if (url !== "")
      refuse(`pluginDownloadURL (${url})`, `providers are built in, none is fetched; ${withPulumi}`);
    if (known?.hasParameterization())
      refuse(`the parameterized package ${known.getParameterization()!.getName()}`, withPulumi);
    return known?.getVersion() || request.getVersion();
  }

  const handlers: Record<string, (request: never) => Promise<unknown>> = {
    getDeploymentInfo: async () => {
      const info = new proto.DeploymentInfo()
        .setProject(context.project)
        .setStack(context.stack)
        .setOrganization(context.organization)
        .setDryrun(context.preview)
        .setParallel(context.parallel)
        .setConfigsecretkeysList(context.config.secretKeys)
        .setSupportedfeaturesList(FEATURES);
      for (const [key, value] of Object.entries(context.config.values)) info.getConfigMap().set(key, value);
      return info;
    },
    // Asked only by SDKs older than getDeploymentInfo.
    supportsFeature: async (request: proto.SupportsFeatureRequest) =>
      new proto.SupportsFeatureResponse().setHassupport(
        ["secrets", "resourceReferences", "aliasSpecs", "deletedWith", "replaceWith"].includes(
          request.getId(),
        ),
      ),
    registerResource,
    readResource,
    invoke,
    registerResourceOutputs: async (request: proto.RegisterResourceOutputsRequest) => {
      await deployment.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
      return new Empty();
    },
    registerPackage: async (request: proto.RegisterPackageRequest) => {
      // What cannot be had is refused where it is used.
      const ref = `${request.getName()}@${request.getVersion()}#${packages.size}`;
      packages.set(ref, request);
      return new proto.RegisterPackageResponse().setRef(ref);
    },
    signalAndWaitForShutdown: async () => {
      context.onComplete();
      return new Empty();
    },
    call: async (request: proto.ResourceCallRequest) =>
      refuse(`the method call ${request.getTok()}`, withPulumi),
    existsResource: async () => refuse("asking whether a resource exists", withPulumi),
    registerStackTransform: async () =>
      refuse(
        "a stack transform",
        "use `transformations`, which run in the program, or deploy with pulumi itself",
      ),
    registerStackInvokeTransform: async () => refuse("an invoke transform", withPulumi),
    registerResourceHook: async (request: proto.RegisterResourceHookRequest) =>
      refuse(`the resource hook "${request.getName()}"`, withPulumi),
    registerErrorHook: async (request: proto.RegisterErrorHookRequest) =>
      refuse(`the error hook "${request.getName()}"`, withPulumi),
  };
  const service = ResourceMonitorService as unknown as grpc.ServiceDefinition;
  return [service, implementation(service, handlers)];
}

/** Fits promise-returning functions to a service; calls without a function are answered as not implemented, by name. */
export function implementation(
  service: grpc.ServiceDefinition,
  handlers: Record<string, (request: never) => Promise<unknown>>,
): grpc.UntypedServiceImplementation {
  const result: grpc.UntypedServiceImplementation = {};
  for (const name of Object.keys(service)) {
    const handler = handlers[name];
    const unary: grpc.handleUnaryCall<unknown, unknown> = (call, done) => {
      if (handler === undefined) {
        done({ code: grpc.status.UNIMPLEMENTED, details: `${name} is not implemented by the local engine` });
        return;
      }
      handler(call.request as never).then(
        (response) => done(null, response),
        (error: Error) => {
          const code = error instanceof Unavailable ? grpc.status.UNAVAILABLE : grpc.status.UNKNOWN;
          done({ code, details: error.message });
        },
      );
    };
    result[name] = unary;
  }
  return result;
}

function registrationOf(request: proto.RegisterResourceRequest): Registration {
  const timeouts = request.getCustomtimeouts();
  const seconds = (text: string | undefined) => (text ? parseDuration(text) : undefined);
  const limits = {
    create: seconds(timeouts?.getCreate()),
    update: seconds(timeouts?.getUpdate()),
    delete: seconds(timeouts?.getDelete()),
    read: seconds(timeouts?.getRead()),
  };
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
  const dependencies: Record<string, string[]> = {};
  for (const [key, urns] of request.getPropertydependenciesMap().entries() as Iterable<
    [string, proto.RegisterResourceRequest.PropertyDependencies]
  >) {
    dependencies[key] = urns.getUrnsList();
  }
  const trigger = request.getReplacementTrigger();
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: request.getParent(),
    inputs: fromStruct(request.getObject()),
    dependencies: request.getDependenciesList(),
    ...(Object.keys(dependencies).length > 0 ? { propertyDependencies: dependencies } : {}),
    provider: request.getProvider(),
    ...(request.hasProtect() ? { protect: request.getProtect()! } : {}),
    ...(request.getDeletebeforereplacedefined()
      ? { deleteBeforeReplace: request.getDeletebeforereplace() }
      : {}),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: [
      ...request.getAliasurnsList().map((urn) => ({ urn })),
      ...request.getAliasesList().map(aliasOf),
    ],
    ...(Object.keys(given).length > 0 ? { customTimeouts: given } : {}),
    ...(request.hasRetainondelete() ? { retainOnDelete: request.getRetainondelete()! } : {}),
    deletedWith: request.getDeletedwith(),
    replaceWith: request.getReplaceWithList(),
    ...(trigger === undefined ? {} : { replacementTrigger: trigger.toJavaScript() }),
    hideDiffs: request.getHidediffsList(),
  };
}

function readRequestOf(request: proto.ReadResourceRequest): ReadRequest {
  return {
    type: request.getType(),
    name: request.getName(),
    id: request.getId(),
    parent: request.getParent(),
    inputs: fromStruct(request.getProperties()),
    dependencies: request.getDependenciesList(),
    provider: request.getProvider(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  };
}

function aliasOf(alias: aliasProto.Alias): Alias {
  const spec = alias.getSpec();
  if (spec === undefined) return { urn: alias.getUrn() };
  return {
    name: spec.getName(),
    type: spec.getType(),
    stack: spec.getStack(),
    project: spec.getProject(),
    ...(spec.getParenturn() === "" ? {} : { parent: spec.getParenturn() }),
    noParent: spec.getNoparent(),
  };
}
