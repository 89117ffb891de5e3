import { expect } from "chai";
import * as fc from "fast-check";
import { parseMessage } from "../../../functions/notification/messages/parseMessage";
import { readSnsEvent, type SnsMessage } from "../../../functions/notification/messages/snsEvent";
import { makeNotice, noticeMessage } from "../../../functions/shared/notice/notice";
import { snsEvent, TOPIC } from "./support/fakes";

const message = (text: string, subject = ""): SnsMessage => ({
  id: "m-1",
  text,
  subject,
  topicArn: TOPIC,
  time: "2026-01-02T03:04:05.000Z",
});
const parse = (value: unknown, subject?: string) => parseMessage(message(JSON.stringify(value), subject));
const fact = (notice: { lines: { label: string; value: string }[] }, label: string) =>
  notice.lines.find((line) => line.label === label)?.value;

const SIGN_IN = {
  version: "0",
  id: "e-1",
  "detail-type": "AWS Console Sign In via CloudTrail",
  source: "aws.signin",
  account: "222222222222",
  time: "2026-01-02T03:04:00Z",
  region: "us-west-2",
  resources: [],
  detail: {
    eventVersion: "1.09",
    userIdentity: {
      type: "IAMUser",
      principalId: "AIDAEXAMPLE",
      arn: "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1",
      accountId: "222222222222",
      userName: "breakglass-admin-1",
    },
    eventTime: "2026-01-02T03:04:00Z",
    eventSource: "signin.amazonaws.com",
    eventName: "ConsoleLogin",
    awsRegion: "us-west-2",
    sourceIPAddress: "198.51.100.7",
    userAgent: "Mozilla/5.0",
    requestParameters: null,
    responseElements: { ConsoleLogin: "Success" },
    additionalEventData: { LoginTo: "https://console.aws.amazon.com/", MobileVersion: "No", MFAUsed: "Yes" },
    eventID: "11111111-2222-3333-4444-555555555555",
    readOnly: false,
    eventType: "AwsConsoleSignIn",
    recipientAccountId: "222222222222",
  },
};

const ALARM = {
  AlarmName: "bulkhead-steward-errors",
  AlarmDescription: "bulkhead-steward failed. Its log group says why.",
  AWSAccountId: "222222222222",
  NewStateValue: "ALARM",
  NewStateReason: "Threshold Crossed: 1 datapoint [1.0] was greater than or equal to the threshold (1.0).",
  StateChangeTime: "2026-01-02T03:04:05.678+0000",
  Region: "US West (Oregon)",
  AlarmArn: "arn:aws:cloudwatch:us-west-2:222222222222:alarm:bulkhead-steward-errors",
  OldStateValue: "OK",
  Trigger: { MetricName: "Errors", Namespace: "AWS/Lambda" },
};

describe("notification: parsing messages", () => {
  it("shows a sign-in of an emergency user", () => {
    const notice = parse(SIGN_IN);
    expect(notice).to.deep.include({
      title: "ConsoleLogin by breakglass-admin-1",
      severity: "critical",
      region: "us-west-2",
      account: "222222222222",
      time: "2026-01-02T03:04:00Z",
    });
    expect(notice.lines).to.deep.equal([
      { label: "Call", value: "ConsoleLogin of signin.amazonaws.com" },
      { label: "Outcome", value: "Success" },
      { label: "User", value: "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1" },
      { label: "MFA", value: "Yes" },
      { label: "From", value: "198.51.100.7" },
      { label: "User agent", value: "Mozilla/5.0" },
      { label: "Event id", value: "11111111-2222-3333-4444-555555555555" },
    ]);
    expect(notice.links).to.deep.equal([
      {
        title: "Event in CloudTrail",
        url: "https://us-west-2.console.aws.amazon.com/cloudtrailv2/home?region=us-west-2#/events/11111111-2222-3333-4444-555555555555",
      },
      {
        title: "Sign in through us-west-2",
        url: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2",
      },
    ]);
  });

  const variants: [string, Record<string, unknown>, string, Record<string, string | undefined>][] = [
    [
      "a sign-in without ARN (fact 19)",
      { userIdentity: { type: "IAMUser", userName: "breakglass-admin-2", accountId: "222222222222" } },
      "ConsoleLogin by breakglass-admin-2",
      { User: "breakglass-admin-2" },
    ],
    [
      "an unknown user",
      { userIdentity: { type: "IAMUser", userName: "HIDDEN_DUE_TO_SECURITY_REASONS" } },
      "ConsoleLogin by HIDDEN_DUE_TO_SECURITY_REASONS",
      { User: "HIDDEN_DUE_TO_SECURITY_REASONS" },
    ],
    [
      "a failed sign-in",
      { responseElements: { ConsoleLogin: "Failure" }, errorMessage: "Failed authentication" },
      "ConsoleLogin by breakglass-admin-1",
      { Outcome: "Failure" },
    ],
    [
      "a denied call by a role's session",
      {
        eventName: "TerminateInstances",
        eventSource: "ec2.amazonaws.com",
        errorCode: "Client.UnauthorizedOperation",
        errorMessage: "You are not authorized.",
        responseElements: null,
        additionalEventData: undefined,
        userIdentity: {
          type: "AssumedRole",
          arn: "arn:aws:sts::222222222222:assumed-role/ops/breakglass-admin-1",
          sessionContext: {
            attributes: { mfaAuthenticated: "false" },
            sessionIssuer: { arn: "arn:aws:iam::222222222222:role/ops" },
          },
        },
      },
      "TerminateInstances by arn:aws:sts::222222222222:assumed-role/ops/breakglass-admin-1 (Client.UnauthorizedOperation)",
      {
        Outcome: "Client.UnauthorizedOperation: You are not authorized.",
        Role: "arn:aws:iam::222222222222:role/ops",
        MFA: "No",
      },
    ],
    [
      "an allowed call",
      { eventName: "StopLogging", eventSource: "cloudtrail.amazonaws.com", responseElements: null },
      "StopLogging by breakglass-admin-1",
      { Outcome: "allowed" },
    ],
    ["the root user", { userIdentity: { type: "Root" } }, "ConsoleLogin by Root", { User: undefined }],
    [
      "an event without user",
      { userIdentity: undefined },
      "ConsoleLogin by an unknown user",
      { User: undefined },
    ],
    [
      "fields of unexpected types",
      { userIdentity: 5, sourceIPAddress: {}, userAgent: [] },
      "ConsoleLogin by an unknown user",
      { From: undefined },
    ],
  ];
  for (const [what, detail, title, facts] of variants) {
    it(`shows ${what}`, () => {
      const notice = parse({ ...SIGN_IN, detail: { ...SIGN_IN.detail, ...detail } });
      expect(notice.title).to.equal(title);
      for (const [label, value] of Object.entries(facts)) expect(fact(notice, label), label).to.equal(value);
    });
  }

  it("never shows request parameters", () => {
    const detail = { ...SIGN_IN.detail, requestParameters: { newPassword: "canary-password" } };
    expect(JSON.stringify(parse({ ...SIGN_IN, detail }))).not.to.contain("canary-password");
  });

  it("links to the partition's own console, and to none for an unknown region", () => {
    const china = { ...SIGN_IN, detail: { ...SIGN_IN.detail, awsRegion: "cn-north-1" } };
    expect(parse(china).links[0]!.url).to.match(/^https:\/\/cn-north-1\.console\.amazonaws\.cn\//);
    const government = { ...SIGN_IN, detail: { ...SIGN_IN.detail, awsRegion: "us-gov-west-1" } };
    expect(parse(government).links[0]!.url).to.match(
      /^https:\/\/us-gov-west-1\.console\.amazonaws-us-gov\.com\//,
    );
    const nowhere = { ...SIGN_IN, detail: { ...SIGN_IN.detail, awsRegion: "evil.example.com/" } };
    expect(parse(nowhere).links).to.deep.equal([]);
  });

  it("shows alarms, urgent when they begin and not when they end", () => {
    expect(parse(ALARM)).to.deep.equal(
      makeNotice({
        title: "Alarm: bulkhead-steward-errors",
        severity: "critical",
        text: ALARM.AlarmDescription,
        lines: [
          { label: "State", value: "OK to ALARM" },
          { label: "Reason", value: ALARM.NewStateReason },
        ],
        links: [
          {
            title: "Alarm in CloudWatch",
            url: "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#alarmsV2:alarm/bulkhead-steward-errors",
          },
          {
            title: "Sign in through us-west-2",
            url: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2",
          },
        ],
        region: "us-west-2",
        account: "222222222222",
        time: ALARM.StateChangeTime,
      }),
    );
    expect(parse({ ...ALARM, NewStateValue: "OK", OldStateValue: "ALARM" })).to.include({
      title: "Alarm over: bulkhead-steward-errors",
      severity: "info",
    });
    expect(parse({ ...ALARM, NewStateValue: "INSUFFICIENT_DATA", AlarmArn: undefined })).to.include({
      severity: "warning",
      region: "",
    });
  });

  it("shows this project's own notices as they are, dated by SNS if they are not", () => {
    const input = {
      title: "Key rotated",
      severity: "info" as const,
      lines: [{ label: "User", value: "ci" }],
    };
    expect(parseMessage(message(noticeMessage(input)))).to.deep.equal({
      ...makeNotice(input),
      time: "2026-01-02T03:04:05.000Z",
    });
    expect(parseMessage(message(noticeMessage({ ...input, time: "t" }))).time).to.equal("t");
  });

  it("takes a JSON without the mark, or with an unknown version, for text", () => {
    expect(parse({ title: "x", severity: "info" })).to.include({ title: "Message", severity: "warning" });
    expect(parse({ bulkheadNotice: 2, title: "x", severity: "info" }).title).to.equal("Message");
    expect(
      parse({
        bulkheadNotice: 1,
        title: "x",
        severity: "info",
        links: [{ title: "x", url: "javascript:alert(1)" }],
      }).title,
    ).to.equal("Message");
    expect(parse([1, 2], "Numbers").title).to.equal("Numbers");
  });

  it("reads the text that the event rules of the emergency users write", () => {
    const text = [
      "[critical] Action by emergency user breakglass-admin-1 in account 222222222222",
      "If you do not know of an emergency, treat this as a break-in: see the runbook.",
      "",
      "Call:     StopLogging of cloudtrail.amazonaws.com",
      "MFA:       true",
      "From:     198.51.100.7, aws-cli/2",
      "Outcome:   ",
    ].join("\n");
    expect(parseMessage(message(text))).to.deep.equal(
      makeNotice({
        title: "Action by emergency user breakglass-admin-1 in account 222222222222",
        severity: "critical",
        text: "If you do not know of an emergency, treat this as a break-in: see the runbook.",
        lines: [
          { label: "Call", value: "StopLogging of cloudtrail.amazonaws.com" },
          { label: "MFA", value: "true" },
          { label: "From", value: "198.51.100.7, aws-cli/2" },
        ],
        region: "us-west-2",
        account: "222222222222",
        time: "2026-01-02T03:04:05.000Z",
      }),
    );
  });

  it("takes off the quotes that the lines of an event rule's template keep, and no others", () => {
    const quoted = parseMessage(
      message(['"[critical] Sign-in by \\"eve\\""', '""', '"Region:   us-west-2"'].join("\n")),
    );
    expect(quoted).to.include({ severity: "critical", title: 'Sign-in by "eve"' });
    expect(quoted.lines).to.deep.include({ label: "Region", value: "us-west-2" });
    expect(parseMessage(message('"a" said\nb')).title).to.equal('"a" said');
  });

  it("uses the subject as title, and names the topic when there is nothing else", () => {
    expect(parseMessage(message("Body", "Subject"))).to.include({ title: "Subject", text: "Body" });
    for (const empty of ["", "\n\n", "\u200b"]) {
      expect(parseMessage(message(empty)).title).to.equal("Message of topic bulkhead-breakglass-alerts");
    }
  });

  it("turns any text into a notice that is whole and within its limits", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary", maxLength: 6_000 }), fc.json()),
        fc.string(),
        (text, subject) => {
          const notice = parseMessage(message(text, subject));
          expect(notice.title.length).to.be.within(1, 200);
          expect(notice.text.length).to.be.at.most(4_000);
          expect(notice.lines.length).to.be.at.most(30);
          for (const { value } of notice.lines) expect(value).not.to.match(/[\n\r]/);
          expect(JSON.stringify(notice)).not.to.match(/[\u202a-\u202e\u2066-\u2069]/);
          // Halves of surrogate pairs would come back as replacement characters.
          expect(Buffer.from(notice.text + notice.title).toString()).to.equal(notice.text + notice.title);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });

  it("never lets an event of a hostile record through as a failure", () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), (detail) => {
        expect(parse({ ...SIGN_IN, detail: { ...SIGN_IN.detail, ...detail } }).title).not.to.equal("");
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe("notification: reading the invocation", () => {
  it("takes the messages of SNS", () => {
    expect(readSnsEvent(snsEvent({ id: "a", text: "t", subject: "s" }))).to.deep.equal([
      { id: "a", text: "t", subject: "s", topicArn: TOPIC, time: "2026-01-02T03:04:05.000Z" },
    ]);
  });
  for (const other of [undefined, null, {}, { Records: [] }, { Records: [{ s3: {} }] }, "text"]) {
    it(`refuses ${JSON.stringify(other)}`, () => expect(readSnsEvent(other)).to.equal(undefined));
  }
});
