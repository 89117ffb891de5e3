/**
 * A custodian's PGP public key in the form that IAM login profiles take: the binary key in base64. Accepts that form and ASCII armour
 * (RFC 9580, section 6).
 *
 * @param who names the custodian in error messages
 * @throws Error when the text is not a public key, above all when it is a private one.
 */
export function pgpPublicKeyBase64(text: string, who: string): string {
  const trimmed = text.trim();
  if (/BEGIN PGP PRIVATE KEY/.test(trimmed)) {
    throw new Error(
      `the PGP key of ${who} is a private key, which must never leave its owner: give the public one (gpg --armor --export)`,
    );
  }
  if (/^keybase:/i.test(trimmed)) {
    throw new Error(
      `the PGP key of ${who} is a reference to Keybase: give the public key itself, so that no other service is needed`,
    );
  }
  const armored =
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----\s*\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----$/.exec(trimmed);
  // Armour: headers (each with a colon) end with an empty line; the checksum is a line of its own that begins with "=".
  const body = armored
    ? armored[1]!
        .split(/\r?\n/)
        .filter((line) => !/^\s*$|: |^=/.test(line))
        .join("")
    : trimmed.replace(/\s+/g, "");
  const bytes = Buffer.from(body, "base64");
  // The first packet of a transferable public key is a public-key packet, tag 6, in the old or the new packet format (section 4.2).
  const isPublicKey = bytes.length > 0 && [0x98, 0x99, 0x9a, 0xc6].includes(bytes[0]!);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || !isPublicKey) {
    throw new Error(
      `the PGP key of ${who} is not a public key: give the output of gpg --armor --export, or the same key in base64`,
    );
  }
  return body;
}
