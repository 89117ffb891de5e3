import type { Log } from "../../shared/logging/logger";
import type { ParameterReader } from "../../shared/parameters/parameterReader";
import type { Directory } from "../directory/directory";
import type { Language } from "../directory/document";
import type { ActivePeople } from "../directory/people";
import type { LinkStore, OpenRequests } from "../links/store";
import type { OperationDefinition } from "../operations/definition";
import type { DetailsStore } from "../pages/details";
import type { RequestStore } from "../workflow/store";
import type { Engine } from "./engine";
import type { Seal } from "./seal";
import type { Sessions } from "./session";
import type { SignIn } from "./signIn";
import type { SlackAnswers } from "./slack";

/**
 * How people show that it is they who act.
 * - `code`: the code of their mail
 * - `signIn`: they sign in at the identity provider
 * - `either`: either of them, so that approval goes on while the provider is out of reach
 */
export const ACTING = ["code", "signIn", "either"] as const;
export type ActingBy = (typeof ACTING)[number];

/** What the pages work with. */
export interface AppParts {
  readonly cell: string;
  readonly region: string;
  /** Where the pages are reached: https, without a slash at its end. */
  readonly baseUrl: string;
  /** IANA name; times are shown in it beside UTC. */
  readonly timeZone: string;
  readonly language: Language;
  readonly acting: ActingBy;
  /** What can be asked for by hand. */
  readonly operations: readonly OperationDefinition[];
  readonly table: RequestStore & LinkStore & DetailsStore & OpenRequests;
  readonly people: ActivePeople & {
    lately(): Promise<Directory>;
  };
  readonly engine: Engine;
  /** @default nobody can sign in */
  readonly signIn?: { readonly provider: SignIn; readonly sessions: Sessions; readonly seal: Seal };
  /** @default Slack is not listened to */
  readonly slack?: {
    readonly signingSecretParameter: string;
    readonly parameters: ParameterReader;
    /** Id of the workspace; clicks in others are not taken. */
    readonly team: string;
    readonly answers: SlackAnswers;
  };
  readonly log: Log;
  readonly now: () => number;
  /** A new UUID. */
  readonly newId: () => string;
}
