import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { partitionOf } from "../regional/partition";
import type { PlannedPolicy, PlannedRole, PlannedRule } from "./plan";
import { MEMBER_ACCOUNT_ID, MEMBER_PARTITION, MEMBER_REGION } from "./requests";

/** Where resources are made: an account, one of its regions, and who makes them there. */
export interface AccountRegion {
  /** Required. Account id of 12 digits. */
  accountId: string;
  /** Required. The region of the provider. */
  region: string;
  /**
   * A provider of that account and region.
   * @default the parent's
   */
  provider?: aws.Provider;
}

/**
 * Makes a planned role, with its policy, as ordinary resources.
 * @returns the policy, which is what has to be there before the role is of use
 */
export function createPlannedRole(
  name: string,
  role: PlannedRole,
  where: AccountRegion,
  parent: pulumi.Resource,
): aws.iam.RolePolicy {
  const fill = filler(where);
  const resource = new aws.iam.Role(
    name,
    {
      name: fill(role.name),
      path: role.path,
      description: role.description,
      maxSessionDuration: role.maxSessionDuration,
      assumeRolePolicy: fill(JSON.stringify(role.trust)),
    },
    { parent, provider: where.provider },
  );
  return new aws.iam.RolePolicy(
    `${name}-policy`,
    { role: resource.name, name: role.policyName, policy: fill(JSON.stringify(role.policy)) },
    { parent, provider: where.provider },
  );
}

/** Makes a planned managed policy. */
export function createPlannedPolicy(
  name: string,
  policy: PlannedPolicy,
  where: AccountRegion,
  parent: pulumi.Resource,
): aws.iam.Policy {
  return new aws.iam.Policy(
    name,
    {
      name: policy.name,
      path: policy.path,
      description: policy.description,
      policy: filler(where)(JSON.stringify(policy.document)),
    },
    { parent, provider: where.provider },
  );
}

/** Makes a planned rule and its targets. They come after the role that they send with, which EventBridge looks at. */
export function createPlannedRule(
  name: string,
  rule: PlannedRule,
  where: AccountRegion,
  parent: pulumi.Resource,
  forwarder: pulumi.Resource,
): void {
  const fill = filler(where);
  const resource = new aws.cloudwatch.EventRule(
    name,
    {
      name: rule.name,
      description: rule.description,
      eventPattern: fill(JSON.stringify(rule.eventPattern)),
      state: rule.state,
    },
    { parent, provider: where.provider },
  );
  for (const target of rule.targets) {
    new aws.cloudwatch.EventTarget(
      `${name}-${target.id}`,
      { rule: resource.name, targetId: target.id, arn: fill(target.arn), roleArn: fill(target.roleArn) },
      { parent, provider: where.provider, dependsOn: [forwarder] },
    );
  }
}

/** Puts the account, partition and region in the place of the placeholders, as CloudFormation does for the template. */
function filler({ accountId, region }: AccountRegion): (text: string) => string {
  return (text) =>
    text
      .replaceAll(MEMBER_ACCOUNT_ID, accountId)
      .replaceAll(MEMBER_PARTITION, partitionOf(region))
      .replaceAll(MEMBER_REGION, region);
}
