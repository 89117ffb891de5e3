import { randomInt } from "node:crypto";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { Secret } from "./secret";

/** Length of new passwords in characters: IAM takes up to 128 (fact 26). */
export const PASSWORD_LENGTH = { minimum: 32, maximum: 128, default: 40 } as const;

/**
 * One alphabet for each class that an account's password policy can demand. Characters that look alike on paper (0 O o, 1 l I) are left out,
 * and so are those that some keyboards hide behind dead keys: on the day somebody types this.
 */
const CLASSES = ["abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "!@#$%*()_+-=[]{}"].map(
  (text) => Buffer.from(text, "latin1"),
);
const ALL = Buffer.concat(CLASSES);

/** Source of randomness: a whole number from 0 up to, but not, the limit; every one as likely. */
export type RandomNumber = (limit: number) => number;

/**
 * A random password with characters of all four classes. 40 characters carry more than 240 bits.
 *
 * @param length in characters, 32 to 128
 * @param random @default the system's cryptographic generator
 * @throws BulkheadError `password-length`
 */
export function generatePassword(
  length: number = PASSWORD_LENGTH.default,
  random: RandomNumber = (limit) => randomInt(limit),
): Secret {
  const { minimum, maximum } = PASSWORD_LENGTH;
  if (!Number.isInteger(length) || length < minimum || length > maximum) {
    throw new BulkheadError(
      "password-length",
      `the password length is ${length}: a whole number from ${minimum} to ${maximum}`,
    );
  }
  const bytes = Buffer.alloc(length);
  // Drawn anew until every class is there (nearly always at once), so that every password of that kind is as likely as any other.
  do {
    for (let index = 0; index < length; index++) bytes[index] = ALL[random(ALL.length)]!;
  } while (!CLASSES.every((characters) => bytes.some((byte) => characters.includes(byte))));
  return new Secret(bytes);
}
