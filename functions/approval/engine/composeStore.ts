import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SFNClient } from "@aws-sdk/client-sfn";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { auditJournal, DynamoDbAuditReader, DynamoDbAuditTrail } from "../audit/dynamoDbAudit";
import { DynamoDbRequestTable } from "../links/dynamoDbRequestTable";
import type { ApprovalSettings } from "../settings";
import { DynamoDbEngineItems } from "../store/dynamoDbEngineItems";
import { StepFunctionsExecutions } from "./executions";

/** What every function has. */
export function composeStore(settings: ApprovalSettings) {
  const client = new DynamoDBClient(clientSettings());
  const { cell, tables, peer } = settings;
  return {
    client,
    cell: cell.name,
    settings,
    table: new DynamoDbRequestTable(client, tables.requests, auditJournal(tables.audit, cell.name)),
    items: new DynamoDbEngineItems(client, tables.requests),
    audit: new DynamoDbAuditTrail(client, tables.audit),
    auditReader: new DynamoDbAuditReader(client, [tables.audit, ...(peer ? [peer.tables.audit] : [])]),
    executions: new StepFunctionsExecutions(new SFNClient(clientSettings()), settings.stateMachineArn),
    log: createLog(),
    now: Date.now,
  };
}

/** The same, as a type. */
export type Store = ReturnType<typeof composeStore>;
