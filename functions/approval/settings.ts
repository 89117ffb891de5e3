/**
 * The contract between approval's functions and the component that creates them.
 *
 * Functions (folder, bundle and environment are the same for all: APPROVAL_SETTINGS, and what every function of a cell gets)
 *
 * | bundle | function's name | invoked by | seconds, MB | may, besides reading the directory |
 * | --- | --- | --- | --- | --- |
 * | approval-intake | approval-intake | rule on the hub's bus, asynchronously; the desk | 60, 512 | own tables; StartExecution; assume the reader role |
 * | approval-step | approval-step | state machine; sweep | 60, 512 | own tables; send messages; publish alerts |
 * | approval-wait | approval-wait | state machine, waitForTaskToken | 15, 256 | own tables; SendTaskSuccess |
 * | approval-work | approval-work | state machine | 300, 512 | own tables; peer's tables (read); assume reader, executor, snapshot and role manager; publish alerts |
 * | approval-sweep | approval-sweep | schedule, every 5 minutes | 120, 256 | own tables; StartExecution, SendTaskSuccess; assume the role manager |
 * | approval-engine | approval-engine | the pages' function only (its LambdaEngine) | 60, 512 | own tables; SendTaskSuccess, StartExecution; send messages; assume the reader role |
 * | approval-desk | approval-desk | the command line (lambda:InvokeFunction for operators and approvers) | 60, 512 | own tables; peer's tables (read); SendTaskSuccess, StartExecution; assume the reader role |
 *
 * Who opens requests (intake, engine, desk) also reads both cells' activation tables in both regions (docs/activation.md), as work does before each call;
 * work needs to write the own one, as every worker of that protocol. "Send messages": what the messages' own settings say.
 *
 * Tables: two for each cell, each a global table of two replicas, its own region and the peer's, with the same name in both. ONE CELL WRITES A
 * TABLE: the functions of cell A may write A's tables, those of cell B may only read them (in B's own region). So the last-writer-wins rule of global
 * tables (fact 32) has nothing to decide, and every condition is checked where all of the table's writes are made.
 *
 * - requests: hash key `pk` (S), range key `sk` (S), TTL attribute `expiresAt`. Own functions: GetItem, Query, PutItem, UpdateItem, DeleteItem,
 *   ConditionCheckItem. Peer's: GetItem, Query.
 * - audit: hash key `requestId` (S), range key `entry` (S); index `byRequester`: `requester` (S), `at` (S); index `byCall`: `call` (S), `at` (S); index
 *   `byDay`: `day` (S), `at` (S); all with every attribute. Point-in-time recovery, deletion protection, no TTL. Own functions: PutItem and Query (with
 *   the indexes); nobody updates or deletes. Peer's: Query.
 *
 * State machine (Standard; name approval, one execution for each request, named after the request): input `{"requestId": "..."}`.
 *
 *     Step      Task lambda:invoke approval-step, payload {requestId}          -> {requestId, next: "wait" | "work" | "end", seconds, version}
 *               Retry States.ALL, 5 attempts, from 2 s, doubled
 *     Next      Choice on next: wait -> Wait, work -> Work, end -> Done
 *     Wait      Task lambda:invoke.waitForTaskToken approval-wait, payload {requestId, version, token: $$.Task.Token},
 *               TimeoutSecondsPath $.seconds, ResultPath null; Catch States.ALL (timeouts too) -> Step; Next Step
 *     Work      Task lambda:invoke approval-work, payload {requestId}          -> {requestId, next: "again" | "step", seconds}
 *               Retry lost invocations only; Catch States.ALL -> Pause
 *     WorkNext  Choice on next: again -> Pause, step -> Step
 *     Pause     Wait 10 seconds -> Step
 *     Done      Succeed
 *
 * Every state but Wait carries on with `{requestId}` alone. No task token is in the input or the output of any state, nor in a URL. Logging with
 * includeExecutionData false: the token is in the payload of Wait.
 */
import * as z from "zod";
import { type Environment, requiredVariable } from "../shared/environment";
import { BulkheadError } from "../shared/errors/bulkheadError";
import { DEFAULT_EXECUTOR_ROLE, type IntakeSettings, intakeSettings } from "./intake/settings";
import { messageSettingsSchema } from "./messages/settings";
import { DEFAULT_RISK_SETTINGS } from "./risk/score";

/** The one environment variable with the settings, as JSON ({@link approvalSettingsSchema}); the same text for every function of a cell. */
export const APPROVAL_SETTINGS_VARIABLE = "APPROVAL_SETTINGS";

/** The audit table's keys, all of type S, and its indexes, each with a range key `at`. */
export const AUDIT_TABLE_KEYS = { hashKey: "requestId", rangeKey: "entry" } as const;
export const AUDIT_TABLE_INDEXES = {
  byRequester: { hashKey: "requester", rangeKey: "at" },
  byCall: { hashKey: "call", rangeKey: "at" },
  byDay: { hashKey: "day", rangeKey: "at" },
} as const;

const accountId = z.string().regex(/^\d{12}$/, "an account id of 12 digits");
const name = z.string().min(1).max(512);
const seconds = z.int().min(1);
const cell = z.strictObject({ name, region: name });
const tables = z.strictObject({ requests: name, audit: name });

/** Settings of approval, as the component writes them. What has a default may be left out. */
export const approvalSettingsSchema = z.strictObject({
  /** The cell that the function works for. `accountId`: the one that it is deployed in. */
  cell: z.strictObject({ ...cell.shape, accountId, namePrefix: name.default("bulkhead") }),
  /** The cell's own tables, in its own region. */
  tables,
  /**
   * The other cell: its name and region, and its tables, of which a replica stands in this region.
   * @default none: a single cell, which always acts
   */
  peer: z.strictObject({ ...cell.shape, tables }).optional(),
  /** ARN of the cell's state machine. */
  stateMachineArn: name,
  /** Address of the directory document: `s3://BUCKET/KEY` or `ssm:/NAME`; see directory/document.ts. */
  directory: name,
  /** How people are told; see messages/settings.ts. */
  messages: messageSettingsSchema,
  /** Which denied calls become requests. */
  intake: z
    .strictObject({
      /** @default those of the catalogue that are marked so */
      events: z.array(name).optional(),
      allowRoleSessions: z.boolean().default(false),
      allowSso: z.boolean().default(false),
      emergencyUserNames: z.array(name).optional(),
    })
    .prefault({}),
  /** How risk is weighed. The thresholds are the directory document's. */
  risk: z
    .strictObject({
      workingHours: z
        .strictObject({
          timeZone: name,
          from: z.int().min(0).max(24),
          to: z.int().min(0).max(24),
          days: z.array(z.int().min(0).max(6)),
        })
        .prefault({
          ...DEFAULT_RISK_SETTINGS.workingHours,
          days: [...DEFAULT_RISK_SETTINGS.workingHours.days],
        }),
      tagRules: z
        .array(
          z.strictObject({
            key: name,
            values: z.array(name).min(1),
            points: z.int().min(0).max(100),
          }),
        )
        .prefault(DEFAULT_RISK_SETTINGS.tagRules.map((rule) => ({ ...rule, values: [...rule.values] }))),
      /**
       * A model behind an HTTPS endpoint; its `authorization` header is the value of the SSM parameter.
       * @default none
       */
      model: z.strictObject({ url: z.url(), authorizationParameter: name.optional() }).optional(),
    })
    .prefault({}),
  /** How long people and work may take. */
  times: z
    .strictObject({
      /** Seconds that the operator has to confirm, at the beginning and at the end. */
      confirmation: seconds.max(30 * 86_400).default(3_600),
      /** Seconds that snapshot, second look and call may each take. */
      work: seconds.min(60).max(86_400).default(900),
      /** Longest time between two looks at the table while a decision is awaited; finds what a lost callback did not say. */
      tick: seconds.min(10).max(86_400).default(900),
    })
    .prefault({}),
  /** How an approved operation is carried out. */
  execution: z
    .strictObject({
      /**
       * - `session`: the executor role of the account with a session policy for exactly this operation. Needs the regional STS only.
       * - `role`: a role that is created for the operation and deleted after it. Needs IAM's control plane (fact 9).
       */
      mode: z.enum(["session", "role"]).default("session"),
      /**
       * Seconds that a new role may take until it can be assumed (fact 37); only for `role`.
       * @default 60
       */
      propagation: seconds.max(180).default(60),
    })
    .prefault({}),
  /**
   * Roles that stand in every account, with their path and without a leading slash: `bulkhead/bulkhead-approval-reader`. All trust the roles of the
   * functions of both cells that the table above names.
   */
  roles: z
    .strictObject({
      /** Assumed with SourceIdentity: its trust allows sts:AssumeRole and sts:SetSourceIdentity. Holds every action of the catalogue's grants. */
      executor: name.default(DEFAULT_EXECUTOR_ROLE),
      /** Holds PREVIEW_ACTIONS of preview/look.ts. */
      reader: name.default("bulkhead-approval-reader"),
      /** Holds SNAPSHOT_ACTIONS of snapshot/snapshots.ts; needed when snapshots are taken. */
      snapshot: name.default("bulkhead-approval-snapshot"),
      /**
       * Creates, lists and deletes roles below TEMPORARY_ROLE_PATH of execute/temporaryRole.ts, with the permissions boundary below and no other; needed
       * for `execution.mode: role`.
       */
      roleManager: name.default("bulkhead-approval-role-manager"),
      /** Managed policy that bounds temporary roles, with the executor's permissions. */
      boundary: name.default("bulkhead-approval-boundary"),
      /** @default none */
      externalId: name.optional(),
    })
    .prefault({}),
  /**
   * The role in the organization's management account that reads in which units an account is (organizations:ListParents), for rules that name units.
   * @default none: such rules count for every account
   */
  organization: z.strictObject({ readerRoleArn: name, externalId: name.optional() }).optional(),
  /** Snapshots before the call. */
  snapshot: z
    .strictObject({
      /** `data`: before every operation that destroys data and of whose resources one can be taken. */
      when: z.enum(["never", "data"]).default("never"),
      /**
       * `service`: the service's own (EBS, RDS). `backup`: AWS Backup, which needs the vault and the role below in each account.
       */
      by: z.enum(["service", "backup"]).default("service"),
      /** Name of AWS Backup's vault. */
      vault: name.default("bulkhead-approval"),
      /** Role that AWS Backup works with, with its path and without a leading slash. */
      backupRole: name.default("bulkhead-approval-backup"),
      /** Days that a snapshot of AWS Backup is kept. */
      keepDays: z.int().min(1).max(36_500).default(35),
    })
    .prefault({}),
  /**
   * ARN of the topic that is told of every use of the bypass, of calls whose outcome is not known, and of access that could not be ended.
   * @default none
   */
  alertTopicArn: name.optional(),
});

/** Settings with their defaults. */
export type ApprovalSettings = z.output<typeof approvalSettingsSchema>;
/** Settings as they are written. */
export type ApprovalSettingsInput = z.input<typeof approvalSettingsSchema>;

/**
 * Checks settings and completes them.
 * @throws BulkheadError `bad-settings` naming every wrong value
 */
export function parseApprovalSettings(value: unknown): ApprovalSettings {
  const parsed = approvalSettingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
  throw new BulkheadError("bad-settings", `${APPROVAL_SETTINGS_VARIABLE} is wrong: ${problems.join("; ")}`);
}

/**
 * The settings of the function that runs.
 * @throws BulkheadError `missing-variable`, `bad-settings`
 */
export function readApprovalSettings(environment: Environment = process.env): ApprovalSettings {
  const text = requiredVariable(environment, APPROVAL_SETTINGS_VARIABLE);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BulkheadError("bad-settings", `${APPROVAL_SETTINGS_VARIABLE} is not JSON`, { cause });
  }
  return parseApprovalSettings(value);
}

/** Which denied calls become requests, for the intake's code. */
export function intakeSettingsOf({ intake, roles }: ApprovalSettings): IntakeSettings {
  return intakeSettings({ ...intake, executorRoleName: roles.executor.split("/").at(-1)! });
}
