/** How the stand-in reaches AWS: one client a service and region, made when first needed, all of them at AWS_ENDPOINT_URL. */
import { durationSeconds, ENDPOINT_NAMES, type ProviderConfig } from "./config";
import { EndpointUnreachableError, errorMessage, StandInError } from "./errors";

/** The SDK client of each service. They are imported when first used: together they would take a second to load. */
const SDK = {
  apigatewayv2: async () => (await import("@aws-sdk/client-apigatewayv2")).ApiGatewayV2,
  cloudformation: async () => (await import("@aws-sdk/client-cloudformation")).CloudFormation,
  cloudtrail: async () => (await import("@aws-sdk/client-cloudtrail")).CloudTrail,
  cloudwatch: async () => (await import("@aws-sdk/client-cloudwatch")).CloudWatch,
  dynamodb: async () => (await import("@aws-sdk/client-dynamodb")).DynamoDB,
  ec2: async () => (await import("@aws-sdk/client-ec2")).EC2,
  events: async () => (await import("@aws-sdk/client-eventbridge")).EventBridge,
  iam: async () => (await import("@aws-sdk/client-iam")).IAM,
  kms: async () => (await import("@aws-sdk/client-kms")).KMS,
  lambda: async () => (await import("@aws-sdk/client-lambda")).Lambda,
  logs: async () => (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs,
  s3: async () => (await import("@aws-sdk/client-s3")).S3,
  sfn: async () => (await import("@aws-sdk/client-sfn")).SFN,
  sns: async () => (await import("@aws-sdk/client-sns")).SNS,
  sqs: async () => (await import("@aws-sdk/client-sqs")).SQS,
  ssm: async () => (await import("@aws-sdk/client-ssm")).SSM,
  sts: async () => (await import("@aws-sdk/client-sts")).STS,
};

/** A service that the stand-in calls. */
export type Service = keyof typeof SDK;
/** The SDK client of a service. */
export type Client<S extends Service> = InstanceType<Awaited<ReturnType<(typeof SDK)[S]>>>;

/** The header that tells the local AWS which host the genuine provider would have called. */
export const ENDPOINT_HEADER = "x-bulkhead-endpoint";

/** Time limits of requests; only tests need others than the defaults. */
export interface Timeouts {
  /** Milliseconds until a connection must stand. @default 3000 */
  connectMs: number;
  /** Milliseconds until a request must be answered. @default 15000 */
  requestMs: number;
}

/** Used when the provider's `maxRetries` is not given; a hung region is then given up after three time-outs. */
const DEFAULT_RETRIES = 2;
/** The genuine provider's default is 25, which would hide a dead region for minutes. */
const MAX_RETRIES = 10;

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}
type CredentialProvider = () => Promise<Credentials>;

/** The parts of an SDK client that are the same for all services but have no common public type. */
interface AnyClient {
  config: {
    endpointProvider(parameters: object): {
      url: URL;
      properties?: { authSchemes?: { signingRegion?: string }[] };
    };
  };
  middlewareStack: { add(middleware: Middleware, options: object): void };
  destroy(): void;
}
type Next = (args: Call) => Promise<unknown>;
type Middleware = (next: Next, context: { commandName?: string }) => Next;
interface Call {
  request?: { headers: Record<string, string> };
}
type ClientClass = new (options: object) => AnyClient;

/** A configured way to AWS: whose credentials, which region by default, which endpoints. */
export class AwsContext {
  readonly #clients = new Map<string, Promise<AnyClient>>();
  readonly #endpoint: string;
  readonly #hosts: Record<string, string>;
  readonly #credentials: CredentialProvider;
  #account: Promise<CallerIdentity> | undefined;

  /**
   * @throws StandInError when there is no region, no credentials, or AWS_ENDPOINT_URL does not name a local AWS.
   */
  constructor(
    readonly config: ProviderConfig,
    env: NodeJS.ProcessEnv,
    private readonly timeouts: Timeouts,
  ) {
    this.#endpoint = localEndpoint(env.AWS_ENDPOINT_URL);
    const region = config.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
    if (!region) throw new StandInError("no region: give the provider's region, or set AWS_REGION");
    this.region = region;
    this.#hosts = {};
    for (const endpoints of config.endpoints ?? []) {
      for (const [name, address] of Object.entries(endpoints)) {
        const service = ENDPOINT_NAMES[name];
        if (service) this.#hosts[service] = new URL(address).host;
      }
    }
    this.#credentials = this.#assumeRoles(baseCredentials(config, env));
  }

  /** The provider's region, default of every resource that has one. */
  readonly region: string;

  /** The client of a service in a region (default: the provider's), with the provider's credentials. */
  async client<S extends Service>(service: S, region = this.region): Promise<Client<S>> {
    return (await this.#client(service, region, this.#credentials, "")) as unknown as Client<S>;
  }

  /** Who the credentials belong to, asked once at the STS endpoint in use. */
  identity(): Promise<CallerIdentity> {
    this.#account ??= this.client("sts", this.config.stsRegion ?? this.region)
      .then((sts) => sts.getCallerIdentity({}))
      .then((answer) => ({ account: answer.Account!, arn: answer.Arn!, userId: answer.UserId! }));
    this.#account.catch(() => {
      this.#account = undefined;
    });
    return this.#account;
  }

  /** Closes idle connections. */
  close(): void {
    for (const client of this.#clients.values()) client.then((made) => made.destroy()).catch(() => {});
    this.#clients.clear();
  }

  /** `purpose` keeps apart clients of other credentials than the final ones. */
  #client(service: Service, region: string, credentials: CredentialProvider, purpose: string) {
    const key = `${purpose} ${service} ${region}`;
    let client = this.#clients.get(key);
    if (!client) {
      client = this.#makeClient(service, region, credentials);
      this.#clients.set(key, client);
    }
    return client;
  }

  async #makeClient(service: Service, region: string, credentials: CredentialProvider): Promise<AnyClient> {
    const Class = (await SDK[service]()) as unknown as ClientClass;
    const retries = Math.max(0, Math.min(this.config.maxRetries ?? DEFAULT_RETRIES, MAX_RETRIES));
    const options = {
      credentials,
      endpoint: this.#endpoint,
      maxAttempts: retries + 1,
      retryMode: "standard",
      // Everything is said here, so that no profile on this machine has a say.
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      useQueueUrlAsEndpoint: false,
      // Of S3 only: the local AWS has no host names for buckets.
      forcePathStyle: true,
      requestHandler: {
        connectionTimeout: this.timeouts.connectMs,
        requestTimeout: this.timeouts.requestMs,
        throwOnRequestTimeout: true,
      },
    };
    // The SDK's own rules know where the service is; a client for the asking, since the endpoint of the real one is fixed.
    const probe = new Class({ ...options, region });
    const real = probe.config.endpointProvider({
      Region: region,
      UseFIPS: this.config.useFipsEndpoint ?? false,
      UseDualStack: this.config.useDualstackEndpoint ?? false,
    });
    // IAM's calls are signed for its control plane's region wherever the caller is (fact 9).
    const signingRegion = real.properties?.authSchemes?.[0]?.signingRegion ?? region;
    const client = signingRegion === region ? probe : new Class({ ...options, region: signingRegion });
    const host = this.#hosts[service] ?? real.url.host;
    client.middlewareStack.add(
      (next) => (args) => {
        if (args.request) args.request.headers[ENDPOINT_HEADER] = host;
        return next(args);
      },
      { step: "build", name: "standInEndpoint" },
    );
    client.middlewareStack.add(
      (next, context) => async (args) => {
        try {
          return await next(args);
        } catch (error) {
          const operation = (context.commandName ?? "request").replace(/Command$/, "");
          throw explain(error, { service, region, host, operation, attempts: retries + 1 });
        }
      },
      { step: "initialize", name: "standInErrors", priority: "high" },
    );
    return client;
  }

  /** Each role is assumed with the credentials of the one before it, at the provider's STS endpoint. */
  #assumeRoles(base: CredentialProvider): CredentialProvider {
    return (this.config.assumeRoles ?? []).reduce<CredentialProvider>((credentials, role, index) => {
      return async () => {
        const region = this.config.stsRegion ?? this.region;
        const sts = (await this.#client(
          "sts",
          region,
          credentials,
          `role ${index}`,
        )) as unknown as Client<"sts">;
        const { Credentials: assumed } = await sts.assumeRole({
          RoleArn: role.roleArn,
          RoleSessionName: role.sessionName ?? "pulumi",
          ExternalId: role.externalId,
          DurationSeconds: role.duration === undefined ? undefined : durationSeconds(role.duration),
          Policy: role.policy,
          PolicyArns: role.policyArns?.map((arn) => ({ arn })),
          SourceIdentity: role.sourceIdentity,
          Tags: role.tags && Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })),
          TransitiveTagKeys: role.transitiveTagKeys,
        });
        return {
          accessKeyId: assumed!.AccessKeyId!,
          secretAccessKey: assumed!.SecretAccessKey!,
          sessionToken: assumed!.SessionToken,
          expiration: assumed!.Expiration,
        };
      };
    }, base);
  }
}

/** Answer of GetCallerIdentity. */
export interface CallerIdentity {
  account: string;
  arn: string;
  userId: string;
}

function localEndpoint(url: string | undefined): string {
  if (!url) {
    throw new StandInError(
      "it only talks to a local AWS, and AWS_ENDPOINT_URL does not name one; for real AWS use the genuine provider " +
        "(take the stand-in off PATH)",
    );
  }
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(host)) {
    throw new StandInError(
      `it only talks to a local AWS: AWS_ENDPOINT_URL is "${url}", which is not on this machine`,
    );
  }
  return url;
}

function baseCredentials(config: ProviderConfig, env: NodeJS.ProcessEnv): CredentialProvider {
  const given = config.accessKey !== undefined;
  const accessKeyId = given ? config.accessKey : env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = given ? config.secretKey : env.AWS_SECRET_ACCESS_KEY;
  const sessionToken = given ? config.token : env.AWS_SESSION_TOKEN;
  if (!accessKeyId || !secretAccessKey) {
    throw new StandInError(
      "no credentials: give the provider's accessKey and secretKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
  }
  return async () => ({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
}

interface Circumstances {
  service: string;
  region: string;
  host: string;
  operation: string;
  attempts: number;
}

const UNREACHABLE = /TimeoutError|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EHOSTUNREACH|socket hang up/;

/** Adds what was called and where to an SDK error; its name, by which handlers know it, stays. */
function explain(error: unknown, at: Circumstances): unknown {
  if (!(error instanceof Error) || error instanceof StandInError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (UNREACHABLE.test(`${error.name} ${code} ${error.message}`)) {
    return new EndpointUnreachableError(
      `${at.service} in ${at.region} (${at.host}) did not answer ${at.operation} in ${at.attempts} attempts ` +
        `(${errorMessage(error) || code}); is the region down?`,
      { cause: error },
    );
  }
  error.message = `${at.service} ${at.operation} in ${at.region}: ${error.name}: ${error.message}`;
  return error;
}
