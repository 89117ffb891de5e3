/** The engine's parts with AWS behind them, each for those functions that need it. */
import { BackupClient } from "@aws-sdk/client-backup";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { RDSClient } from "@aws-sdk/client-rds";
import { S3Client } from "@aws-sdk/client-s3";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { activationTableName } from "../../../components/activation/names";
import { normalizeCell } from "../../../components/regional/cell";
import {
  iamControlPlaneRegion,
  organizationsControlPlaneRegion,
  partitionOf,
} from "../../../components/regional/partition";
import type { Side } from "../../shared/activation/check";
import { DynamoDbActivationStore } from "../../shared/activation/dynamoDbActivationStore";
import { clientSettings } from "../../shared/clients/clientSettings";
import { snsNotice } from "../../shared/notice/snsNotice";
import { SsmParameterReader } from "../../shared/parameters/parameterReader";
import { AuditedPast } from "../audit/past";
import { documentSource } from "../directory/documentSource";
import { People } from "../directory/people";
import type { AccessGiver } from "../execute/access";
import type { SessionCredentials } from "../execute/actingCalls";
import { RoleLooker } from "../execute/readers";
import { assume, roleArn } from "../execute/roles";
import { SessionAccess } from "../execute/sessionAccess";
import { sweepRoles, TemporaryRoleAccess } from "../execute/temporaryRole";
import { DynamoDbRequestTable } from "../links/dynamoDbRequestTable";
import { Messenger } from "../messages/messenger";
import { chatsOf, mailerTo } from "../messages/settings";
import { TemplateSource } from "../messages/templateSource";
import { parseArn } from "../operations/values";
import { HttpRiskModel, type RiskModel } from "../risk/riskModel";
import type { ApprovalSettings } from "../settings";
import { BackupSnapshots, ServiceSnapshots, type Snapshots } from "../snapshot/snapshots";
import { DynamoDbEngineItems } from "../store/dynamoDbEngineItems";
import { StageAnnouncer } from "./announcer";
import { composeStore, type Store } from "./composeStore";
import { CellFence, NO_FENCE } from "./fence";
import type { Alerts, EngineParts, Fence, PeerRequests, Units } from "./ports";
import { OrganizationUnits } from "./units";

/** The other cell's requests, from the replica in this region. */
export function composePeer({ client, settings: { peer } }: Store): PeerRequests | undefined {
  if (!peer) return undefined;
  const table = new DynamoDbRequestTable(client, peer.tables.requests);
  const items = new DynamoDbEngineItems(client, peer.tables.requests);
  return {
    cell: peer.name,
    read: (id) => table.read(id),
    readDetails: (id) => table.readDetails(id),
    listOpen: () => table.listOpen(),
    readReopening: (id) => items.readReopening(id),
  };
}

/** The fence between the cells. @param by the function's name, for activation records */
export function composeFence(
  { client, settings }: Store,
  requests: PeerRequests | undefined,
  by: string,
): Fence {
  const { cell, peer } = settings;
  if (!peer || !requests) return NO_FENCE;
  const side = (name: string, region: string, own: DynamoDBClient): Side => {
    const tableName = activationTableName(normalizeCell({ ...cell, name, region }));
    return { cell: name, region, store: new DynamoDbActivationStore({ client: own, tableName, region }) };
  };
  return new CellFence({
    own: side(cell.name, cell.region, client),
    peer: side(peer.name, peer.region, new DynamoDBClient(clientSettings(peer.region))),
    requests,
    by,
  });
}

/** The directory, and what tells people. */
export function composePeople(store: Store) {
  const { settings, log, now, table } = store;
  const { cell, messages, times } = settings;
  const ssm = new SSMClient(clientSettings());
  const documents = { s3: new S3Client(clientSettings()), ssm };
  const parameters = new SsmParameterReader(ssm);
  const people = new People({ source: documentSource(settings.directory, documents), log });
  const messenger = new Messenger({
    cell: cell.name,
    region: cell.region,
    baseUrl: messages.baseUrl,
    timeZone: messages.timeZone,
    language: messages.language,
    acting: messages.acting,
    links: table,
    mailTo: mailerTo(messages, { ses: new SESv2Client(clientSettings()), parameters }),
    templates: new TemplateSource(
      messages.templates === undefined ? undefined : documentSource(messages.templates, documents),
      log,
      now,
    ),
    chats: chatsOf(messages, { parameters }),
    log,
    now,
  });
  const announcer = new StageAnnouncer({ messenger, people, formSeconds: times.confirmation, now });
  return { people, announcer, parameters };
}

/** What opens requests, besides the store and people. */
export function composeOpening(store: Store, parameters: SsmParameterReader) {
  const { settings, auditReader, log } = store;
  const { roles, risk } = settings;
  const sts = new STSClient(clientSettings());
  const snapshots = composeSnapshots(settings, sts);
  return {
    looker: new RoleLooker({ sts, role: roles.reader, externalId: roles.externalId }),
    past: new AuditedPast(auditReader),
    units: composeUnits(settings, sts, log),
    ...(snapshots && { snapshots }),
    ...(risk.model && { model: riskModel(risk.model, parameters) }),
  };
}

/** A model whose authorization is read when it is asked, so that a change of the parameter takes effect. */
function riskModel(
  { url, authorizationParameter }: NonNullable<ApprovalSettings["risk"]["model"]>,
  parameters: SsmParameterReader,
): RiskModel {
  return {
    async assess(features) {
      const authorization =
        authorizationParameter === undefined ? undefined : await parameters.read(authorizationParameter);
      return new HttpRiskModel({ url, ...(authorization !== undefined && { authorization }) }).assess(
        features,
      );
    },
  };
}

function composeUnits({ organization, cell }: ApprovalSettings, sts: STSClient, log: Store["log"]): Units {
  if (!organization) return { of: async () => [] };
  const client = new OrganizationsClient({
    ...clientSettings(organizationsControlPlaneRegion(partitionOf(cell.region))),
    credentials: async () => ({
      ...(await assume(sts, {
        roleArn: organization.readerRoleArn,
        sessionName: "bulkhead-approval-units",
        externalId: organization.externalId,
      })),
      expiration: new Date(Date.now() + 600_000),
    }),
  });
  return new OrganizationUnits(client, log);
}

/** What takes snapshots; nothing when they are never taken. */
export function composeSnapshots(
  { snapshot, roles }: ApprovalSettings,
  sts: STSClient,
): Snapshots | undefined {
  if (snapshot.when === "never") return undefined;
  const clientsOf = async ({ place }: Parameters<Snapshots["proceed"]>[0], requestId: string) => {
    const credentials = await assume(sts, {
      roleArn: roleArn(place, roles.snapshot),
      sessionName: requestId.slice(0, 64),
      externalId: roles.externalId,
    });
    const of = { ...clientSettings(place.region), credentials };
    return { ec2: new EC2Client(of), rds: new RDSClient(of), backup: new BackupClient(of) };
  };
  if (snapshot.by === "service") return new ServiceSnapshots(clientsOf);
  return new BackupSnapshots(clientsOf, {
    vault: snapshot.vault,
    roleArn: ({ place }) => roleArn(place, snapshot.backupRole),
    keepDays: snapshot.keepDays,
  });
}

const iamOf = (
  credentials: SessionCredentials,
  { partition }: { partition: Parameters<typeof iamControlPlaneRegion>[0] },
) => new IAMClient({ ...clientSettings(iamControlPlaneRegion(partition)), credentials });

/** What gives access to the one operation. */
export function composeAccess({ settings }: Store, sts: STSClient): AccessGiver {
  const { execution, roles } = settings;
  if (execution.mode === "session") {
    return new SessionAccess({ sts, role: roles.executor, externalId: roles.externalId });
  }
  let giver: Promise<AccessGiver> | undefined;
  const make = async () =>
    new TemporaryRoleAccess({
      sts,
      iamOf,
      roleManager: roles.roleManager,
      boundary: roles.boundary,
      trusted: await ownRole(sts),
      externalId: roles.externalId,
      propagation: execution.propagation,
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      now: Date.now,
    });
  return {
    async give(plan, requestId, now) {
      giver ??= make();
      giver.catch(() => {
        giver = undefined;
      });
      return (await giver).give(plan, requestId, now);
    },
  };
}

/** The function's own identity, as temporary roles trust it: the session's ARN, which needs no knowledge of the role's path. */
async function ownRole(sts: STSClient): Promise<string> {
  const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
  if (!parseArn(Arn)) throw new Error("STS did not say who this function is");
  return Arn;
}

/** What deletes temporary roles that were left over; nothing in mode `session`. */
export function composeRoleSweep({ settings, auditReader }: Store) {
  const { execution, roles } = settings;
  if (execution.mode === "session") return {};
  const sts = new STSClient(clientSettings());
  return {
    roles: {
      audit: auditReader,
      async sweep({ account, region }: { account: string; region: string }, olderThan: Date) {
        const partition = partitionOf(region);
        const credentials = await assume(sts, {
          roleArn: roleArn({ partition, account }, roles.roleManager),
          sessionName: "bulkhead-approval-sweep",
          externalId: roles.externalId,
        });
        return sweepRoles(iamOf(credentials, { partition }), olderThan);
      },
    },
  };
}

/** What tells the operators of Bulkhead. */
export function composeAlerts({ settings: { alertTopicArn }, log }: Store): Alerts {
  if (alertTopicArn === undefined) {
    return { alert: async ({ title }) => log.warn("there is no topic for an alert", { title }) };
  }
  const sns = new SNSClient(clientSettings());
  return {
    async alert(notice) {
      await sns.send(new PublishCommand({ TopicArn: alertTopicArn, ...snsNotice(notice) }));
    },
  };
}

/** Everything that opens a request. */
export function composeOpener(settings: ApprovalSettings, by: string) {
  const store = composeStore(settings);
  const peer = composePeer(store);
  const { people, announcer, parameters } = composePeople(store);
  const parts: Pick<
    EngineParts,
    | "cell"
    | "settings"
    | "table"
    | "items"
    | "audit"
    | "people"
    | "fence"
    | "executions"
    | "announcer"
    | "log"
    | "now"
  > = { ...store, people, announcer, fence: composeFence(store, peer, by) };
  return {
    ...parts,
    ...composeOpening(store, parameters),
    ...(peer && { peer }),
    auditReader: store.auditReader,
  };
}
