import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { AccountNotices, Notifier } from "../engine/ports";
import { awsCall } from "./calls";

/** SQS's limit of a message is 256 KiB; the same with room to spare. */
const ENTRIES = 400;

/** Hands notices to the notify function's queue: one message for an account and run. */
export class SqsNotifier implements Notifier {
  readonly enabled: boolean;

  constructor(
    private readonly client: Pick<SQSClient, "send">,
    /** Empty: there is no queue, and nobody is told. */
    private readonly queueUrl: string,
  ) {
    this.enabled = queueUrl !== "";
  }

  async send(message: AccountNotices): Promise<void> {
    for (let start = 0; start < message.entries.length; start += ENTRIES) {
      const part = { ...message, entries: message.entries.slice(start, start + ENTRIES) };
      await awsCall("SendMessage", () =>
        this.client.send(
          new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody: JSON.stringify(part) }),
        ),
      );
    }
  }
}
