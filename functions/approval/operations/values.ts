/**
 * The values that a supported operation may have. What a record of CloudTrail says is written by whoever made the call, so every value has
 * to match the form that AWS itself gives to such values; none of these forms has room for a wildcard, a second ARN or a policy variable.
 */
import type { Partition } from "../../../components/regional/partition";

/** Where an operation takes place. */
export interface Place {
  readonly partition: Partition;
  readonly region: string;
  /** The account that the resources belong to, 12 digits. */
  readonly account: string;
}

/** A value of an operation's input. */
export type InputValue = string | number | boolean | readonly string[];

/** A form of values. */
export interface ValueKind {
  /** What it is, with its article, for messages: `a subnet id`. */
  readonly what: string;
  /** The value as the call takes it, or undefined when it is not of this form. */
  read(value: unknown, place: Place): InputValue | undefined;
  /** Whether it is a list of such values. */
  readonly list?: boolean;
}

/** Text of a form. */
export function text(what: string, pattern: RegExp, maxLength = 255): ValueKind {
  return {
    what,
    read: (value) =>
      typeof value === "string" && value.length <= maxLength && pattern.test(value) ? value : undefined,
  };
}

/** Text of a form whose upper and lower case mean the same; AWS keeps it, and names it in ARNs, in lower case. */
export function caselessText(what: string, pattern: RegExp, maxLength = 255): ValueKind {
  const kind = text(what, pattern, maxLength);
  return { what, read: (value, place) => (kind.read(value, place) as string | undefined)?.toLowerCase() };
}

/** Id of a resource of EC2: the prefix and 8 or 17 hexadecimal digits. */
export function ec2Id(prefix: string, noun: string): ValueKind {
  return text(noun, new RegExp(`^${prefix}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`));
}

/** true or false. */
export const flag: ValueKind = {
  what: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
};

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number): ValueKind {
  return {
    what: `a whole number from ${least} to ${most}`,
    read: (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
        ? value
        : undefined,
  };
}

/** Only this value. */
export function exactly(expected: string | boolean): ValueKind {
  return {
    what: JSON.stringify(expected),
    read: (value) => (value === expected ? expected : undefined),
  };
}

/** The account that the operation takes place in. */
export const sameAccount: ValueKind = {
  what: "the account of the call",
  read: (value, { account }) => (value === account ? account : undefined),
};

/** An ARN of the operation's own partition, region and account. */
export function arnOf(what: string, service: string, resource: RegExp): ValueKind {
  return {
    what: `${what} of the same partition, region and account`,
    read: (value, place) => {
      const parts = typeof value === "string" && value.length <= 512 ? parseArn(value) : undefined;
      return parts &&
        parts.partition === place.partition &&
        parts.service === service &&
        parts.region === place.region &&
        parts.account === place.account &&
        resource.test(parts.resource)
        ? (value as string)
        : undefined;
    },
  };
}

/** One or more values of a kind, each once. */
export function listOf(kind: ValueKind): ValueKind {
  return {
    what: `a list of which each is ${kind.what}`,
    list: true,
    read: (value, place) => {
      if (!Array.isArray(value) || value.length === 0) return undefined;
      const read = value.map((item) => kind.read(item, place));
      return read.every((item): item is string => typeof item === "string") ? [...new Set(read)] : undefined;
    },
  };
}

/** The parts of an ARN. */
export interface ParsedArn {
  partition: string;
  service: string;
  region: string;
  account: string;
  resource: string;
}

/** The parts of an ARN, or undefined when it is none. */
export function parseArn(value: string): ParsedArn | undefined {
  const match = /^arn:([a-z-]+):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):(\S+)$/.exec(value);
  if (!match) return undefined;
  const [, partition, service, region, account, resource] = match as unknown as string[];
  return {
    partition: partition!,
    service: service!,
    region: region!,
    account: account!,
    resource: resource!,
  };
}
