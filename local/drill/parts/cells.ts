/** Deploying the cells. */
import * as path from "node:path";
import { confirmSubscriptions } from "../../aws/inbox";
import type { DeploymentOptions, DeploymentResult } from "../../engine/driver";
import type { LocalCell } from "../../environment";
import type { DrillContext } from "../context";
import type { StepFindings } from "../runner";

/** Values of the configuration that are others than the environment's. */
type Change = Record<string, string>;

export async function preview(
  context: DrillContext,
  cell: LocalCell,
  change: Change = {},
): Promise<StepFindings> {
  const result = await context.timed(`preview ${cell.name}`, () =>
    context.environment.driver.preview(changed(context, cell, change)),
  );
  demandOk(context, result);
  return { detail: `${result.counts.create ?? 0} resources to create, no violation` };
}

/** @param skipPreview that it was previewed in a step of its own */
export async function deploy(
  context: DrillContext,
  cell: LocalCell,
  { change = {}, skipPreview = false }: { change?: Change; skipPreview?: boolean } = {},
): Promise<StepFindings> {
  const result = await context.timed(`deploy ${cell.name}`, () =>
    context.environment.driver.up({ ...changed(context, cell, change), skipPreview }),
  );
  demandOk(context, result);
  context.resources[cell.name] = result.counts.create ?? 0;
  return { detail: `${result.counts.create ?? 0} resources created` };
}

/** Deploys a cell again, with the values that it is to keep. Only what differs may be touched. */
export async function update(context: DrillContext, cell: LocalCell): Promise<StepFindings> {
  const result = await context.timed(`update ${cell.name}`, () =>
    context.environment.driver.up({ ...changed(context, cell, {}), skipPreview: true }),
  );
  demandOk(context, result);
  const { update: updated = 0, same = 0, ...others } = result.counts;
  if (Object.values(others).some((count) => count))
    throw new Error(`the update did more than to update: ${JSON.stringify(result.counts)}`);
  return { detail: `${updated} resources updated, ${same} unchanged` };
}

function changed(context: DrillContext, cell: LocalCell, change: Change): DeploymentOptions {
  const deployment = context.environment.deployment(cell.name);
  return {
    ...deployment,
    config: { ...deployment.config, ...change },
    onOutput: context.options.onOutput,
  };
}

function demandOk(context: DrillContext, result: DeploymentResult): void {
  context.policy.push(
    ...result.policyViolations.map(({ policy, enforcement, message }) => ({
      rule: policy,
      enforcement,
      message,
    })),
  );
  if (result.ok) return;
  const messages = [
    ...result.diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    ...result.policyViolations.map(({ policy, message }) => `${policy}: ${message}`),
  ];
  throw new Error(messages.join("\n") || "the deployment failed without a message");
}

export async function confirmMail(context: DrillContext): Promise<StepFindings> {
  await confirmSubscriptions(context.environment.proxy.url);
  return {};
}

export async function previewGlobalSts(context: DrillContext): Promise<StepFindings> {
  const result = await context.environment.driver.preview({
    ...context.environment.deployment("trial"),
    projectDir: path.join(context.environment.root, "examples", "globalStsEndpoint"),
    config: {},
    onOutput: context.options.onOutput,
  });
  const violation = result.policyViolations.find(({ policy }) => policy === "no-global-sts-endpoint");
  if (result.ok || !violation) throw new Error("the preview was not rejected by no-global-sts-endpoint");
  const { policy, enforcement, message } = violation;
  context.policy.push({ rule: policy, enforcement, message });
  return { detail: "rejected in the preview", evidence: [{ label: policy, value: message }] };
}
