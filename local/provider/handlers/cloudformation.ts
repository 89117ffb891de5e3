/** CloudFormation StackSets. */
import type { CallAs, StackInstanceSummary } from "@aws-sdk/client-cloudformation";
import type { Client } from "../context";
import { errorName, StandInError } from "../errors";
import { define, type Handler, idParts, pages, someTags, tagMap } from "../handler";
import { bool, list, map, num, obj, set, str } from "../schema";
import type { Props } from "../types";
import { until } from "../wait";

type CloudFormation = Client<"cloudformation">;

/** StackSets take one operation at a time, and each visits many accounts. */
const OPERATION_TIMEOUT_MS = 600_000;

const operationPreferences = obj(
  {
    concurrencyMode: str({ values: ["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"] }),
    failureToleranceCount: num(),
    failureTolerancePercentage: num(),
    maxConcurrentCount: num(),
    maxConcurrentPercentage: num(),
    regionConcurrencyType: str({ values: ["SEQUENTIAL", "PARALLEL"] }),
    regionOrders: list(str()),
  },
  { writeOnly: true },
);

const callAs = str({ default: "SELF", replaces: true, values: ["SELF", "DELEGATED_ADMIN"] });

function preferences(inputs: Props) {
  const wanted = inputs.operationPreferences;
  return (
    wanted && {
      ConcurrencyMode: wanted.concurrencyMode,
      FailureToleranceCount: wanted.failureToleranceCount,
      FailureTolerancePercentage: wanted.failureTolerancePercentage,
      MaxConcurrentCount: wanted.maxConcurrentCount,
      MaxConcurrentPercentage: wanted.maxConcurrentPercentage,
      RegionConcurrencyType: wanted.regionConcurrencyType,
      RegionOrder: wanted.regionOrders,
    }
  );
}

function parameterList(parameters: Record<string, string> | undefined) {
  return Object.entries(parameters ?? {}).map(([ParameterKey, ParameterValue]) => ({
    ParameterKey,
    ParameterValue,
  }));
}

function parameterMap(
  parameters: readonly { ParameterKey?: string; ParameterValue?: string }[] | undefined,
): Record<string, string> {
  return Object.fromEntries(
    (parameters ?? []).map((one) => [one.ParameterKey ?? "", one.ParameterValue ?? ""]),
  );
}

/**
 * Starts an operation as soon as no other is running on the stack set, and waits until it has succeeded.
 * @throws StandInError when it failed or was stopped, with the reason of every account and region where it did
 */
async function operate(
  cloudformation: CloudFormation,
  StackSetName: string,
  as: CallAs,
  start: () => Promise<{ OperationId?: string }>,
): Promise<void> {
  const waiting = { timeoutMs: OPERATION_TIMEOUT_MS };
  const OperationId = await until(
    `stack set ${StackSetName} taking another operation`,
    async () => {
      try {
        return (await start()).OperationId ?? "";
      } catch (error) {
        if (/OperationInProgress/.test(errorName(error))) return undefined;
        throw error;
      }
    },
    waiting,
  );
  if (!OperationId) return;
  await until(
    `operation ${OperationId} of stack set ${StackSetName} ending`,
    async () => {
      const { StackSetOperation } = await cloudformation.describeStackSetOperation({
        StackSetName,
        OperationId,
        CallAs: as,
      });
      const status = StackSetOperation?.Status;
      if (status !== "FAILED" && status !== "STOPPED") return status === "SUCCEEDED";
      const results = await pages(
        (NextToken) =>
          cloudformation.listStackSetOperationResults({ StackSetName, OperationId, CallAs: as, NextToken }),
        (page) => page.Summaries,
        (page) => page.NextToken,
      );
      const reasons = results
        .filter((result) => result.Status !== "SUCCEEDED")
        .map((result) => `${result.Account} in ${result.Region}: ${result.StatusReason ?? result.Status}`);
      throw new StandInError(
        `operation on stack set ${StackSetName} ${status.toLowerCase()}: ${reasons.join("; ") || "no reason given"}`,
      );
    },
    waiting,
  );
}

function stackSetRequest(inputs: Props) {
  const automatic = inputs.autoDeployment;
  return {
    StackSetName: inputs.name,
    Description: inputs.description,
    TemplateBody: inputs.templateBody,
    TemplateURL: inputs.templateUrl,
    Parameters: parameterList(inputs.parameters),
    Capabilities: inputs.capabilities,
    Tags: someTags(inputs.tags),
    AdministrationRoleARN: inputs.administrationRoleArn,
    ExecutionRoleName: inputs.executionRoleName,
    PermissionModel: inputs.permissionModel,
    CallAs: inputs.callAs,
    AutoDeployment: automatic && {
      Enabled: automatic.enabled,
      RetainStacksOnAccountRemoval: automatic.enabled ? automatic.retainStacksOnAccountRemoval : undefined,
    },
    ManagedExecution: inputs.managedExecution && { Active: inputs.managedExecution.active },
  };
}

const stackSet = define("cloudformation", {
  type: "aws:cloudformation/stackSet:StackSet",
  autoname: { property: "name", maxLength: 128 },
  inputs: {
    name: str({ replaces: true }),
    description: str(),
    templateBody: str({ computed: true }),
    templateUrl: str({ writeOnly: true }),
    parameters: map(),
    capabilities: set(str({ values: ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"] })),
    administrationRoleArn: str(),
    executionRoleName: str({ computed: true }),
    permissionModel: str({
      default: "SELF_MANAGED",
      replaces: true,
      values: ["SELF_MANAGED", "SERVICE_MANAGED"],
    }),
    callAs,
    autoDeployment: obj({
      enabled: bool(),
      retainStacksOnAccountRemoval: bool(),
    }),
    managedExecution: obj({ active: bool({ default: false }) }),
    operationPreferences,
    tags: map(),
  },
  advice: { "autoDeployment.dependsOnStackSets": "order the stack sets with dependsOn" },
  outputs: ["arn", "stackSetId"],
  validate(inputs) {
    const given = ["templateBody", "templateUrl"].filter((key) => inputs[key] !== undefined);
    return given.length === 1
      ? []
      : [{ property: "templateBody", reason: "give either templateBody or templateUrl" }];
  },
  async create(cloudformation, inputs) {
    await cloudformation.createStackSet(stackSetRequest(inputs));
    return inputs.name;
  },
  async read(cloudformation, id, known) {
    const { StackSet: live } = await cloudformation.describeStackSet({
      StackSetName: id,
      CallAs: known.callAs,
    });
    const automatic = live!.AutoDeployment;
    const active = live!.ManagedExecution?.Active;
    return {
      name: live!.StackSetName,
      description: live!.Description,
      templateBody: live!.TemplateBody,
      parameters: parameterMap(live!.Parameters),
      capabilities: live!.Capabilities,
      administrationRoleArn: live!.AdministrationRoleARN,
      executionRoleName: live!.ExecutionRoleName,
      permissionModel: live!.PermissionModel ?? "SELF_MANAGED",
      callAs: known.callAs ?? "SELF",
      autoDeployment: automatic && {
        enabled: automatic.Enabled,
        retainStacksOnAccountRemoval: automatic.RetainStacksOnAccountRemoval,
      },
      managedExecution: active === undefined || (!active && !known.managedExecution) ? undefined : { active },
      tags: tagMap(live!.Tags),
      arn: live!.StackSetARN,
      stackSetId: live!.StackSetId,
    };
  },
  async update(cloudformation, id, inputs) {
    // AWS wants all of it each time: what is not said is taken away. Instances follow in the same operation.
    const { PermissionModel, ...request } = stackSetRequest(inputs);
    await operate(cloudformation, id, inputs.callAs, () =>
      cloudformation.updateStackSet({
        ...request,
        Tags: request.Tags ?? [],
        PermissionModel,
        OperationPreferences: preferences(inputs),
      }),
    );
    return undefined;
  },
  async delete(cloudformation, id, olds) {
    await operate(cloudformation, id, olds.callAs, async () => {
      await cloudformation.deleteStackSet({ StackSetName: id, CallAs: olds.callAs });
      return {};
    });
  },
  identify: async (_cloudformation, inputs) => inputs.name,
});

/** The region of the instances; the stack set's own unless said otherwise. */
function targetRegion(inputs: Props): string {
  return inputs.stackSetInstanceRegion ?? inputs.region;
}

/** Where instances are: in one account or in all accounts of some organizational units; in one region. */
function targetsOf(inputs: Props) {
  const targets = inputs.deploymentTargets;
  return {
    Accounts: targets ? undefined : [inputs.accountId],
    DeploymentTargets: targets && {
      OrganizationalUnitIds: targets.organizationalUnitIds,
      Accounts: targets.accounts,
      AccountFilterType: targets.accountFilterType,
    },
    Regions: [targetRegion(inputs)],
    CallAs: inputs.callAs,
  };
}

/** The id's form is the genuine provider's: `STACKSET,ACCOUNT,REGION` or `STACKSET,OU/OU,REGION`. */
function instanceId(inputs: Props): string {
  const units: string[] =
    inputs.deploymentTargets?.organizationalUnitIds ?? inputs.deploymentTargets?.accounts ?? [];
  return [inputs.stackSetName, inputs.accountId ?? units.join("/"), targetRegion(inputs)].join(",");
}

async function instancesOf(
  cloudformation: CloudFormation,
  id: string,
  as: CallAs | undefined,
): Promise<StackInstanceSummary[]> {
  const [StackSetName, target = "", StackInstanceRegion] = idParts(id, ",", 3);
  const all = await pages(
    (NextToken) =>
      cloudformation.listStackInstances({ StackSetName, StackInstanceRegion, CallAs: as, NextToken }),
    (page) => page.Summaries,
    (page) => page.NextToken,
  );
  const wanted = target.split("/");
  return all.filter(
    (one) => wanted.includes(one.Account ?? "") || wanted.includes(one.OrganizationalUnitId ?? ""),
  );
}

const stackSetInstance = define("cloudformation", {
  type: "aws:cloudformation/stackSetInstance:StackSetInstance",
  inputs: {
    stackSetName: str({ required: true, replaces: true }),
    accountId: str({ replaces: true }),
    stackSetInstanceRegion: str({ computed: true, replaces: true }),
    deploymentTargets: obj(
      {
        organizationalUnitIds: set(str()),
        accounts: set(str()),
        accountFilterType: str({ values: ["INTERSECTION", "DIFFERENCE", "UNION", "NONE"] }),
      },
      { replaces: true, writeOnly: true },
    ),
    callAs,
    parameterOverrides: map(),
    retainStack: bool({ default: false, writeOnly: true }),
    operationPreferences,
  },
  advice: { "deploymentTargets.accountsUrl": "list the accounts in deploymentTargets.accounts" },
  outputs: ["organizationalUnitId", "stackId", "stackInstanceSummaries"],
  validate(inputs) {
    if ((inputs.accountId === undefined) !== (inputs.deploymentTargets === undefined)) return [];
    return [{ property: "accountId", reason: "give either accountId or deploymentTargets" }];
  },
  async create(cloudformation, inputs) {
    await operate(cloudformation, inputs.stackSetName, inputs.callAs, () =>
      cloudformation.createStackInstances({
        StackSetName: inputs.stackSetName,
        ...targetsOf(inputs),
        ParameterOverrides: inputs.parameterOverrides && parameterList(inputs.parameterOverrides),
        OperationPreferences: preferences(inputs),
      }),
    );
    return instanceId(inputs);
  },
  async read(cloudformation, id, known) {
    const found = await instancesOf(cloudformation, id, known.callAs);
    const [first] = found;
    if (!first) return undefined;
    const [stackSetName, , stackSetInstanceRegion] = idParts(id, ",", 3);
    const { StackInstance } = await cloudformation.describeStackInstance({
      StackSetName: stackSetName,
      StackInstanceAccount: first.Account,
      StackInstanceRegion: stackSetInstanceRegion,
      CallAs: known.callAs,
    });
    return {
      stackSetName,
      stackSetInstanceRegion,
      accountId: known.deploymentTargets ? undefined : first.Account,
      callAs: known.callAs ?? "SELF",
      parameterOverrides: parameterMap(StackInstance?.ParameterOverrides),
      organizationalUnitId: first.OrganizationalUnitId,
      stackId: first.StackId,
      stackInstanceSummaries: found.map((one) => ({
        accountId: one.Account,
        organizationalUnitId: one.OrganizationalUnitId,
        stackId: one.StackId,
      })),
    };
  },
  async update(cloudformation, _id, inputs, _olds, call) {
    if (!call.changed("parameterOverrides")) return undefined;
    await operate(cloudformation, inputs.stackSetName, inputs.callAs, () =>
      cloudformation.updateStackInstances({
        StackSetName: inputs.stackSetName,
        ...targetsOf(inputs),
        ParameterOverrides: parameterList(inputs.parameterOverrides),
        OperationPreferences: preferences(inputs),
      }),
    );
    return undefined;
  },
  async delete(cloudformation, id, olds) {
    if ((await instancesOf(cloudformation, id, olds.callAs)).length === 0) return;
    await operate(cloudformation, olds.stackSetName, olds.callAs, () =>
      cloudformation.deleteStackInstances({
        StackSetName: olds.stackSetName,
        ...targetsOf(olds),
        RetainStacks: olds.retainStack ?? false,
        OperationPreferences: preferences(olds),
      }),
    );
  },
  identify: async (_cloudformation, inputs) => instanceId(inputs),
});

export const cloudformationHandlers: readonly Handler[] = [stackSet, stackSetInstance];
