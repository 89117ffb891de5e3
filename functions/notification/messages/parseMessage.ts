import { type Notice, noticeSchema } from "../../shared/notice/notice";
import { alarmNotice } from "./alarmNotice";
import { cloudTrailNotice } from "./cloudTrailNotice";
import type { SnsMessage } from "./snsEvent";
import { textNotice } from "./textNotice";

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A message as a notice. Known are this project's own notices, events of CloudTrail (as they come from event rules) and CloudWatch alarms;
 * anything else is shown as the text that it is. Never fails: an alert that is not understood is still told.
 */
export function parseMessage(message: SnsMessage): Notice {
  const json = parseJson(message.text);
  if (json !== null && typeof json === "object") {
    // A JSON without the mark is no notice, even if it has a title and a severity.
    const own = "bulkheadNotice" in json ? noticeSchema.safeParse(json) : undefined;
    if (own?.success) return { ...own.data, time: own.data.time || message.time };
    const known = cloudTrailNotice(json) ?? alarmNotice(json);
    if (known) return known;
    return textNotice({
      ...message,
      text: `${message.subject ? "" : "Message\n"}${JSON.stringify(json, null, 2)}`,
    });
  }
  return textNotice(message);
}
