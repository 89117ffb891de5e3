/** A command as it can be pasted into a shell: words with other than plain characters are quoted. */
export function command(...words: string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}

/** Brings a stack back to what its program says, although its state may think that it is so already. */
export function redeploy(stack: string): string {
  return command("pulumi", "up", "--refresh", "-s", stack);
}
