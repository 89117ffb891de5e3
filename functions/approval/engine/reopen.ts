/** Requests of the other cell, after the loss of its region. */
import { entryOf } from "../audit/entry";
import type { Person } from "../directory/document";
import { isFinal } from "../workflow/request";
import { type Opened, type OpenParts, openRequest } from "./open";
import { planOf } from "./planOf";
import type { EngineParts } from "./ports";

/** What re-opening works with. */
export type ReopenParts = OpenParts & Pick<EngineParts, "fence" | "items" | "peer">;

/**
 * Opens a request of the other cell anew in this one: with a new id, from what its operation is about now, and with every confirmation and approval
 * anew. Repeating it gives the same new request.
 * @param by who does it; the original requester is asked to confirm
 */
export async function reopen(
  parts: ReopenParts,
  {
    requestId,
    by,
    newRequestId,
  }: { readonly requestId: string; readonly by: Person; readonly newRequestId: string },
): Promise<Opened> {
  const { peer, fence, items, people, audit, cell, now } = parts;
  const refused = (text: string): Opened => ({ opened: false, refused: text });
  if (!peer) return refused("there is no other cell");
  if (!by.active) return refused(`${by.name} is not active in the directory`);
  const [lost, details] = await Promise.all([peer.read(requestId), peer.readDetails(requestId)]);
  if (!lost || !details)
    return refused(`cell ${peer.cell} has no request ${requestId}, as far as it is known here`);
  const open = await fence.mayOpen(details.region);
  if (!open.allowed) return refused(open.why);
  if (isFinal(lost.state)) return refused(`the request ended in cell ${peer.cell}: it is ${lost.state}`);
  const person = (await people.now()).person(details.requester.person);
  if (!person?.active) return refused("its requester is not in the directory any more, or not active");
  // The marker first: from here on, as far as it is replicated, the other cell does not carry the request out.
  const { newRequestId: id } = await items.putReopening({ requestId, newRequestId, at: now() });
  const begun = lost.state === "verifying" || lost.state === "executing";
  const opened = await openRequest(parts, {
    requestId: id,
    plan: planOf(details),
    person,
    requester: { name: details.requester.name, arn: details.requester.arn },
    ...(details.calledAt !== undefined && { calledAt: details.calledAt }),
    ...(details.reason !== undefined && { reason: details.reason }),
    remarks: [
      { label: "Opened anew", value: `for request ${requestId} of cell ${peer.cell}, by ${by.name}` },
      {
        label: "Carried out before?",
        value: begun
          ? `NOT KNOWN: it was ${lost.state} when the region was lost, so the call may have been made. Compare what is below with what was expected.`
          : `no, as far as is known here: it was ${lost.state}`,
      },
    ],
  });
  if (opened.opened) {
    await audit.append({
      ...entryOf(opened.request, { cell, at: now(), what: "reopened" }),
      by: [`person:${by.id}`],
      reason: `for ${requestId} of cell ${peer.cell}, which was ${lost.state}`,
    });
  }
  return opened;
}
