/** What a handler of one resource type is. See handlers/README at the top of handlers/index.ts for how to add one. */
import type { AwsContext, Client, Service } from "./context";
import { StandInError } from "./errors";
import type { Autoname } from "./naming";
import type { Inputs } from "./schema";
import type { CheckFailure, Props } from "./types";

/** The circumstances of one operation on one resource. */
export interface Call {
  /** The resource's own region (the provider's, for types without one). */
  readonly region: string;
  readonly aws: AwsContext;
  /** Another service's client, in the resource's region. */
  client<S extends Service>(service: S): Promise<Client<S>>;
  /** The account that the credentials belong to. */
  account(): Promise<string>;
  /** Which inputs differ; in create every input counts as changed. */
  changed(...keys: string[]): boolean;
  /**
   * To be called by `create` as soon as the resource exists: when a later step fails, the engine is told that there is something to
   * clean up.
   */
  created(id: string): string;
}

/** Outputs that only the call which made them knows, such as an encrypted password. */
export interface Made {
  id: string;
  outputs: Props;
}

/** The handler of one resource type of one service. */
export interface Handler<S extends Service = Service> {
  /** The type token, for example `aws:sns/topic:Topic`. */
  type: string;
  service: S;
  /** A service without regions: the type has no `region` input. @default false */
  global?: boolean;
  /** Every input that is implemented. `region` and the treatment of `tags` are added by the core. */
  inputs: Inputs;
  /** What to do instead of inputs that are not implemented, by input. @default leave it out */
  advice?: Readonly<Record<string, string>>;
  /** Outputs that are not inputs. `tagsAll` is added to types that have `tags`. */
  outputs: readonly string[];
  /** Outputs of which it is not known in preview whether the update changes them, with the inputs that they depend on. */
  volatile?: Readonly<Record<string, readonly string[]>>;
  /** Outputs that must be kept secret. */
  secrets?: readonly string[];
  /**
   * Outputs that AWS never tells again, and the input as whose change it counts that they were lost with an interrupted run: `update`
   * is then called for that input, to make them anew.
   */
  lostOutputs?: { outputs: readonly string[]; input: string };
  /** Type's naming, if the name may be left to the provider. */
  autoname?: Autoname;
  /** What cannot be said of one input alone. Unknown values must be let through. */
  validate?(inputs: Props): CheckFailure[];
  /** Makes the resource and returns its id. */
  create(client: Client<S>, inputs: Props, call: Call): Promise<string | Made>;
  /**
   * The live values of all inputs and outputs (those that are at their default may be left out), or undefined. May throw an error that
   * means "does not exist". `known` holds the last known inputs and outputs, or nothing when the resource is being imported.
   */
  read(client: Client<S>, id: string, known: Props, call: Call): Promise<Props | undefined>;
  /** Changes in place what {@link Call.changed} names; absent for types of which every input replaces. May return outputs. */
  update?(client: Client<S>, id: string, inputs: Props, olds: Props, call: Call): Promise<Props | undefined>;
  /** Removes the resource. An error that means "does not exist" is success. `olds` are the last known inputs and outputs. */
  delete(client: Client<S>, id: string, olds: Props, call: Call): Promise<void>;
  /**
   * The id of what may exist already of these inputs: when create fails for that reason, or when it is not known whether an interrupted
   * run has made it. Absent for types where that cannot be told.
   */
  identify?(client: Client<S>, inputs: Props, call: Call): Promise<string | undefined>;
}

/** Declares a handler; the service's client is then of the right type in its methods. */
export function define<S extends Service>(service: S, handler: Omit<Handler<S>, "service">): Handler {
  // Handlers of all services stand in one table; the core always gives a handler the client of its own service.
  return { service, ...handler } as unknown as Handler;
}

/** AWS's list form of tags. */
export function tagList(tags: Record<string, string> | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
}

/** AWS's list form of tags, or nothing where an empty list is not taken. */
export function someTags(
  tags: Record<string, string> | undefined,
): { Key: string; Value: string }[] | undefined {
  const list = tagList(tags);
  return list.length > 0 ? list : undefined;
}

/** Tags by name from AWS's list form. AWS's own (`aws:...`) are not the program's business. */
export function tagMap(
  list: readonly { Key?: string; Value?: string }[] | undefined,
): Record<string, string> {
  return withoutAwsTags(Object.fromEntries((list ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""])));
}

/** The tags without AWS's own. */
export function withoutAwsTags(tags: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(tags ?? {}).filter(([key]) => !key.startsWith("aws:")));
}

/** Brings tags from one state to another with the fewest calls. */
export async function syncTags(
  olds: Record<string, string> | undefined,
  news: Record<string, string> | undefined,
  put: (tags: Record<string, string>) => Promise<unknown>,
  remove: (keys: string[]) => Promise<unknown>,
): Promise<void> {
  const gone = Object.keys(olds ?? {}).filter((key) => !(key in (news ?? {})));
  const changed = Object.entries(news ?? {}).filter(([key, value]) => olds?.[key] !== value);
  if (gone.length > 0) await remove(gone);
  if (changed.length > 0) await put(Object.fromEntries(changed));
}

/** The last part of an ARN or of another text that is cut by the separator. */
export function lastPart(text: string, separator: string): string {
  return text.slice(text.lastIndexOf(separator) + 1);
}

/** Splits an id that was joined of `count` parts; the last part may hold the separator. */
export function idParts(id: string, separator: string, count: number): string[] {
  const parts = id.split(separator);
  if (parts.length < count) {
    throw new StandInError(`"${id}" is not an id of the form ${Array(count).fill("PART").join(separator)}`);
  }
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

/** All pages of a listing. */
export async function pages<P, T>(
  ask: (token: string | undefined) => Promise<P>,
  items: (page: P) => readonly T[] | undefined,
  next: (page: P) => string | undefined,
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const page = await ask(token);
    all.push(...(items(page) ?? []));
    token = next(page);
  } while (token);
  return all;
}
