import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { ApprovalRequest } from "../workflow/request";
import type { RequestStore } from "../workflow/store";
import type { Link } from "./link";

/** What a link is spent on. */
export interface Spending {
  readonly hash: string;
  readonly at: number;
  /** Such as `approve`. */
  readonly action: string;
}

/** Somebody was faster: the link is spent already. */
export class LinkSpent extends BulkheadError {
  override readonly name = "LinkSpent";
  constructor() {
    super("link-spent", "the link is spent already");
  }
}

/** Keeps links beside the requests that they are about. Every method is one atomic write or one consistent read. */
export interface LinkStore {
  /** Keeps a new link. */
  add(link: Link): Promise<void>;
  /** A link by its hash, read consistently. */
  readLink(hash: string): Promise<Link | undefined>;
  /**
   * Takes one of the attempts at a link's code, before the code is looked at: several guesses at the same time get no more attempts than
   * several after one another.
   * @returns false when there is none left, or the link is spent
   */
  takeAttempt(hash: string, most: number): Promise<boolean>;
  /** Takes the one chance to get a new mail in place of this link. @returns false when it was taken, or the link is spent */
  takeRenewal(hash: string): Promise<boolean>;
  /** Spends a link on something other than a change of a request. @returns false when it is spent already */
  spend(spending: Spending): Promise<boolean>;
  /**
   * The requests, such that each replacement also spends the link, both or neither.
   *
   * Its `replace` throws {@link LinkSpent} when the link is spent already.
   */
  spending(spending: Spending): RequestStore;
  /** Remembers a key, such as a signature that must not come twice. @returns false when it was there */
  once(key: string, until: number): Promise<boolean>;
}

/** Lists what is under way. */
export interface OpenRequests {
  /** Requests that are not final, in no particular order. */
  listOpen(): Promise<ApprovalRequest[]>;
}
