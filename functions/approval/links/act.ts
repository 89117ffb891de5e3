/** Acting by a link: what has to be true before something happens to a request. */
import type { ActivePeople } from "../directory/people";
import { type Happening, happen } from "../workflow/happen";
import type { Actor, RequestEvent } from "../workflow/request";
import type { RequestStore } from "../workflow/store";
import { type Link, MAX_ATTEMPTS } from "./link";
import { codeHash, isLinkId, linkHash, sameHash, typedCode } from "./secret";
import { LinkSpent, type LinkStore } from "./store";

/** What {@link actByLink} works with. */
export interface ActParts {
  readonly table: LinkStore & RequestStore;
  readonly people: ActivePeople;
  /** Name of the cell that runs this. */
  readonly cell: string;
  readonly now: () => number;
}

/** A link that leads somewhere, or why it does not. */
export type Followed =
  | { readonly link: Link; readonly id: string }
  /** No such link. Guessed, cut in two by a mail program, or older than what is kept. */
  | { readonly problem: "unknown" }
  /** Issued by another cell. */
  | { readonly problem: "elsewhere"; readonly cell: string };

/** Looks a link up. Changes nothing. */
export async function followLink(
  { table, cell }: Pick<ActParts, "table" | "cell">,
  id: string,
): Promise<Followed> {
  const link = isLinkId(id) ? await table.readLink(linkHash(id)) : undefined;
  if (!link) return { problem: "unknown" };
  return link.cell === cell ? { link, id } : { problem: "elsewhere", cell: link.cell };
}

/** What shows that it is the link's person who acts. */
export type Proof =
  | { readonly code: string }
  /** Who has signed in, and the groups that the identity provider says. */
  | { readonly signedIn: { readonly person: string; readonly groups?: readonly string[] } };

/** What somebody does. `event` becomes a request's event with the actor that the server knows. */
export interface Act {
  readonly action: string;
  readonly proof: Proof;
  readonly channel: string;
  readonly event: (actor: Actor, link: Link) => RequestEvent;
}

/** What came of it. */
export type Acted =
  | Happening
  | { readonly problem: "spent" | "expired" | "locked" | "notYou" | "notInDirectory" }
  /** How many attempts are left. */
  | { readonly problem: "wrongCode"; readonly left: number };

/**
 * Checks that the link's person acts, and lets the event happen. The link is spent by the same write that changes the request: a link is
 * spent if, and only if, what it was used for took effect.
 */
export async function actByLink(
  parts: ActParts,
  followed: { link: Link; id: string },
  act: Act,
): Promise<Acted> {
  const { table, people, now } = parts;
  const { link } = followed;
  const proven = await prove(parts, followed, act.proof);
  if (proven) return proven;
  const groups = "signedIn" in act.proof ? act.proof.signedIn.groups : undefined;
  const actor = await people.actor(link.person, act.channel, groups);
  if (!actor) return { problem: "notInDirectory" };
  const store = table.spending({ hash: link.hash, at: now(), action: act.action });
  try {
    return await happen(store, link.requestId, act.event(actor, link), now);
  } catch (error) {
    if (error instanceof LinkSpent) return { problem: "spent" };
    throw error;
  }
}

/** What keeps the proof from being one; undefined when it is good. Takes an attempt for a code. */
export async function prove(
  { table, now }: Pick<ActParts, "table" | "now">,
  { link, id }: { link: Link; id: string },
  proof: Proof,
): Promise<Exclude<Acted, Happening> | undefined> {
  if (link.spent) return { problem: "spent" };
  if (now() >= link.expiresAt) return { problem: "expired" };
  if ("signedIn" in proof) return proof.signedIn.person === link.person ? undefined : { problem: "notYou" };
  if (link.codeHash === undefined) return { problem: "locked" };
  // Before the code is compared: guesses at the same time must not see the same number of attempts.
  if (!(await table.takeAttempt(link.hash, MAX_ATTEMPTS))) {
    const present = await table.readLink(link.hash);
    return { problem: present?.spent ? "spent" : "locked" };
  }
  if (sameHash(codeHash(id, typedCode(proof.code)), link.codeHash)) return undefined;
  const attempts = (await table.readLink(link.hash))?.attempts ?? MAX_ATTEMPTS;
  return attempts >= MAX_ATTEMPTS
    ? { problem: "locked" }
    : { problem: "wrongCode", left: MAX_ATTEMPTS - attempts };
}
