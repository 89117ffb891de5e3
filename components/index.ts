/** The component library: what a platform team imports. */
export { ActivationRecord, type ActivationRecordArgs } from "./activation/activationRecord";
export type { PeerArgs } from "./activation/peer";
export {
  BreakGlassAccount,
  type BreakGlassAccountArgs,
  type EmergencyUserArgs,
} from "./breakGlassAccount/breakGlassAccount";
export {
  BreakGlassMonitor,
  type BreakGlassMonitorArgs,
  monitorForwardingRequests,
} from "./breakGlassAccount/breakGlassMonitor";
export { BreakGlassRecords, type BreakGlassRecordsArgs } from "./breakGlassAccount/breakGlassRecords";
export { functionRoleArn } from "./lambda/functionNames";
export {
  type FunctionStatement,
  type FunctionVpcArgs,
  RegionalFunction,
  type RegionalFunctionArgs,
} from "./lambda/regionalFunction";
export { EventHub, type EventHubArgs, eventHubArn } from "./memberAccess/eventHub";
export {
  ManagementAccess,
  type ManagementAccessArgs,
  organizationReaderRoleArn,
} from "./memberAccess/managementAccess";
export {
  MemberAccess,
  type MemberAccessArgs,
  type MemberProvider,
  type MemberRequestsArgs,
  memberAccessByProviders,
} from "./memberAccess/memberAccess";
export type { EventForwardingRequest, MemberStatement, RoleRequest } from "./memberAccess/requests";
export type { ChatArgs, MailArgs, SmtpArgs } from "./notification/channels";
export { Notification, type NotificationArgs } from "./notification/notification";
export type { CellArgs } from "./regional/cell";
export { CellKey, type CellKeyArgs } from "./regional/cellKey";
export * from "./regional/partition";
export { PrivateNetwork, type PrivateNetworkArgs } from "./regional/privateNetwork";
export { RegionalProvider, type RegionalProviderArgs } from "./regional/regionalProvider";
