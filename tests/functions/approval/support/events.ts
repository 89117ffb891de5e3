/** Records of CloudTrail as AWS writes them, with made-up ids. */

export const ACCOUNT = "111122223333";
export const REGION = "us-east-1";
export const EVENT_ID = "3c4226b0-1e81-48a8-a333-7fa5f3cbd118";

export type Json = Record<string, unknown>;

/** An IAM user as userIdentity names it. */
export const ALICE: Json = {
  type: "IAMUser",
  principalId: "AIDAJ45Q7YFFAREXAMPLE",
  arn: `arn:aws:iam::${ACCOUNT}:user/ops/alice`,
  accountId: ACCOUNT,
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  userName: "alice",
};

/** A session of a role. */
export function session(role: string, name: string, path = "/"): Json {
  return {
    type: "AssumedRole",
    principalId: `AROAIDPPEZS35WEXAMPLE:${name}`,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`,
    accountId: ACCOUNT,
    accessKeyId: "ASIAIOSFODNN7EXAMPLE",
    sessionContext: {
      sessionIssuer: {
        type: "Role",
        principalId: "AROAIDPPEZS35WEXAMPLE",
        arn: `arn:aws:iam::${ACCOUNT}:role${path}${role}`,
        accountId: ACCOUNT,
        userName: role,
      },
      attributes: { creationDate: "2026-11-22T02:00:00Z", mfaAuthenticated: "true" },
    },
  };
}

/** A denied call. */
export function denied(
  service: string,
  eventName: string,
  requestParameters: unknown,
  changes: Json = {},
): Json {
  const ec2 = service === "ec2";
  return {
    eventVersion: "1.11",
    userIdentity: ALICE,
    eventTime: "2026-11-22T03:00:00Z",
    eventSource: `${service}.amazonaws.com`,
    eventName,
    awsRegion: REGION,
    sourceIPAddress: "203.0.113.7",
    userAgent: "aws-cli/2.31.0",
    errorCode: ec2 ? "Client.UnauthorizedOperation" : "AccessDenied",
    errorMessage: ec2
      ? "You are not authorized to perform this operation. Encoded authorization failure message: ywUZb4ww98QmHK"
      : `User: arn:aws:iam::${ACCOUNT}:user/ops/alice is not authorized to perform: ${service}:${eventName} because no identity-based policy allows it`,
    requestParameters,
    responseElements: null,
    requestID: "ee408f36-ea01-422b-ac14-b0f147c68334",
    eventID: EVENT_ID,
    readOnly: false,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: "Management",
    ...changes,
  };
}

/** The same as EventBridge delivers it. */
export function delivered(record: Json, changes: Json = {}): Json {
  return {
    version: "0",
    id: "8cf4e2a5-6d3f-1f46-2b9d-7b6a1e0d5c3b",
    "detail-type": "AWS API Call via CloudTrail",
    source: `aws.${String(record.eventSource).split(".")[0]}`,
    account: ACCOUNT,
    time: "2026-11-22T03:00:00Z",
    region: REGION,
    resources: [],
    detail: record,
    ...changes,
  };
}

/** The message of a denied call that names the resource. */
export function message(action: string, resource: string, caller = String(ALICE.arn)): string {
  return `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
}

/** Instance ids, each another. */
export function instanceIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `i-${index.toString(16).padStart(17, "0")}`);
}

/** requestParameters of TerminateInstances. */
export function instancesSet(ids: readonly unknown[]): Json {
  return { instancesSet: { items: ids.map((instanceId) => ({ instanceId })) } };
}

const elb = (resource: string) => `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:${resource}`;
export const LOAD_BALANCER = elb("loadbalancer/app/front/813270f8ee6fa76a");
export const TARGET_GROUP = elb("targetgroup/front/297bf72439f1364c");
export const LISTENER = elb("listener/net/front/813270f8ee6fa76a/297bf72439f1364c");

/** A denied call with what has to become of it. */
export interface Case {
  service: string;
  eventName: string;
  parameters: Json;
  call: string;
  input: Json;
  actions: string[];
  resources: string[];
  /** Whether the event has to be configured. */
  extra?: string;
}

const ec2Case = (
  eventName: string,
  key: string,
  input: string,
  id: string,
  resource: string,
  more: { parameters?: Json; extra?: boolean; wrapped?: boolean } = {},
): Case => ({
  service: "ec2",
  eventName,
  parameters: more.wrapped ? { [`${eventName}Request`]: { [key]: id } } : { [key]: id, ...more.parameters },
  call: `ec2 ${eventName}`,
  input: { [input]: id },
  actions: [`ec2:${eventName}`],
  resources: [`arn:aws:ec2:${REGION}:${resource}`],
  ...(more.extra && { extra: `ec2:${eventName}` }),
});

const own = (resource: string) => `${ACCOUNT}:${resource}`;
const rds = (resource: string) => `arn:aws:rds:${REGION}:${ACCOUNT}:${resource}`;

/** Every supported event with the parameters that genuine records have. */
export const CASES: readonly Case[] = [
  {
    service: "rds",
    eventName: "DeleteDBInstance",
    parameters: {
      dBInstanceIdentifier: "Orders-DB",
      deleteAutomatedBackups: true,
      dryRun: false,
      skipFinalSnapshot: true,
    },
    call: "rds DeleteDBInstance",
    input: { DBInstanceIdentifier: "orders-db", SkipFinalSnapshot: true, DeleteAutomatedBackups: true },
    actions: ["rds:DeleteDBInstance"],
    resources: [rds("db:orders-db")],
  },
  {
    service: "rds",
    eventName: "DeleteDBInstance",
    parameters: {
      dBInstanceIdentifier: "orders",
      deleteAutomatedBackups: false,
      finalDBSnapshotIdentifier: "orders-final",
      skipFinalSnapshot: false,
    },
    call: "rds DeleteDBInstance",
    input: {
      DBInstanceIdentifier: "orders",
      SkipFinalSnapshot: false,
      FinalDBSnapshotIdentifier: "orders-final",
      DeleteAutomatedBackups: false,
    },
    actions: ["rds:DeleteDBInstance", "rds:CreateDBSnapshot", "rds:AddTagsToResource"],
    resources: [rds("db:orders"), rds("snapshot:orders-final")],
  },
  {
    service: "rds",
    eventName: "DeleteDBCluster",
    parameters: { dBClusterIdentifier: "ledger", dryRun: false, skipFinalSnapshot: true },
    call: "rds DeleteDBCluster",
    input: { DBClusterIdentifier: "ledger", SkipFinalSnapshot: true },
    actions: ["rds:DeleteDBCluster"],
    resources: [rds("cluster:ledger")],
  },
  {
    service: "rds",
    eventName: "DeleteDBCluster",
    parameters: {
      dBClusterIdentifier: "ledger",
      skipFinalSnapshot: false,
      finalDBSnapshotIdentifier: "ledger-final",
    },
    call: "rds DeleteDBCluster",
    input: {
      DBClusterIdentifier: "ledger",
      SkipFinalSnapshot: false,
      FinalDBSnapshotIdentifier: "ledger-final",
    },
    actions: ["rds:DeleteDBCluster", "rds:CreateDBClusterSnapshot", "rds:AddTagsToResource"],
    resources: [rds("cluster:ledger"), rds("cluster-snapshot:ledger-final")],
  },
  {
    service: "rds",
    eventName: "DeleteDBSnapshot",
    parameters: { dBSnapshotIdentifier: "orders-final" },
    call: "rds DeleteDBSnapshot",
    input: { DBSnapshotIdentifier: "orders-final" },
    actions: ["rds:DeleteDBSnapshot"],
    resources: [rds("snapshot:orders-final")],
    extra: "rds:DeleteDBSnapshot",
  },
  {
    service: "rds",
    eventName: "DeleteDBClusterSnapshot",
    parameters: { dBClusterSnapshotIdentifier: "ledger-final" },
    call: "rds DeleteDBClusterSnapshot",
    input: { DBClusterSnapshotIdentifier: "ledger-final" },
    actions: ["rds:DeleteDBClusterSnapshot"],
    resources: [rds("cluster-snapshot:ledger-final")],
    extra: "rds:DeleteDBClusterSnapshot",
  },
  {
    service: "ec2",
    eventName: "TerminateInstances",
    parameters: instancesSet(["i-0fc5d99558e8357e8", "i-05c30218", "i-0fc5d99558e8357e8"]),
    call: "ec2 TerminateInstances",
    input: { InstanceIds: ["i-0fc5d99558e8357e8", "i-05c30218"] },
    actions: ["ec2:TerminateInstances"],
    resources: [
      `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0fc5d99558e8357e8`,
      `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-05c30218`,
    ],
  },
  ec2Case(
    "DeleteSubnet",
    "subnetId",
    "SubnetId",
    "subnet-0d840b9ab96eb41ca",
    own("subnet/subnet-0d840b9ab96eb41ca"),
  ),
  ec2Case("DeleteVpc", "vpcId", "VpcId", "vpc-0bda49e0068536141", own("vpc/vpc-0bda49e0068536141")),
  ec2Case(
    "DeleteVolume",
    "volumeId",
    "VolumeId",
    "vol-084879c77b49adac0",
    own("volume/vol-084879c77b49adac0"),
    {
      parameters: { reportVolumeFailure: false },
    },
  ),
  ec2Case(
    "DeleteInternetGateway",
    "internetGatewayId",
    "InternetGatewayId",
    "igw-0cc6844795cc3e71e",
    own("internet-gateway/igw-0cc6844795cc3e71e"),
  ),
  ec2Case(
    "DeleteNetworkInterface",
    "networkInterfaceId",
    "NetworkInterfaceId",
    "eni-06b7a305fe9519d03",
    own("network-interface/eni-06b7a305fe9519d03"),
  ),
  ec2Case(
    "DeleteNatGateway",
    "NatGatewayId",
    "NatGatewayId",
    "nat-0cb758692bd70f8e6",
    own("natgateway/nat-0cb758692bd70f8e6"),
    { wrapped: true },
  ),
  ec2Case(
    "DeleteTransitGateway",
    "TransitGatewayId",
    "TransitGatewayId",
    "tgw-02844bb728fca543c",
    own("transit-gateway/tgw-02844bb728fca543c"),
    { wrapped: true },
  ),
  ec2Case(
    "DeleteSnapshot",
    "snapshotId",
    "SnapshotId",
    "snap-0ea8b3632c0ff21d6",
    ":snapshot/snap-0ea8b3632c0ff21d6",
    {
      parameters: { force: false },
    },
  ),
  ec2Case(
    "DeleteSecurityGroup",
    "groupId",
    "GroupId",
    "sg-07111150655b49758",
    own("security-group/sg-07111150655b49758"),
    { extra: true },
  ),
  ec2Case(
    "DeleteRouteTable",
    "routeTableId",
    "RouteTableId",
    "rtb-044fd3b5da892d6df",
    own("route-table/rtb-044fd3b5da892d6df"),
    { extra: true },
  ),
  ec2Case(
    "DeleteVpcPeeringConnection",
    "vpcPeeringConnectionId",
    "VpcPeeringConnectionId",
    "pcx-09cc395f56ffead9e",
    own("vpc-peering-connection/pcx-09cc395f56ffead9e"),
    { extra: true },
  ),
  ec2Case(
    "DeleteVpnConnection",
    "vpnConnectionId",
    "VpnConnectionId",
    "vpn-06d78c43438fa98fe",
    own("vpn-connection/vpn-06d78c43438fa98fe"),
    { extra: true },
  ),
  ec2Case("DeregisterImage", "imageId", "ImageId", "ami-094a52a9a2b58d074", ":image/ami-094a52a9a2b58d074", {
    extra: true,
  }),
  {
    ...ec2Case(
      "ReleaseAddress",
      "allocationId",
      "AllocationId",
      "eipalloc-044e12137f28d65f6",
      own("elastic-ip/eipalloc-044e12137f28d65f6"),
      { parameters: { networkBorderGroup: "us-east-1" }, extra: true },
    ),
    input: { AllocationId: "eipalloc-044e12137f28d65f6", NetworkBorderGroup: "us-east-1" },
  },
  {
    service: "s3",
    eventName: "DeleteBucket",
    parameters: { Host: "s3.us-east-1.amazonaws.com", bucketName: "team.logs-2026" },
    call: "s3 DeleteBucket",
    input: { Bucket: "team.logs-2026", ExpectedBucketOwner: ACCOUNT },
    actions: ["s3:DeleteBucket"],
    resources: ["arn:aws:s3:::team.logs-2026"],
  },
  {
    service: "s3",
    eventName: "DeleteBucketPolicy",
    parameters: { Host: "team-logs.s3.us-east-1.amazonaws.com", bucketName: "team-logs", policy: "" },
    call: "s3 DeleteBucketPolicy",
    input: { Bucket: "team-logs", ExpectedBucketOwner: ACCOUNT },
    actions: ["s3:DeleteBucketPolicy"],
    resources: ["arn:aws:s3:::team-logs"],
  },
  {
    service: "s3",
    eventName: "DeleteAccessPoint",
    parameters: { name: "reports", Host: `${ACCOUNT}.s3-control.us-east-1.amazonaws.com` },
    call: "s3control DeleteAccessPoint",
    input: { Name: "reports", AccountId: ACCOUNT },
    actions: ["s3:DeleteAccessPoint"],
    resources: [`arn:aws:s3:${REGION}:${ACCOUNT}:accesspoint/reports`],
  },
  {
    service: "eks",
    eventName: "DeleteCluster",
    parameters: { name: "shop" },
    call: "eks DeleteCluster",
    input: { name: "shop" },
    actions: ["eks:DeleteCluster"],
    resources: [`arn:aws:eks:${REGION}:${ACCOUNT}:cluster/shop`],
  },
  {
    service: "eks",
    eventName: "DeleteNodegroup",
    parameters: { name: "shop", nodegroupName: "workers" },
    call: "eks DeleteNodegroup",
    input: { clusterName: "shop", nodegroupName: "workers" },
    actions: ["eks:DeleteNodegroup"],
    resources: [`arn:aws:eks:${REGION}:${ACCOUNT}:nodegroup/shop/workers/*`],
  },
  {
    service: "elasticloadbalancing",
    eventName: "DeleteLoadBalancer",
    parameters: { loadBalancerArn: LOAD_BALANCER },
    call: "elbv2 DeleteLoadBalancer",
    input: { LoadBalancerArn: LOAD_BALANCER },
    actions: ["elasticloadbalancing:DeleteLoadBalancer"],
    resources: [LOAD_BALANCER],
  },
  {
    service: "elasticloadbalancing",
    eventName: "DeleteLoadBalancer",
    parameters: { loadBalancerName: "old-front" },
    call: "elb DeleteLoadBalancer",
    input: { LoadBalancerName: "old-front" },
    actions: ["elasticloadbalancing:DeleteLoadBalancer"],
    resources: [elb("loadbalancer/old-front")],
  },
  {
    service: "elasticloadbalancing",
    eventName: "DeleteTargetGroup",
    parameters: { targetGroupArn: TARGET_GROUP },
    call: "elbv2 DeleteTargetGroup",
    input: { TargetGroupArn: TARGET_GROUP },
    actions: ["elasticloadbalancing:DeleteTargetGroup"],
    resources: [TARGET_GROUP],
  },
  {
    service: "elasticloadbalancing",
    eventName: "DeleteListener",
    parameters: { listenerArn: LISTENER },
    call: "elbv2 DeleteListener",
    input: { ListenerArn: LISTENER },
    actions: ["elasticloadbalancing:DeleteListener"],
    resources: [LISTENER],
    extra: "elasticloadbalancing:DeleteListener",
  },
  {
    service: "dynamodb",
    eventName: "DeleteTable",
    parameters: { tableName: "Orders_v2" },
    call: "dynamodb DeleteTable",
    input: { TableName: "Orders_v2" },
    actions: ["dynamodb:DeleteTable"],
    resources: [`arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/Orders_v2`],
    extra: "dynamodb:DeleteTable",
  },
  {
    service: "lambda",
    eventName: "DeleteFunction20150331",
    parameters: { functionName: "resize" },
    call: "lambda DeleteFunction",
    input: { FunctionName: "resize" },
    actions: ["lambda:DeleteFunction"],
    resources: [`arn:aws:lambda:${REGION}:${ACCOUNT}:function:resize`],
    extra: "lambda:DeleteFunction",
  },
  {
    service: "kms",
    eventName: "ScheduleKeyDeletion",
    parameters: {
      keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
      overridePendingWindowCheck: false,
      pendingWindowInDays: 20,
    },
    call: "kms ScheduleKeyDeletion",
    input: { KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab", PendingWindowInDays: 20 },
    actions: ["kms:ScheduleKeyDeletion"],
    resources: [`arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
    extra: "kms:ScheduleKeyDeletion",
  },
];
