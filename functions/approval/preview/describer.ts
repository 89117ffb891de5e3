import type { PlannedOperation } from "../operations/plan";
import type { PreviewClients } from "./clients";
import type { Inquiry } from "./inquiry";
import type { Subject } from "./preview";

/** Looks at what an operation is about. */
export interface Describer {
  /** The IAM actions that it reads with. */
  readonly actions: readonly string[];
  describe(plan: PlannedOperation, clients: PreviewClients, inquiry: Inquiry): Promise<Subject[]>;
}

/** The text of an input that is known to be one. */
export function inputText({ operation }: PlannedOperation, name: string): string {
  return String(operation.input[name]);
}
