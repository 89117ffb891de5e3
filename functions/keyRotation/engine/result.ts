/** What a run found and did in one account. Ids and names, never a secret; small enough to be a step's result. */
export interface AccountResult {
  accountId: string;
  /**
   * `done`; `paused`: nothing was changed because the cell may not act or IAM does not answer, the next run goes on; `failed`: the account
   * could not be worked on.
   */
  status: "done" | "paused" | "failed";
  /** Why it paused or failed: a code. */
  reason?: string;
  /** The time did not suffice: call again. */
  more?: boolean;
  /** Users in the account's credential report, the root user apart. */
  users: number;
  /** Those whose keys were looked at, because something could be due. */
  outcomes: UserOutcome[];
  /** Every key of the account, from the credential report. */
  keys: InventoryKey[];
}

/** What was decided and done about one user. */
export interface UserOutcome {
  userName: string;
  /** The row of the decision table, or `unreadable` when the keys could not be read, `busy` when another run is at it. */
  row: string;
  why: string;
  /** What enforce mode does, as the decision's `actions`. */
  due: string[];
  /** What was done of it. */
  done: string[];
  /** What failed, as ACTION:KEY, with the failure's code. */
  failed: { action: string; code: string }[];
  /** What was handed over to be told to owners. */
  told: string[];
  /** What stands in the way, told before or not: errors in reading, tags and times that cannot be right, what an owner has to decide. */
  reports: string[];
}

/** A key for the inventory. Its id is known only when its user's keys were listed. */
export interface InventoryKey {
  userName: string;
  /** Empty: not listed. */
  id: string;
  active: boolean;
  /** In days, with one decimal place. */
  ageDays: number;
  /** null: never; -1: not known. */
  lastUsedDaysAgo: number | null;
  /** Address in the user's owner tag; empty: none, or not read. */
  owner: string;
}
