/** The three interfaces: the operator confirms, an approver decides, the operator has the last word; each reached by a link of one's own. */
import { type Acted, actByLink, type Followed, followLink, type Proof } from "../links/act";
import { type Link, MAX_ATTEMPTS, MAX_RENEWALS, type Purpose } from "../links/link";
import type { DecisionForm, Problem } from "../pages/decisionForm";
import { withLanguage } from "../pages/layout";
import { decisionPage, type StatusNotice, statusPage } from "../pages/pages";
import { isWord, type Word } from "../pages/words";
import type { ApprovalRequest } from "../workflow/request";
import type { Refusal } from "../workflow/transition";
import { CHOICES, type Choice, eventOf, MAX_REASON, refusalOf } from "./acts";
import { afterChange } from "./afterChange";
import { type HttpResponse, seeOther } from "./response";
import { isOwnForm } from "./session";
import {
  badRequest,
  contextOf,
  languageOf,
  notice,
  respond,
  type ShownRequest,
  shownRequest,
  type Visit,
  viewOf,
} from "./visit";

/** What can be chosen with each kind of link. */
const CHOICES_OF: Record<"confirm" | "decide" | "execute", readonly Choice[]> = {
  confirm: ["confirm", "cancel"],
  decide: ["approve", "deny"],
  execute: ["execute", "cancel"],
};
type Deciding = keyof typeof CHOICES_OF;

const isDeciding = (purpose: Purpose): purpose is Deciding => Object.hasOwn(CHOICES_OF, purpose);

type Valid = Extract<Followed, { link: Link }>;

/** The relative address of a link's page. */
export function addressOf({ link, id }: Valid): string {
  return `${link.purpose}?link=${id}`;
}

/** GET: shows, and changes nothing, however often it is done and by whatever. */
export async function showLink(visit: Visit, purpose: Purpose): Promise<HttpResponse> {
  const { parts, request, session } = visit;
  const followed = await followLink(parts, request.query.get("link") ?? "");
  if ("problem" in followed) return brokenLink(visit, followed);
  const { link } = followed;
  if (link.purpose !== purpose) return seeOther(withLanguage(addressOf(followed), languageOf(visit)));
  if (parts.acting === "signIn" && !session) return askToSignIn(visit, followed);
  if (session && parts.acting !== "code" && session.person !== link.person) return notYours(visit, followed);
  const shown = await shownRequest(parts, link.requestId);
  if (!shown) return brokenLink(visit, { problem: "unknown" });
  if (!isDeciding(purpose)) return status(visit, followed, shown);
  if (link.spent) return status(visit, followed, shown, recorded(link.spent.action));
  if (!isAsked(link, shown.request)) return status(visit, followed, shown, HANDLED);
  if (parts.now() >= link.expiresAt) return ended(visit, followed, shown, "expired");
  if (link.attempts >= MAX_ATTEMPTS && !session) return ended(visit, followed, shown, "locked");
  const refused = await foreseenRefusal(visit, followed, shown.request, purpose);
  if (refused) return status(visit, followed, shown, refusalNotice(refused));
  return form(visit, followed, shown, purpose, 200);
}

/** POST: acts. */
export async function actOnLink(visit: Visit, purpose: Deciding): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const followed = await followLink(parts, fields.get("link") ?? "");
  if ("problem" in followed) return brokenLink(visit, followed);
  const { link } = followed;
  if (link.purpose !== purpose) return badRequest(visit);
  if (parts.acting === "signIn" && !session) return askToSignIn(visit, followed);
  const shown = await shownRequest(parts, link.requestId);
  if (!shown) return brokenLink(visit, { problem: "unknown" });
  const back = seeOther(withLanguage(addressOf(followed), languageOf(visit)));
  if (link.spent) return back;
  const { say } = await contextOf(visit, addressOf(followed));
  const choice = CHOICES_OF[purpose].find((each) => each === fields.get("choice"));
  const reason = (fields.get("reason") ?? "").trim();
  const typed = fields.get("code") ?? "";
  const signedIn = parts.acting !== "code" ? session : undefined;
  if (signedIn && !isOwnForm(visit.request, fields.get("csrf"), signedIn, new URL(parts.baseUrl).origin)) {
    return badRequest(visit);
  }
  const problems: Problem[] = [
    ...(choice ? [] : [{ field: "choice" as const, text: say("problemChoice") }]),
    ...reasonProblems(choice, reason, say),
    ...(signedIn || typed.trim() !== "" ? [] : [{ field: "code" as const, text: say("problemCodeMissing") }]),
  ];
  if (fields.get("seen") !== viewOf(visit, shown).seen)
    problems.push({ field: "choice", text: say("problemChanged") });
  if (!choice || problems.length > 0) return form(visit, followed, shown, purpose, 422, problems);
  const proof: Proof = signedIn
    ? { signedIn: { person: signedIn.person, ...(signedIn.groups && { groups: signedIn.groups }) } }
    : { code: typed };
  const acted = await actByLink(parts, followed, {
    action: choice,
    proof,
    channel: signedIn ? "page, signed in" : "page",
    event: (actor, { level = 0 }) => eventOf(choice, actor, level, reason),
  });
  return answer(visit, followed, shown, purpose, choice, acted);
}

/** Says what is wrong with a reason. */
export function reasonProblems(
  choice: Choice | undefined,
  reason: string,
  say: (word: Word) => string,
): Problem[] {
  const needed = CHOICES.find((each) => each.choice === choice)?.needsReason === true;
  if (needed && reason === "") return [{ field: "reason", text: say("problemReason") }];
  return reason.length > MAX_REASON ? [{ field: "reason", text: say("problemReasonLong") }] : [];
}

async function answer(
  visit: Visit,
  followed: Valid,
  shown: ShownRequest,
  purpose: Deciding,
  choice: Choice,
  acted: Acted,
): Promise<HttpResponse> {
  const { parts } = visit;
  const { link } = followed;
  const about = { request: link.requestId, person: link.person, choice };
  if ("after" in acted) {
    await afterChange(parts, acted, { ...about, channel: "page" });
    return seeOther(withLanguage(addressOf(followed), languageOf(visit)));
  }
  if ("refused" in acted) {
    parts.log.info("a choice was refused", { ...about, why: acted.refused });
    return status(visit, followed, { ...shown, request: acted.request }, refusalNotice(acted.refused), 409);
  }
  if ("unknown" in acted) return brokenLink(visit, { problem: "unknown" });
  parts.log.info("a link was not taken", { ...about, why: acted.problem });
  switch (acted.problem) {
    case "spent":
      return seeOther(withLanguage(addressOf(followed), languageOf(visit)));
    case "expired":
    case "locked":
      return ended(visit, followed, shown, acted.problem);
    case "notYou":
      return notYours(visit, followed);
    case "notInDirectory":
      return status(visit, followed, shown, refusalNotice("deactivated"), 403);
    case "wrongCode": {
      const { say } = await contextOf(visit, addressOf(followed));
      const text = say("problemCode", { left: acted.left });
      return form(visit, followed, shown, purpose, 403, [{ field: "code", text }]);
    }
  }
}

/** POST of an ended link: asks the engine for a new mail to the same person. */
export async function renewLink(visit: Visit): Promise<HttpResponse> {
  const { parts, fields } = visit;
  const followed = await followLink(parts, fields.get("link") ?? "");
  if ("problem" in followed) return brokenLink(visit, followed);
  const { link } = followed;
  const request = await parts.table.read(link.requestId);
  const may =
    request && isAsked(link, request) && parts.now() < request.deadline && link.renewals < MAX_RENEWALS;
  if (!may || !hasEnded(link, parts.now()) || !(await parts.table.takeRenewal(link.hash))) {
    return notice(
      visit,
      409,
      { title: "expiredTitle", lead: "expiredLead", renew: "none" },
      addressOf(followed),
    );
  }
  const { requestId, person, purpose, level, renewals } = link;
  await parts.engine.renew({
    requestId,
    person,
    purpose,
    ...(level !== undefined && { level }),
    renewals: renewals + 1,
  });
  parts.log.info("a new mail was asked for", { request: requestId, person, purpose });
  return notice(visit, 202, { title: "renewedTitle", lead: "renewedLead" }, addressOf(followed));
}

const hasEnded = (link: Link, now: number) => link.attempts >= MAX_ATTEMPTS || now >= link.expiresAt;

/** Whether the request is where this link's person is asked. */
function isAsked({ purpose, level }: Link, { state, level: current }: ApprovalRequest): boolean {
  if (purpose === "confirm") return state === "requested";
  if (purpose === "execute") return state === "approved";
  return purpose === "decide" && state === "approving" && level === current;
}

/** Why this person could not act even with the right code; nobody should have to type one to be told. */
async function foreseenRefusal(
  { parts, session }: Visit,
  { link }: Valid,
  request: ApprovalRequest,
  purpose: Deciding,
): Promise<Refusal | undefined> {
  const groups = parts.acting === "code" ? undefined : session?.groups;
  const actor = await parts.people.actor(link.person, "page", groups);
  if (!actor) return "deactivated";
  const refusals = CHOICES_OF[purpose].map((choice) =>
    refusalOf(request, choice, actor, link.level ?? 0, parts.now()),
  );
  return refusals.every((refusal) => refusal !== undefined) ? refusals[0] : undefined;
}

const HANDLED: StatusNotice = { title: "handledTitle", lead: "handledLead", tone: "over" };

function recorded(action: string): StatusNotice {
  const word = `recorded${action.charAt(0).toUpperCase()}${action.slice(1)}`;
  return { title: "recordedTitle", lead: isWord(word) ? word : "handledLead", tone: "going" };
}

function refusalNotice(refusal: Refusal): StatusNotice {
  const late = refusal === "alreadyHandled" || refusal === "approvedAlready" || refusal === "tooLate";
  return {
    title: late ? "handledTitle" : "notYouTitle",
    lead: `refusal.${refusal}`,
    tone: late ? "over" : "wrong",
  };
}

async function status(
  visit: Visit,
  followed: Valid,
  shown: ShownRequest,
  said?: StatusNotice,
  statusCode = 200,
): Promise<HttpResponse> {
  const context = await contextOf(visit, addressOf(followed));
  return respond(statusCode, statusPage(context, viewOf(visit, shown), said));
}

async function form(
  visit: Visit,
  followed: Valid,
  shown: ShownRequest,
  purpose: Deciding,
  statusCode: number,
  problems: readonly Problem[] = [],
): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const self = addressOf(followed);
  const context = await contextOf(visit, self);
  const view = viewOf(visit, shown);
  const signedIn = parts.acting !== "code" && session !== undefined;
  const decision = decisionFormOf(CHOICES_OF[purpose], context.say, {
    action: purpose,
    hidden: {
      link: followed.id,
      seen: view.seen,
      lang: context.language,
      ...(signedIn && { csrf: session.csrf }),
    },
    asksCode: !signedIn,
    requester: view.requester,
    ...(purpose === "execute" && { warning: context.say("irreversible") }),
    chosen: fields.get("choice"),
    reason: fields.get("reason") ?? "",
    problems,
  });
  return respond(
    statusCode,
    decisionPage(context, view, purpose, {
      form: decision,
      ...(parts.acting === "either" &&
        !signedIn &&
        parts.signIn && { signInAt: signInAddress(self, context.language) }),
    }),
  );
}

/** Makes the form of these choices. */
export function decisionFormOf(
  choices: readonly Choice[],
  say: (word: Word, values?: Record<string, string>) => string,
  {
    requester,
    reason,
    chosen,
    ...rest
  }: Omit<DecisionForm, "choices" | "reason" | "chosen"> & {
    requester: string;
    reason: string;
    chosen?: string | undefined;
  },
): DecisionForm {
  const shown = CHOICES.filter(({ choice }) => choices.includes(choice));
  return {
    ...rest,
    choices: shown.map(({ choice, label }) => ({ value: choice, label: say(label) })),
    ...(shown.some(({ needsReason }) => needsReason) && {
      reason: { label: say("denyReason"), hint: say("denyReasonHint", { requester }), text: reason },
    }),
    ...(chosen !== undefined && { chosen }),
  };
}

/** Where the sign-in begins that leads back to a page of ours. */
export function signInAddress(to: string, language: string): string {
  return `sign-in?to=${encodeURIComponent(to)}&lang=${language}`;
}

async function ended(
  visit: Visit,
  followed: Valid,
  { request }: ShownRequest,
  why: "expired" | "locked",
): Promise<HttpResponse> {
  const { link, id } = followed;
  const may = visit.parts.now() < request.deadline && !link.renewed && link.renewals < MAX_RENEWALS;
  return notice(
    visit,
    why === "expired" ? 410 : 403,
    {
      title: why === "expired" ? "expiredTitle" : "lockedTitle",
      lead: why === "expired" ? "expiredLead" : "lockedLead",
      renew: may ? { link: id } : "none",
    },
    addressOf(followed),
  );
}

/** Says that a link leads nowhere, or where it belongs. */
export async function brokenLink(visit: Visit, followed: Exclude<Followed, Valid>): Promise<HttpResponse> {
  if (followed.problem === "elsewhere") {
    return notice(visit, 421, {
      title: "elsewhereTitle",
      lead: "elsewhereLead",
      values: { cell: followed.cell },
    });
  }
  return notice(visit, 404, { title: "unknownTitle", lead: "unknownLead" });
}

async function askToSignIn(visit: Visit, followed: Valid): Promise<HttpResponse> {
  const self = addressOf(followed);
  return notice(
    visit,
    401,
    {
      title: "signInTitle",
      lead: "signInLead",
      tone: "going",
      next: { label: "signIn", href: signInAddress(self, languageOf(visit)) },
    },
    self,
  );
}

async function notYours(visit: Visit, followed: Valid): Promise<HttpResponse> {
  const context = await contextOf(visit, addressOf(followed));
  return notice(
    visit,
    403,
    {
      title: "notYouTitle",
      lead: "notYouLead",
      values: { name: context.signedIn?.name ?? "" },
      tone: "wrong",
    },
    addressOf(followed),
  );
}
