import { hasSecurityKeys } from "../../../../components/regional/partition";
import type { RunbookFacts } from "../facts";
import { address, code, type Markdown, markdown, table } from "../markdown";

/** What to do when something does not work. */
export function troubles({ cells, input }: RunbookFacts): Markdown {
  return markdown`## When something does not work

${table(
  ["What happens", "What to do"],
  [
    [
      "No sign-in page loads",
      "The next address of step 4. Another network, a telephone's hotspot, another name server.",
    ],
    [
      "The password is refused",
      "Type it again by hand: similar characters. Then the other cell's copy of the file: one may be older. Then the other user.",
    ],
    [
      "The code is refused",
      "The device's clock has to be right. Wait for the next code; never try the same one twice. Then another device of this user.",
    ],
    ...(hasSecurityKeys(input.partition)
      ? [
          [
            "The page asks for the security key and nothing happens",
            'Choose "another way to sign in", then the authenticator app.',
          ],
        ]
      : []),
    [
      "A device is lost",
      "Another team member's device of the same user, or the other user. Then remove the lost one.",
    ],
    [
      "Signed in, and everything is denied",
      "You came in without MFA, or are in a role that a role switched into. Sign out, sign in with the code, switch from the user.",
    ],
    ["A page of IAM or of billing does not load", "Expected. Work in the region's own services."],
    [
      markdown`The CLI hangs, or says ${code("sts.amazonaws.com")}`,
      markdown`Set ${code(`AWS_REGION=${cells[0]!.region}`)} and ${code("AWS_STS_REGIONAL_ENDPOINTS=regional")}; use a current version.`,
    ],
    [
      "No alert arrives",
      "Go on. Tell the security team by phone, and look into the trail of the other cell afterwards.",
    ],
    [
      "Alerts come for a user that nobody took",
      "A break-in. Do not sign in with that user; have the security team disable it as soon as IAM answers.",
    ],
  ],
)}
`;
}

/** Everything by its name. */
export function names({ input, cells }: RunbookFacts): Markdown {
  const users = input.users.map(({ userName }) => userName);
  return markdown`## Names

Account ${code(input.accountId)}, partition ${code(input.partition)}. Users stand at the path ${code(input.path)}.

${table(
  ["", ...cells.map(({ name, region }) => `${name} (${region})`)],
  [
    ["Sign-in address", ...cells.map(({ signInUrl }) => address(signInUrl))],
    ["Topic of the alerts", ...cells.map(({ alertTopicArn }) => code(alertTopicArn))],
    ["Event rules", ...cells.map(({ ruleNames }) => code(ruleNames.join(", ")))],
    ["Alarms", ...cells.map(({ alarmNames }) => code(alarmNames.join(", ")))],
    ["Trail", ...cells.map(({ trailArn }) => code(trailArn))],
    ["Log group", ...cells.map(({ trailLogGroupName }) => code(trailLogGroupName))],
    ["Bucket", ...cells.map(({ trailBucketName }) => code(trailBucketName))],
    ["Table of records", ...cells.map(({ recordsTableName }) => code(recordsTableName))],
  ],
)}

## Log of this emergency

Emergency users: ${code(users.join(", "))}. Which one was taken: ____________________

${table(
  ["Time (UTC)", "Who", "What"],
  [
    ["", "", "Emergency declared"],
    ["", "", "Password opened"],
    ["", "", "Signed in"],
    ["", "", "Alerts arrived: first cell / second cell"],
    ...Array.from({ length: 6 }, () => ["", "", ""]),
    ["", "", "Signed out"],
    ["", "", "Password rotated"],
    ["", "", "Audit done"],
  ],
)}
`;
}
