/** The pages about requests. Pure: a page is made of a view and a context, and nothing else. */
import { type Html, html } from "../../shared/html/html";
import { section } from "../../shared/html/parts";
import { type DecisionForm, decisionForm, problemSummary } from "./decisionForm";
import { type PageContext, page, type Tone } from "./layout";
import { requestSections } from "./requestSections";
import type { RequestView } from "./view";
import { sayIn, type Word } from "./words";

/** The pages on which somebody decides. */
export type DecisionKind = "confirm" | "decide" | "execute" | "look";

const DECISION_WORDS: Record<DecisionKind, { title: Word; lead?: Word }> = {
  confirm: { title: "confirmTitle", lead: "confirmLead" },
  decide: { title: "decideTitle", lead: "decideLead" },
  execute: { title: "executeTitle", lead: "executeLead" },
  look: { title: "statusTitle" },
};

/** How the person gets to act: by the form, or by signing in first. */
export interface Acting {
  readonly form?: DecisionForm;
  /** Address that leads to the identity provider. */
  readonly signInAt?: string;
}

/** A page to decide on: everything about the request, then the form. */
export function decisionPage(
  context: PageContext,
  view: RequestView,
  kind: DecisionKind,
  { form, signInAt }: Acting,
): Html {
  const say = sayIn(context.language);
  const { title, lead } = DECISION_WORDS[kind];
  const problems = form?.problems ?? [];
  return page(context, {
    title: `${problems.length > 0 ? `${say("problemTitle")}: ` : ""}${say(title)}`,
    ...(lead && { lead: say(lead, { requester: view.requester }) }),
    body: html`${problemSummary(problems, say)}
${requestSections(view, say)}
${
  signInAt !== undefined &&
  section(
    "sign-in",
    say("signIn"),
    html`<p>${say("signInLead")}</p><a class="button" href="${signInAt}">${say("signIn")}</a>
${form && html`<p class="note">${say("withCode")}</p>`}`,
  )
}
${form && decisionForm(form, say)}`,
  });
}

/** What a page about a request that needs nothing says above it. */
export interface StatusNotice {
  readonly title: Word;
  readonly lead: Word;
  readonly tone?: Tone;
}

/** A request as it stands, with what there is to say to this person. */
export function statusPage(context: PageContext, view: RequestView, notice?: StatusNotice): Html {
  const say = sayIn(context.language);
  return page(context, {
    title: say(notice?.title ?? "statusTitle"),
    lead: notice ? say(notice.lead) : `${view.operation}: ${view.stateText}`,
    tone: notice?.tone ?? (view.deadline ? "going" : "over"),
    body: requestSections(view, say),
  });
}

/** A page that only says something. */
export interface Notice {
  readonly title: Word;
  readonly lead: Word;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly tone?: Tone;
  /** What an operator can find the log line by. */
  readonly reference?: string;
  /** Offers a new mail: the link that it is for. */
  readonly renew?: { readonly link: string } | "none";
  /** Leads on: to the sign-in, or to the identity provider. */
  readonly next?: { readonly label: Word; readonly href: string };
}

export function noticePage(context: PageContext, notice: Notice): Html {
  const { title, lead, values, tone = "over", reference, renew, next } = notice;
  const say = sayIn(context.language);
  const content = [
    renew === "none" && html`<p>${say("renewNone")}</p>`,
    renew !== undefined &&
      renew !== "none" &&
      html`<form class="decision" method="post" action="renew"><input type="hidden" name="link" value="${renew.link}"><input type="hidden" name="lang" value="${context.language}">
<button type="submit">${say("renew")}</button></form>`,
    next && html`<a class="button" href="${next.href}">${say(next.label)}</a>`,
    reference !== undefined && html`<p class="note">${say("reference", { id: reference })}</p>`,
  ].filter((part) => part !== false && part !== undefined);
  return page(context, {
    title: say(title),
    tone,
    body: html`<section aria-labelledby="h-notice"><h2 id="h-notice">${say(lead, values)}</h2>
${content}</section>`,
  });
}

/** A request in the list. */
export interface ListedRequest {
  readonly id: string;
  readonly operation: string;
  readonly account: string;
  readonly requester: string;
  readonly stateText: string;
  readonly deadline: string;
  /** Whether it waits for whoever looks. */
  readonly forYou: boolean;
}

/** The requests that are under way. */
export function requestsPage(context: PageContext, requests: readonly ListedRequest[]): Html {
  const say = sayIn(context.language);
  const list = html`<ul class="requests">${requests.map(
    ({ id, operation, account, requester, stateText, deadline, forYou }) => html`<li><div>
<a href="request?id=${encodeURIComponent(id)}">${operation}: ${account}</a>
<p>${requester} · ${stateText} · ${deadline}</p></div>${forYou && html`<span class="pill waiting">${say("forYou")}</span>`}</li>
`,
  )}</ul>`;
  return page(context, {
    title: say("requestsTitle"),
    lead: say("requestsLead"),
    body: html`${section("requests", say("requestsTitle"), requests.length === 0 ? html`<p class="none">${say("requestsNone")}</p>` : list)}
${section("new", say("newRequest"), html`<p>${say("newLead")}</p><a class="button" href="new">${say("newRequest")}</a>`)}`,
  });
}
