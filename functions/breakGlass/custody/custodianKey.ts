import { createMessage, encrypt, type Key, readKey } from "openpgp";
import { pgpPublicKeyBase64 } from "../../../components/breakGlassAccount/pgpPublicKey";
import { CustodyError } from "./custodyError";
import type { Secret } from "./secret";

/** A custodian's public key that was found able to encrypt. */
export interface CustodianKey {
  /** Of the primary key, in upper-case hex: what a custodian compares with `gpg --fingerprint`. */
  readonly fingerprint: string;
  /** The names on the key, such as `Alice <alice@example.com>`. */
  readonly userIds: readonly string[];
  /** When it ends to be usable. Undefined: never. */
  readonly expiresAt?: Date;
  /** A PGP message, ASCII-armoured, that only the owner of the private key can open. */
  encrypt(secret: Secret): Promise<string>;
}

/**
 * Reads a custodian's public key, ASCII-armoured or in base64, and makes sure that it can encrypt now: a key that is revoked, has expired or
 * is for signatures only would lock its owner out.
 *
 * @param who names the custodian in messages
 * @param now @default the system's clock
 * @throws CustodyError `pgp-key`
 */
export async function readCustodianKey(text: string, who: string, now = new Date()): Promise<CustodianKey> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new CustodyError("pgp-key", `The PGP key of ${who} ${why}. Nothing was changed.`, { cause });
  };
  let base64: string;
  try {
    base64 = pgpPublicKeyBase64(text, who);
  } catch (error) {
    throw new CustodyError("pgp-key", `${(error as Error).message}. Nothing was changed.`);
  }
  let key: Key;
  try {
    key = await readKey({ binaryKey: new Uint8Array(Buffer.from(base64, "base64")) });
  } catch (error) {
    return refuse("cannot be read: give the whole output of gpg --armor --export ADDRESS", error);
  }
  if (key.isPrivate()) refuse("is a private key, which must never leave its owner: give the public one");
  if (await key.isRevoked(undefined, undefined, now)) {
    refuse("is revoked: ask them for their present key, and compare its fingerprint with them");
  }
  const expiry = await key.getExpirationTime();
  const expiresAt = expiry instanceof Date ? expiry : undefined;
  if (expiresAt && expiresAt <= now) {
    refuse(
      `expired on ${expiresAt.toISOString().slice(0, 10)}: ask them to prolong it (gpg --quick-set-expire) and to export it again`,
    );
  }
  try {
    // With the key's own time limits; a subkey for encryption can have ended although the primary key has not.
    await key.getEncryptionKey(undefined, now);
  } catch (error) {
    refuse(
      "cannot encrypt: it has no subkey for encryption that is valid now, or one too weak to be used",
      error,
    );
  }
  const armored = (secret: Secret) =>
    createMessage({ binary: secret.bytes() }).then((message) =>
      encrypt({ message, encryptionKeys: key, format: "armored", date: now }),
    );
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    userIds: key.getUserIDs(),
    ...(expiresAt && { expiresAt }),
    async encrypt(secret) {
      try {
        return await armored(secret);
      } catch (error) {
        return refuse("cannot encrypt", error);
      }
    },
  };
}
