import * as openpgp from "openpgp";

/** A custodian of local mode: keeps the private key for one emergency user's password, as a person would on a token. */
export interface Custodian {
  /** The custodian's address. */
  readonly address: string;
  /** Public key, ASCII-armoured: what goes into the stack's configuration. */
  readonly publicKey: string;
  /**
   * Opens the password as it leaves the stack: a PGP message in base64.
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
      const binaryMessage = Buffer.from(message, "base64");
      const { data } = await openpgp.decrypt({
        message: await openpgp.readMessage({ binaryMessage }),
        decryptionKeys: privateKey,
      });
      return data;
    },
  };
}
