/** The component library: what a platform team imports. */
export {
  BreakGlassAccount,
  type BreakGlassAccountArgs,
  type EmergencyUserArgs,
} from "./breakGlassAccount/breakGlassAccount";
export { BreakGlassMonitor, type BreakGlassMonitorArgs } from "./breakGlassAccount/breakGlassMonitor";
export type { CellArgs } from "./regional/cell";
export { CellKey, type CellKeyArgs } from "./regional/cellKey";
export * from "./regional/partition";
export { PrivateNetwork, type PrivateNetworkArgs } from "./regional/privateNetwork";
export { RegionalProvider, type RegionalProviderArgs } from "./regional/regionalProvider";
