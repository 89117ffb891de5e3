import type { OperationDefinition } from "./definition";
import { ec2Id, exactly, listOf, text } from "./values";

const EC2 = {
  eventSource: "ec2.amazonaws.com",
  service: "ec2",
  client: "@aws-sdk/client-ec2",
  fromArn: true,
} as const;

/** Every call of EC2 may carry it; true is a rehearsal, which intake leaves alone. */
const notADryRun = { key: "dryRun", kind: exactly(false) };

interface Single {
  api: string;
  /** Of the parameter, as the SDK has it: `SubnetId`. */
  id: string;
  prefix: string;
  noun: string;
  /** In ARNs: `subnet`. */
  type: string;
  danger: OperationDefinition["danger"];
  title: string;
  byDefault?: boolean;
  /** The newer calls keep their parameters, in the SDK's spelling, in a structure named for the call. */
  wrapped?: boolean;
  /** Snapshots and images belong to no account in their ARN. */
  ofAccount?: boolean;
  harmless?: OperationDefinition["harmless"];
  parameters?: OperationDefinition["parameters"];
}

/** A call that takes the id of one resource. */
function single(call: Single): OperationDefinition {
  const { api, id, prefix, noun, type, wrapped = false, ofAccount = true } = call;
  const key = wrapped ? id : id.charAt(0).toLowerCase() + id.slice(1);
  return {
    ...EC2,
    event: `ec2:${api}`,
    eventName: api,
    api,
    byDefault: call.byDefault ?? true,
    danger: call.danger,
    title: call.title,
    ...(wrapped && { wrapper: `${api}Request` }),
    parameters: [{ key, input: id, kind: ec2Id(prefix, noun), required: true }, ...(call.parameters ?? [])],
    harmless: [...(wrapped ? [{ ...notADryRun, key: "DryRun" }] : [notADryRun]), ...(call.harmless ?? [])],
    grants: [
      {
        actions: [`ec2:${api}`],
        resource: { service: "ec2", regional: true, ofAccount, resource: `${type}/{${id}}` },
      },
    ],
  };
}

/** Calls of EC2. Shapes of requestParameters are those of genuine records. */
export const EC2_OPERATIONS: readonly OperationDefinition[] = [
  {
    ...EC2,
    event: "ec2:TerminateInstances",
    eventName: "TerminateInstances",
    api: "TerminateInstances",
    byDefault: true,
    danger: "data",
    title: "Terminate instances",
    parameters: [
      {
        key: "instancesSet",
        input: "InstanceIds",
        kind: listOf(ec2Id("i", "an instance id")),
        required: true,
        itemMember: "instanceId",
      },
    ],
    // Both would skip what an orderly end needs; only their defaults are taken.
    harmless: [
      notADryRun,
      { key: "force", kind: exactly(false) },
      { key: "skipOsShutdown", kind: exactly(false) },
    ],
    grants: [
      {
        actions: ["ec2:TerminateInstances"],
        resource: { service: "ec2", regional: true, ofAccount: true, resource: "instance/{InstanceIds}" },
      },
    ],
  },
  single({
    api: "DeleteSubnet",
    id: "SubnetId",
    prefix: "subnet",
    noun: "a subnet id",
    type: "subnet",
    danger: "service",
    title: "Delete a subnet",
  }),
  single({
    api: "DeleteVpc",
    id: "VpcId",
    prefix: "vpc",
    noun: "a VPC id",
    type: "vpc",
    danger: "service",
    title: "Delete a VPC",
  }),
  single({
    api: "DeleteVolume",
    id: "VolumeId",
    prefix: "vol",
    noun: "a volume id",
    type: "volume",
    danger: "data",
    title: "Delete a volume",
    harmless: [{ key: "reportVolumeFailure", kind: exactly(false) }],
  }),
  single({
    api: "DeleteInternetGateway",
    id: "InternetGatewayId",
    prefix: "igw",
    noun: "an internet gateway id",
    type: "internet-gateway",
    danger: "service",
    title: "Delete an internet gateway",
  }),
  single({
    api: "DeleteNetworkInterface",
    id: "NetworkInterfaceId",
    prefix: "eni",
    noun: "a network interface id",
    type: "network-interface",
    danger: "service",
    title: "Delete a network interface",
  }),
  single({
    api: "DeleteNatGateway",
    id: "NatGatewayId",
    prefix: "nat",
    noun: "a NAT gateway id",
    type: "natgateway",
    danger: "service",
    title: "Delete a NAT gateway",
    wrapped: true,
  }),
  single({
    api: "DeleteTransitGateway",
    id: "TransitGatewayId",
    prefix: "tgw",
    noun: "a transit gateway id",
    type: "transit-gateway",
    danger: "service",
    title: "Delete a transit gateway",
    wrapped: true,
  }),
  single({
    api: "DeleteSnapshot",
    id: "SnapshotId",
    prefix: "snap",
    noun: "a snapshot id",
    type: "snapshot",
    danger: "data",
    title: "Delete a snapshot",
    ofAccount: false,
    harmless: [{ key: "force", kind: exactly(false) }],
  }),
  single({
    api: "DeleteSecurityGroup",
    id: "GroupId",
    prefix: "sg",
    noun: "a security group id",
    type: "security-group",
    danger: "access",
    title: "Delete a security group",
    byDefault: false,
  }),
  single({
    api: "DeleteRouteTable",
    id: "RouteTableId",
    prefix: "rtb",
    noun: "a route table id",
    type: "route-table",
    danger: "service",
    title: "Delete a route table",
    byDefault: false,
  }),
  single({
    api: "DeleteVpcPeeringConnection",
    id: "VpcPeeringConnectionId",
    prefix: "pcx",
    noun: "a VPC peering connection id",
    type: "vpc-peering-connection",
    danger: "service",
    title: "Delete a VPC peering connection",
    byDefault: false,
  }),
  single({
    api: "DeleteVpnConnection",
    id: "VpnConnectionId",
    prefix: "vpn",
    noun: "a VPN connection id",
    type: "vpn-connection",
    danger: "service",
    title: "Delete a VPN connection",
    byDefault: false,
  }),
  single({
    api: "DeregisterImage",
    id: "ImageId",
    prefix: "ami",
    noun: "an image id",
    type: "image",
    danger: "data",
    title: "Deregister an image",
    byDefault: false,
    ofAccount: false,
    // True would delete snapshots that the record does not name, and no exact permission can be given for those.
    harmless: [{ key: "deleteAssociatedSnapshots", kind: exactly(false) }],
  }),
  {
    ...single({
      api: "ReleaseAddress",
      id: "AllocationId",
      prefix: "eipalloc",
      noun: "an allocation id",
      type: "elastic-ip",
      danger: "service",
      title: "Release an Elastic IP address",
      byDefault: false,
      parameters: [
        {
          key: "networkBorderGroup",
          input: "NetworkBorderGroup",
          kind: text("a network border group", /^[a-z]{2}(-[a-z0-9]+)+$/, 64),
        },
      ],
    }),
  },
];
