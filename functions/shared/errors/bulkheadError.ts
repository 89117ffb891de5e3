/**
 * The base of the functions' own errors. The message is written by this project and never holds anything that came from outside (an event,
 * an answer, a secret), so it may be logged; what did come from outside is the cause, which is not.
 */
export class BulkheadError extends Error {
  override readonly name: string = "BulkheadError";

  /**
   * @param code short, stable, in kebab-case: what logs and metrics are searched for
   * @param message what failed and what to do; safe to log
   * @param options cause: the error that led to this one
   */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
