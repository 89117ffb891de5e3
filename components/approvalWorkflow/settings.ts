import * as pulumi from "@pulumi/pulumi";
import type * as z from "zod";
import { DOCUMENT_ADDRESS } from "../../functions/approval/directory/documentAddress";
import {
  PAGES_VARIABLE,
  type PagesSettings,
  pagesSettingsSchema,
} from "../../functions/approval/http/settings";
import type { MessageSettings, messageSettingsSchema } from "../../functions/approval/messages/settings";
import {
  APPROVAL_SETTINGS_VARIABLE,
  type ApprovalSettingsInput,
  approvalSettingsSchema,
} from "../../functions/approval/settings";
import { peerOf } from "../activation/peer";
import { LOG_RETENTION_DAYS } from "../lambda/logRetention";
import { organizationReaderRoleArn } from "../memberAccess/organizationReader";
import { type ChannelPlan, planChats, planMail } from "../notification/channels";
import { type Cell, cellArn, normalizeCell } from "../regional/cell";
import { stateMachineArn } from "../stateMachine/machineArn";
import type { ApprovalPagesArgs, ApprovalWorkflowArgs } from "./args";
import { APPROVAL, accountRolePathAndName, approvalFunctionArn, approvalTableName } from "./names";
import { watchedEvents } from "./requests";

/** Lambda's limit for all variables of a function is 4 KB; those that every function has need less than one. */
const MAX_VARIABLES = 3_200;

/** The arguments with their defaults, checked. */
export interface Normalized {
  readonly cell: Cell;
  readonly peer: Cell;
  readonly events: readonly string[];
  readonly allowRoleSessions: boolean;
  readonly allowSso: boolean;
  readonly executionMode: "session" | "role";
  /** Of the management account; undefined: in which units an account is, is not read. */
  readonly organizationReaderRole: string | undefined;
  readonly takesSnapshots: boolean;
  readonly logRetentionDays: number;
  readonly deletionProtection: boolean;
  /** What may read the documents of people and templates, as permissions. */
  readonly documents: readonly string[];
  readonly mail: ChannelPlan;
  readonly chats: readonly ChannelPlan[];
  readonly throttlingRate: number;
  readonly throttlingBurst: number;
}

/** @throws Error naming the argument, its value and what is allowed */
export function normalize(args: ApprovalWorkflowArgs): Normalized {
  const cell = normalizeCell(args.cell);
  const peer = peerOf(cell, args.peer);
  const logRetentionDays = args.logRetentionDays ?? 365;
  if (!LOG_RETENTION_DAYS.includes(logRetentionDays)) {
    throw new Error(`logRetentionDays is ${logRetentionDays}: one of ${LOG_RETENTION_DAYS.join(", ")}`);
  }
  const { mail, chats = [], pages = {} } = args;
  chats.forEach(({ kind, buttons }, index) => {
    if (!buttons) return;
    if (kind !== "slack")
      throw new Error(`chats[${index}].buttons is true: only Slack has buttons, not ${kind}`);
    if (!pages.slack)
      throw new Error(`chats[${index}].buttons is true: give pages.slack, by which clicks are taken`);
  });
  checkDomain(pages);
  const normalized: Normalized = {
    cell,
    peer,
    events: watchedEvents(args.events),
    allowRoleSessions: args.allowRoleSessions ?? false,
    allowSso: args.allowSso ?? false,
    executionMode: args.executionMode === "role" ? "role" : "session",
    organizationReaderRole: organizationRole(cell, args.managementAccountId),
    takesSnapshots: (args.snapshots?.when ?? "never") !== "never",
    logRetentionDays,
    deletionProtection: args.deletionProtection ?? true,
    documents: [
      checkDocument("directory", args.directory),
      ...(mail.templates === undefined ? [] : [checkDocument("mail.templates", mail.templates)]),
    ],
    mail: planMail(cell, {
      transport: mail.transport,
      from: mail.from,
      to: [mail.from],
      ...(mail.smtp && { smtp: mail.smtp }),
    }),
    chats: planChats(
      cell,
      chats.map(({ kind, webhookParameter }) => ({ kind, webhookParameter })),
    ),
    throttlingRate: wholeNumber("pages.throttlingRate", pages.throttlingRate ?? 20, 10_000),
    throttlingBurst: wholeNumber("pages.throttlingBurst", pages.throttlingBurst ?? 40, 5_000),
  };
  checkSettings(args, normalized);
  return normalized;
}

function wholeNumber(argument: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`${argument} is ${value}: a whole number from 1 to ${most}`);
}

function organizationRole(cell: Cell, managementAccountId = ""): string | undefined {
  if (managementAccountId === "") return undefined;
  if (/^\d{12}$/.test(managementAccountId)) return organizationReaderRoleArn(cell, managementAccountId);
  throw new Error(`managementAccountId is "${managementAccountId}": an account id of 12 digits`);
}

function checkDocument(argument: string, address: string): string {
  if (DOCUMENT_ADDRESS.test(address)) return address;
  throw new Error(`${argument} is "${address}": s3://BUCKET/KEY or ssm:/NAME`);
}

function checkDomain({ domain }: ApprovalPagesArgs): void {
  if (domain && !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(domain.name)) {
    throw new Error(`pages.domain.name is "${domain.name}": a host name such as approval.example.com`);
  }
}

// ---------------------------------------------------------------- what the functions read

function approvalSettings(
  args: ApprovalWorkflowArgs,
  normalized: Normalized,
  baseUrl: string,
): ApprovalSettingsInput {
  const { cell, peer } = normalized;
  const tables = (owner: Cell) => ({
    requests: approvalTableName(owner, "requests"),
    audit: approvalTableName(owner, "audit"),
  });
  const { risk, snapshots, confirmationSeconds, workSeconds } = args;
  const { organizationReaderRole } = normalized;
  return {
    cell: { name: cell.name, region: cell.region, accountId: cell.accountId, namePrefix: cell.namePrefix },
    tables: tables(cell),
    peer: { name: peer.name, region: peer.region, tables: tables(peer) },
    stateMachineArn: stateMachineArn(cell, APPROVAL),
    directory: args.directory,
    messages: messageSettings(args, baseUrl),
    intake: {
      ...(args.events && { events: [...normalized.events] }),
      ...(normalized.allowRoleSessions && { allowRoleSessions: true }),
      ...(normalized.allowSso && { allowSso: true }),
      ...(args.emergencyUserNames && { emergencyUserNames: args.emergencyUserNames }),
    },
    ...(risk && { risk: { ...risk } }),
    ...((confirmationSeconds !== undefined || workSeconds !== undefined) && {
      times: {
        ...(confirmationSeconds !== undefined && { confirmation: confirmationSeconds }),
        ...(workSeconds !== undefined && { work: workSeconds }),
      },
    }),
    // Checked with all the other settings.
    ...(args.executionMode !== undefined && {
      execution: { mode: args.executionMode as "session" | "role" },
    }),
    roles: {
      executor: accountRolePathAndName(cell, "executor"),
      reader: accountRolePathAndName(cell, "reader"),
      ...(normalized.takesSnapshots && { snapshot: accountRolePathAndName(cell, "snapshot") }),
      ...(normalized.executionMode === "role" && {
        roleManager: accountRolePathAndName(cell, "roleManager"),
        boundary: accountRolePathAndName(cell, "boundary"),
      }),
      ...(args.externalId !== undefined && { externalId: args.externalId }),
    },
    ...(organizationReaderRole && {
      organization: {
        readerRoleArn: organizationReaderRole,
        ...(args.organizationExternalId && { externalId: args.organizationExternalId }),
      },
    }),
    ...(snapshots && {
      snapshot: {
        ...snapshots,
        ...(snapshots.when !== undefined && { when: snapshots.when as "never" | "data" }),
        ...(snapshots.by !== undefined && { by: snapshots.by as "service" | "backup" }),
      } as ApprovalSettingsInput["snapshot"],
    }),
  };
}

function pagesSettings(
  args: ApprovalWorkflowArgs,
  normalized: Normalized,
  baseUrl: string,
): z.input<typeof pagesSettingsSchema> {
  const { cell } = normalized;
  const { pages = {} } = args;
  const { signIn, slack, iamUserAccounts = [] } = pages;
  const { acting, cookieKeyParameter, sessionSeconds, ...oidc } = signIn ?? {};
  return {
    cell: cell.name,
    region: cell.region,
    baseUrl,
    ...(pages.timeZone && { timeZone: pages.timeZone }),
    ...(pages.language && { language: pages.language as PagesSettings["language"] }),
    ...(acting && { acting: acting as PagesSettings["acting"] }),
    requestsTable: approvalTableName(cell, "requests"),
    auditTable: approvalTableName(cell, "audit"),
    engineFunction: approvalFunctionArn(cell, "approval-engine").split(":").at(-1)!,
    directory: args.directory,
    ...(args.events && { events: [...normalized.events] }),
    ...(iamUserAccounts.length > 0 && {
      iamUsers: {
        accounts: iamUserAccounts,
        ownAccount: cell.accountId,
        role: accountRolePathAndName(cell, "identityReader"),
        ...(pages.activeWithoutAnswer && { activeWithoutAnswer: true }),
      },
    }),
    ...(cookieKeyParameter && { cookieKeyParameter }),
    ...(sessionSeconds !== undefined && { sessionSeconds }),
    ...(signIn && { oidc: oidc as NonNullable<z.input<typeof pagesSettingsSchema>["oidc"]> }),
    ...(slack && { slack }),
  };
}

/** The same as the pages': without a choice, whoever can sign in has to. */
function actingBy({ signIn }: ApprovalPagesArgs): string {
  return signIn?.acting ?? (signIn ? "signIn" : "code");
}

function messageSettings(args: ApprovalWorkflowArgs, baseUrl: string): z.input<typeof messageSettingsSchema> {
  const { mail, chats = [], pages = {} } = args;
  const { smtp } = mail;
  return {
    baseUrl,
    ...(pages.timeZone && { timeZone: pages.timeZone }),
    ...(pages.language && { language: pages.language as MessageSettings["language"] }),
    acting: actingBy(pages) as MessageSettings["acting"],
    mail: smtp
      ? {
          kind: "smtp",
          from: mail.from,
          host: smtp.host,
          port: smtp.port ?? 587,
          ...(smtp.userParameter &&
            smtp.passwordParameter && {
              login: { userParameter: smtp.userParameter, passwordParameter: smtp.passwordParameter },
            }),
        }
      : { kind: "ses", from: mail.from },
    ...(mail.templates && { templates: mail.templates }),
    ...(chats.length > 0 && {
      chats: chats.map(({ kind, webhookParameter, buttons }) => ({
        kind: kind as "slack" | "teams",
        webhookParameter,
        ...(buttons && { buttons }),
      })),
    }),
  };
}

/** Variables of the functions. */
export interface Environments {
  /** Of all functions but the pages'. */
  engine: Record<string, pulumi.Input<string>>;
  pages: Record<string, pulumi.Input<string>>;
}

/** @param baseUrl where the pages are reached */
export function environmentsOf(
  args: ApprovalWorkflowArgs,
  normalized: Normalized,
  baseUrl: pulumi.Output<string>,
): Environments {
  return {
    engine: {
      [APPROVAL_SETTINGS_VARIABLE]: pulumi
        .all([baseUrl, args.alertTopicArn])
        .apply(([url, alertTopicArn]) =>
          JSON.stringify({ ...approvalSettings(args, normalized, url), alertTopicArn }),
        ),
    },
    pages: {
      [PAGES_VARIABLE]: baseUrl.apply((url) => JSON.stringify(pagesSettings(args, normalized, url))),
    },
  };
}

// ---------------------------------------------------------------- checking them beforehand

/** What an argument is called in the settings' own messages. */
const ARGUMENTS: readonly [RegExp, string][] = [
  [/^messages\.(timeZone|language)\b/, "pages.$1"],
  [/^messages\.acting\b/, "pages.signIn.acting"],
  [/^messages\.chats\b/, "chats"],
  [/^messages\.mail\b/, "mail"],
  [/^intake\.emergencyUserNames\b/, "emergencyUserNames"],
  [/^times\.confirmation\b/, "confirmationSeconds"],
  [/^times\.work\b/, "workSeconds"],
  [/^execution\.mode\b/, "executionMode"],
  [/^snapshot\b/, "snapshots"],
  [/^roles\.externalId\b/, "externalId"],
  [/^iamUsers\.accounts\b/, "pages.iamUserAccounts"],
  [/^oidc\b/, "pages.signIn"],
  [/^acting\b/, "pages.signIn.acting"],
  [/^(cookieKeyParameter|sessionSeconds)\b/, "pages.signIn.$1"],
  [/^(timeZone|language|slack)\b/, "pages.$1"],
];

function named(problem: string): string {
  const found = ARGUMENTS.find(([pattern]) => pattern.test(problem));
  return found ? problem.replace(found[0], found[1]) : problem;
}

/**
 * The functions check their settings themselves; here the same checks come before anything is made.
 * @throws Error naming the argument that is wrong, or when the settings are longer than a function's environment holds
 */
function checkSettings(args: ApprovalWorkflowArgs, normalized: Normalized): void {
  const baseUrl = args.pages?.domain
    ? `https://${args.pages.domain.name}`
    : "https://0123456789.execute-api.invalid";
  const settings = approvalSettings(args, normalized, baseUrl);
  const pages = pagesSettings(args, normalized, baseUrl);
  const alertTopicArn = cellArn(normalized.cell, "sns", "a-topic-with-a-name-of-some-length");
  const problems = (issues: readonly { path: PropertyKey[]; message: string }[] = []) =>
    issues.map(({ path, message }) => named(`${path.join(".")}: ${message}`));
  const wrong = [
    ...problems(approvalSettingsSchema.safeParse({ ...settings, alertTopicArn }).error?.issues),
    ...problems(pagesSettingsSchema.safeParse(pages).error?.issues),
  ];
  if (wrong.length > 0) throw new Error([...new Set(wrong)].join("; "));
  const size = Math.max(
    ...[{ ...settings, alertTopicArn }, pages].map((value) => Buffer.byteLength(JSON.stringify(value))),
  );
  if (size > MAX_VARIABLES) {
    throw new Error(
      `approval's settings have ${size} bytes, more than a function's environment holds (${MAX_VARIABLES}): ` +
        "name fewer events, emergency users, risk tags or accounts",
    );
  }
}
