import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SSMClient } from "@aws-sdk/client-ssm";
import * as z from "zod";
import { clientSettings } from "../../shared/clients/clientSettings";
import { errorFields } from "../../shared/errors/errorFields";
import { createLog } from "../../shared/logging/logger";
import { SsmParameterReader } from "../../shared/parameters/parameterReader";
import { DynamoDbClaims } from "../adapters/dynamoDbClaims";
import { createSender } from "../adapters/mailers";
import { S3Objects } from "../adapters/objects";
import { templateReader } from "../adapters/templates";
import { readEvent } from "../event";
import { readSettings } from "../settings";
import { deliver } from "./deliver";
import { accountNoticesSchema } from "./message";

const eventSchema = z.object({
  Records: z.array(z.object({ messageId: z.string(), body: z.string() })).min(1),
});

const settings = readSettings();
const log = createLog();
const ports = {
  claims: new DynamoDbClaims(new DynamoDBClient(clientSettings()), settings.records.tableName),
  template: templateReader(
    new S3Objects(new S3Client(clientSettings()), settings.bucket.name),
    settings.bucket.prefix,
    settings.mail.templates,
    log,
  ),
  send: createSender(settings.mail.transport, {
    ses: new SESv2Client(clientSettings()),
    parameters: new SsmParameterReader(new SSMClient(clientSettings())),
  }),
};

/** Mails what the queue brings. Messages that fail come back, and in the end go to the dead letters. */
export async function handler(event: unknown): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of readEvent(eventSchema, event).Records) {
    try {
      const notices = accountNoticesSchema.parse(JSON.parse(body));
      const result = await deliver(notices, settings.mail, ports);
      log.info("Notices delivered", { runId: notices.runId, account: notices.accountId, ...result });
    } catch (error) {
      log.error("Notices not delivered", { message: messageId, ...errorFields(error) });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}
