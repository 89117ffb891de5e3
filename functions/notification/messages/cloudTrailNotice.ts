import * as z from "zod";
import { cloudTrailLink, signInLink } from "../../shared/notice/consoleLinks";
import { makeNotice, type Notice } from "../../shared/notice/notice";

const text = z.string().optional().catch(undefined);

/** An event of EventBridge whose detail is a CloudTrail record. Only what is shown; records differ a lot, so most is optional. */
const cloudTrailEventSchema = z.object({
  source: z.string(),
  account: text,
  region: text,
  detail: z.object({
    eventName: z.string(),
    eventSource: text,
    eventTime: text,
    eventID: text,
    awsRegion: text,
    recipientAccountId: text,
    sourceIPAddress: text,
    userAgent: text,
    errorCode: text,
    errorMessage: text,
    userIdentity: z
      .object({
        type: text,
        arn: text,
        userName: text,
        accountId: text,
        sessionContext: z
          .object({
            attributes: z.object({ mfaAuthenticated: text }).optional().catch(undefined),
            sessionIssuer: z.object({ arn: text }).optional().catch(undefined),
          })
          .optional()
          .catch(undefined),
      })
      .optional()
      .catch(undefined),
    additionalEventData: z.object({ MFAUsed: text }).optional().catch(undefined),
    responseElements: z.object({ ConsoleLogin: text }).nullish().catch(undefined),
  }),
});
type Detail = z.output<typeof cloudTrailEventSchema>["detail"];

/** Who acted. Some sign-in events have no ARN (fact 19). */
function actor({ userIdentity }: Detail): string {
  return userIdentity?.userName ?? userIdentity?.arn ?? userIdentity?.type ?? "an unknown user";
}

function outcome(detail: Detail): string {
  if (detail.errorCode)
    return detail.errorMessage ? `${detail.errorCode}: ${detail.errorMessage}` : detail.errorCode;
  return detail.responseElements?.ConsoleLogin ?? "allowed";
}

/** "Yes" or "No" where the record says it, in the words of sign-in events. */
function mfa(detail: Detail): string {
  const session = detail.userIdentity?.sessionContext?.attributes?.mfaAuthenticated;
  return detail.additionalEventData?.MFAUsed ?? (session && (session === "true" ? "Yes" : "No")) ?? "";
}

/**
 * The notice of an event of CloudTrail: who did what, from where, and with what outcome. It is critical, since only events that somebody
 * chose to be alarmed by come to an alert topic. Request parameters are left out: they can hold secrets.
 * Undefined when it is not such an event.
 */
export function cloudTrailNotice(message: unknown): Notice | undefined {
  const parsed = cloudTrailEventSchema.safeParse(message);
  if (!parsed.success) return undefined;
  const { account = "", region = "", detail } = parsed.data;
  const eventRegion = detail.awsRegion ?? region;
  const eventAccount = detail.recipientAccountId ?? account;
  const facts: [string, string][] = [
    ["Call", detail.eventSource ? `${detail.eventName} of ${detail.eventSource}` : detail.eventName],
    ["Outcome", outcome(detail)],
    ["User", detail.userIdentity?.arn ?? detail.userIdentity?.userName ?? ""],
    ["Role", detail.userIdentity?.sessionContext?.sessionIssuer?.arn ?? ""],
    ["MFA", mfa(detail)],
    ["From", detail.sourceIPAddress ?? ""],
    ["User agent", detail.userAgent ?? ""],
    ["Event id", detail.eventID ?? ""],
  ];
  return makeNotice({
    title: `${detail.eventName} by ${actor(detail)}${detail.errorCode ? ` (${detail.errorCode})` : ""}`,
    severity: "critical",
    lines: facts.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value })),
    links: [
      ...(detail.eventID ? cloudTrailLink(eventRegion, detail.eventID) : []),
      ...signInLink(eventAccount, eventRegion),
    ],
    region: eventRegion,
    account: eventAccount,
    time: detail.eventTime ?? "",
  });
}
