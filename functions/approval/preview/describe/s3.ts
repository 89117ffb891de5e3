import { GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketReplicationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import { GetAccessPointCommand } from "@aws-sdk/client-s3-control";
import type { PreviewClients } from "../clients";
import { type Describer, inputText } from "../describer";
import { details, type Inquiry, items, missing, subject, tagMap } from "../inquiry";
import type { Detail } from "../preview";

/** How many objects are shown of a bucket that is not empty. */
const SAMPLE = 10;
const DAY = 86_400;

/** Tags of a bucket; a bucket without any says so by an error. */
async function bucketTags(bucket: string, owner: string, { s3 }: PreviewClients, inquiry: Inquiry) {
  const answer = await inquiry.ask("tags of the bucket", () =>
    s3.send(new GetBucketTaggingCommand({ Bucket: bucket, ExpectedBucketOwner: owner })),
  );
  if ("unknown" in answer) return undefined;
  return "value" in answer ? tagMap(answer.value.TagSet) : {};
}

/** What S3 last measured; it is up to two days old and changes daily, so it is shown, but not approved. */
async function measured(
  bucket: string,
  { cloudwatch }: PreviewClients,
  inquiry: Inquiry,
  now: Date,
): Promise<Detail[]> {
  const metric = async (name: string, storage: string) => {
    const { Datapoints = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "AWS/S3",
        MetricName: name,
        Dimensions: [
          { Name: "BucketName", Value: bucket },
          { Name: "StorageType", Value: storage },
        ],
        StartTime: new Date(now.getTime() - 3 * DAY * 1_000),
        EndTime: now,
        Period: DAY,
        Statistics: ["Average"],
      }),
    );
    return Datapoints.sort((a, b) => Number(a.Timestamp) - Number(b.Timestamp)).at(-1)?.Average;
  };
  const found = await inquiry.list("size of the bucket", async () => ({
    objects: await metric("NumberOfObjects", "AllStorageTypes"),
    bytes: await metric("BucketSizeBytes", "StandardStorage"),
  }));
  return details({
    "Objects, last measured": found?.objects?.toLocaleString("en"),
    "Bytes in standard storage, last measured": found?.bytes?.toLocaleString("en"),
  }).map((detail) => ({ ...detail, live: true }));
}

/** A bucket with a sample of what is in it. */
export const DELETE_BUCKET: Describer = {
  actions: [
    "s3:ListBucketVersions",
    "s3:GetBucketVersioning",
    "s3:GetReplicationConfiguration",
    "s3:GetBucketTagging",
    "cloudwatch:GetMetricStatistics",
  ],
  async describe(plan, clients, inquiry) {
    const { s3 } = clients;
    const [arn] = plan.targets as [string];
    const bucket = { Bucket: inputText(plan, "Bucket"), ExpectedBucketOwner: plan.place.account };
    const answer = await inquiry.ask("the bucket", () => s3.send(new GetBucketVersioningCommand(bucket)));
    if ("absent" in answer) return [missing(arn, answer)];
    const listed = await inquiry.list("objects in the bucket", () =>
      s3.send(new ListObjectVersionsCommand({ ...bucket, MaxKeys: SAMPLE })),
    );
    const replication = await inquiry.list("replication of the bucket", () =>
      s3.send(new GetBucketReplicationCommand(bucket)),
    );
    const objects = [...(listed?.Versions ?? []), ...(listed?.DeleteMarkers ?? [])];
    const versioning = "value" in answer ? (answer.value.Status ?? "never enabled") : undefined;
    return [
      subject(arn, {
        presence: "value" in answer ? "present" : "unknown",
        tags: await bucketTags(bucket.Bucket, bucket.ExpectedBucketOwner, clients, inquiry),
        details: [
          ...details({ Versioning: versioning, Empty: listed && objects.length === 0 }),
          ...(await measured(bucket.Bucket, clients, inquiry, new Date())),
          ...objects
            .slice(0, SAMPLE)
            .map(({ Key = "" }) => ({ label: "Object in it", value: Key, live: true })),
        ],
        kept: items(
          "replica",
          replication?.ReplicationConfiguration?.Rules?.map(({ Destination }) => Destination?.Bucket) ?? [],
        ),
        obstacles: objects.length > 0 ? ["the bucket is not empty"] : [],
      }),
    ];
  },
};

/** A bucket's policy: what it denies and allows. */
export const DELETE_BUCKET_POLICY: Describer = {
  actions: ["s3:GetBucketPolicy", "s3:GetBucketPolicyStatus", "s3:GetBucketTagging"],
  async describe(plan, clients, inquiry) {
    const { s3 } = clients;
    const [arn] = plan.targets as [string];
    const bucket = { Bucket: inputText(plan, "Bucket"), ExpectedBucketOwner: plan.place.account };
    const answer = await inquiry.ask("the policy", () => s3.send(new GetBucketPolicyCommand(bucket)));
    if (!("value" in answer)) return [missing(arn, answer)];
    const status = await inquiry.list("whether the policy is public", () =>
      s3.send(new GetBucketPolicyStatusCommand(bucket)),
    );
    const policy = answer.value.Policy ?? "";
    return [
      subject(arn, {
        tags: await bucketTags(bucket.Bucket, bucket.ExpectedBucketOwner, clients, inquiry),
        details: details({
          ...effects(policy),
          Public: status?.PolicyStatus?.IsPublic,
          Policy: policy,
        }),
        lost: [{ kind: "policy", id: "of the bucket" }],
      }),
    ];
  },
};

/** How many statements of a policy allow and deny. */
function effects(policy: string): Record<string, number | undefined> {
  try {
    const { Statement = [] } = JSON.parse(policy) as { Statement?: { Effect?: string }[] };
    const list = Array.isArray(Statement) ? Statement : [Statement];
    const count = (effect: string) => list.filter(({ Effect }) => Effect === effect).length;
    return { "Statements that allow": count("Allow"), "Statements that deny": count("Deny") };
  } catch {
    return {};
  }
}

/** An access point. */
export const DELETE_ACCESS_POINT: Describer = {
  actions: ["s3:GetAccessPoint"],
  async describe(plan, { s3control }, inquiry) {
    const [arn] = plan.targets as [string];
    const answer = await inquiry.ask("the access point", () =>
      s3control.send(
        new GetAccessPointCommand({ AccountId: plan.place.account, Name: inputText(plan, "Name") }),
      ),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const { Bucket, NetworkOrigin, VpcConfiguration, Alias } = answer.value;
    return [
      subject(arn, {
        tags: {},
        details: details({ Network: NetworkOrigin, VPC: VpcConfiguration?.VpcId, Alias }),
        affected: items("bucket", [Bucket]),
      }),
    ];
  },
};
