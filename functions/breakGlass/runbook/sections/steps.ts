import { hasSecurityKeys } from "../../../../components/regional/partition";
import type { RunbookFacts } from "../facts";
import { address, code, codeBlock, Markdown, markdown, table } from "../markdown";

/** What to do on the day, step by step. */
export function steps(facts: RunbookFacts): Markdown {
  const { input, cells, stack } = facts;
  const { accountId, memberRoleName } = input;
  const [first] = cells;
  const user = input.users[0]!.userName;
  return markdown`## Step by step

Write down the time of each step; the table at the end has room for it.

### 1. Declare the emergency

Say it, to everybody who is named above: what is lost since when, what has to be done, which user is taken. From here on, alerts of that user are expected, and only of that one.

### 2. Get the password

The custodian brings the encrypted file, from the safe or from their drive. If it cannot be reached, fetch it from either cell's table; no control plane is needed:

${codeBlock("sh", `npx bulkhead break-glass password --stack ${stack} --user ${user} --out ./emergency/`, "cd emergency && sha256sum --check SHA256SUMS")}

### 3. Open it

The custodian opens it with their own key, on a machine that is not connected if there is one, and reads it to nobody:

${codeBlock("sh", `gpg --decrypt ${user}.pgp.asc`)}

Do not save the output, do not paste it into a chat, a mail or a ticket.

### 4. Sign in

Take the addresses in this order. They differ only in the region that answers:

${table(
  ["", "Region", "Address"],
  cells.map(({ region, signInUrl }, index) => [String(index + 1), code(region), address(signInUrl)]),
)}

Account ${code(accountId)}, the user's name, the password, the code of the TOTP device. ${hasSecurityKeys(input.partition) ? markdown`**Choose the TOTP device, not the security key**, when the page asks. ` : new Markdown("")}If no page loads, the same address works with any other region in use in place of the one at its end.

### 5. See that the alert arrived

Within seconds both cells send a mail. Ask whoever watches whether it arrived, from each: it says the user, the time and the address that you came from. If none arrives, go on, and tell the security team by phone: from now on your own log is the only record in time.

### 6. Do what has to be done, and nothing else

- Choose the region at the top of the console first: ${code(first!.region)}. Pages of global services open in ${code(facts.iamRegion)} and may not load.
- There are no access keys, and none may be made: they are alarmed. For the command line, open CloudShell in a region that works.
- **Switching into a role** works straight from the emergency user, also into roles that ask for MFA. A role's own credentials carry no MFA any more: from that role into another one that asks for MFA fails, and so does a role whose own policy denies everything without MFA. Switch back to the user first, then into the next role.
${memberRoleName === undefined ? new Markdown("") : markdown`- Member accounts are reached by their role ${code(memberRoleName)}, if it trusts this account.\n`}- To give the work of key rotation and of the boundary manager to the surviving cell:

${codeBlock("sh", `npx bulkhead promote ${stack} --reason "what happened" --dead ${cells.at(-1)!.region}`)}

### 7. Sign out

Sign out of the console, close the browser. Say over the agreed channel that the emergency user is no longer in use. When nothing was seen of it for ${Math.round(input.useIdleSeconds / 60)} minutes, the closing report comes: everything that was done, in order.
`;
}

/** What no protocol can prevent. */
export function splitBrain({ cells }: RunbookFacts): Markdown {
  return markdown`## When two sides declare each other dead

${code("promote --dead REGION")} says that a region is lost, and from here its loss looks the same as a broken connection. Two operators who are cut off from each other can each declare the other's region dead: one ${code(cells[0]!.region)}, the other ${code(cells.at(-1)!.region)}. Then both cells act, and may both rotate keys and write policies, until one of them reads the other's record. There it ends: the lower epoch stands down.

So one person decides, named above, over a channel that does not depend on AWS. If it happened all the same:

1. See who acts: ${code("npx bulkhead status")}. Its exit code is 1 unless exactly one does.
2. Decide for one side, and let the other one do nothing more.
3. When both regions answer: ${code(`npx bulkhead failback ${cells.at(-1)!.name} --reason "..."`)} or the other cell. Both have to answer, so that one is stood down in the same run.
4. Read in both trails what each cell did in between.
`;
}
