import * as z from "zod";

const mailSchema = z.object({
  id: z.string(),
  at: z.string(),
  region: z.string().nullish(),
  kind: z.enum(["sns", "ses", "smtp"]),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string().nullish(),
});

/** A mail in the local AWS's inbox. */
export type Mail = z.infer<typeof mailSchema>;

/** All mails so far, oldest first. */
export async function readInbox(url: string): Promise<Mail[]> {
  const response = await fetch(`${url}/_bulkhead/inbox`, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`the local AWS's inbox answered ${response.status}`);
  return z.array(mailSchema).parse(await response.json());
}

/** Confirms every subscription that waits for it, as the receivers would by the link in the mail. */
export async function confirmSubscriptions(url: string): Promise<void> {
  const response = await fetch(`${url}/_bulkhead/inbox/confirm`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ all: true }),
  });
  if (!response.ok) throw new Error(`confirming the subscriptions answered ${response.status}`);
}
