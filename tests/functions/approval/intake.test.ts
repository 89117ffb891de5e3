import { expect } from "chai";
import { explanation } from "../../../functions/approval/intake/explain";
import { type Intake, intake } from "../../../functions/approval/intake/intake";
import { type IntakeOptions, intakeSettings } from "../../../functions/approval/intake/settings";
import { DEFAULT_EVENTS, KNOWN_EVENTS } from "../../../functions/approval/operations/catalogue";
import {
  ACCOUNT,
  ALICE,
  CASES,
  type Case,
  delivered,
  denied,
  EVENT_ID,
  instanceIds,
  instancesSet,
  type Json,
  LOAD_BALANCER,
  message,
  REGION,
  session,
} from "./support/events";

const SUBNET = { subnetId: "subnet-0d840b9ab96eb41ca" };
const decide = (event: unknown, options: IntakeOptions = {}) => intake(event, intakeSettings(options));
const every = { events: KNOWN_EVENTS };

const reason = (decided: Intake) => {
  expect(explanation(decided)).to.have.keys("refuse", "why");
  return (decided as { refuse: string }).refuse;
};
const ignored = (decided: Intake) => {
  expect(explanation(decided)).to.have.keys("ignore", "why");
  return decided.why;
};
const form = (decided: Intake) => {
  expect(explanation(decided)).to.deep.equal({ form: true, why: decided.why });
  return decided.why;
};
const operation = (decided: Intake) => {
  expect(explanation(decided), decided.why).to.have.keys("operation", "why");
  if (!("plan" in decided)) throw new Error("no plan");
  return decided.plan.operation;
};
const record = ({ service, eventName, parameters }: Case, changes: Json = {}) =>
  denied(service, eventName, parameters, changes);

describe("what approval makes of a denied call", () => {
  for (const one of CASES) {
    const given = JSON.stringify(one.parameters);
    it(`makes ${one.call} out of ${one.eventName} ${given.slice(0, 80)}`, () => {
      const { input, actions, resources } = one;
      const [service, api] = one.call.split(" ");
      const expected = { service, api, input, actions, resources };
      const decided = decide(delivered(record(one)), every);
      expect(operation(decided)).to.deep.equal(expected);
      expect(operation(decide(record(one), every))).to.deep.equal(expected);
      expect(decided.facts).to.deep.include({ account: ACCOUNT, region: REGION, eventId: EVENT_ID });
      expect(decided.facts.requester).to.include({ kind: "iamUser", name: "alice", arn: ALICE.arn });
    });
  }

  it("has a case for every operation of the catalogue", () => {
    const covered = new Set(
      CASES.map(({ service, call }) => `${service}:${call.split(" ")[1]}`.replace("s3control", "s3")),
    );
    expect([...covered].sort()).to.deep.equal([...KNOWN_EVENTS].sort());
  });

  it("ignores events that are supported, but not configured", () => {
    for (const one of CASES) {
      if (one.extra !== undefined) {
        expect(DEFAULT_EVENTS).to.not.include(one.extra);
        expect(ignored(decide(record(one)))).to.include("not configured");
        expect(operation(decide(record(one), { events: [one.extra] })).api).to.equal(one.call.split(" ")[1]);
      }
    }
  });

  it("rejects settings that name an unknown event", () => {
    expect(() => intakeSettings({ events: ["ec2:RunInstances"] })).to.throw(
      'event "ec2:RunInstances" is not supported: supported are rds:DeleteDBInstance',
    );
  });
});

describe("calls that are none of approval's business", () => {
  it("ignores calls that were allowed or failed otherwise", () => {
    const { errorCode: _code, ...allowed } = denied("ec2", "DeleteSubnet", SUBNET);
    expect(ignored(decide(allowed))).to.include("not denied");
    expect(ignored(decide({ ...allowed, errorCode: null }))).to.include("not denied");
    for (const errorCode of [
      "Client.InvalidSubnetID.NotFound",
      "ThrottlingException",
      "UnauthorizedOperation",
    ]) {
      expect(ignored(decide({ ...allowed, errorCode }))).to.include("not for lack of permission");
    }
    for (const errorCode of ["Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException"]) {
      operation(decide({ ...allowed, errorCode }));
    }
  });

  it("matches source and name together", () => {
    for (const source of ["ecs", "redshift", "kafka"]) {
      expect(ignored(decide(denied(source, "DeleteCluster", { name: "shop" }), every))).to.include(source);
    }
    ignored(decide(denied("ec2", "deletesubnet", SUBNET)));
    ignored(decide(denied("ec2", "DescribeInstances", {})));
    ignored(
      decide({ ...denied("ec2", "DeleteSubnet", SUBNET), eventSource: "ec2.amazonaws.com.example.org" }),
    );
    ignored(decide({ ...denied("ec2", "DeleteSubnet", SUBNET), eventName: "__proto__" }));
  });

  it("ignores rehearsals, and drops what says that it is none", () => {
    ignored(decide(denied("ec2", "DeleteSubnet", { ...SUBNET, dryRun: true })));
    ignored(decide(denied("ec2", "DeleteSubnet", { ...SUBNET, dryRun: "true" })));
    const wrapped = (DryRun: unknown) => ({
      DeleteNatGatewayRequest: { DryRun, NatGatewayId: "nat-0cb758692bd70f8e6" },
    });
    ignored(decide(denied("ec2", "DeleteNatGateway", wrapped(true))));
    expect(operation(decide(denied("ec2", "DeleteNatGateway", wrapped(false)))).input).to.deep.equal({
      NatGatewayId: "nat-0cb758692bd70f8e6",
    });
    expect(
      operation(decide(denied("ec2", "DeleteSubnet", { ...SUBNET, dryRun: false }))).input,
    ).to.deep.equal({ SubnetId: SUBNET.subnetId });
  });

  it("ignores services that act for somebody, and events that are no API calls", () => {
    const byService = { userIdentity: { ...ALICE, invokedBy: "cloudformation.amazonaws.com" } };
    expect(ignored(decide(denied("ec2", "DeleteSubnet", SUBNET, byService)))).to.include("cloudformation");
    const service = { userIdentity: { type: "AWSService", invokedBy: "autoscaling.amazonaws.com" } };
    ignored(decide(denied("ec2", "DeleteSubnet", SUBNET, service)));
    ignored(decide(denied("ec2", "DeleteSubnet", SUBNET, { eventType: "AwsServiceEvent" })));
    const event = denied("ec2", "DeleteSubnet", SUBNET);
    ignored(decide(delivered(event, { "detail-type": "AWS Service Event via CloudTrail" })));
  });

  it("refuses what is no record at all", () => {
    for (const event of [
      null,
      undefined,
      7,
      "text",
      [],
      {},
      { detail: {} },
      { detail: [] },
      { eventName: 1 },
    ]) {
      expect(reason(decide(event))).to.include("no record of CloudTrail");
    }
  });
});

describe("who may ask", () => {
  const by = (userIdentity: unknown, options: IntakeOptions = {}) =>
    decide(denied("ec2", "DeleteSubnet", SUBNET, { userIdentity }), options);

  it("takes role sessions only where they are enabled", () => {
    const identity = session("developer", "bob");
    expect(ignored(by(identity))).to.include("allowRoleSessions");
    ignored(by(identity, { allowSso: true }));
    const decided = by(identity, { allowRoleSessions: true });
    operation(decided);
    expect(decided.facts.requester).to.deep.include({
      kind: "roleSession",
      name: "developer/bob",
      issuerArn: `arn:aws:iam::${ACCOUNT}:role/developer`,
    });
  });

  it("takes users of IAM Identity Center only where they are enabled", () => {
    const identity = session(
      "AWSReservedSSO_Operator_0123456789abcdef",
      "carol@example.com",
      "/aws-reserved/sso.amazonaws.com/",
    );
    expect(ignored(by(identity))).to.include("allowSso");
    ignored(by(identity, { allowRoleSessions: true }));
    const decided = by(identity, { allowSso: true });
    operation(decided);
    expect(decided.facts.requester).to.include({ kind: "identityCenterUser", name: "carol@example.com" });

    const direct = {
      type: "IdentityCenterUser",
      accountId: ACCOUNT,
      onBehalfOf: { userId: "94d8f4f8-1021-7071-2f6c-7e2f6fcbd3b7", identityStoreArn: "arn:..." },
      credentialId: "EXAMPLEVHULjJdTUdPJfofVa1sufHDoj7aYcOYcxFVllWR_Whr1fEXAMPLE",
    };
    ignored(by(direct));
    operation(by(direct, { allowSso: true }));
    reason(by({ ...direct, onBehalfOf: {} }, { allowSso: true }));
  });

  it("takes federated users where role sessions are enabled, unless an emergency user issued them", () => {
    const federated = (userName: string) => ({
      type: "FederatedUser",
      principalId: `${ACCOUNT}:dave`,
      arn: `arn:aws:sts::${ACCOUNT}:federated-user/dave`,
      accountId: ACCOUNT,
      sessionContext: {
        sessionIssuer: { type: "IAMUser", userName, arn: `arn:aws:iam::${ACCOUNT}:user/${userName}` },
      },
    });
    ignored(by(federated("alice")));
    operation(by(federated("alice"), { allowRoleSessions: true }));
    ignored(by(federated("breakglass-admin-1"), { allowRoleSessions: true }));
  });

  it("ignores emergency users, the root user and the executor's own sessions", () => {
    const user = (userName: string) => ({
      ...ALICE,
      userName,
      arn: `arn:aws:iam::${ACCOUNT}:user/break-glass/${userName}`,
    });
    expect(ignored(by(user("breakglass-admin-2")))).to.include("emergency user");
    expect(ignored(by(user("BreakGlass-Admin-2")))).to.include("emergency user");
    ignored(by(user("fire"), { emergencyUserNames: ["fire"] }));
    operation(by(user("breakglass-admin-2"), { emergencyUserNames: ["fire"] }));
    ignored(by({ type: "Root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT }));
    const executor = session("bulkhead-approval-executor", EVENT_ID);
    expect(ignored(by(executor, { allowRoleSessions: true }))).to.include("carries out");
    ignored(by(session("mine", "x1"), { allowRoleSessions: true, executorRoleName: "mine" }));
  });

  it("refuses callers that cannot be told", () => {
    const broken: unknown[] = [
      undefined,
      {},
      { type: "AWSAccount", accountId: "999988887777" },
      { ...ALICE, userName: "HIDDEN_DUE_TO_SECURITY_REASONS" },
      { ...ALICE, arn: undefined },
      { ...ALICE, arn: `arn:aws:iam::${ACCOUNT}:user/*` },
      { ...ALICE, arn: `arn:aws-cn:iam::${ACCOUNT}:user/ops/alice` },
      { ...ALICE, userName: "mallory" },
      { ...ALICE, accountId: "999988887777" },
    ];
    for (const identity of broken) reason(by(identity));
    for (const type of ["SAMLUser", "WebIdentityUser", "Unknown"]) ignored(by({ ...ALICE, type }));
  });
});

describe("account, region and partition", () => {
  const subnet = (changes: Json = {}) => denied("ec2", "DeleteSubnet", SUBNET, changes);

  it("refuses calls across accounts", () => {
    expect(reason(decide(subnet({ recipientAccountId: "999988887777" })))).to.include("across accounts");
    expect(reason(decide(delivered(subnet(), { account: "999988887777" })))).to.include("999988887777");
    const bucket = denied(
      "s3",
      "DeleteBucket",
      { bucketName: "team-logs", Host: "s3.amazonaws.com" },
      {
        resources: [{ accountId: "999988887777", type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::team-logs" }],
      },
    );
    expect(reason(decide(bucket))).to.include("999988887777");
    const other = LOAD_BALANCER.replace(ACCOUNT, "999988887777");
    expect(
      reason(decide(denied("elasticloadbalancing", "DeleteLoadBalancer", { loadBalancerArn: other }))),
    ).to.include("same partition, region and account");
  });

  it("refuses regions that are none, or not the one that was said", () => {
    for (const awsRegion of [undefined, "", "aws-global", "us-east-1*", "us-iso-east-1", 7]) {
      reason(decide(subnet({ awsRegion })));
    }
    reason(decide(delivered(subnet(), { region: "eu-west-1" })));
    const elsewhere = LOAD_BALANCER.replace(REGION, "eu-west-1");
    reason(decide(denied("elasticloadbalancing", "DeleteLoadBalancer", { loadBalancerArn: elsewhere })));
  });

  it("refuses an event whose source AWS did not write", () => {
    for (const source of ["ec2", "aws.s3", "custom.ec2", ""]) {
      expect(reason(decide(delivered(subnet(), { source })))).to.include("aws.ec2");
    }
  });

  it("writes ARNs of China and GovCloud", () => {
    const inPartition = (partition: string, awsRegion: string) =>
      denied("ec2", "DeleteSubnet", SUBNET, {
        awsRegion,
        userIdentity: { ...ALICE, arn: String(ALICE.arn).replace("arn:aws:", `arn:${partition}:`) },
      });
    for (const [partition, region] of [
      ["aws-cn", "cn-northwest-1"],
      ["aws-us-gov", "us-gov-west-1"],
    ] as const) {
      expect(operation(decide(inPartition(partition, region))).resources).to.deep.equal([
        `arn:${partition}:ec2:${region}:${ACCOUNT}:subnet/${SUBNET.subnetId}`,
      ]);
    }
    reason(decide(inPartition("aws", "cn-northwest-1")));
  });
});

describe("parameters", () => {
  it("refuses an unknown key and names it", () => {
    for (const one of CASES) {
      const wrapper = Object.keys(one.parameters).find((key) => key.endsWith("Request"));
      const parameters = wrapper
        ? { [wrapper]: { ...(one.parameters[wrapper] as Json), extraOption: "x" } }
        : { ...one.parameters, extraOption: "x" };
      expect(reason(decide(record({ ...one, parameters }), every))).to.include("extraOption");
    }
    const beside = {
      DeleteNatGatewayRequest: { NatGatewayId: "nat-0cb758692bd70f8e6" },
      maxDrainDurationSeconds: 1,
    };
    expect(reason(decide(denied("ec2", "DeleteNatGateway", beside)))).to.include("maxDrainDurationSeconds");
    const inItem = { instancesSet: { items: [{ instanceId: "i-05c30218", hibernate: true }] } };
    expect(reason(decide(denied("ec2", "TerminateInstances", inItem)))).to.include("hibernate");
    const both = { loadBalancerArn: LOAD_BALANCER, loadBalancerName: "old" };
    expect(reason(decide(denied("elasticloadbalancing", "DeleteLoadBalancer", both)))).to.include(
      "loadBalancerName",
    );
    expect(reason(decide(denied("ec2", "DeleteSecurityGroup", { groupName: "web" }), every))).to.include(
      "groupName",
    );
  });

  it("refuses a harmless key with a value that is not harmless", () => {
    const volume = { volumeId: "vol-084879c77b49adac0" };
    const cases: [string, string, Json][] = [
      ["ec2", "DeleteSnapshot", { snapshotId: "snap-0ea8b3632c0ff21d6", force: true }],
      ["ec2", "DeleteVolume", { ...volume, reportVolumeFailure: true }],
      ["ec2", "TerminateInstances", { ...instancesSet(instanceIds(1)), force: true }],
      ["ec2", "DeregisterImage", { imageId: "ami-094a52a9a2b58d074", deleteAssociatedSnapshots: true }],
      ["s3", "DeleteBucketPolicy", { bucketName: "team-logs", policy: "{}" }],
      ["s3", "DeleteBucket", { bucketName: "team-logs", "x-amz-expected-bucket-owner": "999988887777" }],
      ["s3", "DeleteBucket", { bucketName: "team-logs", Host: ["s3.amazonaws.com"] }],
    ];
    for (const [service, name, parameters] of cases) {
      expect(reason(decide(denied(service, name, parameters), every))).to.include("harmless");
    }
  });

  it("refuses hidden values", () => {
    const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    for (const one of CASES) {
      const key = Object.keys(one.parameters)[0]!;
      const text = reason(
        decide(record({ ...one, parameters: { ...one.parameters, [key]: hidden } }), every),
      );
      expect(text).to.include("hides");
    }
    expect(reason(decide(denied("ec2", "TerminateInstances", instancesSet([hidden]))))).to.include("hides");
  });

  it("refuses values that are not of their form", () => {
    const bad: [string, string, string, unknown[]][] = [
      [
        "ec2",
        "DeleteSubnet",
        "subnetId",
        [
          "subnet-*",
          "subnet-0d840b9ab96eb41c",
          "subnet-0d840b9ab96eb41ca\n",
          "subnet-0d840b9ab96eb41ca ",
          "vpc-0bda49e0068536141",
          "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-0d840b9ab96eb41ca",
          "${aws:username}",
          "",
          7,
          true,
          null,
          [],
          ["subnet-0d840b9ab96eb41ca"],
          { subnetId: "x" },
        ],
      ],
      [
        "s3",
        "DeleteBucket",
        "bucketName",
        ["*", "a", "team-logs/*", "Team", "1.2.3.4", "a..b", "x".repeat(64)],
      ],
      ["rds", "DeleteDBInstance", "dBInstanceIdentifier", ["*", "a--b", "a-", "1a", "db:x", "x".repeat(64)]],
      ["eks", "DeleteCluster", "name", ["*", "a/b", "-a", "x".repeat(101), "shop,other"]],
      ["s3", "DeleteAccessPoint", "name", ["a/object/*", "-a", "a-", "x".repeat(51)]],
      [
        "elasticloadbalancing",
        "DeleteLoadBalancer",
        "loadBalancerArn",
        ["*", LOAD_BALANCER.replace("813270f8ee6fa76a", "*"), `${LOAD_BALANCER}/x`, ` ${LOAD_BALANCER}`],
      ],
      ["kms", "ScheduleKeyDeletion", "keyId", ["alias/key", "*", "1234ABCD-12ab-34cd-56ef-1234567890ab"]],
    ];
    for (const [service, name, key, values] of bad) {
      for (const value of values) {
        expect(
          reason(decide(denied(service, name, { [key]: value }), every)),
          JSON.stringify(value),
        ).to.include(key);
      }
    }
  });

  it("refuses lists that are empty or not lists", () => {
    for (const set of [
      { items: [] },
      { items: {} },
      {},
      [],
      "i-05c30218",
      null,
      { items: [{}] },
      { items: [null] },
    ]) {
      const text = reason(decide(denied("ec2", "TerminateInstances", { instancesSet: set })));
      expect(text).to.include("instancesSet");
    }
  });

  it("refuses a final snapshot that is skipped and named at the same time", () => {
    const parameters = {
      dBInstanceIdentifier: "orders",
      skipFinalSnapshot: true,
      finalDBSnapshotIdentifier: "final",
    };
    expect(reason(decide(denied("rds", "DeleteDBInstance", parameters)))).to.include("one of them");
  });

  it("says how many resources fit into a session policy, and refuses more", () => {
    const terminate = (count: number) =>
      decide(denied("ec2", "TerminateInstances", instancesSet(instanceIds(count))));
    expect(operation(terminate(27)).resources).to.have.length(27);
    expect(reason(terminate(28))).to.match(/28 resources .* 2,048 .*: 27 do in us-east-1; .* 2 calls/);
    expect(reason(terminate(60))).to.include("in 3 calls of TerminateInstances");
  });

  it("cleans what it quotes", () => {
    const text = reason(
      decide(denied("ec2", "DeleteSubnet", { subnetId: `\u001b[31m\u202e${"x".repeat(500)}` })),
    );
    expect([...text].filter((character) => character < " " || character > "~")).to.deep.equal(["…"]);
    expect(text.length).to.be.lessThan(250);
  });
});

describe("records without parameters", () => {
  const without = (
    service: string,
    name: string,
    errorMessage: string | undefined,
    parameters: unknown = null,
  ) => decide(denied(service, name, parameters, { errorMessage }), every);
  const eksArn = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/shop`;

  it("takes the resource from the message", () => {
    const decided = without("eks", "DeleteCluster", message("eks:DeleteCluster", eksArn));
    expect(operation(decided)).to.deep.equal({
      service: "eks",
      api: "DeleteCluster",
      input: { name: "shop" },
      actions: ["eks:DeleteCluster"],
      resources: [eksArn],
    });
    operation(without("eks", "DeleteCluster", message("eks:DeleteCluster", eksArn), {}));
    operation(without("eks", "DeleteCluster", message("eks:DeleteCluster", `"${eksArn}"`)));
    for (const one of CASES) {
      if (one.call === "rds DeleteDBCluster") continue;
      const [resource] = one.resources as [string];
      const action = one.actions[0]!;
      const fromMessage = operation(
        without(one.service, one.eventName, message(action, resource.replace("*", "8ac2-41b1-e2f0"))),
      );
      expect(fromMessage.resources).to.deep.equal([resource]);
    }
  });

  it("reads what else the message says", () => {
    const text = `User: ${ALICE.arn} is not authorized to perform: eks:DeleteCluster on resource: ${eksArn} with an explicit deny in a service control policy`;
    const decided = without("eks", "DeleteCluster", text);
    operation(decided);
    expect(decided.facts.deniedBy).to.equal("service control policy");
  });

  it("asks for a form when the message does not say enough", () => {
    form(without("eks", "DeleteCluster", undefined));
    form(without("eks", "DeleteCluster", "Access Denied"));
    form(
      without(
        "ec2",
        "DeleteSubnet",
        "You are not authorized to perform this operation. Encoded authorization failure message: abc",
      ),
    );
    form(without("eks", "DeleteCluster", message("eks:DescribeCluster", eksArn)));
    form(without("eks", "DeleteCluster", message("eks:DeleteCluster", "*")));
    form(without("eks", "DeleteCluster", message("eks:DeleteCluster", eksArn.replace(REGION, "eu-west-1"))));
    form(
      without(
        "eks",
        "DeleteCluster",
        message("eks:DeleteCluster", `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/*`),
      ),
    );
  });

  it("asks for a form when somebody has to choose what is kept", () => {
    const arn = `arn:aws:rds:${REGION}:${ACCOUNT}:cluster:ledger`;
    expect(form(without("rds", "DeleteDBCluster", message("rds:DeleteDBCluster", arn)))).to.include(
      "how it is",
    );
  });

  it("refuses a message of somebody else's call", () => {
    const text = message("eks:DeleteCluster", eksArn, `arn:aws:iam::${ACCOUNT}:user/mallory`);
    expect(reason(without("eks", "DeleteCluster", text))).to.include("different callers");
  });
});
