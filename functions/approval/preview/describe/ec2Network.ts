import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeTransitGatewayAttachmentsCommand,
  DescribeTransitGatewaysCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
  DescribeVpnConnectionsCommand,
  type EC2Client,
  type NetworkInterface,
} from "@aws-sdk/client-ec2";
import { type Describer, inputText } from "../describer";
import { details, type Inquiry, items, missing, subject, tagMap } from "../inquiry";
import type { Item, Subject } from "../preview";

interface Tagged {
  readonly Tags?: { Key?: string; Value?: string }[];
}

/** A describer for calls that take one id: the resource itself by its id, the rest by further questions. */
function single<T extends Tagged>(
  input: string,
  noun: string,
  actions: readonly string[],
  find: (ec2: EC2Client, id: string) => Promise<T | undefined>,
  more: (
    found: T,
    id: string,
    ec2: EC2Client,
    inquiry: Inquiry,
  ) => Promise<Partial<Subject>> | Partial<Subject>,
): Describer {
  return {
    actions,
    async describe(plan, { ec2 }, inquiry) {
      const [arn] = plan.targets as [string];
      const id = inputText(plan, input);
      const answer = await inquiry.ask(`the ${noun}`, () => find(ec2, id));
      if (!("value" in answer)) return [missing(arn, answer)];
      if (!answer.value) return [subject(arn, { presence: "absent" })];
      const tags = tagMap(answer.value.Tags);
      const parts = await more(answer.value, id, ec2, inquiry);
      return [
        subject(arn, {
          ...parts,
          tags,
          details: [...details({ Name: tags.Name }), ...(parts.details ?? [])],
        }),
      ];
    },
  };
}

function interfaceItem({
  NetworkInterfaceId = "?",
  Attachment,
  Description,
  PrivateIpAddress,
}: NetworkInterface): Item {
  const note = [Attachment?.InstanceId, PrivateIpAddress, Description].filter(Boolean).join(", ");
  return { kind: "network interface", id: NetworkInterfaceId, note };
}

/** The network interfaces that a filter finds. */
async function interfacesBy(name: string, value: string, ec2: EC2Client, inquiry: Inquiry): Promise<Item[]> {
  const found = await inquiry.list("network interfaces", () =>
    ec2.send(new DescribeNetworkInterfacesCommand({ Filters: [{ Name: name, Values: [value] }] })),
  );
  return (found?.NetworkInterfaces ?? []).map(interfaceItem);
}

const ifAny = (list: readonly unknown[], text: string) => (list.length > 0 ? [text] : []);

export const DELETE_SUBNET = single(
  "SubnetId",
  "subnet",
  ["ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces"],
  async (ec2, id) => (await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] }))).Subnets?.[0],
  async (subnet, id, ec2, inquiry) => {
    const affected = await interfacesBy("subnet-id", id, ec2, inquiry);
    return {
      details: details({ VPC: subnet.VpcId, Addresses: subnet.CidrBlock, Zone: subnet.AvailabilityZone }),
      affected,
      obstacles: ifAny(affected, "the subnet has network interfaces"),
    };
  },
);

export const DELETE_VPC = single(
  "VpcId",
  "VPC",
  [
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
  ],
  async (ec2, id) => (await ec2.send(new DescribeVpcsCommand({ VpcIds: [id] }))).Vpcs?.[0],
  async (vpc, id, ec2, inquiry) => {
    const subnets = await inquiry.list("subnets", () =>
      ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: "vpc-id", Values: [id] }] })),
    );
    const gateways = await inquiry.list("internet gateways", () =>
      ec2.send(
        new DescribeInternetGatewaysCommand({ Filters: [{ Name: "attachment.vpc-id", Values: [id] }] }),
      ),
    );
    const affected = [
      ...items("subnet", subnets?.Subnets?.map(({ SubnetId }) => SubnetId) ?? []),
      ...items(
        "internet gateway",
        gateways?.InternetGateways?.map(({ InternetGatewayId }) => InternetGatewayId) ?? [],
      ),
      ...(await interfacesBy("vpc-id", id, ec2, inquiry)),
    ];
    return {
      details: details({ Addresses: vpc.CidrBlock, Default: vpc.IsDefault }),
      affected,
      obstacles: ifAny(affected, "the VPC is not empty"),
    };
  },
);

export const DELETE_INTERNET_GATEWAY = single(
  "InternetGatewayId",
  "internet gateway",
  ["ec2:DescribeInternetGateways"],
  async (ec2, id) =>
    (await ec2.send(new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] }))).InternetGateways?.[0],
  ({ Attachments = [] }) => {
    const affected = items(
      "VPC",
      Attachments.map(({ VpcId }) => VpcId),
    );
    return { affected, obstacles: ifAny(affected, "the gateway is attached to a VPC") };
  },
);

export const DELETE_NETWORK_INTERFACE = single(
  "NetworkInterfaceId",
  "network interface",
  ["ec2:DescribeNetworkInterfaces"],
  async (ec2, id) => {
    const { NetworkInterfaces } = await ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] }),
    );
    const [found] = NetworkInterfaces ?? [];
    return found && { ...found, Tags: found.TagSet };
  },
  ({ Attachment, VpcId, SubnetId, PrivateIpAddress, Description, InterfaceType, Association }) => ({
    details: details({
      VPC: VpcId,
      Subnet: SubnetId,
      Address: PrivateIpAddress,
      "Public address": Association?.PublicIp,
      Type: InterfaceType,
      Description,
    }),
    affected: items("instance", [Attachment?.InstanceId]),
    obstacles: Attachment ? ["the network interface is attached"] : [],
  }),
);

export const DELETE_NAT_GATEWAY = single(
  "NatGatewayId",
  "NAT gateway",
  ["ec2:DescribeNatGateways", "ec2:DescribeRouteTables"],
  async (ec2, id) => {
    const { NatGateways } = await ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [id] }));
    return NatGateways?.find(({ State }) => State !== "deleted");
  },
  async (gateway, id, ec2, inquiry) => {
    const routes = await inquiry.list("routes to the gateway", () =>
      ec2.send(new DescribeRouteTablesCommand({ Filters: [{ Name: "route.nat-gateway-id", Values: [id] }] })),
    );
    return {
      details: details({
        VPC: gateway.VpcId,
        Subnet: gateway.SubnetId,
        State: gateway.State,
        "Public address": gateway.NatGatewayAddresses?.map(({ PublicIp }) => PublicIp)
          .filter(Boolean)
          .sort()
          .join(", "),
      }),
      affected: items("route table", routes?.RouteTables?.map(({ RouteTableId }) => RouteTableId) ?? []),
    };
  },
);

export const DELETE_TRANSIT_GATEWAY = single(
  "TransitGatewayId",
  "transit gateway",
  ["ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments"],
  async (ec2, id) => {
    const { TransitGateways } = await ec2.send(
      new DescribeTransitGatewaysCommand({ TransitGatewayIds: [id] }),
    );
    return TransitGateways?.find(({ State }) => State !== "deleted");
  },
  async (gateway, id, ec2, inquiry) => {
    const found = await inquiry.list("attachments of the gateway", () =>
      ec2.send(
        new DescribeTransitGatewayAttachmentsCommand({
          Filters: [{ Name: "transit-gateway-id", Values: [id] }],
        }),
      ),
    );
    const affected = (found?.TransitGatewayAttachments ?? [])
      .filter(({ State }) => State !== "deleted")
      .map(({ TransitGatewayAttachmentId = "?", ResourceId, ResourceType, ResourceOwnerId }) => ({
        kind: "attachment",
        id: TransitGatewayAttachmentId,
        note: [ResourceType, ResourceId, ResourceOwnerId].filter(Boolean).join(", "),
      }));
    return {
      details: details({ State: gateway.State, Description: gateway.Description, Owner: gateway.OwnerId }),
      affected,
      obstacles: ifAny(affected, "the gateway has attachments"),
    };
  },
);

export const DELETE_SECURITY_GROUP = single(
  "GroupId",
  "security group",
  ["ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"],
  async (ec2, id) =>
    (await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }))).SecurityGroups?.[0],
  async (group, id, ec2, inquiry) => {
    const affected = await interfacesBy("group-id", id, ec2, inquiry);
    return {
      details: details({
        "Group name": group.GroupName,
        Description: group.Description,
        VPC: group.VpcId,
        "Rules in": group.IpPermissions?.length,
        "Rules out": group.IpPermissionsEgress?.length,
      }),
      affected,
      obstacles: ifAny(affected, "network interfaces use the group"),
    };
  },
);

export const DELETE_ROUTE_TABLE = single(
  "RouteTableId",
  "route table",
  ["ec2:DescribeRouteTables"],
  async (ec2, id) =>
    (await ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }))).RouteTables?.[0],
  ({ VpcId, Routes = [], Associations = [] }) => {
    const affected = items(
      "subnet",
      Associations.map(({ SubnetId }) => SubnetId),
    );
    return {
      details: details({ VPC: VpcId, Routes: Routes.length, Main: Associations.some(({ Main }) => Main) }),
      affected,
      obstacles: ifAny(Associations, "the route table is associated"),
    };
  },
);

export const DELETE_VPC_PEERING_CONNECTION = single(
  "VpcPeeringConnectionId",
  "VPC peering connection",
  ["ec2:DescribeVpcPeeringConnections"],
  async (ec2, id) => {
    const { VpcPeeringConnections } = await ec2.send(
      new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }),
    );
    return VpcPeeringConnections?.find(({ Status }) => Status?.Code !== "deleted");
  },
  ({ Status, AccepterVpcInfo, RequesterVpcInfo }) => ({
    details: details({ State: Status?.Code }),
    affected: [RequesterVpcInfo, AccepterVpcInfo].flatMap((side) =>
      side?.VpcId
        ? [{ kind: "VPC", id: side.VpcId, note: [side.OwnerId, side.Region].filter(Boolean).join(", ") }]
        : [],
    ),
  }),
);

export const DELETE_VPN_CONNECTION = single(
  "VpnConnectionId",
  "VPN connection",
  ["ec2:DescribeVpnConnections"],
  async (ec2, id) => {
    const { VpnConnections } = await ec2.send(new DescribeVpnConnectionsCommand({ VpnConnectionIds: [id] }));
    return VpnConnections?.find(({ State }) => State !== "deleted");
  },
  ({ State, CustomerGatewayId, VpnGatewayId, TransitGatewayId }) => ({
    details: details({ State }),
    affected: [
      ...items("customer gateway", [CustomerGatewayId]),
      ...items("VPN gateway", [VpnGatewayId]),
      ...items("transit gateway", [TransitGatewayId]),
    ],
  }),
);

export const RELEASE_ADDRESS = single(
  "AllocationId",
  "address",
  ["ec2:DescribeAddresses"],
  async (ec2, id) => (await ec2.send(new DescribeAddressesCommand({ AllocationIds: [id] }))).Addresses?.[0],
  ({ PublicIp, AssociationId, InstanceId, NetworkInterfaceId }) => ({
    details: details({ Address: PublicIp && `${PublicIp}: nobody gets it back for certain` }),
    affected: [...items("instance", [InstanceId]), ...items("network interface", [NetworkInterfaceId])],
    obstacles: AssociationId ? ["the address is in use"] : [],
  }),
);
