import * as z from "zod";

const days = z
  .number("a number of days")
  .finite("a finite number of days")
  .positive("more than 0 days")
  .max(3650, "at most 3650 days");

/**
 * When a key is rotated, its predecessor deactivated and deleted, in days of the predecessor's age as it would be if it had been rotated on
 * time. What counts is the distance: deactivation comes `deactivate - rotate` days after the rotation that is on record, deletion
 * `delete - rotate` days after it and at least `delete - deactivate` days after the deactivation.
 */
export const policySchema = z
  .strictObject({
    /** Age at which a key gets a successor. */
    rotate: days.default(90),
    /** Age at which the replaced key is deactivated. */
    deactivate: days.default(100),
    /** Age at which the replaced key is deleted. */
    delete: days.default(110),
    /** Days that the replaced key must not have been used before it is deactivated. */
    idle: z.number("a number of days").min(0, "0 days or more").max(3650, "at most 3650 days").default(3),
  })
  .superRefine((policy, context) => {
    const order = (path: "deactivate" | "delete", than: "rotate" | "deactivate") => {
      if (policy[path] > policy[than]) return;
      context.addIssue({
        code: "custom",
        path: [path],
        message: `${policy[path]} days: more than ${than} (${policy[than]} days)`,
      });
    };
    order("deactivate", "rotate");
    order("delete", "deactivate");
  });

/** Days, see {@link policySchema}. */
export type Policy = z.output<typeof policySchema>;

/** The tag that exempts a user or an account: its value has to be {@link EXEMPT}. */
export const EXEMPT_TAG = "bulkhead:key-rotation";
export const EXEMPT = "exempt";

/**
 * The tag that changes the ages for a user or an account: `60` (the distances stay as they are), or `60/75/90` for rotation,
 * deactivation and deletion.
 */
export const DAYS_TAG = "bulkhead:key-rotation-days";

/** What a user's (or an account's) tags say. */
export type TagVerdict =
  | { exempt: true }
  | { exempt: false; policy: Policy }
  /** A tag whose value is none of those that are known. */
  | { malformed: string };

/**
 * Reads the two tags. Strictly: what is not understood could have meant "leave this alone".
 * @param policy what holds without tags
 */
export function readTags(tags: Readonly<Record<string, string>>, policy: Policy): TagVerdict {
  const exempt = Object.hasOwn(tags, EXEMPT_TAG) ? tags[EXEMPT_TAG] : undefined;
  if (exempt === EXEMPT) return { exempt: true };
  if (exempt !== undefined) return { malformed: EXEMPT_TAG };
  const text = Object.hasOwn(tags, DAYS_TAG) ? tags[DAYS_TAG] : undefined;
  if (text === undefined) return { exempt: false, policy };
  const match = /^([1-9]\d{0,3})(?:\/([1-9]\d{0,3})\/([1-9]\d{0,3}))?$/.exec(text);
  if (!match) return { malformed: DAYS_TAG };
  const rotate = Number(match[1]);
  const wanted = match[2]
    ? { ...policy, rotate, deactivate: Number(match[2]), delete: Number(match[3]) }
    : {
        ...policy,
        rotate,
        deactivate: rotate + (policy.deactivate - policy.rotate),
        delete: rotate + (policy.delete - policy.rotate),
      };
  const parsed = policySchema.safeParse(wanted);
  return parsed.success ? { exempt: false, policy: parsed.data } : { malformed: DAYS_TAG };
}
