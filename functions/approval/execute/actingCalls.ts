/** The calls that can be made after approval: this table and no other one. An operation of the catalogue that is not here cannot be carried out. */
import { DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as ec2 from "@aws-sdk/client-ec2";
import { DeleteClusterCommand, DeleteNodegroupCommand, EKSClient } from "@aws-sdk/client-eks";
import {
  DeleteLoadBalancerCommand as DeleteClassicLoadBalancerCommand,
  ElasticLoadBalancingClient,
} from "@aws-sdk/client-elastic-load-balancing";
import {
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { KMSClient, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { DeleteFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as rds from "@aws-sdk/client-rds";
import { DeleteBucketCommand, DeleteBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteAccessPointCommand, S3ControlClient } from "@aws-sdk/client-s3-control";
import type { Operation } from "../operations/plan";

/** Credentials of a session. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What an acting client is made with. */
export interface ActingClientSettings {
  readonly region: string;
  readonly credentials: SessionCredentials;
  /** The call is made once: a second attempt would be a second execution. */
  readonly maxAttempts: 1;
  readonly requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    throwOnRequestTimeout: boolean;
  };
  /** @default AWS's own */
  readonly endpoint?: string;
}

interface Sent {
  readonly $metadata: { readonly requestId?: string | undefined };
}

/** Makes a call: its input is the operation's, which was checked against the catalogue. */
type ActingCall = (
  input: Operation["input"],
  settings: ActingClientSettings,
  abort: AbortSignal,
) => Promise<Sent>;

interface Client {
  send(command: unknown, options: { abortSignal: AbortSignal }): Promise<Sent>;
  destroy(): void;
}

/** One call of one client. The input was checked against the catalogue, which stands for its shape. */
function call(client: unknown, command: unknown): ActingCall {
  const ClientOf = client as new (settings: ActingClientSettings) => Client;
  const CommandOf = command as new (input: Operation["input"]) => unknown;
  return async (input, settings, abort) => {
    const acting = new ClientOf(settings);
    try {
      return await acting.send(new CommandOf(input), { abortSignal: abort });
    } finally {
      acting.destroy();
    }
  };
}

const ec2Call = (command: unknown) => call(ec2.EC2Client, command);
const rdsCall = (command: unknown) => call(rds.RDSClient, command);

/** By the SDK's client and API. */
export const ACTING_CALLS: Readonly<Record<string, ActingCall>> = {
  "ec2 TerminateInstances": ec2Call(ec2.TerminateInstancesCommand),
  "ec2 DeleteSubnet": ec2Call(ec2.DeleteSubnetCommand),
  "ec2 DeleteVpc": ec2Call(ec2.DeleteVpcCommand),
  "ec2 DeleteVolume": ec2Call(ec2.DeleteVolumeCommand),
  "ec2 DeleteInternetGateway": ec2Call(ec2.DeleteInternetGatewayCommand),
  "ec2 DeleteNetworkInterface": ec2Call(ec2.DeleteNetworkInterfaceCommand),
  "ec2 DeleteNatGateway": ec2Call(ec2.DeleteNatGatewayCommand),
  "ec2 DeleteTransitGateway": ec2Call(ec2.DeleteTransitGatewayCommand),
  "ec2 DeleteSnapshot": ec2Call(ec2.DeleteSnapshotCommand),
  "ec2 DeleteSecurityGroup": ec2Call(ec2.DeleteSecurityGroupCommand),
  "ec2 DeleteRouteTable": ec2Call(ec2.DeleteRouteTableCommand),
  "ec2 DeleteVpcPeeringConnection": ec2Call(ec2.DeleteVpcPeeringConnectionCommand),
  "ec2 DeleteVpnConnection": ec2Call(ec2.DeleteVpnConnectionCommand),
  "ec2 DeregisterImage": ec2Call(ec2.DeregisterImageCommand),
  "ec2 ReleaseAddress": ec2Call(ec2.ReleaseAddressCommand),
  "rds DeleteDBInstance": rdsCall(rds.DeleteDBInstanceCommand),
  "rds DeleteDBCluster": rdsCall(rds.DeleteDBClusterCommand),
  "rds DeleteDBSnapshot": rdsCall(rds.DeleteDBSnapshotCommand),
  "rds DeleteDBClusterSnapshot": rdsCall(rds.DeleteDBClusterSnapshotCommand),
  "s3 DeleteBucket": call(S3Client, DeleteBucketCommand),
  "s3 DeleteBucketPolicy": call(S3Client, DeleteBucketPolicyCommand),
  "s3control DeleteAccessPoint": call(S3ControlClient, DeleteAccessPointCommand),
  "eks DeleteCluster": call(EKSClient, DeleteClusterCommand),
  "eks DeleteNodegroup": call(EKSClient, DeleteNodegroupCommand),
  "elb DeleteLoadBalancer": call(ElasticLoadBalancingClient, DeleteClassicLoadBalancerCommand),
  "elbv2 DeleteLoadBalancer": call(ElasticLoadBalancingV2Client, DeleteLoadBalancerCommand),
  "elbv2 DeleteTargetGroup": call(ElasticLoadBalancingV2Client, DeleteTargetGroupCommand),
  "elbv2 DeleteListener": call(ElasticLoadBalancingV2Client, DeleteListenerCommand),
  "dynamodb DeleteTable": call(DynamoDBClient, DeleteTableCommand),
  "kms ScheduleKeyDeletion": call(KMSClient, ScheduleKeyDeletionCommand),
  "lambda DeleteFunction": call(LambdaClient, DeleteFunctionCommand),
};
