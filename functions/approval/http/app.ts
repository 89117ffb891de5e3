/** The pages as a function of HTTP requests. */
import { errorFields } from "../../shared/errors/errorFields";
import { PURPOSES } from "../links/link";
import { noticePage } from "../pages/pages";
import { openFromLink, openNew, showFormLink, showNew } from "./formRoutes";
import { actOnLink, renewLink, showLink } from "./linkRoutes";
import type { AppParts } from "./parts";
import { type HttpRequest, readForm, readHttpRequest } from "./request";
import { type HttpResponse, pageResponse, plainResponse } from "./response";
import { isOwnForm, type Session } from "./session";
import { decideRequest, listRequests, showRequest } from "./signedInRoutes";
import { beginSignIn, completeSignIn, signOut, toSignIn } from "./signInRoutes";
import { clickInSlack } from "./slackRoutes";
import { badRequest, contextOf, notice, type Visit } from "./visit";

type Route = (visit: Visit) => Promise<HttpResponse>;

/** What there is: for each path, what GET and POST do. HEAD is a GET without content. */
function routes(parts: AppParts): ReadonlyMap<string, { readonly GET?: Route; readonly POST?: Route }> {
  const { signIn } = parts;
  return new Map<string, { GET?: Route; POST?: Route }>([
    ...PURPOSES.filter((purpose) => purpose !== "form").map(
      (purpose): [string, { GET: Route; POST?: Route }] => [
        `/${purpose}`,
        {
          GET: (visit) => showLink(visit, purpose),
          ...(purpose !== "status" && { POST: (visit: Visit) => actOnLink(visit, purpose) }),
        },
      ],
    ),
    ["/form", { GET: showFormLink, POST: openFromLink }],
    ["/renew", { POST: renewLink }],
    ...(signIn
      ? ([
          ["/requests", { GET: signedIn(listRequests) }],
          ["/request", { GET: signedIn(showRequest), POST: signedIn(decideRequest) }],
          ["/new", { GET: signedIn(showNew), POST: signedIn(openNew) }],
          ["/sign-in", { GET: (visit: Visit) => beginSignIn(visit, signIn) }],
          ["/callback", { GET: (visit: Visit) => completeSignIn(visit, signIn) }],
          ["/sign-out", { POST: signedIn((visit) => signOut(visit, signIn)) }],
        ] as const)
      : []),
  ]);
}

/** For those who have signed in; a form has to be one of theirs. */
function signedIn(route: (visit: Visit & { session: Session }) => Promise<HttpResponse>): Route {
  return async (visit) => {
    const { parts, request, session, fields } = visit;
    if (!session) {
      // A form without a session leads to the page that it stood on.
      const path = request.path.slice(1);
      const id = request.query.get("id") ?? fields.get("id");
      return toSignIn(
        visit,
        path === "request" && id !== null && id !== undefined
          ? `request?id=${id}`
          : path === "new"
            ? "new"
            : "requests",
      );
    }
    if (
      request.method === "POST" &&
      !isOwnForm(request, fields.get("csrf"), session, new URL(parts.baseUrl).origin)
    ) {
      parts.log.warn("a form was refused that is none of the session's own", { path: request.path });
      return badRequest(visit);
    }
    return route({ ...visit, session });
  };
}

/** Makes the function that answers events of API Gateway's HTTP APIs (payload format 2.0). It never throws, and says nothing of what failed. */
export function createApp(parts: AppParts): (event: unknown) => Promise<HttpResponse> {
  const table = routes(parts);
  return async (event) => {
    const request = readHttpRequest(event);
    if (!request) {
      parts.log.warn("an event is no request of an HTTP API", {});
      return plainResponse(400);
    }
    try {
      const response = await dispatch(parts, table, request);
      return request.method === "HEAD" ? { ...response, body: "" } : response;
    } catch (error) {
      parts.log.error("a page failed", {
        path: request.path,
        method: request.method,
        id: request.id,
        ...errorFields(error),
      });
      return failure(parts, request);
    }
  };
}

async function dispatch(
  parts: AppParts,
  table: ReturnType<typeof routes>,
  request: HttpRequest,
): Promise<HttpResponse> {
  if (request.path === "/slack" && parts.slack) {
    return request.method === "POST"
      ? clickInSlack(parts, parts.slack, request)
      : plainResponse(405, { allow: "POST" });
  }
  const anonymous: Visit = { parts, request, fields: new Map() };
  const route = table.get(request.path);
  if (!route) return notice(anonymous, 404, { title: "notFoundTitle", lead: "notFoundLead" });
  const method = request.method === "HEAD" ? "GET" : request.method;
  const act = method === "GET" || method === "POST" ? route[method] : undefined;
  if (!act) {
    const allow = [route.GET && "GET, HEAD", route.POST && "POST"].filter(Boolean).join(", ");
    const response = await notice(anonymous, 405, {
      title: "methodTitle",
      lead: "methodLead",
      tone: "wrong",
    });
    return { ...response, headers: { ...response.headers, allow } };
  }
  const session = await parts.signIn?.sessions.of(request);
  const visit: Visit = { ...anonymous, ...(session && { session }) };
  if (method === "GET") return act(visit);
  const form = readForm(request);
  if ("problem" in form) {
    return form.problem === "tooLarge"
      ? notice(visit, 413, { title: "tooLargeTitle", lead: "tooLargeLead", tone: "wrong" })
      : badRequest(visit);
  }
  return act({ ...visit, fields: form.fields });
}

/** Nothing of the error is shown; only an id by which the log line is found. After a POST nobody knows whether it took effect. */
async function failure(parts: AppParts, request: HttpRequest): Promise<HttpResponse> {
  const visit: Visit = { parts, request, fields: new Map() };
  return pageResponse(
    500,
    noticePage(await contextOf(visit, "requests"), {
      title: "errorTitle",
      lead: request.method === "POST" ? "errorUncertain" : "errorLead",
      tone: "wrong",
      ...(request.id !== "" && { reference: request.id }),
    }),
  );
}
