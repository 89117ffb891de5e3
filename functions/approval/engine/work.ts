/** The part that acts: the snapshot, the second look, the one call. */
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { errorFields } from "../../shared/errors/errorFields";
import { type AuditEntry, type Deed, entryOf } from "../audit/entry";
import type { Access } from "../execute/access";
import type { CallOutcome } from "../execute/act";
import type { PlannedOperation } from "../operations/plan";
import { belongTogether, type RequestDetails } from "../pages/details";
import { previewHash } from "../preview/preview";
import { happen } from "../workflow/happen";
import type { ApprovalRequest, RequestEvent } from "../workflow/request";
import { planOf } from "./planOf";
import type { EngineParts } from "./ports";

/** What work works with. */
export type WorkParts = Pick<
  EngineParts,
  | "cell"
  | "table"
  | "audit"
  | "fence"
  | "looker"
  | "snapshots"
  | "access"
  | "actor"
  | "alerts"
  | "log"
  | "now"
>;

/** What the state machine does next: `again` after a pause, or look at the table at once. */
export interface WorkAnswer {
  readonly requestId: string;
  readonly next: "again" | "step";
}

/** Time that is left for the call at least when access is asked for. */
const CALL_MILLISECONDS = 35_000;

/** One piece of work on a request. Safe to run again after any failure, also at the same time: the call itself is made once at most. */
export async function work(parts: WorkParts, requestId: string): Promise<WorkAnswer> {
  const { table, log } = parts;
  const request = await table.read(requestId);
  if (!request || (request.state !== "snapshotting" && request.state !== "verifying")) {
    return { requestId, next: "step" };
  }
  const details = await table.readDetails(requestId);
  try {
    if (!details || !belongTogether(request, details)) {
      throw new BulkheadError(
        "not-plannable",
        "the request's details are missing, or not those that were approved",
      );
    }
    const one = new Work(parts, request, details, planOf(details));
    return { requestId, next: request.state === "snapshotting" ? await one.snapshot() : await one.execute() };
  } catch (error) {
    log.error("work on a request failed; it is tried again until the stage is over", {
      request: requestId,
      state: request.state,
      ...errorFields(error),
    });
    const hopeless = error instanceof BulkheadError && FINAL_CODES.has(error.code);
    if (!hopeless) return { requestId, next: "again" };
    const event: RequestEvent =
      request.state === "snapshotting"
        ? { kind: "snapshotFailed" }
        : { kind: "abandon", reason: error.message.slice(0, 1_000) };
    await happen(table, requestId, event, parts.now);
    return { requestId, next: "step" };
  }
}

/** Errors that trying again does not help. */
const FINAL_CODES: ReadonlySet<string> = new Set(["access-denied", "not-plannable", "not-allow-listed"]);

class Work {
  constructor(
    private readonly parts: WorkParts,
    private readonly request: ApprovalRequest,
    private readonly details: RequestDetails,
    private readonly plan: PlannedOperation,
  ) {}

  async snapshot(): Promise<WorkAnswer["next"]> {
    const { snapshots } = this.parts;
    const { id } = this.request;
    if (!snapshots?.supports(this.plan)) {
      await this.record("snapshotEnded", { reason: "no snapshot can be taken of this" });
      await this.let({ kind: "snapshotFailed" });
      return "step";
    }
    const progress = await snapshots.proceed(this.plan, id);
    if (progress.progress === "running") return "again";
    await this.record("snapshotEnded", {
      resources: [...progress.ids],
      reason: progress.progress === "failed" ? progress.why : "done",
    });
    await this.let({ kind: progress.progress === "done" ? "snapshotDone" : "snapshotFailed" });
    return "step";
  }

  async execute(): Promise<WorkAnswer["next"]> {
    const { looker, access: giver, now, fence } = this.parts;
    const { id, deadline } = this.request;
    if (now() + CALL_MILLISECONDS > deadline) return now() < deadline ? "again" : "step";
    const allowed = await fence.mayExecute(id, this.plan.place.region);
    if (!allowed.allowed) {
      if (!allowed.final) {
        this.parts.log.warn("a request may not be carried out now", { request: id, why: allowed.why });
        return "again";
      }
      await this.let({ kind: "abandon", reason: allowed.why });
      return "step";
    }
    const seen = previewHash(await looker.look(this.plan));
    await this.record("lookedAgain", {
      reason: seen === this.request.previewHash ? "as it was approved" : "not as it was approved",
    });
    if (seen !== this.request.previewHash) {
      await this.let({ kind: "verified", previewHash: seen });
      return "step";
    }
    // Before access is asked for, so that whatever it leaves behind can be found.
    await this.record("accessAsked", {});
    const access = await giver.give(this.plan, id, new Date(now()));
    try {
      await this.call(access, seen);
    } finally {
      await this.end(access);
    }
    return "step";
  }

  /** The call. Whoever brings the request to `executing` makes it, and that is one. */
  private async call(access: Access, seen: string): Promise<void> {
    const { actor, now, fence } = this.parts;
    const { id } = this.request;
    // Once more: the other cell may have been promoted while this one looked.
    const allowed = await fence.mayExecute(id, this.plan.place.region);
    if (!allowed.allowed) {
      if (allowed.final) await this.let({ kind: "abandon", reason: allowed.why });
      return;
    }
    const turned = await this.let({ kind: "verified", previewHash: seen });
    if (turned?.state !== "executing") return;
    let outcome: CallOutcome;
    try {
      // Without a record there is no call.
      await this.record("called", { resources: [access.role] });
      const left = Math.min(access.end, turned.deadline) - now();
      outcome =
        left <= 0
          ? { outcome: "failed", error: "the time was over before the call was made" }
          : await actor.act(this.plan, access.credentials, AbortSignal.timeout(left));
    } catch (error) {
      this.parts.log.error("an approved call was not made", { request: id, ...errorFields(error) });
      outcome = { outcome: "failed", error: "the call was not made" };
    }
    await this.conclude(outcome);
  }

  /** Writes down what became of the call. If that fails, the stage's end says that the outcome is not known, which is safe. */
  private async conclude(outcome: CallOutcome): Promise<void> {
    const reason = "error" in outcome ? outcome.error : (outcome.awsRequestId ?? "accepted");
    if (outcome.outcome === "done") {
      await this.record("executed", { reason }).catch((error: unknown) => this.warn("executed", error));
    }
    const kind = ({ done: "callDone", failed: "callFailed", unknown: "callUnknown" } as const)[
      outcome.outcome
    ];
    await this.let({ kind });
    if (outcome.outcome !== "done") {
      await this.record("notExecuted", { reason }).catch((error: unknown) => this.warn("notExecuted", error));
    }
  }

  private async end(access: Access): Promise<void> {
    try {
      await access.finish();
      await this.record("accessEnded", { resources: [access.role] });
    } catch (error) {
      this.warn("accessEnded", error);
      if (!(error instanceof BulkheadError) || error.code !== "access-left") return;
      await this.record("accessLeft", { resources: [access.role], reason: error.message }).catch(
        () => undefined,
      );
      await this.parts.alerts
        .alert({
          title: "Access of an approved operation was left over",
          severity: "warning",
          text: error.message,
          lines: [
            { label: "Request", value: this.request.id },
            { label: "Role", value: access.role },
          ],
          account: this.details.account.id,
          region: this.details.region,
        })
        .catch((problem: unknown) => this.warn("alert", problem));
    }
  }

  private async let(event: RequestEvent): Promise<ApprovalRequest | undefined> {
    const happened = await happen(this.parts.table, this.request.id, event, this.parts.now);
    return "after" in happened ? happened.after : undefined;
  }

  private record(what: Deed, more: Partial<AuditEntry>): Promise<void> {
    const { audit, cell, now } = this.parts;
    return audit.append({
      ...entryOf(this.request, { cell, at: now(), what }),
      call: this.details.event,
      account: this.details.account.id,
      region: this.details.region,
      ...more,
    });
  }

  private warn(what: string, error: unknown): void {
    this.parts.log.warn("something could not be written down", {
      request: this.request.id,
      what,
      ...errorFields(error),
    });
  }
}
