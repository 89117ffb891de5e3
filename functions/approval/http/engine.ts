/** What pages ask of the engine: the part that runs executions, sends messages and makes calls. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";

/** A request that somebody opens by hand; everything in it was checked against the catalogue. */
export interface HandOpened {
  /** A new UUID, or that of the denied call's event, whose form it is. Opening twice with one id opens once. */
  readonly requestId: string;
  /** Id in the directory. */
  readonly person: string;
  readonly service: string;
  readonly api: string;
  /** As planFromInput takes it. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string;
  readonly region: string;
  readonly reason: string;
}

/** What became of it. */
export type OpenedByHand =
  | { readonly opened: true }
  /** There is an open request for the operation already. */
  | { readonly opened: false; readonly reason: "exists" }
  /** It cannot be asked for; why, for people. */
  | { readonly opened: false; readonly reason: "refused"; readonly text: string };

/** A link whose person asks for a new mail. */
export interface Renewal {
  readonly requestId: string;
  readonly person: string;
  readonly purpose: string;
  readonly level?: number;
  /** How many mails were asked for, this one included. */
  readonly renewals: number;
}

/** The engine, as pages see it. */
export interface Engine {
  /** Says that a request has changed. What changed stands in the table; this only makes sure that it is noticed at once. */
  changed(requestId: string, version: number): Promise<void>;
  /** Asks for a new mail in place of a link that ended. */
  renew(renewal: Renewal): Promise<void>;
  open(request: HandOpened): Promise<OpenedByHand>;
}

const openedSchema = z.union([
  z.object({ opened: z.literal(true) }),
  z.object({ opened: z.literal(false), reason: z.literal("exists") }),
  z.object({ opened: z.literal(false), reason: z.literal("refused"), text: z.string() }),
]);

/**
 * The engine as a function of its own, so that what faces the internet needs no permission but to call it. It gets
 * `{"kind": "changed", "requestId", "version"}` and `{"kind": "renew", ...}` asynchronously, `{"kind": "open", ...}` synchronously.
 */
export class LambdaEngine implements Engine {
  constructor(
    private readonly client: Pick<LambdaClient, "send">,
    private readonly functionName: string,
  ) {}

  async changed(requestId: string, version: number): Promise<void> {
    await this.invoke("Event", { kind: "changed", requestId, version });
  }

  async renew(renewal: Renewal): Promise<void> {
    await this.invoke("Event", { kind: "renew", ...renewal });
  }

  async open(request: HandOpened): Promise<OpenedByHand> {
    const answer = await this.invoke("RequestResponse", { kind: "open", ...request });
    const parsed = openedSchema.safeParse(answer);
    if (!parsed.success) {
      throw new BulkheadError(
        "engine-answer",
        `the function ${this.functionName} did not say what became of the request`,
      );
    }
    return parsed.data;
  }

  private async invoke(InvocationType: "Event" | "RequestResponse", payload: object): Promise<unknown> {
    const { FunctionError, Payload } = await this.client.send(
      new InvokeCommand({
        FunctionName: this.functionName,
        InvocationType,
        Payload: Buffer.from(JSON.stringify(payload)),
      }),
    );
    if (FunctionError !== undefined) {
      throw new BulkheadError("engine-failed", `the function ${this.functionName} failed; its log says why`);
    }
    return Payload && Payload.length > 0 ? JSON.parse(Buffer.from(Payload).toString("utf8")) : undefined;
  }
}
