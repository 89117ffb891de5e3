import type * as pulumi from "@pulumi/pulumi";
import { ActivationRecord } from "../components/activation/activationRecord";
import type { ApprovalWorkflow } from "../components/approvalWorkflow/approvalWorkflow";
import { AuditTrail } from "../components/breakGlassAccount/auditTrail";
import type { EmergencyUserArgs } from "../components/breakGlassAccount/breakGlassAccount";
import type { UseTrackingArgs } from "../components/breakGlassAccount/breakGlassMonitor";
import { BreakGlassRecords } from "../components/breakGlassAccount/breakGlassRecords";
import { BreakGlassSteward } from "../components/breakGlassAccount/breakGlassSteward";
import { forwardingRegions } from "../components/breakGlassAccount/forwardingRegions";
import { EmergencyPasswordRotation } from "../components/breakGlassAccount/passwordRotation";
import type { KeyRotator } from "../components/keyRotator/keyRotator";
import { EventHub } from "../components/memberAccess/eventHub";
import { organizationReaderRoleArn } from "../components/memberAccess/organizationReader";
import { Notification } from "../components/notification/notification";
import { type CellArgs, normalizeCell, regionalName } from "../components/regional/cell";
import { CellKey } from "../components/regional/cellKey";
import { consoleSignInUrl, stsEndpointUrl } from "../components/regional/partition";
import { PrivateNetwork } from "../components/regional/privateNetwork";
import { RegionalProvider } from "../components/regional/regionalProvider";
import { composeApproval } from "./approval";
import type { StackConfig } from "./config";
import { composeKeyRotation } from "./keys";
import { mailSending } from "./mail";

/** What every cell has, whichever its role. */
export interface ComposedCell {
  cell: CellArgs;
  provider: RegionalProvider;
  key: CellKey;
  alerts: Notification;
  /** Undefined without an organization. */
  hub: EventHub | undefined;
  activation: ActivationRecord;
  records: BreakGlassRecords;
  trail: AuditTrail;
  steward: BreakGlassSteward;
  /** Undefined with keyRotation off. */
  keys: KeyRotator | undefined;
  /** Undefined with approval off. */
  approval: ApprovalWorkflow | undefined;
  /** How the cell's monitor follows uses. */
  tracking: UseTrackingArgs;
}

/** Tags of the configuration (`key=value`) as AWS takes them. */
export function tagsOf({ tags }: StackConfig): Record<string, string> {
  return Object.fromEntries(
    tags.map((tag) => {
      const at = tag.indexOf("=");
      return [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}

/** Composes what both cells have: all of it in the cell's own region, by the cell's own provider. */
export function composeCell(stack: string, config: StackConfig): ComposedCell {
  const cell: CellArgs = {
    name: stack,
    region: config.region,
    accountId: config.accountId,
    namePrefix: config.namePrefix,
    stsEndpoint: config.stsEndpoint,
  };
  const provider = new RegionalProvider("cell", { cell, tags: tagsOf(config) });
  const opts: pulumi.ComponentResourceOptions = { provider };
  const key = new CellKey("key", { cell }, opts);
  const network = composeNetwork(cell, config, opts);
  const vpc = network && {
    subnetIds: network.subnetIds,
    securityGroupIds: [network.functionSecurityGroupId],
  };
  const sending = mailSending(config);
  const alerts = new Notification(
    "alerts",
    {
      cell,
      topicName: `${config.namePrefix}-breakglass-alerts`,
      kmsKeyArn: key.keyArn,
      emails: config.alertEmails,
      ...(sending && { mail: { ...sending, to: config.mailTo } }),
      chat: [
        { kind: "slack", webhookParameter: config.slackWebhookParameter },
        { kind: "teams", webhookParameter: config.teamsWebhookParameter },
      ].filter(({ webhookParameter }) => webhookParameter !== ""),
      ...(vpc && { vpc }),
      logRetentionDays: config.logRetentionDays,
    },
    opts,
  );
  const hub = config.organizationId
    ? new EventHub(
        "hub",
        {
          cell,
          organizationId: config.organizationId,
          kmsKeyArn: key.keyArn,
          alertTopicArn: alerts.topicArn,
        },
        opts,
      )
    : undefined;
  const activation = new ActivationRecord(
    "activation",
    {
      cell,
      peer: { name: config.peerName, region: config.peerRegion },
      kmsKeyArn: key.keyArn,
      initiallyActive: config.role === "primary",
      deletionProtection: config.deletionProtection,
    },
    opts,
  );
  const records = new BreakGlassRecords(
    "records",
    { cell, kmsKeyArn: key.keyArn, deletionProtection: config.deletionProtection },
    opts,
  );
  const trail = new AuditTrail(
    "trail",
    {
      cell,
      userNames: config.emergencyUsers,
      alertTopicArn: alerts.topicArn,
      kmsKeyArn: key.keyArn,
      logRetentionDays: config.logRetentionDays,
      expiryDays: config.trailExpiryDays,
      ...(config.trailObjectLock !== "none" && {
        objectLockMode: config.trailObjectLock,
        objectLockDays: config.trailObjectLockDays,
      }),
      forceDestroy: !config.deletionProtection,
    },
    opts,
  );
  const rotates = config.passwordRotation === "afterUse";
  if (rotates) {
    new EmergencyPasswordRotation(
      "password-rotation",
      {
        cell,
        peer: { name: config.peerName, region: config.peerRegion },
        users: emergencyUsers(config),
        alertTopicArn: alerts.topicArn,
        kmsKeyArn: key.keyArn,
        logRetentionDays: config.logRetentionDays,
        ...(vpc && { vpc }),
      },
      { ...opts, dependsOn: [records, activation] },
    );
  }
  const steward = new BreakGlassSteward(
    "steward",
    {
      cell,
      peer: { name: config.peerName, region: config.peerRegion },
      ownerCell: config.role === "primary" ? stack : config.peerName,
      userNames: config.emergencyUsers,
      alertTopicArn: alerts.topicArn,
      channels: channelsOf(config),
      functions: rotates ? ["breakglass-rotation"] : [],
      ...(hub && { hubBusName: regionalName(normalizeCell(cell), "hub") }),
      signInRegions: forwardingRegions(config.partition, config.signInRegions, [
        config.region,
        config.peerRegion,
      ]),
      ...(config.memberAccess !== "none" && {
        organizationRoleArn: organizationReaderRoleArn(normalizeCell(cell), config.managementAccountId),
      }),
      toleratedScpStatements: config.toleratedScpStatements,
      ...(config.accountPasswordPolicy && {
        passwordPolicy: {
          minimumLength: config.passwordMinimumLength,
          maximumAgeDays: config.passwordMaxAgeDays,
        },
      }),
      passwordMaxAgeDays: config.passwordMaxAgeDays,
      drillMaxAgeDays: config.drillMaxAgeDays,
      kmsKeyArn: key.keyArn,
      logRetentionDays: config.logRetentionDays,
      forceDestroy: !config.deletionProtection,
    },
    opts,
  );
  // What calls any service of other accounts and regions can not in a network that has no way to the internet.
  const outboundVpc = config.network === "existing" ? vpc : undefined;
  const shared = { cell, kmsKeyArn: key.keyArn, alertTopicArn: alerts.topicArn, vpc: outboundVpc };
  const keys = composeKeyRotation(shared, config, { ...opts, dependsOn: [activation] });
  const approval = composeApproval({ ...shared, hubBusName: hub?.busName }, config, {
    ...opts,
    dependsOn: [activation],
  });
  const tracking: UseTrackingArgs = {
    peer: { name: config.peerName, region: config.peerRegion },
    recordEvidence: true,
    digestSeconds: config.digestSeconds,
    idleSeconds: config.useIdleSeconds,
    ...(config.runbookUrl && { runbookUrl: config.runbookUrl }),
    deletionProtection: config.deletionProtection,
    logRetentionDays: config.logRetentionDays,
    ...(vpc && { vpc }),
  };
  return { cell, provider, key, alerts, hub, activation, records, trail, steward, keys, approval, tracking };
}

/** The emergency users and their custodians, of the keys that go together by their order. */
export function emergencyUsers(config: StackConfig): EmergencyUserArgs[] {
  return config.emergencyUsers.map((userName, index) => ({
    userName,
    custodian: config.custodians[index]!,
    pgpPublicKey: config.custodianPgpKeys[index]!,
  }));
}

/** What the alert topic feeds by functions. */
function channelsOf(config: StackConfig): string[] {
  return [
    ...(config.mailTransport === "none" ? [] : ["mail"]),
    ...(config.slackWebhookParameter ? ["slack"] : []),
    ...(config.teamsWebhookParameter ? ["teams"] : []),
  ];
}

function composeNetwork(
  cell: CellArgs,
  config: StackConfig,
  opts: pulumi.ComponentResourceOptions,
): PrivateNetwork | undefined {
  if (config.network === "none") return undefined;
  const parts =
    config.network === "create"
      ? { cidrBlock: config.networkCidr }
      : {
          vpcId: config.vpcId,
          subnetIds: config.subnetIds,
          routeTableIds: config.routeTableIds,
          outboundHttps: config.keyRotation !== "off" || config.approval !== "off",
        };
  const organizationId = config.organizationId || undefined;
  return new PrivateNetwork("network", { cell, organizationId, ...parts }, opts);
}

/** The outputs that both stacks have; docs/deployment.md says what they mean. */
export function cellOutputs(
  { cell, key, alerts, hub, activation, records, trail, steward, keys, approval }: ComposedCell,
  config: StackConfig,
) {
  return {
    cellName: cell.name,
    region: cell.region,
    stsEndpoint: stsEndpointUrl(config.region, config.stsEndpoint),
    signInUrl: consoleSignInUrl(config.accountId, config.region),
    keyArn: key.keyArn,
    alertTopicArn: alerts.topicArn,
    hubBusArn: hub?.busArn,
    activationTableName: activation.tableName,
    recordsTableName: records.tableName,
    trailArn: trail.trailArn,
    trailBucketName: trail.bucketName,
    trailLogGroupName: trail.logGroupName,
    reportsBucketName: steward.reportsBucketName,
    keyRotationStateMachineArn: keys?.stateMachineArn,
    keyRecordsTableName: keys?.recordsTableName,
    keyReportsBucketName: keys?.bucketName,
    keySecretsKeyArn: keys?.secretsKeyArn,
    approvalPagesUrl: approval?.pagesUrl,
    approvalDomainTarget: config.approvalDomain ? approval?.domainTarget : undefined,
    approvalStateMachineArn: approval?.stateMachineArn,
    approvalRequestsTableName: approval?.requestsTableName,
    approvalAuditTableName: approval?.auditTableName,
    approvalDeskFunctionName: approval?.deskFunctionName,
  };
}
