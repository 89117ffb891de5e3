import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type CellArgs, normalizeCell } from "./cell";
import { isRegionName, partitionOf, stsEndpointUrl } from "./partition";

/** Arguments of {@link RegionalProvider}. */
export interface RegionalProviderArgs {
  /**
   * Required. The cell that the provider works for: it names the default region, account and kind of STS endpoint.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Another region than the cell's, of the same partition, such as that of the Organizations control plane.
   * @default the cell's region
   * @example organizationsControlPlaneRegion("aws")
   */
  region?: string;
  /**
   * Another account than the cell's, 12 digits. Needs {@link assumeRoleArn}.
   * @default the cell's account
   * @example "111111111111"
   */
  accountId?: string;
  /**
   * A role to assume through the region's own STS endpoint.
   * @default none: the credentials of whoever runs Pulumi
   * @example arn({ partition: "aws", service: "iam", account: "111111111111", resource: "role/bulkhead-deployer" })
   */
  assumeRoleArn?: string;
  /**
   * External id for assuming the role.
   * @default none
   * @example "bulkhead-4f1c"
   */
  externalId?: string;
  /**
   * Tags of every resource made through the provider that can have tags.
   * @default none
   * @example { team: "security" }
   */
  tags?: Record<string, string>;
}

/**
 * An aws.Provider bound to one region and one account, which asks for credentials at that region's own STS endpoint. With a wrong
 * account's credentials it stops before it changes anything (`allowedAccountIds`).
 *
 * @throws Error when the region is not of the cell's partition or has no STS endpoint of the wanted kind.
 * @example
 * const provider = new RegionalProvider("dr", { cell });
 * new Notification("alerts", { cell, ... }, { provider });
 */
export class RegionalProvider extends aws.Provider {
  constructor(name: string, args: RegionalProviderArgs, opts?: pulumi.ResourceOptions) {
    const cell = normalizeCell(args.cell);
    const region = args.region ?? cell.region;
    const accountId = args.accountId ?? cell.accountId;
    if (!isRegionName(region) || partitionOf(region) !== cell.partition) {
      throw new Error(`region is "${region}": the name of a region in partition ${cell.partition}`);
    }
    if (accountId !== cell.accountId && !args.assumeRoleArn) {
      throw new Error(
        `accountId is "${accountId}", not the cell's: give assumeRoleArn, a role to assume there`,
      );
    }
    super(
      name,
      {
        region,
        allowedAccountIds: [accountId],
        endpoints: [{ sts: stsEndpointUrl(region, cell.stsEndpoint) }],
        ...(args.assumeRoleArn && {
          assumeRoles: [
            {
              roleArn: args.assumeRoleArn,
              sessionName: `${cell.namePrefix}-${cell.name}`,
              ...(args.externalId && { externalId: args.externalId }),
            },
          ],
        }),
        ...(args.tags && { defaultTags: { tags: args.tags } }),
      },
      opts,
    );
  }
}
