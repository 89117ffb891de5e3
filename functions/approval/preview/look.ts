import type { PlannedOperation } from "../operations/plan";
import type { PreviewClients } from "./clients";
import { TERMINATE_INSTANCES } from "./describe/ec2Instances";
import * as network from "./describe/ec2Network";
import { DELETE_SNAPSHOT, DELETE_VOLUME, DEREGISTER_IMAGE } from "./describe/ec2Storage";
import { DELETE_EKS_CLUSTER, DELETE_NODEGROUP } from "./describe/eks";
import * as elb from "./describe/elasticLoadBalancing";
import { DELETE_FUNCTION, DELETE_TABLE, SCHEDULE_KEY_DELETION } from "./describe/otherServices";
import * as rds from "./describe/rds";
import { DELETE_ACCESS_POINT, DELETE_BUCKET, DELETE_BUCKET_POLICY } from "./describe/s3";
import type { Describer } from "./describer";
import { Inquiry, subject } from "./inquiry";
import { type Preview, tidy } from "./preview";

/** Who looks at what an operation is about, by the SDK's client and API. */
const DESCRIBERS: Readonly<Record<string, Describer>> = {
  "rds DeleteDBInstance": rds.DELETE_DB_INSTANCE,
  "rds DeleteDBCluster": rds.DELETE_DB_CLUSTER,
  "rds DeleteDBSnapshot": rds.DELETE_DB_SNAPSHOT,
  "rds DeleteDBClusterSnapshot": rds.DELETE_DB_CLUSTER_SNAPSHOT,
  "ec2 TerminateInstances": TERMINATE_INSTANCES,
  "ec2 DeleteSubnet": network.DELETE_SUBNET,
  "ec2 DeleteVpc": network.DELETE_VPC,
  "ec2 DeleteVolume": DELETE_VOLUME,
  "ec2 DeleteInternetGateway": network.DELETE_INTERNET_GATEWAY,
  "ec2 DeleteNetworkInterface": network.DELETE_NETWORK_INTERFACE,
  "ec2 DeleteNatGateway": network.DELETE_NAT_GATEWAY,
  "ec2 DeleteTransitGateway": network.DELETE_TRANSIT_GATEWAY,
  "ec2 DeleteSnapshot": DELETE_SNAPSHOT,
  "ec2 DeleteSecurityGroup": network.DELETE_SECURITY_GROUP,
  "ec2 DeleteRouteTable": network.DELETE_ROUTE_TABLE,
  "ec2 DeleteVpcPeeringConnection": network.DELETE_VPC_PEERING_CONNECTION,
  "ec2 DeleteVpnConnection": network.DELETE_VPN_CONNECTION,
  "ec2 DeregisterImage": DEREGISTER_IMAGE,
  "ec2 ReleaseAddress": network.RELEASE_ADDRESS,
  "s3 DeleteBucket": DELETE_BUCKET,
  "s3 DeleteBucketPolicy": DELETE_BUCKET_POLICY,
  "s3control DeleteAccessPoint": DELETE_ACCESS_POINT,
  "eks DeleteCluster": DELETE_EKS_CLUSTER,
  "eks DeleteNodegroup": DELETE_NODEGROUP,
  "elbv2 DeleteLoadBalancer": elb.DELETE_LOAD_BALANCER,
  "elb DeleteLoadBalancer": elb.DELETE_CLASSIC_LOAD_BALANCER,
  "elbv2 DeleteTargetGroup": elb.DELETE_TARGET_GROUP,
  "elbv2 DeleteListener": elb.DELETE_LISTENER,
  "dynamodb DeleteTable": DELETE_TABLE,
  "kms ScheduleKeyDeletion": SCHEDULE_KEY_DELETION,
  "lambda DeleteFunction": DELETE_FUNCTION,
};

/** The IAM actions that previews read with, for the role that looks: none of them changes anything. */
export const PREVIEW_ACTIONS: readonly string[] = [
  ...new Set(Object.values(DESCRIBERS).flatMap(({ actions }) => actions)),
].sort();

/**
 * Looks at the resources of an operation, as they are now. It does not fail: what AWS does not say is among the unknown.
 * @param clients of the operation's account and region, with permissions to read
 */
export async function lookAt(plan: PlannedOperation, clients: PreviewClients): Promise<Preview> {
  const { service, api } = plan.operation;
  const inquiry = new Inquiry();
  const describer = DESCRIBERS[`${service} ${api}`];
  if (!describer) {
    inquiry.gap(`what ${api} is about`, "unavailable");
    return {
      subjects: plan.targets.map((arn) => subject(arn, { presence: "unknown" })),
      unknown: inquiry.unknown,
    };
  }
  const subjects = await describer.describe(plan, clients, inquiry);
  return tidy({ subjects, unknown: inquiry.unknown });
}
