import type { PlannedOperation } from "../operations/plan";
import type { Preview } from "../preview/preview";
import type { RiskModel } from "./riskModel";
import { blastRadius, type RequesterPast, type Risk, type RiskSettings, riskOf } from "./score";

/** Answers questions about the past, from the audit table. */
export interface PastRequests {
  /**
   * What a requester has done so far.
   * @param requester every name under which the requester may appear
   * @throws when the past cannot be read
   */
  of(requester: readonly string[], service: string, api: string, at: Date): Promise<RequesterPast>;
}

/** What is assessed. */
export interface Assessment {
  readonly plan: PlannedOperation;
  readonly preview: Preview;
  readonly requester: readonly string[];
  readonly at: Date;
}

/** What the assessment asks. */
export interface AssessmentPorts {
  readonly past: PastRequests;
  /** @default no model is asked */
  readonly model?: RiskModel;
}

/** The risk of a request. It never fails: what cannot be found out raises the score and is among the reasons. */
export async function assess(
  { plan, preview, requester, at }: Assessment,
  ports: AssessmentPorts,
  settings: RiskSettings,
): Promise<Risk> {
  const { operation, place, definition } = plan;
  const past = await ports.past.of(requester, operation.service, operation.api, at).catch(() => undefined);
  const factors = { danger: definition.danger, preview, at, past };
  const own = riskOf(factors, settings);
  if (!ports.model) return own;
  const points: Record<string, number> = {};
  for (const reason of own.reasons) points[reason.code] = (points[reason.code] ?? 0) + reason.points;
  const model = await ports.model
    .assess({
      service: operation.service,
      api: operation.api,
      region: place.region,
      account: place.account,
      points,
      blastRadius: blastRadius(preview.subjects),
    })
    .catch(() => "failed" as const);
  return riskOf({ ...factors, model: Number.isNaN(model) ? "failed" : model }, settings);
}
