import { patternMatches } from "./eventPattern";
import { isObject, type Plain, type PlainObject } from "./walk";

/** An event that a watched cell must tell people of, in every form in which AWS may write it. */
export interface WatchedEvent {
  /** How to call it in a message. */
  what: string;
  /** Whether an event rule has to send it to a topic by itself; else a function may stand in between, which groups what belongs together. */
  direct: boolean;
  /** Whether CloudTrail counts it as read-only: such events reach only rules that ask for all management events (fact 20). */
  readOnly: boolean;
  /** The event's forms: a rule has to match each. */
  forms(user: WatchedUser): PlainObject[];
}

/** A user as events name it. */
interface WatchedUser {
  partition: string;
  accountId: string;
  path: string;
  userName: string;
}

/** AWS's pages disagree on the detail-type of sign-ins (fact 18). */
const SIGN_IN_DETAIL_TYPES = [
  "AWS Console Sign In via CloudTrail",
  "AWS Console Signin via CloudTrail",
  "AWS Service Event via CloudTrail",
];

const REGION = "us-west-2";

function envelope(source: string, detailType: string, account: string, detail: PlainObject): PlainObject {
  return {
    version: "0",
    id: "00000000-0000-4000-8000-000000000000",
    source,
    "detail-type": detailType,
    account,
    region: REGION,
    resources: [],
    detail: {
      eventVersion: "1.11",
      awsRegion: REGION,
      recipientAccountId: account,
      managementEvent: true,
      eventCategory: "Management",
      ...detail,
    },
  };
}

function identity({ partition, accountId, path, userName }: WatchedUser): PlainObject {
  return {
    type: "IAMUser",
    principalId: "AIDAEXAMPLE",
    arn: `arn:${partition}:iam::${accountId}:user${path}${userName}`,
    accountId,
    userName,
  };
}

function signIn(userIdentity: PlainObject, accountId: string, outcome: "Success" | "Failure"): PlainObject[] {
  return SIGN_IN_DETAIL_TYPES.map((detailType) =>
    envelope("aws.signin", detailType, accountId, {
      eventSource: "signin.amazonaws.com",
      eventName: "ConsoleLogin",
      eventType: "AwsConsoleSignIn",
      readOnly: false,
      userIdentity,
      responseElements: { ConsoleLogin: outcome },
      additionalEventData: { MFAUsed: outcome === "Success" ? "Yes" : "No", MobileVersion: "No" },
      ...(outcome === "Failure" && { errorMessage: "Failed authentication" }),
    }),
  );
}

function call(service: string, eventName: string, readOnly: boolean): WatchedEvent["forms"] {
  return (user) => [
    envelope(`aws.${service}`, "AWS API Call via CloudTrail", user.accountId, {
      eventSource: `${service}.amazonaws.com`,
      eventName,
      eventType: "AwsApiCall",
      readOnly,
      userIdentity: identity(user),
    }),
  ];
}

/** What every cell has to tell people of, at the least. */
export const WATCHED_EVENTS: readonly WatchedEvent[] = [
  {
    what: "a sign-in",
    direct: true,
    readOnly: false,
    forms: (user) => signIn(identity(user), user.accountId, "Success"),
  },
  {
    what: "a failed sign-in",
    direct: true,
    readOnly: false,
    forms(user) {
      // Failed sign-ins lack the ARN (fact 19).
      const { arn: _, ...withoutArn } = identity(user);
      return signIn(withoutArn, user.accountId, "Failure");
    },
  },
  {
    what: "a call that changes something",
    direct: false,
    readOnly: false,
    forms: call("iam", "CreateAccessKey", false),
  },
  { what: "AssumeRole", direct: false, readOnly: true, forms: call("sts", "AssumeRole", true) },
];

/**
 * Whether every form of the event is matched by one of the patterns. Account and partition are those that the patterns speak of, since the
 * stack's resources need not say which they are.
 */
export function isSeen(
  event: WatchedEvent,
  user: Pick<WatchedUser, "userName" | "path">,
  patterns: readonly PlainObject[],
): boolean {
  const texts = patterns.map((pattern) => JSON.stringify(pattern)).join();
  const accountIds = new Set(texts.match(/\b\d{12}\b/g) ?? ["123456789012"]);
  const partitions = new Set([...texts.matchAll(/"arn:([a-z-]+):/g)].map((match) => match[1] ?? "aws"));
  if (partitions.size === 0) partitions.add("aws");
  return [...accountIds].some((accountId) =>
    [...partitions].some((partition) =>
      event
        .forms({ ...user, accountId, partition })
        .every((form) => patterns.some((pattern) => patternMatches(pattern, form))),
    ),
  );
}

/** Every user name that a pattern asks for by `userName`. */
export function userNamesIn(pattern: Plain | undefined): string[] {
  if (Array.isArray(pattern)) return pattern.flatMap(userNamesIn);
  if (!isObject(pattern)) return [];
  return Object.entries(pattern).flatMap(([key, value]) => {
    if (key !== "userName" || !Array.isArray(value)) return userNamesIn(value);
    return value.flatMap((one) => {
      const name = isObject(one) ? one["equals-ignore-case"] : one;
      return typeof name === "string" ? [name] : [];
    });
  });
}
