/** Pages for those who have signed in: what is under way, and deciding without a link. */
import type { Problem } from "../pages/decisionForm";
import { withLanguage } from "../pages/layout";
import { operationTitle } from "../pages/names";
import {
  decisionPage,
  type ListedRequest,
  requestsPage,
  type StatusNotice,
  statusPage,
} from "../pages/pages";
import { moment } from "../pages/times";
import { happen } from "../workflow/happen";
import type { Actor } from "../workflow/request";
import { type Choice, eventOf, levelOf, possibleChoices } from "./acts";
import { afterChange } from "./afterChange";
import { decisionFormOf, reasonProblems } from "./linkRoutes";
import { type HttpResponse, seeOther } from "./response";
import type { Session } from "./session";
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

type SignedInVisit = Visit & { readonly session: Session };

/** GET: requests under way that concern this person: theirs, and those that they are asked about. */
export async function listRequests(visit: SignedInVisit): Promise<HttpResponse> {
  const { parts, session } = visit;
  const actor = await parts.people.actor(session.person, "page", session.groups);
  if (!actor?.active) return notInDirectory(visit);
  const context = await contextOf(visit, "requests");
  const open = await parts.table.listOpen();
  const listed = await Promise.all(
    open.map(async (request): Promise<{ at: number; item: ListedRequest } | undefined> => {
      const shown = await shownRequest(parts, request.id);
      if (!shown) return undefined;
      const choices = possibleChoices(shown.request, actor, parts.now()).filter(
        (choice) => choice !== "bypass",
      );
      if (!concerns(shown, actor, choices)) return undefined;
      const { operation, account, state } = { ...shown.details, ...shown.request };
      return {
        at: shown.request.deadline,
        item: {
          id: request.id,
          operation: operationTitle(context.language, operation.service, operation.api),
          account: account.name ?? account.id,
          requester: viewOf(visit, shown).requester,
          stateText: context.say(`state.${state}`),
          deadline: moment(shown.request.deadline, parts.timeZone),
          forYou: choices.some((choice) => choice !== "cancel"),
        },
      };
    }),
  );
  const items = listed
    .filter((each) => each !== undefined)
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
  return respond(200, requestsPage(context, items));
}

/** Somebody sees requests of their own, of groups of theirs, and all if they may bypass. */
function concerns({ request, details }: ShownRequest, actor: Actor, choices: readonly Choice[]): boolean {
  return (
    choices.length > 0 ||
    actor.identities.includes(`person:${details.requester.person}`) ||
    request.levels.some(
      ({ group, escalation }) =>
        actor.groups.includes(group) || (escalation && actor.groups.includes(escalation.group)),
    ) ||
    possibleChoices(request, actor, request.stageAt).includes("bypass")
  );
}

/** GET: one request, with what this person can do about it. */
export async function showRequest(visit: SignedInVisit): Promise<HttpResponse> {
  return requestPage(visit, visit.request.query.get("id") ?? "", 200);
}

/** POST: decides; the session's token was checked. */
export async function decideRequest(visit: SignedInVisit): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const id = fields.get("id") ?? "";
  const found = await visible(visit, id);
  if ("response" in found) return found.response;
  const { shown, choices } = found;
  const { say } = await contextOf(visit, "requests");
  const choice = choices.find((each) => each === fields.get("choice"));
  const reason = (fields.get("reason") ?? "").trim();
  const problems: Problem[] = [
    ...(choice ? [] : [{ field: "choice" as const, text: say("problemChoice") }]),
    ...reasonProblems(choice, reason, say),
  ];
  const level = Number(fields.get("level"));
  if (fields.get("seen") !== viewOf(visit, shown).seen || level !== shown.request.level) {
    problems.push({ field: "choice", text: say("problemChanged") });
  }
  if (!choice || problems.length > 0) return requestPage(visit, id, 422, problems);
  // Read once more: between the look above and the act somebody may have been deactivated.
  const actor = await parts.people.actor(session.person, "page, signed in", session.groups);
  if (!actor) return notInDirectory(visit);
  const outcome = await happen(
    parts.table,
    id,
    eventOf(choice, actor, levelOf(shown.request, actor), reason),
    parts.now,
  );
  if ("unknown" in outcome) return badRequest(visit);
  const about = { request: id, person: session.person, choice };
  if ("refused" in outcome) {
    parts.log.info("a choice was refused", { ...about, why: outcome.refused });
    const said: StatusNotice = { title: "handledTitle", lead: `refusal.${outcome.refused}`, tone: "over" };
    const context = await contextOf(visit, `request?id=${encodeURIComponent(id)}`);
    return respond(409, statusPage(context, viewOf(visit, { ...shown, request: outcome.request }), said));
  }
  await afterChange(parts, outcome, { ...about, channel: "page, signed in" });
  return seeOther(withLanguage(`request?id=${encodeURIComponent(id)}`, languageOf(visit)));
}

async function visible(
  visit: SignedInVisit,
  id: string,
): Promise<{ shown: ShownRequest; choices: Choice[] } | { response: HttpResponse }> {
  const { parts, session } = visit;
  const actor = await parts.people.actor(session.person, "page", session.groups);
  if (!actor?.active) return { response: await notInDirectory(visit) };
  const shown = /^[\w-]{1,64}$/.test(id) ? await shownRequest(parts, id) : undefined;
  const choices = shown ? possibleChoices(shown.request, actor, parts.now()) : [];
  // Requests that are none of somebody's business are not there for them.
  if (!shown || !concerns(shown, actor, choices)) {
    return { response: await notice(visit, 404, { title: "notFoundTitle", lead: "notFoundLead" }) };
  }
  return { shown, choices };
}

async function requestPage(
  visit: SignedInVisit,
  id: string,
  statusCode: number,
  problems: readonly Problem[] = [],
): Promise<HttpResponse> {
  const found = await visible(visit, id);
  if ("response" in found) return found.response;
  const { shown, choices } = found;
  const { fields, session } = visit;
  const context = await contextOf(visit, `request?id=${encodeURIComponent(id)}`);
  const view = viewOf(visit, shown);
  if (choices.length === 0) return respond(statusCode, statusPage(context, view));
  const form = decisionFormOf(choices, context.say, {
    action: "request",
    hidden: {
      id,
      level: String(shown.request.level),
      seen: view.seen,
      csrf: session.csrf,
      lang: context.language,
    },
    asksCode: false,
    requester: view.requester,
    chosen: fields.get("choice"),
    reason: fields.get("reason") ?? "",
    problems,
  });
  return respond(statusCode, decisionPage(context, view, "look", { form }));
}

function notInDirectory(visit: Visit): Promise<HttpResponse> {
  return notice(visit, 403, { title: "signInUnknownTitle", lead: "signInUnknownLead", tone: "wrong" });
}
