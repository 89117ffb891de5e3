/** What the command's exit codes mean; `bulkhead --help` prints this table. */
export const EXIT_CODES = {
  /** Done, and everything is as it should be. */
  ok: 0,
  /** Done as asked, but with a bad result: a drill's step failed, a cell does not answer. */
  failed: 1,
  /** Nothing was done: an argument or a configuration value is wrong. */
  usage: 2,
  /** Nothing was done: something is missing on this machine (Python, a free port, the network). */
  environment: 3,
  /** Stopped by a signal (Ctrl-C); what had been started was stopped. */
  interrupted: 130,
} as const;

/** An error whose message is all that the user needs to see, with the exit code that it leads to. */
export class CliError extends Error {
  override readonly name = "CliError";
  constructor(
    readonly exitCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
