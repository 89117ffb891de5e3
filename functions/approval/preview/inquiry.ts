import type { Item, Subject, Unknown } from "./preview";

/** An answer of AWS, or what became of the question. */
export type Answer<T> = { readonly value: T } | { readonly absent: true } | { readonly unknown: true };

const DENIED =
  /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError|Forbidden|403)$/;
/** Names that services give to the absence of what was asked for, and S3's bare status. */
const ABSENT =
  /NotFound|NoSuch|DoesNotExist|^(DBInstanceNotFoundFault|ResourceNotFoundException|LoadBalancerNotFoundException|404)$/;

/** Asks AWS, and keeps account of what could not be found out: a question that fails never ends a preview. */
export class Inquiry {
  private readonly gaps = new Map<string, Unknown>();

  /** What could not be found out. */
  get unknown(): Unknown[] {
    return [...this.gaps.values()];
  }

  /**
   * Asks one question.
   * @param what the question, for people: `its volumes`
   */
  async ask<T>(what: string, call: () => Promise<T>): Promise<Answer<T>> {
    try {
      return { value: await call() };
    } catch (error) {
      const { name = "", $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      if (DENIED.test(name) || $metadata?.httpStatusCode === 403) return this.gap(what, "denied");
      if (ABSENT.test(name) || $metadata?.httpStatusCode === 404) return { absent: true };
      return this.gap(what, "unavailable");
    }
  }

  /** The same for what may be missing without saying anything: undefined when it is not there or not known. */
  async list<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    const answer = await this.ask(what, call);
    return "value" in answer ? answer.value : undefined;
  }

  /** Notes something that cannot be found out. */
  gap(what: string, why: Unknown["why"]): { readonly unknown: true } {
    this.gaps.set(what, { what, why });
    return { unknown: true };
  }
}

/** A subject with nothing known of it yet, or nothing to know. */
export function subject(arn: string, parts: Partial<Omit<Subject, "arn">> = {}): Subject {
  return { arn, presence: "present", details: [], lost: [], kept: [], affected: [], obstacles: [], ...parts };
}

/** The subject for an answer that has no value. */
export function missing(arn: string, answer: Answer<unknown>): Subject {
  return subject(arn, { presence: "absent" in answer ? "absent" : "unknown" });
}

/** Tags as AWS lists them, as a map. */
export function tagMap(
  tags: readonly { readonly Key?: string; readonly Value?: string }[] | undefined,
): Record<string, string> {
  return Object.fromEntries(
    (tags ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? ""]])),
  );
}

/** Details out of labels and values; what AWS does not say is left out. */
export function details(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): { label: string; value: string }[] {
  return Object.entries(values).flatMap(([label, value]) =>
    value === undefined
      ? []
      : [{ label, value: value === true ? "yes" : value === false ? "no" : String(value) }],
  );
}

/** An item for each id that is one. */
export function items(kind: string, ids: readonly (string | undefined)[]): Item[] {
  return ids.flatMap((id) => (id === undefined ? [] : [{ kind, id }]));
}

/** The same for what comes and goes by itself. */
export function liveItems(kind: string, ids: readonly (string | undefined)[]): Item[] {
  return items(kind, ids).map((item) => ({ ...item, live: true }));
}
