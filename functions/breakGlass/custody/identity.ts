import type { Secret } from "./secret";

/** An MFA device that is enabled for a user. */
export interface EnabledDevice {
  serialNumber: string;
  /** When it was enabled, ISO 8601 in UTC. Empty if IAM does not say. */
  enabledAt: string;
}

/** A virtual device that was just made. The seed is to be shown once and wiped. */
export interface NewTotpDevice {
  serialNumber: string;
  /** In base32, as an authenticator takes it. */
  seed: Secret;
}

/**
 * What custody needs of IAM's users. Every method throws CustodyError; of those that change something, `iam-unavailable` says that it is not
 * known whether the change was made, and every other code that it was not.
 */
export interface Identity {
  /** Makes sure that IAM answers, the user has a console password, and this machine's clock is right. */
  checkPassword(userName: string): Promise<void>;
  /** Sets the password once, without trying again by itself: whoever retries has to know how often it was sent. */
  setPassword(userName: string, password: Secret): Promise<void>;
  /** The user's enabled devices. */
  devices(userName: string): Promise<EnabledDevice[]>;
  /** Serial numbers of the account's virtual devices that no user has. */
  unassignedDevices(): Promise<string[]>;
  /** @throws CustodyError `device-exists` when a device of that name and path exists */
  createTotpDevice(name: string, path: string): Promise<NewTotpDevice>;
  /** @throws CustodyError `wrong-codes`, `device-limit` */
  enableTotpDevice(userName: string, serialNumber: string, codes: readonly [string, string]): Promise<void>;
  /** Takes a device away from its user; one that the user does not have is no error. A security key is gone then. */
  deactivateDevice(userName: string, serialNumber: string): Promise<void>;
  /** Deletes a virtual device that no user has; one that does not exist is no error. */
  deleteTotpDevice(serialNumber: string): Promise<void>;
}
