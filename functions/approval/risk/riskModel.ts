import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";

/** What a model gets to know: no names and no texts that somebody chose, only what the call is and how far it reaches. */
export interface RiskFeatures {
  readonly service: string;
  readonly api: string;
  readonly region: string;
  readonly account: string;
  /** Points of each reason that the product's own score has. */
  readonly points: Readonly<Record<string, number>>;
  readonly blastRadius: number;
}

/** Asks a model. */
export interface RiskModel {
  /**
   * @returns from 0 (harmless) to 1
   * @throws BulkheadError when no answer came, or none that can be understood
   */
  assess(features: RiskFeatures): Promise<number>;
}

const answerSchema = z.object({ risk: z.number().min(0).max(1) });

/** What {@link HttpRiskModel} works with. */
export interface HttpRiskModelOptions {
  /** Address of the endpoint; https, so that nobody on the way can lower a score. */
  readonly url: string;
  /**
   * Value of the header `authorization`.
   * @default none
   */
  readonly authorization?: string;
  /** @default 2000 */
  readonly timeoutMilliseconds?: number;
  /** @default the runtime's own */
  readonly fetch?: typeof fetch;
}

/** Most characters of an answer that are read. */
const MAX_ANSWER = 10_000;

/** A model behind an HTTPS endpoint: it gets the features as JSON by POST, and answers `{"risk": 0.7}`. */
export class HttpRiskModel implements RiskModel {
  /** @throws BulkheadError `risk-model-url` when the address is not one of https */
  constructor(private readonly options: HttpRiskModelOptions) {
    if (!URL.canParse(options.url) || new URL(options.url).protocol !== "https:") {
      throw new BulkheadError("risk-model-url", "the risk model's address has to begin with https://");
    }
  }

  async assess(features: RiskFeatures): Promise<number> {
    const { url, authorization, timeoutMilliseconds = 2_000, fetch: send = fetch } = this.options;
    try {
      const response = await send(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(authorization && { authorization }) },
        body: JSON.stringify(features),
        // A redirect could lead anywhere, with the authorization.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMilliseconds),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const text = await response.text();
      if (text.length > MAX_ANSWER) throw new Error("too long");
      return answerSchema.parse(JSON.parse(text)).risk;
    } catch (error) {
      throw new BulkheadError("risk-model-failed", "the risk model gave no answer that can be used", {
        cause: error,
      });
    }
  }
}
