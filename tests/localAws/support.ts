/** What the tests of the local AWS share: one process a file, clients for it, and waiting for conditions. */
import * as path from "node:path";
import {
  EventBridgeClient,
  PutRuleCommand,
  type PutRuleCommandInput,
  PutTargetsCommand,
  type RuleState,
} from "@aws-sdk/client-eventbridge";
import {
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  IAMClient,
} from "@aws-sdk/client-iam";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { generate } from "otplib";
import { type LaunchAwsOptions, type LocalAws, launchAws } from "../../local/aws/launch";
import { waitFor as waitForSomething } from "../../local/waitFor";

export const ROOT = path.resolve(__dirname, "../..");
export const SECURITY = "222222222222";
export const EAST = "us-east-1";
export const WEST = "us-west-2";

export function launch(options: Partial<LaunchAwsOptions> = {}): Promise<LocalAws> {
  return launchAws({ root: ROOT, ...options });
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The root of an account, as local mode uses it to set accounts up. */
export function rootOf(accountId: string): Credentials {
  return { accessKeyId: accountId, secretAccessKey: "test" };
}

/** Settings of a client of any service. Calls are not retried, so that a refusal is seen at once. */
export function settings(aws: LocalAws, credentials: Credentials, region = EAST) {
  return { endpoint: aws.url, region, credentials, maxAttempts: 1 };
}

export interface ConsoleUser {
  userName: string;
  password: string;
  serialNumber: string;
  /** A code of the user's device: of now, or of so many steps of 30 seconds later or earlier. */
  code(stepsFromNow?: number): Promise<string>;
}

const PASSWORD = "Correct-Horse-Battery-7";

/** A user with a password and a virtual MFA device. */
export async function createConsoleUser(iam: IAMClient, userName: string): Promise<ConsoleUser> {
  await iam.send(new CreateUserCommand({ UserName: userName }));
  await iam.send(new CreateLoginProfileCommand({ UserName: userName, Password: PASSWORD }));
  return { userName, password: PASSWORD, ...(await addDevice(iam, userName)) };
}

/** Gives a user a virtual MFA device. */
export async function addDevice(
  iam: IAMClient,
  userName: string,
): Promise<Pick<ConsoleUser, "serialNumber" | "code">> {
  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: userName }),
  );
  const secret = Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString("utf8");
  const code = (stepsFromNow = 0) => codeOf(secret, stepsFromNow);
  const serialNumber = VirtualMFADevice!.SerialNumber!;
  await iam.send(
    new EnableMFADeviceCommand({
      UserName: userName,
      SerialNumber: serialNumber,
      AuthenticationCode1: await code(-2),
      AuthenticationCode2: await code(-1),
    }),
  );
  return { serialNumber, code };
}

function codeOf(secret: string, stepsFromNow: number): Promise<string> {
  const epoch = Math.floor(Date.now() / 1000) + stepsFromNow * 30;
  return generate({ secret, epoch });
}

export interface SignInAnswer {
  status: number;
  body: Credentials & { mfa?: boolean; message?: string };
}

export async function signIn(
  aws: LocalAws,
  user: { userName: string; password: string },
  options: { accountId?: string; region?: string; mfaCode?: string } = {},
): Promise<SignInAnswer> {
  const { accountId = SECURITY, region = EAST, mfaCode } = options;
  const response = await fetch(`${aws.url}/_bulkhead/console/sign-in`, {
    method: "POST",
    body: JSON.stringify({
      accountId,
      userName: user.userName,
      password: user.password,
      region,
      ...(mfaCode && { mfaCode }),
    }),
  });
  return { status: response.status, body: (await response.json()) as SignInAnswer["body"] };
}

/** An event as a target of EventBridge receives it. */
export interface Event {
  source: string;
  account: string;
  region: string;
  "detail-type": string;
  // biome-ignore lint/suspicious/noExplicitAny: the shapes of CloudTrail's records differ call by call
  detail: any;
}

/** A rule on the default bus with a queue that its events arrive at. */
export class Listener {
  readonly #seen: Event[] = [];
  private constructor(
    readonly sqs: SQSClient,
    readonly queueUrl: string,
  ) {}

  static async open(
    aws: LocalAws,
    options: {
      name: string;
      region: string;
      pattern: object;
      state?: RuleState;
      accountId?: string;
      target?: object;
      rule?: Partial<PutRuleCommandInput>;
    },
  ): Promise<Listener> {
    const { name, region, pattern, state = "ENABLED", accountId = SECURITY } = options;
    const sqs = new SQSClient(settings(aws, rootOf(accountId), region));
    const events = new EventBridgeClient(settings(aws, rootOf(accountId), region));
    const { queueUrl, queueArn } = await createQueue(sqs, name, "events.amazonaws.com");
    await events.send(
      new PutRuleCommand({ Name: name, State: state, EventPattern: JSON.stringify(pattern) }),
    );
    await events.send(
      new PutTargetsCommand({ Rule: name, Targets: [{ Id: "queue", Arn: queueArn, ...options.target }] }),
    );
    return new Listener(sqs, queueUrl);
  }

  /** Waits for an event that the test accepts, and returns it. */
  async next(accepts: (event: Event) => boolean = () => true): Promise<Event> {
    return waitFor(async () => {
      await this.drain();
      const found = this.#seen.findIndex(accepts);
      return found < 0 ? undefined : this.#seen.splice(found, 1)[0];
    });
  }

  /** All that has arrived and was not taken. */
  async drain(): Promise<readonly Event[]> {
    const texts = await receiveAll(this.sqs, this.queueUrl);
    this.#seen.push(...texts.map((text) => JSON.parse(text) as Event));
    return this.#seen;
  }
}

export async function createQueue(sqs: SQSClient, name: string, service: string) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const queueArn = Attributes!.QueueArn!;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { Service: service }, Action: "sqs:SendMessage", Resource: queueArn },
    ],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  return { queueUrl: QueueUrl!, queueArn };
}

/** The bodies of the messages in a queue, which they are removed from. */
export async function receiveAll(sqs: SQSClient, queueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return bodies;
    for (const message of Messages) {
      bodies.push(message.Body!);
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
}

/** Polls until the function gives a value. */
export function waitFor<T>(probe: () => Promise<T | undefined>, timeoutMs = 5_000): Promise<T> {
  return waitForSomething("what the test waits for", probe, { timeoutMs });
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the call succeeded");
}

export const iamClient = (aws: LocalAws, credentials: Credentials, region = EAST) =>
  new IAMClient(settings(aws, credentials, region));
export const stsClient = (aws: LocalAws, credentials: Credentials, region = EAST) =>
  new STSClient(settings(aws, credentials, region));
