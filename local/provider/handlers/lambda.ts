/** AWS Lambda. */
import { arn, partitionOf } from "../../../components/regional/partition";
import { zipArchive } from "../archive";
import type { Client } from "../context";
import { StandInError } from "../errors";
import { type Call, define, type Handler, idParts, syncTags, withoutAwsTags } from "../handler";
import { archive, bool, list, map, num, obj, set, str } from "../schema";
import type { Props } from "../types";
import { until } from "../wait";

type Lambda = Client<"lambda">;

/** Inputs that are part of a function's configuration, as opposed to its code, tags and concurrency. */
const CONFIGURATION = [
  "role",
  "handler",
  "runtime",
  "description",
  "memorySize",
  "timeout",
  "environment",
  "deadLetterConfig",
  "tracingConfig",
  "vpcConfig",
  "loggingConfig",
  "ephemeralStorage",
  "kmsKeyArn",
  "layers",
];

/** `forUpdate`: what is absent has to be said then, since AWS leaves alone what is not mentioned. */
function configuration(inputs: Props, forUpdate: boolean) {
  const none = <T>(value: T) => (forUpdate ? value : undefined);
  const { vpcConfig: vpc, loggingConfig: logging } = inputs;
  return {
    FunctionName: inputs.name,
    Role: inputs.role,
    Handler: inputs.handler,
    Runtime: inputs.runtime,
    Description: inputs.description ?? none(""),
    MemorySize: inputs.memorySize,
    Timeout: inputs.timeout,
    Environment: inputs.environment
      ? { Variables: inputs.environment.variables ?? {} }
      : none({ Variables: {} }),
    DeadLetterConfig: inputs.deadLetterConfig
      ? { TargetArn: inputs.deadLetterConfig.targetArn }
      : none({ TargetArn: "" }),
    TracingConfig: inputs.tracingConfig && { Mode: inputs.tracingConfig.mode },
    VpcConfig: vpc
      ? {
          SubnetIds: vpc.subnetIds,
          SecurityGroupIds: vpc.securityGroupIds,
          Ipv6AllowedForDualStack: vpc.ipv6AllowedForDualStack,
        }
      : none({ SubnetIds: [], SecurityGroupIds: [] }),
    LoggingConfig: logging && {
      LogFormat: logging.logFormat,
      LogGroup: logging.logGroup,
      ApplicationLogLevel: logging.applicationLogLevel,
      SystemLogLevel: logging.systemLogLevel,
    },
    EphemeralStorage: inputs.ephemeralStorage && { Size: inputs.ephemeralStorage.size },
    KMSKeyArn: inputs.kmsKeyArn ?? none(""),
    Layers: inputs.layers ?? none([]),
  };
}

/** Waits until the function can be called or changed. */
async function settled(lambda: Lambda, FunctionName: string): Promise<void> {
  await until(`function ${FunctionName} becoming active`, async () => {
    const state = await lambda.getFunctionConfiguration({ FunctionName });
    if (state.State === "Failed" || state.LastUpdateStatus === "Failed") {
      const reason = state.StateReason ?? state.LastUpdateStatusReason ?? "no reason given";
      throw new StandInError(`function ${FunctionName} failed: ${reason}`);
    }
    return state.State !== "Pending" && state.LastUpdateStatus !== "InProgress";
  });
}

async function setConcurrency(lambda: Lambda, FunctionName: string, count: number): Promise<void> {
  if (count < 0) await lambda.deleteFunctionConcurrency({ FunctionName });
  else await lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: count });
}

/** The ARN under which API Gateway invokes a function. */
function invokeArn(call: Call, functionArn: string): string {
  return arn({
    partition: partitionOf(call.region),
    service: "apigateway",
    region: call.region,
    account: "lambda",
    resource: `path/2015-03-31/functions/${functionArn}/invocations`,
  });
}

const fn = define("lambda", {
  type: "aws:lambda/function:Function",
  autoname: { property: "name", maxLength: 64 },
  inputs: {
    name: str({ replaces: true }),
    code: archive({ required: true, writeOnly: true }),
    role: str({ required: true }),
    handler: str({ required: true }),
    runtime: str({ required: true }),
    packageType: str({ default: "Zip", replaces: true, values: ["Zip"] }),
    architectures: set(str({ values: ["arm64", "x86_64"] }), { computed: true }),
    description: str(),
    memorySize: num({ default: 128 }),
    timeout: num({ default: 3 }),
    environment: obj({ variables: map() }),
    deadLetterConfig: obj({ targetArn: str({ required: true }) }),
    tracingConfig: obj(
      { mode: str({ required: true, values: ["Active", "PassThrough"] }) },
      { computed: true },
    ),
    vpcConfig: obj({
      subnetIds: set(str(), { required: true }),
      securityGroupIds: set(str(), { required: true }),
      ipv6AllowedForDualStack: bool({ default: false }),
    }),
    loggingConfig: obj(
      {
        logFormat: str({ required: true, values: ["JSON", "Text"] }),
        logGroup: str({ computed: true }),
        applicationLogLevel: str({ computed: true }),
        systemLogLevel: str({ computed: true }),
      },
      { computed: true },
    ),
    ephemeralStorage: obj({ size: num({ computed: true }) }, { computed: true }),
    kmsKeyArn: str(),
    layers: list(str()),
    publish: bool({ default: false, writeOnly: true }),
    /** -1: no reservation. */
    reservedConcurrentExecutions: num({ default: -1 }),
    skipDestroy: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  advice: {
    sourceCodeHash: "leave it out: code is compared by its contents",
    s3Bucket: "use code",
    s3Key: "use code",
    imageUri: "use code with a runtime",
  },
  outputs: [
    "arn",
    "invokeArn",
    "qualifiedArn",
    "qualifiedInvokeArn",
    "version",
    "lastModified",
    "codeSha256",
    "sourceCodeSize",
  ],
  volatile: {
    codeSha256: ["code"],
    sourceCodeSize: ["code"],
    lastModified: ["code", "architectures", ...CONFIGURATION],
    version: ["code", "architectures", "publish", ...CONFIGURATION],
    qualifiedArn: ["code", "architectures", "publish", ...CONFIGURATION],
    qualifiedInvokeArn: ["code", "architectures", "publish", ...CONFIGURATION],
  },
  async create(lambda, inputs, call) {
    await lambda.createFunction({
      ...configuration(inputs, false),
      Code: { ZipFile: await zipArchive(inputs.code) },
      PackageType: inputs.packageType,
      Architectures: inputs.architectures,
      Publish: inputs.publish,
      Tags: inputs.tags,
    });
    call.created(inputs.name);
    await settled(lambda, inputs.name);
    if (inputs.reservedConcurrentExecutions >= 0) {
      await setConcurrency(lambda, inputs.name, inputs.reservedConcurrentExecutions);
    }
    return inputs.name;
  },
  async read(lambda, id, known, call) {
    const { Configuration: live, Concurrency, Tags } = await lambda.getFunction({ FunctionName: id });
    const functionArn = live!.FunctionArn!;
    const version = known.publish ? await latestVersion(lambda, id) : "$LATEST";
    const qualifiedArn = `${functionArn}:${version}`;
    const { VpcConfig: vpc, LoggingConfig: logging, Environment, DeadLetterConfig } = live!;
    return {
      name: id,
      // Somebody else has changed the code when its hash is not the one that was seen last.
      code: known.codeSha256 !== undefined && known.codeSha256 !== live!.CodeSha256 ? null : undefined,
      role: live!.Role,
      handler: live!.Handler,
      runtime: live!.Runtime,
      packageType: live!.PackageType ?? "Zip",
      architectures: live!.Architectures,
      description: live!.Description,
      memorySize: live!.MemorySize,
      timeout: live!.Timeout,
      environment: Environment?.Variables && { variables: Environment.Variables },
      deadLetterConfig: DeadLetterConfig?.TargetArn && { targetArn: DeadLetterConfig.TargetArn },
      tracingConfig: { mode: live!.TracingConfig?.Mode ?? "PassThrough" },
      vpcConfig: vpc?.SubnetIds?.length
        ? {
            subnetIds: vpc.SubnetIds,
            securityGroupIds: vpc.SecurityGroupIds,
            ipv6AllowedForDualStack: vpc.Ipv6AllowedForDualStack ?? false,
          }
        : undefined,
      loggingConfig: logging && {
        logFormat: logging.LogFormat,
        logGroup: logging.LogGroup,
        applicationLogLevel: logging.ApplicationLogLevel,
        systemLogLevel: logging.SystemLogLevel,
      },
      ephemeralStorage: { size: live!.EphemeralStorage?.Size ?? 512 },
      kmsKeyArn: live!.KMSKeyArn,
      layers: live!.Layers?.map((layer) => layer.Arn),
      reservedConcurrentExecutions: Concurrency?.ReservedConcurrentExecutions ?? -1,
      tags: withoutAwsTags(Tags),
      arn: functionArn,
      invokeArn: invokeArn(call, functionArn),
      qualifiedArn,
      qualifiedInvokeArn: invokeArn(call, qualifiedArn),
      version,
      lastModified: live!.LastModified,
      codeSha256: live!.CodeSha256,
      sourceCodeSize: live!.CodeSize,
    };
  },
  async update(lambda, FunctionName, inputs, olds, call) {
    if (call.changed("code", "architectures")) {
      const ZipFile = await zipArchive(inputs.code);
      await lambda.updateFunctionCode({ FunctionName, ZipFile, Architectures: inputs.architectures });
      await settled(lambda, FunctionName);
    }
    if (call.changed(...CONFIGURATION)) {
      await lambda.updateFunctionConfiguration(configuration(inputs, true));
      await settled(lambda, FunctionName);
    }
    if (call.changed("reservedConcurrentExecutions")) {
      await setConcurrency(lambda, FunctionName, inputs.reservedConcurrentExecutions);
    }
    if (inputs.publish && call.changed("publish", "code", "architectures", ...CONFIGURATION)) {
      await lambda.publishVersion({ FunctionName });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (Tags) => lambda.tagResource({ Resource: olds.arn, Tags }),
      (TagKeys) => lambda.untagResource({ Resource: olds.arn, TagKeys }),
    );
    const { CodeSha256 } = await lambda.getFunctionConfiguration({ FunctionName });
    return { codeSha256: CodeSha256 };
  },
  async delete(lambda, FunctionName, olds) {
    if (!olds.skipDestroy) await lambda.deleteFunction({ FunctionName });
  },
  identify: async (_lambda, inputs) => inputs.name,
});

async function latestVersion(lambda: Lambda, FunctionName: string): Promise<string> {
  const { Versions = [] } = await lambda.listVersionsByFunction({ FunctionName });
  return Versions.at(-1)?.Version ?? "$LATEST";
}

/** The parts of a statement in a function's policy that Permission makes. */
interface PermissionStatement {
  Sid: string;
  Action: string | string[];
  Principal: string | Record<string, string | string[]>;
  Condition?: Record<string, Record<string, string>>;
}

/** A condition's value, whatever the operator and the letter case of the key. */
function conditionOf(statement: PermissionStatement, wanted: string): string | undefined {
  const keys = Object.values(statement.Condition ?? {}).flatMap((operator) => Object.entries(operator));
  return keys.find(([key]) => key.toLowerCase() === wanted.toLowerCase())?.[1];
}

function principalOf({ Principal }: PermissionStatement): string | undefined {
  if (typeof Principal === "string") return Principal;
  return [Object.values(Principal)[0] ?? []].flat()[0];
}

const permission = define("lambda", {
  type: "aws:lambda/permission:Permission",
  autoname: { property: "statementId", prefixProperty: "statementIdPrefix", maxLength: 100 },
  inputs: {
    statementId: str({ replaces: true }),
    statementIdPrefix: str({ replaces: true, writeOnly: true }),
    function: str({ required: true, replaces: true }),
    qualifier: str({ replaces: true }),
    action: str({ required: true, replaces: true }),
    principal: str({ required: true, replaces: true }),
    principalOrgId: str({ replaces: true }),
    sourceAccount: str({ replaces: true }),
    sourceArn: str({ replaces: true }),
  },
  outputs: [],
  async create(lambda, inputs) {
    await lambda.addPermission({
      StatementId: inputs.statementId,
      FunctionName: inputs.function,
      Qualifier: inputs.qualifier,
      Action: inputs.action,
      Principal: inputs.principal,
      PrincipalOrgID: inputs.principalOrgId,
      SourceAccount: inputs.sourceAccount,
      SourceArn: inputs.sourceArn,
    });
    return inputs.statementId;
  },
  async read(lambda, id, known) {
    if (known.function === undefined)
      throw new StandInError("a permission cannot be imported by its id alone");
    const { Policy } = await lambda.getPolicy({ FunctionName: known.function, Qualifier: known.qualifier });
    const statements = JSON.parse(Policy!).Statement as PermissionStatement[];
    const statement = statements.find((found) => found.Sid === id);
    if (!statement) return undefined;
    const principal = principalOf(statement);
    return {
      statementId: id,
      function: known.function,
      qualifier: known.qualifier,
      action: [statement.Action].flat()[0],
      // AWS writes an account as its root's ARN.
      principal: principal?.endsWith(`:iam::${known.principal}:root`) ? known.principal : principal,
      principalOrgId: conditionOf(statement, "aws:PrincipalOrgID"),
      sourceAccount: conditionOf(statement, "AWS:SourceAccount"),
      sourceArn: conditionOf(statement, "AWS:SourceArn"),
    };
  },
  async delete(lambda, id, olds) {
    await lambda.removePermission({
      FunctionName: olds.function,
      Qualifier: olds.qualifier,
      StatementId: id,
    });
  },
  identify: async (_lambda, inputs) => inputs.statementId,
});

/** How long AWS keeps an event for a function when nothing else is said: 6 hours. */
const DEFAULT_EVENT_AGE_S = 21_600;

async function putInvokeConfig(lambda: Lambda, inputs: Props): Promise<void> {
  const destination = (of: { destination?: string } | undefined) => of && { Destination: of.destination };
  await lambda.putFunctionEventInvokeConfig({
    FunctionName: inputs.functionName,
    Qualifier: inputs.qualifier,
    MaximumEventAgeInSeconds: inputs.maximumEventAgeInSeconds,
    MaximumRetryAttempts: inputs.maximumRetryAttempts,
    DestinationConfig: inputs.destinationConfig && {
      OnFailure: destination(inputs.destinationConfig.onFailure),
      OnSuccess: destination(inputs.destinationConfig.onSuccess),
    },
  });
}

const functionEventInvokeConfig = define("lambda", {
  type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  inputs: {
    functionName: str({ required: true, replaces: true }),
    qualifier: str({ replaces: true }),
    maximumEventAgeInSeconds: num(),
    maximumRetryAttempts: num({ default: 2 }),
    destinationConfig: obj({
      onFailure: obj({ destination: str({ required: true }) }),
      onSuccess: obj({ destination: str({ required: true }) }),
    }),
  },
  outputs: [],
  async create(lambda, inputs) {
    await putInvokeConfig(lambda, inputs);
    return invokeConfigId(inputs);
  },
  async read(lambda, id, known) {
    const { functionName, qualifier } = invokeConfigOf(id, known);
    const live = await lambda.getFunctionEventInvokeConfig({
      FunctionName: functionName,
      Qualifier: qualifier,
    });
    const isDefaultAge =
      known.maximumEventAgeInSeconds === undefined && live.MaximumEventAgeInSeconds === DEFAULT_EVENT_AGE_S;
    const destination = (of: { Destination?: string } | undefined) =>
      of?.Destination ? { destination: of.Destination } : undefined;
    const onFailure = destination(live.DestinationConfig?.OnFailure);
    const onSuccess = destination(live.DestinationConfig?.OnSuccess);
    return {
      functionName,
      qualifier,
      // AWS may tell its own default.
      maximumEventAgeInSeconds: isDefaultAge ? undefined : live.MaximumEventAgeInSeconds,
      maximumRetryAttempts: live.MaximumRetryAttempts ?? 2,
      destinationConfig: onFailure || onSuccess ? { onFailure, onSuccess } : undefined,
    };
  },
  async update(lambda, _id, inputs) {
    await putInvokeConfig(lambda, inputs);
    return undefined;
  },
  async delete(lambda, id, olds) {
    const { functionName, qualifier } = invokeConfigOf(id, olds);
    await lambda.deleteFunctionEventInvokeConfig({ FunctionName: functionName, Qualifier: qualifier });
  },
  identify: async (_lambda, inputs) => invokeConfigId(inputs),
});

function invokeConfigId({ functionName, qualifier }: Props): string {
  return qualifier ? `${functionName}:${qualifier}` : functionName;
}

/** The known inputs say it best: a function named by its ARN has colons of its own. */
function invokeConfigOf(id: string, known: Props): { functionName: string; qualifier?: string } {
  if (known.functionName !== undefined)
    return { functionName: known.functionName, qualifier: known.qualifier };
  if (!id.includes(":")) return { functionName: id };
  const [functionName, qualifier] = idParts(id, ":", 2) as [string, string];
  return { functionName, qualifier };
}

export const lambdaHandlers: readonly Handler[] = [fn, permission, functionEventInvokeConfig];
