import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import { type Describer, inputText } from "../describer";
import { details, items, liveItems, missing, subject, tagMap } from "../inquiry";

/** A volume with its snapshots. */
export const DELETE_VOLUME: Describer = {
  actions: ["ec2:DescribeVolumes", "ec2:DescribeSnapshots"],
  async describe(plan, { ec2 }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "VolumeId");
    const answer = await inquiry.ask("the volume", () =>
      ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const volume = answer.value.Volumes?.[0];
    if (!volume) return [subject(arn, { presence: "absent" })];
    const snapshots = await inquiry.list("snapshots of the volume", () =>
      ec2.send(
        new DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters: [{ Name: "volume-id", Values: [id] }] }),
      ),
    );
    const tags = tagMap(volume.Tags);
    return [
      subject(arn, {
        tags,
        details: details({
          Name: tags.Name,
          State: volume.State,
          Size: volume.Size && `${volume.Size} GiB`,
          Type: volume.VolumeType,
          Encrypted: volume.Encrypted,
        }),
        kept: (snapshots?.Snapshots ?? []).map(({ SnapshotId = "?", StartTime }) => ({
          kind: "snapshot",
          id: SnapshotId,
          note: StartTime?.toISOString(),
        })),
        affected: items("instance", volume.Attachments?.map(({ InstanceId }) => InstanceId) ?? []),
        obstacles: volume.State === "in-use" ? ["the volume is attached to an instance"] : [],
      }),
    ];
  },
};

/** A snapshot with the images that need it. */
export const DELETE_SNAPSHOT: Describer = {
  actions: ["ec2:DescribeSnapshots", "ec2:DescribeImages"],
  async describe(plan, { ec2 }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "SnapshotId");
    const answer = await inquiry.ask("the snapshot", () =>
      ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const snapshot = answer.value.Snapshots?.[0];
    if (!snapshot) return [subject(arn, { presence: "absent" })];
    const images = await inquiry.list("images of the snapshot", () =>
      ec2.send(
        new DescribeImagesCommand({
          Owners: ["self"],
          Filters: [{ Name: "block-device-mapping.snapshot-id", Values: [id] }],
        }),
      ),
    );
    const { VolumeId: volumeId } = snapshot;
    const others = volumeId
      ? await inquiry.list("further snapshots of the volume", () =>
          ec2.send(
            new DescribeSnapshotsCommand({
              OwnerIds: ["self"],
              Filters: [{ Name: "volume-id", Values: [volumeId] }],
            }),
          ),
        )
      : undefined;
    const tags = tagMap(snapshot.Tags);
    const imageIds = images?.Images?.map(({ ImageId }) => ImageId) ?? [];
    return [
      subject(arn, {
        tags,
        details: details({
          Name: tags.Name,
          Volume: volumeId,
          Size: snapshot.VolumeSize && `${snapshot.VolumeSize} GiB`,
          Taken: snapshot.StartTime?.toISOString(),
          Owner: snapshot.OwnerId,
          Description: snapshot.Description,
        }),
        kept: items(
          "snapshot",
          (others?.Snapshots ?? []).map(({ SnapshotId }) => SnapshotId).filter((other) => other !== id),
        ),
        affected: items("image", imageIds),
        obstacles: imageIds.length > 0 ? ["an image uses the snapshot"] : [],
      }),
    ];
  },
};

/** An image with the instances that were started from it. */
export const DEREGISTER_IMAGE: Describer = {
  actions: ["ec2:DescribeImages", "ec2:DescribeInstances"],
  async describe(plan, { ec2 }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "ImageId");
    const answer = await inquiry.ask("the image", () =>
      ec2.send(new DescribeImagesCommand({ ImageIds: [id] })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const image = answer.value.Images?.[0];
    if (!image) return [subject(arn, { presence: "absent" })];
    const running = await inquiry.list("instances of the image", () =>
      ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "image-id", Values: [id] }] })),
    );
    return [
      subject(arn, {
        tags: tagMap(image.Tags),
        details: details({
          Name: image.Name,
          Created: image.CreationDate,
          Public: image.Public,
          Owner: image.OwnerId,
        }),
        kept: items("snapshot", image.BlockDeviceMappings?.map(({ Ebs }) => Ebs?.SnapshotId) ?? []),
        affected: liveItems(
          "instance",
          (running?.Reservations ?? []).flatMap(({ Instances = [] }) =>
            Instances.map(({ InstanceId }) => InstanceId),
          ),
        ),
        obstacles: image.DeregistrationProtection?.startsWith("enabled")
          ? ["deregistration protection is on"]
          : [],
      }),
    ];
  },
};
