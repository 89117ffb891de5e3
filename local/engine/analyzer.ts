/** Policy packs: one process each, the true `@pulumi/pulumi/cmd/run-policy-pack`, asked over gRPC. */

import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type ChildHost, programModule, spawnNode } from "./child";
import type { PolicyViolation } from "./driver";
import type { ResourceState } from "./state";
import { nameOf } from "./urn";
import { fromStruct, type Props, toStruct } from "./wire";

/** A resource as policies see it. */
export interface Subject {
  state: ResourceState;
  /** Inputs before an operation, outputs at the end. */
  properties: Props;
  deleteBeforeReplace: boolean | undefined;
  /** The resource's provider, when it is known. */
  provider: ResourceState | undefined;
}

export interface Remediation {
  properties: Props | undefined;
  policy: string;
  /** Set when the policy could not be run. */
  problem: string;
}

/** How to start a pack. */
export interface PackOptions {
  /** The pack's folder. */
  folder: string;
  /** Address of the engine service. */
  engine: string;
  /** Added to this process's environment. */
  env: NodeJS.ProcessEnv;
  /** Gets what the pack prints. */
  output: (line: string) => void;
  /** Ends it while it starts; a running pack is ended by {@link PolicyPack.stop}. */
  signal?: AbortSignal;
}

const MESSAGE_BYTES = 400 * 1024 * 1024;

/** One running policy pack. */
export class PolicyPack {
  private constructor(
    readonly name: string,
    private readonly client: AnalyzerClient,
    private readonly child: ChildHost,
    /** Whether any policy may change resources; only then it is asked to. */
    readonly remediates: boolean,
  ) {}

  /**
   * Starts a pack. Throws, with what it wrote to its standard error, when it does not start, and when the signal ends it
   * before it has.
   */
  static async start({ folder, engine, env, output, signal }: PackOptions): Promise<PolicyPack> {
    const root = path.resolve(folder);
    let ready: (port: string) => void = () => {};
    const port = new Promise<string>((resolve) => {
      ready = resolve;
    });
    const child = spawnNode({
      args: [programModule("run-policy-pack", root), engine, root],
      nodeArgs: ["-r", path.join(__dirname, "endBySignal.cjs")],
      cwd: root,
      env,
      // The first line is the port that it listens on.
      onLine: (line) => (/^\d+$/.test(line) ? ready(line) : output(line)),
    });
    const cancel = () => void child.stop();
    signal?.addEventListener("abort", cancel);
    try {
      const address = await Promise.race([
        port,
        child.exited.then((code) => {
          throw new Error(
            `the policy pack in ${root} ended with code ${code} before it served: ${child.errorText()}`,
          );
        }),
      ]);
      const client = new AnalyzerClient(`127.0.0.1:${address}`, grpc.credentials.createInsecure(), {
        "grpc.max_receive_message_length": MESSAGE_BYTES,
        "grpc.max_send_message_length": MESSAGE_BYTES,
      });
      const info = await unary<proto.AnalyzerInfo>((done) => client.getAnalyzerInfo(new Empty(), done));
      const remediates = info
        .getPoliciesList()
        .some((policy) => policy.getEnforcementlevel() === proto.EnforcementLevel.REMEDIATE);
      return new PolicyPack(info.getName(), client, child, remediates);
    } catch (error) {
      await child.stop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Checks one resource before its operation. */
  async analyze(subject: Subject): Promise<PolicyViolation[]> {
    const request = analyzeRequest(subject);
    const response = await unary<proto.AnalyzeResponse>((done) => this.client.analyze(request, done));
    return response.getDiagnosticsList().flatMap((d) => this.violation(d, subject.state.urn));
  }

  /** Lets policies change a resource's inputs. */
  async remediate(subject: Subject): Promise<Remediation[]> {
    const request = analyzeRequest(subject);
    const response = await unary<proto.RemediateResponse>((done) => this.client.remediate(request, done));
    return response.getRemediationsList().map((r) => ({
      policy: r.getPolicyname(),
      problem: r.getDiagnostic(),
      properties: r.getDiagnostic() === "" ? fromStruct(r.getProperties()) : undefined,
    }));
  }

  /** Checks the stack as a whole. */
  async analyzeStack(subjects: readonly Subject[], root: string): Promise<PolicyViolation[]> {
    const request = new proto.AnalyzeStackRequest().setResourcesList(subjects.map(stackResource));
    const response = await unary<proto.AnalyzeResponse>((done) => this.client.analyzeStack(request, done));
    return response.getDiagnosticsList().flatMap((d) => this.violation(d, root));
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.child.stop();
  }

  private violation(diagnostic: proto.AnalyzeDiagnostic, urn: string): PolicyViolation[] {
    const level = diagnostic.getEnforcementlevel();
    if (level === proto.EnforcementLevel.DISABLED) return [];
    return [
      {
        policy: diagnostic.getPolicyname(),
        pack: diagnostic.getPolicypackname() || this.name,
        enforcement: level === proto.EnforcementLevel.ADVISORY ? "advisory" : "mandatory",
        urn: diagnostic.getUrn() || urn,
        message: diagnostic.getMessage(),
      },
    ];
  }
}

function analyzeRequest(subject: Subject): proto.AnalyzeRequest {
  const { state } = subject;
  return new proto.AnalyzeRequest()
    .setType(state.type)
    .setUrn(state.urn)
    .setName(nameOf(state.urn))
    .setProperties(toStruct(subject.properties))
    .setOptions(resourceOptions(subject))
    .setProvider(providerResource(subject.provider));
}

function stackResource(subject: Subject): proto.AnalyzerResource {
  const { state } = subject;
  const resource = new proto.AnalyzerResource()
    .setType(state.type)
    .setUrn(state.urn)
    .setName(nameOf(state.urn))
    .setProperties(toStruct(subject.properties))
    .setOptions(resourceOptions(subject))
    .setProvider(providerResource(subject.provider))
    .setParent(state.parent ?? "")
    .setDependenciesList(state.dependencies);
  const map = resource.getPropertydependenciesMap();
  for (const [key, urns] of Object.entries(state.propertyDependencies)) {
    map.set(key, new proto.AnalyzerPropertyDependencies().setUrnsList(urns));
  }
  return resource;
}

function resourceOptions({ state, deleteBeforeReplace }: Subject): proto.AnalyzerResourceOptions {
  const options = new proto.AnalyzerResourceOptions()
    .setProtect(state.protect === true)
    .setIgnorechangesList(state.ignoreChanges ?? [])
    .setDeletebeforereplace(deleteBeforeReplace === true)
    .setDeletebeforereplacedefined(deleteBeforeReplace !== undefined)
    .setAdditionalsecretoutputsList(state.additionalSecretOutputs ?? [])
    .setParent(state.parent ?? "");
  const timeouts: Props = state.customTimeouts ?? {};
  return options.setCustomtimeouts(
    new proto.AnalyzerResourceOptions.CustomTimeouts()
      .setCreate(Number(timeouts.create ?? 0))
      .setUpdate(Number(timeouts.update ?? 0))
      .setDelete(Number(timeouts.delete ?? 0)),
  );
}

function providerResource(state: ResourceState | undefined): proto.AnalyzerProviderResource | undefined {
  if (state === undefined) return undefined;
  return new proto.AnalyzerProviderResource()
    .setType(state.type)
    .setUrn(state.urn)
    .setName(nameOf(state.urn))
    .setProperties(toStruct(state.inputs));
}

/** One unary call as a promise. */
async function unary<T>(
  call: (done: (error: grpc.ServiceError | null, response: T) => void) => unknown,
): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    call((error, response) =>
      error === null ? resolve(response) : reject(new Error(error.details || error.message)),
    );
  });
}
