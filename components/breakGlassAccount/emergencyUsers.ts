/** The IAM path of emergency users and of their policy. */
export const DEFAULT_EMERGENCY_PATH = "/break-glass/";

/** What names the emergency users: in the cell that owns them and in every cell that watches them. */
export interface EmergencyUserNames {
  readonly userNames: readonly string[];
  readonly path: string;
  /** The account that the users live in, 12 digits. */
  readonly accountId: string;
}

/** Checks names and path. @throws Error naming the argument, its value and what is allowed. */
export function checkEmergencyUserNames({ userNames, path, accountId }: EmergencyUserNames): void {
  if (userNames.length < 2) {
    throw new Error(
      `${userNames.length} emergency user(s) given: at least 2 are needed, since one password or device may be out of reach`,
    );
  }
  const unfit = userNames.find((name) => !/^[\w+=,.@-]{1,64}$/.test(name));
  if (unfit !== undefined) {
    throw new Error(
      `emergency user name "${unfit}": 1 to 64 characters out of letters, digits and _+=,.@- (IAM's rule)`,
    );
  }
  // IAM takes names that differ only in case for the same name.
  const lowerCase = userNames.map((name) => name.toLowerCase());
  const twice = userNames.find((_, index) => lowerCase.indexOf(lowerCase[index]!) !== index);
  if (twice !== undefined) throw new Error(`emergency user name "${twice}" is given twice`);
  if (!/^\/([\w-]+\/)+$/.test(path)) {
    throw new Error(
      `path is "${path}": it begins and ends with a slash and is not the root, such as /break-glass/`,
    );
  }
  if (!/^\d{12}$/.test(accountId)) throw new Error(`accountId is "${accountId}": an account id of 12 digits`);
}
