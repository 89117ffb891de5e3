/** Requests that somebody opens by hand: delivery of denied calls is best effort (fact 22), so it is never the only way. */
import { isRegionName, partitionOf } from "../../../components/regional/partition";
import type { Person } from "../directory/document";
import { operationNamed } from "../operations/catalogue";
import { planFromInput } from "../operations/plan";
import { type Opened, type OpenParts, openRequest } from "./open";
import type { EngineParts } from "./ports";

/** An operation in words; nothing of it is trusted. */
export interface TypedOperation {
  readonly requestId: string;
  readonly service: string;
  readonly api: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string;
  readonly region: string;
  readonly reason: string;
}

/** Opens a request for a typed operation. */
export async function openByHand(
  parts: OpenParts & Pick<EngineParts, "fence">,
  typed: TypedOperation,
  person: Person,
  requester: { readonly name: string; readonly arn?: string },
): Promise<Opened> {
  const refused = (text: string): Opened => ({ opened: false, refused: text });
  if (!person.active) return refused(`${person.name} is not active in the directory`);
  const { service, api, input, account, region, reason, requestId } = typed;
  const definition = operationNamed(service, api);
  if (!definition) return refused(`${service}:${api} is not an operation that approval supports`);
  if (!isRegionName(region)) return refused(`"${region}" is not the name of a region`);
  if (!/^\d{12}$/.test(account)) return refused(`"${account}" is not an account id of 12 digits`);
  const open = await parts.fence.mayOpen(region);
  if (!open.allowed) return refused(open.why);
  const planned = planFromInput(definition, input, { partition: partitionOf(region), region, account });
  if ("problem" in planned) return refused(planned.problem);
  return openRequest(parts, { requestId, plan: planned.plan, person, requester, reason });
}
