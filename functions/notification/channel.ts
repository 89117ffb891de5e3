import type { SESv2Client } from "@aws-sdk/client-sesv2";
import * as z from "zod";
import { Webhook } from "../shared/chat/webhook";
import { type Environment, requiredVariable } from "../shared/environment";
import { BulkheadError } from "../shared/errors/bulkheadError";
import type { Mailer } from "../shared/mail/mail";
import { SesMailer } from "../shared/mail/sesMailer";
import { SmtpMailer } from "../shared/mail/smtpMailer";
import type { Notice } from "../shared/notice/notice";
import type { ParameterReader } from "../shared/parameters/parameterReader";
import { renderMail } from "./render/mail";
import { renderSlack } from "./render/slack";
import { renderTeams } from "./render/teams";

/** The environment variable with the channel's settings, as JSON. */
const CHANNEL_VARIABLE = "NOTIFICATION_CHANNEL";

const addresses = { from: z.string().min(3), to: z.array(z.string().min(3)).min(1) };
const channelSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ses"), ...addresses }),
  z.object({
    kind: z.literal("smtp"),
    ...addresses,
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    login: z.object({ userParameter: z.string().min(1), passwordParameter: z.string().min(1) }).optional(),
  }),
  z.object({ kind: z.enum(["slack", "teams"]), webhookParameter: z.string().min(1) }),
]);

/** Settings of the one channel that a function serves. They name parameters, never hold what is in them. */
export type ChannelSettings = z.output<typeof channelSchema>;

/** The one channel that a function serves. */
export interface Channel {
  kind: ChannelSettings["kind"];
  /**
   * Delivers a notice.
   * @param id the message's id, the same for every delivery of it
   * @throws BulkheadError
   */
  deliver(notice: Notice, id: string): Promise<void>;
}

/** What channels reach the world with. */
export interface ChannelPorts {
  ses: Pick<SESv2Client, "send">;
  parameters: ParameterReader;
}

/**
 * The channel's settings from the environment.
 * @throws BulkheadError `missing-variable` or `channel-settings`
 */
export function readChannelSettings(environment: Environment): ChannelSettings {
  const text = requiredVariable(environment, CHANNEL_VARIABLE);
  try {
    return channelSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BulkheadError(
      "channel-settings",
      `the environment variable ${CHANNEL_VARIABLE} is not a channel's settings: the Notification component sets it`,
      { cause },
    );
  }
}

/** The channel that the settings describe. */
export function createChannel(settings: ChannelSettings, { ses, parameters }: ChannelPorts): Channel {
  const mail = (mailer: Mailer): Channel => ({
    kind: settings.kind,
    deliver: (notice, id) => mailer.send(renderMail(notice, id)),
  });
  switch (settings.kind) {
    case "ses":
      return mail(new SesMailer(ses, settings));
    case "smtp":
      return mail(new SmtpMailer(settings, settings, parameters));
    case "slack":
    case "teams": {
      const webhook = new Webhook(settings.webhookParameter, parameters);
      const render = settings.kind === "slack" ? renderSlack : renderTeams;
      return { kind: settings.kind, deliver: (notice) => webhook.post(render(notice)) };
    }
  }
}
