import * as z from "zod";
import { alarmLink, signInLink } from "../../shared/notice/consoleLinks";
import { makeNotice, type Notice, type Severity } from "../../shared/notice/notice";

const text = z.string().nullish().catch(undefined);

/** What CloudWatch sends to a topic when an alarm changes its state. `Region` is a region's display name; the ARN has the real one. */
const alarmSchema = z.object({
  AlarmName: z.string(),
  NewStateValue: z.enum(["ALARM", "OK", "INSUFFICIENT_DATA"]),
  AlarmDescription: text,
  AWSAccountId: text,
  AlarmArn: text,
  OldStateValue: text,
  NewStateReason: text,
  StateChangeTime: text,
});

const STATES: Record<string, { words: string; severity: Severity }> = {
  ALARM: { words: "Alarm", severity: "critical" },
  OK: { words: "Alarm over", severity: "info" },
  INSUFFICIENT_DATA: { words: "Alarm without data", severity: "warning" },
};

/** The notice of a CloudWatch alarm; undefined when the message is not one. */
export function alarmNotice(message: unknown): Notice | undefined {
  const parsed = alarmSchema.safeParse(message);
  if (!parsed.success) return undefined;
  const alarm = parsed.data;
  const state = STATES[alarm.NewStateValue]!;
  const region = alarm.AlarmArn?.split(":")[3] ?? "";
  const account = alarm.AWSAccountId ?? "";
  const facts: [string, string | null | undefined][] = [
    ["State", alarm.OldStateValue ? `${alarm.OldStateValue} to ${alarm.NewStateValue}` : alarm.NewStateValue],
    ["Reason", alarm.NewStateReason],
  ];
  return makeNotice({
    title: `${state.words}: ${alarm.AlarmName}`,
    severity: state.severity,
    text: alarm.AlarmDescription ?? "",
    lines: facts.flatMap(([label, value]) => (value ? [{ label, value }] : [])),
    links: [...alarmLink(region, alarm.AlarmName), ...signInLink(account, region)],
    region,
    account,
    time: alarm.StateChangeTime ?? "",
  });
}
