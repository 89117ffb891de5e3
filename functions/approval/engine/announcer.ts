/** Who is told what at which stage. */
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { Directory } from "../directory/directory";
import type { Person } from "../directory/document";
import type { TellKind } from "../messages/kinds";
import { type About, type Delivery, type Messenger, peopleAsked } from "../messages/messenger";
import { KNOWN_EVENTS, OPERATIONS } from "../operations/catalogue";
import type { RequestDetails } from "../pages/details";
import type { ApprovalRequest } from "../workflow/request";
import type { Announcer } from "./ports";

/** What {@link StageAnnouncer} works with. */
export interface StageAnnouncerOptions {
  readonly messenger: Pick<Messenger, "ask" | "askForm" | "tell" | "tellRefused" | "post">;
  readonly people: { lately(): Promise<Directory> };
  /** Seconds that a form's link lives. */
  readonly formSeconds: number;
  readonly now: () => number;
}

/** The stages that end a request, as those who took part are told of them. */
const ENDS: Partial<Record<ApprovalRequest["state"], Exclude<TellKind, "refused">>> = {
  done: "done",
  bypassed: "bypassed",
  failed: "failed",
  denied: "denied",
  expired: "expired",
  cancelled: "cancelled",
};

/** Tells people by mail and in chats. */
export class StageAnnouncer implements Announcer {
  constructor(private readonly options: StageAnnouncerOptions) {}

  async tell(request: ApprovalRequest, details: RequestDetails): Promise<void> {
    const { messenger } = this.options;
    const about = await this.about(request, details);
    const requester = requesterOf(about);
    switch (request.state) {
      case "requested":
        return arrived(await messenger.ask("confirm", about, requester));
      case "approving":
        return this.askApprovers(about);
      case "approved":
        await messenger.post("approved", about);
        return arrived(await messenger.ask("execute", about, requester));
    }
    const end = ENDS[request.state];
    if (!end) return;
    await messenger.post(end, about);
    arrived(await messenger.tell(end, about, tookPart(about)));
  }

  private async askApprovers(about: About): Promise<void> {
    const { messenger } = this.options;
    const { request, directory } = about;
    const kind = request.escalated ? "escalation" : "decide";
    const escalation = request.levels[request.level]?.escalation?.group;
    const asked = peopleAsked(about).filter(
      ({ id }) =>
        kind === "decide" ||
        (escalation !== undefined && directory.members(escalation).some((member) => member.id === id)),
    );
    const posted = await messenger.post(kind, about);
    const deliveries = await messenger.ask(kind, about, asked);
    if (posted === 0) arrived(deliveries);
  }

  async renew(
    { person: id, purpose, level, renewals }: Parameters<Announcer["renew"]>[0],
    request: ApprovalRequest,
    details: RequestDetails,
  ): Promise<void> {
    const about = await this.about(request, details);
    const person = about.directory.person(id);
    if (!person?.active) return;
    const kind =
      purpose === "confirm" && request.state === "requested" && id === details.requester.person
        ? "confirm"
        : purpose === "execute" && request.state === "approved" && id === details.requester.person
          ? "execute"
          : purpose === "decide" &&
              request.state === "approving" &&
              level === request.level &&
              peopleAsked(about).some((asked) => asked.id === id)
            ? "decide"
            : undefined;
    if (kind) arrived(await this.options.messenger.ask(kind, about, [person], renewals));
  }

  async form({ requestId, person: id, draft }: Parameters<Announcer["form"]>[0]): Promise<void> {
    const { messenger, people, formSeconds, now } = this.options;
    const person = (await people.lately()).person(id);
    if (!person) return;
    const title = titleOf(draft.event);
    arrived(await messenger.askForm(person, requestId, { title, draft }, now() + formSeconds * 1_000));
  }

  async refused({ requestId, person: id, call, reason }: Parameters<Announcer["refused"]>[0]): Promise<void> {
    const person = (await this.options.people.lately()).person(id);
    if (!person) return;
    const { event, account, region } = call;
    const about = { title: titleOf(event), account, region, why: reason };
    arrived(await this.options.messenger.tellRefused(person, requestId, about));
  }

  private async about(request: ApprovalRequest, details: RequestDetails): Promise<About> {
    return { request, details, directory: await this.options.people.lately() };
  }
}

/** What an event is called; events of calls that are not known keep their name. */
function titleOf(event: string): string {
  return KNOWN_EVENTS.includes(event) ? OPERATIONS.find((each) => each.event === event)!.title : event;
}

function requesterOf({ details, directory }: About): Person[] {
  const person = directory.person(details.requester.person);
  return person ? [person] : [];
}

/** The requester and everybody who decided. */
function tookPart(about: About): Person[] {
  const { request, directory } = about;
  const deciders = [
    ...request.approvals,
    ...[request.denial, request.bypass].filter((each) => each !== undefined),
  ];
  const people = deciders.flatMap(({ by }) => by.flatMap((name) => directory.named(name) ?? []));
  return [...new Map([...requesterOf(about), ...people].map((person) => [person.id, person])).values()];
}

/** Of several mails one is enough: the others are in the log. @throws BulkheadError when none arrived */
function arrived(deliveries: readonly Delivery[]): void {
  if (deliveries.length === 0 || deliveries.some(({ delivered }) => delivered)) return;
  throw new BulkheadError("nobody-told", "none of the messages about a request could be sent");
}
