/** What finds whatever was forgotten: executions that ended before their requests, deadlines that nobody noticed, roles that were left over. */
import { errorFields } from "../../shared/errors/errorFields";
import type { AuditReader } from "../audit/auditTrail";
import { nextDue } from "../workflow/transition";
import type { EngineParts } from "./ports";

/** What sweeping works with. */
export interface SweepParts extends Pick<EngineParts, "table" | "executions" | "log" | "now"> {
  /** Looks at a request that is overdue, as the state machine would. */
  readonly step: (requestId: string) => Promise<unknown>;
  /** Deletes what is left over of temporary access, in an account. @default there is no temporary access */
  readonly roles?: {
    readonly audit: AuditReader;
    sweep(place: { account: string; region: string }, olderThan: Date): Promise<readonly string[]>;
  };
}

/** What was found. */
export interface Swept {
  readonly open: number;
  readonly overdue: number;
  readonly roles: readonly string[];
  /** How many of them could not be looked after. */
  readonly failed: number;
}

/** A request is overdue when the state machine should have noticed long ago. */
const OVERDUE_MILLISECONDS = 120_000;
/** No operation takes this long. */
const ROLE_AGE = 900_000;
const TWO_DAYS = 2 * 86_400_000;

/** One sweep. */
export async function sweep(parts: SweepParts): Promise<Swept> {
  const { table, executions, now, log } = parts;
  const open = await table.listOpen();
  let [overdue, failed] = [0, 0];
  for (const request of open) {
    try {
      await executions.ensure(request.id);
      const due = nextDue(request);
      if (due !== undefined && now() - due > OVERDUE_MILLISECONDS) {
        overdue++;
        await parts.step(request.id);
      }
    } catch (error) {
      failed++;
      log.error("an open request could not be looked after", { request: request.id, ...errorFields(error) });
    }
  }
  const roles = await sweepAccess(parts).catch((error: unknown) => {
    failed++;
    log.error("temporary roles could not be swept", { ...errorFields(error) });
    return [];
  });
  return { open: open.length, overdue, roles, failed };
}

async function sweepAccess({ roles, now, log }: SweepParts): Promise<string[]> {
  if (!roles) return [];
  const places = new Map<string, { account: string; region: string }>();
  for await (const { what, account, region } of roles.audit.between(
    new Date(now() - TWO_DAYS),
    new Date(now()),
  )) {
    if (what === "accessAsked" && account && region) places.set(account, { account, region });
  }
  const swept: string[] = [];
  for (const place of places.values()) {
    try {
      swept.push(...(await roles.sweep(place, new Date(now() - ROLE_AGE))));
    } catch (error) {
      log.error("the temporary roles of an account could not be swept", {
        account: place.account,
        ...errorFields(error),
      });
    }
  }
  return swept;
}
