import * as pulumi from "@pulumi/pulumi";
import { RegionalFunction } from "../lambda/regionalFunction";
import { createPlannedPolicy, createPlannedRole } from "../memberAccess/accountResources";
import { planPolicy, planRole } from "../memberAccess/plan";
import { createStateMachine } from "../stateMachine/stateMachine";
import { createApprovalAlarms } from "./alarms";
import { createApprovalApi, createApprovalRoutes } from "./api";
import type { ApprovalWorkflowArgs } from "./args";
import { createApprovalEvents } from "./events";
import { approvalDefinition, approvalMachineStatements, MACHINE_FUNCTION_SECONDS } from "./machine";
import { APPROVAL, APPROVAL_FUNCTIONS, type ApprovalFunction } from "./names";
import { approvalStatements } from "./policies";
import { type ApprovalAccess, approvalPolicyRequests, approvalRoleRequests } from "./requests";
import { type Environments, environmentsOf, type Normalized, normalize } from "./settings";
import { createApprovalTables } from "./tables";

interface FunctionFacts {
  description: string;
  timeout: number;
  memorySize: number;
}

/** The functions, as functions/approval/settings.ts says what they are. */
const FUNCTIONS: Readonly<Record<ApprovalFunction, FunctionFacts>> = {
  "approval-intake": {
    description: "Makes requests for approval of denied calls",
    timeout: 60,
    memorySize: 512,
  },
  "approval-step": {
    description: "Says what is next for a request for approval, and tells people",
    timeout: MACHINE_FUNCTION_SECONDS["approval-step"],
    memorySize: 512,
  },
  "approval-wait": {
    description: "Keeps the task that waits for a request to change",
    timeout: MACHINE_FUNCTION_SECONDS["approval-wait"],
    memorySize: 256,
  },
  "approval-work": {
    description: "Takes snapshots, looks again, and carries out what was approved",
    timeout: MACHINE_FUNCTION_SECONDS["approval-work"],
    memorySize: 512,
  },
  "approval-sweep": {
    description: "Finds requests that nobody watches, and access that is left over",
    timeout: 120,
    memorySize: 256,
  },
  "approval-engine": {
    description: "Does for the pages what they may not do themselves",
    timeout: 60,
    memorySize: 512,
  },
  "approval-desk": {
    description: "Answers the command line about requests for approval",
    timeout: 60,
    memorySize: 512,
  },
  "approval-http": {
    description: "The pages on which people confirm, approve and deny",
    timeout: 29,
    memorySize: 512,
  },
};

/**
 * Approval of dangerous operations, in one cell. A call that an operator was denied becomes a request: intake works out exactly what was to be done; the
 * operator confirms, groups of approvers decide on pages that mails lead to, the operator has the last word, and the call is made with
 * access to nothing else, for two minutes. See docs/approval.md.
 *
 * Both cells have one, whole, and need nothing of each other at run time. Each writes tables of its own, whose replicas stand in the other
 * cell's region: after a region's loss the surviving cell lists what was under way there, and opens it anew.
 *
 * Every account, the cells' own too, needs the roles of {@link approvalRoleRequests}; member accounts forward their denied calls by
 * {@link approvalForwardingRequests}. Event rules see API calls only while some trail records management events in the account (fact 20).
 *
 * @throws Error naming the argument, its value and what is allowed
 * @example
 * new ApprovalWorkflow("prod-approval", {
 *   cell,
 *   peer: { name: "dr", region: "us-west-2" },
 *   kmsKeyArn: key.keyArn,
 *   alertTopicArn: alerts.topicArn,
 *   directory: "s3://acme-approval-us-east-1/directory.json",
 *   mail: { transport: "ses", from: "approval@example.com" },
 *   ownsAccountRoles: true,
 * }, { provider });
 */
export class ApprovalWorkflow extends pulumi.ComponentResource {
  /** Where the pages are reached, without a slash at the end. */
  readonly pagesUrl: pulumi.Output<string>;
  /** Host name that the DNS record of `pages.domain` has to lead to; empty without. */
  readonly domainTarget: pulumi.Output<string>;
  /** ARN of the state machine, one execution of which watches one request. */
  readonly stateMachineArn: pulumi.Output<string>;
  /** Name of the cell's table of requests. */
  readonly requestsTableName: pulumi.Output<string>;
  /** Name of the cell's audit table. */
  readonly auditTableName: pulumi.Output<string>;
  /** Name of the function that the command line asks. */
  readonly deskFunctionName: pulumi.Output<string>;
  /** ARNs of the event rules. */
  readonly ruleArns: pulumi.Output<string[]>;

  constructor(name: string, args: ApprovalWorkflowArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:ApprovalWorkflow", name, {}, opts);
    const normalized = normalize(args);
    const { cell, peer, logRetentionDays } = normalized;
    const { kmsKeyArn, alertTopicArn, pages = {} } = args;
    const common = { parent: this, name, cell };

    const tables = createApprovalTables({
      ...common,
      peer,
      deletionProtection: normalized.deletionProtection,
    });
    const accountRoles = args.ownsAccountRoles ? this.createAccountRoles(name, args, normalized) : [];
    const { api, baseUrl } = createApprovalApi({ ...common, pages });
    const functions = this.createFunctions(
      name,
      args,
      normalized,
      environmentsOf(args, normalized, baseUrl),
      [tables.requests, tables.audit, ...accountRoles],
    );
    const machine = createStateMachine({
      ...common,
      machineName: APPROVAL,
      description: "Requests for approval",
      definition: approvalDefinition(cell),
      statements: approvalMachineStatements(cell),
      kmsKeyArn,
      logRetentionDays,
      dependsOn: Object.values(functions),
    });
    const domainTarget = createApprovalRoutes({
      ...common,
      pages,
      api,
      pagesFunction: functions["approval-http"],
      kmsKeyArn,
      logRetentionDays,
      throttlingRate: normalized.throttlingRate,
      throttlingBurst: normalized.throttlingBurst,
    });
    const rules = createApprovalEvents({
      ...common,
      watched: normalized,
      hubBusName: args.hubBusName,
      intake: functions["approval-intake"],
      sweep: functions["approval-sweep"],
      kmsKeyArn,
      alertTopicArn,
    });
    createApprovalAlarms({ ...common, alertTopicArn, functions });

    this.pagesUrl = baseUrl;
    this.domainTarget = domainTarget;
    this.stateMachineArn = machine.arn;
    this.requestsTableName = tables.requests.name;
    this.auditTableName = tables.audit.name;
    this.deskFunctionName = functions["approval-desk"].functionName;
    this.ruleArns = pulumi.all(rules.map(({ arn }) => arn));
    this.registerOutputs({
      pagesUrl: this.pagesUrl,
      domainTarget: this.domainTarget,
      stateMachineArn: this.stateMachineArn,
      requestsTableName: this.requestsTableName,
      auditTableName: this.auditTableName,
      deskFunctionName: this.deskFunctionName,
      ruleArns: this.ruleArns,
    });
  }

  /** The roles that stand in every account, in the cell's own: StackSets reach the other ones only. */
  private createAccountRoles(
    name: string,
    args: ApprovalWorkflowArgs,
    { cell }: Normalized,
  ): pulumi.Resource[] {
    const access: ApprovalAccess = {
      cell: args.cell,
      peer: args.peer,
      ...(args.events && { events: args.events }),
      ...(args.externalId !== undefined && { externalId: args.externalId }),
      ...(args.executionMode !== undefined && { executionMode: args.executionMode }),
      ...(args.snapshots?.when !== undefined && { snapshots: args.snapshots.when }),
      ...(args.pages?.iamUserAccounts && { iamUserAccounts: args.pages.iamUserAccounts }),
    };
    const where = { accountId: cell.accountId, region: cell.region };
    const { namePrefix } = cell;
    const logical = (physical: string) => `${name}-${physical.replace(`${namePrefix}-approval-`, "")}`;
    return [
      ...approvalRoleRequests(access).map((request) =>
        createPlannedRole(logical(request.name), planRole(request, namePrefix), where, this),
      ),
      ...approvalPolicyRequests(access).map((request) =>
        createPlannedPolicy(logical(request.name), planPolicy(request, namePrefix), where, this),
      ),
    ];
  }

  private createFunctions(
    name: string,
    args: ApprovalWorkflowArgs,
    normalized: Normalized,
    environments: Environments,
    dependsOn: pulumi.Resource[],
  ): Record<ApprovalFunction, RegionalFunction> {
    const create = (which: ApprovalFunction): RegionalFunction => {
      const { description, timeout, memorySize } = FUNCTIONS[which];
      return new RegionalFunction(
        `${name}-${which.replace("approval-", "")}`,
        {
          cell: args.cell,
          functionName: which,
          bundle: which,
          description,
          kmsKeyArn: args.kmsKeyArn,
          statements: approvalStatements(which, { args, normalized }),
          environment: which === "approval-http" ? environments.pages : environments.engine,
          memorySize,
          timeout,
          logRetentionDays: normalized.logRetentionDays,
          alarmTopicArn: args.alertTopicArn,
          ...(args.vpc && { vpc: args.vpc }),
        },
        { parent: this, dependsOn },
      );
    };
    return Object.fromEntries(APPROVAL_FUNCTIONS.map((which) => [which, create(which)])) as Record<
      ApprovalFunction,
      RegionalFunction
    >;
  }
}
