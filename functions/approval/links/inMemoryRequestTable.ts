import type { DetailsStore, RequestDetails } from "../pages/details";
import { InMemoryRequestStore } from "../workflow/inMemoryRequestStore";
import { type ApprovalRequest, isFinal } from "../workflow/request";
import type { Opening, RequestStore } from "../workflow/store";
import { type Link, linkSchema } from "./link";
import { LinkSpent, type LinkStore, type OpenRequests, type Spending } from "./store";

/** Requests, their details and links in the memory of the process: for tests and simulations. */
export class InMemoryRequestTable implements RequestStore, LinkStore, DetailsStore, OpenRequests {
  readonly links = new Map<string, Link>();
  private readonly requests = new InMemoryRequestStore();
  private readonly opened = new Set<string>();
  private readonly details = new Map<string, RequestDetails>();
  private readonly seen = new Set<string>();
  /** Writes happen one after the other, as those to the same items do in DynamoDB. */
  private last: Promise<unknown> = Promise.resolve();

  async open(request: ApprovalRequest): Promise<Opening> {
    const opening = await this.alone(() => this.requests.open(request));
    if (opening.opened) this.opened.add(request.id);
    return opening;
  }

  read(id: string): Promise<ApprovalRequest | undefined> {
    return this.requests.read(id);
  }

  replace(next: ApprovalRequest, expected: Parameters<RequestStore["replace"]>[1]): Promise<boolean> {
    return this.alone(() => this.requests.replace(next, expected));
  }

  async listOpen(): Promise<ApprovalRequest[]> {
    const all = await Promise.all([...this.opened].map((id) => this.requests.read(id)));
    return all.filter((request): request is ApprovalRequest => !!request && !isFinal(request.state));
  }

  async writeDetails(details: RequestDetails): Promise<void> {
    if (!this.details.has(details.requestId)) this.details.set(details.requestId, structuredClone(details));
  }

  async readDetails(requestId: string): Promise<RequestDetails | undefined> {
    return structuredClone(this.details.get(requestId));
  }

  async add(link: Link): Promise<void> {
    this.links.set(link.hash, linkSchema.parse(link));
  }

  async readLink(hash: string): Promise<Link | undefined> {
    return structuredClone(this.links.get(hash));
  }

  takeAttempt(hash: string, most: number): Promise<boolean> {
    return this.change(
      hash,
      ({ attempts, spent }) => attempts < most && !spent,
      (link) => ({ ...link, attempts: link.attempts + 1 }),
    );
  }

  takeRenewal(hash: string): Promise<boolean> {
    return this.change(
      hash,
      ({ renewed, spent }) => !renewed && !spent,
      (link) => ({ ...link, renewed: true }),
    );
  }

  spend({ hash, at, action }: Spending): Promise<boolean> {
    return this.change(
      hash,
      ({ spent }) => !spent,
      (link) => ({ ...link, spent: { at, action } }),
    );
  }

  spending({ hash, at, action }: Spending): RequestStore {
    return {
      open: (request) => this.open(request),
      read: (id) => this.read(id),
      replace: (next, expected) =>
        this.alone(async () => {
          const link = this.links.get(hash);
          if (!link || link.spent) throw new LinkSpent();
          const replaced = await this.requests.replace(next, expected);
          if (replaced) this.links.set(hash, { ...link, spent: { at, action } });
          return replaced;
        }),
    };
  }

  async once(key: string): Promise<boolean> {
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  private change(hash: string, when: (link: Link) => boolean, next: (link: Link) => Link): Promise<boolean> {
    return this.alone(async () => {
      const link = this.links.get(hash);
      if (!link || !when(link)) return false;
      this.links.set(hash, next(link));
      return true;
    });
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
