import type { RunbookFacts } from "../facts";
import { code, codeBlock, type Markdown, markdown, table } from "../markdown";
import { auditQueries } from "../queries";

/** Evidence, audit, rotation, closing. */
export function afterwards(facts: RunbookFacts): Markdown {
  const { input, cells, iamRegion, stack } = facts;
  const trailOf = cells.map(({ region, trailBucketName, trailLogGroupName, trailArn }) => [
    code(region),
    code(trailLogGroupName),
    code(trailBucketName),
    code(trailArn),
  ]);
  return markdown`## Evidence to keep

- Who declared the emergency, when, and why; who signed in; who watched. The table at the end.
- The alert mails, the digests and the closing report, of both cells.
- The results of the queries below, of both trails, as files.
- The output of ${code("aws cloudtrail validate-logs")}, which proves that no log file was changed.
- Mails and chats in which it was agreed. No password, no code, no screen with one.

## Afterwards: audit

Each cell has a trail of all regions, with a log group and a bucket of its own. What the log group shows is about five minutes old; either trail is enough, and the two should say the same.

${table(["Region", "Log group", "Bucket", "Trail"], trailOf)}

A sign-in is recorded in the region of the address that was used; calls of IAM and of STS's global endpoint in ${code(iamRegion)}. Both trails have both.

In the console: CloudWatch, Logs Insights, choose the log group and the time, then one of these. On the command line:

${cells.map(({ region, trailLogGroupName }) =>
  codeBlock(
    "sh",
    `aws logs start-query --region ${region} --log-group-name ${trailLogGroupName} --start-time START --end-time END --query-string "$(cat query.txt)"`,
  ),
)}

${auditQueries(input.users.map(({ userName }) => userName)).map(
  ({ question, lines }) => markdown`### ${question}\n\n${codeBlock("text", ...lines)}\n`,
)}
Then, for each trail, that its files are whole:

${cells.map(({ region, trailArn }) =>
  codeBlock(
    "sh",
    `aws cloudtrail validate-logs --region ${region} --trail-arn ${trailArn} --start-time START --verbose`,
  ),
)}

Compare what you find with the log that was kept: every line of the trail has to have its reason. What a single event means, and whether it had to be told of: ${code(`npx bulkhead break-glass explain EVENT.json --stack ${stack}`)}.

## Rotate and close

1. ${rotation(input.rotatesAfterUse)}

${codeBlock("sh", ...input.users.map(({ userName }) => `npx bulkhead break-glass rotate --stack ${stack} --user ${userName}   # only the one that was used`))}

2. Give the new file to its custodian, and destroy the old copies: ${code("npx bulkhead break-glass password")}.
3. See that every device is where it belongs: ${code("npx bulkhead break-glass devices")}. Take away what is lost: ${code("npx bulkhead break-glass remove-device")}.
4. Undo what was done for the emergency only: roles, policies, rules, security groups.
5. Give the work back when both regions are stable: ${code(`npx bulkhead failback ${cells.at(-1)!.name} --reason "..."`)}.
6. See that everything is ready for the next time: ${code(`npx bulkhead break-glass status --stack ${stack}`)}. Nothing may be red.
7. Talk it over with everybody who took part, within a week. Change this runbook where it did not fit.
`;
}

function rotation(rotatesAfterUse: boolean): string {
  const due = "it is due from the first use on, and alarmed until it is done";
  return rotatesAfterUse
    ? `The password is changed by itself within an hour after the closing report, as soon as IAM's control plane answers: a message says that the new one waits for its custodian. Until then ${due}. If no message comes, or sooner by hand:`
    : `As soon as IAM's control plane answers, give the user a new password; ${due}:`;
}
