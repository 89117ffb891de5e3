import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { snsNotice } from "../../shared/notice/snsNotice";
import { appendEverywhere } from "../records/bothCells";
import { DynamoDbEvidenceStore } from "../records/dynamoDbEvidenceStore";
import { DynamoDbUseStore } from "./dynamoDbUseStore";
import { createUseHandler } from "./handle";
import { readUseSettings } from "./settings";
import { UseTracker } from "./tracker";

/** A sign-in with a second factor is two events; the second comes within this time, or did not happen. */
const SIGN_IN_MILLISECONDS = 60_000;
/** Longer than the function may run, shorter than the time between two sweeps. */
const CLAIM_MILLISECONDS = 55_000;

const settings = readUseSettings(process.env);
const log = createLog();
const sns = new SNSClient(clientSettings());
const dynamoDb = new DynamoDBClient(clientSettings());
const evidence = settings.evidence.map(({ cell, region, tableName }) => ({
  cell,
  region,
  store: new DynamoDbEvidenceStore({
    client: region === settings.region ? dynamoDb : new DynamoDBClient(clientSettings(region)),
    tableName,
    region,
  }),
}));

/** Follows the uses of the emergency users: gets their events and others' changes from event rules, and a tick every minute. */
export const handler = createUseHandler({
  log,
  tracker: new UseTracker({
    store: new DynamoDbUseStore(dynamoDb, settings.tableName),
    async publish(notice) {
      await sns.send(new PublishCommand({ TopicArn: settings.topicArn, ...snsNotice(notice) }));
    },
    async recordEvidence(record) {
      if (evidence.length > 0) await appendEverywhere(evidence, record);
    },
    names: settings.names,
    context: {
      cell: settings.cell,
      region: settings.region,
      account: settings.accountId,
      runbookUrl: settings.runbookUrl,
      idleMinutes: Math.round(settings.idleSeconds / 60),
      digestMinutes: Math.round(settings.digestSeconds / 60),
      recordedBy: process.env.AWS_LAMBDA_FUNCTION_NAME ?? "breakglass-use",
    },
    times: {
      digest: settings.digestSeconds * 1000,
      idle: settings.idleSeconds * 1000,
      signIn: SIGN_IN_MILLISECONDS,
      claim: CLAIM_MILLISECONDS,
    },
    log,
    now: Date.now,
  }),
});
