/** Deploying the cells. */
import * as path from "node:path";
import { confirmSubscriptions } from "../../aws/inbox";
import type { DeploymentResult } from "../../engine/driver";
import type { LocalCell } from "../../environment";
import type { DrillContext } from "../context";
import type { StepFindings } from "../runner";

export async function preview(context: DrillContext, cell: LocalCell): Promise<StepFindings> {
  const deployment = { ...context.environment.deployment(cell.name), onOutput: context.options.onOutput };
  const result = await context.timed(`preview ${cell.name}`, () =>
    context.environment.driver.preview(deployment),
  );
  demandOk(context, result);
  return { detail: `${result.counts.create ?? 0} resources to create, no violation` };
}

export async function deploy(context: DrillContext, cell: LocalCell): Promise<StepFindings> {
  const deployment = { ...context.environment.deployment(cell.name), onOutput: context.options.onOutput };
  const result = await context.timed(`deploy ${cell.name}`, () => context.environment.driver.up(deployment));
  demandOk(context, result);
  context.resources[cell.name] = result.counts.create ?? 0;
  return { detail: `${result.counts.create ?? 0} resources created` };
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
