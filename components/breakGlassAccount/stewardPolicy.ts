import type { ReadinessPolicy } from "../../functions/breakGlass/readiness/policy";
import { userArn } from "../../functions/breakGlass/readiness/policy";
import { LATEST_REPORT } from "../../functions/breakGlass/readiness/reportKeys";
import { type Cell, cellArn } from "../regional/cell";
import { arn } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { evidenceReaderStatements } from "./evidenceTable";
import { eventRuleArn, reportsBucketArn } from "./readinessNames";
import { trailArn } from "./trailNames";

/**
 * What the steward may do: look at exactly what it checks, and write its own reports. Nothing of it changes emergency access.
 *
 * @param policy what is expected, as seen from the own cell
 * @param cells both cells, or the one that there is
 */
export function stewardStatements(
  own: Cell,
  cells: readonly Cell[],
  policy: ReadinessPolicy,
  organizationRoleArns: readonly string[],
): PolicyStatement[] {
  const peers = cells.filter((cell) => cell.name !== own.name);
  const [expected] = policy.cells;
  if (!expected) throw new Error("the policy names no cell");
  const bucketArn = (name: string) => arn({ partition: own.partition, service: "s3", resource: name });
  const statements: PolicyStatement[] = [
    {
      Sid: "ReadEmergencyUsers",
      Effect: "Allow",
      Action: [
        "iam:GetLoginProfile",
        "iam:GetUser",
        "iam:ListAccessKeys",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser",
        "iam:ListMFADevices",
        "iam:ListUserPolicies",
        "iam:SimulatePrincipalPolicy",
      ],
      Resource: policy.userNames.map((userName) => userArn(policy, userName)),
    },
    {
      Sid: "ReadDenyPolicy",
      Effect: "Allow",
      Action: ["iam:GetPolicy", "iam:GetPolicyVersion"],
      Resource: policy.denyPolicyArn,
    },
    {
      Sid: "ReadAccount",
      Effect: "Allow",
      // None of these knows resources.
      Action: [
        "iam:GenerateCredentialReport",
        "iam:GetAccountPasswordPolicy",
        "iam:GetCredentialReport",
        "iam:ListUsers",
        "organizations:DescribeOrganization",
      ],
      Resource: "*",
    },
    ...evidenceReaderStatements(cells),
    {
      Sid: "ReadRules",
      Effect: "Allow",
      Action: ["events:DescribeRule", "events:ListTargetsByRule"],
      // By their common beginning, bus by bus: one by one they would not fit in a role's policy where many regions are watched.
      Resource: [
        ...new Set(
          expected.rules.map(({ region, bus }) =>
            eventRuleArn(own, { region, bus, name: `${own.namePrefix}-breakglass-*` }),
          ),
        ),
      ],
    },
    {
      Sid: "ReadAlertTopic",
      Effect: "Allow",
      Action: ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"],
      Resource: expected.topicArn,
    },
    {
      Sid: "ReadTrail",
      Effect: "Allow",
      Action: ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus"],
      Resource: trailArn(own),
    },
    {
      Sid: "ReadTrailBucket",
      Effect: "Allow",
      Action: ["s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"],
      Resource: bucketArn(expected.trail.bucketName),
    },
    {
      Sid: "ReadMetricFilters",
      Effect: "Allow",
      Action: "logs:DescribeMetricFilters",
      // With and without the end that stands for its streams: AWS's pages disagree.
      Resource: ["", ":*"].map((end) =>
        cellArn(own, "logs", `log-group:${expected.trail.logGroupName}${end}`),
      ),
    },
    {
      Sid: "ReadAlarms",
      Effect: "Allow",
      Action: "cloudwatch:DescribeAlarms",
      Resource: cellArn(own, "cloudwatch", "alarm:*"),
    },
    {
      Sid: "ReadUndelivered",
      Effect: "Allow",
      Action: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
      Resource: expected.queues.map((queue) => cellArn(own, "sqs", queue)),
    },
    {
      Sid: "WriteReports",
      Effect: "Allow",
      Action: "s3:PutObject",
      Resource: `${reportsBucketArn(own)}/readiness/*`,
    },
  ];
  if (peers.length > 0) {
    statements.push({
      // Listing tells when the other steward last wrote, without a right to its key.
      Sid: "SeeReportsOfThePeer",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: peers.map(reportsBucketArn),
      Condition: { StringEquals: { "s3:prefix": LATEST_REPORT.json } },
    });
  }
  if (organizationRoleArns.length > 0) {
    statements.push({
      Sid: "ReadOrganization",
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Resource: [...organizationRoleArns],
    });
  }
  return statements;
}
