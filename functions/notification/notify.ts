import { BulkheadError } from "../shared/errors/bulkheadError";
import { errorFields } from "../shared/errors/errorFields";
import type { Log } from "../shared/logging/logger";
import type { Count } from "../shared/logging/metrics";
import type { Channel } from "./channel";
import { parseMessage } from "./messages/parseMessage";
import { readSnsEvent } from "./messages/snsEvent";

/** What a notifier works with. */
export interface NotifierParts {
  channel: Channel;
  log: Log;
  count: Count;
}

/** What an invocation did: ids and numbers only. */
export interface NotifyResult {
  delivered: string[];
  /** Messages that were delivered before, by an earlier run of the same process. */
  repeated: string[];
}

/** How many delivered messages a process remembers. */
const REMEMBERED = 1_000;

/**
 * The notifier of one channel.
 *
 * How a failing channel is retried without telling the others twice: each channel has a function of its own, with its own subscription, so
 * SNS and Lambda keep the retries (three runs in some minutes) and the dead letters of each channel apart; SNS has no partial batch failures.
 * Within a function, an invocation by SNS holds one message; should it hold more, each is tried, and the run fails if one of them failed.
 *
 * What remains: SNS delivers at least once, and a channel that took a message but answered too late gets it again. Messages that this process
 * delivered are remembered and skipped; mails moreover carry an id that mail programs group by. A repeated alert is accepted, a lost one is
 * not.
 */
export function createNotifier({
  channel,
  log,
  count,
}: NotifierParts): (event: unknown) => Promise<NotifyResult> {
  const delivered = new Set<string>();

  return async (event) => {
    const messages = readSnsEvent(event);
    if (!messages) {
      throw new BulkheadError(
        "not-an-sns-event",
        "the function was invoked with something else than messages of SNS",
      );
    }
    const result: NotifyResult = { delivered: [], repeated: [] };
    const failed: string[] = [];
    for (const message of messages) {
      const fields = { messageId: message.id, channel: channel.kind };
      if (delivered.has(message.id)) {
        result.repeated.push(message.id);
        log.info("Delivered before: skipped", fields);
        continue;
      }
      try {
        await channel.deliver(parseMessage(message), message.id);
        remember(delivered, message.id);
        result.delivered.push(message.id);
        log.info("Delivered", fields);
        count.add("NoticesDelivered", { channel: channel.kind });
      } catch (error) {
        failed.push(message.id);
        log.error("Not delivered", { ...fields, ...errorFields(error) });
        count.add("NoticesFailed", { channel: channel.kind });
      }
    }
    if (failed.length > 0) {
      // Without a cause: Lambda writes what is thrown into the log, and a cause may quote what came from outside.
      throw new BulkheadError(
        "not-delivered",
        `${failed.length} of ${messages.length} messages could not be delivered by ${channel.kind}; the log says why`,
      );
    }
    return result;
  };
}

function remember(delivered: Set<string>, id: string): void {
  delivered.add(id);
  // Sets keep the order of insertion: the first is the oldest.
  const [oldest] = delivered;
  if (delivered.size > REMEMBERED && oldest !== undefined) delivered.delete(oldest);
}
