import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { outcomeOf, SdkActor } from "../../../functions/approval/execute/act";
import { ACTING_CALLS } from "../../../functions/approval/execute/actingCalls";
import { SessionAccess } from "../../../functions/approval/execute/sessionAccess";
import { TemporaryRoleAccess } from "../../../functions/approval/execute/temporaryRole";
import { intake } from "../../../functions/approval/intake/intake";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import { OPERATIONS } from "../../../functions/approval/operations/catalogue";
import type { PlannedOperation } from "../../../functions/approval/operations/plan";
import { BackupSnapshots, ServiceSnapshots } from "../../../functions/approval/snapshot/snapshots";
import { denied, EVENT_ID } from "./support/events";

const NOW = new Date("2026-11-23T10:00:00.000Z");
const CREDENTIALS = { accessKeyId: "a", secretAccessKey: "s", sessionToken: "t" };

function planned(): PlannedOperation {
  const taken = intake(
    denied("ec2", "TerminateInstances", { instancesSet: { items: [{ instanceId: "i-0fc5d99558e8357e8" }] } }),
    intakeSettings(),
  );
  if (!("plan" in taken)) throw new Error(taken.why);
  return taken.plan;
}

/** A client that notes what it is sent. */
function client<Client>(answer: (name: string, input: Record<string, unknown>) => unknown) {
  const sent: { name: string; input: Record<string, unknown> }[] = [];
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    const { name } = command.constructor;
    sent.push({ name, input: command.input });
    return answer(name, command.input);
  };
  return { sent, client: { send } as unknown as Client };
}
const failing = (name: string, status?: number) =>
  Object.assign(new Error("-"), { name, $metadata: status === undefined ? {} : { httpStatusCode: status } });
const assumed = () => ({
  Credentials: { AccessKeyId: "a", SecretAccessKey: "s", SessionToken: "t" },
});

describe("the acting calls", () => {
  it("are those of the catalogue, no fewer and no more", () => {
    const catalogue = [...new Set(OPERATIONS.map(({ service, api }) => `${service} ${api}`))].sort();
    expect(Object.keys(ACTING_CALLS).sort()).to.deep.equal(catalogue);
  });

  it("are not made when the time is over", async () => {
    const aborted = AbortSignal.abort();
    expect(await new SdkActor("http://127.0.0.1:1").act(planned(), CREDENTIALS, aborted)).to.have.property(
      "outcome",
      "failed",
    );
  });

  it("are made once: a connection that is refused was no call, one that breaks leaves the outcome open", async () => {
    const refused = await new SdkActor("http://127.0.0.1:1").act(
      planned(),
      CREDENTIALS,
      new AbortController().signal,
    );
    expect(refused).to.deep.equal({ outcome: "failed", error: "ECONNREFUSED" });
    const http = await import("node:http");
    let requests = 0;
    const server = http.createServer((request) => {
      requests++;
      request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const broken = await new SdkActor(`http://127.0.0.1:${port}`).act(
      planned(),
      CREDENTIALS,
      new AbortController().signal,
    );
    server.close();
    expect(broken).to.have.property("outcome", "unknown");
    expect(requests).to.equal(1);
  });

  it("failed when AWS rejected them, and only then", () => {
    const cases: [Error, string][] = [
      [failing("UnauthorizedOperation", 403), "failed"],
      [failing("OperationNotPermitted", 400), "failed"],
      [failing("RequestLimitExceeded", 429), "failed"],
      [failing("InternalError", 500), "unknown"],
      [failing("ServiceUnavailable", 503), "unknown"],
      [failing("RequestTimeout", 400), "unknown"],
      [failing("TimeoutError"), "unknown"],
      [failing("AbortError"), "unknown"],
      [failing("SyntaxError"), "unknown"],
    ];
    for (const [error, outcome] of cases)
      expect(outcomeOf(error), error.name).to.have.property("outcome", outcome);
  });
});

describe("access by a session of the executor role", () => {
  it("asks for exactly the operation, for two minutes, in the request's name", async () => {
    const sts = client<STSClient>(assumed);
    const access = await new SessionAccess({
      sts: sts.client,
      role: "bulkhead/executor",
      externalId: "x1",
    }).give(planned(), EVENT_ID, NOW);
    const { input } = sts.sent[0]!;
    expect(input).to.deep.include({
      RoleArn: "arn:aws:iam::111122223333:role/bulkhead/executor",
      SourceIdentity: EVENT_ID,
      RoleSessionName: EVENT_ID,
      DurationSeconds: 900,
      ExternalId: "x1",
    });
    expect(JSON.parse(String(input.Policy)).Statement).to.deep.equal([
      {
        Sid: "ApprovedOperation1",
        Effect: "Allow",
        Action: ["ec2:TerminateInstances"],
        Resource: ["arn:aws:ec2:us-east-1:111122223333:instance/i-0fc5d99558e8357e8"],
        Condition: { DateLessThan: { "aws:CurrentTime": "2026-11-23T10:02:00.000Z" } },
      },
    ]);
    expect(access.end).to.equal(NOW.getTime() + 120_000);
    expect(sts.sent).to.have.length(1);
  });

  it("says what is missing when the role cannot be assumed, and passes an outage on", async () => {
    const give = (error: Error) => {
      const { client: sts } = client<STSClient>(() => {
        throw error;
      });
      return new SessionAccess({ sts, role: "executor", externalId: undefined })
        .give(planned(), EVENT_ID, NOW)
        .then(
          () => undefined,
          (problem: Error & { code?: string }) => problem,
        );
    };
    expect(await give(failing("AccessDenied", 403))).to.have.property("code", "access-denied");
    expect(await give(failing("ServiceUnavailable", 503))).to.have.property("name", "ServiceUnavailable");
  });
});

describe("access by a temporary role", () => {
  function role(
    stsAnswer: (attempt: number, arn: string) => unknown,
    iamAnswer: (name: string) => unknown = () => ({}),
  ) {
    let time = NOW.getTime();
    let attempts = 0;
    const sts = client<STSClient>((_name, { RoleArn }) =>
      String(RoleArn).endsWith("/manager") ? assumed() : stsAnswer(++attempts, String(RoleArn)),
    );
    const iam = client<IAMClient>(iamAnswer);
    const giver = new TemporaryRoleAccess({
      sts: sts.client,
      iamOf: () => iam.client,
      roleManager: "bulkhead/manager",
      boundary: "bulkhead/boundary",
      trusted: "arn:aws:iam::222222222222:role/work",
      externalId: undefined,
      propagation: 20,
      wait: async (milliseconds) => {
        time += milliseconds;
      },
      now: () => time,
    });
    const names = () => iam.sent.map(({ name }) => name);
    const result = giver.give(planned(), EVENT_ID, NOW).then(
      (access) => access,
      (error: Error & { code?: string }) => error,
    );
    return { result, iam, sts, names, attempts: () => attempts };
  }

  it("is retried until the role has arrived, and bounded", async () => {
    const { result, iam, attempts, names } = role((attempt) => {
      if (attempt < 4) throw failing("AccessDenied", 403);
      return assumed();
    });
    const access = await result;
    expect(access).to.have.property(
      "role",
      `arn:aws:iam::111122223333:role/bulkhead/approval-temporary/approval-${EVENT_ID}`,
    );
    expect(attempts()).to.equal(4);
    expect(iam.sent[0]!.input).to.deep.include({
      Path: "/bulkhead/approval-temporary/",
      PermissionsBoundary: "arn:aws:iam::111122223333:policy/bulkhead/boundary",
    });
    if ("finish" in access) await access.finish();
    expect(names()).to.deep.equal([
      "CreateRoleCommand",
      "PutRolePolicyCommand",
      "DeleteRolePolicyCommand",
      "DeleteRoleCommand",
    ]);
  });

  it("is deleted when it never arrives, or when anything else fails", async () => {
    const never = role(() => {
      throw failing("AccessDenied", 403);
    });
    expect(await never.result).to.have.property("code", "access-denied");
    expect(never.names().slice(-2)).to.deep.equal(["DeleteRolePolicyCommand", "DeleteRoleCommand"]);
    const outage = role(() => {
      throw failing("ServiceUnavailable", 503);
    });
    expect(await outage.result).to.have.property("name", "ServiceUnavailable");
    expect(outage.names().slice(-2)).to.deep.equal(["DeleteRolePolicyCommand", "DeleteRoleCommand"]);
  });

  it("is refused with what to do when IAM's control plane is out of reach", async () => {
    const { result } = role(assumed, (name) => {
      if (name.startsWith("Delete")) return {};
      throw failing("TimeoutError");
    });
    expect(await result)
      .to.be.an("error")
      .with.property("message")
      .that.includes("control plane does not answer")
      .and.includes('"session"');
  });
});

describe("snapshots before an operation", () => {
  it("are begun once for each volume, and awaited", async () => {
    const begun = new Map<string, string>();
    let state = "pending";
    const ec2 = client((name, input) => {
      if (name === "DescribeVolumesCommand")
        return { Volumes: [{ VolumeId: "vol-1" }, { VolumeId: "vol-2" }] };
      if (name === "DescribeSnapshotsCommand") {
        return {
          Snapshots: [...begun].map(([VolumeId, SnapshotId]) => ({ VolumeId, SnapshotId, State: state })),
        };
      }
      const VolumeId = String(input.VolumeId);
      begun.set(VolumeId, `snap-${VolumeId}`);
      return { SnapshotId: `snap-${VolumeId}`, State: "pending" };
    });
    const snapshots = new ServiceSnapshots(
      async () => ({ ec2: ec2.client, rds: ec2.client, backup: ec2.client }) as never,
    );
    expect(snapshots.supports(planned())).to.equal(true);
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "running");
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "running");
    state = "completed";
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.deep.equal({
      progress: "done",
      ids: ["snap-vol-1", "snap-vol-2"],
    });
    state = "error";
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "failed");
    expect(ec2.sent.filter(({ name }) => name === "CreateSnapshotCommand")).to.have.length(2);
  });

  it("of AWS Backup are one job however often they are begun", async () => {
    let State = "RUNNING";
    const backup = client((name) => (name === "StartBackupJobCommand" ? { BackupJobId: "job" } : { State }));
    const snapshots = new BackupSnapshots(async () => ({ backup: backup.client }) as never, {
      vault: "v",
      roleArn: () => "arn:aws:iam::111122223333:role/b",
      keepDays: 35,
    });
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "running");
    State = "COMPLETED";
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "done");
    State = "FAILED";
    expect(await snapshots.proceed(planned(), EVENT_ID)).to.have.property("progress", "failed");
    const tokens = backup.sent.flatMap(({ input }) => input.IdempotencyToken ?? []);
    expect(new Set(tokens)).to.deep.equal(new Set([`${EVENT_ID}-0`]));
  });
});
