/**
 * How risky a request is, with reasons. The score is a sum of points of which none is negative, so that each further sign of danger raises it or
 * leaves it. What cannot be read of resources, tags and the past counts like the worst that could stand there: hiding something gains nothing.
 */
import type { Danger } from "../operations/definition";
import type { Preview, Subject } from "../preview/preview";

/** What a requester has done so far, from the audit table. */
export interface RequesterPast {
  /** Requests in the last 24 hours, this one not counted. */
  readonly lastDay: number;
  /** Times that this requester has had this API carried out. */
  readonly sameCall: number;
  /** Times that anybody has had this API carried out, in the last 90 days. */
  readonly anybodysCalls: number;
  /** Requests of theirs that were denied in the last 90 days. */
  readonly denied: number;
}

/** Everything that the score rests on. */
export interface RiskFactors {
  readonly danger: Danger;
  readonly preview: Preview;
  /** When the request was made. */
  readonly at: Date;
  /** Undefined when the past could not be read. */
  readonly past?: RequesterPast;
  /** What a model says, from 0 (harmless) to 1. `failed` when it was asked and gave no answer; undefined when there is none. */
  readonly model?: number | "failed";
}

/** Times at which people are at work. */
export interface WorkingHours {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  /** Hours from 0 to 24, in that time zone; `to` is not included. */
  readonly from: number;
  readonly to: number;
  /** Days on which people work, 0 for Sunday to 6 for Saturday. */
  readonly days: readonly number[];
}

/** A tag that says how much depends on a resource. */
export interface TagRule {
  /** Compared without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
  readonly points: number;
}

/** How factors are weighed. */
export interface RiskSettings {
  readonly workingHours: WorkingHours;
  readonly tagRules: readonly TagRule[];
}

/** A reason for points. */
export interface RiskReason {
  readonly code: string;
  readonly points: number;
  /** For people, in plain text. */
  readonly text: string;
}

/** A score and what it consists of. */
export interface Risk {
  /** From 0 to 100. */
  readonly score: number;
  readonly reasons: readonly RiskReason[];
}

/** Settings unless they are configured otherwise. */
export const DEFAULT_RISK_SETTINGS: RiskSettings = {
  workingHours: { timeZone: "UTC", from: 8, to: 18, days: [1, 2, 3, 4, 5] },
  tagRules: [
    { key: "environment", values: ["prod", "production", "live"], points: 25 },
    { key: "env", values: ["prod", "production", "live"], points: 25 },
    { key: "stage", values: ["prod", "production", "live"], points: 25 },
    { key: "criticality", values: ["high", "critical"], points: 20 },
    { key: "data-classification", values: ["confidential", "restricted", "secret"], points: 15 },
  ],
};

const DANGER_POINTS: Record<Danger, readonly [points: number, text: string]> = {
  data: [20, "it destroys stored data"],
  service: [10, "it ends something that runs or is reached"],
  access: [10, "it changes who may do what"],
};

/**
 * The score of a request.
 * @throws RangeError when the time zone does not exist
 */
export function riskOf(factors: RiskFactors, settings: RiskSettings = DEFAULT_RISK_SETTINGS): Risk {
  const { danger, preview, at, past, model } = factors;
  const reasons: RiskReason[] = [];
  const add = (code: string, points: number, text: string) => {
    if (points > 0) reasons.push({ code, points, text });
  };
  const [dangerPoints, dangerText] = DANGER_POINTS[danger];
  add("danger", dangerPoints, dangerText);
  const tag = tagReason(preview.subjects, settings.tagRules);
  if (tag) add(tag.code, tag.points, tag.text);
  if (preview.unknown.length > 0 || preview.subjects.some(({ presence }) => presence === "unknown")) {
    add("unknown", MAX_RADIUS_POINTS, "not everything about the resources could be read: it may reach far");
  } else {
    const reach = blastRadius(preview.subjects);
    add("blastRadius", radiusPoints(reach), `${reach} resources are deleted or affected`);
  }
  if (danger === "data") addRecoverability(preview.subjects, add);
  addTime(at, settings.workingHours, add);
  addPast(past, add);
  if (model === "failed") add("model", MODEL_FAILED_POINTS, "the risk model gave no answer");
  else if (model !== undefined) {
    const points = Math.round(30 * Math.min(1, Math.max(0, model)));
    add("model", points, `the risk model says ${Math.round(100 * Math.min(1, Math.max(0, model)))} of 100`);
  }
  return {
    score: Math.min(
      100,
      reasons.reduce((sum, { points }) => sum + points, 0),
    ),
    reasons,
  };
}

type Add = (code: string, points: number, text: string) => void;

/** A model that fails counts for something: without an answer the score is never below what it is without a model. */
const MODEL_FAILED_POINTS = 10;

/** The strongest rule that any tag meets; tags that cannot be read may meet any. */
function tagReason(subjects: readonly Subject[], rules: readonly TagRule[]): RiskReason | undefined {
  if (subjects.some(({ presence, tags }) => presence !== "absent" && tags === undefined)) {
    const points = Math.max(0, ...rules.map((rule) => rule.points));
    return { code: "tagsUnknown", points, text: "its tags could not be read" };
  }
  const tags = subjects.flatMap(({ tags = {} }) => Object.entries(tags));
  return rules
    .flatMap((rule) => {
      const found = tags.find(
        ([key, value]) =>
          key.toLowerCase() === rule.key.toLowerCase() &&
          rule.values.some((listed) => listed.toLowerCase() === value.trim().toLowerCase()),
      );
      return found
        ? [{ code: "tag", points: rule.points, text: `it is tagged ${found[0]}=${found[1]}` }]
        : [];
    })
    .sort((a, b) => b.points - a.points)[0];
}

/** How many resources are gone or go without something afterwards. */
export function blastRadius(subjects: readonly Subject[]): number {
  return subjects.reduce((sum, { lost, affected }) => sum + 1 + lost.length + affected.length, 0);
}

const MAX_RADIUS_POINTS = 25;

function radiusPoints(reach: number): number {
  return reach <= 1 ? 0 : Math.min(MAX_RADIUS_POINTS, Math.round(7 * Math.log2(reach)));
}

function addRecoverability(subjects: readonly Subject[], add: Add): void {
  const without = subjects.filter(({ presence, kept }) => presence !== "absent" && kept.length === 0);
  add(
    "noCopy",
    without.length > 0 ? 20 : 0,
    `no copy was found of ${without.length === subjects.length ? "what is deleted" : `${without.length} of ${subjects.length} resources`}`,
  );
}

function addTime(at: Date, { timeZone, from, to, days }: WorkingHours, add: Add): void {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "numeric",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(part("weekday"));
  const hour = Number(part("hour"));
  add(
    "dayOff",
    days.includes(day) ? 0 : 10,
    `it is ${part("weekday")} in ${timeZone}, when few people are at work`,
  );
  add(
    "offHours",
    hour >= from && hour < to ? 0 : 10,
    `it is ${hour}:00 or later in ${timeZone}, outside working hours`,
  );
}

/** The most that the past can add: 5, 5, 15 and 10. */
const MAX_PAST_POINTS = 35;

function addPast(past: RequesterPast | undefined, add: Add): void {
  if (!past) {
    add("pastUnknown", MAX_PAST_POINTS, "the requester's past requests could not be read");
    return;
  }
  const { lastDay, sameCall, anybodysCalls, denied } = past;
  add("firstTime", sameCall === 0 ? 5 : 0, "the requester has never done this before");
  add("rare", anybodysCalls === 0 ? 5 : 0, "nobody has done this in 90 days");
  add(
    "manyRequests",
    lastDay >= 10 ? 15 : lastDay >= 3 ? 10 : 0,
    `the requester asked for ${lastDay} operations in the last 24 hours`,
  );
  add("deniedBefore", Math.min(10, 5 * denied), `${denied} requests of the requester were denied in 90 days`);
}
