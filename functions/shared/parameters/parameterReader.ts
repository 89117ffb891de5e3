import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { BulkheadError } from "../errors/bulkheadError";

/** Reads secrets that are kept as SecureString parameters. */
export interface ParameterReader {
  /**
   * A parameter's value, decrypted.
   * @throws BulkheadError `parameter-unreadable`
   */
  read(name: string): Promise<string>;
  /** Drops a value that turned out to be wrong, so that the next read asks again: it may have been changed. */
  forget(name: string): void;
}

const FIFTEEN_MINUTES = 15 * 60_000;

/**
 * Reads parameters from Systems Manager and keeps them in memory for 15 minutes. When Systems Manager does not answer, an older value is used
 * rather than none: an alert should get out while services fail.
 */
export class SsmParameterReader implements ParameterReader {
  private readonly values = new Map<string, { value: string; readAt: number }>();

  /**
   * @param client of the function's own region
   * @param now milliseconds, for tests @default the system's clock
   */
  constructor(
    private readonly client: Pick<SSMClient, "send">,
    private readonly now: () => number = Date.now,
  ) {}

  async read(name: string): Promise<string> {
    const known = this.values.get(name);
    if (known && this.now() - known.readAt < FIFTEEN_MINUTES) return known.value;
    try {
      const { Parameter } = await this.client.send(
        new GetParameterCommand({ Name: name, WithDecryption: true }),
      );
      if (!Parameter?.Value) throw new BulkheadError("parameter-empty", `the parameter ${name} is empty`);
      this.values.set(name, { value: Parameter.Value, readAt: this.now() });
      return Parameter.Value;
    } catch (cause) {
      if (known) return known.value;
      throw new BulkheadError(
        "parameter-unreadable",
        `the parameter ${name} cannot be read: it has to exist in the function's region, encrypted by the cell's key or the account's key for SSM`,
        { cause },
      );
    }
  }

  forget(name: string): void {
    this.values.delete(name);
  }
}
