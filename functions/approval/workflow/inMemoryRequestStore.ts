import { type ApprovalRequest, isFinal, requestSchema, type State } from "./request";
import type { Opening, RequestStore } from "./store";

/** A store in the memory of the process: for tests and simulations. */
export class InMemoryRequestStore implements RequestStore {
  private readonly requests = new Map<string, ApprovalRequest>();
  /** Ids of open requests by their operation. */
  private readonly openByOperation = new Map<string, string>();

  async open(request: ApprovalRequest): Promise<Opening> {
    const holder = this.requests.has(request.id)
      ? request.id
      : this.openByOperation.get(request.operationHash);
    if (holder !== undefined) {
      return { opened: false, existing: structuredClone(this.requests.get(holder)!) };
    }
    this.requests.set(request.id, requestSchema.parse(request));
    this.openByOperation.set(request.operationHash, request.id);
    return { opened: true };
  }

  async read(id: string): Promise<ApprovalRequest | undefined> {
    return structuredClone(this.requests.get(id));
  }

  async replace(
    next: ApprovalRequest,
    expected: { readonly state: State; readonly version: number },
  ): Promise<boolean> {
    const present = this.requests.get(next.id);
    if (!present || present.state !== expected.state || present.version !== expected.version) return false;
    this.requests.set(next.id, requestSchema.parse(next));
    if (isFinal(next.state)) this.openByOperation.delete(next.operationHash);
    return true;
  }
}
