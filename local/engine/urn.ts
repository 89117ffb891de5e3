/** URNs: `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME`. Pure. */

/** The type of the resource that every other one descends from. */
export const ROOT_TYPE = "pulumi:pulumi:Stack";
/** Prefix of the types of providers; the package follows. */
export const PROVIDER_PREFIX = "pulumi:providers:";

/** What a URN is made of. `parent` is the parent's URN or undefined; a parent that is the stack itself leaves no trace. */
export interface UrnParts {
  stack: string;
  project: string;
  parent: string | undefined;
  type: string;
  name: string;
}

export function makeUrn({ stack, project, parent, type, name }: UrnParts): string {
  const parentType = parent === undefined ? "" : qualifiedType(parent);
  const prefix = parentType === "" || parentType === ROOT_TYPE ? "" : `${parentType}$`;
  return `urn:pulumi:${stack}::${project}::${prefix}${type}::${name}`;
}

/** Types of the ancestors and of the resource itself, joined by `$`. */
export function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? "";
}

/** The resource's own type. */
export function typeOf(urn: string): string {
  return qualifiedType(urn).split("$").pop() ?? "";
}

/** The resource's name, which may itself contain `::`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The package part of a type or function token: `aws` of `aws:iam/user:User`. */
export function packageOf(token: string): string {
  return token.split(":")[0] ?? "";
}

export function isProviderType(type: string): boolean {
  return type.startsWith(PROVIDER_PREFIX);
}

/** A reference to one provider instance: `URN::ID`. */
export function providerRef(urn: string, id: string): string {
  return `${urn}::${id}`;
}

/** Splits a provider reference. Throws on anything else. */
export function parseProviderRef(ref: string): { urn: string; id: string } {
  const at = ref.lastIndexOf("::");
  if (at < 0 || !ref.startsWith("urn:pulumi:"))
    throw new Error(`"${ref}" is not a reference to a provider (URN::ID)`);
  return { urn: ref.slice(0, at), id: ref.slice(at + 2) };
}
