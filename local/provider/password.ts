/** Passwords of console users: made here, given away only encrypted. */
import { randomInt } from "node:crypto";
import { StandInError } from "./errors";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const SYMBOLS = "!@#$%^&*()_+-=[]{}|'";
const CLASSES = [LOWER, LOWER.toUpperCase(), "0123456789", SYMBOLS];

/** A password of the given length with at least one character of every class that an account's policy can ask for. */
export function randomPassword(length: number): string {
  const all = CLASSES.join("");
  const pick = (from: string) => from[randomInt(from.length)]!;
  const characters = Array.from({ length }, (_, index) => pick(CLASSES[index] ?? all));
  // The first ones have fixed classes: shuffle (Fisher and Yates).
  for (let index = length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [characters[index], characters[other]] = [characters[other]!, characters[index]!];
  }
  return characters.join("");
}

/** A text that only the owner of a key can read. */
export interface Encrypted {
  /** The binary OpenPGP message in base64, as the genuine provider has it. */
  message: string;
  /** Of the key's primary key, hexadecimal. */
  fingerprint: string;
}

/**
 * Encrypts a text to an OpenPGP public key.
 * @param publicKey the binary key in base64, as the provider's `pgpKey` is
 * @throws StandInError when it is not such a key
 */
export async function encryptTo(publicKey: string, text: string): Promise<Encrypted> {
  // Loading it takes long, and hardly any run needs it.
  const openpgp = await import("openpgp");
  if (publicKey.startsWith("keybase:")) {
    throw new StandInError("pgpKey from Keybase is not implemented; give the public key itself in base64");
  }
  let key: Awaited<ReturnType<typeof openpgp.readKey>>;
  try {
    key = await openpgp.readKey({ binaryKey: new Uint8Array(Buffer.from(publicKey, "base64")) });
  } catch (error) {
    throw new StandInError(
      "pgpKey is not an OpenPGP public key in base64 (gpg --export NAME | base64 --wrap 0)",
      {
        cause: error,
      },
    );
  }
  const binary = await openpgp.encrypt({
    message: await openpgp.createMessage({ text }),
    encryptionKeys: key,
    format: "binary",
  });
  return { message: Buffer.from(binary as Uint8Array).toString("base64"), fingerprint: key.getFingerprint() };
}
