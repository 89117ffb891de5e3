import { type Partition, signInRegions } from "../regional/partition";

/**
 * The regions in which SignInForwarding stands: where an emergency user's sign-in or call may be recorded and at least one of the cells does not
 * stand (fact 17). The cells' own are among them, as each tells the other.
 * @param further regions besides those that AWS chooses by itself
 * @param cellRegions the two cells' own regions
 */
export function forwardingRegions(
  partition: Partition,
  further: readonly string[],
  cellRegions: readonly string[],
): string[] {
  return [...new Set([...cellRegions, ...signInRegions(partition), ...further])];
}
