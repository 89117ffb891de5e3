import * as openpgp from "openpgp";

/** A custodian of local mode: keeps the private key for one emergency user's password, as a person would on a token. */
export interface Custodian {
  /** The custodian's address. */
  readonly address: string;
  /** Public key, ASCII-armoured: what goes into the stack's configuration. */
  readonly publicKey: string;
  /**
   * Opens a password: a PGP message, ASCII-armoured, or in base64 as it leaves the stack.
   * @throws Error when the message is not encrypted to this custodian
   */
  decrypt(message: string): Promise<string>;
}

/** Makes a custodian with a new key pair that lives in memory only. */
export async function createCustodian(address: string): Promise<Custodian> {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: "ecc",
    userIDs: [{ email: address }],
    format: "object",
  });
  return {
    address,
    publicKey: publicKey.armor(),
    async decrypt(message) {
      const { data } = await openpgp.decrypt({
        message: message.startsWith("-----")
          ? await openpgp.readMessage({ armoredMessage: message })
          : await openpgp.readMessage({ binaryMessage: Buffer.from(message, "base64") }),
        decryptionKeys: privateKey,
      });
      return data;
    },
  };
}
