/** The user's program, run by the SDK's own runner (`@pulumi/pulumi/cmd/run`). */

import * as path from "node:path";
import { type ChildHost, programModule, spawnNode, transpileCache } from "./child";
import type { Project, StackConfig } from "./config";

/** Exit code of a program that has told its error itself (as the SDK defines it). */
const TOLD_EXIT = 32;

export interface ProgramOptions {
  project: Project;
  stack: string;
  organization: string;
  config: StackConfig;
  preview: boolean;
  parallel: number;
  /** Address of monitor and engine services. */
  address: string;
  env: Record<string, string>;
  onLine: (line: string) => void;
}

/** What programs and policy packs find in their environment. */
export function programEnvironment(
  options: Pick<ProgramOptions, "project" | "stack" | "organization" | "config" | "preview" | "env">,
): NodeJS.ProcessEnv {
  const { project, stack, organization, config, preview, env } = options;
  return {
    PULUMI_CONFIG: JSON.stringify(config.values),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
    PULUMI_NODEJS_ORGANIZATION: organization,
    PULUMI_NODEJS_PROJECT: project.name,
    PULUMI_NODEJS_STACK: stack,
    PULUMI_NODEJS_DRY_RUN: String(preview),
    // Types are checked by the project's own checks; doing it at every deployment takes ten times as long.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...env,
  };
}

/** Starts the program. */
export function startProgram(options: ProgramOptions): ChildHost {
  const { project, stack, organization, preview, parallel, address } = options;
  const { typescript, tsconfig, nodeargs } = project.options;
  const preloads = ["cheapPromises.cjs", ...(typescript ? ["transpileCache.cjs"] : [])];
  const args = [
    programModule("run", project.workingDirectory),
    ...["--monitor", address, "--engine", address],
    ...["--organization", organization, "--project", project.name, "--stack", stack],
    ...["--root-directory", project.root, "--pwd", project.workingDirectory],
    ...["--parallel", String(parallel)],
    ...(preview ? ["--dry-run"] : []),
    project.entryPoint,
  ];
  return spawnNode({
    args,
    nodeArgs: [...preloads.flatMap((file) => ["-r", path.join(__dirname, file)]), ...nodeargs],
    cwd: project.workingDirectory,
    env: {
      ...programEnvironment(options),
      ...(typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true", ...transpileCache() } : {}),
      ...(tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig }),
    },
    onLine: options.onLine,
  });
}

/** What is wrong when a program ended so, if anything. `complete`: it said that it had come to its end. */
export function exitProblem(
  code: number,
  complete: boolean,
  errorText: string,
  told: boolean,
): string | undefined {
  if (code === 0 && complete) return undefined;
  if (told || code === TOLD_EXIT) return told ? undefined : "the program failed";
  if (code === 0) {
    return "the program ended before everything was registered (by process.exit?); nothing is deleted";
  }
  return `the program ended with code ${code}${errorText === "" ? "" : `:\n${errorText}`}`;
}
