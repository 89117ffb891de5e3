import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type Instance,
  paginateDescribeSnapshots,
  type Volume,
} from "@aws-sdk/client-ec2";
import type { Describer } from "../describer";
import { details, items, subject, tagMap } from "../inquiry";
import type { Item } from "../preview";

/** An instance with the volumes that go with it and those that stay. */
export const TERMINATE_INSTANCES: Describer = {
  actions: [
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeVolumes",
    "ec2:DescribeSnapshots",
  ],
  async describe({ operation, targets }, { ec2 }, inquiry) {
    const ids = operation.input.InstanceIds as readonly string[];
    // By filter, not by id: one id that does not exist would hide all the others.
    const found = await inquiry.list("the instances", async () => {
      const { Reservations = [] } = await ec2.send(
        new DescribeInstancesCommand({ Filters: [{ Name: "instance-id", Values: [...ids] }] }),
      );
      return Reservations.flatMap(({ Instances = [] }) => Instances);
    });
    const instances = new Map(found?.map((instance) => [instance.InstanceId, instance]));
    const volumeIds = [...instances.values()].flatMap(volumesOf).map(({ id }) => id);
    const volumes = new Map<string | undefined, Volume>();
    const snapshots = new Set<string>();
    if (volumeIds.length > 0) {
      const listed = await inquiry.list("sizes of the volumes", () =>
        ec2.send(new DescribeVolumesCommand({ Filters: [{ Name: "volume-id", Values: volumeIds }] })),
      );
      for (const volume of listed?.Volumes ?? []) volumes.set(volume.VolumeId, volume);
      await inquiry.list("snapshots of the volumes", async () => {
        const pages = paginateDescribeSnapshots(
          { client: ec2 },
          { OwnerIds: ["self"], Filters: [{ Name: "volume-id", Values: volumeIds }] },
        );
        for await (const { Snapshots = [] } of pages) {
          for (const { SnapshotId, VolumeId } of Snapshots)
            if (SnapshotId) snapshots.add(`${VolumeId} ${SnapshotId}`);
        }
      });
    }
    return Promise.all(
      ids.map(async (id, index) => {
        const arn = targets[index]!;
        if (!found) return subject(arn, { presence: "unknown" });
        const instance = instances.get(id);
        if (!instance || instance.State?.Name === "terminated") return subject(arn, { presence: "absent" });
        const attribute = await inquiry.list("termination protection", () =>
          ec2.send(
            new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "disableApiTermination" }),
          ),
        );
        const attached = volumesOf(instance);
        const noted = ({ id: volumeId }: AttachedVolume): Item => {
          const volume = volumes.get(volumeId);
          return {
            kind: "volume",
            id: volumeId,
            ...(volume && { note: `${volume.Size} GiB, ${volume.VolumeType}` }),
          };
        };
        const tags = tagMap(instance.Tags);
        const lost = attached.filter(({ deleted }) => deleted);
        const group = tags["aws:autoscaling:groupName"];
        return subject(arn, {
          tags,
          details: details({
            Name: tags.Name,
            State: instance.State?.Name,
            Type: instance.InstanceType,
            Subnet: instance.SubnetId,
            "Auto Scaling group": group && `${group}: it starts another instance in its place`,
            Lifecycle: instance.InstanceLifecycle,
          }),
          lost: lost.map(noted),
          kept: [
            ...attached.filter(({ deleted }) => !deleted).map(noted),
            ...items(
              "snapshot",
              [...snapshots].flatMap((pair) => {
                const [volumeId, snapshotId] = pair.split(" ");
                return lost.some((volume) => volume.id === volumeId) ? [snapshotId] : [];
              }),
            ),
          ],
          obstacles: attribute?.DisableApiTermination?.Value ? ["termination protection is on"] : [],
        });
      }),
    );
  },
};

interface AttachedVolume {
  readonly id: string;
  readonly deleted: boolean;
}

function volumesOf({ BlockDeviceMappings = [] }: Instance): AttachedVolume[] {
  return BlockDeviceMappings.flatMap(({ Ebs }) =>
    Ebs?.VolumeId ? [{ id: Ebs.VolumeId, deleted: Ebs.DeleteOnTermination ?? false }] : [],
  );
}
