/** The provider's functions (`aws.getRegion()` and the like). */
import { arn, dnsSuffix, partitionOf } from "../../components/regional/partition";
import type { AwsContext } from "./context";
import { StandInError } from "./errors";
import { tagMap } from "./handler";
import { bool, type Inputs, list, map, normalizeFields, obj, str } from "./schema";
import type { CheckFailure, Props } from "./types";

interface ProviderFunction {
  inputs: Inputs;
  run(aws: AwsContext, args: Props): Promise<Props>;
}

const filters = list(obj({ name: str({ required: true }), values: list(str(), { required: true }) }));

/** EC2's filters from the ways in which the functions' arguments express them. */
function ec2Filters(
  args: Props,
  byArgument: Record<string, string>,
): { Name: string; Values: string[] }[] | undefined {
  const result = Object.entries(byArgument)
    .filter(([key]) => args[key] !== undefined)
    .map(([key, Name]) => ({ Name, Values: [String(args[key])] }));
  for (const [key, value] of Object.entries(args.tags ?? {})) {
    result.push({ Name: `tag:${key}`, Values: [String(value)] });
  }
  for (const filter of args.filters ?? []) result.push({ Name: filter.name, Values: filter.values });
  return result.length > 0 ? result : undefined;
}

function ec2Arn(region: string, account: string | undefined, resource: string): string {
  return arn({ partition: partitionOf(region), service: "ec2", region, account, resource });
}

/** The single match; the genuine provider fails likewise on none and on many. */
function single<T>(what: string, found: readonly T[] | undefined): T {
  if (found?.length === 1) return found[0] as T;
  throw new StandInError(
    found?.length
      ? `${found.length} ${what}s match; ask more precisely`
      : `no ${what} matches; ask for an existing one`,
  );
}

const FUNCTIONS: Record<string, ProviderFunction> = {
  "aws:index/getCallerIdentity:getCallerIdentity": {
    inputs: {},
    async run(aws) {
      const { account, arn, userId } = await aws.identity();
      return { id: account, accountId: account, arn, userId };
    },
  },
  "aws:index/getRegion:getRegion": {
    inputs: { region: str(), name: str() },
    async run(aws, args) {
      const region = args.region ?? args.name ?? aws.region;
      return {
        id: region,
        region,
        name: region,
        description: region,
        endpoint: `ec2.${region}.${dnsSuffix(partitionOf(region))}`,
      };
    },
  },
  "aws:index/getPartition:getPartition": {
    inputs: {},
    async run(aws) {
      const partition = partitionOf(aws.region);
      const suffix = dnsSuffix(partition);
      const reverseDnsPrefix = suffix.split(".").reverse().join(".");
      return { id: partition, partition, dnsSuffix: suffix, reverseDnsPrefix };
    },
  },
  "aws:ec2/getVpc:getVpc": {
    inputs: {
      id: str(),
      region: str(),
      cidrBlock: str(),
      default: bool(),
      dhcpOptionsId: str(),
      state: str(),
      tags: map(),
      filters,
    },
    async run(aws, args) {
      const region = args.region ?? aws.region;
      const ec2 = await aws.client("ec2", region);
      const { Vpcs } = await ec2.describeVpcs({
        VpcIds: args.id && [args.id],
        Filters: ec2Filters(args, {
          cidrBlock: "cidr",
          default: "isDefault",
          dhcpOptionsId: "dhcp-options-id",
          state: "state",
        }),
      });
      const vpc = single("VPC", Vpcs);
      const { RouteTables } = await ec2.describeRouteTables({
        Filters: [
          { Name: "vpc-id", Values: [vpc.VpcId!] },
          { Name: "association.main", Values: ["true"] },
        ],
      });
      const ask = async (Attribute: "enableDnsSupport" | "enableDnsHostnames") =>
        ec2.describeVpcAttribute({ VpcId: vpc.VpcId, Attribute });
      const support = (await ask("enableDnsSupport")).EnableDnsSupport?.Value ?? true;
      const hostnames = (await ask("enableDnsHostnames")).EnableDnsHostnames?.Value ?? false;
      return {
        id: vpc.VpcId,
        arn: ec2Arn(region, vpc.OwnerId, `vpc/${vpc.VpcId}`),
        cidrBlock: vpc.CidrBlock,
        cidrBlockAssociations: (vpc.CidrBlockAssociationSet ?? []).map((association) => ({
          associationId: association.AssociationId,
          cidrBlock: association.CidrBlock,
          state: association.CidrBlockState?.State,
        })),
        default: vpc.IsDefault ?? false,
        dhcpOptionsId: vpc.DhcpOptionsId,
        enableDnsHostnames: hostnames,
        enableDnsSupport: support,
        instanceTenancy: vpc.InstanceTenancy,
        mainRouteTableId: RouteTables?.[0]?.RouteTableId,
        ownerId: vpc.OwnerId,
        region,
        state: vpc.State,
        tags: tagMap(vpc.Tags),
      };
    },
  },
  "aws:ec2/getSubnet:getSubnet": {
    inputs: {
      id: str(),
      region: str(),
      availabilityZone: str(),
      availabilityZoneId: str(),
      cidrBlock: str(),
      defaultForAz: bool(),
      state: str(),
      vpcId: str(),
      tags: map(),
      filters,
    },
    async run(aws, args) {
      const region = args.region ?? aws.region;
      const ec2 = await aws.client("ec2", region);
      const { Subnets } = await ec2.describeSubnets({
        SubnetIds: args.id && [args.id],
        Filters: ec2Filters(args, {
          availabilityZone: "availabilityZone",
          availabilityZoneId: "availabilityZoneId",
          cidrBlock: "cidrBlock",
          defaultForAz: "defaultForAz",
          state: "state",
          vpcId: "vpc-id",
        }),
      });
      const subnet = single("subnet", Subnets);
      return {
        id: subnet.SubnetId,
        arn: subnet.SubnetArn ?? ec2Arn(region, subnet.OwnerId, `subnet/${subnet.SubnetId}`),
        availabilityZone: subnet.AvailabilityZone,
        availabilityZoneId: subnet.AvailabilityZoneId,
        availableIpAddressCount: subnet.AvailableIpAddressCount,
        cidrBlock: subnet.CidrBlock,
        defaultForAz: subnet.DefaultForAz ?? false,
        mapPublicIpOnLaunch: subnet.MapPublicIpOnLaunch ?? false,
        ownerId: subnet.OwnerId,
        region,
        state: subnet.State,
        tags: tagMap(subnet.Tags),
        vpcId: subnet.VpcId,
      };
    },
  },
  "aws:ec2/getSubnets:getSubnets": {
    inputs: { region: str(), tags: map(), filters },
    async run(aws, args) {
      const region = args.region ?? aws.region;
      const ec2 = await aws.client("ec2", region);
      const { Subnets } = await ec2.describeSubnets({ Filters: ec2Filters(args, {}) });
      const ids = (Subnets ?? []).map((subnet) => subnet.SubnetId!).sort();
      return { id: region, ids, region, filters: args.filters, tags: args.tags ?? {} };
    },
  },
};

/**
 * Calls one of the provider's functions.
 * @throws StandInError when the function or one of its arguments is not implemented
 */
export async function invokeFunction(aws: AwsContext, token: string, args: Props): Promise<Props> {
  const called = FUNCTIONS[token];
  if (!called)
    throw new StandInError(`function ${token} is not implemented; use the genuine provider on real AWS`);
  const failures: CheckFailure[] = [];
  const given = normalizeFields(
    called.inputs,
    args,
    "",
    failures,
    (path) => `argument "${path}" is not implemented`,
  );
  if (failures.length > 0) {
    throw new StandInError(
      `function ${token}: ${failures.map((failure) => `${failure.property}: ${failure.reason}`).join("; ")}`,
    );
  }
  return called.run(aws, given);
}
