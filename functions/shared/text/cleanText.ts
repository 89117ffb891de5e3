// What changes how text looks without being text: control characters, direction overrides (which can turn "evil" names around), zero-width
// characters, and halves of surrogate pairs, which no encoding can carry. Line breaks and tabs are handled apart.
const UNWANTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the purpose
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text without unwanted characters, its line breaks as \n, and at most `limit` UTF-16 units long; longer text ends in "…". */
export function cleanText(text: string, limit: number): string {
  const clean = text.replace(/\r\n?/g, "\n").replace(UNWANTED, "").trim();
  if (clean.length <= limit) return clean;
  // Cut before a surrogate pair, not through it.
  const cut = clean.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "");
  return `${cut.trimEnd()}…`;
}

/** The same on one line. */
export function cleanLine(text: string, limit: number): string {
  return cleanText(text.replace(/[\r\n\t\u2028\u2029]+/g, " "), limit);
}
