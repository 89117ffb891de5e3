/** What the classification goes by. Only names: what they name may belong to another account or cell, and may be lost. */
export interface WatchNames {
  /** The emergency users. */
  readonly userNames: readonly string[];
  /** IAM path of the users, their policy and their devices, with slashes at both ends. */
  readonly path: string;
  /** First part of the names of everything that Bulkhead makes. */
  readonly namePrefix: string;
  /**
   * The accounts that the cells and the users live in, 12 digits each. What carries no name of its own (keys, the password policy) counts there
   * only.
   * @default any account
   */
  readonly accountIds?: readonly string[];
}

/** The names that hold when nothing else is said: those of a fresh checkout. */
export const DEFAULT_WATCH_NAMES: WatchNames = {
  userNames: ["breakglass-admin-1", "breakglass-admin-2"],
  path: "/break-glass/",
  namePrefix: "bulkhead",
};
