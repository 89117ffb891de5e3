import {
  DescribeLoadBalancersCommand as DescribeClassicLoadBalancersCommand,
  DescribeTagsCommand as DescribeClassicTagsCommand,
} from "@aws-sdk/client-elastic-load-balancing";
import {
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { PreviewClients } from "../clients";
import { type Describer, inputText } from "../describer";
import { details, type Inquiry, items, liveItems, missing, subject, tagMap } from "../inquiry";

async function tagsOf(arn: string, { elbv2 }: PreviewClients, inquiry: Inquiry) {
  const found = await inquiry.list("tags", () =>
    elbv2.send(new DescribeTagsCommand({ ResourceArns: [arn] })),
  );
  return found && tagMap(found.TagDescriptions?.[0]?.Tags);
}

/** A load balancer with its listeners and target groups. */
export const DELETE_LOAD_BALANCER: Describer = {
  actions: [
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTags",
  ],
  async describe(plan, clients, inquiry) {
    const { elbv2 } = clients;
    const arn = inputText(plan, "LoadBalancerArn");
    const answer = await inquiry.ask("the load balancer", () =>
      elbv2.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const balancer = answer.value.LoadBalancers?.[0];
    if (!balancer) return [subject(arn, { presence: "absent" })];
    const listeners = await inquiry.list("listeners", () =>
      elbv2.send(new DescribeListenersCommand({ LoadBalancerArn: arn })),
    );
    const groups = await inquiry.list("target groups", () =>
      elbv2.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: arn })),
    );
    const attributes = await inquiry.list("deletion protection", () =>
      elbv2.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn })),
    );
    const isProtected = attributes?.Attributes?.some(
      ({ Key, Value }) => Key === "deletion_protection.enabled" && Value === "true",
    );
    return [
      subject(arn, {
        tags: await tagsOf(arn, clients, inquiry),
        details: details({
          Address: balancer.DNSName,
          Kind: balancer.Type,
          Reached: balancer.Scheme === "internet-facing" ? "from the internet" : balancer.Scheme,
          VPC: balancer.VpcId,
        }),
        lost: (listeners?.Listeners ?? []).map(({ Port, Protocol, ListenerArn = "?" }) => ({
          kind: "listener",
          id: ListenerArn,
          note: `${Protocol} ${Port}`,
        })),
        affected: items(
          "target group",
          groups?.TargetGroups?.map(({ TargetGroupArn }) => TargetGroupArn) ?? [],
        ),
        obstacles: isProtected ? ["deletion protection is on"] : [],
      }),
    ];
  },
};

/** A classic load balancer with its instances. */
export const DELETE_CLASSIC_LOAD_BALANCER: Describer = {
  actions: ["elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags"],
  async describe(plan, { elb }, inquiry) {
    const [arn] = plan.targets as [string];
    const name = inputText(plan, "LoadBalancerName");
    const answer = await inquiry.ask("the load balancer", () =>
      elb.send(new DescribeClassicLoadBalancersCommand({ LoadBalancerNames: [name] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const balancer = answer.value.LoadBalancerDescriptions?.[0];
    if (!balancer) return [subject(arn, { presence: "absent" })];
    const tags = await inquiry.list("tags", () =>
      elb.send(new DescribeClassicTagsCommand({ LoadBalancerNames: [name] })),
    );
    return [
      subject(arn, {
        tags: tags && tagMap(tags.TagDescriptions?.[0]?.Tags),
        details: details({
          Address: balancer.DNSName,
          Reached: balancer.Scheme === "internet-facing" ? "from the internet" : balancer.Scheme,
          VPC: balancer.VPCId,
        }),
        lost: (balancer.ListenerDescriptions ?? []).map(({ Listener }) => ({
          kind: "listener",
          id: `${Listener?.Protocol} ${Listener?.LoadBalancerPort}`,
        })),
        affected: liveItems("instance", balancer.Instances?.map(({ InstanceId }) => InstanceId) ?? []),
      }),
    ];
  },
};

/** A target group with its targets. */
export const DELETE_TARGET_GROUP: Describer = {
  actions: [
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:DescribeTags",
  ],
  async describe(plan, clients, inquiry) {
    const { elbv2 } = clients;
    const arn = inputText(plan, "TargetGroupArn");
    const answer = await inquiry.ask("the target group", () =>
      elbv2.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const group = answer.value.TargetGroups?.[0];
    if (!group) return [subject(arn, { presence: "absent" })];
    const targets = await inquiry.list("targets", () =>
      elbv2.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn })),
    );
    const balancers = group.LoadBalancerArns ?? [];
    return [
      subject(arn, {
        tags: await tagsOf(arn, clients, inquiry),
        details: details({
          Protocol: group.Protocol && `${group.Protocol} ${group.Port}`,
          Kind: group.TargetType,
          VPC: group.VpcId,
        }),
        affected: [
          ...items("load balancer", balancers),
          ...liveItems("target", targets?.TargetHealthDescriptions?.map(({ Target }) => Target?.Id) ?? []),
        ],
        obstacles: balancers.length > 0 ? ["a load balancer uses the target group"] : [],
      }),
    ];
  },
};

/** A listener with its rules. */
export const DELETE_LISTENER: Describer = {
  actions: [
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
  ],
  async describe(plan, clients, inquiry) {
    const { elbv2 } = clients;
    const arn = inputText(plan, "ListenerArn");
    const answer = await inquiry.ask("the listener", () =>
      elbv2.send(new DescribeListenersCommand({ ListenerArns: [arn] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const listener = answer.value.Listeners?.[0];
    if (!listener) return [subject(arn, { presence: "absent" })];
    const rules = await inquiry.list("rules", () =>
      elbv2.send(new DescribeRulesCommand({ ListenerArn: arn })),
    );
    return [
      subject(arn, {
        tags: await tagsOf(arn, clients, inquiry),
        details: details({ Protocol: listener.Protocol && `${listener.Protocol} ${listener.Port}` }),
        lost: items("rule", rules?.Rules?.map(({ RuleArn }) => RuleArn) ?? []),
        affected: items("load balancer", [listener.LoadBalancerArn]),
      }),
    ];
  },
};
