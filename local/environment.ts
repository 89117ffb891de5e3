import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { parse, stringify } from "yaml";
import { type LocalAws, launchAws } from "./aws/launch";
import {
  ACCESS_ROLE,
  type AccessKey,
  createOrganization,
  DEPLOYER,
  type LocalOrganization,
} from "./aws/organization";
import { DIRECTORY_PARAMETER, writeDirectory } from "./drill/approvers";
import { type Custodian, createCustodian } from "./drill/custodian";
import { type DeploymentOptions, pulumiVersion, type StackDriver, selectDriver } from "./engine";
import { type RegionProxy, startRegionProxy } from "./outage/proxy";
import { createAwsProvider } from "./provider";
import { localFolder } from "./run";

/** The name under which the parts of local mode are shown to people. */
export const LOCAL_AWS_NAME = "MiniStack with Bulkhead's overlay";

/** Everything that local mode starts: the emulated AWS, the region proxy in front of it, an organization, custodians, an engine. */
export interface LocalEnvironment {
  readonly root: string;
  /** A folder with the stacks' files as a user would have them: what `bulkhead --project` takes. */
  readonly projectDir: string;
  readonly aws: LocalAws;
  /** What every client takes as its endpoint. */
  readonly proxy: RegionProxy;
  readonly organization: LocalOrganization;
  /** One for each emergency user, in their order. */
  readonly custodians: readonly Custodian[];
  readonly driver: StackDriver;
  /** What `preview` and `up` of one of the project's stacks take. */
  deployment(stack: string): DeploymentOptions;
  /** Ends everything. May be called twice. */
  stop(): Promise<void>;
}

/** The genuine engine was asked for and is not there. */
export class PulumiMissingError extends Error {
  override readonly name = "PulumiMissingError";
  constructor() {
    super(
      'There is no "pulumi" on PATH. Install it, or leave --engine out to use the engine that comes along.',
    );
  }
}

/** Which engine deploys: `auto` takes the genuine `pulumi` when it is on PATH, the others insist on one. */
export type EngineChoice = "auto" | "local" | "pulumi";

/** Settings of {@link startEnvironment}. */
export interface EnvironmentOptions {
  /** Required. The checkout's folder. */
  root: string;
  /**
   * Folder for the stacks' state. It is emptied.
   * @default `.bulkhead/local/state`
   */
  stateDir?: string;
  /**
   * Port of the region proxy on 127.0.0.1; 0 takes a free one.
   * @default 0
   */
  port?: number;
  /**
   * The engine.
   * @default "auto"
   */
  engine?: EngineChoice;
  /** Is told what takes time at first use. @default nothing is told */
  onProgress?: (step: string) => void;
  /** @default lines are dropped */
  onAwsLog?: (line: string) => void;
  signal?: AbortSignal;
}

/** A cell as its stack's file makes it. */
export interface LocalCell {
  /** Name of its stack. */
  name: string;
  region: string;
  role: string;
}

/** The cells of Pulumi.prod.yaml and Pulumi.dr.yaml. */
export const PRIMARY: LocalCell = { name: "prod", region: "us-east-1", role: "primary" };
export const STANDBY: LocalCell = { name: "dr", region: "us-west-2", role: "standby" };

/** Gets SNS's plain mails of alerts. */
const ALERT_ADDRESS = "security@example.com";
/** Sends and gets the readable ones. */
const MAIL_SENDER = "bulkhead@example.com";
const MAIL_RECEIVER = "oncall@example.com";

const CUSTODIANS = ["alice@example.com", "bob@example.com"];

/**
 * Starts local mode. On an error, or when the signal is aborted, everything that was started is stopped again.
 * @throws PythonError, LocalAwsError, PortInUseError, PulumiMissingError: each says in one message what is missing and what to do
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<LocalEnvironment> {
  const { root, stateDir = path.join(localFolder(root), "state") } = options;
  // What an earlier run's state describes ended with its emulated AWS.
  fs.rmSync(stateDir, { recursive: true, force: true });
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const custodians = Promise.all(CUSTODIANS.map(createCustodian));
    const aws = await launchAws({ root, onProgress: options.onProgress, onLog: options.onAwsLog });
    started.push(aws);
    options.signal?.throwIfAborted();
    const proxy = await startRegionProxy({ target: aws.url, port: options.port });
    started.push(proxy);
    await aws.setLambdaEndpointUrl(proxy.url);
    const organization = await createOrganization(aws);
    options.signal?.throwIfAborted();
    const { deployer } = organization;
    // Event rules of this account see API calls only while one of its own trails logs, as on AWS (fact 20).
    await aws.requireTrails([organization.securityAccountId]);
    await verifySender(proxy.url, deployer);
    await writeDirectory(proxy.url, deployer, [PRIMARY.region, STANDBY.region], DEPLOYER);
    const env = {
      AWS_ENDPOINT_URL: proxy.url,
      AWS_ACCESS_KEY_ID: deployer.accessKeyId,
      AWS_SECRET_ACCESS_KEY: deployer.secretAccessKey,
    };
    const driver = createDriver(stateDir, env, options.engine ?? "auto");
    const config = localConfig(organization, await custodians);
    const projectDir = path.join(stateDir, "project");
    writeProject(root, projectDir, config);
    return {
      root,
      projectDir,
      aws,
      proxy,
      organization,
      custodians: await custodians,
      driver,
      deployment: (stack) => ({
        stack,
        projectDir: root,
        policyPacks: [path.join(root, "policypacks", "identity-dr", "dist")],
        config,
        env,
        signal: options.signal,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** SES sends only from identities that their owner has verified, in each region (fact 14). */
async function verifySender(endpoint: string, credentials: AccessKey): Promise<void> {
  for (const { region } of [PRIMARY, STANDBY]) {
    const ses = new SESv2Client({ endpoint, region, credentials });
    await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: MAIL_SENDER }));
    ses.destroy();
  }
}

function createDriver(stateDir: string, env: Record<string, string>, engine: EngineChoice): StackDriver {
  if (engine === "pulumi" && pulumiVersion() === undefined) throw new PulumiMissingError();
  return selectDriver({
    stateDir,
    // The state lives as long as the emulated AWS. It is encrypted all the same, as it would be elsewhere.
    passphrase: randomBytes(24).toString("base64"),
    providers: (packageName) => {
      if (packageName === "aws") return createAwsProvider({ env: { ...process.env, ...env } });
      throw new Error(
        `local mode has no provider for "${packageName}", only for aws: leave its resources out locally`,
      );
    },
    preferEmbedded: engine === "local",
  });
}

/** The project's own files of its stacks, with the local values as `pulumi config set` would have put them there. */
function writeProject(root: string, projectDir: string, config: Record<string, string>): void {
  fs.mkdirSync(projectDir, { recursive: true });
  fs.copyFileSync(path.join(root, "Pulumi.yaml"), path.join(projectDir, "Pulumi.yaml"));
  const parsed = (value: string): unknown => (/^[[{]|^(true|false)$/.test(value) ? JSON.parse(value) : value);
  const local = Object.entries(config).map(([key, value]) => [`bulkhead:${key}`, parsed(value)] as const);
  for (const { name } of [PRIMARY, STANDBY]) {
    const file = `Pulumi.${name}.yaml`;
    const given = parse(fs.readFileSync(path.join(root, file), "utf8")) as { config: object };
    const whole = { config: { ...given.config, ...Object.fromEntries(local) } };
    fs.writeFileSync(path.join(projectDir, file), stringify(whole));
  }
}

/** The values that a user would set in both stacks. */
function localConfig(
  organization: LocalOrganization,
  custodians: readonly Custodian[],
): Record<string, string> {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const values = {
    accountId: organization.securityAccountId,
    organizationId: organization.organizationId,
    managementAccountId: organization.managementAccountId,
    managementRoleName: ACCESS_ROLE,
    memberAccess: "stackSet",
    memberOrganizationalUnitIds: [organization.unitIds.Workloads, organization.unitIds.Sandbox],
    custodians: custodians.map((custodian) => custodian.address),
    custodianPgpKeys: custodians.map((custodian) => custodian.publicKey),
    alertEmails: [ALERT_ADDRESS],
    mailTransport: "ses",
    mailFrom: MAIL_SENDER,
    mailTo: [MAIL_RECEIVER],
    keyRotation: "enforce",
    keyRotationExternalId: "bulkhead-local",
    approval: "on",
    approvalDirectory: `ssm:${DIRECTORY_PARAMETER}`,
    // The emulated AWS is thrown away at the end.
    deletionProtection: false,
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)]));
}
