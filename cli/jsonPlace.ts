/**
 * Where a text stops being JSON, for messages: JSON.parse says it only sometimes.
 * @returns the offset of the first character that does not fit; the text's length if it ends too early; -1 if it is JSON
 */
export function jsonErrorAt(text: string): number {
  const scanner = new Scanner(text);
  return scanner.value() && scanner.end() ? -1 : scanner.at;
}

/** Line and column of an offset, counted from 1. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON's strings hold none of them
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
const SPACE = /[ \t\r\n]*/y;

class Scanner {
  at = 0;
  constructor(private readonly text: string) {}

  end(): boolean {
    this.skip(SPACE);
    return this.at === this.text.length;
  }

  value(): boolean {
    this.skip(SPACE);
    if (this.take("{")) return this.items("}", () => this.string() && this.token(":") && this.value());
    if (this.take("[")) return this.items("]", () => this.value());
    return this.text[this.at] === '"' ? this.string() : this.skip(SCALAR);
  }

  private items(close: string, item: () => boolean): boolean {
    if (this.token(close)) return true;
    do if (!item()) return false;
    while (this.token(","));
    return this.token(close);
  }

  private string(): boolean {
    this.skip(SPACE);
    return this.skip(STRING) && this.take('"');
  }

  private token(character: string): boolean {
    this.skip(SPACE);
    return this.take(character);
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private skip(expression: RegExp): boolean {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found !== undefined;
  }
}
