import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { activationTableName } from "../../../components/activation/names";
import { normalizeCell } from "../../../components/regional/cell";
import type { Side } from "../../shared/activation/check";
import { DynamoDbActivationStore } from "../../shared/activation/dynamoDbActivationStore";
import { clientSettings } from "../../shared/clients/clientSettings";
import type { KeyRotationSettings } from "../settings";
import type { RecordTable } from "./dynamoDbRecords";

/** Both cells, as a function of one of them reaches them: activation records and rotation records. */
export interface Cells {
  own: Side;
  peer: Side;
  ownRecords: RecordTable;
  peerRecords: RecordTable;
}

/** Clients for the tables of both cells. */
export function connectCells({ cell, peer, records }: KeyRotationSettings): Cells {
  const ownClient = new DynamoDBClient(clientSettings(cell.region));
  const peerClient = new DynamoDBClient(clientSettings(peer.region));
  const side = (name: string, region: string, client: DynamoDBClient): Side => {
    const tableName = activationTableName(normalizeCell({ ...cell, name, region }));
    return { cell: name, region, store: new DynamoDbActivationStore({ client, tableName, region }) };
  };
  return {
    own: side(cell.name, cell.region, ownClient),
    peer: side(peer.name, peer.region, peerClient),
    ownRecords: { client: ownClient, tableName: records.tableName },
    peerRecords: { client: peerClient, tableName: records.peerTableName },
  };
}
