import {
  arn,
  isRegionName,
  type Partition,
  partitionOf,
  STS_ENDPOINT_KINDS,
  type StsEndpointKind,
} from "./partition";

/**
 * A cell: one stack's region, account and naming. Everything that a cell needs to work stands in its own region.
 *
 * @example
 * const cell = { name: "prod", region: "us-east-1", accountId: "222222222222" };
 */
export interface CellArgs {
  /**
   * Required. The cell's name, unique in the account and part of IAM role names: the stack's name, such as `prod`.
   * @example "prod"
   */
  name: string;
  /**
   * Required. The region that everything of the cell stands in.
   * @example "us-east-1"
   */
  region: string;
  /**
   * Required. The account that the cell is deployed into, 12 digits.
   * @example "222222222222"
   */
  accountId: string;
  /**
   * First part of every physical name.
   * @default "bulkhead"
   * @example "acme-bulkhead"
   */
  namePrefix?: string;
  /**
   * Which of the region's STS endpoints is used: `regional`, `fips`, `dualstack` or `fips-dualstack` (fact 5).
   * @default "regional"
   * @example "fips"
   */
  stsEndpoint?: string;
}

/** A cell with its defaults filled in and its values checked. */
export interface Cell {
  readonly name: string;
  readonly region: string;
  readonly accountId: string;
  readonly namePrefix: string;
  readonly stsEndpoint: StsEndpointKind;
  readonly partition: Partition;
}

/**
 * Checks a cell's arguments and fills in the defaults.
 * @throws Error naming the argument, its value and what is allowed.
 */
export function normalizeCell(args: CellArgs): Cell {
  const cell = { namePrefix: "bulkhead", stsEndpoint: "regional", ...args };
  const refuse = (argument: keyof CellArgs, allowed: string): never => {
    throw new Error(`cell.${argument} is "${cell[argument]}": ${allowed}`);
  };
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(cell.name)) {
    refuse("name", "a lower-case letter, then at most 19 lower-case letters, digits and hyphens");
  }
  if (!isRegionName(cell.region)) refuse("region", "the name of an AWS region, such as us-west-2");
  if (!/^\d{12}$/.test(cell.accountId)) refuse("accountId", "an account id of 12 digits");
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(cell.namePrefix)) {
    refuse("namePrefix", "a lower-case letter, then at most 19 lower-case letters, digits and hyphens");
  }
  const stsEndpoint = STS_ENDPOINT_KINDS.find((kind) => kind === cell.stsEndpoint);
  if (!stsEndpoint) return refuse("stsEndpoint", `one of ${STS_ENDPOINT_KINDS.join(", ")}`);
  return { ...cell, stsEndpoint, partition: partitionOf(cell.region) };
}

/** ARN of a resource of the cell's own region and account. */
export function cellArn(cell: Cell, service: string, resource: string): string {
  return arn({ partition: cell.partition, service, region: cell.region, account: cell.accountId, resource });
}

/** ARN of an IAM resource (or of STS) in the cell's account: no region. */
export function cellIamArn(cell: Cell, resource: string): string {
  return arn({ partition: cell.partition, service: "iam", account: cell.accountId, resource });
}

/** Name of something that exists once an account and is shared by no other cell: prefix, name, cell. */
export function cellScopedName(cell: Cell, name: string): string {
  return `${cell.namePrefix}-${name}-${cell.name}`;
}

/** Name of something regional, equal in every cell: prefix, name. */
export function regionalName(cell: Cell, name: string): string {
  return `${cell.namePrefix}-${name}`;
}
