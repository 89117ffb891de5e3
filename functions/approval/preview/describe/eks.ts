import {
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  ListFargateProfilesCommand,
  ListNodegroupsCommand,
} from "@aws-sdk/client-eks";
import { type Describer, inputText } from "../describer";
import { details, items, missing, subject } from "../inquiry";

/** A cluster with its node groups. */
export const DELETE_EKS_CLUSTER: Describer = {
  actions: ["eks:DescribeCluster", "eks:ListNodegroups", "eks:ListFargateProfiles"],
  async describe(plan, { eks }, inquiry) {
    const [arn] = plan.targets as [string];
    const name = inputText(plan, "name");
    const answer = await inquiry.ask("the cluster", () => eks.send(new DescribeClusterCommand({ name })));
    if (!("value" in answer)) return [missing(arn, answer)];
    const { cluster } = answer.value;
    if (!cluster) return [subject(arn, { presence: "absent" })];
    const groups = await inquiry.list("node groups", () =>
      eks.send(new ListNodegroupsCommand({ clusterName: name })),
    );
    const profiles = await inquiry.list("Fargate profiles", () =>
      eks.send(new ListFargateProfilesCommand({ clusterName: name })),
    );
    const affected = [
      ...items("node group", groups?.nodegroups ?? []),
      ...items("Fargate profile", profiles?.fargateProfileNames ?? []),
    ];
    return [
      subject(arn, {
        tags: cluster.tags ?? {},
        details: details({
          State: cluster.status,
          Version: cluster.version,
          VPC: cluster.resourcesVpcConfig?.vpcId,
        }),
        affected,
        obstacles: [
          ...(cluster.deletionProtection ? ["deletion protection is on"] : []),
          ...(affected.length > 0 ? ["the cluster has node groups or Fargate profiles"] : []),
        ],
      }),
    ];
  },
};

/** A node group with the Auto Scaling groups that go with it. */
export const DELETE_NODEGROUP: Describer = {
  actions: ["eks:DescribeNodegroup"],
  async describe(plan, { eks }, inquiry) {
    const [arn] = plan.targets as [string];
    const answer = await inquiry.ask("the node group", () =>
      eks.send(
        new DescribeNodegroupCommand({
          clusterName: inputText(plan, "clusterName"),
          nodegroupName: inputText(plan, "nodegroupName"),
        }),
      ),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const { nodegroup } = answer.value;
    if (!nodegroup) return [subject(arn, { presence: "absent" })];
    const { scalingConfig } = nodegroup;
    return [
      subject(arn, {
        tags: nodegroup.tags ?? {},
        details: [
          ...details({
            State: nodegroup.status,
            "Instance types": nodegroup.instanceTypes?.join(", "),
            "Nodes at least": scalingConfig?.minSize,
            "Nodes at most": scalingConfig?.maxSize,
          }),
          ...details({ "Nodes wanted": scalingConfig?.desiredSize }).map((detail) => ({
            ...detail,
            live: true,
          })),
        ],
        lost: items(
          "Auto Scaling group",
          nodegroup.resources?.autoScalingGroups?.map(({ name }) => name) ?? [],
        ),
      }),
    ];
  },
};
