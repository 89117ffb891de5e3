import type { BackOff } from "./backOff";
import { CallFailure } from "./failure";
import type { Clock, Iam } from "./ports";
import { daysBetween } from "./record";

/** A key as the credential report has it: without id, and up to 4 hours old. */
export interface ReportedKey {
  active: boolean;
  createdAt: Date;
  /** null: never used; undefined: not known. */
  lastUsedAt: Date | null | undefined;
}

/** A user of the credential report. */
export interface ReportedUser {
  userName: string;
  arn: string;
  keys: ReportedKey[];
}

/** An account's credential report. */
export interface CredentialReport {
  generatedAt: Date;
  users: ReportedUser[];
}

/** The root user's row; its keys are not for this program to change. */
export const ROOT_USER = "<root_account>";

const POLLS = 20;
const FIRST_POLL_PAUSE = 1_000;
const LONGEST_POLL_PAUSE = 15_000;
/** How old IAM lets a report become, and how much clocks may differ, in days. */
const OLDEST_REPORT = 4.5 / 24;
const CLOCK_DIFFERENCE = 10 / (24 * 60);

/**
 * Gets an account's credential report: it is asked to be made, waited for, and read. In the usual case that is two calls; IAM makes a new
 * report at most every four hours and gives the last one until then (fact 34).
 *
 * @throws CallFailure of kind `other` when none is ready in time; BulkheadError-derived failures of the calls
 */
export async function readCredentialReport(
  iam: Iam,
  backOff: BackOff,
  clock: Clock,
): Promise<CredentialReport> {
  let state = await backOff.call(() => iam.generateReport());
  let pause = FIRST_POLL_PAUSE;
  for (let poll = 0; poll < POLLS; poll += 1) {
    if (state !== "COMPLETE") {
      await clock.sleep(pause);
      pause = Math.min(LONGEST_POLL_PAUSE, pause * 1.5);
    }
    const report = await backOff.call(() => iam.getReport());
    if (report) return { generatedAt: report.generatedAt, users: parseCredentialReport(report.csv) };
    // It may have grown too old in between, and then has to be asked for again.
    state = await backOff.call(() => iam.generateReport());
  }
  throw new CallFailure("other", "GetCredentialReport");
}

/** Whether this machine's clock cannot be right, going by a report that IAM made a moment ago. */
export function clockIsWrong(report: CredentialReport, now: Date): boolean {
  const age = daysBetween(report.generatedAt, now);
  return age < -CLOCK_DIFFERENCE || age > OLDEST_REPORT;
}

/**
 * Reads the report's CSV by the names of its columns.
 * @throws CallFailure `other` when it is not a credential report: then nothing in the account is touched
 */
export function parseCredentialReport(csv: string): ReportedUser[] {
  const lines = csv.split(/\r?\n/).filter((line) => line !== "");
  const header = splitLine(lines[0] ?? "");
  const wrong = () => new CallFailure("other", "GetCredentialReport");
  const column = (name: string) => {
    const index = header.indexOf(name);
    if (index < 0) throw wrong();
    return index;
  };
  const keyColumns = [1, 2].map((n) => ({
    active: column(`access_key_${n}_active`),
    rotated: column(`access_key_${n}_last_rotated`),
    used: column(`access_key_${n}_last_used_date`),
  }));
  const [user, arn] = [column("user"), column("arn")];
  return lines.slice(1).map((line) => {
    const cells = splitLine(line);
    if (cells.length < header.length) throw wrong();
    return {
      userName: cells[user] ?? "",
      arn: cells[arn] ?? "",
      keys: keyColumns.flatMap(({ active, rotated, used }) => {
        const createdAt = time(cells[rotated]);
        // No time: there is no such key. What is neither a time nor N/A is not a report that this program understands.
        if (!createdAt) {
          if (cells[rotated] !== "N/A" || cells[active] === "true") throw wrong();
          return [];
        }
        const lastUsedAt = cells[used] === "N/A" ? null : time(cells[used]);
        return [{ active: cells[active] === "true", createdAt, lastUsedAt }];
      }),
    };
  });
}

function time(text: string | undefined): Date | undefined {
  const at = new Date(text ?? "");
  return /^\d{4}-/.test(text ?? "") && !Number.isNaN(at.getTime()) ? at : undefined;
}

/** The cells of a line; quoted ones may hold commas (IAM user names may). */
function splitLine(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
  }
  return cells;
}

const IAM_CALLS = [
  "GenerateCredentialReport",
  "GetCredentialReport",
  "GetAccountAuthorizationDetails",
  "ListAccessKeys",
  "GetAccessKeyLastUsed",
  "CreateAccessKey",
  "UpdateAccessKey",
  "DeleteAccessKey",
];

/** Whether an error means that IAM's control plane cannot be reached at all. */
export function iamIsUnreachable(error: unknown): boolean {
  return error instanceof CallFailure && error.kind === "unreachable" && IAM_CALLS.includes(error.call);
}
