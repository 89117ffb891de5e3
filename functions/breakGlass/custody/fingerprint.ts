/** A fingerprint in groups of four, as gpg shows it and as people compare it. */
export function groupedFingerprint(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(" ") ?? "";
}
