import * as z from "zod";
import { type Environment, requiredVariable } from "../../shared/environment";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { LANGUAGES } from "../directory/document";
import { KNOWN_EVENTS, OPERATIONS } from "../operations/catalogue";
import type { OperationDefinition } from "../operations/definition";
import { ACTING } from "./parts";

/** The environment variable with the pages' settings, as JSON. */
export const PAGES_VARIABLE = "APPROVAL_PAGES";

const parameter = z.string().min(1).max(1_011);

/** Settings of the pages. They name parameters, never hold what is in them. */
export const pagesSettingsSchema = z
  .strictObject({
    cell: z.string().min(1).max(32),
    region: z.string().min(1),
    /** Where the pages are reached: https, without a slash at its end. */
    baseUrl: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
    /** IANA name. @default UTC */
    timeZone: z.string().default("UTC").refine(isTimeZone, "an IANA time zone, such as Europe/Berlin"),
    /** @default en */
    language: z.enum(LANGUAGES).default("en"),
    /** See ActingBy. @default code without `oidc`, signIn with it */
    acting: z.enum(ACTING).optional(),
    /** Name of the cell's table of requests. */
    requestsTable: z.string().min(1),
    /** Name of the cell's audit table: what people decide is written there in the same transaction. */
    auditTable: z.string().min(1),
    /** Name of the function that runs executions; see engine.ts for what it is sent. */
    engineFunction: z.string().min(1),
    /** Address of the directory document: `s3://BUCKET/KEY` or `ssm:/NAME`. */
    directory: z.string().min(1),
    /** Events that can be asked for by hand, by the names of the catalogue. @default all of it */
    events: z
      .array(z.enum(KNOWN_EVENTS as [string, ...string[]]))
      .min(1)
      .optional(),
    /**
     * Looks up whether people's IAM users still exist, in these accounts; others than the own one through the role of this name (with its path, without a
     * leading slash). @default not looked up
     */
    iamUsers: z
      .strictObject({
        accounts: z.array(z.string().regex(/^\d{12}$/)).min(1),
        ownAccount: z.string().regex(/^\d{12}$/),
        role: z.string().min(1).optional(),
        /** Whether people count as active while IAM gives no answer. @default false */
        activeWithoutAnswer: z.boolean().default(false),
      })
      .optional(),
    /** SecureString parameter with the key of cookies; see Seal. Required with `oidc`. */
    cookieKeyParameter: parameter.optional(),
    /** Seconds that a session lasts. @default 3600 */
    sessionSeconds: z.int().min(60).max(86_400).default(3_600),
    /** Identity provider; see OidcSettings. @default nobody can sign in */
    oidc: z
      .strictObject({
        issuer: z.url({ protocol: /^https$/ }),
        clientId: z.string().min(1),
        clientSecretParameter: parameter.optional(),
        scopes: z.string().min(1).optional(),
        identityClaim: z.string().min(1).optional(),
        groupsClaim: z.string().min(1).optional(),
        requireVerifiedEmail: z.boolean().optional(),
      })
      .optional(),
    /** Deciding in Slack. @default not possible */
    slack: z
      .strictObject({
        /** SecureString parameter with the app's signing secret. */
        signingSecretParameter: parameter,
        /** Id of the workspace, such as `T02ABCDEF`. */
        team: z.string().regex(/^[TE][A-Z0-9]{2,20}$/),
      })
      .optional(),
  })
  .refine(
    ({ iamUsers }) =>
      !iamUsers || iamUsers.role !== undefined || iamUsers.accounts.every((id) => id === iamUsers.ownAccount),
    { message: "needed for accounts other than the own one", path: ["iamUsers", "role"] },
  )
  .refine(({ oidc, cookieKeyParameter }) => !oidc || cookieKeyParameter !== undefined, {
    message: "needed with oidc",
    path: ["cookieKeyParameter"],
  })
  .refine(({ oidc, acting }) => oidc || acting === undefined || acting === "code", {
    message: "signIn and either need oidc",
    path: ["acting"],
  });

/** Settings of the pages, checked. */
export type PagesSettings = z.output<typeof pagesSettingsSchema>;

/**
 * The settings from the environment.
 * @throws BulkheadError `missing-variable`, or `pages-settings` naming what is wrong
 */
export function readPagesSettings(environment: Environment): PagesSettings {
  const text = requiredVariable(environment, PAGES_VARIABLE);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BulkheadError("pages-settings", `the environment variable ${PAGES_VARIABLE} is not JSON`, {
      cause,
    });
  }
  const parsed = pagesSettingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
  throw new BulkheadError(
    "pages-settings",
    `the environment variable ${PAGES_VARIABLE} is wrong: ${problems.join("; ")}`,
  );
}

/** The operations that can be asked for by hand. */
export function operationsOf({ events }: Pick<PagesSettings, "events">): OperationDefinition[] {
  return OPERATIONS.filter(({ event }) => !events || events.includes(event));
}

/** Whether this runtime knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
