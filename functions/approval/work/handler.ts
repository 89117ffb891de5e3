import { STSClient } from "@aws-sdk/client-sts";
import * as z from "zod";
import { clientSettings } from "../../shared/clients/clientSettings";
import { composeAccess, composeAlerts, composeFence, composePeer, composeSnapshots } from "../engine/compose";
import { composeStore } from "../engine/composeStore";
import { type WorkAnswer, work } from "../engine/work";
import { SdkActor } from "../execute/act";
import { RoleLooker } from "../execute/readers";
import { readApprovalSettings } from "../settings";

const settings = readApprovalSettings();
const store = composeStore(settings);
const sts = new STSClient(clientSettings());
const snapshots = composeSnapshots(settings, sts);
const parts = {
  ...store,
  fence: composeFence(store, composePeer(store), "approval-work"),
  looker: new RoleLooker({ sts, role: settings.roles.reader, externalId: settings.roles.externalId }),
  access: composeAccess(store, sts),
  actor: new SdkActor(),
  alerts: composeAlerts(store),
  ...(snapshots && { snapshots }),
};
const inputSchema = z.object({ requestId: z.string().min(1).max(64) });

/** One piece of work on a request, for the state machine. The only function that can assume the executor role. */
export async function handler(event: unknown): Promise<WorkAnswer> {
  return work(parts, inputSchema.parse(event).requestId);
}
