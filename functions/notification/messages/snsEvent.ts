import * as z from "zod";

const snsEventSchema = z.object({
  Records: z
    .array(
      z.object({
        Sns: z.object({
          MessageId: z.string().min(1),
          Message: z.string(),
          Subject: z.string().nullish(),
          TopicArn: z.string(),
          Timestamp: z.string(),
        }),
      }),
    )
    .min(1),
});

/** One message of a topic. */
export interface SnsMessage {
  /** The same for every delivery of the message. */
  id: string;
  text: string;
  /** Empty if it has none, as messages of event rules. */
  subject: string;
  topicArn: string;
  /** When it was published, in ISO 8601. */
  time: string;
}

/** The messages of an invocation by SNS. Undefined when the event is not one. */
export function readSnsEvent(event: unknown): SnsMessage[] | undefined {
  const parsed = snsEventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  return parsed.data.Records.map(({ Sns }) => ({
    id: Sns.MessageId,
    text: Sns.Message,
    subject: Sns.Subject ?? "",
    topicArn: Sns.TopicArn,
    time: Sns.Timestamp,
  }));
}
