import { createTransport } from "nodemailer";
import { BulkheadError } from "../errors/bulkheadError";
import type { ParameterReader } from "../parameters/parameterReader";
import type { Addresses, Mail, Mailer } from "./mail";

/** A mail server. */
export interface SmtpServer {
  host: string;
  /** 465 speaks TLS from the first byte; on any other port the connection is upgraded (STARTTLS). */
  port: number;
  /** Names of the parameters with user and password; none for a server that needs no login. */
  login?: { userParameter: string; passwordParameter: string };
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const CONNECT_MILLISECONDS = 5_000;
const ANSWER_MILLISECONDS = 15_000;

/**
 * Sends mail over SMTP, the only way in partitions without SES. TLS 1.2 or newer is required, with a certificate that is valid for the host;
 * only a server on this machine, as in local mode, may do without. One connection a mail: functions are frozen between runs, and a pooled
 * connection would be dead at the next one.
 */
export class SmtpMailer implements Mailer {
  /** @param certificateAuthority PEM, for tests with a certificate of their own @default the system's authorities */
  constructor(
    private readonly server: SmtpServer,
    private readonly addresses: Addresses,
    private readonly parameters: ParameterReader,
    private readonly certificateAuthority?: string,
  ) {}

  async send(mail: Mail): Promise<void> {
    const { host, port, login } = this.server;
    const implicitTls = port === 465;
    const transport = createTransport({
      host,
      port,
      secure: implicitTls,
      requireTLS: !implicitTls && !LOOPBACK.includes(host),
      ignoreTLS: false,
      tls: {
        minVersion: "TLSv1.2",
        ...(this.certificateAuthority && { ca: this.certificateAuthority }),
      },
      pool: false,
      ...(login && {
        auth: {
          user: await this.parameters.read(login.userParameter),
          pass: await this.parameters.read(login.passwordParameter),
        },
      }),
      connectionTimeout: CONNECT_MILLISECONDS,
      greetingTimeout: CONNECT_MILLISECONDS,
      socketTimeout: ANSWER_MILLISECONDS,
      // Nodemailer's own log shows the conversation, with login.
      logger: false,
      debug: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      await transport.sendMail({
        from: this.addresses.from,
        to: this.addresses.to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: `<${mail.id}@${this.addresses.from.split("@").at(-1)}>`,
        headers: { "X-Entity-Ref-ID": mail.id, "Auto-Submitted": "auto-generated" },
      });
    } catch (cause) {
      // A refused login may mean that the password was changed: read it anew on the next attempt.
      if (login && (cause as { code?: unknown }).code === "EAUTH") {
        this.parameters.forget(login.userParameter);
        this.parameters.forget(login.passwordParameter);
      }
      throw new BulkheadError("mail-refused", `the mail server ${host}:${port} did not take the mail`, {
        cause,
      });
    } finally {
      transport.close();
    }
  }
}
