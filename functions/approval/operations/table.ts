import { OPERATIONS } from "./catalogue";
import type { OperationDefinition, ResourcePattern } from "./definition";

function resourceText(pattern: ResourcePattern): string {
  if ("arnIn" in pattern) return `the ARN in ${pattern.arnIn}`;
  const { service, regional, ofAccount, resource } = pattern;
  const text = `${service}:${regional ? "REGION" : ""}:${ofAccount ? "ACCOUNT" : ""}:${resource}`;
  return `\`${text.replace(/\{(\w+)\}/g, "$1")}\``;
}

function row(definition: OperationDefinition): string {
  const { event, byDefault, wrapper, parameters, harmless, grants } = definition;
  const path = (key: string) => (wrapper ? `${wrapper}.${key}` : key);
  const keys = parameters.map(({ key, itemMember }) =>
    itemMember ? `${path(key)}.items[].${itemMember}` : path(key),
  );
  const dropped = harmless.map(({ key, kind }) => `${path(key)}: ${kind.what}`);
  const resources = grants.map(
    ({ actions, resource, when }) =>
      `${actions.join(", ")} on ${resourceText(resource)}${when ? ` if ${when} is given` : ""}`,
  );
  return `| \`${event}\` | ${byDefault ? "yes" : "no"} | ${keys.join(", ")} | ${dropped.join(", ")} | ${resources.join("; ")} |`;
}

/** The catalogue as a table in Markdown, for the documentation. */
export function operationsTable(): string {
  return [
    "| Event | Watched by default | Parameters | Dropped, if they have this value | Permissions |",
    "| --- | --- | --- | --- | --- |",
    ...OPERATIONS.map(row),
  ].join("\n");
}
