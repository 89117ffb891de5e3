import { type CheckResult, checkActivation, type Side } from "../../shared/activation/check";
import type { Gate, GateState } from "../engine/ports";

/** What a cell without permission looks like. */
const CLOSED: GateState = {
  active: false,
  higherEpochAtPeer: false,
  peerReadable: false,
  peerRequired: true,
};

/** The gate over the cells' activation records; see docs/activation.md. */
export class ActivationGate implements Gate {
  private result: CheckResult | undefined;

  constructor(
    private readonly own: Side,
    private readonly peer: Side,
    /** Recorded as `changedBy`, if the record has to change. */
    private readonly by: string,
  ) {}

  async check(): Promise<GateState> {
    this.result = undefined;
    try {
      this.result = await checkActivation({ own: this.own, peer: this.peer, by: this.by });
    } catch {
      return CLOSED;
    }
    const { decision, own, peer } = this.result;
    if (decision.act) {
      return {
        active: true,
        higherEpochAtPeer: false,
        peerReadable: !("unreadable" in peer),
        peerRequired: own?.peerRequired ?? true,
      };
    }
    switch (decision.reason) {
      case "no-record":
      case "standby":
        return CLOSED;
      case "peer-unreadable":
        return { active: true, higherEpochAtPeer: false, peerReadable: false, peerRequired: true };
      default:
        return { active: true, higherEpochAtPeer: true, peerReadable: true, peerRequired: true };
    }
  }

  /** The cell's epoch at the last check; undefined: not known. */
  get epoch(): number | undefined {
    return this.result?.own?.epoch;
  }

  /** Whether the other cell has to be read: not when its region was declared dead and has not been seen since. */
  get peerHasToAnswer(): boolean {
    return this.result?.own?.peerRequired ?? true;
  }
}
