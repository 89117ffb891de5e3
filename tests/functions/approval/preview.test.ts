import { EC2Client } from "@aws-sdk/client-ec2";
import { expect } from "chai";
import * as fc from "fast-check";
import { intake } from "../../../functions/approval/intake/intake";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import { KNOWN_EVENTS, OPERATIONS } from "../../../functions/approval/operations/catalogue";
import type { PlannedOperation } from "../../../functions/approval/operations/plan";
import { lookAt, PREVIEW_ACTIONS } from "../../../functions/approval/preview/look";
import {
  type Preview,
  previewHash,
  type Subject,
  summarize,
} from "../../../functions/approval/preview/preview";
import { ACCOUNT, CASES, denied, instancesSet, type Json, REGION } from "./support/events";
import { type Answers, awsError, fakeClients } from "./support/fakeClients";

function plan(service: string, eventName: string, parameters: Json): PlannedOperation {
  const decided = intake(denied(service, eventName, parameters), intakeSettings({ events: KNOWN_EVENTS }));
  if (!("plan" in decided)) throw new Error(decided.why);
  return decided.plan;
}
const planOf = (call: string) => {
  const one = CASES.find((each) => each.call === call)!;
  return plan(one.service, one.eventName, one.parameters);
};
const look = async (planned: PlannedOperation, answers: Answers, otherwise?: unknown) =>
  lookAt(planned, fakeClients(answers, otherwise).clients);
const only = async (planned: PlannedOperation, answers: Answers): Promise<Subject> => {
  const { subjects, unknown } = await look(planned, answers);
  expect(unknown).to.deep.equal([]);
  expect(subjects).to.have.length(1);
  return subjects[0]!;
};
const detail = (subject: Subject, label: string) =>
  subject.details.find((each) => each.label === label)?.value;
const listed = (items: Subject["lost"]) => items.map(({ kind, id }) => `${kind} ${id}`);
const text = (preview: Preview) => summarize(preview).map(({ label, value }) => `${label}: ${value}`);

const INSTANCE = "i-0fc5d99558e8357e8";
const OTHER = "i-05c30218";
const TERMINATE = () => plan("ec2", "TerminateInstances", instancesSet([INSTANCE, OTHER]));
const tags = (values: Record<string, string>) =>
  Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
const EC2_ANSWERS: Answers = {
  DescribeInstances: {
    Reservations: [
      {
        Instances: [
          {
            InstanceId: INSTANCE,
            State: { Name: "running" },
            InstanceType: "m7g.large",
            Tags: tags({ Name: "web", environment: "prod", "aws:autoscaling:groupName": "web-asg" }),
            BlockDeviceMappings: [
              { Ebs: { VolumeId: "vol-0000000000000000a", DeleteOnTermination: true } },
              { Ebs: { VolumeId: "vol-0000000000000000b", DeleteOnTermination: false } },
            ],
          },
        ],
      },
    ],
  },
  DescribeVolumes: {
    Volumes: [
      { VolumeId: "vol-0000000000000000a", Size: 100, VolumeType: "gp3" },
      { VolumeId: "vol-0000000000000000b", Size: 500, VolumeType: "io2" },
    ],
  },
  DescribeInstanceAttribute: { DisableApiTermination: { Value: true } },
};

describe("the preview of an operation", () => {
  it("shows instances with the volumes that go, those that stay, protection and Auto Scaling", async () => {
    // The paginator of the SDK wants a true client.
    const ec2 = new EC2Client({ region: REGION, credentials: { accessKeyId: "x", secretAccessKey: "y" } });
    const { clients } = fakeClients(EC2_ANSWERS);
    ec2.send = (async (command: { constructor: { name: string } }) =>
      command.constructor.name === "DescribeSnapshotsCommand"
        ? { Snapshots: [{ SnapshotId: "snap-1", VolumeId: "vol-0000000000000000a" }] }
        : clients.ec2.send(command as never)) as never;
    const preview = await lookAt(TERMINATE(), { ...clients, ec2 });
    expect(preview.unknown).to.deep.equal([]);
    const [absent, present] = preview.subjects as [Subject, Subject];
    expect(absent).to.include({
      arn: `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${OTHER}`,
      presence: "absent",
    });
    expect(listed(present.lost)).to.deep.equal(["volume vol-0000000000000000a"]);
    expect(listed(present.kept)).to.deep.equal(["snapshot snap-1", "volume vol-0000000000000000b"]);
    expect(present.obstacles).to.deep.equal(["termination protection is on"]);
    expect(detail(present, "Auto Scaling group")).to.include("web-asg");
    expect(text(preview)).to.include.members([
      "State: does not exist",
      "Lost with it: volume vol-0000000000000000a (100 GiB, gp3)",
      "AWS will reject it: termination protection is on",
    ]);
  });

  it("shows a database with backups, snapshots, replicas and protection", async () => {
    const answers = {
      DescribeDBInstances: {
        DBInstances: [
          {
            Engine: "postgres",
            EngineVersion: "17.2",
            DBInstanceStatus: "available",
            BackupRetentionPeriod: 7,
            DeletionProtection: true,
            ReadReplicaDBInstanceIdentifiers: ["orders-ro"],
            TagList: tags({ env: "prod" }),
          },
        ],
      },
      DescribeDBSnapshots: { DBSnapshots: [{ DBSnapshotIdentifier: "before-migration" }] },
    };
    const skipped = await only(
      plan("rds", "DeleteDBInstance", { dBInstanceIdentifier: "orders", skipFinalSnapshot: true }),
      answers,
    );
    expect(listed(skipped.lost)).to.deep.equal(["automated backups of 7 days"]);
    expect(listed(skipped.kept)).to.deep.equal(["snapshot before-migration"]);
    expect(listed(skipped.affected)).to.deep.equal(["replica orders-ro"]);
    expect(skipped.obstacles).to.deep.equal(["deletion protection is on"]);
    const final = await only(
      plan("rds", "DeleteDBInstance", {
        dBInstanceIdentifier: "orders",
        skipFinalSnapshot: false,
        finalDBSnapshotIdentifier: "last",
        deleteAutomatedBackups: false,
      }),
      answers,
    );
    expect(final.lost).to.deep.equal([]);
    expect(listed(final.kept)).to.include.members(["final snapshot last", "automated backups of 7 days"]);
    const undecided = await only(
      plan("rds", "DeleteDBInstance", { dBInstanceIdentifier: "orders" }),
      answers,
    );
    expect(undecided.obstacles).to.include("the call neither skips the final snapshot nor names one");
    const member = await only(plan("rds", "DeleteDBInstance", { dBInstanceIdentifier: "orders" }), {
      DescribeDBInstances: { DBInstances: [{ DBClusterIdentifier: "ledger", Engine: "aurora-mysql" }] },
    });
    expect(member.obstacles).to.deep.equal([]);
    expect(detail(member, "Cluster")).to.include("the data is the cluster's and stays");
  });

  it("shows a cluster whose members are its own, or in the way", async () => {
    const cluster = (Engine: string) => ({
      DescribeDBClusters: { DBClusters: [{ Engine, DBClusterMembers: [{ DBInstanceIdentifier: "one" }] }] },
    });
    const aurora = await only(planOf("rds DeleteDBCluster"), cluster("aurora-postgresql"));
    expect(listed(aurora.affected)).to.deep.equal(["database one"]);
    expect(aurora.obstacles).to.deep.equal(["the cluster still has databases"]);
    const multiAz = await only(planOf("rds DeleteDBCluster"), cluster("mysql"));
    expect(listed(multiAz.lost)).to.deep.equal(["database one"]);
  });

  it("shows a bucket with its size, a sample, versioning and replication", async () => {
    const subject = await only(planOf("s3 DeleteBucket"), {
      GetBucketVersioning: { Status: "Enabled" },
      ListObjectVersions: { Versions: [{ Key: "a.csv" }, { Key: "b.csv" }] },
      GetBucketReplication: {
        ReplicationConfiguration: { Rules: [{ Destination: { Bucket: "arn:aws:s3:::copy" } }] },
      },
      GetBucketTagging: awsError("NoSuchTagSet", 404),
      GetMetricStatistics: ({ MetricName }: { MetricName: string }) => ({
        Datapoints: [
          { Timestamp: new Date(2), Average: MetricName === "NumberOfObjects" ? 1234567 : 5e9 },
          { Timestamp: new Date(1), Average: 1 },
        ],
      }),
    });
    expect(subject.tags).to.deep.equal({});
    expect(detail(subject, "Versioning")).to.equal("Enabled");
    expect(detail(subject, "Objects, last measured")).to.equal("1,234,567");
    expect(subject.details.filter(({ label }) => label === "Object in it")).to.have.length(2);
    expect(listed(subject.kept)).to.deep.equal(["replica arn:aws:s3:::copy"]);
    expect(subject.obstacles).to.deep.equal(["the bucket is not empty"]);
  });

  it("shows what is in the way in a network", async () => {
    const subnet = await only(planOf("ec2 DeleteSubnet"), {
      DescribeSubnets: { Subnets: [{ VpcId: "vpc-1", CidrBlock: "10.0.0.0/24" }] },
      DescribeNetworkInterfaces: {
        NetworkInterfaces: [{ NetworkInterfaceId: "eni-1", Attachment: { InstanceId: INSTANCE } }],
      },
    });
    expect(subnet.affected).to.deep.equal([{ kind: "network interface", id: "eni-1", note: INSTANCE }]);
    expect(subnet.obstacles).to.deep.equal(["the subnet has network interfaces"]);
    const nat = await only(planOf("ec2 DeleteNatGateway"), {
      DescribeNatGateways: { NatGateways: [{ State: "available", VpcId: "vpc-1" }] },
      DescribeRouteTables: { RouteTables: [{ RouteTableId: "rtb-1" }] },
    });
    expect(listed(nat.affected)).to.deep.equal(["route table rtb-1"]);
    const gone = await only(planOf("ec2 DeleteNatGateway"), {
      DescribeNatGateways: { NatGateways: [{ State: "deleted" }] },
    });
    expect(gone.presence).to.equal("absent");
  });

  it("shows a load balancer with listeners, and targets that come and go", async () => {
    const balancer = await only(planOf("elbv2 DeleteLoadBalancer"), {
      DescribeLoadBalancers: { LoadBalancers: [{ Type: "application", Scheme: "internet-facing" }] },
      DescribeListeners: { Listeners: [{ ListenerArn: "l", Port: 443, Protocol: "HTTPS" }] },
      DescribeTargetGroups: { TargetGroups: [{ TargetGroupArn: "t" }] },
      DescribeLoadBalancerAttributes: { Attributes: [{ Key: "deletion_protection.enabled", Value: "true" }] },
      DescribeTags: { TagDescriptions: [{ Tags: tags({ env: "prod" }) }] },
    });
    expect(balancer.lost).to.deep.equal([{ kind: "listener", id: "l", note: "HTTPS 443" }]);
    expect(balancer.obstacles).to.deep.equal(["deletion protection is on"]);
    const withTargets = (...ids: string[]) =>
      look(planOf("elbv2 DeleteTargetGroup"), {
        DescribeTargetGroups: { TargetGroups: [{ LoadBalancerArns: [] }] },
        DescribeTargetHealth: { TargetHealthDescriptions: ids.map((Id) => ({ Target: { Id } })) },
      });
    const one = await withTargets("i-1");
    expect(listed(one.subjects[0]!.affected)).to.deep.equal(["target i-1"]);
    expect(previewHash(one)).to.equal(previewHash(await withTargets("i-2", "i-3")));
  });

  for (const { service, api } of OPERATIONS) {
    const call = `${service} ${api}`;
    it(`never fails for ${call}, and says what it could not find out`, async () => {
      const planned = planOf(call);
      const forbidden = await look(planned, {}, awsError("AccessDenied", 403));
      expect(forbidden.subjects.map(({ presence }) => presence)).to.deep.equal(
        planned.targets.map(() => "unknown"),
      );
      expect(forbidden.unknown).to.not.have.length(0);
      expect(forbidden.unknown.every(({ why }) => why === "denied")).to.equal(true);
      expect(text(forbidden).join("\n")).to.include("reading it is not allowed");

      const silent = await look(planned, {}, awsError("TimeoutError", 500));
      expect(silent.unknown.some(({ why }) => why === "unavailable")).to.equal(true);

      const gone = await look(planned, {}, awsError("ResourceNotFoundException", 404));
      if (call !== "ec2 TerminateInstances") {
        expect(gone.subjects.map(({ presence }) => presence)).to.deep.equal(
          planned.targets.map(() => "absent"),
        );
        expect(gone.unknown).to.deep.equal([]);
      }
      // Answers without anything in them: no field of AWS's can be counted on.
      const empty = await look(planned, {}, {});
      expect(empty.subjects.map(({ arn }) => arn)).to.have.members([...planned.targets]);
      expect(new Set([forbidden, silent, gone].map(previewHash)).size).to.equal(3);
    });
  }

  it("only reads, with the actions that it names", async () => {
    for (const action of PREVIEW_ACTIONS) expect(action).to.match(/^[a-z0-9]+:(Describe|List|Get)[A-Z]/);
    // Names of APIs that are not those of their permissions.
    const renamed: Record<string, string> = {
      "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
      "s3:ListObjectVersions": "s3:ListBucketVersions",
    };
    const prefixes: Record<string, string> = {
      elb: "elasticloadbalancing",
      elbv2: "elasticloadbalancing",
      s3control: "s3",
    };
    const one = [{ Tags: [], TagList: [], Status: {} }];
    const found = {
      DescribeInstances: EC2_ANSWERS.DescribeInstances,
      DescribeVolumes: { Volumes: one },
      DescribeSnapshots: { Snapshots: [{ VolumeId: "vol-1" }] },
      DescribeImages: { Images: one },
      DescribeSubnets: { Subnets: one },
      DescribeVpcs: { Vpcs: one },
      DescribeNatGateways: { NatGateways: one },
      DescribeTransitGateways: { TransitGateways: one },
      DescribeSecurityGroups: { SecurityGroups: one },
      DescribeDBInstances: { DBInstances: one },
      DescribeDBClusters: { DBClusters: one },
      DescribeDBClusterSnapshots: { DBClusterSnapshots: [{ DBClusterIdentifier: "c" }] },
      DescribeCluster: { cluster: {} },
      DescribeLoadBalancers: { LoadBalancers: one, LoadBalancerDescriptions: one },
      DescribeTargetGroups: { TargetGroups: one },
      DescribeListeners: { Listeners: one },
      DescribeTable: { Table: {} },
      DescribeKey: { KeyMetadata: {} },
    };
    const used = new Set<string>();
    for (const { service, api } of OPERATIONS) {
      const { clients, asked } = fakeClients(found);
      await lookAt(planOf(`${service} ${api}`), clients);
      for (const call of asked) {
        const [client, name] = call.split(" ") as [string, string];
        const action = `${prefixes[client] ?? client}:${name}`;
        used.add(renamed[action] ?? action);
      }
    }
    // RDS lists tags with the resource, for who may list them.
    used.add("rds:ListTagsForResource");
    expect([...used].sort()).to.deep.equal([...PREVIEW_ACTIONS]);
  });
});

describe("the hash of a preview", () => {
  const base: Preview = {
    subjects: [
      {
        arn: "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
        presence: "present",
        tags: { Name: "web" },
        details: [
          { label: "State", value: "running" },
          { label: "Items", value: "7", live: true },
        ],
        lost: [
          { kind: "volume", id: "a" },
          { kind: "volume", id: "b" },
        ],
        kept: [{ kind: "snapshot", id: "s1" }],
        affected: [{ kind: "target", id: "t", live: true }],
        obstacles: [],
      },
    ],
    unknown: [],
  };
  const [instance] = base.subjects as [Subject];
  const changed = (parts: Partial<Subject>, unknown: Preview["unknown"] = []): Preview => ({
    subjects: [{ ...instance, ...parts }],
    unknown,
  });

  it("is the same while nothing changes that matters", () => {
    expect(previewHash(base)).to.match(/^[0-9a-f]{64}$/);
    const same: Preview[] = [
      changed({ lost: [...instance.lost].reverse() }),
      changed({ details: [...instance.details].reverse() }),
      changed({ details: [instance.details[0]!, { label: "Items", value: "8", live: true }] }),
      changed({
        kept: [
          { kind: "snapshot", id: "s2" },
          { kind: "snapshot", id: "s3" },
        ],
      }),
      changed({ affected: [] }),
    ];
    for (const one of same) expect(previewHash(one)).to.equal(previewHash(base));
  });

  it("differs when something changes that an approver would want to know of", () => {
    const others: Preview[] = [
      changed({ presence: "absent" }),
      changed({ tags: { Name: "web", environment: "prod" } }),
      changed({ tags: undefined }),
      changed({ details: [{ label: "State", value: "stopped" }] }),
      changed({ lost: instance.lost.slice(1) }),
      changed({ kept: [] }),
      changed({ affected: [{ kind: "route table", id: "rtb-1" }] }),
      changed({ obstacles: ["termination protection is on"] }),
      changed({}, [{ what: "snapshots", why: "denied" }]),
    ];
    expect(new Set([base, ...others].map(previewHash)).size).to.equal(others.length + 1);
  });

  it("shows texts of AWS as plain text, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (value) => {
        const preview = changed({
          tags: { [value]: value },
          details: [{ label: "Name", value }],
          lost: [{ kind: "volume", id: value }],
        });
        for (const line of summarize(preview)) {
          expect(line.value).to.not.match(/[\n\r\u202e\u2066]/);
          expect(line.value.length).to.be.lessThan(2_000);
        }
      }),
      { seed: 20261122, numRuns: 300 },
    );
    const many = changed({
      lost: Array.from({ length: 200 }, (_, index) => ({ kind: "volume", id: `v${index}` })),
    });
    expect(text(many).find((line) => line.startsWith("Lost"))).to.match(/and 150 more$/);
  });
});
