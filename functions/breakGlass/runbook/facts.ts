import {
  iamControlPlaneRegion,
  organizationsControlPlaneRegion,
} from "../../../components/regional/partition";
import { cellsByPreference, type RunbookCell, type RunbookInput } from "./input";

/** The input with what follows from it. */
export interface RunbookFacts {
  input: RunbookInput;
  /** Where IAM's control plane stands (fact 9). */
  iamRegion: string;
  organizationsRegion: string;
  /** Cells in the order in which to sign in. */
  cells: readonly RunbookCell[];
  /** The stack that a command is to name: the cell that is preferred. */
  stack: string;
}

/** Works out what follows from the input. */
export function factsOf(input: RunbookInput): RunbookFacts {
  const iamRegion = iamControlPlaneRegion(input.partition);
  const cells = cellsByPreference(input, iamRegion);
  return {
    input,
    iamRegion,
    organizationsRegion: organizationsControlPlaneRegion(input.partition),
    cells,
    stack: cells[0]!.name,
  };
}
