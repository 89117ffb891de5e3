/** Looks for secrets in whatever leaves a program. */

/** The forms in which a secret could stand somewhere. */
export function variants(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  // Within a longer text, base64 depends on the place of the first byte: three ways, without the characters that neighbours share.
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(offset === 0 ? 0 : offset + 1, -1);
  });
  return [
    secret,
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Array.from(bytes).join(","),
  ];
}

/** Those of the secrets that stand in the text, in whatever form. */
export function secretsIn(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => variants(secret).some((variant) => text.includes(variant)));
}
