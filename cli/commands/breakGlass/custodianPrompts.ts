import * as readline from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { CliError, EXIT_CODES } from "../../exitCodes";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Questions to whoever runs the command: on a terminal, or answered line by line from standard input. Questions go to standard error, so that
 * standard output holds the result alone.
 *
 * While prompts are open, a signal does not end the process: the question that is waiting fails, so that what was begun can be undone.
 */
export class Prompts {
  private readonly reader: readline.Interface;
  private readonly lines: string[] = [];
  private waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  private ended = false;
  private stopped: CliError | undefined;
  private readonly stopping = new AbortController();
  private readonly stop = () => {
    this.stopping.abort();
    this.stopped ??= new CliError(EXIT_CODES.interrupted, "Stopped.");
    this.waiting?.reject(this.stopped);
  };

  constructor(
    input: NodeJS.ReadStream = process.stdin,
    readonly output: NodeJS.WriteStream = process.stderr,
  ) {
    this.reader = readline.createInterface({ input, output, terminal: Boolean(input.isTTY && output.isTTY) });
    this.reader.on("line", (line) => {
      const { waiting } = this;
      this.waiting = undefined;
      if (waiting) waiting.resolve(line);
      else this.lines.push(line);
    });
    this.reader.on("close", () => {
      this.ended = true;
      this.waiting?.reject(new EndOfInput());
    });
    this.reader.on("SIGINT", this.stop);
    for (const signal of SIGNALS) process.on(signal, this.stop);
  }

  /** Shows a text. */
  say(text: string): void {
    this.output.write(`${text}\n`);
  }

  /**
   * Asks a question.
   * @returns the answer without spaces around it
   * @throws CliError when there is no answer, or somebody stopped the command
   */
  async ask(question: string): Promise<string> {
    try {
      return (await this.line(question)).trim();
    } catch (error) {
      if (!(error instanceof EndOfInput)) throw error;
      throw new CliError(
        EXIT_CODES.usage,
        `Nobody answered "${question.trim()}": standard input has ended. Run the command on a terminal, or give the answers line by line on standard input.`,
      );
    }
  }

  /** Asks for a yes. Anything else is a no. */
  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test(await this.ask(`${question} [yes/no] `));
  }

  /**
   * Waits.
   * @throws CliError when somebody stopped the command
   */
  async pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => {
      throw this.stopped;
    });
  }

  /** Ends the questions. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.stop);
    this.reader.close();
  }

  private line(question: string): Promise<string> {
    if (this.stopped) return Promise.reject(this.stopped);
    const known = this.lines.shift();
    if (known !== undefined) {
      this.say(question);
      return Promise.resolve(known);
    }
    if (this.ended) return Promise.reject(new EndOfInput());
    this.reader.setPrompt(question);
    this.reader.prompt();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }
}

class EndOfInput extends Error {}

/** Runs work with open prompts and closes them in any case. */
export async function withPrompts<T>(work: (prompts: Prompts) => Promise<T>): Promise<T> {
  const prompts = new Prompts();
  try {
    return await work(prompts);
  } finally {
    prompts.close();
  }
}
