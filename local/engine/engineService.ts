/** The Engine service, to which programs and policy packs send their log messages. */

import type * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Severity } from "./driver";
import { implementation } from "./monitor";

export interface EngineContext {
  /** Told of each message that is more than a debugging one. */
  onLog: (severity: Severity, message: string, urn: string | undefined) => void;
  /** The stack's URN, once it is registered. */
  root: () => string | undefined;
}

/** The service, to be added to a server. */
export function engineService(
  context: EngineContext,
): [grpc.ServiceDefinition, grpc.UntypedServiceImplementation] {
  const severities: Partial<Record<proto.LogSeverity, Severity>> = {
    [proto.LogSeverity.INFO]: "info",
    [proto.LogSeverity.WARNING]: "warning",
    [proto.LogSeverity.ERROR]: "error",
  };
  const handlers: Record<string, (request: never) => Promise<unknown>> = {
    log: async (request: proto.LogRequest) => {
      const severity = severities[request.getSeverity()];
      // Ephemeral messages are for a progress display.
      const isShown = severity !== undefined && !request.getEphemeral();
      if (isShown) context.onLog(severity, request.getMessage().trimEnd(), request.getUrn() || undefined);
      return new Empty();
    },
    getRootResource: async () => new proto.GetRootResourceResponse().setUrn(context.root() ?? ""),
    setRootResource: async () => new proto.SetRootResourceResponse(),
    requirePulumiVersion: async () => {
      throw new Error(
        "requirePulumiVersion: the local engine is not pulumi and has no version to compare; leave it out",
      );
    },
  };
  const service = EngineService as unknown as grpc.ServiceDefinition;
  return [service, implementation(service, handlers)];
}
