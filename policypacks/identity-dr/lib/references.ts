import type { RuleStackResource } from "./rule";
import { list, type Plain, property, UNKNOWN } from "./walk";

/** Whether a property means a resource. `maybe`: the value is not known, and does not come from another resource of that type. */
type Relation = "yes" | "no" | "maybe";

/** The last part of a URN's type: the resource's own, without those of its parents. Empty for what is no URN. */
function typeOfUrn(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** The component types in a URN, outermost first: those of the resource's parents. */
export function parentTypesOf(urn: string): string[] {
  return urn.split("::")[2]?.split("$").slice(0, -1) ?? [];
}

/**
 * Whether a property of a resource means another resource: by its value, or, while that is not known, by where it comes from.
 * @param isMeant whether a known value names the resource.
 */
export function relation(
  resource: RuleStackResource,
  propertyName: string,
  target: RuleStackResource,
  isMeant: (value: string) => boolean,
): Relation {
  const values = list(property(resource.props, propertyName));
  if (values.some((value) => typeof value === "string" && isMeant(value))) return "yes";
  if (!values.includes(UNKNOWN)) return "no";
  const dependencies = resource.dependenciesOf(propertyName);
  if (dependencies.includes(target.urn)) return "yes";
  return dependencies.some((urn) => typeOfUrn(urn) === target.type) ? "no" : "maybe";
}

/** What a value that should be the ARN of a resource of a kind is. `maybe`: not known, and of unknown origin. */
export function arnKind(
  resource: RuleStackResource,
  propertyName: string,
  isArn: (value: string) => boolean,
  type: string,
): Relation {
  const values: Plain[] = list(property(resource.props, propertyName));
  if (values.some((value) => typeof value === "string" && isArn(value))) return "yes";
  if (!values.includes(UNKNOWN)) return "no";
  const dependencies = resource.dependenciesOf(propertyName).map(typeOfUrn);
  if (dependencies.includes(type)) return "yes";
  return dependencies.some((dependency) => dependency.includes("/")) ? "no" : "maybe";
}

/** The resources by their types: stack rules look up by type, so that their cost grows with the stack and not with its square. */
export function byType(
  resources: readonly RuleStackResource[],
): (...types: string[]) => readonly RuleStackResource[] {
  const index = new Map<string, RuleStackResource[]>();
  for (const resource of resources) {
    const same = index.get(resource.type);
    if (same) same.push(resource);
    else index.set(resource.type, [resource]);
  }
  return (...types) => types.flatMap((type) => index.get(type) ?? []);
}
