/** What pages and messages show of a request. Everything comes from what the server stored and from the directory; nothing from a form or a link. */
import type { Directory } from "../directory/directory";
import type { Language } from "../directory/document";
import type { ApprovalRequest, State } from "../workflow/request";
import { isFinal } from "../workflow/request";
import type { RequestDetails } from "./details";
import { labelIn, operationTitle, regionName } from "./names";
import { moment, timeLeft } from "./times";
import { isWord, type Say } from "./words";

/** A label and a value, both plain text. */
export interface Line {
  readonly label: string;
  readonly value: string;
}

/** A level of approval, as it stands. */
interface LevelView {
  readonly name: string;
  readonly needs: string;
  readonly state: "done" | "waiting" | "later" | "unasked";
  readonly stateText: string;
  readonly approvals: readonly string[];
  readonly note?: string;
}

/** A request, ready to be shown. Every text is plain. */
export interface RequestView {
  readonly id: string;
  readonly state: State;
  readonly stateText: string;
  readonly operation: string;
  readonly call: string;
  readonly account: string;
  readonly region: string;
  readonly requester: string;
  readonly requesterLine: string;
  readonly calledAt: string;
  readonly reason: string;
  readonly parameters: readonly Line[];
  readonly permissions: readonly string[];
  readonly resources: readonly string[];
  /** In groups: one for each resource, and one for what is about none. */
  readonly preview: readonly (readonly Line[])[];
  readonly risk: {
    readonly score: number;
    readonly text: string;
    readonly name: string;
    readonly reasons: readonly { readonly label: string; readonly text: string; readonly points: string }[];
  };
  readonly snapshotFirst: boolean;
  readonly levels: readonly LevelView[];
  /** What people did beside approving: confirmations, denial, bypass, why it failed. */
  readonly notes: readonly string[];
  readonly deadline?: { readonly at: string; readonly left: string };
  /** Changes with the request: a form that was made from another state is not taken. */
  readonly seen: string;
}

/** What a view is made with. */
export interface ViewContext {
  readonly say: Say;
  readonly language: Language;
  readonly directory: Directory;
  /** IANA name. */
  readonly timeZone: string;
  readonly now: number;
}

/** Makes the view of a request. */
export function requestView(
  request: ApprovalRequest,
  details: RequestDetails,
  context: ViewContext,
): RequestView {
  const { say, language, directory, timeZone, now } = context;
  const at = (time: number) => moment(time, timeZone);
  const { operation, account, requester, risk } = details;
  const requesterName = directory.person(requester.person)?.name ?? requester.name;
  return {
    id: request.id,
    state: request.state,
    stateText: say(`state.${request.state}`),
    operation: operationTitle(language, operation.service, operation.api),
    call: `${operation.service}:${operation.api}`,
    account: account.name === undefined ? account.id : `${account.name} (${account.id})`,
    region: regionName(details.region),
    requester: requesterName,
    requesterLine: say("asKnownToAws", { name: requesterName, arn: requester.arn ?? requester.name }),
    calledAt: details.calledAt === undefined ? say("openedByHand") : at(Date.parse(details.calledAt)),
    reason: details.reason ?? say("noReason"),
    parameters: Object.entries(operation.input).map(([label, value]) => ({
      label,
      value: Array.isArray(value) ? value.join(say("listSeparator")) : String(value),
    })),
    permissions: operation.actions,
    resources: operation.resources,
    preview: previewGroups(details, language),
    risk: {
      score: risk.score,
      text: say("riskScore", { score: risk.score }),
      name: risk.name,
      reasons: risk.reasons.map(({ code, points, text }) => ({
        label: said(say, `risk.${code}`, code),
        text,
        points: say("riskPoints", { points }),
      })),
    },
    snapshotFirst: request.snapshotFirst,
    levels: levelViews(request, context),
    notes: notes(request, context),
    ...(!isFinal(request.state) && {
      deadline: {
        at: at(request.deadline),
        left:
          now < request.deadline
            ? say("deadlineLeft", { left: timeLeft(request.deadline - now, say) })
            : say("deadlineOver"),
      },
    }),
    seen: `${request.previewHash.slice(0, 16)}-${request.operationHash.slice(0, 16)}`,
  };
}

/** A dictionary's word for a code, or the code's own text where there is none. */
function said(say: Say, key: string, otherwise: string): string {
  return isWord(key) ? say(key) : otherwise;
}

function previewGroups({ preview }: RequestDetails, language: Language): Line[][] {
  const groups: Line[][] = [];
  for (const { label, value } of preview) {
    const line = { label: labelIn(language, label), value };
    // Each resource begins with its ARN; what could not be found out belongs to none.
    if (groups.length === 0 || label === "Resource") groups.push([line]);
    else if (label === "Not known" && groups.at(-1)![0]!.label !== line.label) groups.push([line]);
    else groups.at(-1)!.push(line);
  }
  return groups;
}

function levelViews(request: ApprovalRequest, { say, directory, timeZone }: ViewContext): LevelView[] {
  const reached = request.confirmed !== undefined;
  return request.levels.map(({ group, quorum, escalation }, index) => {
    const approvals = request.approvals.filter(({ level }) => level === index);
    const have = approvals.length;
    const asked = request.state === "approving" && request.level === index;
    const open = request.state === "requested" || request.state === "approving";
    const state =
      have >= quorum
        ? "done"
        : asked
          ? "waiting"
          : open && (!reached || index > request.level)
            ? "later"
            : "unasked";
    const stateText = {
      done: say("levelDone"),
      waiting: say("levelWaiting", { have, quorum }),
      later: say("levelLater"),
      unasked: say("levelUnasked"),
    }[state];
    return {
      name: say("level", { number: index + 1 }),
      needs: say("levelNeeds", { quorum, group }),
      state,
      stateText,
      approvals: approvals.map(({ by, at }) =>
        say("approvedBy", { name: directory.nameOf(by), time: moment(at, timeZone) }),
      ),
      ...(asked &&
        request.escalated &&
        escalation && { note: say("escalatedTo", { group: escalation.group }) }),
    };
  });
}

function notes(request: ApprovalRequest, { say, directory, timeZone }: ViewContext): string[] {
  const { confirmed, finallyConfirmed, denial, bypass, failure } = request;
  const who = ({ by, at }: { by: readonly string[]; at: number }) => ({
    name: directory.nameOf(by),
    time: moment(at, timeZone),
  });
  return [
    confirmed && say("confirmedBy", who(confirmed)),
    finallyConfirmed && say("confirmedBy", who(finallyConfirmed)),
    denial && say("deniedBy", { ...who(denial), reason: denial.reason }),
    bypass && say("bypassedBy", { ...who(bypass), reason: bypass.reason }),
    failure && say(`failure.${failure}`),
  ].filter((note): note is string => note !== undefined);
}
