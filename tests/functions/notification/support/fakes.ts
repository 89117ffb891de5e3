import type { Log } from "../../../../functions/shared/logging/logger";
import type { Count } from "../../../../functions/shared/logging/metrics";
import type { Notice } from "../../../../functions/shared/notice/notice";
import { makeNotice } from "../../../../functions/shared/notice/notice";
import type { ParameterReader } from "../../../../functions/shared/parameters/parameterReader";

export const TOPIC = "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts";

/** An invocation by SNS with these messages. */
export function snsEvent(...messages: { id?: string; text: string; subject?: string }[]): unknown {
  return {
    Records: messages.map(({ id = "m-1", text, subject }) => ({
      EventSource: "aws:sns",
      EventVersion: "1.0",
      EventSubscriptionArn: `${TOPIC}:subscription`,
      Sns: {
        Type: "Notification",
        MessageId: id,
        TopicArn: TOPIC,
        Subject: subject ?? null,
        Message: text,
        Timestamp: "2026-01-02T03:04:05.000Z",
        MessageAttributes: {},
      },
    })),
  };
}

/** Parameters in memory. */
export class FakeParameters implements ParameterReader {
  readonly forgotten: string[] = [];
  constructor(private readonly values: Record<string, string>) {}
  async read(name: string): Promise<string> {
    const value = this.values[name];
    if (value === undefined) throw new Error(`no parameter ${name}`);
    return value;
  }
  forget(name: string): void {
    this.forgotten.push(name);
  }
}

/** Remembers what was logged and counted. */
export function fakeLog(): {
  log: Log;
  count: Count;
  lines: [string, string, Record<string, unknown>][];
  counts: string[];
} {
  const lines: [string, string, Record<string, unknown>][] = [];
  const counts: string[] = [];
  const at = (level: string) => (message: string, fields: Record<string, unknown>) => {
    lines.push([level, message, fields]);
  };
  return {
    log: { info: at("info"), warn: at("warn"), error: at("error") },
    count: { add: (metric, dimensions) => counts.push(`${metric} ${JSON.stringify(dimensions)}`) },
    lines,
    counts,
  };
}

/** A notice as tests want it. */
export function notice(overrides: Partial<Notice> = {}): Notice {
  return makeNotice({
    title: "ConsoleLogin by breakglass-admin-1",
    severity: "critical",
    text: "If you do not know of an emergency, treat this as a break-in.",
    lines: [
      { label: "Outcome", value: "Success" },
      { label: "From", value: "198.51.100.7" },
    ],
    links: [
      { title: "Sign in", url: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2&x=1" },
    ],
    region: "us-west-2",
    account: "222222222222",
    time: "2026-01-02T03:04:05Z",
    ...overrides,
  });
}
