import type { OperationDefinition } from "./definition";
import { text } from "./values";

const EKS = {
  eventSource: "eks.amazonaws.com",
  byDefault: true,
  service: "eks",
  client: "@aws-sdk/client-eks",
  danger: "service",
  harmless: [],
  fromArn: true,
} as const;

const clusterName = text("a cluster's name", /^[A-Za-z0-9][A-Za-z0-9_-]*$/, 100);

/** Calls of EKS. */
export const EKS_OPERATIONS: readonly OperationDefinition[] = [
  {
    ...EKS,
    event: "eks:DeleteCluster",
    eventName: "DeleteCluster",
    api: "DeleteCluster",
    title: "Delete an EKS cluster",
    parameters: [{ key: "name", input: "name", kind: clusterName, required: true }],
    grants: [
      {
        actions: ["eks:DeleteCluster"],
        resource: { service: "eks", regional: true, ofAccount: true, resource: "cluster/{name}" },
      },
    ],
  },
  {
    ...EKS,
    event: "eks:DeleteNodegroup",
    eventName: "DeleteNodegroup",
    api: "DeleteNodegroup",
    title: "Delete an EKS node group",
    parameters: [
      { key: "name", input: "clusterName", kind: clusterName, required: true },
      {
        key: "nodegroupName",
        input: "nodegroupName",
        kind: text("a node group's name", /^[A-Za-z0-9][A-Za-z0-9_-]*$/, 63),
        required: true,
      },
    ],
    // The last part of a node group's ARN is an id that no record names.
    grants: [
      {
        actions: ["eks:DeleteNodegroup"],
        resource: {
          service: "eks",
          regional: true,
          ofAccount: true,
          resource: "nodegroup/{clusterName}/{nodegroupName}/*",
        },
      },
    ],
  },
];
