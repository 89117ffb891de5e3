/** Questions to a trail's log group, in the language of CloudWatch Logs Insights. */

/** A question and its query. */
export interface Query {
  question: string;
  lines: string[];
}

const FIELDS =
  "fields eventTime, eventSource, eventName, awsRegion, errorCode, sourceIPAddress, userAgent, userIdentity.arn, additionalEventData.MFAUsed, eventID";

/** In IAM's names no character has a meaning in a quoted text. */
const quoted = (text: string) => `"${text}"`;

/**
 * Everything that says that the user acted: by name, and by the end of an ARN, which for a switched role's session is the user's name too
 * (fact 19).
 */
function isUser(userName: string): string {
  return `(userIdentity.userName = ${quoted(userName)} or userIdentity.arn like ${quoted(`/${userName}`)})`;
}

/** The questions that an audit after a use asks of the trail of each cell. */
export function auditQueries(userNames: readonly string[]): Query[] {
  const anyUser = userNames.map(isUser).join("\n    or ");
  const of = (...filters: string[]) => [
    FIELDS,
    `| filter ${anyUser}`,
    ...filters.map((filter) => `| filter ${filter}`),
    "| sort eventTime asc",
    "| limit 10000",
  ];
  return [
    { question: "Everything that the emergency users did, in order", lines: of() },
    // By the text of the event: how a query language writes truth values is its own matter.
    { question: "Only what changed something", lines: of('@message like /"readOnly": ?false/') },
    {
      question: "Sign-ins, and where they came from; failed ones too",
      lines: of('eventSource = "signin.amazonaws.com"'),
    },
    {
      question: "Roles that they switched into, or credentials that they made",
      lines: of(
        'eventName in ["AssumeRole", "SwitchRole", "GetSessionToken", "GetFederationToken", "AssumeRoot", "CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile"]',
      ),
    },
    {
      question: "Whether anybody touched the watching itself",
      lines: [
        FIELDS,
        '| filter eventName in ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "DisableRule", "DeleteRule", "RemoveTargets", "DeleteTopic", "Unsubscribe", "DeleteAlarms", "DisableAlarmActions", "DeleteLogGroup", "DeleteMetricFilter", "ScheduleKeyDeletion", "DisableKey"]',
        "| sort eventTime asc",
        "| limit 10000",
      ],
    },
  ];
}
