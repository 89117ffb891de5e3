/** The directory document: who is who, who belongs to which group, and who has to approve what. Written by the team, read at each decision. */
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { checkThresholds } from "../risk/thresholds";
import { BYPASS_GROUP } from "../workflow/transition";

/** The languages of pages and messages. */
export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const name = z.string().min(1).max(128);
const seconds = z.int().min(1);

const personSchema = z.strictObject({
  /** Stable and never given to somebody else: links and records name people by it. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/),
  name,
  mail: z.email().max(254),
  /**
   * Every other name under which the person may appear: ARNs of their IAM users, user names at IAM Identity Center, source identities, names at
   * the identity provider. What is missing here lets the person approve their own request, so list all.
   */
  identities: z.array(z.string().min(1).max(2_048)).max(16).default([]),
  groups: z.array(name).default([]),
  /** False from the moment that the person must not act any more, whatever links they hold. */
  active: z.boolean().default(true),
  /** Of mails to them; absent: the deployment's language. */
  language: z.enum(LANGUAGES).optional(),
  /** Their member id at Slack, such as `U02ABCDEF`. */
  slackId: z
    .string()
    .regex(/^[UW][A-Z0-9]{2,20}$/)
    .optional(),
});

/** Somebody in the directory. */
export type Person = z.output<typeof personSchema>;

const levelSchema = z.strictObject({
  group: name,
  quorum: z.int().min(1).max(20),
  timeoutSeconds: seconds,
  escalation: z.strictObject({ group: name, afterSeconds: seconds }).optional(),
});

const thresholdSchema = z.strictObject({
  atLeast: z.number().min(0).max(100),
  name,
  levels: z.array(levelSchema).min(1).max(10),
});

const whenSchema = z.strictObject({
  /** Names of the catalogue, such as `ec2:TerminateInstances`; `ec2:*` for all of a service. */
  events: z.array(z.string().min(1)).min(1).optional(),
  accounts: z
    .array(z.string().regex(/^\d{12}$/))
    .min(1)
    .optional(),
  /** Organizational units; a unit stands for those below it too. */
  units: z
    .array(z.string().regex(/^(ou|r)-[a-z0-9-]+$/))
    .min(1)
    .optional(),
  /** A tag of any of the resources; without values: whatever its value. Compared without regard to case. */
  tags: z
    .array(z.strictObject({ key: z.string().min(1), values: z.array(z.string()).min(1).optional() }))
    .min(1)
    .optional(),
  /** Ids of people, or `group:NAME`. */
  requesters: z.array(z.string().min(1)).min(1).optional(),
});

/** What a rule asks of a request; everything that is said has to hold. */
export type RuleCondition = z.output<typeof whenSchema>;

const ruleSchema = z.strictObject({
  name,
  /** Absent: for every request. */
  when: whenSchema.optional(),
  /** Which levels approve, by risk. */
  thresholds: z.array(thresholdSchema).min(1).max(10),
});

/** Who approves which requests. */
export type ApproverRule = z.output<typeof ruleSchema>;

const documentSchema = z.strictObject({
  version: z.literal(1),
  people: z.array(personSchema).max(20_000),
  /** Groups whose members an identity provider knows: values of its groups claim that mean them. */
  groups: z.array(z.strictObject({ name, claims: z.array(z.string().min(1)).min(1) })).default([]),
  /** The first that fits counts; the last one has no `when`. */
  rules: z.array(ruleSchema).min(1).max(200),
});

/** A directory document that was checked. */
export type DirectoryDocument = z.output<typeof documentSchema>;

/** The document is not one that can be worked with; the message says where and why, without any value of it. */
export class DirectoryMalformed extends BulkheadError {
  override readonly name = "DirectoryMalformed";
  constructor(problem: string, options?: ErrorOptions) {
    super("directory-malformed", `the directory document cannot be used: ${problem}`, options);
  }
}

/**
 * Reads a directory document.
 * @throws DirectoryMalformed
 */
export function parseDirectory(json: string): DirectoryDocument {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new DirectoryMalformed("it is not JSON", { cause });
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DirectoryMalformed(`${z.core.toDotPath(issue!.path) || "at its top"}: ${issue!.message}`, {
      cause: parsed.error,
    });
  }
  checkNames(parsed.data);
  checkRules(parsed.data);
  return parsed.data;
}

/** Nobody can be told apart by a name that two people have. */
function checkNames({ people }: DirectoryDocument): void {
  const holders = new Map<string, number>();
  for (const [index, person] of people.entries()) {
    const names = new Set(namesOf(person).map((each) => each.toLowerCase()));
    for (const each of names) {
      const other = holders.get(each);
      if (other !== undefined) {
        throw new DirectoryMalformed(
          `people[${other}] and people[${index}] have a name in common (id, mail, identity or Slack id)`,
        );
      }
      holders.set(each, index);
    }
  }
}

/** Every name under which a person may appear; the id has a prefix, so that it is taken for no other kind of name. */
export function namesOf({ id, mail, identities, slackId }: Person): string[] {
  return [`person:${id}`, mail, ...identities, ...(slackId ? [`slack:${slackId}`] : [])];
}

function checkRules({ rules, people, groups }: DirectoryDocument): void {
  const claimed = new Set(groups.map(({ name: group }) => group));
  const active = people.filter((person) => person.active);
  const members = (group: string) => active.filter((person) => person.groups.includes(group)).length;
  for (const [index, rule] of rules.entries()) {
    const place = `rules[${index}]`;
    const isLast = index === rules.length - 1;
    if (isLast !== (rule.when === undefined)) {
      throw new DirectoryMalformed(
        isLast
          ? `${place}, the last one, has a "when": then no rule would be left for what fits none`
          : `${place} has no "when": the rules after it would never count`,
      );
    }
    try {
      checkThresholds(rule.thresholds);
    } catch (cause) {
      throw new DirectoryMalformed(`${place}.thresholds do not rise from 0, or ask for fewer approvals`, {
        cause,
      });
    }
    for (const { group, quorum, escalation, timeoutSeconds } of rule.thresholds.flatMap(
      ({ levels }) => levels,
    )) {
      if (group === BYPASS_GROUP) {
        throw new DirectoryMalformed(`${place} names the bypass group as one that approves: use another`);
      }
      if (!claimed.has(group) && members(group) < quorum) {
        throw new DirectoryMalformed(
          `${place} needs ${quorum} of a group that has ${members(group)} active members`,
        );
      }
      if (escalation && !claimed.has(escalation.group) && members(escalation.group) === 0) {
        throw new DirectoryMalformed(`${place} escalates to a group without active members`);
      }
      if (escalation && escalation.afterSeconds >= timeoutSeconds) {
        throw new DirectoryMalformed(`${place} escalates after the level has expired`);
      }
    }
  }
}
