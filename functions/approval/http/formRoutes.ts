/** Requests that are opened by hand: from the form of a denied call whose record said too little, or by somebody who has signed in. */
import { isRegionName, partitionOf } from "../../../components/regional/partition";
import { type Followed, followLink, prove } from "../links/act";
import { type Link, MAX_ATTEMPTS } from "../links/link";
import type { OperationDefinition } from "../operations/definition";
import { planFromInput } from "../operations/plan";
import { withLanguage } from "../pages/layout";
import {
  chooseOperationPage,
  fieldName,
  operationKey,
  type RequestForm,
  requestFormPage,
  typedInput,
} from "../pages/requestForm";
import type { Say } from "../pages/words";
import { policyFit } from "../policy/policyFit";
import { MAX_REASON } from "./acts";
import type { HandOpened, OpenedByHand } from "./engine";
import { addressOf, brokenLink, signInAddress } from "./linkRoutes";
import { type HttpResponse, seeOther } from "./response";
import { isOwnForm, type Session } from "./session";
import { badRequest, contextOf, languageOf, notice, respond, type Visit } from "./visit";

type Valid = Extract<Followed, { link: Link }>;

/** What a form says, checked; or what is wrong with it. */
type Checked =
  | { readonly request: Omit<HandOpened, "requestId" | "person"> }
  | { readonly problem: NonNullable<RequestForm["problem"]> };

/** The operations that a draft's event may be about. */
const operationsOfDraft = ({ parts }: Visit, event: string) =>
  parts.operations.filter((each) => each.event === event);

/** GET of a form's link. */
export async function showFormLink(visit: Visit): Promise<HttpResponse> {
  const followed = await followLink(visit.parts, visit.request.query.get("link") ?? "");
  if ("problem" in followed) return brokenLink(visit, followed);
  const { link } = followed;
  if (link.purpose !== "form" || !link.draft) return brokenLink(visit, { problem: "unknown" });
  if (visit.parts.acting === "signIn" && !visit.session) return signInFirst(visit, addressOf(followed));
  const late = await unusable(visit, followed);
  if (late) return late;
  return formPage(visit, followed, visit.request.query.get("operation") ?? undefined, 200);
}

/** POST of a form's link: opens the request, then spends the link. In this order, since opening twice opens once. */
export async function openFromLink(visit: Visit): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const followed = await followLink(parts, fields.get("link") ?? "");
  if ("problem" in followed) return brokenLink(visit, followed);
  const { link } = followed;
  if (link.purpose !== "form" || !link.draft) return badRequest(visit);
  if (parts.acting === "signIn" && !session) return signInFirst(visit, addressOf(followed));
  const signedIn = parts.acting !== "code" ? session : undefined;
  if (signedIn && !isOwnForm(visit.request, fields.get("csrf"), signedIn, new URL(parts.baseUrl).origin)) {
    return badRequest(visit);
  }
  const late = await unusable(visit, followed);
  if (late) return late;
  const definition = operationsOfDraft(visit, link.draft.event).find(
    (each) => operationKey(each) === fields.get("operation"),
  );
  if (!definition) return badRequest(visit);
  const { say } = await contextOf(visit, addressOf(followed));
  const checked = checkForm(visit, definition, link.draft, say);
  if ("problem" in checked) return formPage(visit, followed, operationKey(definition), 422, checked.problem);
  const proof = signedIn ? { signedIn: { person: signedIn.person } } : { code: fields.get("code") ?? "" };
  const unproven = await prove(parts, followed, proof);
  if (unproven) {
    if (unproven.problem === "wrongCode") {
      const problem = { field: "code", text: say("problemCode", { left: unproven.left }) };
      return formPage(visit, followed, operationKey(definition), 403, problem);
    }
    return (await unusable(visit, followed)) ?? badRequest(visit);
  }
  const actor = await parts.people.actor(link.person, "page");
  if (!actor?.active)
    return notice(visit, 403, { title: "notYouTitle", lead: "refusal.deactivated", tone: "wrong" });
  const opened = await parts.engine.open({
    ...checked.request,
    requestId: link.requestId,
    person: link.person,
  });
  const failed = openProblem(opened, say);
  if (failed) return formPage(visit, followed, operationKey(definition), 409, failed);
  await parts.table.spend({ hash: link.hash, at: parts.now(), action: "form" });
  parts.log.info("a request was opened from a form", { request: link.requestId, person: link.person });
  return seeOther(withLanguage(addressOf(followed), languageOf(visit)));
}

/** GET of the form for those who have signed in. */
export async function showNew(visit: Visit & { session: Session }): Promise<HttpResponse> {
  const { parts, request } = visit;
  const chosen = request.query.get("operation");
  const definition = parts.operations.find((each) => operationKey(each) === chosen);
  if (!definition) return respond(200, chooseOperationPage(await contextOf(visit, "new"), parts.operations));
  return newPage(visit, definition, 200);
}

/** POST of the form for those who have signed in; the session's token was checked. */
export async function openNew(visit: Visit & { session: Session }): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const definition = parts.operations.find((each) => operationKey(each) === fields.get("operation"));
  const requestId = fields.get("id") ?? "";
  if (!definition || !/^[0-9a-f-]{36}$/.test(requestId)) return badRequest(visit);
  const { say } = await contextOf(visit, "new");
  const place = {
    account: (fields.get("account") ?? "").trim(),
    region: (fields.get("region") ?? "").trim(),
  };
  const checked = checkForm(visit, definition, place, say);
  if ("problem" in checked) return newPage(visit, definition, 422, checked.problem);
  const actor = await parts.people.actor(session.person, "page", session.groups);
  if (!actor?.active)
    return notice(visit, 403, { title: "notYouTitle", lead: "refusal.deactivated", tone: "wrong" });
  const opened = await parts.engine.open({ ...checked.request, requestId, person: session.person });
  const failed = openProblem(opened, say);
  if (failed) return newPage(visit, definition, 409, failed);
  parts.log.info("a request was opened by hand", { request: requestId, person: session.person });
  return seeOther(withLanguage(`request?id=${requestId}`, languageOf(visit)));
}

/** Checks a form as intake checks a record: everything has to be known, and to fit. */
function checkForm(
  { fields }: Visit,
  definition: OperationDefinition,
  { account, region }: { account: string; region: string },
  say: Say,
): Checked {
  const problem = (field: string, text: string) => ({
    problem: { field, text: say("formProblem", { problem: text }) },
  });
  if (!/^\d{12}$/.test(account)) return problem("account", say("formAccount"));
  if (!isRegionName(region)) return problem("region", say("formRegion"));
  const reason = (fields.get("reason") ?? "").trim();
  if (reason.length > MAX_REASON) return problem("reason", say("problemReasonLong"));
  const place = { partition: partitionOf(region), region, account };
  const input = typedInput(definition, Object.fromEntries(fields), place);
  const planning = planFromInput(definition, input, place);
  if ("problem" in planning) {
    // What is wrong is mostly about one parameter; the first one that the message names is where to look.
    const named = definition.parameters.find((parameter) => planning.problem.includes(parameter.input));
    return problem(fieldName(named ?? definition.parameters[0]!), planning.problem);
  }
  const fit = policyFit(planning.plan);
  if (!fit.fits) {
    const listed = definition.parameters.find(({ kind }) => kind.list) ?? definition.parameters[0]!;
    return problem(fieldName(listed), `${planning.plan.targets.length} > ${fit.most}`);
  }
  return { request: { service: definition.service, api: definition.api, input, account, region, reason } };
}

function openProblem(opened: OpenedByHand, say: Say): RequestForm["problem"] {
  if (opened.opened) return undefined;
  const text = opened.reason === "exists" ? say("openedBefore") : opened.text;
  return { field: "reason", text: say("formProblem", { problem: text }) };
}

/** What there is to say of a form's link that cannot be used. */
async function unusable(visit: Visit, followed: Valid): Promise<HttpResponse | undefined> {
  const { parts, session } = visit;
  const self = addressOf(followed);
  const link = (await parts.table.readLink(followed.link.hash)) ?? followed.link;
  if (session && parts.acting !== "code" && session.person !== link.person) {
    const name = (await contextOf(visit, self)).signedIn?.name ?? "";
    return notice(
      visit,
      403,
      { title: "notYouTitle", lead: "notYouLead", values: { name }, tone: "wrong" },
      self,
    );
  }
  if (link.spent)
    return notice(visit, 200, { title: "recordedTitle", lead: "recordedForm", tone: "going" }, self);
  if (parts.now() >= link.expiresAt)
    return notice(visit, 410, { title: "expiredTitle", lead: "expiredLead", renew: "none" }, self);
  if (link.attempts >= MAX_ATTEMPTS && !session) {
    return notice(visit, 403, { title: "lockedTitle", lead: "lockedLead", renew: "none" }, self);
  }
  return undefined;
}

async function formPage(
  visit: Visit,
  followed: Valid,
  operation: string | undefined,
  statusCode: number,
  problem?: RequestForm["problem"],
): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const draft = followed.link.draft!;
  const possible = operationsOfDraft(visit, draft.event);
  const definition = possible.find((each) => operationKey(each) === operation) ?? possible[0];
  const self = addressOf(followed);
  if (!definition) return brokenLink(visit, { problem: "unknown" });
  const context = await contextOf(visit, self);
  const signedIn = parts.acting !== "code" ? session : undefined;
  return respond(
    statusCode,
    requestFormPage(context, {
      definition,
      action: "form",
      hidden: {
        link: followed.id,
        operation: operationKey(definition),
        lang: context.language,
        ...(signedIn && { csrf: signedIn.csrf }),
      },
      account: draft.account,
      region: draft.region,
      placeIsFixed: true,
      typed: Object.fromEntries(fields),
      reason: fields.get("reason") ?? "",
      asksCode: !signedIn,
      ...(problem && { problem }),
    }),
  );
}

async function newPage(
  visit: Visit & { session: Session },
  definition: OperationDefinition,
  statusCode: number,
  problem?: RequestForm["problem"],
): Promise<HttpResponse> {
  const { parts, fields, session } = visit;
  const context = await contextOf(visit, `new?operation=${encodeURIComponent(operationKey(definition))}`);
  return respond(
    statusCode,
    requestFormPage(context, {
      definition,
      action: "new",
      hidden: {
        operation: operationKey(definition),
        // Made here, so that a form that is sent twice opens one request.
        id: fields.get("id") ?? parts.newId(),
        lang: context.language,
        csrf: session.csrf,
      },
      account: fields.get("account") ?? "",
      region: fields.get("region") ?? parts.region,
      placeIsFixed: false,
      typed: Object.fromEntries(fields),
      reason: fields.get("reason") ?? "",
      asksCode: false,
      ...(problem && { problem }),
    }),
  );
}

function signInFirst(visit: Visit, self: string): Promise<HttpResponse> {
  const href = signInAddress(self, languageOf(visit));
  return notice(
    visit,
    401,
    { title: "signInTitle", lead: "signInLead", tone: "going", next: { label: "signIn", href } },
    self,
  );
}
