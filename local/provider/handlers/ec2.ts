/** VPC networking: security groups, their rules and VPC endpoints. */
import type { IpPermission, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { StandInError } from "../errors";
import { type Call, define, type Handler, pages, syncTags, tagList, tagMap } from "../handler";
import { bool, type Inputs, map, num, obj, policy, set, str } from "../schema";
import type { Props } from "../types";
import { until } from "../wait";

type Ec2 = Client<"ec2">;
type TaggedType = "security-group" | "security-group-rule" | "vpc-endpoint";

/** All protocols and ports, as EC2 writes it. */
const ALL_PROTOCOLS = "-1";
/** Of a rule for all protocols, which has no ports. */
const NO_PORT = 0;

function tagSpecification(ResourceType: TaggedType, tags: Record<string, string> | undefined) {
  return Object.keys(tags ?? {}).length > 0 ? [{ ResourceType, Tags: tagList(tags) }] : undefined;
}

async function syncEc2Tags(ec2: Ec2, id: string, olds: Props, inputs: Props): Promise<void> {
  await syncTags(
    olds.tags,
    inputs.tags,
    (tags) => ec2.createTags({ Resources: [id], Tags: tagList(tags) }),
    (keys) => ec2.deleteTags({ Resources: [id], Tags: keys.map((Key) => ({ Key })) }),
  );
}

function ec2Arn(call: Call, account: string | undefined, resource: string): string {
  return arn({ partition: partitionOf(call.region), service: "ec2", region: call.region, account, resource });
}

/** A rule inside a SecurityGroup (as opposed to one of the types of single rules). */
const groupRule = obj({
  protocol: str({ required: true }),
  fromPort: num({ required: true }),
  toPort: num({ required: true }),
  cidrBlocks: set(str()),
  ipv6CidrBlocks: set(str()),
  prefixListIds: set(str()),
  securityGroups: set(str()),
  self: bool({ default: false }),
  description: str(),
});

function toPermission(rule: Props, groupId: string): IpPermission {
  const Description = rule.description;
  const groups: string[] = [...(rule.securityGroups ?? []), ...(rule.self ? [groupId] : [])];
  const all = rule.protocol === ALL_PROTOCOLS || rule.protocol === "all";
  return {
    IpProtocol: all ? ALL_PROTOCOLS : rule.protocol,
    ...(!all && { FromPort: rule.fromPort, ToPort: rule.toPort }),
    IpRanges: rule.cidrBlocks?.map((CidrIp: string) => ({ CidrIp, Description })),
    Ipv6Ranges: rule.ipv6CidrBlocks?.map((CidrIpv6: string) => ({ CidrIpv6, Description })),
    PrefixListIds: rule.prefixListIds?.map((PrefixListId: string) => ({ PrefixListId, Description })),
    UserIdGroupPairs: groups.length > 0 ? groups.map((GroupId) => ({ GroupId, Description })) : undefined,
  };
}

/** EC2 puts together what has protocol and ports in common; the provider's rules have one description each. */
function toRules(permissions: readonly IpPermission[] | undefined, groupId: string): Props[] {
  const rules: Props[] = [];
  for (const permission of permissions ?? []) {
    const byDescription = new Map<string, Props>();
    const ruleWith = (description = "") => {
      const rule = byDescription.get(description) ?? {
        protocol: permission.IpProtocol,
        fromPort: permission.FromPort ?? NO_PORT,
        toPort: permission.ToPort ?? NO_PORT,
        self: false,
        ...(description && { description }),
      };
      byDescription.set(description, rule);
      return rule;
    };
    const add = (description: string | undefined, key: string, value: string | undefined) => {
      const rule = ruleWith(description);
      rule[key] = [...(rule[key] ?? []), value];
    };
    for (const range of permission.IpRanges ?? []) add(range.Description, "cidrBlocks", range.CidrIp);
    for (const range of permission.Ipv6Ranges ?? []) add(range.Description, "ipv6CidrBlocks", range.CidrIpv6);
    for (const list of permission.PrefixListIds ?? [])
      add(list.Description, "prefixListIds", list.PrefixListId);
    for (const pair of permission.UserIdGroupPairs ?? []) {
      if (pair.GroupId === groupId) ruleWith(pair.Description).self = true;
      else add(pair.Description, "securityGroups", pair.GroupId);
    }
    rules.push(...byDescription.values());
  }
  return rules;
}

/** Replaces all rules of one direction. */
async function setRules(
  ec2: Ec2,
  GroupId: string,
  direction: "ingress" | "egress",
  rules: Props[],
): Promise<void> {
  const isEgress = direction === "egress";
  const Filters = [{ Name: "group-id", Values: [GroupId] }];
  const old = await pages(
    (NextToken) => ec2.describeSecurityGroupRules({ Filters, NextToken }),
    (page) => page.SecurityGroupRules,
    (page) => page.NextToken,
  );
  const SecurityGroupRuleIds = old
    .filter((rule) => rule.IsEgress === isEgress)
    .map((rule) => rule.SecurityGroupRuleId!);
  if (SecurityGroupRuleIds.length > 0) {
    const request = { GroupId, SecurityGroupRuleIds };
    await (isEgress ? ec2.revokeSecurityGroupEgress(request) : ec2.revokeSecurityGroupIngress(request));
  }
  if (rules.length === 0) return;
  const request = { GroupId, IpPermissions: rules.map((rule) => toPermission(rule, GroupId)) };
  await (isEgress ? ec2.authorizeSecurityGroupEgress(request) : ec2.authorizeSecurityGroupIngress(request));
}

const securityGroup = define("ec2", {
  type: "aws:ec2/securityGroup:SecurityGroup",
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 255 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    description: str({ default: "Managed by Pulumi", replaces: true }),
    vpcId: str({ computed: true, replaces: true }),
    ingress: set(groupRule, { computed: true }),
    egress: set(groupRule, { computed: true }),
    revokeRulesOnDelete: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  outputs: ["arn", "ownerId"],
  async create(ec2, inputs, call) {
    const { GroupId } = await ec2.createSecurityGroup({
      GroupName: inputs.name,
      Description: inputs.description,
      VpcId: inputs.vpcId,
      TagSpecifications: tagSpecification("security-group", inputs.tags),
    });
    const id = call.created(GroupId!);
    // The genuine provider takes away the rule that lets everything out, which AWS gives to every new group.
    await setRules(ec2, id, "egress", inputs.egress ?? []);
    if (inputs.ingress) await setRules(ec2, id, "ingress", inputs.ingress);
    return id;
  },
  async read(ec2, id, _known, call) {
    const { SecurityGroups } = await ec2.describeSecurityGroups({ GroupIds: [id] });
    const group = SecurityGroups?.[0];
    return (
      group && {
        name: group.GroupName,
        description: group.Description,
        vpcId: group.VpcId,
        ingress: toRules(group.IpPermissions, id),
        egress: toRules(group.IpPermissionsEgress, id),
        tags: tagMap(group.Tags),
        arn: ec2Arn(call, group.OwnerId, `security-group/${id}`),
        ownerId: group.OwnerId,
      }
    );
  },
  async update(ec2, id, inputs, olds, call) {
    if (call.changed("ingress")) await setRules(ec2, id, "ingress", inputs.ingress ?? []);
    if (call.changed("egress")) await setRules(ec2, id, "egress", inputs.egress ?? []);
    await syncEc2Tags(ec2, id, olds, inputs);
    return undefined;
  },
  async delete(ec2, GroupId, olds) {
    if (olds.revokeRulesOnDelete) {
      await setRules(ec2, GroupId, "ingress", []);
      await setRules(ec2, GroupId, "egress", []);
    }
    await ec2.deleteSecurityGroup({ GroupId });
  },
  async identify(ec2, inputs) {
    const Filters = [{ Name: "group-name", Values: [inputs.name] }];
    if (inputs.vpcId) Filters.push({ Name: "vpc-id", Values: [inputs.vpcId] });
    return (await ec2.describeSecurityGroups({ Filters })).SecurityGroups?.[0]?.GroupId;
  },
});

const SINGLE_RULE_INPUTS: Inputs = {
  securityGroupId: str({ required: true, replaces: true }),
  ipProtocol: str({ required: true }),
  fromPort: num(),
  toPort: num(),
  cidrIpv4: str(),
  cidrIpv6: str(),
  prefixListId: str(),
  referencedSecurityGroupId: str(),
  description: str(),
  tags: map(),
};

/** The single-rule types name what the rule is about in one of these inputs. */
const RULE_PEERS = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"];

function singlePermission(inputs: Props): IpPermission {
  const Description = inputs.description;
  return {
    IpProtocol: inputs.ipProtocol,
    FromPort: inputs.fromPort,
    ToPort: inputs.toPort,
    IpRanges: inputs.cidrIpv4 && [{ CidrIp: inputs.cidrIpv4, Description }],
    Ipv6Ranges: inputs.cidrIpv6 && [{ CidrIpv6: inputs.cidrIpv6, Description }],
    PrefixListIds: inputs.prefixListId && [{ PrefixListId: inputs.prefixListId, Description }],
    UserIdGroupPairs: inputs.referencedSecurityGroupId && [
      { GroupId: inputs.referencedSecurityGroupId, Description },
    ],
  };
}

function sameRule(rule: SecurityGroupRule, inputs: Props): boolean {
  const isAll = inputs.ipProtocol === ALL_PROTOCOLS;
  return (
    rule.IpProtocol === inputs.ipProtocol &&
    (isAll || (rule.FromPort === inputs.fromPort && rule.ToPort === inputs.toPort)) &&
    (rule.CidrIpv4 ?? undefined) === inputs.cidrIpv4 &&
    (rule.CidrIpv6 ?? undefined) === inputs.cidrIpv6 &&
    (rule.PrefixListId ?? undefined) === inputs.prefixListId &&
    rule.ReferencedGroupInfo?.GroupId === inputs.referencedSecurityGroupId
  );
}

/** The two types of single rules differ in the direction alone. */
function singleRule(type: string, isEgress: boolean): Handler {
  const find = async (ec2: Ec2, inputs: Props) => {
    const Filters = [{ Name: "group-id", Values: [inputs.securityGroupId] }];
    const { SecurityGroupRules } = await ec2.describeSecurityGroupRules({ Filters });
    return SecurityGroupRules?.find((rule) => rule.IsEgress === isEgress && sameRule(rule, inputs));
  };
  return define("ec2", {
    type,
    inputs: SINGLE_RULE_INPUTS,
    outputs: ["arn", "securityGroupRuleId"],
    validate(inputs) {
      const given = RULE_PEERS.filter((key) => inputs[key] !== undefined);
      if (given.length === 1) return [];
      return [{ property: RULE_PEERS[0]!, reason: `give exactly one of ${RULE_PEERS.join(", ")}` }];
    },
    async create(ec2, inputs) {
      const request = {
        GroupId: inputs.securityGroupId,
        IpPermissions: [singlePermission(inputs)],
        TagSpecifications: tagSpecification("security-group-rule", inputs.tags),
      };
      const answer = isEgress
        ? await ec2.authorizeSecurityGroupEgress(request)
        : await ec2.authorizeSecurityGroupIngress(request);
      const id =
        answer.SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? (await find(ec2, inputs))?.SecurityGroupRuleId;
      if (!id) throw new StandInError("EC2 did not tell the id of the new rule");
      return id;
    },
    async read(ec2, id, _known, call) {
      const { SecurityGroupRules } = await ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] });
      const rule = SecurityGroupRules?.find((found) => found.SecurityGroupRuleId === id);
      if (!rule) return undefined;
      // Protocols without ports have -1 there.
      const port = (value: number | undefined) => (rule.IpProtocol === ALL_PROTOCOLS ? undefined : value);
      return {
        securityGroupId: rule.GroupId,
        ipProtocol: rule.IpProtocol,
        fromPort: port(rule.FromPort),
        toPort: port(rule.ToPort),
        cidrIpv4: rule.CidrIpv4,
        cidrIpv6: rule.CidrIpv6,
        prefixListId: rule.PrefixListId,
        referencedSecurityGroupId: rule.ReferencedGroupInfo?.GroupId,
        description: rule.Description,
        tags: tagMap(rule.Tags),
        arn: ec2Arn(call, rule.GroupOwnerId, `security-group-rule/${id}`),
        securityGroupRuleId: id,
      };
    },
    async update(ec2, id, inputs, olds, call) {
      if (call.changed("ipProtocol", "fromPort", "toPort", "description", ...RULE_PEERS)) {
        await ec2.modifySecurityGroupRules({
          GroupId: inputs.securityGroupId,
          SecurityGroupRules: [
            {
              SecurityGroupRuleId: id,
              SecurityGroupRule: {
                IpProtocol: inputs.ipProtocol,
                FromPort: inputs.fromPort,
                ToPort: inputs.toPort,
                CidrIpv4: inputs.cidrIpv4,
                CidrIpv6: inputs.cidrIpv6,
                PrefixListId: inputs.prefixListId,
                ReferencedGroupId: inputs.referencedSecurityGroupId,
                Description: inputs.description,
              },
            },
          ],
        });
      }
      await syncEc2Tags(ec2, id, olds, inputs);
      return undefined;
    },
    async delete(ec2, id, olds) {
      const request = { GroupId: olds.securityGroupId, SecurityGroupRuleIds: [id] };
      await (isEgress ? ec2.revokeSecurityGroupEgress(request) : ec2.revokeSecurityGroupIngress(request));
    },
    identify: async (ec2, inputs) => (await find(ec2, inputs))?.SecurityGroupRuleId,
  });
}

async function describeEndpoint(ec2: Ec2, id: string) {
  const { VpcEndpoints } = await ec2.describeVpcEndpoints({ VpcEndpointIds: [id] });
  const endpoint = VpcEndpoints?.[0];
  return /^(deleting|deleted)$/i.test(endpoint?.State ?? "") ? undefined : endpoint;
}

async function endpointAvailable(ec2: Ec2, id: string): Promise<void> {
  await until(`VPC endpoint ${id} becoming available`, async () => {
    const state = (await describeEndpoint(ec2, id))?.State?.toLowerCase();
    if (state === "failed" || state === "rejected") throw new StandInError(`VPC endpoint ${id} is ${state}`);
    return state === "available";
  });
}

/** What has to be added and removed to come from one list to the other. */
function listChange(olds: string[] | undefined, news: string[] | undefined) {
  const added = (news ?? []).filter((id) => !olds?.includes(id));
  const removed = (olds ?? []).filter((id) => !news?.includes(id));
  return { added: added.length > 0 ? added : undefined, removed: removed.length > 0 ? removed : undefined };
}

const vpcEndpoint = define("ec2", {
  type: "aws:ec2/vpcEndpoint:VpcEndpoint",
  inputs: {
    vpcId: str({ required: true, replaces: true }),
    serviceName: str({ required: true, replaces: true }),
    vpcEndpointType: str({ default: "Gateway", replaces: true, values: ["Gateway", "Interface"] }),
    policy: policy({ computed: true }),
    privateDnsEnabled: bool({ computed: true }),
    ipAddressType: str({ computed: true, values: ["ipv4", "dualstack", "ipv6"] }),
    routeTableIds: set(str(), { computed: true }),
    securityGroupIds: set(str(), { computed: true }),
    subnetIds: set(str(), { computed: true }),
    tags: map(),
  },
  outputs: ["arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "requesterManaged", "state"],
  async create(ec2, inputs, call) {
    const { VpcEndpoint } = await ec2.createVpcEndpoint({
      VpcId: inputs.vpcId,
      ServiceName: inputs.serviceName,
      VpcEndpointType: inputs.vpcEndpointType,
      PolicyDocument: inputs.policy,
      PrivateDnsEnabled: inputs.privateDnsEnabled,
      IpAddressType: inputs.ipAddressType,
      RouteTableIds: inputs.routeTableIds,
      SecurityGroupIds: inputs.securityGroupIds,
      SubnetIds: inputs.subnetIds,
      TagSpecifications: tagSpecification("vpc-endpoint", inputs.tags),
    });
    const id = call.created(VpcEndpoint!.VpcEndpointId!);
    await endpointAvailable(ec2, id);
    return id;
  },
  async read(ec2, id, known, call) {
    const live = await describeEndpoint(ec2, id);
    if (!live) return undefined;
    const groups = live.Groups?.map((group) => group.GroupId);
    return {
      vpcId: live.VpcId,
      serviceName: live.ServiceName,
      vpcEndpointType: live.VpcEndpointType,
      // AWS always tells the following three; an emulator that does not is not evidence of a change.
      policy: live.PolicyDocument ?? known.policy,
      privateDnsEnabled: live.PrivateDnsEnabled ?? known.privateDnsEnabled,
      securityGroupIds: groups ?? known.securityGroupIds,
      ipAddressType: live.IpAddressType ?? known.ipAddressType,
      routeTableIds: live.RouteTableIds,
      subnetIds: live.SubnetIds,
      tags: tagMap(live.Tags),
      arn: ec2Arn(call, live.OwnerId, `vpc-endpoint/${id}`),
      cidrBlocks: [],
      dnsEntries: (live.DnsEntries ?? []).map((entry) => ({
        dnsName: entry.DnsName,
        hostedZoneId: entry.HostedZoneId,
      })),
      networkInterfaceIds: live.NetworkInterfaceIds ?? [],
      ownerId: live.OwnerId,
      requesterManaged: live.RequesterManaged ?? false,
      state: live.State?.toLowerCase(),
    };
  },
  async update(ec2, id, inputs, olds, call) {
    if (
      call.changed(
        "policy",
        "privateDnsEnabled",
        "ipAddressType",
        "routeTableIds",
        "securityGroupIds",
        "subnetIds",
      )
    ) {
      const tables = listChange(olds.routeTableIds, inputs.routeTableIds ?? olds.routeTableIds);
      const groups = listChange(olds.securityGroupIds, inputs.securityGroupIds ?? olds.securityGroupIds);
      const subnets = listChange(olds.subnetIds, inputs.subnetIds ?? olds.subnetIds);
      await ec2.modifyVpcEndpoint({
        VpcEndpointId: id,
        PolicyDocument: call.changed("policy") ? inputs.policy : undefined,
        PrivateDnsEnabled: call.changed("privateDnsEnabled") ? inputs.privateDnsEnabled : undefined,
        IpAddressType: call.changed("ipAddressType") ? inputs.ipAddressType : undefined,
        AddRouteTableIds: tables.added,
        RemoveRouteTableIds: tables.removed,
        AddSecurityGroupIds: groups.added,
        RemoveSecurityGroupIds: groups.removed,
        AddSubnetIds: subnets.added,
        RemoveSubnetIds: subnets.removed,
      });
      await endpointAvailable(ec2, id);
    }
    await syncEc2Tags(ec2, id, olds, inputs);
    return undefined;
  },
  async delete(ec2, id) {
    const { Unsuccessful } = await ec2.deleteVpcEndpoints({ VpcEndpointIds: [id] });
    const failed = Unsuccessful?.[0]?.Error;
    if (failed && !failed.Code?.endsWith(".NotFound"))
      throw new StandInError(`${failed.Code}: ${failed.Message}`);
    await until(`VPC endpoint ${id} disappearing`, async () => {
      try {
        return !(await describeEndpoint(ec2, id));
      } catch (error) {
        if ((error as Error).name.endsWith(".NotFound")) return true;
        throw error;
      }
    });
  },
  // Endpoints have no names: one is known by its VPC, its service and its tags.
  async identify(ec2, inputs) {
    const wanted = Object.entries(inputs.tags ?? {});
    if (wanted.length === 0) return undefined;
    const { VpcEndpoints } = await ec2.describeVpcEndpoints({});
    return VpcEndpoints?.find((one) => {
      const tags = tagMap(one.Tags);
      const isIt = one.VpcId === inputs.vpcId && one.ServiceName === inputs.serviceName;
      return (
        isIt &&
        one.State?.toLowerCase() === "available" &&
        wanted.every(([name, value]) => tags[name] === value)
      );
    })?.VpcEndpointId;
  },
});

export const ec2Handlers: readonly Handler[] = [
  securityGroup,
  vpcEndpoint,
  singleRule("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", false),
  singleRule("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", true),
];
