import { type Threshold, thresholdOf } from "../risk/thresholds";
import type { Directory } from "./directory";
import type { ApproverRule, Person, RuleCondition } from "./document";

/** What rules look at. */
export interface RequestFacts {
  /** Name in the catalogue, such as `ec2:TerminateInstances`. */
  readonly event: string;
  readonly account: string;
  /** The account's organizational units, from its own up to the root. Empty when the organization could not be read. */
  readonly units: readonly string[];
  /** Tags of each resource; undefined for one whose tags could not be read. */
  readonly tags: readonly (Readonly<Record<string, string>> | undefined)[];
  readonly requester: Person;
  /** From 0 to 100. */
  readonly riskScore: number;
}

/** The rule that counts, and what it asks for at this risk. */
export interface ChosenRule {
  readonly rule: ApproverRule;
  readonly threshold: Threshold;
}

/** Who has to approve a request: the first rule that fits, at the request's risk. */
export function approversFor(directory: Directory, facts: RequestFacts): ChosenRule {
  const { rules } = directory.document;
  // The last one fits everything; parseDirectory saw to it.
  const rule = rules.find(({ when }) => when === undefined || fits(when, facts)) ?? rules.at(-1)!;
  return { rule, threshold: thresholdOf(facts.riskScore, rule.thresholds) };
}

/**
 * Whether a condition holds. What could not be read holds: rules for particular units and tags are there to ask for more, and an outage must
 * not make a request easier.
 */
function fits(when: RuleCondition, { event, account, units, tags, requester }: RequestFacts): boolean {
  const service = event.slice(0, event.indexOf(":"));
  const tests = [
    !when.events || when.events.some((listed) => listed === event || listed === `${service}:*`),
    !when.accounts || when.accounts.includes(account),
    !when.units || units.length === 0 || when.units.some((unit) => units.includes(unit)),
    !when.tags || tags.some((own) => own === undefined || when.tags?.some((tag) => hasTag(own, tag))),
    !when.requesters ||
      when.requesters.some(
        (listed) =>
          listed === requester.id ||
          (listed.startsWith("group:") && requester.groups.includes(listed.slice("group:".length))),
      ),
  ];
  return tests.every(Boolean);
}

function hasTag(
  tags: Readonly<Record<string, string>>,
  { key, values }: { key: string; values?: string[] | undefined },
): boolean {
  return Object.entries(tags).some(
    ([name, value]) =>
      name.toLowerCase() === key.toLowerCase() &&
      (!values || values.some((listed) => listed.toLowerCase() === value.trim().toLowerCase())),
  );
}
