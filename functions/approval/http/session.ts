/** Who is signed in, kept in a sealed cookie. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import type { HttpRequest } from "./request";
import type { Seal } from "./seal";

/** `__Host-`: browsers take it over TLS only, for this host only, and send it to no other. */
export const SESSION_COOKIE = "__Host-bulkhead-session";

const sessionSchema = z.object({
  /** Id in the directory. */
  person: z.string(),
  /** Values of the provider's groups claim that mean something here; absent: the directory's groups count. */
  groups: z.array(z.string()).optional(),
  /** Stands in each form of the session. */
  csrf: z.string().min(20),
});

/** A signed-in person. */
export type Session = z.infer<typeof sessionSchema>;

/** Makes and reads sessions. */
export class Sessions {
  /** @param seconds how long a session lasts; what the provider says of groups is no older than that */
  constructor(
    private readonly seal: Seal,
    private readonly seconds: number,
    private readonly now: () => number,
  ) {}

  /** The cookie of a new session. */
  async begin(session: Omit<Session, "csrf">): Promise<string> {
    const csrf = randomBytes(18).toString("base64url");
    const sealed = await this.seal.close("session", { ...session, csrf }, this.now() + this.seconds * 1_000);
    return cookie(SESSION_COOKIE, sealed, this.seconds);
  }

  /** The session of a request. */
  async of({ cookies }: Pick<HttpRequest, "cookies">): Promise<Session | undefined> {
    const sealed = cookies.get(SESSION_COOKIE);
    if (sealed === undefined) return undefined;
    const parsed = sessionSchema.safeParse(await this.seal.open("session", sealed));
    return parsed.success ? parsed.data : undefined;
  }

  /** The cookie that ends a session in this browser. */
  end(): string {
    return cookie(SESSION_COOKIE, "", 0);
  }
}

/**
 * A cookie that no script can read. Lax, not Strict: people come from mails and from the identity provider, which are other sites, and a
 * strict cookie would not be sent then; forms of other sites do not send a lax one either.
 */
export function cookie(name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Whether a form was sent from one of this session's own pages: it holds the session's token, and the browser does not say that it came from
 * elsewhere. Our pages send no referrer, for which browsers say that the origin is `null`; so that alone is no objection.
 */
export function isOwnForm(
  { headers }: Pick<HttpRequest, "headers">,
  token: string | undefined,
  session: Session,
  origin: string,
): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return false;
  const said = headers.origin;
  if (said !== undefined && said !== "null" && said !== origin) return false;
  const [mine, theirs] = [Buffer.from(session.csrf), Buffer.from(token ?? "")];
  return mine.length === theirs.length && timingSafeEqual(mine, theirs);
}
