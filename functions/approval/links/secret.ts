/** What stands in a mail and nowhere else: a link's id and its code. Stored are only hashes of them. */
import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

/** A new link's secrets. They exist in the memory of the sender and in the message. */
export interface LinkSecret {
  /** 256 random bits in base64url: 43 characters. */
  readonly id: string;
  /** Six digits, which have to be typed. */
  readonly code: string;
}

/** Makes a link's secrets. */
export function newLinkSecret(): LinkSecret {
  return { id: randomBytes(32).toString("base64url"), code: String(randomInt(1_000_000)).padStart(6, "0") };
}

/** Whether a text has the form of a link's id. */
export function isLinkId(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** What a link is stored under: SHA-256 of its id, in hex. Who can read the table cannot make a link from it. */
export function linkHash(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

/** What a code is stored as. The id is the key, so that nobody can try the million codes without having the link. */
export function codeHash(id: string, code: string): string {
  return createHmac("sha256", id).update(code).digest("hex");
}

/** A typed code as digits: white space and hyphens are dropped, digits of full width (as Chinese keyboards give) are taken for what they are. */
export function typedCode(text: string): string {
  return text.normalize("NFKC").replace(/[\s-]/g, "");
}

/** A code as people read it: `123 456`. */
export function readableCode(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

/** Compares two hashes in hex without telling by the time taken where they differ. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "hex"), Buffer.from(other, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
}
