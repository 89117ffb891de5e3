import { checkActivation, type Side } from "../../shared/activation/check";
import { REFUSALS } from "../../shared/activation/record";
import type { Fence, FenceAnswer, PeerRequests } from "./ports";

/** What {@link CellFence} works with. */
export interface CellFenceOptions {
  readonly own: Side;
  readonly peer: Side;
  readonly requests: Pick<PeerRequests, "readReopening">;
  /** Recorded as `changedBy`, if the activation record has to change. */
  readonly by: string;
}

/**
 * Keeps two cells from doing the same, by the activation records (docs/activation.md) and by what the other cell wrote of requests that it opened
 * anew. Only the second of the two needs the replication of a table.
 */
export class CellFence implements Fence {
  constructor(private readonly options: CellFenceOptions) {}

  async mayOpen(): Promise<FenceAnswer> {
    const { own } = this.options;
    // The own record only: a request that two cells open is carried out by the active one at most.
    const record = await own.store.read(own.cell);
    return record?.active
      ? { allowed: true }
      : { allowed: false, why: REFUSALS[record ? "standby" : "no-record"], final: false };
  }

  async mayExecute(requestId: string): Promise<FenceAnswer> {
    const { own, peer, by, requests } = this.options;
    const { decision } = await checkActivation({ own, peer, by });
    if (!decision.act) return { allowed: false, why: REFUSALS[decision.reason], final: false };
    const reopened = await requests.readReopening(requestId);
    if (!reopened) return { allowed: true };
    return {
      allowed: false,
      why: `cell ${peer.cell} has opened it anew as ${reopened.newRequestId}`,
      final: true,
    };
  }
}

/** A single cell always acts. */
export const NO_FENCE: Fence = {
  mayOpen: async () => ({ allowed: true }),
  mayExecute: async () => ({ allowed: true }),
};
