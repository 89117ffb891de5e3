import type { SESv2Client } from "@aws-sdk/client-sesv2";
import * as z from "zod";
import { Webhook } from "../../shared/chat/webhook";
import type { Mailer } from "../../shared/mail/mail";
import { SesMailer } from "../../shared/mail/sesMailer";
import { SmtpMailer } from "../../shared/mail/smtpMailer";
import type { ParameterReader } from "../../shared/parameters/parameterReader";
import { LANGUAGES } from "../directory/document";
import { ACTING } from "../http/parts";
import type { Chat } from "./messenger";

const parameter = z.string().min(1).max(1_011);
const port = z.int().min(1).max(65_535);

/** How messages are sent; part of the settings of whichever function sends them. They name parameters, never hold what is in them. */
export const messageSettingsSchema = z.strictObject({
  /** Where the pages are reached: https, without a slash at its end. */
  baseUrl: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
  /** IANA name of the time zone that times are shown in beside UTC. @default UTC */
  timeZone: z.string().min(1).default("UTC"),
  /** Of people who have none of their own, of chats, and of browsers that ask for neither. @default en */
  language: z.enum(LANGUAGES).default("en"),
  /** How people show that it is they who act; see ActingBy. The same for pages and messages. @default code */
  acting: z.enum(ACTING).default("code"),
  mail: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("ses"), from: z.string().min(3) }),
    z.strictObject({
      kind: z.literal("smtp"),
      from: z.string().min(3),
      host: z.string().min(1),
      port,
      login: z.strictObject({ userParameter: parameter, passwordParameter: parameter }).optional(),
    }),
  ]),
  /** Address of the document with a team's own templates: `s3://BUCKET/KEY` or `ssm:/NAME`. @default the built-in ones */
  templates: z.string().min(1).optional(),
  /** Chats. `buttons`: whether people decide in it; only Slack, see the pages' settings for the signing secret. @default none */
  chats: z
    .array(
      z.strictObject({
        kind: z.enum(["slack", "teams"]),
        webhookParameter: parameter,
        buttons: z.boolean().default(false),
      }),
    )
    .default([]),
});

/** How messages are sent. */
export type MessageSettings = z.output<typeof messageSettingsSchema>;

/** What messages are sent with. */
export interface MessagePorts {
  readonly ses: Pick<SESv2Client, "send">;
  readonly parameters: ParameterReader;
}

/** A mailer for each address. */
export function mailerTo(
  { mail }: MessageSettings,
  { ses, parameters }: MessagePorts,
): (address: string) => Mailer {
  return (address) => {
    const addresses = { from: mail.from, to: [address] };
    return mail.kind === "ses" ? new SesMailer(ses, addresses) : new SmtpMailer(mail, addresses, parameters);
  };
}

/** The chats of the settings. */
export function chatsOf(
  { chats }: MessageSettings,
  { parameters }: Pick<MessagePorts, "parameters">,
): Chat[] {
  return chats.map(({ kind, webhookParameter, buttons }) => {
    const webhook = new Webhook(webhookParameter, parameters);
    return { kind, buttons: buttons && kind === "slack", post: (body) => webhook.post(body) };
  });
}
