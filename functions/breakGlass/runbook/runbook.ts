/** The runbook of a stack: pure, from its real outputs. */
import { factsOf } from "./facts";
import type { RunbookInput } from "./input";
import { address, code, markdown, table } from "./markdown";
import { afterwards } from "./sections/afterwards";
import { names, troubles } from "./sections/appendix";
import { limits } from "./sections/limits";
import { splitBrain, steps } from "./sections/steps";
import { whenToUse } from "./sections/when";

/** Title of the runbook. */
export function runbookTitle({ accountId }: RunbookInput): string {
  return `Emergency access to account ${accountId}`;
}

/** The runbook as Markdown, the source of its other forms. Nothing in it is secret; it is meant to lie about on paper. */
export function runbookMarkdown(input: RunbookInput): string {
  const facts = factsOf(input);
  const { cells } = facts;
  const [preferred] = cells;
  const text = markdown`# ${runbookTitle(input)}

Two people, one emergency user, one address of a region that still answers. Read this before it is needed; print it, and keep it where you can reach it without AWS.

${table(
  ["Step", "In short"],
  [
    ["Decide", "Two people agree that it is an emergency; security is told."],
    ["Open", "The custodian decrypts the password; whoever signs in has the TOTP device."],
    ["Sign in", markdown`At ${address(preferred!.signInUrl)}`],
    ["Act", "Only what has to be done. Everybody is told, everything is recorded."],
    ["Close", "Sign out, rotate the password, read the trail."],
  ],
)}

Made on ${input.generatedAt.slice(0, 10)} from the outputs of the stack ${code(input.own.name)}. Make it anew after each deployment: ${code(`npx bulkhead break-glass runbook --stack ${input.own.name} --outputs -`)}

${[whenToUse, limits, steps, splitBrain, afterwards, troubles, names].map((section) => section(facts))}`;
  return `${text.text.replace(/\n{3,}/g, "\n\n").trimEnd()}\n`;
}
