import type { InputValue, ValueKind } from "./values";

/**
 * What is lost when the operation was a mistake.
 * - `data`: something that was stored is gone, unless a copy exists elsewhere
 * - `service`: something that runs or is reached stops, and can be made anew
 * - `access`: who may do what changes
 */
export type Danger = "data" | "service" | "access";

/** A parameter that the call may have. */
export interface ParameterDefinition {
  /** Its key in CloudTrail's requestParameters (fact 36). */
  readonly key: string;
  /** Its name in the input of the SDK's command. */
  readonly input: string;
  readonly kind: ValueKind;
  /** @default false */
  readonly required?: boolean;
  /**
   * For lists: the member that each of `items` holds its value in, as in `instancesSet.items[].instanceId`.
   * @default the value stands for itself
   */
  readonly itemMember?: string;
}

/** A key that genuine records carry and that changes nothing, as long as it has the value it always has. */
export interface HarmlessKey {
  readonly key: string;
  readonly kind: ValueKind;
}

/** Which resource a permission is for. */
export type ResourcePattern =
  | {
      readonly service: string;
      /** Whether its ARN names the region. */
      readonly regional: boolean;
      /** Whether its ARN names the account. */
      readonly ofAccount: boolean;
      /** The last part of the ARN; `{Name}` stands for a parameter, each of its values for a list. */
      readonly resource: string;
    }
  | {
      /** The parameter that is the ARN. */
      readonly arnIn: string;
    };

/** Permissions that the operation needs. */
export interface GrantDefinition {
  readonly actions: readonly string[];
  readonly resource: ResourcePattern;
  /**
   * Only when this parameter has a value.
   * @default always
   */
  readonly when?: string;
}

/** An operation that can be carried out after approval: everything about it that does not depend on a request. */
export interface OperationDefinition {
  /** How settings name it: the first label of the event source, and the API, as in `ec2:TerminateInstances`. */
  readonly event: string;
  /** The record's eventSource. */
  readonly eventSource: string;
  /** The record's eventName; Lambda's carry a version, as in `DeleteFunction20150331`. */
  readonly eventName: string;
  /** Whether approval watches this event without being told to. */
  readonly byDefault: boolean;
  /** Short name of the SDK's client, such as `elbv2`. */
  readonly service: string;
  /** The API's name; the SDK's command is the same with `Command` behind it. */
  readonly api: string;
  /** Package of the SDK's client. */
  readonly client: string;
  readonly danger: Danger;
  /** What it does, as a sentence without an end: `Terminate instances`. */
  readonly title: string;
  /**
   * The structure that requestParameters hold the parameters in, as the newer calls of EC2 do.
   * @default none
   */
  readonly wrapper?: string;
  readonly parameters: readonly ParameterDefinition[];
  readonly harmless: readonly HarmlessKey[];
  /**
   * Input that is not the caller's to choose: the account.
   * @default none
   */
  readonly accountInputs?: readonly string[];
  /** The first one's resource is what the operation is about. */
  readonly grants: readonly GrantDefinition[];
  /**
   * Whether the call can be made from the ARN of its resource alone, for records without parameters: no parameter that would be missing may
   * make the call destroy more than was asked for.
   */
  readonly fromArn: boolean;
  /**
   * A rule between parameters. Returns what is wrong.
   * @default none
   */
  readonly rule?: (input: Readonly<Record<string, InputValue>>) => string | undefined;
}
