import * as z from "zod";
import { type Environment, requiredVariable } from "../shared/environment";
import { BulkheadError } from "../shared/errors/bulkheadError";
import { policySchema } from "./decide/policy";

/**
 * The one environment variable with the key rotation's settings, as JSON ({@link settingsSchema}); the same text for all of its functions
 * (inventory, account, summary, notify). Everything else that they read is set for every function (AWS_REGION, BULKHEAD_CELL).
 */
export const SETTINGS_VARIABLE = "KEY_ROTATION_SETTINGS";

const accountId = z.string().regex(/^\d{12}$/, "an account id of 12 digits");
const region = z.string().min(1);
const name = z.string().min(1);

/** A tag that an account has to have: any of the values, or any value at all when there are none. */
const tagFilterSchema = z.strictObject({ key: name, values: z.array(z.string()).default([]) });

/** How mails leave. */
const mailSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("ses"), from: z.string().min(3) }),
  z.strictObject({
    kind: z.literal("smtp"),
    from: z.string().min(3),
    host: name,
    /** 465 speaks TLS from the first byte, any other port STARTTLS. */
    port: z.int().min(1).max(65_535).default(587),
    /** Names of the SSM parameters (SecureString) with user and password. @default none: a server without login */
    login: z.strictObject({ userParameter: name, passwordParameter: name }).optional(),
  }),
]);

/** Settings of key rotation. Defaults are those of the design; names without a default are required. */
export const settingsSchema = z.strictObject({
  /** `audit` tells and changes nothing; `enforce` rotates. */
  mode: z.enum(["audit", "enforce"]).default("audit"),
  /** The cell that the function works for. */
  cell: z.strictObject({ name, region, accountId, namePrefix: name.default("bulkhead") }),
  /** The other cell, whose activation record and rotation records are read too. */
  peer: z.strictObject({ name, region }),
  /** Days; see docs/key-rotation.md. */
  policy: policySchema.prefault({}),
  /**
   * The shortest rotation age, in days, that a user's or an account's tag may ask for. Users whose keys are all younger are not looked at,
   * so a small number costs calls for every user who is older than that. @default policy.rotate
   */
  shortestRotateDays: z.number().positive().optional(),
  /**
   * Name of the IAM group whose users are never touched, in every account. An account where it cannot be read, or has no such group, is left
   * alone altogether. @default "": no group
   */
  exemptGroup: z.string().default(""),
  /** Names of the emergency users, and their path: never touched. */
  breakGlass: z
    .strictObject({ users: z.array(name).default([]), path: z.string().default("/break-glass/") })
    .prefault({}),
  /** The role that is assumed in each account. */
  memberRole: z.strictObject({
    /** With its path, without a leading slash: `bulkhead/bulkhead-key-rotator`. */
    name,
    externalId: z.string().min(2),
  }),
  /** The organization's management account and the role there that lists accounts. @default none: only accounts.include */
  organization: z
    .strictObject({
      managementAccountId: accountId,
      readerRoleArn: name,
      externalId: z.string().min(2).optional(),
    })
    .optional(),
  /** Which accounts are looked after. */
  accounts: z
    .strictObject({
      /** Only these. @default []: every account of the organization */
      include: z.array(accountId).default([]),
      exclude: z.array(accountId).default([]),
      /** Only accounts in these units (or roots) and units below them. @default []: wherever they are */
      organizationalUnitIds: z.array(name).default([]),
      /** Only accounts with these tags. Reading tags costs a call an account. @default [] */
      tags: z.array(tagFilterSchema).default([]),
      /**
       * Whether tags of accounts may exempt them (`bulkhead:key-rotation` = `exempt`) or change their ages (`bulkhead:key-rotation-days`).
       * Reading tags costs a call an account. @default false
       */
      readTags: z.boolean().default(false),
    })
    .prefault({}),
  /** Where new keys are stored. */
  secrets: z.strictObject({
    /** `central`: in the cell's own account; `member`: in the user's account. Always in `region`. */
    storage: z.enum(["central", "member"]).default("central"),
    /** Region of the primary secrets: the same in both cells, so that a secret has one home. */
    region,
    /** ARN of the customer-managed key. Central storage needs one: no other account can use the key that AWS manages. @default "" */
    kmsKeyId: z.string().default(""),
    /** Regions that get a replica, each with the ARN of the key there. @default [] */
    replicas: z.array(z.strictObject({ region, kmsKeyId: z.string().default("") })).default([]),
    /** First part of the secrets' names: PREFIX/ACCOUNT/USER. */
    prefix: z
      .string()
      .regex(/^\/?[\w+=.@-]+(\/[\w+=.@-]+)*$/, "a path without a slash at its end")
      .default("/bulkhead/keys"),
    /**
     * ARNs of the principals that may read a user's secret; `{account}`, `{user}` and `{userArn}` stand for the user's own. No other principal
     * may. @default ["{userArn}"]: the user
     */
    readers: z.array(name).min(1).default(["{userArn}"]),
  }),
  /** Tables of rotation records: hash key `accountId` (S), range key `userName` (S). */
  records: z.strictObject({ tableName: name, peerTableName: name }),
  /** Bucket for account lists, results and reports, and templates of mails. */
  bucket: z.strictObject({ name, prefix: z.string().default("key-rotation/") }),
  /** URL of the queue that the notify function is fed from. @default "": nobody is mailed */
  notifyQueueUrl: z.string().default(""),
  /** Mails to owners. */
  mail: z
    .strictObject({
      transport: mailSchema.prefault({ kind: "none" }),
      /**
       * To whom a mail goes, the first that there is: `tag` the address in the user's tag `ownerTag`, `account` the account's own address,
       * `central` the addresses below.
       */
      to: z
        .array(z.enum(["tag", "account", "central"]))
        .min(1)
        .default(["tag", "account", "central"]),
      ownerTag: name.default("owner"),
      central: z.array(z.string().min(3)).default([]),
      /** Keys of the templates below the bucket's prefix. A template that is missing is replaced by the built-in one. */
      templates: z
        .strictObject({
          audit: name.default("templates/audit"),
          enforce: name.default("templates/enforce"),
        })
        .prefault({}),
    })
    .prefault({}),
  /** ARN of the topic that is told when a run was paused, an account failed, or a key needs a decision. @default "": none */
  alertTopicArn: z.string().default(""),
  /** Users of one account that are worked on at the same time. */
  concurrency: z.int().min(1).max(50).default(5),
});

/** Settings with their defaults. */
export type KeyRotationSettings = z.output<typeof settingsSchema>;

/** Settings as they are written: what has a default may be left out. */
export type KeyRotationSettingsInput = z.input<typeof settingsSchema>;

/**
 * Checks settings and completes them.
 * @throws BulkheadError `bad-settings` naming every wrong value
 */
export function parseSettings(value: unknown): KeyRotationSettings {
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
    throw new BulkheadError("bad-settings", `${SETTINGS_VARIABLE} is wrong: ${problems.join("; ")}`);
  }
  const { secrets, shortestRotateDays, policy } = parsed.data;
  if (secrets.storage === "central" && secrets.kmsKeyId === "") {
    throw new BulkheadError(
      "bad-settings",
      `${SETTINGS_VARIABLE} is wrong: secrets.kmsKeyId is missing: with central storage members can read secrets of a customer-managed key only`,
    );
  }
  if (shortestRotateDays !== undefined && shortestRotateDays > policy.rotate) {
    throw new BulkheadError(
      "bad-settings",
      `${SETTINGS_VARIABLE} is wrong: shortestRotateDays is ${shortestRotateDays}: at most policy.rotate (${policy.rotate})`,
    );
  }
  return parsed.data;
}

/**
 * The settings of the function that runs.
 * @throws BulkheadError `missing-variable`, `bad-settings`
 */
export function readSettings(environment: Environment = process.env): KeyRotationSettings {
  const text = requiredVariable(environment, SETTINGS_VARIABLE);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BulkheadError("bad-settings", `${SETTINGS_VARIABLE} is not JSON`, { cause });
  }
  return parseSettings(value);
}
