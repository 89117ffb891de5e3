/** Reading the event log that the genuine engine writes: one JSON object a line. Pure. */

import type { Journal } from "./journal";
import type { Operation } from "./planner";
import { masked, type PropertyDiff, propertyDiffs, SECRET_TEXT } from "./propertyDiff";
import { ROOT_TYPE } from "./urn";
import { isObject, isSecret, mapValues, type Props } from "./wire";

interface Resource {
  inputs?: Props;
  outputs?: Props;
  parent?: string;
}

interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  keys?: string[];
  old?: Resource | null;
  new?: Resource | null;
}

/** The parts of the engine's events that are used. */
interface LoggedEvent {
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { message: string; severity: string; urn?: string; ephemeral?: boolean };
  policyEvent?: {
    resourceUrn?: string;
    message: string;
    policyName: string;
    policyPackName: string;
    enforcementLevel: string;
  };
  summaryEvent?: { resourceChanges?: Record<string, number>; isPreview?: boolean };
}

const OPERATIONS = new Set<string>(["create", "update", "replace", "delete", "same", "read"]);

/** What the log tells beyond the journal. */
export interface LogSummary {
  counts: Partial<Record<Operation, number>>;
  /** The stack's outputs, secrets masked. */
  outputs: Record<string, unknown>;
}

/** Fills the journal from the log's text. A last line that is cut off (the command was killed) is left out. */
export function readEventLog(text: string, journal: Journal): LogSummary {
  const summary: LogSummary = { counts: {}, outputs: {} };
  for (const line of text.split("\n")) {
    const event = parse(line);
    if (event !== undefined) take(event, journal, summary);
  }
  return summary;
}

function parse(line: string): LoggedEvent | undefined {
  try {
    return JSON.parse(line) as LoggedEvent;
  } catch {
    return undefined;
  }
}

function take(event: LoggedEvent, journal: Journal, summary: LogSummary): void {
  const { resourcePreEvent, resOutputsEvent, diagnosticEvent, policyEvent, summaryEvent } = event;
  if (resourcePreEvent !== undefined) {
    const { metadata } = resourcePreEvent;
    const isOwn =
      metadata.type.startsWith("pulumi:providers:") && !metadata.new?.parent && !metadata.old?.parent;
    // Steps of a replacement besides "replace" itself are left out, as are providers that the engine adds.
    if (OPERATIONS.has(metadata.op) && !isOwn) {
      const op = metadata.op as Operation;
      const keys = metadata.keys ?? [];
      journal.plan.push({
        op,
        urn: metadata.urn,
        type: metadata.type,
        diffs: diffsOf(op, metadata),
        ...(keys.length > 0 ? { replaceKeys: keys } : {}),
      });
    }
  }
  if (resOutputsEvent?.metadata.type === ROOT_TYPE) {
    summary.outputs = mapValues(resOutputsEvent.metadata.new?.outputs ?? {}, masked);
  }
  if (diagnosticEvent !== undefined && diagnosticEvent.ephemeral !== true) {
    const severity = diagnosticEvent.severity.replace("info#err", "info");
    if (severity === "info" || severity === "warning" || severity === "error") {
      journal.diagnostic(severity, diagnosticEvent.message.trimEnd(), diagnosticEvent.urn || undefined);
    }
  }
  if (policyEvent !== undefined) {
    journal.violation({
      policy: policyEvent.policyName,
      pack: policyEvent.policyPackName,
      enforcement: policyEvent.enforcementLevel === "advisory" ? "advisory" : "mandatory",
      urn: policyEvent.resourceUrn ?? "",
      message: policyEvent.message.trimEnd(),
    });
  }
  if (summaryEvent !== undefined) {
    summary.counts = Object.fromEntries(
      Object.entries(summaryEvent.resourceChanges ?? {}).filter(([op]) => OPERATIONS.has(op)),
    );
  }
}

function diffsOf(op: Operation, metadata: StepMetadata): PropertyDiff[] {
  if (op === "same" || op === "delete" || op === "read") return [];
  return propertyDiffs(hidden(metadata.old?.inputs), hidden(metadata.new?.inputs));
}

/** The log masks secrets, all alike: two of them would seem the same even where they differ. Nothing can be told then. */
function hidden(props: Props | undefined): Props {
  const hide = (value: unknown): unknown => {
    if (isSecret(value)) return SECRET_TEXT;
    if (Array.isArray(value)) return value.map(hide);
    return isObject(value) ? mapValues(value, hide) : value;
  };
  return hide(props ?? {}) as Props;
}
