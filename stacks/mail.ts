import type { StackConfig } from "./config";

/** How mails are sent; undefined with mailTransport none. */
export function mailSending(config: StackConfig) {
  const { mailTransport: transport, mailFrom: from } = config;
  if (transport === "none") return undefined;
  if (transport === "ses") return { transport, from };
  return {
    transport,
    from,
    smtp: {
      host: config.smtpHost,
      port: config.smtpPort,
      userParameter: config.smtpUserParameter,
      passwordParameter: config.smtpPasswordParameter,
    },
  };
}
