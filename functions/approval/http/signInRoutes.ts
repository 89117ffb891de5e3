/** Signing in at the identity provider, and out. */
import { errorFields } from "../../shared/errors/errorFields";
import type { Directory } from "../directory/directory";
import { pageLanguage } from "../pages/language";
import { BYPASS_GROUP } from "../workflow/transition";
import type { AppParts } from "./parts";
import { type HttpResponse, seeOther } from "./response";
import { cookie } from "./session";
import { pendingSignInSchema } from "./signIn";
import { languageOf, notice, type Visit } from "./visit";

const PENDING_COOKIE = "__Host-bulkhead-sign-in";
/** How long somebody may take at the provider. */
const PENDING_SECONDS = 900;

/** Pages that a sign-in may lead to, with their parameters; nothing else, so that nobody is led elsewhere by a link of ours. */
const TARGET =
  /^(?:(?:confirm|decide|execute|form|status)\?link=[\w-]{43}|request\?id=[\w-]{1,64}|requests|new(?:\?operation=[\w%:-]{1,80})?)$/;

type SignInParts = NonNullable<AppParts["signIn"]>;

/** GET: sends the browser to the provider. */
export async function beginSignIn(visit: Visit, { provider, seal }: SignInParts): Promise<HttpResponse> {
  const { parts, request } = visit;
  const asked = request.query.get("to") ?? "requests";
  const to = TARGET.test(asked) ? asked : "requests";
  const { url, pending } = await provider.begin(to);
  const value = { ...pending, to: `${to}${to.includes("?") ? "&" : "?"}lang=${languageOf(visit)}` };
  const sealed = await seal.close("sign-in", value, parts.now() + PENDING_SECONDS * 1_000);
  return seeOther(url, [cookie(PENDING_COOKIE, sealed, PENDING_SECONDS)]);
}

/** GET: the provider sends the browser back. */
export async function completeSignIn(
  visit: Visit,
  { provider, seal, sessions }: SignInParts,
): Promise<HttpResponse> {
  const { parts, request } = visit;
  const sealed = request.cookies.get(PENDING_COOKIE);
  const pending = pendingSignInSchema.safeParse(
    sealed === undefined ? undefined : await seal.open("sign-in", sealed),
  );
  const failed = () =>
    notice(visit, 400, {
      title: "signInFailedTitle",
      lead: "signInFailedLead",
      tone: "wrong",
      next: { label: "signIn", href: `sign-in?lang=${languageOf(visit)}` },
    });
  if (!pending.success) return failed();
  const signedIn = await provider.complete(request.query, pending.data).catch((error: unknown) => {
    parts.log.warn("a sign-in failed", { ...errorFields(error) });
    return undefined;
  });
  if (!signedIn) return failed();
  const directory = await parts.people.lately();
  const person = directory.named(signedIn.name);
  if (!person?.active) {
    parts.log.warn("somebody who is not in the directory, or not active, signed in", {});
    return notice(visit, 403, { title: "signInUnknownTitle", lead: "signInUnknownLead", tone: "wrong" });
  }
  const session = await sessions.begin({
    person: person.id,
    ...(signedIn.groups && { groups: groupsThatMatter(directory, signedIn.groups) }),
  });
  parts.log.info("somebody signed in", { person: person.id });
  return seeOther(pending.data.to, [session, cookie(PENDING_COOKIE, "", 0)]);
}

/** Of the values of a claim, those that mean something here: some providers send hundreds, and a cookie holds 4 KB. */
function groupsThatMatter({ document }: Directory, values: readonly string[]): string[] {
  const known = new Set([
    BYPASS_GROUP,
    ...document.groups.flatMap(({ claims }) => claims),
    ...document.rules.flatMap(({ thresholds }) =>
      thresholds.flatMap(({ levels }) =>
        levels.flatMap(({ group, escalation }) => [group, ...(escalation ? [escalation.group] : [])]),
      ),
    ),
  ]);
  return values.filter((value) => known.has(value));
}

/** POST: ends the session in this browser; the session's token was checked. */
export async function signOut(visit: Visit, { provider, sessions }: SignInParts): Promise<HttpResponse> {
  const there = await provider.endUrl().catch(() => undefined);
  const { session: _ended, ...signedOut } = visit;
  const response = await notice(signedOut, 200, {
    title: "signedOutTitle",
    lead: "signedOutLead",
    ...(there !== undefined && { next: { label: "signOutThere" as const, href: there } }),
  });
  return { ...response, cookies: [sessions.end()] };
}

/** Leads to the sign-in from a page that needs one. */
export function toSignIn(visit: Visit, to: string): HttpResponse {
  const { parts, request } = visit;
  const language = pageLanguage(
    request.query.get("lang") ?? undefined,
    request.headers["accept-language"],
    parts.language,
  );
  return seeOther(`sign-in?to=${encodeURIComponent(to)}&lang=${language}`);
}
