import type { RunbookFacts } from "../facts";
import { code, type Markdown, markdown, table } from "../markdown";

/** When to use emergency access, and who decides it. */
export function whenToUse({ input }: RunbookFacts): Markdown {
  return markdown`## When to use it

All three must be true:

1. People cannot sign in the usual way: the identity provider, IAM Identity Center or the region that they depend on is lost.
2. Something has to be done in AWS that cannot wait until they can.
3. Two people have agreed on it, as below.

It is not for: a missing permission, a change that is in a hurry, a forgotten password, a look at how things are. Ask for access in the usual way instead.

**If you got an alert and know of no emergency, treat it as a break-in**: go to [Afterwards](#afterwards-audit) at once, and tell the security team by phone.

## Who decides

Nobody decides alone, and whoever decides does not sign in. Fill this in and keep it up to date, on paper too:

${table(
  ["Task", "Who", "Telephone"],
  [
    ["Declares the emergency", "", ""],
    ["Stands in for them", "", ""],
    ["Signs in", "", ""],
    ["Watches, and keeps the log", "", ""],
    ["Is told at once: security team", "", ""],
  ],
)}

Talk over a channel that does not depend on AWS or on your identity provider: telephone, radio, one room.

${table(
  ["Emergency user", "Its password is kept by"],
  input.users.map(({ userName, custodian }) => [code(userName), custodian]),
)}

Each user is enough by itself. Take the one whose custodian you reach first; leave the other for the case that the first fails.
`;
}
