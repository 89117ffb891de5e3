/**
 * What becomes of a denied call. Pure, and right for any input: a record is written by AWS, but much of what stands in it was chosen by
 * whoever made the call.
 */
import { isRegionName, partitionOf } from "../../../components/regional/partition";
import { operationsOf } from "../operations/catalogue";
import type { OperationDefinition } from "../operations/definition";
import { planFromArn } from "../operations/fromArn";
import { isObject, planFromRecord, shown } from "../operations/fromRecord";
import type { PlannedOperation, Planning } from "../operations/plan";
import type { Place } from "../operations/values";
import { policyFit } from "../policy/policyFit";
import { SESSION_POLICY_LIMIT } from "../policy/sessionPolicy";
import { DENIED, denyingPolicy, readDenial } from "./denial";
import { type CallRecord, readRecord } from "./record";
import { identify, type Requester } from "./requester";
import type { IntakeSettings } from "./settings";

/** What is known of a call whatever becomes of it. */
export interface CallFacts {
  /** The record's id: executions are named after it, so that duplicates do nothing. */
  readonly eventId?: string;
  readonly eventTime?: string;
  readonly region?: string;
  readonly account?: string;
  readonly requester?: Requester;
  /** The kind of policy whose explicit deny it was, such as `service control policy`: the executor role must be exempt from that one. */
  readonly deniedBy?: string;
}

/** What becomes of a call: exactly one of the four. */
export type Decision =
  | { readonly plan: PlannedOperation }
  /** It is a call that approval watches, but not one that can be shown and carried out exactly. */
  | { readonly refuse: string }
  /** The record says too little: somebody who was there has to fill in a form. */
  | { readonly form: OperationDefinition }
  /** It is none of approval's business. */
  | { readonly ignore: true };

/** A decision, why it was made, and what is known of the call. */
export type Intake = Decision & { readonly why: string; readonly facts: CallFacts };

/**
 * Decides what becomes of an event.
 * @param event a record of CloudTrail, or an event of EventBridge around one; anything else is refused
 */
export function intake(event: unknown, settings: IntakeSettings): Intake {
  const record = readRecord(event);
  if (!record) {
    const reason = "this is no record of CloudTrail, nor an event of EventBridge with one in its detail";
    return { refuse: reason, why: reason, facts: {} };
  }
  return new CallIntake(record, settings).decide();
}

/** The steps of one decision; each may end it. */
class CallIntake {
  private facts: { -readonly [Key in keyof CallFacts]: CallFacts[Key] };

  constructor(
    private readonly record: CallRecord,
    private readonly settings: IntakeSettings,
  ) {
    const { eventId, eventTime, errorMessage } = record;
    this.facts = {
      ...(eventId !== undefined && /^[0-9a-fA-F-]{36}$/.test(eventId) && { eventId }),
      ...(eventTime !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(eventTime) && { eventTime }),
      deniedBy: denyingPolicy(errorMessage),
    };
  }

  decide(): Intake {
    const { record, settings } = this;
    const { eventSource, eventName, errorCode, eventType, envelope } = record;
    if (errorCode === undefined) return this.ignore("the call was not denied: the record has no error code");
    if (!DENIED.includes(errorCode)) {
      return this.ignore(`the call failed with ${shown(errorCode)}, not for lack of permission`);
    }
    const definitions = operationsOf(eventSource, eventName);
    if (definitions.length === 0) {
      return this.ignore(
        `${shown(eventName)} of ${shown(eventSource)} is not an event that approval supports`,
      );
    }
    const [{ event }] = definitions as [OperationDefinition];
    if (!settings.events.has(event)) return this.ignore(`${event} is supported, but not configured`);
    if (envelope?.detailType !== undefined && envelope.detailType !== "AWS API Call via CloudTrail") {
      return this.ignore(`the event's detail type is ${shown(envelope.detailType)}, not that of an API call`);
    }
    if (eventType !== undefined && eventType !== "AwsApiCall") {
      return this.ignore(`the record's type is ${shown(eventType)}, not that of an API call`);
    }
    if (isRehearsal(record.requestParameters)) {
      return this.ignore("the call was a rehearsal (dryRun): nothing was to be done");
    }
    const { invokedBy } = record.userIdentity;
    if (invokedBy !== undefined && invokedBy !== null) {
      return this.ignore(
        `${shown(invokedBy)} made the call for somebody: the service will not wait for approval`,
      );
    }
    // Whoever may put events on a bus can write any source but AWS's own.
    const source = `aws.${eventSource.split(".")[0]}`;
    if (envelope?.source !== undefined && envelope.source !== source) {
      return this.refuse(`the event's source is ${shown(envelope.source)}; AWS would have written ${source}`);
    }
    return this.decideInPlace(definitions);
  }

  /** With region, account and requester. */
  private decideInPlace(definitions: readonly OperationDefinition[]): Intake {
    const { record, settings } = this;
    const region = record.region ?? record.envelope?.region;
    if (region === undefined || !isRegionName(region)) {
      return this.refuse(`the call's region is ${shown(region)}, which is none of a supported partition`);
    }
    this.facts.region = region;
    if (record.envelope?.region !== undefined && record.envelope.region !== region) {
      return this.refuse(
        `the record says region ${region}, the event around it ${shown(record.envelope.region)}`,
      );
    }
    const partition = partitionOf(region);
    const identified = identify(record.userIdentity, partition, settings);
    if ("ignore" in identified) return this.ignore(identified.ignore);
    if ("refuse" in identified) return this.refuse(identified.refuse);
    const { requester } = identified;
    this.facts.requester = requester;
    const account = record.recipientAccount ?? record.envelope?.account ?? requester.account;
    if (!/^\d{12}$/.test(account)) return this.refuse(`the call's account is ${shown(account)}`);
    this.facts.account = account;
    const other = [record.envelope?.account, requester.account, ...record.resourceAccounts].find(
      (id) => id !== undefined && id !== account,
    );
    if (other !== undefined) {
      return this.refuse(
        `the record is of account ${account}, but also names account ${shown(other)}: calls across accounts are not supported`,
      );
    }
    return this.decideOperation(definitions, { partition, region, account });
  }

  /** With everything but the operation itself. */
  private decideOperation(definitions: readonly OperationDefinition[], place: Place): Intake {
    const { requestParameters } = this.record;
    if (requestParameters === null || requestParameters === undefined) {
      return this.fromMessage(definitions, place);
    }
    if (!isObject(requestParameters)) {
      return this.refuse(`the record's requestParameters are ${shown(requestParameters)}, not a structure`);
    }
    if (Object.keys(requestParameters).length === 0) {
      return this.fromMessage(definitions, place);
    }
    const definition = chosen(definitions, requestParameters);
    return this.finish(
      planFromRecord(definition, requestParameters, place),
      `${definition.api} was denied to ${this.facts.requester!.name}, and every parameter is known`,
    );
  }

  /** Without parameters: the message may name the resource. */
  private fromMessage(definitions: readonly OperationDefinition[], place: Place): Intake {
    const [first] = definitions as [OperationDefinition];
    const denial = readDenial(this.record.errorMessage);
    if (!denial) {
      return this.form(first, "the record has no parameters, and its message does not name the resource");
    }
    const { arn } = this.facts.requester!;
    if (arn !== undefined && denial.caller !== arn) {
      return this.refuse("the record and its message name different callers");
    }
    const planned = definitions
      .filter(({ grants }) => grants[0]!.actions.includes(denial.action))
      .map((definition) => ({ definition, planning: planFromArn(definition, denial.resource, place) }))
      .find(({ planning }) => "plan" in planning);
    if (!planned) {
      return this.form(
        first,
        "the record has no parameters, and its message names no resource that the call is for",
      );
    }
    if (!planned.definition.fromArn) {
      return this.form(
        planned.definition,
        "the record has no parameters; its message names the resource, but not how it is to be deleted",
      );
    }
    return this.finish(
      planned.planning,
      `${first.api} was denied to ${this.facts.requester!.name}; the record has no parameters, so the resource is taken from its message, and nothing else is passed`,
    );
  }

  private finish(planning: Planning, why: string): Intake {
    if ("problem" in planning) return this.refuse(planning.problem);
    const fitting = policyFit(planning.plan);
    if (!fitting.fits) return this.refuse(tooMany(planning.plan, fitting));
    return { plan: planning.plan, why, facts: this.facts };
  }

  private ignore(why: string): Intake {
    return { ignore: true, why, facts: this.facts };
  }

  private refuse(reason: string): Intake {
    return { refuse: reason, why: reason, facts: this.facts };
  }

  private form(definition: OperationDefinition, why: string): Intake {
    return { form: definition, why, facts: this.facts };
  }
}

/** Among the operations of one event, the one whose parameters the record has. */
function chosen(
  definitions: readonly OperationDefinition[],
  parameters: Readonly<Record<string, unknown>>,
): OperationDefinition {
  const fitting = definitions.find((definition) =>
    definition.parameters.every(({ key, required }) => !required || Object.hasOwn(parameters, key)),
  );
  return fitting ?? definitions[0]!;
}

/** Whether the call says dryRun, at its top or in the structure that holds its parameters. */
function isRehearsal(parameters: unknown): boolean {
  if (!isObject(parameters)) return false;
  const says = (container: Readonly<Record<string, unknown>>) =>
    Object.entries(container).some(
      ([key, value]) => key.toLowerCase() === "dryrun" && (value === true || value === "true"),
    );
  return says(parameters) || Object.values(parameters).some((value) => isObject(value) && says(value));
}

function tooMany(
  plan: PlannedOperation,
  { most, parts }: { most: number; parts: readonly unknown[] },
): string {
  const limit = `one session policy of ${SESSION_POLICY_LIMIT.toLocaleString("en")} characters`;
  const { targets, place, definition } = plan;
  if (most === 0) return `the permissions of ${definition.api} do not fit into ${limit}`;
  return `${targets.length} resources do not fit into ${limit}: ${most} do in ${place.region}; ask for them in ${parts.length} calls of ${definition.api}`;
}
