import type { OperationDefinition } from "./definition";
import { arnOf, text } from "./values";

const ELB = {
  eventSource: "elasticloadbalancing.amazonaws.com",
  danger: "service",
  harmless: [],
  fromArn: true,
} as const;
const V2 = { ...ELB, service: "elbv2", client: "@aws-sdk/client-elastic-load-balancing-v2" } as const;

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?";
const ID = "[0-9a-f]{16}";

/** A call of the newer kind, which takes an ARN. */
function byArn(
  api: string,
  input: string,
  what: string,
  resource: RegExp,
  title: string,
  byDefault = true,
): OperationDefinition {
  return {
    ...V2,
    event: `elasticloadbalancing:${api}`,
    eventName: api,
    byDefault,
    api,
    title,
    parameters: [
      {
        key: input.charAt(0).toLowerCase() + input.slice(1),
        input,
        kind: arnOf(what, "elasticloadbalancing", resource),
        required: true,
      },
    ],
    grants: [{ actions: [`elasticloadbalancing:${api}`], resource: { arnIn: input } }],
  };
}

/** Calls of Elastic Load Balancing. Classic and newer load balancers share the event; the parameter tells which it is. */
export const ELB_OPERATIONS: readonly OperationDefinition[] = [
  byArn(
    "DeleteLoadBalancer",
    "LoadBalancerArn",
    "a load balancer's ARN",
    new RegExp(`^loadbalancer/(?:app|net|gwy)/${NAME}/${ID}$`),
    "Delete a load balancer",
  ),
  {
    ...ELB,
    event: "elasticloadbalancing:DeleteLoadBalancer",
    eventName: "DeleteLoadBalancer",
    byDefault: true,
    service: "elb",
    api: "DeleteLoadBalancer",
    client: "@aws-sdk/client-elastic-load-balancing",
    title: "Delete a classic load balancer",
    parameters: [
      {
        key: "loadBalancerName",
        input: "LoadBalancerName",
        kind: text("a classic load balancer's name", new RegExp(`^${NAME}$`), 32),
        required: true,
      },
    ],
    grants: [
      {
        actions: ["elasticloadbalancing:DeleteLoadBalancer"],
        resource: {
          service: "elasticloadbalancing",
          regional: true,
          ofAccount: true,
          resource: "loadbalancer/{LoadBalancerName}",
        },
      },
    ],
  },
  byArn(
    "DeleteTargetGroup",
    "TargetGroupArn",
    "a target group's ARN",
    new RegExp(`^targetgroup/${NAME}/${ID}$`),
    "Delete a target group",
  ),
  byArn(
    "DeleteListener",
    "ListenerArn",
    "a listener's ARN",
    new RegExp(`^listener/(?:app|net|gwy)/${NAME}/${ID}/${ID}$`),
    "Delete a listener",
    false,
  ),
];
