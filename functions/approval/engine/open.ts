/** Opening a request: looking at what it is about, weighing the risk, choosing who approves. */
import { errorFields } from "../../shared/errors/errorFields";
import { entryOf } from "../audit/entry";
import { approversFor } from "../directory/approverRules";
import { identitiesOf } from "../directory/directory";
import type { Person } from "../directory/document";
import type { PlannedOperation } from "../operations/plan";
import type { RequestDetails } from "../pages/details";
import { operationHash } from "../policy/operationHash";
import { policyFit } from "../policy/policyFit";
import { previewHash, type SummaryLine, summarize } from "../preview/preview";
import { assess } from "../risk/assess";
import { type ApprovalRequest, newRequest } from "../workflow/request";
import type { EngineParts } from "./ports";

/** What opening works with. */
export type OpenParts = Pick<
  EngineParts,
  | "cell"
  | "settings"
  | "table"
  | "audit"
  | "people"
  | "executions"
  | "looker"
  | "past"
  | "model"
  | "units"
  | "snapshots"
  | "log"
  | "now"
>;

/** What a request is opened from. */
export interface Wanted {
  /** Id of the event, or a new UUID: the same id opens one request however often it comes. */
  readonly requestId: string;
  readonly plan: PlannedOperation;
  /** Who wants it. */
  readonly person: Person;
  /** As AWS knows them. */
  readonly requester: { readonly name: string; readonly arn?: string | undefined };
  /** When the call was denied, ISO 8601. @default it was opened by hand */
  readonly calledAt?: string | undefined;
  /** In the words of whoever opened it by hand. @default none */
  readonly reason?: string | undefined;
  /** Shown above what was seen. @default nothing */
  readonly remarks?: readonly SummaryLine[];
}

/** What came of it. */
export type Opened =
  | { readonly opened: true; readonly request: ApprovalRequest }
  /** The same event came before (`again`), or there is an open request for the same operation. */
  | { readonly opened: false; readonly again: boolean; readonly request: ApprovalRequest }
  | { readonly opened: false; readonly refused: string };

/** Opens a request. Safe to repeat after any failure: a repetition finds what was written and goes on from there. */
export async function openRequest(parts: OpenParts, wanted: Wanted): Promise<Opened> {
  const { table, executions } = parts;
  const { requestId, plan } = wanted;
  const before = await table.read(requestId);
  if (before) {
    await executions.ensure(requestId);
    return { opened: false, again: true, request: before };
  }
  if (!policyFit(plan).fits)
    return { opened: false, refused: "it needs more permissions than fit into one session policy" };
  const { request, details } = await prepare(parts, wanted);
  const opening = await table.open(request);
  if (!opening.opened) {
    const again = opening.existing.id === requestId;
    if (again) await executions.ensure(requestId);
    return { opened: false, again, request: opening.existing };
  }
  await executions.ensure(requestId);
  await record(parts, request, details);
  return { opened: true, request };
}

/** The request as it begins, with its details stored: those that are stored count, in case that an earlier attempt came this far. */
async function prepare(
  parts: OpenParts,
  wanted: Wanted,
): Promise<{ request: ApprovalRequest; details: RequestDetails }> {
  const { settings, table, people, looker, units, snapshots, now } = parts;
  const { requestId, plan, person } = wanted;
  const at = now();
  const directory = await people.now();
  const [preview, ofUnits] = await Promise.all([
    looker.look(plan),
    // Asked only for rules that look at them: Organizations answers from one region (fact 9).
    directory.namesUnits ? units.of(plan.place.account) : [],
  ]);
  const risk = await assess(
    { plan, preview, requester: identitiesOf(person), at: new Date(at) },
    { past: parts.past, ...(parts.model && { model: parts.model }) },
    settings.risk,
  );
  const { threshold } = approversFor(directory, {
    event: plan.definition.event,
    account: plan.place.account,
    units: ofUnits,
    tags: preview.subjects.map(({ tags }) => tags),
    requester: person,
    riskScore: risk.score,
  });
  const hash = operationHash(plan);
  await table.writeDetails({
    requestId,
    operationHash: hash,
    previewHash: previewHash(preview),
    event: plan.definition.event,
    operation: {
      service: plan.operation.service,
      api: plan.operation.api,
      input: plan.operation.input as RequestDetails["operation"]["input"],
      actions: [...plan.operation.actions],
      resources: [...plan.operation.resources],
    },
    account: { id: plan.place.account },
    region: plan.place.region,
    requester: {
      person: person.id,
      name: wanted.requester.name,
      ...(wanted.requester.arn !== undefined && { arn: wanted.requester.arn }),
    },
    ...(wanted.calledAt !== undefined && { calledAt: wanted.calledAt }),
    ...(wanted.reason !== undefined && { reason: wanted.reason }),
    preview: [...(wanted.remarks ?? []), ...summarize(preview)],
    risk: { score: risk.score, name: threshold.name, reasons: risk.reasons.map((reason) => ({ ...reason })) },
  });
  const details = (await table.readDetails(requestId))!;
  const request = newRequest(
    {
      id: requestId,
      operationHash: details.operationHash,
      previewHash: details.previewHash,
      requester: identitiesOf(person),
      levels: [...threshold.levels],
      snapshotFirst:
        settings.snapshot.when === "data" &&
        plan.definition.danger === "data" &&
        (snapshots?.supports(plan) ?? false),
      confirmationSeconds: settings.times.confirmation,
      workSeconds: settings.times.work,
    },
    at,
  );
  return { request, details };
}

/** The entry that requests are counted by. That the request was opened is in the audit already, so a failure here stops nothing. */
async function record(
  { audit, cell, log, now }: OpenParts,
  request: ApprovalRequest,
  details: RequestDetails,
) {
  try {
    await audit.append({
      ...entryOf(request, { cell, at: now(), what: "requested" }),
      by: [...request.requester],
      call: details.event,
      account: details.account.id,
      region: details.region,
      resources: details.operation.resources,
      ...(details.reason !== undefined && { reason: details.reason }),
    });
  } catch (error) {
    log.warn("a request is missing from what risk is weighed by", {
      request: request.id,
      ...errorFields(error),
    });
  }
}
