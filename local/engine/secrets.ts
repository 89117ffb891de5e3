/**
 * Pulumi's passphrase secrets provider: AES-256-GCM under a key derived from the passphrase by PBKDF2 (SHA-256, a
 * million rounds). A salt reads `v1:SALT:CHECK`, where CHECK is the word "pulumi" encrypted; a ciphertext reads
 * `v1:NONCE:DATA`, all in base64. Genuine Pulumi reads what this writes, and the other way round.
 */

import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const derive = promisify(pbkdf2);
/** Derived keys of this process, since each costs a good part of a second; from salt and passphrase. */
const keys = new Map<string, Promise<Buffer>>();

/** Encrypts and decrypts under one passphrase and one salt. */
export class Crypter {
  /** Ciphertexts by clear text: a secret that did not change keeps the ciphertext that it has in the file. */
  private readonly known = new Map<string, string>();

  private constructor(
    private readonly key: Buffer,
    /** The whole `v1:...` value, as it stands in `encryptionsalt` and in the state. */
    readonly salt: string,
  ) {}

  /** Opens an existing salt. Throws when it is malformed or the passphrase is another one; `where` names its place. */
  static async open(salt: string, passphrase: string, where: string): Promise<Crypter> {
    const [version, bytes, ...check] = salt.split(":");
    if (version !== "v1" || bytes === undefined || check.length !== 3) {
      throw new Error(`${where}: the encryption salt is malformed; expected v1:SALT:v1:NONCE:DATA`);
    }
    const crypter = new Crypter(await deriveKey(passphrase, bytes), salt);
    try {
      if (crypter.decrypt(check.join(":")) === "pulumi") return crypter;
    } catch {
      // The authentication tag does not fit: the passphrase is wrong. Said below.
    }
    throw new Error(
      `${where}: the passphrase does not fit; set PULUMI_CONFIG_PASSPHRASE to the one it was made with`,
    );
  }

  /** Makes a new salt for a passphrase. */
  static async create(passphrase: string): Promise<Crypter> {
    const bytes = randomBytes(8).toString("base64");
    const key = await deriveKey(passphrase, bytes);
    return new Crypter(key, `v1:${bytes}:${new Crypter(key, "").encrypt("pulumi")}`);
  }

  encrypt(text: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
    const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${data.toString("base64")}`;
  }

  /** The ciphertext that this clear text got before, or a new one. */
  encryptOnce(text: string): string {
    let ciphertext = this.known.get(text);
    if (ciphertext === undefined) {
      ciphertext = this.encrypt(text);
      this.known.set(text, ciphertext);
    }
    return ciphertext;
  }

  /** Tells {@link encryptOnce} of a ciphertext that was read. */
  remember(text: string, ciphertext: string): void {
    this.known.set(text, ciphertext);
  }

  /** Throws when the text was not encrypted under this key or was changed since. */
  decrypt(text: string): string {
    const [version, nonce, data] = text.split(":");
    if (version !== "v1" || nonce === undefined || data === undefined) {
      throw new Error("a ciphertext is malformed; expected v1:NONCE:DATA");
    }
    const bytes = Buffer.from(data, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const clear = [decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()];
    return Buffer.concat(clear).toString("utf8");
  }
}

function deriveKey(passphrase: string, salt: string): Promise<Buffer> {
  const name = `${salt}:${passphrase}`;
  let key = keys.get(name);
  if (key === undefined) {
    key = derive(passphrase, Buffer.from(salt, "base64"), ROUNDS, KEY_BYTES, "sha256");
    keys.set(name, key);
  }
  return key;
}
