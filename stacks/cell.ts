import type * as pulumi from "@pulumi/pulumi";
import { ActivationRecord } from "../components/activation/activationRecord";
import { BreakGlassRecords } from "../components/breakGlassAccount/breakGlassRecords";
import { EventHub } from "../components/memberAccess/eventHub";
import { Notification } from "../components/notification/notification";
import type { CellArgs } from "../components/regional/cell";
import { CellKey } from "../components/regional/cellKey";
import { consoleSignInUrl, stsEndpointUrl } from "../components/regional/partition";
import { PrivateNetwork } from "../components/regional/privateNetwork";
import { RegionalProvider } from "../components/regional/regionalProvider";
import type { StackConfig } from "./config";

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
  const alerts = new Notification(
    "alerts",
    {
      cell,
      topicName: `${config.namePrefix}-breakglass-alerts`,
      kmsKeyArn: key.keyArn,
      emails: config.alertEmails,
      ...(config.mailTransport !== "none" && {
        mail: {
          transport: config.mailTransport,
          from: config.mailFrom,
          to: config.mailTo,
          ...(config.mailTransport === "smtp" && {
            smtp: {
              host: config.smtpHost,
              port: config.smtpPort,
              userParameter: config.smtpUserParameter,
              passwordParameter: config.smtpPasswordParameter,
            },
          }),
        },
      }),
      chat: [
        { kind: "slack", webhookParameter: config.slackWebhookParameter },
        { kind: "teams", webhookParameter: config.teamsWebhookParameter },
      ].filter(({ webhookParameter }) => webhookParameter !== ""),
      ...(network && {
        vpc: { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] },
      }),
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
  return { cell, provider, key, alerts, hub, activation, records };
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
      : { vpcId: config.vpcId, subnetIds: config.subnetIds, routeTableIds: config.routeTableIds };
  const organizationId = config.organizationId || undefined;
  return new PrivateNetwork("network", { cell, organizationId, ...parts }, opts);
}

/** The outputs that both stacks have; docs/deployment.md says what they mean. */
export function cellOutputs(
  { cell, key, alerts, hub, activation, records }: ComposedCell,
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
  };
}
