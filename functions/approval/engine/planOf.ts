import { partitionOf } from "../../../components/regional/partition";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { operationNamed } from "../operations/catalogue";
import { type PlannedOperation, planFromInput } from "../operations/plan";
import type { RequestDetails } from "../pages/details";
import { operationHash } from "../policy/operationHash";

/**
 * The plan of a stored request, made anew from the catalogue: what is carried out is what the catalogue knows now, not what a table says.
 * @throws BulkheadError `not-plannable`, also when it is no longer the operation that was approved
 */
export function planOf(details: RequestDetails): PlannedOperation {
  const { operation, account, region } = details;
  const definition = operationNamed(operation.service, operation.api);
  if (!definition || definition.event !== details.event) {
    throw new BulkheadError("not-plannable", "the request's operation is not in the catalogue");
  }
  const own = new Set(definition.accountInputs);
  const input = Object.fromEntries(Object.entries(operation.input).filter(([name]) => !own.has(name)));
  const planned = planFromInput(definition, input, {
    partition: partitionOf(region),
    region,
    account: account.id,
  });
  if ("problem" in planned || operationHash(planned.plan) !== details.operationHash) {
    throw new BulkheadError("not-plannable", "the stored operation is not the one that was asked for");
  }
  return planned.plan;
}
