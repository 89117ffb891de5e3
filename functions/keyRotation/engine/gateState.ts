import type { GateState } from "./ports";

/** Whether the cell may act: the same rule as the first rows of the decision table. */
export function mayAct(gate: GateState): boolean {
  return gate.active && !gate.higherEpochAtPeer && (gate.peerReadable || !gate.peerRequired);
}

/** Why not: a code. */
export function gateReason(gate: GateState): string {
  if (!gate.active) return "standby";
  return gate.higherEpochAtPeer ? "higher-epoch-at-peer" : "peer-unreadable";
}
