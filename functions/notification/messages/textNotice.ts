import { makeNotice, type Notice, SEVERITIES, type Severity } from "../../shared/notice/notice";
import type { SnsMessage } from "./snsEvent";

const SEVERITY_PREFIX = new RegExp(`^\\[(${SEVERITIES.join("|")})\\]\\s*`, "i");
const LABELLED_LINE = /^([A-Z][\w ]{0,30}):[ \t]+(\S.*)$/;
/** A template's line whose value the event lacks. */
const EMPTY_LINE = /^[A-Z][\w ]{0,30}:[ \t,]*$/;

/**
 * The text's lines. The template of an event rule that writes several lines is one quoted string a line, and the quotes stay in what the topic
 * gets (EventBridge user guide, "Input transformation"): they are not part of the message.
 */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n?|\n/).map((line) => line.trim());
  const quoted = lines.filter((line) => line !== "").every((line) => /^".*"$/.test(line));
  return quoted ? lines.map((line) => line.slice(1, -1).replaceAll('\\"', '"')) : lines;
}

/**
 * The notice of a plain text, such as the templates of event rules write (they are sent as mail by SNS as they are, so they are text). The
 * subject, else the first line, is the title; lines of the form "Label: value" become facts; "[critical]", "[warning]" or "[info]" before
 * the title says how urgent it is, and a text that does not say so counts as a warning.
 */
export function textNotice(message: SnsMessage): Notice {
  const all = linesOf(message.text);
  const lines = all.slice(all.findIndex((line) => line !== ""));
  const heading = message.subject.trim() || (lines.shift() ?? "");
  const prefix = SEVERITY_PREFIX.exec(heading);
  const facts: { label: string; value: string }[] = [];
  const rest: string[] = [];
  for (const line of lines) {
    const [, label, value] = LABELLED_LINE.exec(line) ?? [];
    if (label !== undefined && value !== undefined) facts.push({ label, value });
    else if (!EMPTY_LINE.test(line)) rest.push(line);
  }
  const topic = message.topicArn.split(":").at(-1) ?? "";
  const content = {
    severity: (prefix?.[1]?.toLowerCase() ?? "warning") as Severity,
    text: rest.join("\n"),
    lines: facts,
    region: message.topicArn.split(":")[3] ?? "",
    account: message.topicArn.split(":")[4] ?? "",
    time: message.time,
  };
  const title = heading.slice(prefix?.[0].length ?? 0);
  // A title can be empty after cleaning too (an empty message, or one of invisible characters only).
  try {
    return makeNotice({ ...content, title });
  } catch {
    return makeNotice({ ...content, title: `Message of topic ${topic}` });
  }
}
