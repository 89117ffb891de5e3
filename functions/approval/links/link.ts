import * as z from "zod";

/**
 * What a link is for.
 * - `confirm`: the operator says that they meant it, or not
 * - `decide`: an approver approves or denies
 * - `execute`: the operator's last word
 * - `form`: the operator fills in what the denied call's record did not say
 * - `status`: to look only
 */
export const PURPOSES = ["confirm", "decide", "execute", "form", "status"] as const;
export type Purpose = (typeof PURPOSES)[number];

const time = z.number().int().nonnegative();

/** What a stored link has to look like. */
export const linkSchema = z.object({
  /** See linkHash. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  requestId: z.string().min(1).max(64),
  /** The one person, by their id in the directory, who can use it. */
  person: z.string().min(1).max(64),
  purpose: z.enum(PURPOSES),
  /** The level that the person is asked on, from 0; only for `decide`. */
  level: z.number().int().nonnegative().optional(),
  /** The cell that issued it; no other one takes it, since conditional writes of two regions do not know of each other (fact 32). */
  cell: z.string().min(1).max(32),
  issuedAt: time,
  /** When it ends: the deadline of its stage. In milliseconds since 1970. */
  expiresAt: time,
  /** See codeHash. Absent for `status`, which only shows. */
  codeHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** How often a code was tried. */
  attempts: z.number().int().nonnegative(),
  /** Whether a new mail was asked for in place of this one. */
  renewed: z.boolean(),
  /** How many mails were asked for before this one. */
  renewals: z.number().int().nonnegative(),
  /** What it was used for. */
  spent: z.object({ at: time, action: z.string().min(1).max(32) }).optional(),
  /** For `form`: what is known of the denied call. */
  draft: z
    .object({
      /** Name in the catalogue. */
      event: z.string().min(1).max(128),
      account: z.string().regex(/^\d{12}$/),
      region: z.string().min(1).max(32),
    })
    .optional(),
});

/** A link as it is stored. */
export type Link = z.infer<typeof linkSchema>;

/** How often a code may be tried. With a million codes, and a link that has to be known too, guessing is hopeless. */
export const MAX_ATTEMPTS = 5;

/** How often a person may ask for a new mail for the same thing. */
export const MAX_RENEWALS = 3;
