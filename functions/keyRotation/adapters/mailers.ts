import type { SESv2Client } from "@aws-sdk/client-sesv2";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { Mail } from "../../shared/mail/mail";
import { SesMailer } from "../../shared/mail/sesMailer";
import { SmtpMailer } from "../../shared/mail/smtpMailer";
import type { ParameterReader } from "../../shared/parameters/parameterReader";
import type { KeyRotationSettings } from "../settings";

/** Sends mails to recipients that differ from mail to mail, over the transport that the settings name. */
export function createSender(
  transport: KeyRotationSettings["mail"]["transport"],
  { ses, parameters }: { ses: Pick<SESv2Client, "send">; parameters: ParameterReader },
): (to: string[], mail: Mail) => Promise<void> {
  return async (to, mail) => {
    switch (transport.kind) {
      case "ses":
        return new SesMailer(ses, { from: transport.from, to }).send(mail);
      case "smtp":
        return new SmtpMailer(transport, { from: transport.from, to }, parameters).send(mail);
      case "none":
        throw new BulkheadError(
          "no-mail-transport",
          "there is no mail transport: mail.transport.kind is none",
        );
    }
  };
}
