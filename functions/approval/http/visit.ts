import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { Html } from "../../shared/html/html";
import type { Directory } from "../directory/directory";
import type { Language } from "../directory/document";
import { belongTogether, type RequestDetails } from "../pages/details";
import { pageLanguage } from "../pages/language";
import type { PageContext } from "../pages/layout";
import { type Notice, noticePage } from "../pages/pages";
import { type RequestView, requestView } from "../pages/view";
import { type Say, sayIn } from "../pages/words";
import type { ApprovalRequest } from "../workflow/request";
import type { AppParts } from "./parts";
import type { HttpRequest } from "./request";
import { type HttpResponse, pageResponse } from "./response";
import type { Session } from "./session";

/** A request over HTTP with what is known of whoever makes it. */
export interface Visit {
  readonly parts: AppParts;
  readonly request: HttpRequest;
  /** Fields of the form; empty for a GET. */
  readonly fields: ReadonlyMap<string, string>;
  readonly session?: Session;
}

/** The language of the answer. */
export function languageOf({ parts, request, fields }: Visit): Language {
  const asked = request.query.get("lang") ?? fields.get("lang") ?? undefined;
  return pageLanguage(asked, request.headers["accept-language"], parts.language);
}

/** What the answer's page needs. */
export async function contextOf(visit: Visit, self: string): Promise<PageContext & { say: Say }> {
  const { parts, session } = visit;
  const language = languageOf(visit);
  const name = session && (await parts.people.lately().catch(() => undefined))?.person(session.person)?.name;
  return {
    language,
    say: sayIn(language),
    self,
    cell: parts.cell,
    region: parts.region,
    ...(session && { signedIn: { name: name ?? session.person, csrf: session.csrf } }),
  };
}

/** A page that only says something. */
export async function notice(
  visit: Visit,
  statusCode: number,
  content: Notice,
  self = "requests",
): Promise<HttpResponse> {
  return pageResponse(statusCode, noticePage(await contextOf(visit, self), content));
}

/** A request with everything that is shown of it. */
export interface ShownRequest {
  readonly request: ApprovalRequest;
  readonly details: RequestDetails;
  readonly directory: Directory;
}

/**
 * Reads a request to be shown. Undefined when there is none.
 * @throws BulkheadError `details-mismatch` when what would be shown is not what an approval would be bound to
 */
export async function shownRequest(
  { table, people }: AppParts,
  id: string,
): Promise<ShownRequest | undefined> {
  const [request, details, directory] = await Promise.all([
    table.read(id),
    table.readDetails(id),
    people.lately(),
  ]);
  if (!request || !details) return undefined;
  if (!belongTogether(request, details)) {
    throw new BulkheadError(
      "details-mismatch",
      "what is stored of a request is not what the request is bound to",
    );
  }
  return { request, details, directory };
}

/** A request's view for this visit. */
export function viewOf(visit: Visit, { request, details, directory }: ShownRequest): RequestView {
  const language = languageOf(visit);
  const { timeZone, now } = visit.parts;
  return requestView(request, details, { say: sayIn(language), language, directory, timeZone, now: now() });
}

/** Says that what was sent is none of our forms. */
export function badRequest(visit: Visit): Promise<HttpResponse> {
  return notice(visit, 400, { title: "badRequestTitle", lead: "badRequestLead", tone: "wrong" });
}

/** A page as a response. */
export function respond(statusCode: number, page: Html): HttpResponse {
  return pageResponse(statusCode, page);
}
