import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { type Cell, type CellArgs, cellScopedName, normalizeCell } from "./cell";
import { arn, interfaceEndpointServiceName } from "./partition";
import { type PolicyStatement, policyDocument } from "./policyDocument";

/** Services that functions of this product call, reached by an interface endpoint. */
const INTERFACE_SERVICES = [
  "sts",
  "ssm",
  "secretsmanager",
  "sns",
  "sqs",
  "kms",
  "logs",
  "monitoring",
  "events",
  "email-smtp",
];

/** Services reached by a gateway endpoint, which costs nothing and needs the subnets' route tables. */
const GATEWAY_SERVICES = ["s3", "dynamodb"];

/** Arguments of {@link PrivateNetwork}. */
export interface PrivateNetworkArgs {
  /**
   * Required. The cell whose functions run in the network.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Address range of a VPC to create, `/16` to `/24`. It gets isolated subnets in two availability zones and no way to the internet.
   * Not together with {@link vpcId}.
   * @default "10.64.0.0/20"
   * @example "10.20.0.0/20"
   */
  cidrBlock?: string;
  /**
   * An existing VPC to use, whose DNS support and DNS host names are on.
   * @default none: a VPC is created
   * @example "vpc-0a1b2c3d4e5f60718"
   */
  vpcId?: string;
  /**
   * Subnets of the existing VPC, one in each of two availability zones or more. Required with {@link vpcId}.
   * @default none
   * @example ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
   */
  subnetIds?: string[];
  /**
   * Route tables of these subnets, for the gateway endpoints. Required with {@link vpcId}.
   * @default none
   * @example ["rtb-0a1b2c3d"]
   */
  routeTableIds?: string[];
  /**
   * Services that get an interface endpoint, named as in the last part of the endpoint service's name.
   * @default sts, ssm, secretsmanager, sns, sqs, kms, logs, monitoring, events and email-smtp (SES, left out in China)
   * @example ["sts", "ssm", "logs"]
   */
  interfaceServices?: string[];
  /**
   * Whether the functions may open HTTPS connections to anywhere, which the route tables of an existing VPC then have to lead there, through
   * a NAT gateway say. Key rotation needs it: IAM's and Organizations' control planes, and the other cell's region, are not behind
   * endpoints of this network. Only with {@link vpcId}.
   * @default false
   * @example true
   */
  outboundHttps?: boolean;
  /**
   * The organization whose accounts' roles may be assumed through the STS endpoint.
   * @default none: only the cell's own account
   * @example "o-exampleorgid"
   */
  organizationId?: string;
}

/**
 * The STS endpoint's policy: this account's principals may identify themselves and assume roles of the account or the organization,
 * nobody else's may use the endpoint at all.
 */
export function stsEndpointStatements(cell: Cell, organizationId?: string): PolicyStatement[] {
  const ofThisAccount = { StringEquals: { "aws:PrincipalAccount": cell.accountId } };
  const roles = arn({
    partition: cell.partition,
    service: "iam",
    account: organizationId ? "*" : cell.accountId,
    resource: "role/*",
  });
  return [
    {
      Sid: "WhoAmI",
      Effect: "Allow",
      Principal: "*",
      Action: "sts:GetCallerIdentity",
      Resource: "*",
      Condition: ofThisAccount,
    },
    {
      Sid: organizationId ? "RolesOfTheOrganization" : "RolesOfTheAccount",
      Effect: "Allow",
      Principal: "*",
      Action: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
      Resource: roles,
      Condition: {
        StringEquals: {
          "aws:PrincipalAccount": cell.accountId,
          ...(organizationId && { "aws:ResourceOrgID": organizationId }),
        },
      },
    },
  ];
}

/** The policy of the other endpoints: this account's principals only. */
export function accountOnlyStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "PrincipalsOfTheAccount",
      Effect: "Allow",
      Principal: "*",
      Action: "*",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalAccount": cell.accountId } },
    },
  ];
}

/**
 * A cell's private network: subnets without a way to the internet, and endpoints for STS and for what the functions call, so that the
 * calls of one region stay in that region. The endpoints are made beforehand: making one needs Route 53's control plane, which is lost
 * with us-east-1 (fact 10).
 *
 * A created VPC is a component of awsx and needs the genuine Pulumi engine; local mode takes an existing VPC.
 *
 * @throws Error when arguments for a created and an existing VPC are mixed or incomplete.
 * @example
 * const network = new PrivateNetwork("dr-network", { cell }, { provider });
 * new RegionalFunction("steward", { ..., vpc: { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] } });
 */
export class PrivateNetwork extends pulumi.ComponentResource {
  /** Id of the VPC. */
  readonly vpcId: pulumi.Output<string>;
  /** Ids of the subnets that the functions and the endpoints are in. */
  readonly subnetIds: pulumi.Output<string[]>;
  /** Id of the security group for functions: may open HTTPS connections to the endpoints, and nothing else. */
  readonly functionSecurityGroupId: pulumi.Output<string>;
  /** Id of the interface endpoint of STS. */
  readonly stsEndpointId: pulumi.Output<string>;

  constructor(name: string, args: PrivateNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:PrivateNetwork", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const network = args.vpcId ? existingVpc(args) : this.createdVpc(name, cell, args);
    const services = args.interfaceServices ?? defaultInterfaceServices(cell);
    if (!services.includes("sts")) {
      throw new Error(`interfaceServices is ${JSON.stringify(services)}: "sts" has to be among them`);
    }

    const functions = this.securityGroup(`${name}-functions`, cell, "functions", network.vpcId);
    const endpoints = this.securityGroup(`${name}-endpoints`, cell, "endpoints", network.vpcId);
    const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443 };
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-endpoints-from-functions`,
      { ...https, securityGroupId: endpoints.id, referencedSecurityGroupId: functions.id },
      { parent: this },
    );
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-functions-to-endpoints`,
      { ...https, securityGroupId: functions.id, referencedSecurityGroupId: endpoints.id },
      { parent: this },
    );
    if (services.includes("email-smtp")) this.allowSmtp(name, functions, endpoints);
    if (args.outboundHttps) {
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-functions-to-anywhere`,
        { ...https, securityGroupId: functions.id, cidrIpv4: "0.0.0.0/0" },
        { parent: this },
      );
    }

    const interfaceEndpoints = services.map((service) => {
      const statements =
        service === "sts" ? stsEndpointStatements(cell, args.organizationId) : accountOnlyStatements(cell);
      return new aws.ec2.VpcEndpoint(
        `${name}-${service}`,
        {
          vpcId: network.vpcId,
          serviceName: interfaceEndpointServiceName(cell.region, service),
          vpcEndpointType: "Interface",
          privateDnsEnabled: true,
          subnetIds: network.subnetIds,
          securityGroupIds: [endpoints.id],
          // SES's SMTP endpoint takes no endpoint policy: SMTP has no AWS principal.
          ...(service !== "email-smtp" && { policy: policyDocument(statements) }),
        },
        { parent: this },
      );
    });
    for (const service of GATEWAY_SERVICES) {
      const gateway = new aws.ec2.VpcEndpoint(
        `${name}-${service}`,
        {
          vpcId: network.vpcId,
          serviceName: interfaceEndpointServiceName(cell.region, service),
          vpcEndpointType: "Gateway",
          routeTableIds: network.routeTableIds,
          policy: policyDocument(accountOnlyStatements(cell)),
        },
        { parent: this },
      );
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-functions-to-${service}`,
        { ...https, securityGroupId: functions.id, prefixListId: gateway.prefixListId },
        { parent: this },
      );
    }

    this.vpcId = network.vpcId;
    this.subnetIds = network.subnetIds;
    this.functionSecurityGroupId = functions.id;
    this.stsEndpointId = interfaceEndpoints[services.indexOf("sts")]!.id;
    this.registerOutputs({
      vpcId: this.vpcId,
      subnetIds: this.subnetIds,
      functionSecurityGroupId: this.functionSecurityGroupId,
      stsEndpointId: this.stsEndpointId,
    });
  }

  private createdVpc(name: string, cell: Cell, args: PrivateNetworkArgs): VpcParts {
    if (args.outboundHttps) {
      throw new Error(
        "outboundHttps is true, but a VPC that is created has no way out: give vpcId of one that has, or leave it out",
      );
    }
    if (args.subnetIds || args.routeTableIds) {
      throw new Error(
        "subnetIds and routeTableIds belong to an existing VPC: give its vpcId too, or leave them out",
      );
    }
    const cidrBlock = args.cidrBlock ?? "10.64.0.0/20";
    if (!/^\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2[0-4])$/.test(cidrBlock)) {
      throw new Error(`cidrBlock is "${cidrBlock}": an IPv4 range from /16 to /24, such as 10.64.0.0/20`);
    }
    const vpc = new awsx.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        numberOfAvailabilityZones: 2,
        natGateways: { strategy: awsx.ec2.NatGatewayStrategy.None },
        subnetStrategy: awsx.ec2.SubnetAllocationStrategy.Auto,
        subnetSpecs: [{ type: awsx.ec2.SubnetType.Isolated, name: "isolated" }],
        tags: { Name: cellScopedName(cell, "network") },
      },
      { parent: this },
    );
    return {
      vpcId: vpc.vpcId,
      subnetIds: vpc.isolatedSubnetIds,
      routeTableIds: vpc.routeTables.apply((tables) => pulumi.all(tables.map((table) => table.id))),
    };
  }

  private securityGroup(name: string, cell: Cell, purpose: string, vpcId: pulumi.Input<string>) {
    return new aws.ec2.SecurityGroup(
      name,
      {
        name: cellScopedName(cell, purpose),
        description: `Bulkhead ${purpose} of cell ${cell.name}`,
        vpcId,
      },
      { parent: this },
    );
  }

  /** SES's SMTP endpoint listens on 587 (STARTTLS) and 465 (TLS). */
  private allowSmtp(name: string, functions: aws.ec2.SecurityGroup, endpoints: aws.ec2.SecurityGroup): void {
    for (const port of [465, 587]) {
      const smtp = { ipProtocol: "tcp", fromPort: port, toPort: port };
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-endpoints-smtp-${port}`,
        { ...smtp, securityGroupId: endpoints.id, referencedSecurityGroupId: functions.id },
        { parent: this },
      );
      new aws.vpc.SecurityGroupEgressRule(
        `${name}-functions-smtp-${port}`,
        { ...smtp, securityGroupId: functions.id, referencedSecurityGroupId: endpoints.id },
        { parent: this },
      );
    }
  }
}

interface VpcParts {
  vpcId: pulumi.Output<string>;
  subnetIds: pulumi.Output<string[]>;
  routeTableIds: pulumi.Output<string[]>;
}

function existingVpc(args: PrivateNetworkArgs): VpcParts {
  if (args.cidrBlock) {
    throw new Error("cidrBlock belongs to a VPC that is created: leave it out together with vpcId");
  }
  if ((args.subnetIds?.length ?? 0) < 2) {
    throw new Error("subnetIds needs the ids of two subnets or more, in different availability zones");
  }
  if (!args.routeTableIds?.length) {
    throw new Error("routeTableIds needs the ids of the subnets' route tables, for the gateway endpoints");
  }
  return {
    vpcId: pulumi.output(args.vpcId!),
    subnetIds: pulumi.output(args.subnetIds!),
    routeTableIds: pulumi.output(args.routeTableIds),
  };
}

function defaultInterfaceServices(cell: Cell): string[] {
  return INTERFACE_SERVICES.filter((service) => service !== "email-smtp" || cell.partition !== "aws-cn");
}
