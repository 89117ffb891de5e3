/** What people are told about uses and tampering. Pure. Written for whoever is woken up by it. */

import { cloudTrailLink, signInLink } from "../../shared/notice/consoleLinks";
import type { NoticeInput } from "../../shared/notice/notice";
import { isDenied, type Observation } from "./observation";
import type { ClosingUse, Use } from "./store";
import { type CallCount, type Summary, summarize } from "./summary";

/** Where the function stands, and what its messages say of times and places to go. */
export interface NoticeContext {
  cell: string;
  region: string;
  account: string;
  /** https address of the runbook; empty if there is none. */
  runbookUrl: string;
  idleMinutes: number;
  digestMinutes: number;
  /** Who writes the evidence. */
  recordedBy: string;
}

type Line = { label: string; value: string };

/** Kinds of calls that a message lists; the report says how many more there were. */
const CALLS_IN_DIGEST = 25;
const CALLS_IN_REPORT = 120;
const VALUES_SHOWN = 12;

/** A use began with something that no event rule tells directly. */
export function openingNotice({ subject, first, useId }: Use, context: NoticeContext): NoticeInput {
  return {
    title: `Emergency user ${subject} is being used: ${first.call || "an unknown call"}`,
    severity: "critical",
    text: [
      `${first.why} If you know of no emergency, treat this as a break-in: see the runbook.`,
      `More follows every ${context.digestMinutes} minutes while it goes on, and a report of everything ${context.idleMinutes} minutes after the last event.`,
    ].join("\n\n"),
    lines: lines([["User", subject], ...factsOf(first), ["Rule", first.rule], ["Use", useId]]),
    links: links(first, context),
    region: first.region,
    account: first.account,
    time: first.time,
  };
}

/** More was done in a use that goes on. */
export function digestNotice(
  { subject, useId }: Use,
  news: readonly Observation[],
  all: readonly Observation[],
  context: NoticeContext,
): NoticeInput {
  const recent = summarize(news)!;
  const total = summarize(all) ?? recent;
  return {
    title: `Emergency user ${subject} is still being used: ${countOf(recent)}`,
    severity: "critical",
    text: `Since the last message:\n\n${callList(recent, CALLS_IN_DIGEST)}`,
    lines: lines([
      ["User", subject],
      ["From", recent.from],
      ["To", recent.to],
      ...summaryFacts(recent),
      ["So far", countOf(total)],
      ["Use", useId],
    ]),
    links: links(news.at(-1)!, context),
    region: context.region,
    account: context.account,
    time: recent.to,
  };
}

/** A use is over: everything that was done in it, and what has to be done now. */
export function closingNotice(
  use: ClosingUse,
  all: readonly Observation[],
  context: NoticeContext,
): NoticeInput {
  const { subject, useId } = use;
  const isEntered = use.entered !== undefined;
  const summary = summarize(all);
  if (!summary) {
    return {
      title: `Emergency user ${subject}: nothing further happened`,
      severity: "info",
      text: "What was told at the beginning of this use is part of an earlier report.",
      lines: lines([
        ["User", subject],
        ["Use", useId],
      ]),
      region: context.region,
      account: context.account,
      time: use.lastSeenAt,
    };
  }
  const minutes = Math.max(1, Math.round((Date.parse(summary.to) - Date.parse(summary.from)) / 60_000));
  return {
    title: isEntered
      ? `Use of emergency user ${subject} is over: ${countOf(summary)}`
      : `Emergency user ${subject}: nobody got in, ${summary.signIns.failed} sign-in(s) failed`,
    severity: isEntered ? "critical" : "warning",
    text: [
      `Nothing was seen for ${context.idleMinutes} minutes. This is everything that cell ${context.cell} saw; the other cell reports what it saw.`,
      `What has to be done now\n${todo(subject, isEntered, context).join("\n")}`,
      `What was done\n${callList(summary, CALLS_IN_REPORT)}`,
    ].join("\n\n"),
    lines: lines([
      ["User", subject],
      ["From", summary.from],
      ["To", `${summary.to} (${minutes} min)`],
      ...summaryFacts(summary),
      ["Sign-ins", `${summary.signIns.succeeded} succeeded, ${summary.signIns.failed} failed`],
      ["Events", String(summary.events)],
      ["Use", useId],
    ]),
    links: links(all.at(-1)!, context),
    region: context.region,
    account: context.account,
    time: summary.to,
  };
}

/** Somebody else changed an emergency user or what watches it. */
export function tamperingNotice(observation: Observation, context: NoticeContext): NoticeInput {
  return {
    title: `Emergency access was tampered with: ${observation.call}${isDenied(observation) ? " (denied)" : ""}`,
    severity: "critical",
    text: `${observation.why} If nobody knows of it (a deployment of Bulkhead does such things too), undo it and treat it as a break-in.`,
    lines: lines([...factsOf(observation), ["Rule", observation.rule]]),
    links: links(observation, context),
    region: observation.region,
    account: observation.account,
    time: observation.time,
  };
}

/** The same for what came after the first few of a window. */
export function tamperingsNotice(observations: readonly Observation[], context: NoticeContext): NoticeInput {
  const summary = summarize(observations)!;
  const rules = [...new Map(observations.map(({ rule, why }) => [rule, why]))];
  return {
    title: `Emergency access was tampered with ${observations.length} more time(s)`,
    severity: "critical",
    text: [
      "If nobody knows of it (a deployment of Bulkhead does such things too), undo it and treat it as a break-in.",
      rules.map(([, why]) => why).join("\n"),
      callList(summary, CALLS_IN_DIGEST),
    ].join("\n\n"),
    lines: lines([
      ["By", some(summary.actors)],
      ["From", summary.from],
      ["To", summary.to],
      ...summaryFacts(summary),
      ["Rules", some(rules.map(([rule]) => rule))],
    ]),
    links: links(observations.at(-1)!, context),
    region: context.region,
    account: context.account,
    time: summary.to,
  };
}

function todo(subject: string, isEntered: boolean, { runbookUrl }: NoticeContext): string[] {
  const runbook =
    runbookUrl === ""
      ? 'See "After a use" in the runbook.'
      : `See "After a use" in the runbook: ${runbookUrl}`;
  if (!isEntered) {
    return [
      `1. Ask the custodian of ${subject} whether that was them.`,
      "2. If it was nobody: somebody is guessing. The password needs no change; look where the attempts came from.",
      runbook,
    ];
  }
  return [
    `1. Ask the custodian of ${subject} what the emergency was, and whether all of this was them.`,
    `2. The password was used, so it has to be changed: bulkhead break-glass rotate --user ${subject}`,
    "3. Go through the changes below: keep what has to stay in code, undo the rest. Look for keys, users and roles that were made.",
    "4. See that everything is ready again: bulkhead break-glass status",
    runbook,
  ];
}

/** What is known of one event. */
function factsOf(event: Observation): [string, string][] {
  return [
    ["Call", event.service ? `${event.call} of ${event.service}` : event.call],
    ["Outcome", event.error || "allowed"],
    ["By", event.actor],
    ["On behalf by", event.via],
    ["Role", event.role],
    ["On", event.on],
    ["MFA", mfaWord(event.mfa)],
    ["From address", event.ip],
    ["User agent", event.agent],
    ["Event id", event.eventId],
  ];
}

function summaryFacts(summary: Summary): [string, string][] {
  const { yes, no } = summary.mfa;
  return [
    [
      "MFA",
      no === 0 ? (yes > 0 ? "yes" : "not said") : yes === 0 ? "NO" : `NO in ${no} event(s), yes in ${yes}`,
    ],
    ["From address", some(summary.ips)],
    ["User agents", some(summary.agents)],
    ["Regions", some(summary.regions)],
    ["Accounts", some(summary.accounts)],
    ["Roles switched into", some(summary.roles)],
    ["Acted through", some(summary.services)],
    ["Denied", summary.denied > 0 ? String(summary.denied) : ""],
  ];
}

function mfaWord(mfa: Observation["mfa"]): string {
  return { yes: "yes", no: "NO", "": "" }[mfa];
}

function countOf({ changes, reads, denied, signIns }: Summary): string {
  const parts = [
    [changes, "change"],
    [reads, "reading call"],
    [signIns.succeeded, "sign-in"],
    [signIns.failed, "failed sign-in"],
  ] as const;
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}${count > 1 ? "s" : ""}`);
  if (denied > 0) said.push(`${denied} denied`);
  return said.join(", ") || "no calls";
}

const HEADINGS: Record<CallCount["kind"], string> = {
  change: "Changes",
  "sign-in": "Sign-ins and role switches",
  read: "Only read",
};

function callList({ calls }: Summary, limit: number): string {
  const shown = calls.slice(0, limit);
  const parts = (["change", "sign-in", "read"] as const).flatMap((kind) => {
    const ofKind = shown.filter((call) => call.kind === kind);
    return ofKind.length > 0 ? [`${HEADINGS[kind]}:\n${ofKind.map(callLine).join("\n")}`] : [];
  });
  if (calls.length > shown.length) {
    parts.push(`And ${calls.length - shown.length} more kinds of calls: see the trail.`);
  }
  return parts.join("\n\n");
}

function callLine({ call, count, denied, failed, on, regions }: CallCount): string {
  const outcome = [denied > 0 ? `${denied} denied` : "", failed > 0 ? `${failed} failed` : ""]
    .filter(Boolean)
    .join(", ");
  return `- ${count} x ${call}${outcome ? ` (${outcome})` : ""}${regions.length ? ` in ${some(regions)}` : ""}${on.length ? `: ${on.join("; ")}` : ""}`;
}

function some(values: readonly string[]): string {
  const shown = values.slice(0, VALUES_SHOWN).join(", ");
  return values.length > VALUES_SHOWN ? `${shown} and ${values.length - VALUES_SHOWN} more` : shown;
}

function lines(facts: [string, string][]): Line[] {
  return facts.flatMap(([label, value]) => (value === "" ? [] : [{ label, value }]));
}

function links(
  event: Observation,
  { runbookUrl, account, region }: NoticeContext,
): { title: string; url: string }[] {
  return [
    ...(runbookUrl === "" ? [] : [{ title: "Runbook", url: runbookUrl }]),
    ...cloudTrailLink(event.region, event.eventId),
    ...signInLink(account, region),
  ];
}
