/** Tells people: who is asked gets a link and a code of their own, everybody else what became of a request. */
import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { Mailer } from "../../shared/mail/mail";
import type { Directory } from "../directory/directory";
import type { Language, Person } from "../directory/document";
import type { ActingBy } from "../http/parts";
import { issueLink } from "../links/issue";
import type { Link, Purpose } from "../links/link";
import type { LinkStore } from "../links/store";
import type { RequestDetails } from "../pages/details";
import { regionName, titleIn } from "../pages/names";
import { moment } from "../pages/times";
import { type RequestView, requestView } from "../pages/view";
import { type Say, sayIn } from "../pages/words";
import type { ApprovalRequest } from "../workflow/request";
import { askedGroups } from "../workflow/transition";
import { slackMessage, teamsMessage } from "./chat";
import type { AskKind, MessageKind, TellKind } from "./kinds";
import { type Message, renderMail } from "./renderMail";
import { summaryOf } from "./summary";
import type { TemplateSource } from "./templateSource";

/** A chat that everybody in a channel reads. */
export interface Chat {
  readonly kind: "slack" | "teams";
  /** Whether people decide in it; only in Slack. */
  readonly buttons: boolean;
  /** @throws BulkheadError */
  post(body: unknown): Promise<void>;
}

/** What {@link Messenger} works with. */
export interface MessengerOptions {
  readonly cell: string;
  readonly region: string;
  /** Where the pages are reached: https, without a slash at its end. */
  readonly baseUrl: string;
  /** IANA name. */
  readonly timeZone: string;
  /** For people who have none of their own, and for chats. */
  readonly language: Language;
  /** How the pages let people act; see AppParts. */
  readonly acting: ActingBy;
  readonly links: Pick<LinkStore, "add">;
  /** A mailer to one address. */
  readonly mailTo: (address: string) => Mailer;
  readonly templates: TemplateSource;
  readonly chats: readonly Chat[];
  readonly log: Log;
  readonly now: () => number;
}

/** A request that messages are about. */
export interface About {
  readonly request: ApprovalRequest;
  readonly details: RequestDetails;
  readonly directory: Directory;
}

/** Whether a message reached a person's mail server. */
export interface Delivery {
  /** Id in the directory. */
  readonly person: string;
  readonly delivered: boolean;
}

/** Links that only show live this long after the message. */
const STATUS_LINK_MILLISECONDS = 30 * 24 * 3_600_000;

const PURPOSE_OF: Record<Exclude<AskKind, "form">, Purpose> = {
  confirm: "confirm",
  decide: "decide",
  escalation: "decide",
  execute: "execute",
};

/**
 * Who is asked to decide now: active members of the groups that are asked, except the requester and those who have approved. Members that only
 * an identity provider knows cannot be mailed; they find the request in the list of the pages, or in the chat.
 */
export function peopleAsked({ request, directory, details }: About): Person[] {
  const done = new Set(
    request.approvals.flatMap(({ by }) => by.map((identity) => directory.named(identity)?.id)),
  );
  const asked = askedGroups(request).flatMap((group) => directory.members(group));
  return [...new Map(asked.map((person) => [person.id, person])).values()].filter(
    ({ id }) => id !== details.requester.person && !done.has(id),
  );
}

/** Sends messages. A message that could not be sent is logged and reported, never thrown: the others still have to go out. */
export class Messenger {
  constructor(private readonly options: MessengerOptions) {}

  /**
   * Asks people to act, each with a link that ends with the request's present stage. Asking again issues new links; those before stay good.
   * @param renewals how many mails the person asked for in place of one before @default 0
   */
  async ask(
    kind: Exclude<AskKind, "form">,
    about: About,
    people: readonly Person[],
    renewals = 0,
  ): Promise<Delivery[]> {
    const { request } = about;
    const purpose = PURPOSE_OF[kind];
    return this.each(people, kind, async (person) => {
      const link = {
        requestId: request.id,
        person: person.id,
        purpose,
        ...(purpose === "decide" && { level: request.level }),
        expiresAt: request.deadline,
        renewals,
      };
      const again = renewals === 0 ? "" : `-again${renewals}`;
      await this.send(
        person,
        await this.linked(link, this.aboutRequest(kind, about, person, `${request.level}${again}`)),
      );
    });
  }

  /**
   * Asks the operator for what the record of their denied call does not say. The request that comes of it has this id.
   * @param expiresAt milliseconds since 1970
   */
  async askForm(
    person: Person,
    requestId: string,
    { title, draft }: { readonly title: string; readonly draft: NonNullable<Link["draft"]> },
    expiresAt: number,
  ): Promise<Delivery[]> {
    return this.each([person], "form", async () => {
      const message = this.aboutCall("form", person, requestId, title, draft.account, draft.region);
      await this.send(
        person,
        await this.linked({ requestId, person: person.id, purpose: "form", expiresAt, draft }, message),
      );
    });
  }

  /**
   * Tells people what became of a request, with a link to look at it.
   * @param result what there is to add in the engine's words, such as AWS's answer; plain text
   */
  async tell(
    kind: Exclude<TellKind, "refused">,
    about: About,
    people: readonly Person[],
    result?: string,
  ): Promise<Delivery[]> {
    const { request } = about;
    return this.each(people, kind, async (person) => {
      const expiresAt = this.options.now() + STATUS_LINK_MILLISECONDS;
      const link = { requestId: request.id, person: person.id, purpose: "status" as const, expiresAt };
      await this.send(person, await this.linked(link, this.aboutRequest(kind, about, person, "", result)));
    });
  }

  /** Tells the operator that no request can be opened for their denied call, and why. */
  async tellRefused(
    person: Person,
    eventId: string,
    call: { readonly title: string; readonly account: string; readonly region: string; readonly why: string },
  ): Promise<Delivery[]> {
    return this.each([person], "refused", async () => {
      const message = this.aboutCall(
        "refused",
        person,
        eventId,
        call.title,
        call.account,
        call.region,
        call.why,
      );
      await this.send(person, message);
    });
  }

  /** Posts to the chats: that approval is needed, or what became of a request. @returns how many of them took it */
  async post(
    kind: Exclude<MessageKind, "form" | "refused" | "confirm" | "execute">,
    about: About,
  ): Promise<number> {
    const { chats, language, acting, baseUrl, log } = this.options;
    const say = sayIn(language);
    const view = this.view(about, language, say);
    const asks = kind === "decide" || kind === "escalation";
    const subject = asks ? say("chatDecide", { operation: view.operation }) : this.subject(kind, view, say);
    const content = {
      title: subject,
      view,
      ...(acting !== "code" && { link: `${baseUrl}/request?id=${encodeURIComponent(view.id)}` }),
      ...(asks && { asksLevel: about.request.level }),
    };
    const posts = await Promise.allSettled(
      chats.map((chat) =>
        chat.post(chat.kind === "slack" ? slackMessage(content, say, chat) : teamsMessage(content, say)),
      ),
    );
    for (const [index, post] of posts.entries()) {
      if (post.status === "rejected") {
        log.error("a chat did not take a message", {
          request: view.id,
          kind,
          chat: chats[index]!.kind,
          ...errorFields(post.reason),
        });
      }
    }
    return posts.filter(({ status }) => status === "fulfilled").length;
  }

  private subject(kind: Exclude<MessageKind, "form" | "refused">, view: RequestView, say: Say): string {
    const word = `mail${kind.charAt(0).toUpperCase()}${kind.slice(1)}Subject` as "mailDoneSubject";
    return say(word, { operation: view.operation, account: view.account, risk: view.risk.text });
  }

  private view({ request, details, directory }: About, language: Language, say: Say): RequestView {
    const { timeZone, now } = this.options;
    return requestView(request, details, { say, language, directory, timeZone, now: now() });
  }

  /** A message about a request, without its link. */
  private aboutRequest(
    kind: MessageKind,
    about: About,
    person: Person,
    part: string,
    result?: string,
  ): Message {
    const language = person.language ?? this.options.language;
    const say = sayIn(language);
    const view = this.view(about, language, say);
    const summary = summaryOf(view, say);
    return {
      kind,
      language,
      region: this.options.region,
      id: ["approval", view.id, kind, person.id, part].filter((each) => each !== "").join("-"),
      values: {
        operation: view.operation,
        account: view.account,
        region: view.region,
        requester: view.requester,
        reason: view.reason,
        risk: `${view.risk.text} (${view.risk.name})`,
        deadline: view.deadline?.at ?? "",
        request: view.id,
        name: person.name,
        outcome: [...view.notes.slice(-1), ...(result === undefined ? [] : [result])].join("\n"),
        cell: this.options.cell,
      },
      summary:
        result === undefined
          ? summary
          : [...summary, { title: say("mailResult"), lines: [{ label: view.stateText, value: result }] }],
    };
  }

  /** A message about a call for which there is no request. */
  private aboutCall(
    kind: "form" | "refused",
    person: Person,
    id: string,
    title: string,
    account: string,
    region: string,
    why = "",
  ): Message {
    const language = person.language ?? this.options.language;
    const say = sayIn(language);
    const operation = titleIn(language, title);
    return {
      kind,
      language,
      region: this.options.region,
      id: `approval-${id}-${kind}-${person.id}`,
      values: {
        operation,
        account,
        region: regionName(region),
        requester: person.name,
        reason: "",
        risk: "",
        deadline: "",
        request: id,
        name: person.name,
        outcome: why,
        cell: this.options.cell,
      },
      summary: [
        {
          title: say("whatHappens"),
          lines: [
            { label: say("operation"), value: operation },
            { label: say("account"), value: account },
            { label: say("region"), value: regionName(region) },
            { label: say("calledAt"), value: moment(this.options.now(), this.options.timeZone) },
          ],
        },
      ],
    };
  }

  /** The message with a link of its own; the code is in it unless one has to sign in. */
  private async linked(link: Parameters<typeof issueLink>[1], message: Message): Promise<Message> {
    const { links, cell, now, baseUrl, acting } = this.options;
    const { id, code } = await issueLink(links, link, { cell, now });
    return {
      ...message,
      link: `${baseUrl}/${link.purpose}?link=${id}&lang=${message.language}`,
      ...(link.purpose !== "status" && acting !== "signIn" && { code }),
    };
  }

  private async send(person: Person, message: Message): Promise<void> {
    const template = await this.options.templates.template(message.kind, message.language);
    await this.options.mailTo(person.mail).send(renderMail(message, template));
  }

  private async each(
    people: readonly Person[],
    kind: MessageKind,
    work: (person: Person) => Promise<void>,
  ): Promise<Delivery[]> {
    return Promise.all(
      people.map(async (person) => {
        try {
          await work(person);
          return { person: person.id, delivered: true };
        } catch (error) {
          this.options.log.error("a message could not be sent", {
            person: person.id,
            kind,
            ...errorFields(error),
          });
          return { person: person.id, delivered: false };
        }
      }),
    );
  }
}
