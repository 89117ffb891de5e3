import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { Notification, type NotificationArgs } from "../../components/notification/notification";
import { readChannelSettings } from "../../functions/notification/channel";
import { ensureBuilt } from "../support/builtFunctions";
import { jsonInput, type PulumiMocks, startMocks, unknownOutput } from "../support/pulumiMocks";

const CELL = { name: "prod", region: "us-east-1", accountId: "222222222222" };
const KEY = "arn:aws:kms:us-east-1:222222222222:key/cell";
const TOPIC = "arn:aws:sns:us-east-1:222222222222:bulkhead-breakglass-alerts";
const QUEUE = "arn:aws:sqs:us-east-1:222222222222:bulkhead-breakglass-alerts-dead-letters";
const SES = { transport: "ses", from: "alerts@example.com", to: ["oncall@example.com"] };
const SLACK = { kind: "slack", webhookParameter: "/bulkhead/slack-webhook" };
const SMTP = {
  transport: "smtp",
  from: "alerts@example.com",
  to: ["oncall@example.com"],
  smtp: {
    host: "mail.example.com",
    userParameter: "/bulkhead/smtp/user",
    passwordParameter: "smtp-password",
  },
};

function create(overrides: Partial<NotificationArgs> = {}): Notification {
  const provider = new aws.Provider("cell", { region: overrides.cell?.region ?? CELL.region });
  return new Notification(
    "n",
    { cell: CELL, topicName: "bulkhead-breakglass-alerts", kmsKeyArn: KEY, ...overrides },
    { provider },
  );
}

async function created(overrides: Partial<NotificationArgs> = {}): Promise<PulumiMocks> {
  const mocks = await startMocks();
  await mocks.outputsOf(create(overrides));
  return mocks;
}

/** The statements of a function's policy beyond those that every function has. */
function ownStatements(mocks: PulumiMocks, functionName: string): unknown[] {
  const { Statement } = jsonInput(
    mocks.find("aws:iam/rolePolicy:RolePolicy", `${functionName}-policy`),
    "policy",
  );
  return Statement.slice(4);
}

function settings(mocks: PulumiMocks, functionName: string): unknown {
  const { variables } = mocks.find("aws:lambda/function:Function", `${functionName}-function`).inputs
    .environment;
  // What the component writes is what the function reads.
  return readChannelSettings(variables);
}

describe("Notification", () => {
  before(() => ensureBuilt("notification"));

  it("creates a topic, its policy and the mail subscriptions, and nothing more, for e-mails only", async () => {
    const mocks = await created({ emails: ["a@example.com", "b@example.com"] });
    expect(mocks.list()).to.deep.equal([
      "aws:sns/topic:Topic n-topic",
      "aws:sns/topicPolicy:TopicPolicy n-topic-policy",
      "aws:sns/topicSubscription:TopicSubscription n-email-a@example.com",
      "aws:sns/topicSubscription:TopicSubscription n-email-b@example.com",
      "bulkhead:index:Notification n",
      "pulumi:providers:aws cell",
    ]);
    expect(mocks.find("aws:sns/topic:Topic").inputs).to.deep.equal({
      name: "bulkhead-breakglass-alerts",
      displayName: "Bulkhead prod",
      kmsMasterKeyId: KEY,
      signatureVersion: 2,
    });
    expect(
      mocks.find("aws:sns/topicSubscription:TopicSubscription", "n-email-a@example.com").inputs,
    ).to.deep.equal({ topic: TOPIC, protocol: "email", endpoint: "a@example.com" });
  });

  it("lets event rules and alarms of this account publish, and nobody without TLS", async () => {
    const mocks = await created({ emails: ["a@example.com"] });
    const policy = mocks.find("aws:sns/topicPolicy:TopicPolicy");
    expect(policy.inputs.arn).to.equal(TOPIC);
    expect(jsonInput(policy, "policy")).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          // With a condition EventBridge could not publish at all.
          Sid: "EventRules",
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: "sns:Publish",
          Resource: TOPIC,
        },
        {
          Sid: "AlarmsOfTheAccount",
          Effect: "Allow",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Action: "sns:Publish",
          Resource: TOPIC,
          Condition: {
            StringEquals: { "aws:SourceAccount": "222222222222" },
            ArnLike: { "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:222222222222:alarm:*" },
          },
        },
        {
          Sid: "OnlyOverTls",
          Effect: "Deny",
          Principal: "*",
          Action: "sns:Publish",
          Resource: TOPIC,
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });

  it("gives each channel a function, a subscription and a permission of its own", async () => {
    const mocks = await created({
      mail: SES,
      chat: [
        SLACK,
        { kind: "teams", webhookParameter: "teams" },
        { kind: "slack", webhookParameter: "/second" },
      ],
    });
    const functions = mocks.ofType("aws:lambda/function:Function").map(({ inputs }) => inputs.name);
    expect(functions).to.have.members([
      "bulkhead-breakglass-alerts-mail",
      "bulkhead-breakglass-alerts-slack",
      "bulkhead-breakglass-alerts-teams",
      "bulkhead-breakglass-alerts-slack-2",
    ]);
    for (const suffix of ["mail", "slack", "teams", "slack-2"]) {
      const functionName = `bulkhead-breakglass-alerts-${suffix}`;
      const subscription = mocks.find(
        "aws:sns/topicSubscription:TopicSubscription",
        `n-${suffix}-subscription`,
      );
      expect(subscription.inputs).to.deep.include({
        topic: TOPIC,
        protocol: "lambda",
        endpoint: `arn:aws:lambda:us-east-1:222222222222:function:${functionName}`,
      });
      expect(jsonInput(subscription, "redrivePolicy")).to.deep.equal({ deadLetterTargetArn: QUEUE });
      expect(subscription.dependencyNames).to.include(`n-${suffix}-permission`);
      expect(mocks.find("aws:lambda/permission:Permission", `n-${suffix}-permission`).inputs).to.deep.equal({
        statementId: "AlertTopic",
        action: "lambda:InvokeFunction",
        function: functionName,
        principal: "sns.amazonaws.com",
        sourceArn: TOPIC,
      });
      const alarm = mocks.find("aws:cloudwatch/metricAlarm:MetricAlarm", `n-${suffix}-errors-alarm`);
      expect(alarm.inputs.alarmActions).to.deep.equal([TOPIC]);
      expect(mocks.find("bulkhead:index:RegionalFunction", `n-${suffix}`).parentName).to.equal("n");
    }
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    const custom = mocks.resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
    expect(custom.map(({ region }) => region)).to.deep.equal(custom.map(() => "us-east-1"));
    expect(custom.map(({ providerName }) => providerName)).to.deep.equal(custom.map(() => "cell"));
  });

  it("keeps what could not be handed to a function in an encrypted queue with an alarm", async () => {
    const mocks = await created({ chat: [SLACK] });
    const queue = mocks.find("aws:sqs/queue:Queue", "n-dead-letters");
    expect(queue).to.include({ parentName: "n" });
    expect(queue.inputs).to.deep.equal({
      name: "bulkhead-breakglass-alerts-dead-letters",
      kmsMasterKeyId: KEY,
      messageRetentionSeconds: 1_209_600,
    });
    const { Statement } = jsonInput(
      mocks.find("aws:sqs/queuePolicy:QueuePolicy", "n-dead-letters-policy"),
      "policy",
    );
    expect(Statement[0]).to.deep.equal({
      Sid: "UndeliveredMessagesOfTheTopic",
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: QUEUE,
      Condition: { ArnEquals: { "aws:SourceArn": TOPIC } },
    });
    expect(Statement[1]).to.include({ Sid: "OnlyOverTls", Effect: "Deny" });
    expect(
      mocks.find("aws:cloudwatch/metricAlarm:MetricAlarm", "n-dead-letters-alarm").inputs.alarmActions,
    ).to.deep.equal([TOPIC]);
  });

  it("lets the SES function send as its sender only, and configures it", async () => {
    const mocks = await created({ mail: SES });
    expect(ownStatements(mocks, "n-mail")).to.deep.equal([
      {
        Sid: "SendMail",
        Effect: "Allow",
        Action: "ses:SendEmail",
        Resource: "arn:aws:ses:us-east-1:222222222222:identity/*",
        Condition: { StringEquals: { "ses:FromAddress": "alerts@example.com" } },
      },
    ]);
    expect(settings(mocks, "n-mail")).to.deep.equal({
      kind: "ses",
      from: "alerts@example.com",
      to: ["oncall@example.com"],
    });
  });

  it("lets the SMTP function read its login only, and configures it", async () => {
    const mocks = await created({ mail: SMTP });
    expect(ownStatements(mocks, "n-mail")).to.deep.equal([
      {
        Sid: "ReadSecrets",
        Effect: "Allow",
        Action: "ssm:GetParameter",
        Resource: [
          "arn:aws:ssm:us-east-1:222222222222:parameter/bulkhead/smtp/user",
          "arn:aws:ssm:us-east-1:222222222222:parameter/smtp-password",
        ],
      },
    ]);
    expect(settings(mocks, "n-mail")).to.deep.equal({
      kind: "smtp",
      from: "alerts@example.com",
      to: ["oncall@example.com"],
      host: "mail.example.com",
      port: 587,
      login: { userParameter: "/bulkhead/smtp/user", passwordParameter: "smtp-password" },
    });
  });

  it("lets a mail server without login be used, without permission to read anything", async () => {
    const mocks = await created({ mail: { ...SMTP, smtp: { host: "127.0.0.1", port: 2525 } } });
    expect(ownStatements(mocks, "n-mail")).to.deep.equal([]);
    expect(settings(mocks, "n-mail")).to.deep.include({ host: "127.0.0.1", port: 2525 });
    expect(settings(mocks, "n-mail")).not.to.have.property("login");
  });

  it("lets a chat function read its own webhook only", async () => {
    const mocks = await created({ chat: [SLACK, { kind: "teams", webhookParameter: "teams" }] });
    const resource = (name: string) => (ownStatements(mocks, name)[0] as { Resource: string[] }).Resource;
    expect(resource("n-slack")).to.deep.equal([
      "arn:aws:ssm:us-east-1:222222222222:parameter/bulkhead/slack-webhook",
    ]);
    expect(resource("n-teams")).to.deep.equal(["arn:aws:ssm:us-east-1:222222222222:parameter/teams"]);
    expect(settings(mocks, "n-slack")).to.deep.equal({
      kind: "slack",
      webhookParameter: "/bulkhead/slack-webhook",
    });
  });

  it("puts the mail function into a given network, and leaves chats outside", async () => {
    const vpc = { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };
    const mocks = await created({ mail: SMTP, chat: [SLACK], vpc, logRetentionDays: 30 });
    const inputs = (name: string) => mocks.find("aws:lambda/function:Function", name).inputs;
    expect(inputs("n-mail-function").vpcConfig).to.deep.equal(vpc);
    expect(inputs("n-slack-function")).not.to.have.property("vpcConfig");
    const groups = mocks.ofType("aws:cloudwatch/logGroup:LogGroup");
    expect(groups.map((group) => group.inputs.retentionInDays)).to.deep.equal([30, 30]);
  });

  it("tells what it made, the topic's ARN only after its policy", async () => {
    const mocks = await startMocks();
    const notification = create({ mail: SES, chat: [SLACK] });
    const outputs = await mocks.outputsOf(notification);
    expect(outputs).to.deep.equal({
      topicArn: TOPIC,
      topicName: "bulkhead-breakglass-alerts",
      functionNames: ["bulkhead-breakglass-alerts-mail", "bulkhead-breakglass-alerts-slack"],
    });
    expect(mocks.find("bulkhead:index:Notification").registeredOutputs).to.deep.equal(outputs);
    new aws.sns.TopicSubscription("later", {
      topic: notification.topicArn,
      protocol: "email",
      endpoint: "x",
    });
    await mocks.settle();
    const later = mocks.find("aws:sns/topicSubscription:TopicSubscription", "later");
    expect(later.dependencyNames).to.include.members(["n-topic", "n-topic-policy"]);
  });

  it("can be previewed while the key is unknown", async () => {
    const mocks = await startMocks({ preview: true });
    create({ kmsKeyArn: unknownOutput<string>(), mail: SES, emails: ["a@example.com"] });
    await mocks.settle();
    expect(mocks.ofType("aws:sns/topicSubscription:TopicSubscription")).to.have.length(2);
  });

  it("uses the partition's ARNs and names in China", async () => {
    const mocks = await created({ cell: { ...CELL, region: "cn-north-1" }, kmsKeyArn: "key", mail: SMTP });
    const arns = JSON.stringify(mocks.resources.map(({ inputs }) => inputs)).match(/arn:[a-z-]+:/g)!;
    expect(new Set(arns)).to.deep.equal(new Set(["arn:aws-cn:"]));
  });

  const china = { ...CELL, region: "cn-north-1" };
  const refused: [string, Partial<NotificationArgs>, string][] = [
    ["SES in China", { cell: china, mail: SES }, 'partition aws-cn has no Amazon SES, use "smtp"'],
    ["a topic name with capitals", { topicName: "Alerts" }, 'topicName is "Alerts"'],
    ["no e-mail address", { emails: ["a@example.com", "nobody"] }, 'emails[1] is "nobody"'],
    ["an address with a name", { emails: ["A <a@example.com>"] }, 'emails[0] is "A <a@example.com>"'],
    ["an address twice", { emails: ["a@example.com", "a@example.com"] }, "named twice"],
    ["an unknown transport", { mail: { ...SES, transport: "pigeon" } }, '"ses" or "smtp"'],
    ["mail to nobody", { mail: { ...SES, to: [] } }, "mail.to has 0 addresses: 1 to 50"],
    ["a bad recipient", { mail: { ...SES, to: ["x"] } }, 'mail.to[0] is "x"'],
    ["a bad sender", { mail: { ...SES, from: "x\r\nBcc: y@z" } }, "mail.from is"],
    ["SES with a server", { mail: { ...SES, smtp: SMTP.smtp } }, "leave it out"],
    ["SMTP without a server", { mail: { ...SMTP, smtp: undefined } }, "mail.smtp is not given"],
    ["a bad host", { mail: { ...SMTP, smtp: { host: "a b" } } }, 'mail.smtp.host is "a b"'],
    ["a bad port", { mail: { ...SMTP, smtp: { host: "a", port: 0 } } }, "mail.smtp.port is 0"],
    [
      "a user without password",
      { mail: { ...SMTP, smtp: { host: "a", userParameter: "u" } } },
      "mail.smtp.passwordParameter is not given",
    ],
    [
      "a password without user",
      { mail: { ...SMTP, smtp: { host: "a", passwordParameter: "p" } } },
      "mail.smtp.userParameter is not given",
    ],
    ["an unknown chat", { chat: [{ ...SLACK, kind: "irc" }] }, 'chat[0].kind is "irc"'],
    [
      "a webhook's address in place of a name",
      { chat: [{ ...SLACK, webhookParameter: "https://x/y" }] },
      "the name of an SSM parameter",
    ],
    [
      "more recipients than fit",
      { mail: { ...SES, to: Array.from({ length: 50 }, (_, i) => `${"x".repeat(60)}${i}@example.com`) } },
      "use a mailing list",
    ],
  ];
  for (const [what, overrides, message] of refused) {
    it(`refuses ${what} before it creates anything`, async () => {
      const mocks = await startMocks();
      expect(() => create(overrides)).to.throw(message);
      await mocks.settle();
      expect(mocks.childrenOf("n")).to.deep.equal([]);
    });
  }
});
