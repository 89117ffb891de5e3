import type * as pulumi from "@pulumi/pulumi";
import { type Cell, cellArn } from "../regional/cell";
import { hasSes } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";

/** A mail server. */
export interface SmtpArgs {
  /**
   * Required. Host name of the server.
   * @example "email-smtp.us-west-2.amazonaws.com"
   */
  host: string;
  /**
   * Port: 465 speaks TLS from the first byte, on any other the connection is upgraded (STARTTLS). One of both is required of every server
   * but one on the same machine.
   * @default 587
   * @example 465
   */
  port?: number;
  /**
   * Name of the SecureString parameter with the user name, in the cell's region.
   * @default none: the server needs no login
   * @example "/bulkhead/smtp/user"
   */
  userParameter?: string;
  /**
   * Name of the SecureString parameter with the password. Required with {@link userParameter}.
   * @default none: the server needs no login
   * @example "/bulkhead/smtp/password"
   */
  passwordParameter?: string;
}

/** Mail in readable form (SNS's own mails are plain text). */
export interface MailArgs {
  /**
   * Required. `ses` or `smtp`. Partitions without SES (China) have SMTP only (fact 14).
   * @example "ses"
   */
  transport: string;
  /**
   * Required. The sender's address. With SES it, or its domain, has to be a verified identity in the cell's region.
   * @example "alerts@example.com"
   */
  from: string;
  /**
   * Required. The recipients, 1 to 50.
   * @example ["oncall@example.com"]
   */
  to: string[];
  /**
   * The server. Required with transport `smtp`, and only then.
   * @default none
   * @example { host: "email-smtp.us-west-2.amazonaws.com", userParameter: "/bulkhead/smtp/user", passwordParameter: "/bulkhead/smtp/password" }
   */
  smtp?: SmtpArgs;
}

/** A chat channel. */
export interface ChatArgs {
  /**
   * Required. `slack` (incoming webhook) or `teams` (workflow "when a Teams webhook request is received").
   * @example "slack"
   */
  kind: string;
  /**
   * Required. Name of the SecureString parameter with the webhook's address, in the cell's region, encrypted by the cell's key or by the
   * account's own key for SSM.
   * @example "/bulkhead/slack-webhook"
   */
  webhookParameter: string;
}

/** One channel: what its function is called, what the function reads from its environment, and what it may do. */
export interface ChannelPlan {
  /** Ends the function's name; unique within the topic. */
  suffix: string;
  /** What the channel is, for people. */
  words: string;
  /** The settings, as functions/notification/channel.ts reads them. */
  settings: Record<string, unknown>;
  statements: PolicyStatement[];
  /** Whether the function goes into the network that the component was given. */
  inNetwork: boolean;
}

const MAIL_ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/;
const PARAMETER_NAME = /^\/?[\w.-]+(\/[\w.-]+)*$/;
/** SES's limit. */
const MAX_RECIPIENTS = 50;
/** Lambda's limit for all variables is 4 KB; the others need less than one. */
const MAX_SETTINGS = 3_000;

/** @throws Error naming the argument and the value when it is no mail address */
export function checkMailAddress(argument: string, value: string): void {
  if (!MAIL_ADDRESS.test(value) || value.length > 254) {
    throw new Error(`${argument} is "${value}": a mail address such as oncall@example.com`);
  }
}

function checkParameterName(argument: string, value: string): void {
  if (!PARAMETER_NAME.test(value)) {
    throw new Error(
      `${argument} is "${value}": the name of an SSM parameter, such as /bulkhead/slack-webhook`,
    );
  }
}

/** Permission to read these parameters. */
function readParameters(cell: Cell, names: string[]): PolicyStatement {
  const arns = names.map((name) => cellArn(cell, "ssm", `parameter/${name.replace(/^\//, "")}`));
  return { Sid: "ReadSecrets", Effect: "Allow", Action: "ssm:GetParameter", Resource: arns };
}

/**
 * The plan of the mail channel.
 * @throws Error naming the argument, its value and what is allowed
 */
export function planMail(cell: Cell, mail: MailArgs): ChannelPlan {
  if (mail.transport !== "ses" && mail.transport !== "smtp") {
    throw new Error(`mail.transport is "${mail.transport}": "ses" or "smtp"`);
  }
  if (mail.to.length < 1 || mail.to.length > MAX_RECIPIENTS) {
    throw new Error(`mail.to has ${mail.to.length} addresses: 1 to ${MAX_RECIPIENTS}`);
  }
  checkMailAddress("mail.from", mail.from);
  mail.to.forEach((address, index) => {
    checkMailAddress(`mail.to[${index}]`, address);
  });
  const { from, to } = mail;
  const plan = mail.transport === "ses" ? planSes(cell, mail) : planSmtp(cell, mail);
  return fitting({ ...plan, settings: { kind: mail.transport, from, to, ...plan.settings } }, "mail.to");
}

function planSes(cell: Cell, mail: MailArgs): ChannelPlan {
  if (!hasSes(cell.partition)) {
    throw new Error(`mail.transport is "ses": partition ${cell.partition} has no Amazon SES, use "smtp"`);
  }
  if (mail.smtp) throw new Error('mail.smtp is given with mail.transport "ses": leave it out');
  return {
    suffix: "mail",
    words: "mail by SES",
    settings: {},
    statements: [
      {
        Sid: "SendMail",
        Effect: "Allow",
        Action: "ses:SendEmail",
        // The sender's address or its domain, and in SES's sandbox the recipients' identities too; the condition says which sender.
        Resource: cellArn(cell, "ses", "identity/*"),
        Condition: { StringEquals: { "ses:FromAddress": mail.from } },
      },
    ],
    inNetwork: true,
  };
}

function planSmtp(cell: Cell, { smtp }: MailArgs): ChannelPlan {
  if (!smtp) throw new Error('mail.smtp is not given: required with mail.transport "smtp"');
  const { host, port = 587, userParameter, passwordParameter } = smtp;
  if (!/^[\w.:-]{1,253}$/.test(host)) throw new Error(`mail.smtp.host is "${host}": a host name`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`mail.smtp.port is ${port}: a whole number from 1 to 65535`);
  }
  const base = { suffix: "mail", words: `mail by ${host}`, inNetwork: true };
  if (userParameter === undefined && passwordParameter === undefined) {
    return { ...base, settings: { host, port }, statements: [] };
  }
  if (userParameter === undefined || passwordParameter === undefined) {
    const missing = userParameter === undefined ? "userParameter" : "passwordParameter";
    throw new Error(`mail.smtp.${missing} is not given: user and password belong together`);
  }
  checkParameterName("mail.smtp.userParameter", userParameter);
  checkParameterName("mail.smtp.passwordParameter", passwordParameter);
  return {
    ...base,
    settings: { host, port, login: { userParameter, passwordParameter } },
    statements: [readParameters(cell, [userParameter, passwordParameter])],
  };
}

/**
 * The plans of the chat channels. The first of a kind is called after the kind, further ones are numbered from 2 in their order.
 * @throws Error naming the argument, its value and what is allowed
 */
export function planChats(cell: Cell, chats: ChatArgs[]): ChannelPlan[] {
  const ofKind = new Map<string, number>();
  return chats.map(({ kind, webhookParameter }, index) => {
    if (kind !== "slack" && kind !== "teams") {
      throw new Error(`chat[${index}].kind is "${kind}": "slack" or "teams"`);
    }
    checkParameterName(`chat[${index}].webhookParameter`, webhookParameter);
    const number = (ofKind.get(kind) ?? 0) + 1;
    ofKind.set(kind, number);
    return fitting(
      {
        suffix: number === 1 ? kind : `${kind}-${number}`,
        words: kind === "slack" ? "Slack" : "Microsoft Teams",
        settings: { kind, webhookParameter },
        statements: [readParameters(cell, [webhookParameter])],
        // Webhooks are on the internet, which a private network has no way to.
        inNetwork: false,
      },
      `chat[${index}]`,
    );
  });
}

function fitting(plan: ChannelPlan, argument: string): ChannelPlan {
  const length = JSON.stringify(plan.settings).length;
  if (length > MAX_SETTINGS) {
    throw new Error(
      `${argument} makes settings of ${length} characters, more than a function's environment holds (${MAX_SETTINGS}): use a mailing list`,
    );
  }
  return plan;
}

/** The environment of a channel's function. */
export function channelEnvironment(plan: ChannelPlan): Record<string, pulumi.Input<string>> {
  return { NOTIFICATION_CHANNEL: JSON.stringify(plan.settings) };
}
