import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { look } from "../../shared/activation/check";
import { mayAct } from "../../shared/activation/record";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { assumedRole } from "../adapters/assumedRole";
import { AwsAccounts } from "../adapters/awsAccounts";
import { connectCells } from "../adapters/cells";
import { mergeRecords, unfinishedAccounts } from "../adapters/dynamoDbRecords";
import { S3Objects } from "../adapters/objects";
import { readEvent } from "../event";
import { readSettings } from "../settings";
import { type InventoryPorts, type InventoryResult, inventoryEventSchema, takeInventory } from "./inventory";

const settings = readSettings();
const log = createLog();
const cells = connectCells(settings);
const { organization } = settings;

const ports: InventoryPorts = {
  async permission() {
    // Only looks: the role may not write the record, and what has to be noted there, the workers note.
    const own = await look(cells.own);
    if ("unreadable" in own) return { act: false, reason: "own-record-unreadable" };
    const record = own.read;
    const decision = mayAct({ own: record, peer: await look(cells.peer) });
    if (!decision.act) return { act: false, reason: decision.reason };
    return { act: true, epoch: record?.epoch ?? 0 };
  },
  source:
    organization &&
    new AwsAccounts(
      new OrganizationsClient({
        ...clientSettings(),
        credentials: assumedRole(new STSClient(clientSettings()), {
          arn: organization.readerRoleArn,
          externalId: organization.externalId,
          sessionName: "bulkhead-key-inventory",
        }),
      }),
    ),
  objects: new S3Objects(new S3Client(clientSettings()), settings.bucket.name),
  async merge(epoch) {
    try {
      return await mergeRecords(cells.ownRecords, cells.peerRecords, epoch);
    } catch {
      // Then each account's run reads both tables.
      return false;
    }
  },
  unfinished: () => unfinishedAccounts(cells.ownRecords),
  now: () => new Date(),
};

/** Lists the accounts of a run; see {@link takeInventory}. */
export async function handler(event: unknown): Promise<InventoryResult> {
  const result = await takeInventory(readEvent(inventoryEventSchema, event), settings, ports);
  const { runId, state, reason, accounts, leftOut, listFrom } = result;
  log.info("Accounts listed", { runId, state, reason, accounts, leftOut: leftOut.length, listFrom });
  return result;
}
