import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import * as readline from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { MeasuredResource } from "../../../policypacks/measure";

/** What the pack says about a resource or a stack. */
export interface Diagnostic {
  rule: string;
  urn: string;
  message: string;
  mandatory: boolean;
}

/** Settings of one rule. */
export interface RuleSettings {
  level?: "advisory" | "mandatory" | "disabled";
  options?: Record<string, JavaScriptValue>;
}

type Call<Request, Response> = (
  request: Request,
  callback: (error: grpc.ServiceError | null, response: Response) => void,
) => unknown;

/** A policy pack in a process of its own, as the engine runs it. */
export class PackProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly client: AnalyzerClient,
  ) {}

  /**
   * Starts the pack in a folder and waits until it answers.
   * @throws Error with what the process printed when it ends instead.
   */
  static async start(folder: string): Promise<PackProcess> {
    const main = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    // The engine's address is an argument that the pack does not use.
    const child = spawn(process.execPath, [main, "127.0.0.1:1", path.resolve(folder)], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    const port = await new Promise<string>((resolve, reject) => {
      const lines = readline.createInterface({ input: child.stdout as NodeJS.ReadableStream });
      lines.on("line", (line) => /^\d+$/.test(line) && resolve(line));
      child.once("exit", (code) => reject(new Error(`the policy pack ended with ${code}: ${errors}`)));
    });
    const client = new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return new PackProcess(child, client);
  }

  /** Name, version, and each policy's id and enforcement level. */
  async info() {
    const info = await this.call<Empty, InstanceType<typeof analyzer.AnalyzerInfo>>(
      this.client.getAnalyzerInfo,
      new Empty(),
    );
    return {
      name: info.getName(),
      version: info.getVersion(),
      policies: info.getPoliciesList().map((policy) => ({
        id: policy.getName(),
        mandatory: policy.getEnforcementlevel() === analyzer.EnforcementLevel.MANDATORY,
        options: Object.keys(policy.getConfigschema()?.getProperties()?.toJavaScript() ?? {}),
      })),
    };
  }

  /** Gives the pack its configuration, which replaces the one before. */
  async configure(settings: Record<string, RuleSettings>): Promise<void> {
    const request = new analyzer.ConfigureAnalyzerRequest();
    for (const [rule, { level = "mandatory", options = {} }] of Object.entries(settings)) {
      const config = new analyzer.PolicyConfig();
      config.setEnforcementlevel(
        {
          advisory: analyzer.EnforcementLevel.ADVISORY,
          mandatory: analyzer.EnforcementLevel.MANDATORY,
          disabled: analyzer.EnforcementLevel.DISABLED,
        }[level],
      );
      config.setProperties(Struct.fromJavaScript(options));
      request.getPolicyconfigMap().set(rule, config);
    }
    await this.call(this.client.configure, request);
  }

  /** What all rules say about one resource. */
  async analyze({ type, name, urn, props, provider }: MeasuredResource): Promise<Diagnostic[]> {
    const request = new analyzer.AnalyzeRequest();
    request.setType(type);
    request.setName(name);
    request.setUrn(urn);
    request.setProperties(Struct.fromJavaScript(props as Record<string, JavaScriptValue>));
    request.setOptions(new analyzer.AnalyzerResourceOptions());
    request.setProvider(providerMessage(provider));
    return diagnostics(await this.call(this.client.analyze, request));
  }

  /** What all rules say about a stack. */
  async analyzeStack(resources: readonly MeasuredResource[]): Promise<Diagnostic[]> {
    const request = new analyzer.AnalyzeStackRequest();
    request.setResourcesList(
      resources.map(({ type, name, urn, props, provider }) => {
        const resource = new analyzer.AnalyzerResource();
        resource.setType(type);
        resource.setName(name);
        resource.setUrn(urn);
        resource.setProperties(Struct.fromJavaScript(props as Record<string, JavaScriptValue>));
        resource.setOptions(new analyzer.AnalyzerResourceOptions());
        resource.setProvider(providerMessage(provider));
        return resource;
      }),
    );
    return diagnostics(await this.call(this.client.analyzeStack, request));
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.client.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill();
    await gone;
  }

  private call<Request, Response>(method: Call<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(this.client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }
}

function providerMessage(provider: MeasuredResource["provider"]) {
  if (!provider) return undefined;
  const message = new analyzer.AnalyzerProviderResource();
  message.setType(provider.type);
  message.setName(provider.name);
  message.setUrn(provider.urn);
  message.setProperties(Struct.fromJavaScript(provider.props as Record<string, JavaScriptValue>));
  return message;
}

function diagnostics(response: InstanceType<typeof analyzer.AnalyzeResponse>): Diagnostic[] {
  return response.getDiagnosticsList().map((one) => ({
    rule: one.getPolicyname(),
    urn: one.getUrn(),
    message: one.getMessage(),
    mandatory: one.getEnforcementlevel() === analyzer.EnforcementLevel.MANDATORY,
  }));
}
