import { type SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { BulkheadError } from "../errors/bulkheadError";
import type { Addresses, Mail, Mailer } from "./mail";

/** Sends mail through Amazon SES in the function's own region; its identities and sandbox are per region (fact 14). */
export class SesMailer implements Mailer {
  constructor(
    private readonly client: Pick<SESv2Client, "send">,
    private readonly addresses: Addresses,
  ) {}

  async send(mail: Mail): Promise<void> {
    const utf8 = (Data: string) => ({ Data, Charset: "UTF-8" });
    try {
      await this.client.send(
        new SendEmailCommand({
          FromEmailAddress: this.addresses.from,
          Destination: { ToAddresses: this.addresses.to },
          Content: {
            Simple: {
              Subject: utf8(mail.subject),
              Body: { Text: utf8(mail.text), Html: utf8(mail.html) },
              // SES sets Message-ID itself, so the id goes into the header that mail programs group by.
              Headers: [{ Name: "X-Entity-Ref-ID", Value: mail.id }],
            },
          },
        }),
      );
    } catch (cause) {
      throw new BulkheadError(
        "mail-refused",
        "SES did not take the mail: the sender has to be a verified identity in the function's region, out of SES's sandbox or with verified recipients",
        { cause },
      );
    }
  }
}
