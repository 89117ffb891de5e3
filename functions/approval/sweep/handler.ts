import { composeAlerts, composePeople, composeRoleSweep } from "../engine/compose";
import { composeStore } from "../engine/composeStore";
import { step } from "../engine/step";
import { type Swept, sweep } from "../engine/sweep";
import { readApprovalSettings } from "../settings";

const store = composeStore(readApprovalSettings());
const stepParts = { ...store, ...composePeople(store), alerts: composeAlerts(store) };
const parts = {
  ...store,
  step: (requestId: string) => step(stepParts, requestId),
  ...composeRoleSweep(store),
};

/** Looks after whatever was forgotten; run by a schedule. */
export async function handler(): Promise<Swept> {
  const swept = await sweep(parts);
  store.log.info("swept", { ...swept, roles: swept.roles.length });
  return swept;
}
