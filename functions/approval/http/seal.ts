import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { ParameterReader } from "../../shared/parameters/parameterReader";

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Fewest bytes of a key. */
const KEY_BYTES = 32;

/**
 * Seals what a browser keeps for this program: encrypted and authenticated (AES-256-GCM), for one purpose, until a time.
 *
 * The key is a SecureString parameter: 32 random bytes or more in base64. Several, separated by commas, are tried in turn when something is opened,
 * and the first one seals: to change the key, put the new one first, and drop the old one after the longest session.
 */
export class Seal {
  constructor(
    private readonly parameterName: string,
    private readonly parameters: ParameterReader,
    private readonly now: () => number,
  ) {}

  /** @param until milliseconds since 1970 */
  async close(purpose: string, value: object, until: number): Promise<string> {
    const [key] = await this.keys(purpose);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, key!, iv);
    cipher.setAAD(Buffer.from(purpose));
    const text = JSON.stringify({ until, value });
    return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
      "base64url",
    );
  }

  /** What was sealed for this purpose; undefined when it was not, when it is too old, or when somebody changed it. */
  async open(purpose: string, sealed: string): Promise<unknown> {
    const bytes = Buffer.from(sealed, "base64url");
    // One way of writing it only: else some changes of its last character would go unnoticed.
    if (bytes.length < IV_BYTES + TAG_BYTES || bytes.toString("base64url") !== sealed) return undefined;
    for (const key of await this.keys(purpose)) {
      try {
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(purpose));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
        const { until, value } = JSON.parse(text.toString("utf8")) as { until: number; value: unknown };
        return this.now() < until ? value : undefined;
      } catch {
        // Another key's, or nobody's.
      }
    }
    return undefined;
  }

  private async keys(purpose: string): Promise<Buffer[]> {
    const text = await this.parameters.read(this.parameterName);
    const keys = text
      .split(",")
      .map((each) => Buffer.from(each.trim(), "base64"))
      .filter((key) => key.length > 0);
    if (keys.length === 0 || keys.some((key) => key.length < KEY_BYTES)) {
      this.parameters.forget(this.parameterName);
      throw new BulkheadError(
        "seal-key",
        `the parameter ${this.parameterName} has to hold ${KEY_BYTES} random bytes or more in base64 (openssl rand -base64 32)`,
      );
    }
    return keys.map((key) => Buffer.from(hkdfSync("sha256", key, "", `bulkhead-approval:${purpose}`, 32)));
  }
}
