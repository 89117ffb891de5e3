/** CloudTrail. */
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { define, type Handler, someTags, syncTags, tagList, tagMap } from "../handler";
import { bool, map, str } from "../schema";
import type { Props } from "../types";

/** What CreateTrail and UpdateTrail take alike; text that is absent is taken away by an update. */
function settings(inputs: Props, absent: "" | undefined) {
  return {
    S3BucketName: inputs.s3BucketName,
    S3KeyPrefix: inputs.s3KeyPrefix ?? absent,
    SnsTopicName: inputs.snsTopicName ?? absent,
    IncludeGlobalServiceEvents: inputs.includeGlobalServiceEvents,
    IsMultiRegionTrail: inputs.isMultiRegionTrail,
    IsOrganizationTrail: inputs.isOrganizationTrail,
    EnableLogFileValidation: inputs.enableLogFileValidation,
    CloudWatchLogsLogGroupArn: inputs.cloudWatchLogsGroupArn ?? absent,
    CloudWatchLogsRoleArn: inputs.cloudWatchLogsRoleArn ?? absent,
    KmsKeyId: inputs.kmsKeyId ?? absent,
  };
}

async function setLogging(cloudtrail: Client<"cloudtrail">, Name: string, isWanted: boolean): Promise<void> {
  if (isWanted) await cloudtrail.startLogging({ Name });
  else await cloudtrail.stopLogging({ Name });
}

const trail = define("cloudtrail", {
  type: "aws:cloudtrail/trail:Trail",
  autoname: { property: "name", maxLength: 128 },
  inputs: {
    name: str({ replaces: true }),
    s3BucketName: str({ required: true }),
    s3KeyPrefix: str(),
    snsTopicName: str(),
    cloudWatchLogsGroupArn: str(),
    cloudWatchLogsRoleArn: str(),
    enableLogFileValidation: bool({ default: false }),
    enableLogging: bool({ default: true }),
    includeGlobalServiceEvents: bool({ default: true }),
    isMultiRegionTrail: bool({ default: false }),
    isOrganizationTrail: bool({ default: false }),
    kmsKeyId: str(),
    tags: map(),
  },
  advice: {
    eventSelectors: "leave it out: without it a trail records all management events",
    advancedEventSelectors: "leave it out: without it a trail records all management events",
    insightSelectors: "leave it out: there are no insights here",
  },
  outputs: ["arn", "homeRegion"],
  async create(cloudtrail, inputs, call) {
    const { TrailARN } = await cloudtrail.createTrail({
      Name: inputs.name,
      ...settings(inputs, undefined),
      TagsList: someTags(inputs.tags),
    });
    const id = call.created(TrailARN!);
    if (inputs.enableLogging) await setLogging(cloudtrail, id, true);
    return id;
  },
  async read(cloudtrail, id) {
    // GetTrail fails for a trail that does not exist.
    const { Trail: live } = await cloudtrail.getTrail({ Name: id });
    const { IsLogging } = await cloudtrail.getTrailStatus({ Name: id });
    const { ResourceTagList } = await cloudtrail.listTags({ ResourceIdList: [id] });
    return {
      name: live!.Name,
      s3BucketName: live!.S3BucketName,
      s3KeyPrefix: live!.S3KeyPrefix,
      snsTopicName: live!.SnsTopicName,
      cloudWatchLogsGroupArn: live!.CloudWatchLogsLogGroupArn,
      cloudWatchLogsRoleArn: live!.CloudWatchLogsRoleArn,
      enableLogFileValidation: live!.LogFileValidationEnabled ?? false,
      enableLogging: IsLogging ?? false,
      includeGlobalServiceEvents: live!.IncludeGlobalServiceEvents ?? false,
      isMultiRegionTrail: live!.IsMultiRegionTrail ?? false,
      isOrganizationTrail: live!.IsOrganizationTrail ?? false,
      kmsKeyId: live!.KmsKeyId,
      tags: tagMap(ResourceTagList?.[0]?.TagsList),
      arn: live!.TrailARN,
      homeRegion: live!.HomeRegion,
    };
  },
  async update(cloudtrail, Name, inputs, olds, call) {
    if (
      call.changed(...Object.keys(trail.inputs).filter((key) => !["tags", "enableLogging"].includes(key)))
    ) {
      await cloudtrail.updateTrail({ Name, ...settings(inputs, "") });
    }
    if (call.changed("enableLogging")) await setLogging(cloudtrail, Name, inputs.enableLogging);
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => cloudtrail.addTags({ ResourceId: Name, TagsList: tagList(tags) }),
      (keys) => cloudtrail.removeTags({ ResourceId: Name, TagsList: keys.map((Key) => ({ Key })) }),
    );
    return undefined;
  },
  async delete(cloudtrail, Name) {
    await cloudtrail.deleteTrail({ Name });
  },
  identify: async (_cloudtrail, inputs, call) =>
    arn({
      partition: partitionOf(call.region),
      service: "cloudtrail",
      region: call.region,
      account: await call.account(),
      resource: `trail/${inputs.name}`,
    }),
});

export const cloudtrailHandlers: readonly Handler[] = [trail];
