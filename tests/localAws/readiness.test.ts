/** The check of emergency access against the local AWS: by the steward with its own role, and by an operator at the command line. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CloudTrailClient, DeleteTrailCommand } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { IAMClient } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  DetachPolicyCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { readTrace } from "../../cli/commands/breakGlass/drillTrace";
import { evidenceTableName } from "../../components/breakGlassAccount/evidenceTable";
import { useTableName } from "../../components/breakGlassAccount/useNames";
import { normalizeCell } from "../../components/regional/cell";
import type { ReadinessReport } from "../../functions/breakGlass/readiness/readinessReport";
import { DynamoDbEvidenceStore } from "../../functions/breakGlass/records/dynamoDbEvidenceStore";
import type { StewardResult } from "../../functions/breakGlass/steward/run";
import { DynamoDbUseStore } from "../../functions/breakGlass/use/dynamoDbUseStore";
import { observe } from "../../functions/breakGlass/use/observation";
import type { Use } from "../../functions/breakGlass/use/store";
import type { LocalAws } from "../../local/aws/launch";
import { createOrganization, type LocalOrganization, MANAGEMENT_ACCOUNT } from "../../local/aws/organization";
import { ensureBuilt } from "../support/builtFunctions";
import { CELLS, deployCells, deployReader, makeUsers, recordEvidence, USERS } from "./readinessCells";
import { EAST, iamClient, launch, ROOT, rootOf, SECURITY, settings, WEST } from "./support";

const TOPIC = `arn:aws:sns:${WEST}:${SECURITY}:bulkhead-breakglass-alerts`;

describe("readiness on the local AWS", function () {
  this.timeout(120_000);
  let aws: LocalAws;
  let organization: LocalOrganization;
  let iam: IAMClient;
  let project: string;

  const ofRegion = (region: string) => settings(aws, rootOf(SECURITY), region);

  before(async () => {
    ensureBuilt("breakGlass-steward", "breakGlass-use", "notification");
    aws = await launch();
    organization = await createOrganization(aws);
    await deployReader(aws);
    await deployCells(aws);
    iam = iamClient(aws, rootOf(SECURITY));
    const held = await makeUsers(aws, iam);
    for (const cell of Object.values(CELLS)) {
      const client = new DynamoDBClient(ofRegion(cell.region));
      const tableName = evidenceTableName(normalizeCell(cell));
      await recordEvidence(new DynamoDbEvidenceStore({ client, tableName, region: cell.region }), held);
      client.destroy();
    }
    project = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-readiness-"));
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
    fs.writeFileSync(
      path.join(project, "Pulumi.prod.yaml"),
      JSON.stringify({
        config: Object.fromEntries(
          Object.entries({
            role: "primary",
            region: EAST,
            peerName: "dr",
            peerRegion: WEST,
            accountId: SECURITY,
            memberAccess: "providers",
            managementAccountId: MANAGEMENT_ACCOUNT,
            managementRoleName: "OrganizationAccountAccessRole",
          }).map(([key, value]) => [`bulkhead:${key}`, value]),
        ),
      }),
    );
  });

  after(async () => {
    iam?.destroy();
    await aws?.stop();
    if (project) fs.rmSync(project, { recursive: true, force: true });
  });

  it("can be asked what a cell knows of a use, for an exercise in which it notices nothing", async () => {
    const cell = normalizeCell(CELLS.dr);
    const ask = (userName = USERS[0]!) => readTrace(cell, userName, new Date(), ofRegion(WEST));
    const waiting = { "bulkhead-breakglass-undelivered": 0, "bulkhead-breakglass-use-dead-letters": 0 };
    expect(await ask()).to.deep.include({ use: undefined, waiting });
    const time = new Date().toISOString();
    const first = observe(
      { eventName: "ConsoleLogin", eventTime: time },
      { eventName: "ConsoleLogin", eventTime: time },
      { rule: "r", why: "w" },
      time,
    );
    const use: Use = {
      subject: USERS[0]!,
      useId: "use",
      lastSeenAt: time,
      first,
      openingDueAt: time,
      openingTold: true,
      openingClaimedUntil: "",
      toldThrough: "",
      lastToldAt: time,
      claimedUntil: "",
      enteredRecorded: false,
      toldAtOnce: 0,
    };
    const store = new DynamoDbUseStore(new DynamoDBClient(ofRegion(WEST)), useTableName(cell));
    await store.addUse(use);
    const { use: found, runs } = await ask();
    expect(found).to.deep.include({ first, enteredRecorded: false });
    expect(runs).to.have.keys("all", "failed");
    expect(await ask(USERS[1])).to.include({ use: undefined });
    await store.removeUse(use);
    const nowhere = await readTrace({ ...cell, name: "none" }, USERS[0]!, new Date(), ofRegion(WEST));
    expect(nowhere.use).to.deep.equal({ unread: "ResourceNotFoundException" });
  });

  /** Runs a cell's steward and waits for its result. */
  async function steward(cell: keyof typeof CELLS): Promise<StewardResult> {
    const lambda = new LambdaClient(ofRegion(CELLS[cell].region));
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: "bulkhead-breakglass-steward", Payload: "{}" }),
    );
    lambda.destroy();
    const text = Buffer.from(Payload!).toString("utf8");
    expect(FunctionError, text).to.equal(undefined);
    return JSON.parse(text);
  }

  async function reportOf(cell: keyof typeof CELLS): Promise<ReadinessReport> {
    const { region } = CELLS[cell];
    const s3 = new S3Client({ ...ofRegion(region), forcePathStyle: true });
    const { Body } = await s3.send(
      new GetObjectCommand({
        Bucket: `bulkhead-reports-${SECURITY}-${region}`,
        Key: "readiness/latest.json",
      }),
    );
    const text = await Body!.transformToString();
    s3.destroy();
    return JSON.parse(text);
  }

  function command(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(ROOT, "cli/bulkhead.js"), "break-glass", "status", "--project", project, ...args],
      {
        encoding: "utf8",
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: aws.url,
          AWS_ACCESS_KEY_ID: organization.deployer.accessKeyId,
          AWS_SECRET_ACCESS_KEY: organization.deployer.secretAccessKey,
        },
      },
    );
    return { status, stdout, stderr };
  }

  /** The rows that do not pass, as the steward's report has them. */
  const open = (report: ReadinessReport) =>
    report.rows
      .filter(({ verdict }) => verdict !== "pass")
      .map(({ id, subject, verdict, found }) => `${verdict} ${id} ${subject}: ${found}`);

  it("passes in both cells, by the stewards' own roles", async () => {
    // The first to run finds that the other has not run yet.
    expect((await steward("dr")).unmet).to.deep.equal(["steward-ran"]);
    await steward("prod");
    const result = await steward("dr");
    expect(open(await reportOf("dr"))).to.deep.equal([]);
    expect(result.verdict).to.equal("pass");
    expect(open(await reportOf("prod"))).to.deep.equal([]);
  });

  it("passes for an operator, in text, JSON and as a page", async () => {
    const page = path.join(project, "status.html");
    const { status, stdout, stderr } = command("--json", "--html", page);
    const report = JSON.parse(stdout) as ReadinessReport;
    expect(open(report)).to.deep.equal([]);
    expect(status, stderr).to.equal(0);
    expect(report.rows.length).to.be.greaterThan(80);
    expect(fs.readFileSync(page, "utf8")).to.contain("Emergency access is ready");
  });

  it("sees a deny of the organization that exempts nobody, and says what to write", async () => {
    const organizations = new OrganizationsClient(settings(aws, rootOf(MANAGEMENT_ACCOUNT)));
    const { Policy } = await organizations.send(
      new CreatePolicyCommand({
        Name: "guard",
        Description: "test",
        Type: "SERVICE_CONTROL_POLICY",
        Content: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Sid: "NoCompute", Effect: "Deny", Action: "ec2:*", Resource: "*" }],
        }),
      }),
    );
    const attachment = { PolicyId: Policy!.PolicySummary!.Id!, TargetId: organization.unitIds.Security };
    await organizations.send(new AttachPolicyCommand(attachment));
    const result = await steward("prod");
    const report = await reportOf("prod");
    await organizations.send(new DetachPolicyCommand(attachment));
    organizations.destroy();
    expect(result.unmet).to.deep.equal(["scp-simulation", "scp-exempts"]);
    const row = report.rows.find(({ id, verdict }) => id === "scp-exempts" && verdict === "fail")!;
    expect(row.found).to.contain("NoCompute").and.to.contain(organization.unitIds.Security);
    expect(row.mend).to.contain(
      '"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:user/break-glass/*"}',
    );
    expect(open(report).filter((each) => each.startsWith("unknown"))).to.deep.equal([]);
  });

  it("sees a disabled rule and an unconfirmed subscription in the cell where they are, and nothing else", async () => {
    const events = new EventBridgeClient(ofRegion(WEST));
    const sns = new SNSClient(ofRegion(WEST));
    await events.send(new DisableRuleCommand({ Name: "bulkhead-breakglass-signin" }));
    await sns.send(new SubscribeCommand({ TopicArn: TOPIC, Protocol: "email", Endpoint: "new@example.com" }));
    expect((await steward("dr")).unmet).to.deep.equal(["event-rules", "no-pending-subscription"]);
    expect((await steward("prod")).verdict).to.equal("pass");
    await events.send(new EnableRuleCommand({ Name: "bulkhead-breakglass-signin" }));
    events.destroy();
    sns.destroy();
  });

  it("sees that the trail and the topic are gone", async () => {
    const trails = new CloudTrailClient(ofRegion(WEST));
    const sns = new SNSClient(ofRegion(WEST));
    await trails.send(new DeleteTrailCommand({ Name: "bulkhead-trail-dr" }));
    await sns.send(new DeleteTopicCommand({ TopicArn: TOPIC }));
    trails.destroy();
    sns.destroy();
    const { status, stdout } = command();
    expect(status).to.equal(1);
    const failed = [...stdout.matchAll(/^ {2}FAIL +([\w-]+) +(.*)$/gm)].map(
      ([, id, what]) => `${id} ${what}`,
    );
    expect(failed).to.deep.equal(
      ["alert-topic", "alert-subscription", "no-pending-subscription"]
        .map((id) => `${id} dr: bulkhead-breakglass-alerts`)
        .concat(
          ["trail", "trail-events", "trail-logging", "trail-delivery"].map(
            (id) => `${id} dr: bulkhead-trail-dr`,
          ),
        ),
    );
    expect(stdout).to.contain("0 unknown.").and.to.contain("Emergency access is not ready.");
  });
});
