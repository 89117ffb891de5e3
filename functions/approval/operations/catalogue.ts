/** The operations that can be carried out after approval. */
import type { OperationDefinition } from "./definition";
import { EC2_OPERATIONS } from "./ec2";
import { EKS_OPERATIONS } from "./eks";
import { ELB_OPERATIONS } from "./elasticLoadBalancing";
import { OTHER_OPERATIONS } from "./otherServices";
import { RDS_OPERATIONS } from "./rds";
import { S3_OPERATIONS } from "./s3";

/** All of them, service by service. */
export const OPERATIONS: readonly OperationDefinition[] = [
  ...RDS_OPERATIONS,
  ...EC2_OPERATIONS,
  ...S3_OPERATIONS,
  ...EKS_OPERATIONS,
  ...ELB_OPERATIONS,
  ...OTHER_OPERATIONS,
];

const names = (operations: readonly OperationDefinition[]) => [
  ...new Set(operations.map(({ event }) => event)),
];

/** The events that can be watched, by the name that settings give them. */
export const KNOWN_EVENTS: readonly string[] = names(OPERATIONS);

/** The events that are watched without being told to. */
export const DEFAULT_EVENTS: readonly string[] = names(OPERATIONS.filter(({ byDefault }) => byDefault));

const recordKey = (eventSource: string, eventName: string) => `${eventSource} ${eventName}`;

const byRecord = new Map<string, OperationDefinition[]>();
for (const operation of OPERATIONS) {
  const key = recordKey(operation.eventSource, operation.eventName);
  byRecord.set(key, [...(byRecord.get(key) ?? []), operation]);
}

/**
 * The operations that a record may be about: by source and name together, because services share names (ECS, Redshift and MSK have a
 * DeleteCluster too). Several when the parameters tell which it is; none when the event is not known.
 */
export function operationsOf(eventSource: string, eventName: string): readonly OperationDefinition[] {
  return byRecord.get(recordKey(eventSource, eventName)) ?? [];
}

/** The operation that the SDK's client and API name, as in `elbv2` and `DeleteLoadBalancer`. */
export function operationNamed(service: string, api: string): OperationDefinition | undefined {
  return OPERATIONS.find((operation) => operation.service === service && operation.api === api);
}
