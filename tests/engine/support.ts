/** What the engine's tests share: a world of a folder, a cloud and a driver, and short ways to write programs. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import type { DeploymentOptions, DeploymentResult, EmbeddedOptions } from "../../local/engine";
import { EmbeddedDriver } from "../../local/engine";
import { FakeCloud } from "./fixtures/fakeCloud";
import { FakeProvider } from "./fixtures/fakeProvider";

export const FIXTURES = path.join(__dirname, "fixtures");
export const PACK = path.join(FIXTURES, "pack");
export const PASSPHRASE = "correct horse";

/** One resource of a fixture program; see fixtures/program/index.cjs. */
export interface Item {
  type: string;
  name: string;
  props?: Record<string, unknown>;
  opts?: Record<string, unknown>;
  registers?: Record<string, unknown>;
}

export interface Spec {
  resources?: Item[];
  outputs?: Record<string, unknown>;
  fail?: string;
  hang?: boolean;
  print?: string;
  exit?: number;
}

export function thing(
  name: string,
  props: Record<string, unknown> = {},
  opts: Record<string, unknown> = {},
): Item {
  return { type: "fake:index:Thing", name, props, opts };
}

export function serial(
  name: string,
  props: Record<string, unknown> = {},
  opts: Record<string, unknown> = {},
): Item {
  return { type: "fake:index:Serial", name, props, opts };
}

/** A folder of its own, a cloud and a driver. */
export class World {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-test-"));
  readonly cloud = new FakeCloud();
  readonly lines: string[] = [];
  readonly settings: EmbeddedOptions = {
    stateDir: path.join(this.folder, "state"),
    passphrase: PASSPHRASE,
    providers: (name) => {
      if (name !== "fake") throw new Error(`there is no provider for ${name}`);
      return new FakeProvider(this.cloud);
    },
  };
  readonly driver = new EmbeddedDriver(this.settings);

  options(spec: Spec, more: Partial<DeploymentOptions> = {}): DeploymentOptions {
    return {
      stack: "dev",
      projectDir: path.join(FIXTURES, "program"),
      onOutput: (line) => this.lines.push(line),
      ...more,
      config: { spec: JSON.stringify(spec), ...more.config },
    };
  }

  preview(spec: Spec, more?: Partial<DeploymentOptions>): Promise<DeploymentResult> {
    return this.driver.preview(this.options(spec, more));
  }

  up(spec: Spec, more?: Partial<DeploymentOptions>): Promise<DeploymentResult> {
    return this.driver.up(this.options(spec, more));
  }

  /** `up` that has to succeed; gives the changes that reached the cloud. */
  async deploy(spec: Spec, more?: Partial<DeploymentOptions>): Promise<string[]> {
    this.cloud.reset();
    expectOk(await this.up(spec, more));
    return this.cloud.writes();
  }

  get stateFile(): string {
    return path.join(this.folder, "state", "dev.json");
  }

  /** The resources of the state file. */
  // biome-ignore lint/suspicious/noExplicitAny: exported records are read like the JSON they are
  async state(stack = "dev"): Promise<any[]> {
    return ((await this.driver.exportState(stack)).deployment.resources ?? []) as unknown[];
  }

  // biome-ignore lint/suspicious/noExplicitAny: exported records are read like the JSON they are
  async resource(name: string): Promise<any> {
    return (await this.state()).find((r) => r.urn.endsWith(`::${name}`));
  }

  stop(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

export function expectOk(result: DeploymentResult): void {
  const told = [...result.diagnostics.filter((d) => d.severity === "error"), ...result.policyViolations];
  expect(result.ok, JSON.stringify(told, null, 1)).to.equal(true);
}

/** Error messages of a failed result. */
export function errors(result: DeploymentResult): string {
  expect(result.ok, "the run should have failed").to.equal(false);
  return result.diagnostics
    .filter((d) => d.severity === "error")
    .map((d) => d.message)
    .join("\n");
}

/** The plan as `op name`, without what stays the same, sorted. */
export function changes(result: DeploymentResult): string[] {
  return result.plan
    .filter((item) => item.op !== "same")
    .map((item) => `${item.op} ${item.urn.split("::").pop()}`)
    .sort();
}
