import { type Link, linkSchema, type Purpose } from "./link";
import { codeHash, type LinkSecret, linkHash, newLinkSecret } from "./secret";
import type { LinkStore } from "./store";

/** What a new link is for. */
export interface LinkFor {
  readonly requestId: string;
  /** Id in the directory. */
  readonly person: string;
  readonly purpose: Purpose;
  /** Required for `decide`. */
  readonly level?: number;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  /** Required for `form`. */
  readonly draft?: Link["draft"];
  /** @default 0 */
  readonly renewals?: number;
}

/** Issues a link: its hashes are stored, its secrets returned once, for the one message to its person. */
export async function issueLink(
  store: Pick<LinkStore, "add">,
  { requestId, person, purpose, level, expiresAt, draft, renewals = 0 }: LinkFor,
  { cell, now }: { readonly cell: string; readonly now: () => number },
): Promise<LinkSecret> {
  const secret = newLinkSecret();
  await store.add(
    linkSchema.parse({
      hash: linkHash(secret.id),
      requestId,
      person,
      purpose,
      ...(level !== undefined && { level }),
      cell,
      issuedAt: now(),
      expiresAt,
      ...(purpose !== "status" && { codeHash: codeHash(secret.id, secret.code) }),
      attempts: 0,
      renewed: false,
      renewals,
      ...(draft && { draft }),
    }),
  );
  return secret;
}
