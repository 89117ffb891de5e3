import * as zlib from "node:zlib";

/** Bound on what compressed content may grow to, in bytes: a pack must not be stopped by a few bytes of user data. */
const MAX_INFLATED = 4 * 1024 * 1024;

/**
 * A run of base64, also broken over several lines as in MIME parts and YAML blocks. Short runs are left out: what matters here cannot be
 * said in fewer characters.
 */
const BASE64_RUN = /[A-Za-z0-9+/]{16,}={0,2}(?:\r?\n[ \t]*[A-Za-z0-9+/]+={0,2}(?=[ \t]*(?:\r?\n|$)))*/g;

/** Text found inside another, and where it began. */
export interface DecodedText {
  index: number;
  text: string;
}

/** Everything in a text that is readable text in base64, plain or compressed with gzip (user data, MIME parts, cloud-init files). */
export function decodeEmbedded(source: string): DecodedText[] {
  const found: DecodedText[] = [];
  for (const match of source.matchAll(BASE64_RUN)) {
    const text = readable(Buffer.from(match[0], "base64"));
    if (text !== undefined) found.push({ index: match.index, text });
  }
  return found;
}

function readable(bytes: Buffer): string | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return readable(zlib.gunzipSync(bytes, { maxOutputLength: MAX_INFLATED }));
    } catch {
      return undefined;
    }
  }
  // PowerShell's -EncodedCommand is UTF-16: every second byte of ordinary text is zero.
  const text = bytes[1] === 0 && bytes[3] === 0 ? bytes.toString("utf16le") : bytes.toString("utf8");
  const sample = text.slice(0, 4096);
  let odd = 0;
  for (const character of sample) {
    const code = character.codePointAt(0) ?? 0;
    if (code === 0xfffd || (code < 32 && code !== 9 && code !== 10 && code !== 13)) odd++;
  }
  return odd * 20 <= sample.length ? text : undefined;
}
