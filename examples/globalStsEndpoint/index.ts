/**
 * What the policy pack is for: a workload in one region whose credentials come from another. Everything here stands in the configured
 * region, and still dies with us-east-1, because provider and function ask the global STS endpoint.
 *
 *     bulkhead local drill      runs this program's preview and shows how it is rejected
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const region = new pulumi.Config().require("region");

const provider = new aws.Provider("workload", {
  region,
  endpoints: [{ sts: "https://sts.amazonaws.com" }],
});

export const parameter = new aws.ssm.Parameter(
  "greeting",
  { name: "/global-sts-endpoint/greeting", type: "String", value: "hello" },
  { provider },
).name;
