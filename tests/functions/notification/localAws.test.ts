import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { noticeMessage } from "../../../functions/shared/notice/notice";
import { confirmSubscriptions, readInbox } from "../../../local/aws/inbox";
import type { LocalAws } from "../../../local/aws/launch";
import { launch, receiveAll, rootOf, SECURITY, settings, waitFor } from "../../localAws/support";
import { ensureBuilt } from "../../support/builtFunctions";
import { type Deployed, deployNotification } from "./support/deploy";
import { startWebhookSink, type WebhookSink } from "./support/webhookSink";

const REGION = "us-west-2";
const CELL = { name: "dr", region: REGION, accountId: SECURITY };

/** The whole way in the local AWS: topic, policies, roles, the built bundle, and what arrives in the end. */
describe("notification in the local AWS", () => {
  let aws: LocalAws;
  let webhook: WebhookSink;
  let deployed: Deployed;
  let smtp: Deployed;
  let sns: SNSClient;

  before(async () => {
    ensureBuilt("notification");
    [aws, webhook] = await Promise.all([launch(), startWebhookSink()]);
    const own = settings(aws, rootOf(SECURITY), REGION);
    sns = new SNSClient(own);
    await new SESv2Client(own).send(new CreateEmailIdentityCommand({ EmailIdentity: "alerts@example.com" }));
    await new SSMClient(own).send(
      new PutParameterCommand({ Name: "/bulkhead/slack-webhook", Type: "SecureString", Value: webhook.url }),
    );
    deployed = await deployNotification(aws, CELL, {
      topicName: "bulkhead-breakglass-alerts",
      emails: ["security@example.com"],
      mail: { transport: "ses", from: "alerts@example.com", to: ["oncall@example.com"] },
      chat: [{ kind: "slack", webhookParameter: "/bulkhead/slack-webhook" }],
    });
    smtp = await deployNotification(aws, CELL, {
      topicName: "bulkhead-other-alerts",
      mail: {
        transport: "smtp",
        from: "alerts@example.com",
        to: ["oncall@example.com"],
        smtp: { host: "127.0.0.1", port: aws.smtpPort },
      },
    });
    await confirmSubscriptions(aws.url);
  });
  after(async () => {
    await Promise.all([aws?.stop(), webhook?.stop()]);
  });

  const mail = (kind: string, subject: string) =>
    waitFor(async () => {
      const mails = await readInbox(aws.url);
      return mails.find((one) => one.kind === kind && one.subject.includes(subject));
    }, 15_000);
  const publish = (topicArn: string, title: string) =>
    sns.send(
      new PublishCommand({ TopicArn: topicArn, Message: noticeMessage({ title, severity: "critical" }) }),
    );

  it("sends a notice by SES and to Slack", async () => {
    await publish(deployed.topicArn, "First notice");
    const received = await mail("ses", "First notice");
    expect(received).to.deep.include({
      from: "alerts@example.com",
      to: ["oncall@example.com"],
      region: REGION,
    });
    expect(received.subject).to.equal("[Critical] First notice");
    expect(received.html).to.contain("First notice");
    const posted = await waitFor(async () => webhook.requests[0], 15_000);
    expect(JSON.parse(posted.body).text).to.equal("Critical: First notice");
  });

  it("sends a notice by SMTP", async () => {
    await publish(smtp.topicArn, "By SMTP");
    const received = await mail("smtp", "By SMTP");
    expect(received).to.deep.include({ from: "alerts@example.com", to: ["oncall@example.com"] });
    expect(received.text).to.contain("By SMTP");
  });

  it("is told by event rules of the account, mails by SNS itself included", async () => {
    const events = new EventBridgeClient(settings(aws, rootOf(SECURITY), REGION));
    const detail = {
      eventName: "ConsoleLogin",
      eventSource: "signin.amazonaws.com",
      userIdentity: { userName: "breakglass-admin-1" },
    };
    await events.send(
      new PutRuleCommand({ Name: "use", EventPattern: JSON.stringify({ source: ["test"] }) }),
    );
    await events.send(
      new PutTargetsCommand({ Rule: "use", Targets: [{ Id: "topic", Arn: deployed.topicArn }] }),
    );
    await events.send(
      new PutEventsCommand({
        Entries: [{ Source: "test", DetailType: "t", Detail: JSON.stringify(detail) }],
      }),
    );
    await mail("ses", "[Critical] ConsoleLogin by breakglass-admin-1");
    const plain = await waitFor(async () => {
      const mails = await readInbox(aws.url);
      return mails.find(({ kind, text }) => kind === "sns" && text.includes("breakglass-admin-1"));
    });
    expect(plain.to).to.deep.equal(["security@example.com"]);
  });

  it("puts a message that a channel gave up on into that channel's dead letters only", async () => {
    webhook.answer = { status: 500 };
    await publish(deployed.topicArn, "Slack is down");
    await mail("ses", "Slack is down");
    const sqs = new SQSClient(settings(aws, rootOf(SECURITY), REGION));
    const letters = (channel: string) =>
      receiveAll(sqs, deployed.queues[`bulkhead-breakglass-alerts-${channel}-dead-letters`]!);
    const [dead] = await waitFor(async () => {
      const found = await letters("slack");
      return found.length > 0 ? found : undefined;
    }, 20_000);
    expect(dead).to.contain("Slack is down");
    expect(webhook.requests.filter(({ body }) => body.includes("Slack is down"))).to.have.length(3);
    expect(await letters("mail")).to.deep.equal([]);
  });
});
