import { BulkheadError } from "../errors/bulkheadError";
import type { ParameterReader } from "../parameters/parameterReader";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/** Answers that mean that the address is no longer right. */
const GONE = [401, 403, 404, 410];

/**
 * Posts messages to a chat's webhook. Its address is a secret (whoever has it can post), so it is kept in a parameter and appears in no log
 * and no error.
 */
export class Webhook {
  /**
   * @param parameterName parameter with the address: https, or http on this machine
   * @param timeoutMilliseconds @default 10000
   */
  constructor(
    private readonly parameterName: string,
    private readonly parameters: ParameterReader,
    private readonly timeoutMilliseconds = 10_000,
  ) {}

  /**
   * Posts a JSON document.
   * @throws BulkheadError `webhook-address`, `webhook-unreachable` or `webhook-refused`
   */
  async post(body: unknown): Promise<void> {
    const url = this.checked(await this.parameters.read(this.parameterName));
    const response = await this.request(url, JSON.stringify(body));
    // The answer is of no use, but a connection with an unread one is not given back.
    await response.body?.cancel();
    if (response.ok) return;
    if (GONE.includes(response.status)) this.parameters.forget(this.parameterName);
    throw new BulkheadError(
      "webhook-refused",
      `the webhook of parameter ${this.parameterName} answered with status ${response.status}`,
    );
  }

  private async request(url: URL, body: string): Promise<Response> {
    try {
      return await fetch(url, {
        method: "POST",
        // With a charset: without, Teams counts characters twice against its limit.
        headers: { "content-type": "application/json; charset=utf-8" },
        body,
        // A redirect would hand the message to somebody else.
        redirect: "error",
        signal: AbortSignal.timeout(this.timeoutMilliseconds),
      });
    } catch (cause) {
      throw new BulkheadError(
        "webhook-unreachable",
        `the webhook of parameter ${this.parameterName} did not answer`,
        { cause },
      );
    }
  }

  private checked(text: string): URL {
    const address = text.trim();
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname)))
      return url;
    this.parameters.forget(this.parameterName);
    throw new BulkheadError("webhook-address", `parameter ${this.parameterName} is not an https address`);
  }
}
