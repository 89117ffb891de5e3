/** Cases of the types that approval's pages are served by: HTTP APIs. */
import type { LifeCase } from "./lifeCases";
import { ACCOUNT, type Deployed, type Deployment, REGION } from "./support";

const tags = { project: "bulkhead", purpose: "test" };
const newTags = { project: "bulkhead", owner: "identity" };

const functionUri = (name: string) =>
  `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}/invocations`;

const logGroup = (name: string) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/vendedlogs/${name}`;

const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012`;

async function oneApi(deployment: Deployment): Promise<Record<string, Deployed>> {
  return { api: await deployment.make("aws:apigatewayv2/api:Api", "pages", { protocolType: "HTTP" }) };
}

async function integrated(deployment: Deployment): Promise<Record<string, Deployed>> {
  const { api } = await oneApi(deployment);
  const integration = (name: string) =>
    deployment.make("aws:apigatewayv2/integration:Integration", name, {
      apiId: api!.id,
      integrationType: "AWS_PROXY",
      integrationUri: functionUri(name),
      payloadFormatVersion: "2.0",
    });
  return { api: api!, first: await integration("first"), second: await integration("second") };
}

async function mapped(deployment: Deployment): Promise<Record<string, Deployed>> {
  const { api } = await oneApi(deployment);
  const stage = (name: string) =>
    deployment.make("aws:apigatewayv2/stage:Stage", name, { apiId: api!.id, name, autoDeploy: true });
  return {
    api: api!,
    first: await stage("$default"),
    second: await stage("second"),
    domain: await deployment.make("aws:apigatewayv2/domainName:DomainName", "domain", {
      domainName: "pages.example.com",
      domainNameConfiguration: {
        certificateArn: CERTIFICATE,
        endpointType: "REGIONAL",
        securityPolicy: "TLS_1_2",
      },
    }),
  };
}

const OTHER_REGION = "us-east-1";

async function primaryKey(deployment: Deployment): Promise<Record<string, Deployed>> {
  return {
    key: await deployment.make("aws:kms/key:Key", "primary", {
      multiRegion: true,
      deletionWindowInDays: 7,
      region: OTHER_REGION,
    }),
  };
}

export const APPROVAL_CASES: readonly LifeCase[] = [
  {
    type: "aws:kms/replicaKey:ReplicaKey",
    needs: primaryKey,
    inputs: ({ needs }) => ({
      primaryKeyArn: needs.key!.outputs.arn,
      description: "first",
      deletionWindowInDays: 7,
      tags,
    }),
    outputs: ["arn", "keyId", "keySpec", "keyUsage", "policy"],
    update: () => ({ description: "second", enabled: false, tags: newTags }),
    drift: async ({ aws }, { id }) => (await aws.client("kms")).enableKey({ KeyId: id }),
    driftShows: ["enabled"],
    replaces: { primaryKeyArn: `arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/mrk-another` },
  },
  {
    type: "aws:apigatewayv2/api:Api",
    inputs: () => ({ protocolType: "HTTP", tags }),
    outputs: ["apiEndpoint", "arn", "executionArn", "name"],
    update: () => ({ description: "Pages", disableExecuteApiEndpoint: true, tags: newTags }),
    drift: async ({ aws }, { id }) =>
      (await aws.client("apigatewayv2")).updateApi({ ApiId: id, Description: "by hand" }),
    driftShows: ["description"],
    replaces: { protocolType: "WEBSOCKET" },
  },
  {
    type: "aws:apigatewayv2/integration:Integration",
    needs: oneApi,
    inputs: ({ needs }) => ({
      apiId: needs.api!.id,
      integrationType: "AWS_PROXY",
      integrationUri: functionUri("first"),
      payloadFormatVersion: "2.0",
    }),
    outputs: ["integrationMethod", "timeoutMilliseconds"],
    update: () => ({ integrationUri: functionUri("second"), timeoutMilliseconds: 10_000 }),
    drift: async ({ aws, needs }, { id }) =>
      (await aws.client("apigatewayv2")).updateIntegration({
        ApiId: needs.api!.id,
        IntegrationId: id,
        PayloadFormatVersion: "1.0",
      }),
    driftShows: ["payloadFormatVersion"],
    replaces: { apiId: "another", integrationType: "HTTP_PROXY" },
  },
  {
    type: "aws:apigatewayv2/route:Route",
    needs: integrated,
    inputs: ({ needs }) => ({
      apiId: needs.api!.id,
      routeKey: "POST /confirm/{id}",
      target: `integrations/${needs.first!.id}`,
    }),
    outputs: ["authorizationType"],
    update: ({ needs }) => ({
      target: `integrations/${needs.second!.id}`,
      operationName: "confirm",
    }),
    drift: async ({ aws, needs }, { id }) =>
      (await aws.client("apigatewayv2")).updateRoute({
        ApiId: needs.api!.id,
        RouteId: id,
        AuthorizationType: "AWS_IAM",
      }),
    driftShows: ["authorizationType"],
    replaces: { apiId: "another" },
  },
  {
    type: "aws:apigatewayv2/stage:Stage",
    needs: oneApi,
    inputs: ({ needs }) => ({
      apiId: needs.api!.id,
      name: "$default",
      autoDeploy: true,
      defaultRouteSettings: { throttlingBurstLimit: 20, throttlingRateLimit: 10 },
      accessLogSettings: { destinationArn: logGroup("pages"), format: "$context.requestId" },
      tags,
    }),
    outputs: ["arn", "executionArn", "invokeUrl"],
    update: () => ({
      defaultRouteSettings: { throttlingBurstLimit: 40, throttlingRateLimit: 20 },
      accessLogSettings: undefined,
      stageVariables: { purpose: "test" },
      tags: newTags,
    }),
    drift: async ({ aws, needs }, { id }) =>
      (await aws.client("apigatewayv2")).updateStage({
        ApiId: needs.api!.id,
        StageName: id,
        Description: "by hand",
        DefaultRouteSettings: { ThrottlingBurstLimit: 1, ThrottlingRateLimit: 1 },
      }),
    driftShows: ["description", "defaultRouteSettings"],
    replaces: { apiId: "another", name: "other" },
  },
  {
    type: "aws:apigatewayv2/domainName:DomainName",
    inputs: () => ({
      domainName: "approval.example.com",
      domainNameConfiguration: {
        certificateArn: CERTIFICATE,
        endpointType: "REGIONAL",
        securityPolicy: "TLS_1_2",
      },
      tags,
    }),
    outputs: ["arn"],
    update: () => ({
      domainNameConfiguration: {
        certificateArn: CERTIFICATE.replace("12345678", "87654321"),
        endpointType: "REGIONAL",
        securityPolicy: "TLS_1_2",
      },
      tags: newTags,
    }),
    replaces: { domainName: "other.example.com" },
  },
  {
    type: "aws:apigatewayv2/apiMapping:ApiMapping",
    needs: mapped,
    inputs: ({ needs }) => ({
      apiId: needs.api!.id,
      domainName: needs.domain!.id,
      stage: needs.first!.id,
    }),
    outputs: [],
    update: ({ needs }) => ({ stage: needs.second!.id }),
    drift: async ({ aws, needs }, { id }) =>
      (await aws.client("apigatewayv2")).updateApiMapping({
        DomainName: needs.domain!.id,
        ApiMappingId: id,
        ApiId: needs.api!.id,
        ApiMappingKey: "by-hand",
      }),
    driftShows: ["apiMappingKey"],
    replaces: { apiId: "another", domainName: "another.example.com" },
  },
];
