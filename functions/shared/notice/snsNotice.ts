import { SEVERITY_WORDS } from "./details";
import { makeNotice, type NoticeInput } from "./notice";
import { noticeText } from "./noticeText";

/** What SNS takes as a subject: printable ASCII, at most 100 characters. */
const SUBJECT_LIMIT = 100;

/** The part of a Publish call that is the message. */
export interface SnsNotice {
  Subject: string;
  /** JSON with a message for each protocol. */
  Message: string;
  MessageStructure: "json";
}

/**
 * A notice for an SNS topic: as JSON for the functions that bring it to a channel, and as readable text for those to whom SNS mails by itself,
 * with nothing in between that could fail.
 */
export function snsNotice(input: NoticeInput): SnsNotice {
  const notice = makeNotice(input);
  const subject = `[${SEVERITY_WORDS[notice.severity]}] ${notice.title}`.replace(/[^\x20-\x7e]/g, "?");
  return {
    Subject: subject.length <= SUBJECT_LIMIT ? subject : `${subject.slice(0, SUBJECT_LIMIT - 3)}...`,
    Message: JSON.stringify({ default: JSON.stringify(notice), email: noticeText(notice) }),
    MessageStructure: "json",
  };
}
