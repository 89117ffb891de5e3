/** Emergency access kept ready: passwords changed, an exercise held, every requirement checked, every use told to its end. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as z from "zod";
import { TICK } from "../../../functions/breakGlass/use/handle";
import { type Mail, readInbox } from "../../aws/inbox";
import { type LocalCell, PRIMARY, STANDBY } from "../../environment";
import { waitFor } from "../../waitFor";
import type { DrillContext } from "../context";
import type { EmergencyUser } from "../emergencyUser";
import type { StepFindings } from "../runner";
import { mailAbout } from "./emergencyAccess";

/** Longest wait for a message of a function. */
const MESSAGE_TIMEOUT_MS = 15_000;

const rotationSchema = z.object({ outcome: z.string(), keyFingerprint: z.string() });

/** Gives each user a new password by the product's command, which their custodian opens. The one before is worth nothing any more. */
export async function rotate(context: DrillContext): Promise<StepFindings> {
  // Two people at two terminals.
  const lines = await Promise.all(context.users.map((user) => rotateOne(context, user)));
  return { detail: lines.join("\n") };
}

async function rotateOne(context: DrillContext, user: EmergencyUser): Promise<string> {
  const { exitCode, stdout, stderr } = await context.command([
    "break-glass",
    "rotate",
    "--user",
    user.name,
    "--json",
  ]);
  if (exitCode !== 0) throw new Error(`the password of ${user.name} was not changed: ${stderr}`);
  const { outcome, keyFingerprint } = rotationSchema.parse(JSON.parse(stdout));
  await openPassword(context, user);
  return `${user.name}: ${outcome}, encrypted to ${keyFingerprint.slice(-16)}`;
}

/** The custodian fetches the newest ciphertext and opens it. */
async function openPassword(context: DrillContext, user: EmergencyUser): Promise<void> {
  const custodian = context.environment.custodians[context.users.indexOf(user)]!;
  const { exitCode, stdout, stderr } = await context.command([
    "break-glass",
    "password",
    "--stack",
    STANDBY.name,
    "--user",
    user.name,
  ]);
  if (exitCode !== 0) throw new Error(`the password of ${user.name} could not be fetched: ${stderr}`);
  user.changePassword(await custodian.decrypt(stdout));
}

/** With IAM's control plane lost a password cannot be changed: the command says so, and the password stays what it is. */
export async function rotateInVain(context: DrillContext): Promise<StepFindings> {
  const standby = context.evidenceSides().find(({ cell }) => cell === STANDBY.name)!;
  const before = await standby.store.list("passwordIssued");
  const { exitCode, stderr } = await context.command([
    "break-glass",
    "rotate",
    "--stack",
    STANDBY.name,
    "--user",
    context.second.name,
  ]);
  if (exitCode === 0 || !/IAM's control plane does not answer/.test(stderr)) {
    throw new Error(`the command ended with ${exitCode} and said: ${stderr}`);
  }
  const after = await standby.store.list("passwordIssued");
  if (after.length !== before.length) throw new Error("a password was prepared that cannot be set");
  return {
    detail: "refused; nothing was changed",
    evidence: [{ label: "The command", value: stderr.trim() }],
  };
}

/** Holds the quarterly exercise by the product's command: its questions are answered while the people do what it asks for. */
export async function holdExercise(context: DrillContext): Promise<StepFindings> {
  const user = context.second;
  let signedInAt = 0;
  const people = context.environment.custodians.map(({ address }) => address).join(", ");
  const { exitCode, stdout, stderr } = await context.command(
    [
      "break-glass",
      "drill",
      "--user",
      user.name,
      "--region",
      STANDBY.region,
      "--out",
      context.environment.projectDir,
    ],
    [
      { to: "Who takes part", reply: () => people },
      { to: "Did it open", reply: () => "yes" },
      {
        to: "Are you signed in",
        reply: async () => {
          await context.signIn(user, STANDBY.region);
          signedInAt = Date.now();
          return "yes";
        },
      },
      { to: "account id that the console shows", reply: () => context.accountId },
      {
        to: "Did the mails",
        reply: async () => {
          await Promise.all(
            [PRIMARY, STANDBY].map((cell) => mailAbout(context, user, cell, "sns", signedInAt)),
          );
          return "yes";
        },
      },
      { to: "Sign out of the console", reply: () => "yes" },
      {
        to: "The password was used",
        reply: async () => {
          await rotateOne(context, user);
          return "";
        },
      },
    ],
  );
  if (exitCode !== 0) throw new Error(`the exercise failed:\n${stdout}${stderr}`);
  return { detail: stdout.trim(), evidence: [{ label: "The exercise", value: stderr.trim() }] };
}

const reportSchema = z.object({
  verdict: z.enum(["pass", "fail", "unknown"]),
  counts: z.object({ pass: z.number(), fail: z.number(), unknown: z.number() }),
  rows: z.array(z.object({ id: z.string(), subject: z.string(), verdict: z.string(), found: z.string() })),
});

async function status(context: DrillContext, stack: string) {
  const { stdout, stderr } = await context.command(["break-glass", "status", "--stack", stack, "--json"]);
  try {
    return reportSchema.parse(JSON.parse(stdout));
  } catch (error) {
    throw new Error(`the check gave no report: ${stderr}`, { cause: error });
  }
}

/** The stewards' first check, which on AWS comes within a day. Each looks for the other's report, too. */
export async function firstCheck(context: DrillContext): Promise<StepFindings> {
  for (const cell of [STANDBY, PRIMARY]) await invoke(context, cell, "bulkhead-breakglass-steward", {});
  return { detail: "each wrote its report" };
}

/** Has both stewards check, as they do every day, and then an operator: every requirement is met. */
export async function allGreen(context: DrillContext): Promise<StepFindings> {
  await firstCheck(context);
  const { verdict, counts, rows } = await status(context, PRIMARY.name);
  if (verdict !== "pass") {
    const bad = rows.filter((row) => row.verdict !== "pass");
    throw new Error(bad.map((row) => `${row.verdict}: ${row.id} of ${row.subject}: ${row.found}`).join("\n"));
  }
  return { detail: `${counts.pass} rows, every one a pass` };
}

/** With a region and IAM lost nothing can be said of them, and nothing wrong: `unknown`, never `fail`. */
export async function nothingFails(context: DrillContext): Promise<StepFindings> {
  const { counts, rows } = await status(context, STANDBY.name);
  const failing = rows.filter((row) => row.verdict === "fail");
  if (failing.length) {
    throw new Error(
      `the outage was taken for a fault:\n${failing.map((row) => `${row.id} of ${row.subject}: ${row.found}`).join("\n")}`,
    );
  }
  if (!counts.unknown || !counts.pass) throw new Error("the check says the same as without an outage");
  return { detail: `${counts.pass} rows pass, ${counts.unknown} are unknown, none fails` };
}

/** Seconds by which the functions' clocks are ahead: beyond the first digest, and beyond the end of every use. */
const DIGEST_AHEAD = 16 * 60;
const END_AHEAD = 60 * 60;

/** A quarter of an hour later, as far as the functions know, the cell tells in one message what went on. */
export async function digest(context: DrillContext): Promise<StepFindings> {
  return later(context, [STANDBY], DIGEST_AHEAD, /is still being used/, "digest");
}

/** An hour later every use is over, and each cell that saw one reports all of it. */
export async function closingReports(context: DrillContext): Promise<StepFindings> {
  return later(
    context,
    [PRIMARY, STANDBY],
    END_AHEAD,
    / is over: |nothing further happened/,
    "closing report",
  );
}

async function later(
  context: DrillContext,
  cells: readonly LocalCell[],
  aheadSeconds: number,
  subject: RegExp,
  what: string,
): Promise<StepFindings> {
  const { aws, proxy } = context.environment;
  const before = new Set((await readInbox(proxy.url)).map(({ id }) => id));
  await aws.setFunctionClock(aheadSeconds);
  const evidence: { label: string; value: string }[] = [];
  for (const cell of cells) {
    // What the schedule does every minute.
    await invoke(context, cell, "bulkhead-breakglass-use", TICK);
    const mail = await waitFor<Mail>(
      `the ${what} of ${cell.name} (${cell.region})`,
      async () =>
        (await readInbox(proxy.url)).find(
          (each) =>
            !before.has(each.id) &&
            each.kind === "ses" &&
            each.region === cell.region &&
            subject.test(each.subject),
        ),
      { timeoutMs: MESSAGE_TIMEOUT_MS, signal: context.options.signal },
    );
    evidence.push({ label: `${cell.region}: ${mail.subject}`, value: mail.text });
  }
  return { detail: evidence.map(({ label }) => label).join("\n"), evidence };
}

/** Starts a function of a cell now, instead of waiting for its schedule. */
async function invoke(
  context: DrillContext,
  cell: LocalCell,
  functionName: string,
  payload: object,
): Promise<void> {
  const lambda = new LambdaClient(context.deployerSettings(cell.region));
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) }),
  );
  lambda.destroy();
  if (FunctionError) {
    throw new Error(`${functionName} in ${cell.region} failed: ${Buffer.from(Payload ?? []).toString()}`);
  }
}
