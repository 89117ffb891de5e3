import { type Cell, normalizeCell } from "../regional/cell";

/** The other cell of a pair: deployed into the same account, with the same prefix of names. */
export interface PeerArgs {
  /**
   * Required. The other cell's name, that is its stack's.
   * @example "dr"
   */
  name: string;
  /**
   * Required. The other cell's region: another one than the cell's, of the same partition.
   * @example "us-west-2"
   */
  region: string;
}

/**
 * The other cell, by which its resources can be named although it may not exist yet or may be dead.
 *
 * @throws Error when the peer has the cell's own name or region, or a region of another partition.
 */
export function peerOf(cell: Cell, peer: PeerArgs): Cell {
  const other = normalizeCell({ ...cell, name: peer.name, region: peer.region });
  if (other.name === cell.name) {
    throw new Error(`peer.name is "${peer.name}", the cell's own: the name of the other cell`);
  }
  if (other.region === cell.region) {
    throw new Error(
      `peer.region is "${peer.region}", the cell's own: two cells of one region are lost together`,
    );
  }
  if (other.partition !== cell.partition) {
    throw new Error(`peer.region is "${peer.region}": a region of partition ${cell.partition}`);
  }
  return other;
}
