/** The component library: what a platform team imports. */
export { ActivationRecord, type ActivationRecordArgs } from "./activation/activationRecord";
export type { PeerArgs } from "./activation/peer";
export { ApprovalWorkflow } from "./approvalWorkflow/approvalWorkflow";
export type {
  ApprovalChatArgs,
  ApprovalDomainArgs,
  ApprovalMailArgs,
  ApprovalPagesArgs,
  ApprovalRiskArgs,
  ApprovalSignInArgs,
  ApprovalSlackArgs,
  ApprovalSnapshotArgs,
  ApprovalWorkflowArgs,
  RiskModelArgs,
  RiskTagArgs,
  WorkingHoursArgs,
} from "./approvalWorkflow/args";
export {
  type ApprovalAccess,
  approvalForwardingRequests,
  approvalPolicyRequests,
  approvalRoleRequests,
} from "./approvalWorkflow/requests";
export { AuditTrail, type AuditTrailArgs } from "./breakGlassAccount/auditTrail";
export {
  BreakGlassAccount,
  type BreakGlassAccountArgs,
  type EmergencyUserArgs,
} from "./breakGlassAccount/breakGlassAccount";
export {
  BreakGlassMonitor,
  type BreakGlassMonitorArgs,
  monitorForwardingRequests,
  type UseTrackingArgs,
} from "./breakGlassAccount/breakGlassMonitor";
export { BreakGlassRecords, type BreakGlassRecordsArgs } from "./breakGlassAccount/breakGlassRecords";
export {
  BreakGlassSteward,
  type BreakGlassStewardArgs,
  type ExpectedPasswordPolicyArgs,
} from "./breakGlassAccount/breakGlassSteward";
export type { PasswordPolicyArgs } from "./breakGlassAccount/passwordPolicy";
export {
  EmergencyPasswordRotation,
  type EmergencyPasswordRotationArgs,
} from "./breakGlassAccount/passwordRotation";
export { SignInForwarding, type SignInForwardingArgs } from "./breakGlassAccount/signInForwarding";
export type { AccountTagArgs, KeyRotatorArgs, OwnerMailArgs, SecretReplicaArgs } from "./keyRotator/args";
export { KeyRotator } from "./keyRotator/keyRotator";
export { type KeyRotatorAccess, keyRotatorRoleRequests } from "./keyRotator/requests";
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
} from "./memberAccess/managementAccess";
export {
  MemberAccess,
  type MemberAccessArgs,
  type MemberProvider,
  type MemberRequestsArgs,
  memberAccessByProviders,
} from "./memberAccess/memberAccess";
export { organizationReaderRoleArn } from "./memberAccess/organizationReader";
export type {
  EventForwardingRequest,
  MemberStatement,
  PolicyRequest,
  RoleRequest,
} from "./memberAccess/requests";
export type { ChatArgs, MailArgs, SmtpArgs } from "./notification/channels";
export { Notification, type NotificationArgs } from "./notification/notification";
export type { CellArgs } from "./regional/cell";
export { CellKey, type CellKeyArgs } from "./regional/cellKey";
export * from "./regional/partition";
export { PrivateNetwork, type PrivateNetworkArgs } from "./regional/privateNetwork";
export { RegionalProvider, type RegionalProviderArgs } from "./regional/regionalProvider";
