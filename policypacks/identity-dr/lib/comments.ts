/**
 * The text with its comments blanked out, line by line, so that line numbers stay. Knows the comments of shells, YAML, INI files,
 * Dockerfiles, PowerShell, batch files and C-like languages: whole lines, and the rest of a line after ` # ` or ` // ` outside quotes.
 * When quotes do not balance the line is kept: a warning example must not hide a setting.
 */
export function withoutComments(source: string): string {
  return source
    .split("\n")
    .map((line) => (isCommentLine(line) ? "" : withoutTrailingComment(line)))
    .join("\n");
}

function isCommentLine(line: string): boolean {
  return /^\s*(?:#|;|::|rem\s|\/\/(?!sts)|<!--.*-->\s*$)/i.test(line);
}

function withoutTrailingComment(line: string): string {
  if (!/\s(?:#|\/\/)/.test(line)) return line;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] as string;
    if (character === "\\") {
      index++;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'" || character === "`") {
      quote = character;
    } else if (index > 0 && /\s/.test(line[index - 1] as string)) {
      if (character === "#" || /^\/\/\s/.test(line.slice(index, index + 3))) return line.slice(0, index);
    }
  }
  return line;
}
