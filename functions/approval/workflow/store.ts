import type { ApprovalRequest, State } from "./request";

/** What became of an attempt to open a request. */
export type Opening =
  | { readonly opened: true }
  /** The same event came before. */
  | { readonly opened: false; readonly existing: ApprovalRequest };

/** Keeps requests. */
export interface RequestStore {
  /**
   * Opens a request. Atomic: of several at the same time, with the same id or for the same operation, one is opened.
   * @returns the request that there is already, of the same id or an open one for the same operation
   */
  open(request: ApprovalRequest): Promise<Opening>;
  /** A request by its id, read consistently. */
  read(id: string): Promise<ApprovalRequest | undefined>;
  /**
   * Writes a request, if state and version are still the expected ones. A final request gives its operation free again in the same write.
   * @returns whether it was written
   */
  replace(
    next: ApprovalRequest,
    expected: { readonly state: State; readonly version: number },
  ): Promise<boolean>;
}
