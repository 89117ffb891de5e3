/** What becomes of a denied call that reached the function. */
import { type CallFacts, intake } from "../intake/intake";
import { readRecord } from "../intake/record";
import type { IntakeSettings } from "../intake/settings";
import { operationsOf } from "../operations/catalogue";
import { type OpenParts, openRequest } from "./open";
import type { EngineParts } from "./ports";

/** What taking in works with. */
export type TakeInParts = OpenParts & Pick<EngineParts, "fence" | "announcer" | "items">;

/** What became of an event. */
export type TakenIn =
  | { readonly result: "opened" | "again" | "duplicate"; readonly requestId: string }
  | { readonly result: "formSent" | "refused"; readonly reason: string }
  | { readonly result: "ignored" | "standby" | "unknownRequester"; readonly reason: string };

/** Takes in an event. Repeating it does nothing that was done. */
export async function takeIn(parts: TakeInParts, settings: IntakeSettings, event: unknown): Promise<TakenIn> {
  const taken = intake(event, settings);
  if ("ignore" in taken) return { result: "ignored", reason: taken.why };
  const { facts, why } = taken;
  // Both hubs get every event of the members; one cell takes it.
  const open = await parts.fence.mayTakeIn(facts.region);
  if (!open.allowed) return { result: "standby", reason: open.why };
  const { eventId, requester } = facts;
  if (eventId === undefined || !requester) return { result: "refused", reason: why };
  const person = (await parts.people.now()).requester(requester);
  if (!person?.active) {
    return {
      result: "unknownRequester",
      reason: "whoever made the call is not in the directory, or not active: nobody can be asked to confirm",
    };
  }
  if ("plan" in taken) {
    const opened = await openRequest(parts, {
      requestId: eventId,
      plan: taken.plan,
      person,
      requester: { name: requester.name, arn: requester.arn },
      calledAt: facts.eventTime,
      ...(facts.deniedBy !== undefined && {
        remarks: [
          {
            label: "Denied by",
            value: `${facts.deniedBy}: the executor role has to be exempt from it, or the call will be denied again`,
          },
        ],
      }),
    });
    if (opened.opened) return { result: "opened", requestId: eventId };
    if ("refused" in opened) return refuse(parts, eventId, person.id, event, facts, opened.refused);
    return { result: opened.again ? "again" : "duplicate", requestId: opened.request.id };
  }
  if ("form" in taken && facts.account !== undefined && facts.region !== undefined) {
    const draft = { event: taken.form.event, account: facts.account, region: facts.region };
    await tellOnce(parts, eventId, "form", () =>
      parts.announcer.form({ requestId: eventId, person: person.id, draft, why }),
    );
    return { result: "formSent", reason: why };
  }
  return refuse(parts, eventId, person.id, event, facts, why);
}

async function refuse(
  parts: TakeInParts,
  requestId: string,
  person: string,
  event: unknown,
  { account = "", region = "" }: CallFacts,
  reason: string,
): Promise<TakenIn> {
  const { eventSource = "", eventName = "" } = readRecord(event) ?? {};
  const call = { event: operationsOf(eventSource, eventName)[0]?.event ?? eventName, account, region };
  await tellOnce(parts, requestId, "refused", () =>
    parts.announcer.refused({ requestId, person, call, reason }),
  );
  return { result: "refused", reason };
}

async function tellOnce({ items }: TakeInParts, requestId: string, what: string, tell: () => Promise<void>) {
  if (await items.wasTold(requestId, what)) return;
  await tell();
  await items.markTold(requestId, what);
}
