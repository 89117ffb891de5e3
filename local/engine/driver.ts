/** What can deploy a stack in local mode: the engine of this folder or the genuine `pulumi`, by one interface. */

import type { Operation } from "./planner";
import type { PropertyDiff } from "./propertyDiff";
import type { ExportedState } from "./state";

/** What to run on which stack. */
export interface DeploymentOptions {
  /** Required. Name of the stack, as in `Pulumi.STACK.yaml`. */
  stack: string;
  /** Required. Folder of Pulumi.yaml. */
  projectDir: string;
  /**
   * Folders of compiled policy packs (package.json with `main`, PulumiPolicy.yaml). All are enforced.
   * @default []
   */
  policyPacks?: readonly string[];
  /**
   * Leaves out the preview that precedes a deployment with policy packs: for what has been previewed just now. The rules are enforced all the
   * same, but what comes before a resource that they refuse is then made.
   * @default false
   */
  skipPreview?: boolean;
  /**
   * Configuration over the defaults of Pulumi.yaml and the values of Pulumi.STACK.yaml, by key; keys without a
   * namespace are the project's, structured values are JSON.
   * @default {}
   */
  config?: Record<string, string>;
  /** The same for secret values. @default {} */
  secretConfig?: Record<string, string>;
  /** Gets each line of progress, without a line end. @default nothing is shown */
  onOutput?: (line: string) => void;
  /** Gets each event; from the genuine `pulumi` only diagnostics and violations, when it has ended. @default none */
  onEvent?: (event: EngineEvent) => void;
  /** Ends the run early: running steps are finished and recorded, then every child process is ended. @default none */
  signal?: AbortSignal;
  /** Environment variables for program, policy packs and plugins, over those of this process. @default {} */
  env?: Record<string, string>;
  /** How many provider calls may be under way at one time. @default 32 */
  parallel?: number;
}

export type Severity = "info" | "warning" | "error";

/** A message about a resource, or about the run as a whole. */
export interface Diagnostic {
  severity: Severity;
  message: string;
  urn?: string;
}

/** A policy that a resource, or the stack, does not keep to. */
export interface PolicyViolation {
  policy: string;
  pack: string;
  enforcement: "advisory" | "mandatory";
  urn: string;
  message: string;
}

/** One planned or finished operation. */
export interface PlanItem {
  op: Operation;
  urn: string;
  type: string;
  diffs: PropertyDiff[];
  /** Of a replacement: the properties that force it. */
  replaceKeys?: string[];
}

/** How long one part of the run took, in ms; parts overlap. */
export type Timings = Record<string, number>;

/** What came of a run. Failures of program, provider or policy are told here, not thrown. */
export interface DeploymentResult {
  ok: boolean;
  /** Whether it was ended by {@link DeploymentOptions.signal}. */
  cancelled: boolean;
  /** Number of resources by operation; default providers are not counted. */
  counts: Partial<Record<Operation, number>>;
  /** The stack's outputs, secrets as `[secret]`, unknowns as `[unknown]`. */
  outputs: Record<string, unknown>;
  diagnostics: Diagnostic[];
  policyViolations: PolicyViolation[];
  plan: PlanItem[];
  timings: Timings;
}

export type EngineEvent =
  | {
      type: "step";
      moment: "start" | "done" | "failed";
      op: Operation;
      urn: string;
      ms?: number;
      error?: string;
    }
  | { type: "diagnostic"; diagnostic: Diagnostic }
  | { type: "policy"; violation: PolicyViolation };

/** A way to deploy. */
export interface StackDriver {
  /** For people: "local engine" or "pulumi v3.x". */
  readonly name: string;
  preview(options: DeploymentOptions): Promise<DeploymentResult>;
  up(options: DeploymentOptions): Promise<DeploymentResult>;
  refresh(options: DeploymentOptions): Promise<DeploymentResult>;
  destroy(options: DeploymentOptions): Promise<DeploymentResult>;
  /** The outputs of the last `up`; secrets clear with `showSecrets`, else `[secret]`. Throws when there is no such stack. */
  outputs(stack: string, options?: { showSecrets?: boolean }): Promise<Record<string, unknown>>;
  /** The state as `pulumi stack export` prints it, secrets encrypted. Throws when there is no such stack. */
  exportState(stack: string): Promise<ExportedState>;
}
