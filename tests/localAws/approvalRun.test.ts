/** Approval from a denied call to the call, on the local AWS, with the component's own roles, machine, functions and pages. */

import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { ActivationRecord } from "../../components/activation/activationRecord";
import { ApprovalWorkflow } from "../../components/approvalWorkflow/approvalWorkflow";
import { APPROVAL_FUNCTIONS } from "../../components/approvalWorkflow/names";
import { type Mail, readInbox } from "../../local/aws/inbox";
import type { LocalAws } from "../../local/aws/launch";
import { ensureBuilt } from "../support/builtFunctions";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";
import { deployRegistered } from "./deployed";
import {
  type Credentials,
  EAST,
  failure,
  iamClient,
  Listener,
  launch,
  rootOf,
  SECURITY,
  settings,
  WEST,
  waitFor,
} from "./support";

const PROD = { name: "prod", region: EAST };
const DR = { name: "dr", region: WEST };
const DIRECTORY = "/bulkhead/approval/directory";

const person = (id: string, groups: string[], identities: string[] = []) => ({
  id,
  name: id,
  mail: `${id}@example.com`,
  groups,
  identities,
});
const level = (group: string) => ({ group, quorum: 1, timeoutSeconds: 600 });
const directory = {
  version: 1,
  people: [
    person("alice", [], [`arn:aws:iam::${SECURITY}:user/alice`]),
    person("bob", ["leads"]),
    person("carol", ["owners"]),
  ],
  rules: [
    {
      name: "everything",
      thresholds: [{ atLeast: 0, name: "two levels", levels: [level("leads"), level("owners")] }],
    },
  ],
};

/** Registers both cells' approval with Pulumi's mocks, to learn what it consists of. */
async function program(keyArns: Record<string, string>): Promise<PulumiMocks> {
  const mocks = await startMocks();
  for (const [own, peer] of [
    [PROD, DR],
    [DR, PROD],
  ] as const) {
    const provider = new aws.Provider(own.name, { region: own.region });
    const cell = { ...own, accountId: SECURITY };
    const kmsKeyArn = keyArns[own.region]!;
    const initiallyActive = own === PROD;
    await mocks.outputsOf(
      new ActivationRecord(`${own.name}-record`, { cell, peer, kmsKeyArn, initiallyActive }, { provider }),
    );
    await mocks.outputsOf(
      new ApprovalWorkflow(
        own.name,
        {
          cell,
          peer,
          kmsKeyArn,
          alertTopicArn: `arn:aws:sns:${own.region}:${SECURITY}:alerts`,
          directory: `ssm:${DIRECTORY}`,
          mail: { transport: "ses", from: "approval@example.com" },
          ownsAccountRoles: own === PROD,
        },
        { provider },
      ),
    );
  }
  await mocks.settle();
  return mocks;
}

describe("approval on the local AWS, with its own roles, machine, functions and pages", () => {
  let local: LocalAws;
  let operator: Credentials;

  before(async function () {
    this.timeout(180_000);
    ensureBuilt(...APPROVAL_FUNCTIONS);
    local = await launch();
    const keyArns: Record<string, string> = {};
    for (const region of [EAST, WEST]) {
      const root = settings(local, rootOf(SECURITY), region);
      keyArns[region] = (await new KMSClient(root).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
      await new SNSClient(root).send(new CreateTopicCommand({ Name: "alerts" }));
      await new SESv2Client(root).send(new CreateEmailIdentityCommand({ EmailIdentity: "example.com" }));
      await new SSMClient(root).send(
        new PutParameterCommand({ Name: DIRECTORY, Type: "SecureString", Value: JSON.stringify(directory) }),
      );
    }
    await deployRegistered(local.url, await program(keyArns));
    const iam = iamClient(local, rootOf(SECURITY));
    await iam.send(new CreateUserCommand({ UserName: "alice" }));
    const Statement = [{ Effect: "Allow", Action: "ec2:Describe*", Resource: "*" }];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: "alice", PolicyName: "look", PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "alice" }));
    operator = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  });
  after(() => local?.stop());

  const seen = new Set<string>();

  /** The next mail to somebody that asks for something, with its link and code. */
  async function asked(who: string): Promise<{ link: string; code: string }> {
    return waitFor(async () => {
      const mails = await readInbox(local.url);
      for (const mail of mails) {
        if (seen.has(mail.id) || !mail.to.includes(`${who}@example.com`)) continue;
        const found = ask(mail);
        if (!found) continue;
        seen.add(mail.id);
        return found;
      }
      return undefined;
    }, 30_000);
  }

  function ask({ text }: Mail): { link: string; code: string } | undefined {
    const link = /(http:\/\/\S+\?link=\S+)/.exec(text)?.[1];
    const code = /\b(\d{3} \d{3})\b/.exec(text)?.[1];
    return link && code ? { link, code } : undefined;
  }

  /** Opens the page that a mail leads to, and sends its form. */
  async function decide({ link, code }: { link: string; code: string }, choice: string): Promise<string> {
    const page = await (await fetch(link)).text();
    const form = new URLSearchParams();
    for (const [, name, value] of page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)) {
      form.set(name!, value!);
    }
    form.set("choice", choice);
    form.set("code", code);
    const action = /<form class="decision" method="post" action="([^"]+)"/.exec(page)?.[1];
    expect(action, page).to.be.a("string");
    const answer = await fetch(new URL(action!, link), { method: "POST", body: form });
    const text = await answer.text();
    expect(answer.status, text).to.equal(200);
    return text;
  }

  async function instance(region: string): Promise<string> {
    const ec2 = new EC2Client(settings(local, rootOf(SECURITY), region));
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: "ami-12345678",
        MinCount: 1,
        MaxCount: 1,
        InstanceType: "t3.micro",
      }),
    );
    return Instances![0]!.InstanceId!;
  }

  async function stateOf(region: string, id: string): Promise<string | undefined> {
    const ec2 = new EC2Client(settings(local, rootOf(SECURITY), region));
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    return Reservations[0]?.Instances?.[0]?.State?.Name;
  }

  /** The whole way of a call in a region. */
  async function approved(region: string): Promise<void> {
    const id = await instance(region);
    const calls = await Listener.open(local, {
      name: "terminations",
      region,
      pattern: { source: ["aws.ec2"], detail: { eventName: ["TerminateInstances"] } },
    });
    const denied = await failure(
      new EC2Client(settings(local, operator, region)).send(
        new TerminateInstancesCommand({ InstanceIds: [id] }),
      ),
    );
    expect(denied.name).to.equal("UnauthorizedOperation");
    const requestId = (await calls.next(({ detail }) => detail.errorCode !== undefined)).detail.eventID;

    await decide(await asked("alice"), "confirm");
    expect(await stateOf(region, id)).to.equal("running");
    await decide(await asked("bob"), "approve");
    await decide(await asked("carol"), "approve");
    expect(await stateOf(region, id)).to.equal("running");
    await decide(await asked("alice"), "execute");

    const { detail } = await calls.next(({ detail: call }) => call.errorCode === undefined);
    expect(detail.userIdentity.sessionContext.sourceIdentity).to.equal(requestId);
    expect(detail.userIdentity.sessionContext.sessionIssuer.arn).to.equal(
      `arn:aws:iam::${SECURITY}:role/bulkhead/bulkhead-approval-executor`,
    );
    await waitFor(async () => ((await stateOf(region, id)) === "running" ? undefined : true));
    // What happened is in the table that this cell writes, and in its replica.
    const entries = await Promise.all(
      [EAST, WEST].map(async (each) => {
        const { Items } = await new DynamoDBClient(settings(local, rootOf(SECURITY), each)).send(
          new QueryCommand({
            TableName: `bulkhead-approval-audit-${region === EAST ? "prod" : "dr"}`,
            KeyConditionExpression: "requestId = :id",
            ExpressionAttributeValues: { ":id": { S: requestId } },
          }),
        );
        return Items!.length;
      }),
    );
    expect(entries[0]).to.be.at.least(5);
    expect(entries[1]).to.equal(entries[0]);
  }

  it("lets two levels decide on a denied call, and makes it with a session for nothing else", async () => {
    await approved(EAST);
  }).timeout(120_000);

  it("does the same in the other cell's region with us-east-1 and IAM gone, and nobody has promoted anything", async () => {
    const cutOff = (regions: string[], globalServices: boolean) =>
      fetch(`${local.url}/_bulkhead/outage`, {
        method: "PUT",
        body: JSON.stringify({ regions, globalServices }),
      });
    await cutOff([EAST], true);
    try {
      await approved(WEST);
    } finally {
      await cutOff([], false);
    }
  }).timeout(120_000);
});
