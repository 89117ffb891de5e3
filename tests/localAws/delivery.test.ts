import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, CreateUserCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { createTransport } from "nodemailer";
import type { LocalAws } from "../../local/aws/launch";
import {
  createQueue,
  EAST,
  failure,
  iamClient,
  Listener,
  launch,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  signIn,
  WEST,
  waitFor,
} from "./support";

const MEMBER = "333333333333";

interface Mail {
  kind: string;
  region: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
  html?: string;
}

describe("local AWS: delivery", () => {
  let aws: LocalAws;
  before(async () => {
    aws = await launch();
  });
  after(() => aws?.stop());
  afterEach(() => outage([]));

  const events = (account = SECURITY, region = EAST) =>
    new EventBridgeClient(settings(aws, rootOf(account), region));

  const send = (client: EventBridgeClient, DetailType: string, EventBusName = "default") =>
    client.send(
      new PutEventsCommand({
        Entries: [{ Source: "test", DetailType, Detail: JSON.stringify({ said: DetailType }), EventBusName }],
      }),
    );

  async function outage(regions: string[], globalServices = false): Promise<void> {
    const response = await fetch(`${aws.url}/_bulkhead/outage`, {
      method: "PUT",
      body: JSON.stringify({ regions, globalServices }),
    });
    expect(response.status).to.equal(200);
  }

  async function inbox(): Promise<Mail[]> {
    return (await (await fetch(`${aws.url}/_bulkhead/inbox`)).json()) as Mail[];
  }

  const mail = (accepts: (mail: Mail) => boolean) => waitFor(async () => (await inbox()).find(accepts));

  function confirm(body: object): Promise<Response> {
    return fetch(`${aws.url}/_bulkhead/inbox/confirm`, { method: "POST", body: JSON.stringify(body) });
  }

  async function role(account: string, RoleName: string, service: string, Resource: string, Action: string) {
    const iam = iamClient(aws, rootOf(account));
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
        }),
      }),
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "p",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action, Resource }],
        }),
      }),
    );
    return Role!.Arn!;
  }

  const bus = (account: string, region: string, name = "default") =>
    `arn:aws:events:${region}:${account}:event-bus/${name}`;

  describe("event buses", () => {
    it("reach another region and another account by a role, with the event's origin kept, and not a third bus", async () => {
      const hubWest = await Listener.open(aws, { name: "hub", region: WEST, pattern: { source: ["test"] } });
      const hubEast = await Listener.open(aws, { name: "hub", region: EAST, pattern: { source: ["test"] } });
      await events(SECURITY, EAST).send(
        new PutPermissionCommand({
          StatementId: "member",
          Action: "events:PutEvents",
          Principal: MEMBER,
        }),
      );
      // Whatever reaches the western hub would be sent on to a third bus.
      const onward = await role(SECURITY, "onward", "events.amazonaws.com", "*", "events:PutEvents");
      await events(SECURITY, EAST).send(new CreateEventBusCommand({ Name: "third" }));
      await events(SECURITY, EAST).send(
        new PutRuleCommand({
          Name: "onward",
          EventPattern: JSON.stringify({ source: ["test"] }),
        }),
      );
      const third = new SQSClient(settings(aws, rootOf(SECURITY), EAST));
      const { queueUrl, queueArn } = await createQueue(third, "third", "events.amazonaws.com");
      await events(SECURITY, EAST).send(
        new PutRuleCommand({
          Name: "third",
          EventBusName: "third",
          EventPattern: JSON.stringify({ source: ["test"] }),
        }),
      );
      await events(SECURITY, EAST).send(
        new PutTargetsCommand({
          Rule: "third",
          EventBusName: "third",
          Targets: [{ Id: "q", Arn: queueArn }],
        }),
      );
      await events(SECURITY, EAST).send(
        new PutTargetsCommand({
          Rule: "onward",
          Targets: [
            { Id: "west", Arn: bus(SECURITY, WEST), RoleArn: onward },
            { Id: "third", Arn: bus(SECURITY, EAST, "third") },
          ],
        }),
      );

      // A member's own event: its role lets it reach the eastern hub only.
      const sender = await role(
        MEMBER,
        "sender",
        "events.amazonaws.com",
        bus(SECURITY, EAST),
        "events:PutEvents",
      );
      await events(MEMBER, WEST).send(
        new PutRuleCommand({ Name: "to-hub", EventPattern: JSON.stringify({ source: ["test"] }) }),
      );
      await events(MEMBER, WEST).send(
        new PutTargetsCommand({
          Rule: "to-hub",
          Targets: [{ Id: "hub", Arn: bus(SECURITY, EAST), RoleArn: sender }],
        }),
      );
      await send(events(MEMBER, WEST), "from-member");
      const received = await hubEast.next((event) => event["detail-type"] === "from-member");
      expect(received).to.include({ account: MEMBER, region: WEST });
      expect(await hubWest.drain()).to.be.empty;
      expect(await receiveAll(third, queueUrl)).to.be.empty;

      // One that begins in the hub's account does go on.
      await send(events(SECURITY, EAST), "from-hub");
      const onWest = await hubWest.next((event) => event["detail-type"] === "from-hub");
      expect(onWest).to.include({ account: SECURITY, region: EAST });
      expect(await receiveAll(third, queueUrl)).to.have.length(1);
    });

    it("are not reached without role, permission or policy; the event goes to the dead-letter queue", async () => {
      const sqs = new SQSClient(settings(aws, rootOf(MEMBER), EAST));
      const { queueUrl, queueArn } = await createQueue(sqs, "dead", "events.amazonaws.com");
      const client = events(MEMBER, EAST);
      await client.send(
        new PutRuleCommand({ Name: "failing", EventPattern: JSON.stringify({ source: ["test"] }) }),
      );
      const targets = (RoleArn: string | undefined, Arn: string) =>
        client.send(
          new PutTargetsCommand({
            Rule: "failing",
            Targets: [{ Id: "t", Arn, RoleArn, DeadLetterConfig: { Arn: queueArn } }],
          }),
        );
      expect((await failure(targets(undefined, bus(SECURITY, WEST)))).message).to.contain("RoleArn");

      const wrong = await role(MEMBER, "wrong", "events.amazonaws.com", "*", "sqs:SendMessage");
      await targets(wrong, bus(SECURITY, EAST));
      await send(client, "no-permission");
      const right = await role(MEMBER, "right", "events.amazonaws.com", "*", "events:PutEvents");
      await targets(right, bus(SECURITY, WEST)); // The western hub's policy lets nobody in.
      await send(client, "no-policy");
      const dead = await receiveAll(sqs, queueUrl);
      expect(dead.map((text) => JSON.parse(text)["detail-type"])).to.deep.equal([
        "no-permission",
        "no-policy",
      ]);
    });
  });

  it("transforms input for targets", async () => {
    const listener = await Listener.open(aws, {
      name: "transformed",
      region: EAST,
      pattern: { "detail-type": ["to-transform"] },
      target: {
        InputTransformer: {
          InputPathsMap: { what: "$.detail.said", where: "$.region" },
          InputTemplate: '{"source": "<what> in <where>"}',
        },
      },
    });
    await send(events(), "to-transform");
    expect((await listener.next()).source).to.equal(`to-transform in ${EAST}`);
  });

  describe("topics", () => {
    const sns = (region = EAST) => new SNSClient(settings(aws, rootOf(SECURITY), region));

    async function topicWithMail(Name: string, region: string, Endpoint: string, Attributes = {}) {
      const { TopicArn } = await sns(region).send(new CreateTopicCommand({ Name, Attributes }));
      const { SubscriptionArn } = await sns(region).send(
        new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint, ReturnSubscriptionArn: true }),
      );
      return { TopicArn: TopicArn!, SubscriptionArn: SubscriptionArn! };
    }

    const letEventsIn = (region: string, TopicArn: string, condition?: object) =>
      sns(region).send(
        new SetTopicAttributesCommand({
          TopicArn,
          AttributeName: "Policy",
          AttributeValue: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { Service: "events.amazonaws.com" },
                Action: "sns:Publish",
                Resource: TopicArn,
                ...(condition && { Condition: condition }),
              },
            ],
          }),
        }),
      );

    it("mail only to confirmed subscriptions, in the words of SNS", async () => {
      const { TopicArn, SubscriptionArn } = await topicWithMail("alerts", EAST, "ops@example.com", {
        DisplayName: "Bulkhead",
      });
      const again = await sns().send(
        new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "ops@example.com" }),
      );
      expect(again.SubscriptionArn).to.equal("pending confirmation");
      const asked = await mail((each) => each.subject === "AWS Notification - Subscription Confirmation");
      expect(asked).to.include({ kind: "sns", region: EAST });
      expect(asked.text).to.contain(TopicArn);
      const { Subscriptions } = await sns().send(new ListSubscriptionsByTopicCommand({ TopicArn }));
      expect(Subscriptions![0]!.SubscriptionArn).to.equal("PendingConfirmation");
      await sns().send(new PublishCommand({ TopicArn, Subject: "too early", Message: "unseen" }));

      expect((await confirm({ subscriptionArn: SubscriptionArn })).status).to.equal(200);
      const { Attributes } = await sns().send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
      expect(Attributes!.PendingConfirmation).to.equal("false");
      await sns().send(new PublishCommand({ TopicArn, Subject: "Used", Message: "breakglass-admin-1 used" }));
      const alert = await mail((each) => each.subject === "Used");
      expect(alert.from).to.equal("Bulkhead <no-reply@sns.amazonaws.com>");
      expect(alert.to).to.deep.equal(["ops@example.com"]);
      expect(alert.text).to.match(/^breakglass-admin-1 used\n\n--\nIf you wish to stop receiving/);
      expect((await inbox()).some((each) => each.subject === "too early")).to.equal(false);
      expect((await confirm({ subscriptionArn: "absent" })).status).to.equal(404);
      expect((await confirm({})).status).to.equal(400);
    });

    it("let EventBridge in only by their policy, and by the policy of their key", async () => {
      const { TopicArn } = await topicWithMail("guarded", WEST, "guarded@example.com");
      await confirm({ all: true });
      const client = events(SECURITY, WEST);
      const queue = new SQSClient(settings(aws, rootOf(SECURITY), WEST));
      const { queueUrl, queueArn } = await createQueue(queue, "undelivered", "events.amazonaws.com");
      await client.send(
        new PutRuleCommand({ Name: "guarded", EventPattern: JSON.stringify({ "detail-type": ["alarm"] }) }),
      );
      await client.send(
        new PutTargetsCommand({
          Rule: "guarded",
          Targets: [{ Id: "t", Arn: TopicArn, DeadLetterConfig: { Arn: queueArn } }],
        }),
      );
      await send(client, "alarm");
      expect(await receiveAll(queue, queueUrl)).to.have.length(1);

      // As in AWS, EventBridge tells a topic's policy nothing of the rule or its account: a condition on them is never met.
      await letEventsIn(WEST, TopicArn, { StringEquals: { "aws:SourceAccount": SECURITY } });
      await send(client, "alarm");
      expect(await receiveAll(queue, queueUrl)).to.have.length(1);

      await letEventsIn(WEST, TopicArn);
      await send(client, "alarm");
      const arrived = await mail(
        (each) => each.to.includes("guarded@example.com") && /alarm/.test(each.text),
      );
      expect(arrived).to.include({ region: WEST, subject: "AWS Notification Message" });
      expect(await receiveAll(queue, queueUrl)).to.be.empty;

      const kms = new KMSClient(settings(aws, rootOf(SECURITY), WEST));
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      await sns(WEST).send(
        new SetTopicAttributesCommand({
          TopicArn,
          AttributeName: "KmsMasterKeyId",
          AttributeValue: KeyMetadata!.KeyId,
        }),
      );
      await send(client, "alarm");
      expect(await receiveAll(queue, queueUrl)).to.have.length(1);
      await kms.send(
        new PutKeyPolicyCommand({
          KeyId: KeyMetadata!.KeyId,
          PolicyName: "default",
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { AWS: `arn:aws:iam::${SECURITY}:root` },
                Action: "kms:*",
                Resource: "*",
              },
              {
                Effect: "Allow",
                Principal: { Service: "events.amazonaws.com" },
                Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
                Resource: "*",
              },
            ],
          }),
        }),
      );
      await send(client, "alarm");
      expect(await receiveAll(queue, queueUrl)).to.be.empty;
    });
  });

  it("shows SES and SMTP mails in the same inbox, and a page that escapes them", async () => {
    const ses = new SESv2Client(settings(aws, rootOf(SECURITY), WEST));
    const { CreateEmailIdentityCommand } = await import("@aws-sdk/client-sesv2");
    await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: "bulkhead@example.com" }));
    await ses.send(
      new SendEmailCommand({
        FromEmailAddress: "bulkhead@example.com",
        Destination: { ToAddresses: ["owner@example.com"] },
        Content: { Simple: { Subject: { Data: "by SES" }, Body: { Text: { Data: "rotated" } } } },
      }),
    );
    expect(await mail((each) => each.subject === "by SES")).to.include({
      kind: "ses",
      region: WEST,
      text: "rotated",
    });
    const transport = createTransport({ host: "127.0.0.1", port: aws.smtpPort, ignoreTLS: true });
    await transport.sendMail({
      from: "bulkhead@example.com.cn",
      to: "owner@example.com",
      subject: "<script>alert(1)</script>",
      text: "you & me\n.\nafter a dot",
      html: "<b>you</b>",
    });
    const smtp = await mail((each) => each.kind === "smtp");
    expect(smtp.text.trim()).to.equal("you & me\n.\nafter a dot");
    expect(smtp.html).to.contain("<b>you</b>");
    const page = await (
      await fetch(`${aws.url}/_bulkhead/inbox`, { headers: { accept: "text/html" } })
    ).text();
    expect(page).to.contain("&lt;script&gt;alert(1)&lt;/script&gt;").and.not.contain("<script>");
    expect(page).to.contain("srcdoc='&lt;b&gt;you");
  });

  describe("an outage", () => {
    it("loses what would be recorded in the region, and stops deliveries from it and to it", async () => {
      const iam = iamClient(aws, rootOf(SECURITY), WEST);
      const east = await Listener.open(aws, { name: "lost", region: EAST, pattern: { source: ["aws.iam"] } });
      const west = await Listener.open(aws, {
        name: "kept",
        region: WEST,
        pattern: { source: ["aws.signin"] },
      });
      await outage([EAST], true);
      await iam.send(new CreateUserCommand({ UserName: "during" }));
      const absent = { userName: "absent", password: "x" };
      expect((await signIn(aws, absent, { region: EAST })).status).to.equal(503);
      expect((await signIn(aws, absent, { region: WEST })).status).to.equal(401);
      expect((await west.next()).detail.eventName).to.equal("ConsoleLogin");
      await outage([]);
      await iam.send(new CreateUserCommand({ UserName: "afterwards" }));
      expect((await east.next()).detail.requestParameters.userName).to.equal("afterwards");
      expect(await east.drain()).to.be.empty;
    });

    it("refuses nonsense", async () => {
      const response = await fetch(`${aws.url}/_bulkhead/outage`, {
        method: "PUT",
        body: JSON.stringify({ regions: "us-east-1" }),
      });
      expect(response.status).to.equal(400);
      expect(await response.json())
        .to.have.property("message")
        .that.contains("regions is required");
      const unknown = await fetch(`${aws.url}/_bulkhead/nothing`);
      expect(unknown.status).to.equal(404);
    });
  });
});
