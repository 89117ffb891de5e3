/** The quarterly exercise: guided, checked by machine where a machine can tell, recorded. */

import { hasSecurityKeys, partitionOf } from "../../../components/regional/partition";
import { cleanLine } from "../../shared/text/cleanText";
import {
  appendEverywhere,
  type EvidenceSide,
  type EvidenceWrite,
  readEverywhere,
} from "../records/bothCells";
import { type EvidenceOf, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";

/** What a step came to. */
export type StepOutcome = EvidenceOf<"drillHeld">["steps"][number]["outcome"];

/** A step that was gone through, or left out. */
export interface ExerciseStep {
  name: string;
  outcome: StepOutcome;
  /** What shows it: found by machine, or said by those who took part. Nothing secret. */
  evidence: string;
  /** When it ended, ISO 8601 in UTC. */
  endedAt: string;
}

/** What an exercise came to. */
export interface ExerciseResult {
  outcome: EvidenceOf<"drillHeld">["outcome"];
  startedAt: string;
  endedAt: string;
  participants: string[];
  userName: string;
  /** Region that was signed in through. */
  region: string;
  accountId: string;
  by: string;
  steps: ExerciseStep[];
  /** What became of the record, cell by cell; empty when no cell took it. */
  recorded: EvidenceWrite[];
  /** Why nothing was recorded. */
  recordError?: string;
}

/** What the check of everything else came to, in short. */
export interface ReadinessSummary {
  pass: number;
  fail: number;
  unknown: number;
  /** What fails, in words; without what this very exercise mends. */
  failures: string[];
}

/** What an exercise is held with. */
export interface ExerciseParts {
  /** Asks whoever takes part. Throws when they stop. */
  ask(question: string): Promise<string>;
  say(text: string): void;
  now(): Date;
  /** Waits; throws when they stop. */
  pause(milliseconds: number): Promise<void>;
  /** Whether an error is the one that `ask` or `pause` threw because they stopped. */
  isStop(error: unknown): boolean;
  /** The check of every requirement. */
  readiness(): Promise<ReadinessSummary>;
  /** What a cell that has not noticed a use knows of it, in words: whether events arrived, and what became of them. Never throws. */
  trace(cell: string): Promise<string>;
  /** The evidence of both cells. */
  sides: readonly EvidenceSide[];
  newId(): string;
}

/** What is to be exercised. */
export interface ExercisePlan {
  userName: string;
  custodian: string;
  accountId: string;
  signIn: { region: string; url: string };
  /** Who runs the command: an ARN. */
  by: string;
  /** How the password is fetched and changed. */
  commands: { fetch: string; rotate: string };
  /** How long to wait for what the cells have to notice, in milliseconds. */
  patience: number;
}

/** Between two looks into the records, in milliseconds. */
const LOOK_AGAIN = 3_000;
/** How far this machine's clock may be ahead of AWS's; beyond that AWS refuses its requests. */
const CLOCK_AHEAD = 5 * 60_000;
const LONGEST_NAME = 100;
const LONGEST_NOTE = 300;

/** The steps' names, in order; reports and records have them all. */
export const EXERCISE_STEPS = [
  "Two people take part",
  "Everything is ready",
  "The password was opened",
  "Signed in",
  "Something was read",
  "Each cell noticed it",
  "People were told",
  "Signed out",
  "The password was changed",
] as const;

/**
 * Holds the exercise. A step that fails or is left out does not end it: what can be tried is tried, and the exercise has failed. When those
 * who take part stop it, it was aborted; that is recorded too.
 *
 * Nothing secret is asked for, and answers that look like a password are refused.
 *
 * @returns what it came to; `recorded` is empty when no cell answers.
 */
export async function holdExercise(plan: ExercisePlan, parts: ExerciseParts): Promise<ExerciseResult> {
  const exercise = new Exercise(plan, parts);
  try {
    await exercise.run();
  } catch (error) {
    const result = await exercise.close(true);
    // A fault of the program ends the exercise too, and must be seen.
    if (!parts.isStop(error)) throw error;
    return result;
  }
  return exercise.close(false);
}

type Judgement = { outcome: StepOutcome; evidence: string };
const passed = (evidence: string): Judgement => ({ outcome: "passed", evidence });
const failed = (evidence: string): Judgement => ({ outcome: "failed", evidence });

class Exercise {
  private readonly startedAt: string;
  private readonly steps: ExerciseStep[] = [];
  private participants: string[] = [];
  /** Ids of what was recorded before the exercise; undefined while a cell did not answer. */
  private known: ReadonlySet<string> | undefined;

  constructor(
    private readonly plan: ExercisePlan,
    private readonly parts: ExerciseParts,
  ) {
    this.startedAt = parts.now().toISOString();
  }

  async run(): Promise<void> {
    const { userName, custodian, accountId, signIn, commands } = this.plan;
    const { say } = this.parts;
    say(
      `Exercise of ${userName} in account ${accountId}. Answer each question; "skip" leaves a step out, which makes the exercise fail. Never type a password or a code here.`,
    );
    this.known = await this.recordedBefore();
    await this.step(0, () => this.gather());
    await this.step(1, () => this.checkReadiness());
    await this.step(2, () => {
      say(`${custodian} opens the password, on a machine that is not connected if there is one:`);
      say(`  ${commands.fetch}`);
      say(`  gpg --decrypt ${userName}.pgp.asc`);
      return this.confirm("Did it open?");
    });
    await this.step(3, () => {
      const notTheKey = hasSecurityKeys(partitionOf(signIn.region)) ? ", not with the security key" : "";
      say(`Sign in with password and TOTP code${notTheKey}, in a private window, at:`);
      say(`  ${signIn.url}`);
      return this.confirm("Are you signed in?");
    });
    await this.step(4, () => this.read());
    await this.step(5, () => this.awaitNotice());
    await this.step(6, () =>
      this.confirm("Did the mails (or chats) of both cells arrive, and did they name user and time?"),
    );
    await this.step(7, () => this.confirm("Sign out of the console and close the window. Is that done?"));
    await this.step(8, () => {
      say("The password was used, so it has to be changed. In another terminal:");
      say(`  ${commands.rotate}`);
      return this.awaitRotation();
    });
  }

  /** Records what it came to. */
  async close(stopped: boolean): Promise<ExerciseResult> {
    const { plan, parts } = this;
    const endedAt = parts.now().toISOString();
    for (const name of EXERCISE_STEPS.slice(this.steps.length)) {
      this.steps.push({ name, outcome: "skipped", evidence: "Not reached", endedAt });
    }
    const isGood = this.steps.every(({ outcome }) => outcome === "passed");
    const result: ExerciseResult = {
      outcome: stopped ? "aborted" : isGood ? "passed" : "failed",
      startedAt: this.startedAt,
      endedAt,
      participants: this.participants,
      userName: plan.userName,
      region: plan.signIn.region,
      accountId: plan.accountId,
      by: plan.by,
      steps: this.steps,
      recorded: [],
    };
    try {
      result.recorded = await appendEverywhere(parts.sides, {
        kind: "drillHeld",
        id: recordId(endedAt, parts.newId()),
        at: endedAt,
        by: plan.by,
        startedAt: result.startedAt,
        participants: result.participants,
        userName: plan.userName,
        region: result.region,
        outcome: result.outcome,
        steps: this.steps.map(({ name, outcome, evidence }) => ({ name, outcome, evidence })),
      });
    } catch (error) {
      if (!(error instanceof EvidenceUnavailable)) throw error;
      result.recordError = error.message;
      // An exercise that nobody can find afterwards was not held.
      if (result.outcome === "passed") result.outcome = "failed";
    }
    return result;
  }

  private async step(index: number, work: () => Promise<Judgement>): Promise<void> {
    const { parts } = this;
    const name = EXERCISE_STEPS[index]!;
    parts.say(`\n${index + 1} of ${EXERCISE_STEPS.length}: ${name}`);
    const { outcome, evidence } = await work();
    this.steps.push({ name, outcome, evidence, endedAt: parts.now().toISOString() });
    parts.say(`  ${{ passed: "ok", failed: "FAILED", skipped: "LEFT OUT" }[outcome]}: ${evidence}`);
  }

  private async gather(): Promise<Judgement> {
    const answer = await this.plain(
      "Who takes part? Names or addresses, with commas between them:",
      10 * LONGEST_NAME,
    );
    const names = answer.split(",").map((name) => cleanLine(name, LONGEST_NAME));
    this.participants = [
      ...new Map(names.filter(Boolean).map((name) => [name.toLowerCase(), name])).values(),
    ];
    const list = this.participants.join(", ");
    return this.participants.length >= 2
      ? passed(list)
      : failed(list === "" ? "Nobody was named" : `Only ${list}: nobody signs in alone`);
  }

  private async checkReadiness(): Promise<Judgement> {
    let summary: ReadinessSummary;
    try {
      summary = await this.parts.readiness();
    } catch (error) {
      return failed(
        `The check itself failed: ${cleanLine(error instanceof Error ? error.message : String(error), LONGEST_NOTE)}`,
      );
    }
    const { pass, fail, unknown, failures } = summary;
    const counts = `${pass} requirements are met, ${fail} are not, ${unknown} could not be told`;
    if (failures.length > 0) return failed(cleanLine(`${counts}: ${failures.join("; ")}`, 1_000));
    // What nobody could look at says nothing against anything; when nothing at all could be looked at, nothing was checked.
    return pass === 0 ? failed(counts) : passed(counts);
  }

  /** Proof of a sign-in that gives nothing away: what the console shows to whoever is in, and only to them. */
  private async read(): Promise<Judgement> {
    const { accountId, signIn } = this.plan;
    this.parts.say(
      "Open the menu at the top right of the console, and read the account id there. Change nothing.",
    );
    const typed = await this.plain("The account id that the console shows:", 40);
    if (isSkip(typed)) return { outcome: "skipped", evidence: "Left out by those who took part" };
    const digits = typed.replace(/[\s-]/g, "");
    return digits === accountId
      ? passed(`The console showed account ${accountId}, through ${signIn.region}`)
      : // Whatever else was typed may be what must not be kept.
        failed(
          `What was typed is not ${accountId}${/^\d{12}$/.test(digits) ? `, but account ${digits}` : ""}`,
        );
  }

  /** Looks into the cells' records for a use of the user that was noticed since the exercise began. */
  private async awaitNotice(): Promise<Judgement> {
    const { userName } = this.plan;
    const cells = this.parts.sides.map(({ cell }) => cell);
    const found = await this.look("useOpened", (records) => {
      const seen = records.filter((record) => record.userName === userName);
      const lacking = cells.filter((cell) => !seen.some((record) => record.cell === cell));
      return { done: lacking.length === 0, records: seen, lacking };
    });
    const noticed = found.records
      .toSorted((a, b) => cells.indexOf(a.cell) - cells.indexOf(b.cell))
      .map(({ cell, firstCall, at }) => `${cell}: ${firstCall} at ${at}`);
    const text = noticed.length === 0 ? "no cell recorded the use" : noticed.join("; ");
    if (found.done) return passed(text);
    const lacking = await Promise.all(
      found.lacking.map(async (cell) => `${cell} (${await this.parts.trace(cell)})`),
    );
    return failed(cleanLine(`${text}; not noticed by ${lacking.join(", ")}${found.silence}`, 1_500));
  }

  private get since(): string {
    return new Date(Date.parse(this.startedAt) - CLOCK_AHEAD).toISOString();
  }

  private async recordedBefore(): Promise<ReadonlySet<string> | undefined> {
    try {
      const readings = await Promise.all(
        (["useOpened", "passwordIssued"] as const).map((kind) =>
          readEverywhere(this.parts.sides, kind, this.since),
        ),
      );
      if (readings.some(({ unanswered }) => unanswered.length > 0)) return undefined;
      return new Set(readings.flatMap(({ records }) => records.map(({ id }) => id)));
    } catch (error) {
      if (!(error instanceof EvidenceUnavailable)) throw error;
      return undefined;
    }
  }

  /** Whether something was recorded since the exercise began. By its time alone where nobody could say what was there before. */
  private isNew({ id }: { id: string }): boolean {
    return id >= this.startedAt || (this.known !== undefined && !this.known.has(id));
  }

  /** Looks for a password that was made after the exercise began. */
  private async awaitRotation(): Promise<Judgement> {
    const { userName } = this.plan;
    const answer = await this.plain("Press Enter when it is done, or type skip:", 10);
    if (isSkip(answer)) return { outcome: "skipped", evidence: "Left out: the rotation stays due" };
    const found = await this.look("passwordIssued", (records) => {
      const made = records.filter((record) => record.userName === userName && record.state === "effective");
      return { done: made.length > 0, records: made, lacking: [] };
    });
    const [made] = found.records;
    return made
      ? passed(`A new password for ${made.custodian} since ${made.at}`)
      : failed(`No new password was recorded: the rotation stays due${found.silence}`);
  }

  /** Reads a kind's records since the beginning, again and again, until they say what is wanted or patience ends. */
  private async look<Kind extends "useOpened" | "passwordIssued">(
    kind: Kind,
    judge: (records: EvidenceOf<Kind>[]) => { done: boolean; records: EvidenceOf<Kind>[]; lacking: string[] },
  ) {
    const { parts, plan } = this;
    const deadline = parts.now().getTime() + plan.patience;
    parts.say(`  looking into the records of ${parts.sides.map(({ cell }) => cell).join(" and ")} ...`);
    for (;;) {
      let found = {
        done: false,
        records: [] as EvidenceOf<Kind>[],
        lacking: parts.sides.map(({ cell }) => cell),
      };
      let silence = "";
      try {
        const reading = await readEverywhere(parts.sides, kind, this.since);
        found = judge(reading.records.filter((record) => this.isNew(record)));
        silence = reading.unanswered.map(({ cell }) => `; ${cell} does not answer`).join("");
      } catch (error) {
        if (!(error instanceof EvidenceUnavailable)) throw error;
        silence = "; no cell answers";
      }
      if (found.done || parts.now().getTime() >= deadline) return { ...found, silence };
      await parts.pause(LOOK_AGAIN);
    }
  }

  private async confirm(question: string): Promise<Judgement> {
    for (;;) {
      const answer = await this.plain(`${question} [yes/no/skip]`, 10);
      if (isSkip(answer)) return { outcome: "skipped", evidence: "Left out by those who took part" };
      if (/^y(es)?$/i.test(answer)) return passed("Confirmed by those who took part");
      if (/^no?$/i.test(answer)) {
        const note = await this.plain("What happened? One line, nothing secret:", LONGEST_NOTE);
        return failed(note || "Not confirmed");
      }
      this.parts.say("  Please answer yes, no or skip.");
    }
  }

  /** Asks, and refuses what looks like a password: answers are recorded. */
  private async plain(question: string, limit: number): Promise<string> {
    for (;;) {
      const answer = cleanLine(await this.parts.ask(`${question} `), limit);
      if (!looksSecret(answer)) return answer;
      this.parts.say(
        "  That looks like a password. It was not kept; but now it stands on this screen: change it. Answer again, without it.",
      );
    }
  }
}

/** Whether a word in a text has a password's length and mixture of characters; addresses, ARNs and host names have not. */
export function looksSecret(text: string): boolean {
  return text.split(/\s+/).some((word) => {
    if (
      word.length < 20 ||
      /^(?:arn:|https?:|\d{4}-\d\d-\d\dT)/.test(word) ||
      /^[\w.+-]+@[\w.-]+,?$/.test(word)
    )
      return false;
    const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(word)).length;
    return kinds >= 3;
  });
}

function isSkip(answer: string): boolean {
  return /^s(kip)?$/i.test(answer);
}
