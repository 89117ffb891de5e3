import type { Mail } from "../../shared/mail/mail";
import type { AccountNotices, NoticeEntry } from "../engine/ports";
import type { KeyRotationSettings } from "../settings";
import { renderMail, type Template } from "./render";

/** The memory of what was sent: it makes one mail of a message that comes twice. */
export interface Claims {
  /**
   * Takes entries that nobody has taken yet.
   * @returns the ids of those that were taken now
   */
  take(accountId: string, ids: string[]): Promise<Set<string>>;
  /** Gives entries back whose mail certainly did not leave. */
  giveBack(accountId: string, ids: string[]): Promise<void>;
}

/** What mails are delivered with. */
export interface DeliveryPorts {
  claims: Claims;
  template(mode: "audit" | "enforce"): Promise<Template>;
  send(to: string[], mail: Mail): Promise<void>;
}

/** What came of a message. */
export interface Delivered {
  mails: number;
  /** Entries that were told before. */
  repeated: number;
  /** Entries for which there is no address. */
  withoutAddress: number;
}

/**
 * Mails what is in a message: one mail to each recipient, and one of its own for each failed action. Entries are taken before the mail is sent
 * and given back when sending failed: so a mail whose fate is not known, because the process died at that moment, is not sent again.
 *
 * @throws the mailer's error, after the mails to other recipients were sent; the message is then to be delivered again.
 */
export async function deliver(
  notices: AccountNotices,
  mail: Pick<KeyRotationSettings["mail"], "to" | "central">,
  ports: DeliveryPorts,
): Promise<Delivered> {
  const result: Delivered = { mails: 0, repeated: 0, withoutAddress: 0 };
  const failures: unknown[] = [];
  for (const { to, entries } of groups(notices, mail)) {
    if (to.length === 0) {
      result.withoutAddress += entries.length;
      continue;
    }
    const ids = entries.map(({ id }) => id);
    const taken = await ports.claims.take(notices.accountId, ids);
    const news = entries.filter(({ id }) => taken.has(id));
    result.repeated += entries.length - news.length;
    if (news.length === 0) continue;
    try {
      await ports.send(to, renderMail(notices, news, await ports.template(notices.mode)));
      result.mails += 1;
    } catch (error) {
      await ports.claims.giveBack(notices.accountId, [...taken]);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return result;
}

interface Group {
  to: string[];
  entries: NoticeEntry[];
}

function groups(notices: AccountNotices, mail: Pick<KeyRotationSettings["mail"], "to" | "central">): Group[] {
  const byRecipient = new Map<string, Group>();
  const alone: Group[] = [];
  for (const entry of notices.entries) {
    const to = recipients(entry, notices, mail);
    if (entry.what.startsWith("failed:")) {
      alone.push({ to, entries: [entry] });
      continue;
    }
    const group = byRecipient.get(to.join(",")) ?? { to, entries: [] };
    group.entries.push(entry);
    byRecipient.set(to.join(","), group);
  }
  return [...byRecipient.values(), ...alone];
}

/** One address, nothing that could be several or carry a header. */
const ADDRESS = /^[^\s@,;<>"]{1,64}@[^\s@,;<>"]{1,190}$/;

function recipients(
  entry: NoticeEntry,
  { accountEmail }: AccountNotices,
  { to, central }: Pick<KeyRotationSettings["mail"], "to" | "central">,
): string[] {
  for (const kind of to) {
    const found = { tag: [entry.owner], account: [accountEmail], central }[kind].filter((each) =>
      ADDRESS.test(each),
    );
    if (found.length > 0) return found;
  }
  return [];
}
