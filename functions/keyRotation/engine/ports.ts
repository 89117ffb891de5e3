import type { StoredRecord } from "./record";

/** An access key as IAM lists it. */
export interface ListedKey {
  id: string;
  status: "Active" | "Inactive";
  createdAt: Date;
}

/** A key just made: the only moment at which its secret can be read. */
export interface CreatedKey {
  id: string;
  secret: string;
  createdAt: Date;
}

/** What IAM knows of a user besides keys. */
export interface UserDetails {
  arn: string;
  path: string;
  groups: string[];
  tags: Record<string, string>;
}

/**
 * IAM of one account. Every method is one call and throws {@link CallFailure}; none tries again by itself. `createAccessKey` least of all:
 * sent twice it makes two keys.
 */
export interface Iam {
  /** `GenerateCredentialReport`. */
  generateReport(): Promise<"STARTED" | "INPROGRESS" | "COMPLETE">;
  /** `GetCredentialReport`; undefined: not there yet, or too old. */
  getReport(): Promise<{ csv: string; generatedAt: Date } | undefined>;
  /** One page of `GetAccountAuthorizationDetails` with users and groups. */
  details(
    marker?: string,
  ): Promise<{ users: ({ name: string } & UserDetails)[]; groups: string[]; next?: string }>;
  listKeys(userName: string): Promise<ListedKey[]>;
  /** null: never used. Good to 15 minutes (fact 34). */
  lastUsed(keyId: string): Promise<Date | null>;
  createKey(userName: string): Promise<CreatedKey>;
  deactivateKey(userName: string, keyId: string): Promise<void>;
  deleteKey(userName: string, keyId: string): Promise<void>;
}

/** Secrets Manager where the keys are stored. Names are the whole names. */
export interface Secrets {
  /** Ids of the secret's versions that have a stage, AWSCURRENT or AWSPREVIOUS; undefined: there is no such secret. */
  versions(name: string): Promise<string[] | undefined>;
  /** Makes the secret, with its replicas and without a value. @throws CallFailure `exists` */
  create(name: string, tags: Record<string, string>): Promise<void>;
  putPolicy(name: string, policy: string): Promise<void>;
  /**
   * Stores a value as the current one. The same token with the same value again changes nothing.
   * @throws CallFailure `missing` when there is no such secret
   */
  putValue(name: string, token: string, value: string): Promise<void>;
}

/** The rotation records. */
export interface Records {
  /**
   * Every record of an account.
   * @param merged whether this cell's table is known to hold all that the other one does; if not, the other one is read too, and the later
   * of two records counts.
   * @throws CallFailure when a table that has to answer does not
   */
  read(accountId: string, merged: boolean): Promise<StoredRecord[]>;
  /**
   * Writes what is about to be done, in one call, and notes that the account has unfinished work.
   * @returns names of the users whose record was changed by somebody else since it was read: nothing was written for them.
   */
  announce(accountId: string, records: StoredRecord[]): Promise<Set<string>>;
  /**
   * Writes what was done, here and, if it answers, in the other cell's table.
   * @param finished whether nothing announced is left open
   * @returns as announce
   */
  complete(accountId: string, records: StoredRecord[], finished: boolean): Promise<Set<string>>;
}

/** Whether the cell may act; see docs/activation.md. */
export interface Gate {
  /** Reads both activation records. Never throws: a record that cannot be read is no permission. */
  check(): Promise<GateState>;
}

/** What the activation records say. */
export interface GateState {
  active: boolean;
  higherEpochAtPeer: boolean;
  peerReadable: boolean;
  peerRequired: boolean;
}

/** Hands over what owners are to be told: one message for an account and run. */
export interface Notifier {
  /** Whether there is anybody who passes it on; if not, nothing counts as told. */
  readonly enabled: boolean;
  send(message: AccountNotices): Promise<void>;
}

/** What the owners of one account's keys are told. Ids and names only. */
export interface AccountNotices {
  accountId: string;
  accountName: string;
  accountEmail: string;
  runId: string;
  mode: "audit" | "enforce";
  entries: NoticeEntry[];
}

/** One thing to tell. */
export interface NoticeEntry {
  /** The same for the same thing: it is told once. */
  id: string;
  userName: string;
  /** As in the decision's `notify`, or `failed:ACTION:KEY`. */
  what: string;
  /** The owner's address from the user's tag; empty: none. */
  owner: string;
  /** Name of the secret with the new key; empty: none. */
  secretName: string;
}

/** Time; injected, so that tests can make it pass. */
export interface Clock {
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  /** From 0 to 1, for back-off. */
  random(): number;
}
