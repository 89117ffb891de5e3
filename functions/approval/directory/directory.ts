import type { Requester } from "../intake/requester";
import type { Actor } from "../workflow/request";
import { type DirectoryDocument, namesOf, type Person } from "./document";

/** Who is who, as one version of the document says it. */
export class Directory {
  private readonly byId: ReadonlyMap<string, Person>;
  private readonly byName: ReadonlyMap<string, Person>;

  constructor(readonly document: DirectoryDocument) {
    this.byId = new Map(document.people.map((person) => [person.id, person]));
    this.byName = new Map(
      document.people.flatMap((person) => namesOf(person).map((name) => [name.toLowerCase(), person])),
    );
  }

  /** Somebody by the id that links carry. */
  person(id: string): Person | undefined {
    return this.byId.get(id);
  }

  /** Somebody by any of their names: mail address, ARN, name at the identity provider, `slack:ID`. */
  named(name: string): Person | undefined {
    return this.byName.get(name.toLowerCase());
  }

  /** Whether any rule looks at organizational units. */
  get namesUnits(): boolean {
    return this.document.rules.some(({ when }) => when?.units !== undefined);
  }

  /** Active members of a group, as the document lists them; members that only an identity provider knows are not among them. */
  members(group: string): Person[] {
    return this.document.people.filter(({ active, groups }) => active && groups.includes(group));
  }

  /** The groups that values of an identity provider's claim stand for. */
  groupsOfClaims(values: readonly string[]): string[] {
    const { groups } = this.document;
    const mapped = groups.filter(({ claims }) => claims.some((claim) => values.includes(claim)));
    // A group with a mapping is known by it alone, so that a claim that happens to bear its name gives nothing.
    const taken = new Set(groups.flatMap(({ name, claims }) => [name, ...claims]));
    return [...new Set([...mapped.map(({ name }) => name), ...values.filter((value) => !taken.has(value))])];
  }

  /** The name of whoever bears one of these names, for pages. */
  nameOf(identities: readonly string[]): string {
    for (const identity of identities) {
      const person = this.named(identity);
      if (person) return person.name;
    }
    return identities[0] ?? "";
  }

  /**
   * Who made a denied call. Undefined when the directory does not know them: then nobody can tell whether an approver is the same person,
   * and nobody can be asked to confirm, so no request is opened.
   *
   * The name of a role's session is chosen by whoever assumes the role. It is taken all the same when an identity names that very session: whoever
   * uses another's name gets nothing from it, since the other person is asked to confirm.
   */
  requester({ kind, name, arn, principalId, sourceIdentity }: Requester): Person | undefined {
    const candidates =
      kind === "identityCenterUser" ? [name, arn, principalId] : [sourceIdentity, arn, principalId];
    for (const candidate of candidates) {
      const person = candidate === undefined ? undefined : this.named(candidate);
      if (person) return person;
    }
    return undefined;
  }
}

/** Every name of a person, as requests and decisions keep them. */
export function identitiesOf(person: Person): string[] {
  return namesOf(person);
}

/**
 * A person as somebody who acts.
 * @param groups @default those that the document lists
 */
export function actorOf(
  person: Person,
  channel: string,
  active: boolean = person.active,
  groups: readonly string[] = person.groups,
): Actor {
  return { identities: identitiesOf(person), groups, active: person.active && active, channel };
}
