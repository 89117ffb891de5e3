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

const ALLOWED: FenceAnswer = { allowed: true };

/**
 * Keeps two cells from doing the same. Each cell serves its own region, whatever the activation records say: approval has no single writer, so that
 * it works on in a region whose neighbour is lost, before anybody has promoted anything. Regions that no cell stands in are the active cell's
 * (docs/activation.md); the other cell's region is so only after an operator has declared it dead. A request that the other cell has opened anew is
 * carried out there only.
 */
export class CellFence implements Fence {
  constructor(private readonly options: CellFenceOptions) {}

  async mayTakeIn(region: string | undefined): Promise<FenceAnswer> {
    const { own, peer } = this.options;
    if (region === own.region) return ALLOWED;
    // The own record only: what two cells take in is carried out by one at most.
    const record = await own.store.read(own.cell);
    if (!record?.active) return standby(record !== undefined);
    if (region !== peer.region || !record.peerRequired) return ALLOWED;
    return { allowed: false, why: `cell ${peer.cell} takes in the calls of its own region`, final: false };
  }

  async mayOpen(region: string): Promise<FenceAnswer> {
    const { own, peer } = this.options;
    if (region === own.region) return ALLOWED;
    const record = await own.store.read(own.cell);
    if (record?.active) return ALLOWED;
    const { why } = standby(record !== undefined);
    return {
      allowed: false,
      why: `${why}, and opens requests for ${own.region} only: ask cell ${peer.cell}`,
      final: false,
    };
  }

  async mayExecute(requestId: string, region: string): Promise<FenceAnswer> {
    const { own, peer, by, requests } = this.options;
    if (region !== own.region) {
      const { decision } = await checkActivation({ own, peer, by });
      if (!decision.act) return { allowed: false, why: REFUSALS[decision.reason], final: false };
    }
    const reopened = await requests.readReopening(requestId);
    if (!reopened) return ALLOWED;
    return {
      allowed: false,
      why: `cell ${peer.cell} has opened it anew as ${reopened.newRequestId}`,
      final: true,
    };
  }
}

function standby(hasRecord: boolean) {
  return { allowed: false, why: REFUSALS[hasRecord ? "standby" : "no-record"], final: false } as const;
}

/** A single cell always acts. */
export const NO_FENCE: Fence = {
  mayTakeIn: async () => ALLOWED,
  mayOpen: async () => ALLOWED,
  mayExecute: async () => ALLOWED,
};
