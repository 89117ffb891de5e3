import type { MemberPlan, PlannedPolicy, PlannedRole, PlannedRule } from "./plan";
import { MEMBER_ACCOUNT_ID, MEMBER_PARTITION, MEMBER_REGION } from "./requests";

/** The most that CloudFormation takes as a template's text, in bytes. */
export const TEMPLATE_BODY_LIMIT = 51_200;

/** Name of the template's parameter: the region whose stack carries the roles. */
export const HOME_REGION_PARAMETER = "HomeRegion";

const IN_HOME_REGION = "InHomeRegion";
const FORWARDER = "EventForwarder";

type Json = Record<string, unknown>;

/**
 * The CloudFormation template that carries a plan into each account and region: the roles, which are global, in the home region's stack
 * only; the rules, with the role that they send with, in every region's. It is the same text for all accounts, regions and partitions.
 * Without rules it is for the home region only: elsewhere its stacks would be empty, which CloudFormation refuses.
 *
 * @throws Error when it is longer than CloudFormation takes, or two names cannot be told apart as logical ids.
 */
export function memberTemplate(plan: MemberPlan): string {
  const resources: Record<string, Json> = {};
  const add = (kind: string, name: string, resource: Json) => {
    const id = `${kind}${logicalId(name)}`;
    if (resources[id])
      throw new Error(`"${name}" and another name of the same kind differ in punctuation only: rename one`);
    resources[id] = resource;
  };
  for (const role of plan.roles) add("Role", role.name, { ...roleResource(role), Condition: IN_HOME_REGION });
  for (const policy of plan.policies) {
    add("Policy", policy.name, { ...policyResource(policy), Condition: IN_HOME_REGION });
  }
  if (plan.forwarder) resources[FORWARDER] = roleResource(plan.forwarder);
  for (const rule of plan.rules) add("Rule", rule.name, ruleResource(rule));
  const body = JSON.stringify({
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "Bulkhead in a member account: roles and event forwarding",
    Parameters: {
      [HOME_REGION_PARAMETER]: {
        Type: "String",
        Description: "Region whose stack carries the account's roles",
      },
    },
    Conditions: {
      [IN_HOME_REGION]: { "Fn::Equals": [{ Ref: "AWS::Region" }, { Ref: HOME_REGION_PARAMETER }] },
    },
    Resources: resources,
  });
  const size = Buffer.byteLength(body);
  if (size > TEMPLATE_BODY_LIMIT) {
    const sizes = Object.entries(resources)
      .map(([id, resource]) => ({ id, bytes: Buffer.byteLength(JSON.stringify(resource)) }))
      .sort((a, b) => b.bytes - a.bytes);
    const largest = sizes.slice(0, 3).map(({ id, bytes }) => `${id} (${bytes})`);
    throw new Error(
      `the member accounts' template has ${size} bytes, CloudFormation takes ${TEMPLATE_BODY_LIMIT}: ask for less. ` +
        `Largest: ${largest.join(", ")}`,
    );
  }
  return body;
}

function roleResource(role: PlannedRole): Json {
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      RoleName: substituted(role.name),
      Path: role.path,
      Description: role.description,
      MaxSessionDuration: role.maxSessionDuration,
      AssumeRolePolicyDocument: substituted(role.trust),
      Policies: [{ PolicyName: role.policyName, PolicyDocument: substituted(role.policy) }],
    },
  };
}

function policyResource(policy: PlannedPolicy): Json {
  return {
    Type: "AWS::IAM::ManagedPolicy",
    Properties: {
      ManagedPolicyName: policy.name,
      Path: policy.path,
      Description: policy.description,
      PolicyDocument: substituted(policy.document),
    },
  };
}

function ruleResource(rule: PlannedRule): Json {
  return {
    Type: "AWS::Events::Rule",
    DependsOn: FORWARDER,
    Properties: {
      Name: rule.name,
      Description: rule.description,
      // As a text: in an object, CloudFormation turns booleans and numbers into texts, which then match nothing.
      EventPattern: substituted(JSON.stringify(rule.eventPattern)),
      State: rule.state,
      Targets: rule.targets.map(({ id, arn, roleArn }) => ({
        Id: id,
        Arn: substituted(arn),
        RoleArn: substituted(roleArn),
      })),
    },
  };
}

const PLACEHOLDERS = [MEMBER_ACCOUNT_ID, MEMBER_PARTITION, MEMBER_REGION];

/** A value with every text that holds a placeholder made an Fn::Sub. */
function substituted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(substituted);
  if (typeof value === "string") {
    if (!PLACEHOLDERS.some((placeholder) => value.includes(placeholder))) return value;
    // Policy variables such as ${aws:username} are IAM's and have to be left alone: ${!aws:username}.
    return { "Fn::Sub": value.replace(/\$\{(?!AWS::(AccountId|Partition|Region)\})/g, "${!") };
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituted(item)]));
}

/** `bulkhead-key-rotator` as `BulkheadKeyRotator`: logical ids have letters and digits only. */
function logicalId(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}
