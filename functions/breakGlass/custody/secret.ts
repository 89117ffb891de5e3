import { inspect } from "node:util";

const SHOWN = "[secret]";

/**
 * A password or a seed while it is in memory. Whatever shows values (logs, JSON, string templates, console.log, errors) shows `[secret]`.
 *
 * The bytes are overwritten by {@link wipe}. A text made by {@link reveal} cannot be: JavaScript's texts do not change. It is made where a
 * call needs one and kept nowhere, so that it is gone with the next garbage collection.
 */
export class Secret {
  readonly #bytes: Uint8Array;
  #wiped = false;

  /** @param bytes UTF-8; they belong to the secret from now on */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Number of bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * The bytes themselves, not a copy.
   * @throws Error when they were wiped
   */
  bytes(): Uint8Array {
    if (this.#wiped) throw new Error("the secret was wiped: it cannot be used any more");
    return this.#bytes;
  }

  /**
   * The text, for a call that takes nothing else.
   * @throws Error when it was wiped
   */
  reveal(): string {
    return Buffer.from(this.bytes()).toString("utf8");
  }

  /** Overwrites the bytes. May be called twice. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
