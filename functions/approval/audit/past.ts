import { operationNamed } from "../operations/catalogue";
import type { PastRequests } from "../risk/assess";
import type { RequesterPast } from "../risk/score";
import type { AuditReader } from "./auditTrail";

const DAY = 86_400_000;
const LONG = 90 * DAY;

/** How far back a requester's own calls are looked for. */
const OWN_CALLS = 365 * DAY;

/** What the audit says of a requester and of a call, for the risk score. */
export class AuditedPast implements PastRequests {
  constructor(private readonly audit: AuditReader) {}

  async of(requester: readonly string[], service: string, api: string, at: Date): Promise<RequesterPast> {
    const call = operationNamed(service, api)?.event ?? `${service}:${api}`;
    const ago = (milliseconds: number) => new Date(at.getTime() - milliseconds);
    const [own, anybodysCalls] = await Promise.all([
      this.audit.ofRequester(requester, ago(OWN_CALLS)),
      this.audit.countOfCall(call, "executed", ago(LONG)),
    ]);
    const since = (milliseconds: number) =>
      own.filter((entry) => entry.at >= ago(milliseconds).toISOString());
    return {
      lastDay: since(DAY).filter(({ what }) => what === "requested").length,
      sameCall: own.filter((entry) => entry.what === "executed" && entry.call === call).length,
      anybodysCalls,
      denied: since(LONG).filter(({ after }) => after === "denied").length,
    };
  }
}
