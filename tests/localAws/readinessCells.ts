/** Two cells with emergency access in the local AWS: exactly what the components register, made by the stand-in provider. */
import * as fs from "node:fs";
import {
  AttachUserPolicyCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as pulumiAws from "@pulumi/aws";
import { zipSync } from "fflate";
import { generate } from "otplib";
import { AuditTrail } from "../../components/breakGlassAccount/auditTrail";
import { BreakGlassMonitor } from "../../components/breakGlassAccount/breakGlassMonitor";
import { BreakGlassRecords } from "../../components/breakGlassAccount/breakGlassRecords";
import { BreakGlassSteward } from "../../components/breakGlassAccount/breakGlassSteward";
import { denyWithoutMfaStatements } from "../../components/breakGlassAccount/denyWithoutMfa";
import { forwardingRegions } from "../../components/breakGlassAccount/forwardingRegions";
import { SignInForwarding } from "../../components/breakGlassAccount/signInForwarding";
import { functionRoleArn } from "../../components/lambda/functionNames";
import { ManagementAccess } from "../../components/memberAccess/managementAccess";
import { organizationReaderRoleArn } from "../../components/memberAccess/organizationReader";
import { Notification } from "../../components/notification/notification";
import { type CellArgs, normalizeCell } from "../../components/regional/cell";
import { cellKeyStatements } from "../../components/regional/cellKey";
import { recordId } from "../../functions/breakGlass/records/record";
import type { EvidenceStore } from "../../functions/breakGlass/records/store";
import { confirmSubscriptions } from "../../local/aws/inbox";
import type { LocalAws } from "../../local/aws/launch";
import { MANAGEMENT_ACCOUNT } from "../../local/aws/organization";
import { Deployment, providerAt } from "../provider/support";
import { type PulumiMocks, type Recorded, startMocks } from "../support/pulumiMocks";
import { EAST, rootOf, SECURITY, settings, WEST } from "./support";

export const USERS = ["breakglass-admin-1", "breakglass-admin-2"];
export const CELLS = {
  prod: { name: "prod", region: EAST, accountId: SECURITY },
  dr: { name: "dr", region: WEST, accountId: SECURITY },
} satisfies Record<string, CellArgs>;

const SIGN_IN_REGIONS = forwardingRegions("aws", [], [EAST, WEST]);

/** Made otherwise: the provider would want the bundles packed as an engine packs them. */
const FUNCTION = "aws:lambda/function:Function";

const PASSWORD = "Correct-Horse-Battery-Staple-7-and-more-of-it";

/** Makes everything of both cells. The users' devices, passwords and policies come from {@link makeUsers}. */
export async function deployCells(aws: LocalAws): Promise<void> {
  for (const cell of Object.values(CELLS)) {
    const peer = cell.name === "prod" ? CELLS.dr : CELLS.prod;
    const keyArn = await makeKey(aws, cell);
    const mocks = await startMocks({ accountId: SECURITY });
    const opts = { provider: new pulumiAws.Provider("cell", { region: cell.region }) };
    const topicName = "bulkhead-breakglass-alerts";
    const alerts = new Notification(
      "alerts",
      { cell, topicName, kmsKeyArn: keyArn, emails: ["security@example.com"] },
      opts,
    );
    const common = { cell, userNames: USERS, alertTopicArn: alerts.topicArn, kmsKeyArn: keyArn };
    new BreakGlassMonitor("monitor", { ...common, tracking: { deletionProtection: false } }, opts);
    new AuditTrail("trail", { ...common, forceDestroy: true }, opts);
    new BreakGlassRecords("records", { cell, kmsKeyArn: keyArn, deletionProtection: false }, opts);
    new BreakGlassSteward(
      "steward",
      {
        ...common,
        peer: { name: peer.name, region: peer.region },
        ownerCell: "prod",
        organizationRoleArn: organizationReaderRoleArn(normalizeCell(CELLS.prod), MANAGEMENT_ACCOUNT),
        signInRegions: SIGN_IN_REGIONS,
        forceDestroy: true,
      },
      opts,
    );
    await mocks.settle();
    await make(aws, mocks, SECURITY, cell.region);
  }
  await deploySignInForwarding(aws);
  await confirmSubscriptions(aws.url);
}

/** The rules that send what other regions record to the cells. */
async function deploySignInForwarding(aws: LocalAws): Promise<void> {
  for (const region of SIGN_IN_REGIONS) {
    const mocks = await startMocks({ accountId: SECURITY });
    new SignInForwarding(
      "signin",
      {
        cell: CELLS.prod,
        peer: { name: CELLS.dr.name, region: CELLS.dr.region },
        region,
        userNames: USERS,
      },
      { provider: new pulumiAws.Provider("region", { region }) },
    );
    await mocks.settle();
    await make(aws, mocks, SECURITY, region);
  }
}

/** The role that reads the organization, in the management account. */
export async function deployReader(aws: LocalAws): Promise<void> {
  const mocks = await startMocks({ accountId: MANAGEMENT_ACCOUNT });
  const opts = { provider: new pulumiAws.Provider("management", { region: EAST }) };
  const trustedRoleArns = Object.values(CELLS).map((cell) => functionRoleArn(cell, "breakglass-steward"));
  new ManagementAccess(
    "management",
    { cell: CELLS.prod, managementAccountId: MANAGEMENT_ACCOUNT, trustedRoleArns },
    opts,
  );
  await mocks.settle();
  await make(aws, mocks, MANAGEMENT_ACCOUNT, EAST, ({ type }) => type.startsWith("aws:iam/"));
}

async function makeKey(aws: LocalAws, cell: CellArgs): Promise<string> {
  const kms = new KMSClient(settings(aws, rootOf(SECURITY), cell.region));
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: cellKeyStatements(normalizeCell(cell)),
  });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }));
  kms.destroy();
  return KeyMetadata!.Arn!;
}

async function make(
  aws: LocalAws,
  mocks: PulumiMocks,
  account: string,
  region: string,
  wanted: (resource: Recorded) => boolean = () => true,
): Promise<void> {
  const deployment = new Deployment(await providerAt(aws.url, { region }, account));
  for (const resource of mocks.resources) {
    if (!resource.custom || resource.type.startsWith("pulumi:")) continue;
    if (!wanted(resource)) continue;
    if (resource.type === FUNCTION) await makeFunction(aws, resource.inputs, account, region);
    else await deployment.make(resource.type, resource.name, resource.inputs);
  }
}

/** A function from its true bundle, with its own role. */
async function makeFunction(
  aws: LocalAws,
  inputs: Recorded["inputs"],
  account: string,
  region: string,
): Promise<void> {
  const lambda = new LambdaClient(settings(aws, rootOf(account), region));
  const file = inputs.code.archive.assets["index.mjs"].asset.path;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: inputs.name,
      Role: inputs.role,
      Runtime: inputs.runtime,
      Handler: inputs.handler,
      Timeout: inputs.timeout,
      MemorySize: inputs.memorySize,
      Environment: { Variables: inputs.environment.variables },
      Code: { ZipFile: zipSync({ "index.mjs": fs.readFileSync(file) }) },
    }),
  );
  lambda.destroy();
}

/** Makes the emergency users with their policies, a password, a TOTP device and a security key each. Returns who holds what. */
export async function makeUsers(
  aws: LocalAws,
  iam: IAMClient,
): Promise<{ userName: string; serialNumber: string; holder: string }[]> {
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: "bulkhead-deny-without-mfa",
      Path: "/break-glass/",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: denyWithoutMfaStatements() }),
    }),
  );
  const held = [];
  for (const [index, UserName] of USERS.entries()) {
    const tags = {
      owner: `custodian-${index + 1}@example.com`,
      purpose: "Emergency access",
      "bulkhead:key-rotation": "exempt",
    };
    await iam.send(
      new CreateUserCommand({
        UserName,
        Path: "/break-glass/",
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    for (const PolicyArn of [Policy!.Arn!, "arn:aws:iam::aws:policy/AdministratorAccess"]) {
      await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
    }
    await iam.send(new CreateLoginProfileCommand({ UserName, Password: PASSWORD }));
    const { VirtualMFADevice } = await iam.send(
      new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: `${UserName}-first` }),
    );
    const secret = Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString("utf8");
    const code = (steps: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 });
    const SerialNumber = VirtualMFADevice!.SerialNumber!;
    await iam.send(
      new EnableMFADeviceCommand({
        UserName,
        SerialNumber,
        AuthenticationCode1: await code(-2),
        AuthenticationCode2: await code(-1),
      }),
    );
    const response = await fetch(`${aws.url}/_bulkhead/console/security-key`, {
      method: "POST",
      body: JSON.stringify({ accountId: SECURITY, userName: UserName, name: "safe" }),
    });
    const { serialNumber } = (await response.json()) as { serialNumber: string };
    held.push(
      { userName: UserName, serialNumber: SerialNumber, holder: `first-${index + 1}@example.com` },
      { userName: UserName, serialNumber, holder: `second-${index + 1}@example.com` },
    );
  }
  return held;
}

/** Records who holds the devices, and a drill that passed. */
export async function recordEvidence(
  store: EvidenceStore,
  held: Awaited<ReturnType<typeof makeUsers>>,
): Promise<void> {
  const at = new Date().toISOString();
  for (const { userName, serialNumber, holder } of held) {
    await store.append({
      kind: "deviceEnrolled",
      id: recordId(at, serialNumber),
      at,
      by: "test",
      userName,
      serialNumber,
      deviceKind: serialNumber.includes(":u2f/") ? "fido" : "totp",
      holder,
    });
  }
  await store.append({
    kind: "drillHeld",
    id: recordId(at, "drill"),
    at,
    by: "test",
    startedAt: at,
    participants: ["first-1@example.com"],
    userName: USERS[0]!,
    region: WEST,
    outcome: "passed",
    steps: [],
  });
}
