/** A mail to send. */
export interface Mail {
  /** One line. */
  subject: string;
  text: string;
  html: string;
  /**
   * Identifies what the mail is about: the same mail sent twice has the same id, so that mail programs can show it once. Letters, digits
   * and hyphens.
   */
  id: string;
}

/** Where mails come from and go to. */
export interface Addresses {
  from: string;
  to: string[];
}

/** A way to send mail. */
export interface Mailer {
  /**
   * Hands the mail over for all recipients.
   * @throws BulkheadError `mail-refused`
   */
  send(mail: Mail): Promise<void>;
}
