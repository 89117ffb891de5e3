import type { AuditEntry } from "../../../functions/approval/audit/entry";
import type { Listed } from "../../../functions/approval/desk/desk";

const time = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/** A request on one line. */
export function requestLine({ cell, request, details }: Listed): string {
  const { id, state, level, levels, deadline } = request;
  const stage =
    state === "approving" ? `${state} ${level + 1}/${levels.length} (${levels[level]?.group})` : state;
  const what = details
    ? `${details.event} in ${details.account.id} ${details.region}`
    : "details not replicated";
  return `${id}  ${cell}  ${stage}  until ${time(deadline)}  ${what}  by ${details?.requester.name ?? request.requester[0]}\n`;
}

/** Everything of a request. */
export function requestText({ cell, request, details }: Listed, entries: readonly AuditEntry[]): string {
  const lines: [string, string][] = [
    ["request", request.id],
    ["cell", cell],
    ["state", request.failure ? `${request.state}: ${request.failure}` : request.state],
    ["deadline", time(request.deadline)],
  ];
  if (details) {
    const { operation, account, region, requester, reason, risk, preview } = details;
    lines.push(
      ["call", `${operation.service} ${operation.api}`],
      ["input", JSON.stringify(operation.input)],
      ...operation.actions.map((action): [string, string] => ["action", action]),
      ...operation.resources.map((resource): [string, string] => ["resource", resource]),
      ["account", account.id],
      ["region", region],
      ["asked by", requester.arn ?? requester.name],
      ...(reason === undefined ? [] : [["reason", reason] as [string, string]]),
      ["risk", `${risk.score} of 100, ${risk.name}`],
      ...risk.reasons.map(({ points, text }): [string, string] => ["", `${points} ${text}`]),
      ...preview.map(({ label, value }): [string, string] => ["seen", `${label}: ${value}`]),
    );
  }
  const width = Math.max(...lines.map(([label]) => label.length));
  const head = lines.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`).join("");
  return `${head}${entries.length > 0 ? "\n" : ""}${entries.map(entryLine).join("")}`;
}

function entryLine({ at, what, by, channel, before, after, reason }: AuditEntry): string {
  const states = after === undefined ? "" : `  ${before === undefined ? after : `${before} > ${after}`}`;
  const who = by?.[0] === undefined ? "" : `  ${by[0]}${channel ? ` by ${channel}` : ""}`;
  return `${at}  ${what}${states}${who}${reason ? `  ${reason}` : ""}\n`;
}
