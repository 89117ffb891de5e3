import { ListParentsCommand, type OrganizationsClient } from "@aws-sdk/client-organizations";
import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { Units } from "./ports";

const ONE_HOUR = 3_600_000;
const ONE_MINUTE = 60_000;
/** Longest that a request waits for Organizations, whose control plane may be lost (fact 9). */
const LONGEST_MS = 3_000;
/** Organizations has five levels of units below the root. */
const MOST = 8;

/** Units from the organization; an account's are remembered for an hour. What did not answer is not asked again for a minute. */
export class OrganizationUnits implements Units {
  private readonly known = new Map<string, { units: readonly string[]; until: number }>();
  private silentUntil = 0;

  constructor(
    private readonly client: Pick<OrganizationsClient, "send">,
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  async of(account: string): Promise<readonly string[]> {
    const known = this.known.get(account);
    if (known && known.until > this.now()) return known.units;
    if (this.silentUntil > this.now()) return known?.units ?? [];
    const abortSignal = AbortSignal.timeout(LONGEST_MS);
    try {
      const units: string[] = [];
      for (let child = account; units.length < MOST; ) {
        const { Parents = [] } = await this.client.send(new ListParentsCommand({ ChildId: child }), {
          abortSignal,
        });
        const [parent] = Parents;
        if (parent?.Id === undefined) break;
        units.push(parent.Id);
        if (parent.Type === "ROOT") break;
        child = parent.Id;
      }
      this.known.set(account, { units, until: this.now() + ONE_HOUR });
      return units;
    } catch (error) {
      this.silentUntil = this.now() + ONE_MINUTE;
      this.log.warn("the units of an account cannot be read; rules about units count for it", {
        account,
        ...errorFields(error),
      });
      return known?.units ?? [];
    }
  }
}
