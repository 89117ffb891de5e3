import * as z from "zod";
import { policySchema } from "./policy";

/** What could not be read. */
const unreadable = z.union([
  z.enum(["unreadable", "unknown"]).transform(() => ({ error: "unreadable" })),
  z.looseObject({ error: z.string() }),
]);

const finite = (what: string) => z.number(`${what}: a number`).finite(`${what}: a finite number`);

const keySchema = z
  .strictObject({
    /** The access key's id. Required. */
    id: z.string("the access key's id").min(1, "the access key's id"),
    /** Required. */
    status: z
      .string("Active or Inactive")
      .refine((text) => /^(in)?active$/i.test(text), "Active or Inactive")
      .transform((text): "Active" | "Inactive" => (/^active$/i.test(text) ? "Active" : "Inactive")),
    /** Days since IAM created it. Required. */
    ageDays: finite("days since the key was created"),
    /** Days since it was last used; null: never; "unknown": could not be read. @default "unknown" */
    lastUsedDaysAgo: z
      .union([finite(""), z.null(), z.literal("unknown")], {
        error: 'days since the key was last used: a number, null (never) or "unknown"',
      })
      .default("unknown"),
    /** Whether the user's secret holds it. @default false, but required with createdByUs */
    inSecret: z.boolean("true or false").optional(),
    /** Whether a rotation made it. @default false: the owner's */
    createdByUs: z.boolean("true or false").default(false),
  })
  .superRefine((key, context) => {
    // By default such a key would be taken for the orphan of a crash, and deleted.
    if (key.createdByUs && key.inSecret === undefined) {
      context.addIssue({
        code: "custom",
        path: ["inSecret"],
        message: "required with createdByUs: true or false",
      });
    }
  })
  .transform((key) => ({ ...key, inSecret: key.inSecret ?? false }));

const recordSchema = z.strictObject({
  /** The key that was replaced, or is about to be. @default null */
  oldKey: z.string("a key's id or null").min(1).nullable().default(null),
  /** The key that replaced it and was handed over, by being stored in the secret. @default null: not yet */
  newKey: z.string("a key's id or null").min(1).nullable().default(null),
  /** Days since the rotation. @default null */
  rotatedDaysAgo: finite("days since the rotation, or null").nullable().default(null),
  /** Days since the rotation deactivated oldKey. @default null: it did not */
  deactivatedDaysAgo: finite("days since the deactivation, or null").nullable().default(null),
  /**
   * What was done last, such as `rotate:KEY`, `deactivate:KEY`, `delete:KEY`; or what was announced and perhaps not finished: `rotating:KEY`,
   * `deactivating:KEY`, `deleting:KEY`. @default null
   */
  lastAction: z.string("such as rotate:KEY, or null").nullable().default(null),
  /**
   * What the owner has been told: entries as they are in `notify`. `true`: of lastAction; `false` or `[]`: of nothing yet.
   * @default null: of everything that is past
   */
  mailed: z
    .union([z.array(z.string()), z.boolean(), z.string(), z.null()], {
      error: "a list of notify entries, true or false",
    })
    .default(null),
});

/** The cell that wants to act: what the activation records say, and whether IAM answers. */
const cellSchema = z
  .strictObject(
    {
      active: z.boolean("true or false"),
      /** Whether the peer's record holds a higher epoch. Required unless the peer is unreadable. */
      higherEpochAtPeer: z.boolean("true or false").nullable().optional(),
      peerReadable: z.boolean("true or false"),
      peerRequired: z.boolean("true or false"),
      iamReachable: z.boolean("true or false"),
    },
    "{active, higherEpochAtPeer, peerReadable, peerRequired, iamReachable}, each true or false",
  )
  .superRefine((cell, context) => {
    if (cell.peerReadable && typeof cell.higherEpochAtPeer !== "boolean") {
      context.addIssue({
        code: "custom",
        path: ["higherEpochAtPeer"],
        message: "required when the peer is readable",
      });
    }
  })
  .transform((cell) => ({ ...cell, higherEpochAtPeer: cell.higherEpochAtPeer ?? false }));

/**
 * All that the decision about one user is made from. A value that is missing gets its default only where that cannot lead to more being done;
 * anything else that is missing, and any name that is not known, is refused.
 */
export const userStateSchema = z
  .strictObject({
    /** Required; empty for a user without keys. */
    keys: z.array(keySchema, "a list of keys"),
    user: z.strictObject({
      /** Whether the user is in the exemption group; "unreadable" when that cannot be told. Required. */
      exemptGroup: z.union([z.boolean(), unreadable], { error: 'true, false or "unreadable"' }),
      /** @default {} */
      tags: z
        .union([unreadable, z.record(z.string(), z.string("a tag's value: a text"))], {
          error: 'tags by their keys, each value a text, or "unreadable"',
        })
        .default({}),
      /** Whether it is an emergency user. Required. */
      breakGlass: z.union([z.boolean(), unreadable], { error: 'true, false or "unknown"' }),
      /** For whoever reads it; nothing follows from it. @default none */
      name: z.string().optional(),
      /** @default none */
      accountId: z.string().optional(),
    }),
    /** The rotation record; null: none; {error}: could not be read. @default null: none */
    record: z
      .union([unreadable, recordSchema, z.null()], {
        error:
          'null, {"error": "unreadable"} or {oldKey, newKey, rotatedDaysAgo, deactivatedDaysAgo, lastAction, mailed} with ids, days and texts',
      })
      .default(null),
    policy: policySchema.prefault({}),
    /** @default "audit" */
    mode: z.enum(["audit", "enforce"], "audit or enforce").default("audit"),
    cell: cellSchema,
  })
  .superRefine(({ keys }, context) => {
    const ids = keys.map(({ id }) => id);
    const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
    if (twice >= 0)
      context.addIssue({
        code: "custom",
        path: ["keys", twice, "id"],
        message: `${ids[twice]} is there twice`,
      });
  });

/** A user's state, checked and completed. */
export type UserState = z.output<typeof userStateSchema>;
/** A user's state as it is written: see the defaults of {@link userStateSchema}. */
export type UserStateInput = z.input<typeof userStateSchema>;
export type KeyState = UserState["keys"][number];
export type RecordState = z.output<typeof recordSchema>;

/** A state that is none: one message that names each wrong place and what belongs there. */
export class StateError extends Error {
  override readonly name = "StateError";
}

/**
 * Checks a state.
 * @throws StateError
 */
export function parseState(value: unknown): UserState {
  const parsed = userStateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StateError([...new Set(parsed.error.issues.flatMap(problems))].join("; "));
}

function problems(issue: z.core.$ZodIssue): string[] {
  const at = place(issue.path);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${place([...issue.path, key])}: not known here`);
  // The record's own problems are worth more than "none of the forms fits".
  if (issue.code === "invalid_union") {
    const inner = issue.errors
      .flat()
      .filter(({ path, code }) => path.length > 0 || code === "unrecognized_keys");
    const own = inner.filter(({ path }) => path.at(-1) !== "error");
    if (own.length > 0)
      return own.flatMap((each) =>
        problems({ ...each, path: [...issue.path, ...each.path] } as z.core.$ZodIssue),
      );
  }
  return [`${at}: ${issue.message}`];
}

function place(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "") || "the state";
}
