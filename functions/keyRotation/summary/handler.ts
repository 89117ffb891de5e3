import { S3Client } from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { snsNotice } from "../../shared/notice/snsNotice";
import { S3Objects } from "../adapters/objects";
import { readEvent } from "../event";
import { readSettings } from "../settings";
import { type SummaryResult, summarize, summaryEventSchema } from "./summarize";

const settings = readSettings();
const log = createLog();
const sns = new SNSClient(clientSettings());
const ports = {
  objects: new S3Objects(new S3Client(clientSettings()), settings.bucket.name),
  now: () => new Date(),
  async alert(notice: Parameters<typeof snsNotice>[0]) {
    if (settings.alertTopicArn === "") return;
    await sns.send(new PublishCommand({ TopicArn: settings.alertTopicArn, ...snsNotice(notice) }));
  },
};

/** Sums a run up; see {@link summarize}. */
export async function handler(event: unknown): Promise<SummaryResult> {
  const result = await summarize(readEvent(summaryEventSchema, event), settings, ports);
  log.info("Run summed up", { ...result });
  return result;
}
