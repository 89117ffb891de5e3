/** What approval's functions may do besides what every function may. */
import type * as pulumi from "@pulumi/pulumi";
import { TEMPORARY_ROLE_PATH } from "../../functions/approval/execute/temporaryRole";
import { activationReaderStatements, activationWorkerStatements } from "../activation/activationPolicy";
import { type Cell, cellArn, cellIamArn } from "../regional/cell";
import { arn } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { stateMachineArn } from "../stateMachine/machineArn";
import type { ApprovalWorkflowArgs } from "./args";
import { executionsArn } from "./machine";
import {
  type AccountRole,
  APPROVAL,
  type ApprovalFunction,
  accountRolePathAndName,
  approvalFunctionArn,
} from "./names";
import type { Normalized } from "./settings";
import { ownTableStatements, peerTableStatements } from "./tables";

type Parts = { args: ApprovalWorkflowArgs; normalized: Normalized };

/** The policy of each function. */
export function approvalStatements(name: ApprovalFunction, { args, normalized }: Parts): PolicyStatement[] {
  const { cell, peer, executionMode, takesSnapshots } = normalized;
  const own = [...ownTableStatements(cell), ...readDocuments(cell, normalized.documents)];
  const { organizationReaderRole } = normalized;
  const mayOpen: PolicyStatement[] = [
    ...(organizationReaderRole === undefined
      ? []
      : [
          {
            Sid: "ReadOrganization",
            Effect: "Allow" as const,
            Action: "sts:AssumeRole",
            Resource: organizationReaderRole,
          },
        ]),
    ...peerTableStatements(cell, peer),
    startExecutions(cell),
    assume(cell, "LookAtResources", "reader"),
    ...activationReaderStatements(cell, peer),
    ...readParameters(cell, "AskRiskModel", [args.risk?.model?.authorizationParameter]),
  ];
  const telling = [...sendMessages(normalized), tellOperators(args.alertTopicArn)];
  switch (name) {
    case "approval-intake":
      return [...own, ...mayOpen, ...sendMessages(normalized)];
    case "approval-step":
      return [...own, ...telling];
    case "approval-wait":
      return [...ownTableStatements(cell), wakeExecutions()];
    case "approval-work":
      return [
        ...ownTableStatements(cell),
        ...peerTableStatements(cell, peer),
        ...activationWorkerStatements(cell, peer),
        assume(cell, "LookAtResources", "reader"),
        ...(takesSnapshots ? [assume(cell, "TakeSnapshots", "snapshot")] : []),
        ...(executionMode === "session"
          ? [assume(cell, "CarryOut", "executor", true)]
          : [...temporaryRoles(cell), assume(cell, "MakeRoles", "roleManager")]),
        tellOperators(args.alertTopicArn),
      ];
    case "approval-sweep":
      return [
        ...own,
        startExecutions(cell),
        ...telling,
        // Where temporary roles may be left over, the audit of both cells says.
        ...(executionMode === "role"
          ? [...peerTableStatements(cell, peer), assume(cell, "SweepRoles", "roleManager")]
          : []),
      ];
    case "approval-engine":
    case "approval-desk":
      return [...own, ...mayOpen, wakeExecutions(), ...sendMessages(normalized)];
    case "approval-http":
      return [...own, ...pagesStatements(args, cell)];
  }
}

/** What faces the internet reads its secrets, and asks the engine; it starts nothing and assumes nothing that can act. */
function pagesStatements({ pages = {} }: ApprovalWorkflowArgs, cell: Cell): PolicyStatement[] {
  const { signIn, slack, iamUserAccounts = [] } = pages;
  const others = iamUserAccounts.filter((account) => account !== cell.accountId);
  return [
    {
      Sid: "AskTheEngine",
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: approvalFunctionArn(cell, "approval-engine"),
    },
    ...readParameters(cell, "ReadSecrets", [
      signIn?.cookieKeyParameter,
      signIn?.clientSecretParameter,
      slack?.signingSecretParameter,
    ]),
    ...(iamUserAccounts.includes(cell.accountId)
      ? [
          {
            Sid: "LookUsersUp",
            Effect: "Allow" as const,
            Action: "iam:GetUser",
            Resource: cellIamArn(cell, "user/*"),
          },
        ]
      : []),
    ...(others.length > 0
      ? [
          {
            Sid: "LookUsersOfOthersUp",
            Effect: "Allow" as const,
            Action: "sts:AssumeRole",
            Resource: others.map((account) => roleIn(cell, account, "identityReader")),
          },
        ]
      : []),
  ];
}

function roleIn(cell: Cell, account: string, role: AccountRole): string {
  const resource = `role/${accountRolePathAndName(cell, role)}`;
  return arn({ partition: cell.partition, service: "iam", account, resource });
}

function assume(cell: Cell, Sid: string, role: AccountRole, identifies = false): PolicyStatement {
  return {
    Sid,
    Effect: "Allow",
    Action: identifies ? ["sts:AssumeRole", "sts:SetSourceIdentity"] : "sts:AssumeRole",
    Resource: roleIn(cell, "*", role),
  };
}

function temporaryRoles(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "CarryOutByTemporaryRoles",
      Effect: "Allow",
      Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
      Resource: arn({
        partition: cell.partition,
        service: "iam",
        account: "*",
        resource: `role${TEMPORARY_ROLE_PATH}*`,
      }),
    },
  ];
}

function startExecutions(cell: Cell): PolicyStatement {
  return {
    Sid: "StartExecutions",
    Effect: "Allow",
    Action: ["states:DescribeExecution", "states:StartExecution"],
    Resource: [stateMachineArn(cell, APPROVAL), executionsArn(cell)],
  };
}

function wakeExecutions(): PolicyStatement {
  return {
    Sid: "WakeExecutions",
    Effect: "Allow",
    Action: "states:SendTaskSuccess",
    // It knows no resources: the token says which task, and tokens are in the table of requests only.
    Resource: "*",
  };
}

function tellOperators(alertTopicArn: pulumi.Input<string>): PolicyStatement {
  return { Sid: "TellOperators", Effect: "Allow", Action: "sns:Publish", Resource: alertTopicArn };
}

/** Mail by SES or SMTP, and webhooks; each with a name of its own in the policy. */
function sendMessages({ mail, chats }: Normalized): PolicyStatement[] {
  return [...mail.statements, ...chats.flatMap(({ statements }) => statements)].map((statement, index) => ({
    ...statement,
    Sid: `Messages${index + 1}${statement.Sid ?? ""}`,
  }));
}

function readDocuments(cell: Cell, addresses: readonly string[]): PolicyStatement[] {
  const parts = (scheme: string) =>
    addresses.flatMap((address) => (address.startsWith(scheme) ? [address.slice(scheme.length)] : []));
  const objects = parts("s3://");
  return [
    ...(objects.length > 0
      ? [
          {
            Sid: "ReadDocuments",
            Effect: "Allow" as const,
            Action: "s3:GetObject",
            Resource: objects.map((resource) => arn({ partition: cell.partition, service: "s3", resource })),
          },
        ]
      : []),
    ...readParameters(cell, "ReadDocumentParameters", parts("ssm:")),
  ];
}

function readParameters(cell: Cell, Sid: string, names: readonly (string | undefined)[]): PolicyStatement[] {
  const given = names.filter((name): name is string => name !== undefined);
  if (given.length === 0) return [];
  return [
    {
      Sid,
      Effect: "Allow",
      Action: "ssm:GetParameter",
      Resource: given.map((name) => cellArn(cell, "ssm", `parameter/${name.replace(/^\//, "")}`)),
    },
  ];
}
