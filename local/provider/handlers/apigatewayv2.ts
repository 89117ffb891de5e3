/** API Gateway's HTTP APIs. */
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { StandInError } from "../errors";
import { type Call, define, type Handler, pages, syncTags, withoutAwsTags } from "../handler";
import { bool, type Input, map, num, obj, str } from "../schema";
import type { Props } from "../types";

type Gateway = Client<"apigatewayv2">;

/** ARN of an API or of what belongs to it, under which its tags are. */
function gatewayArn(call: Call, resource: string): string {
  return arn({
    partition: partitionOf(call.region),
    service: "apigateway",
    region: call.region,
    resource: `/${resource}`,
  });
}

/** The ARN under which an API is invoked. */
async function executionArn(call: Call, resource: string): Promise<string> {
  return arn({
    partition: partitionOf(call.region),
    service: "execute-api",
    region: call.region,
    account: await call.account(),
    resource,
  });
}

async function syncGatewayTags(
  gateway: Gateway,
  ResourceArn: string,
  olds: Props,
  inputs: Props,
): Promise<void> {
  await syncTags(
    olds.tags,
    inputs.tags,
    (Tags) => gateway.tagResource({ ResourceArn, Tags }),
    (TagKeys) => gateway.untagResource({ ResourceArn, TagKeys }),
  );
}

/** What an API's parts need to be found by. */
function apiOf(known: Props, what: string): string {
  if (known.apiId === undefined) throw new StandInError(`${what} cannot be imported by its id alone`);
  return known.apiId as string;
}

const api = define("apigatewayv2", {
  type: "aws:apigatewayv2/api:Api",
  autoname: { property: "name", maxLength: 128 },
  inputs: {
    name: str(),
    protocolType: str({ required: true, replaces: true, values: ["HTTP"] }),
    description: str(),
    version: str(),
    disableExecuteApiEndpoint: bool({ default: false }),
    apiKeySelectionExpression: str({ default: "$request.header.x-api-key" }),
    routeSelectionExpression: str({ default: "$request.method $request.path" }),
    tags: map(),
  },
  advice: {
    body: "make aws:apigatewayv2/route:Route and its like",
    target: "make aws:apigatewayv2/route:Route and its like",
    routeKey: "make aws:apigatewayv2/route:Route and its like",
  },
  outputs: ["apiEndpoint", "arn", "executionArn"],
  async create(gateway, inputs) {
    const { ApiId } = await gateway.createApi({
      Name: inputs.name,
      ProtocolType: inputs.protocolType,
      Description: inputs.description,
      Version: inputs.version,
      DisableExecuteApiEndpoint: inputs.disableExecuteApiEndpoint,
      ApiKeySelectionExpression: inputs.apiKeySelectionExpression,
      RouteSelectionExpression: inputs.routeSelectionExpression,
      Tags: inputs.tags,
    });
    return ApiId!;
  },
  async read(gateway, ApiId, _known, call) {
    const live = await gateway.getApi({ ApiId });
    const resource = gatewayArn(call, `apis/${ApiId}`);
    const { Tags } = await gateway.getTags({ ResourceArn: resource });
    return {
      name: live.Name,
      protocolType: live.ProtocolType,
      description: live.Description || undefined,
      version: live.Version || undefined,
      disableExecuteApiEndpoint: live.DisableExecuteApiEndpoint,
      apiKeySelectionExpression: live.ApiKeySelectionExpression,
      routeSelectionExpression: live.RouteSelectionExpression,
      tags: withoutAwsTags(Tags),
      apiEndpoint: live.ApiEndpoint,
      arn: resource,
      executionArn: await executionArn(call, ApiId),
    };
  },
  async update(gateway, ApiId, inputs, olds, call) {
    const own = [
      "name",
      "description",
      "version",
      "disableExecuteApiEndpoint",
      "apiKeySelectionExpression",
      "routeSelectionExpression",
    ];
    if (call.changed(...own)) {
      await gateway.updateApi({
        ApiId,
        Name: inputs.name,
        Description: inputs.description ?? "",
        Version: inputs.version ?? "",
        DisableExecuteApiEndpoint: inputs.disableExecuteApiEndpoint,
        ApiKeySelectionExpression: inputs.apiKeySelectionExpression,
        RouteSelectionExpression: inputs.routeSelectionExpression,
      });
    }
    await syncGatewayTags(gateway, gatewayArn(call, `apis/${ApiId}`), olds, inputs);
    return undefined;
  },
  async delete(gateway, ApiId) {
    await gateway.deleteApi({ ApiId });
  },
  // Names are not unique in AWS; whoever names two APIs alike here gets to know.
  identify: async (gateway, inputs) =>
    (
      await pages(
        (NextToken) => gateway.getApis({ NextToken }),
        (page) => page.Items,
        (page) => page.NextToken,
      )
    ).find(({ Name }) => Name === inputs.name)?.ApiId,
});

const integration = define("apigatewayv2", {
  type: "aws:apigatewayv2/integration:Integration",
  inputs: {
    apiId: str({ required: true, replaces: true }),
    integrationType: str({ required: true, replaces: true, values: ["AWS_PROXY"] }),
    integrationUri: str({ required: true }),
    integrationMethod: str({ computed: true }),
    connectionType: str({ default: "INTERNET", values: ["INTERNET"] }),
    payloadFormatVersion: str({ default: "1.0", values: ["1.0", "2.0"] }),
    timeoutMilliseconds: num({ computed: true }),
    description: str(),
  },
  outputs: [],
  async create(gateway, inputs) {
    const { IntegrationId } = await gateway.createIntegration({
      ApiId: inputs.apiId,
      IntegrationType: inputs.integrationType,
      ...integrationSettings(inputs),
    });
    return IntegrationId!;
  },
  async read(gateway, IntegrationId, known) {
    const ApiId = apiOf(known, "an integration");
    const live = await gateway.getIntegration({ ApiId, IntegrationId });
    return {
      apiId: ApiId,
      integrationType: live.IntegrationType,
      integrationUri: live.IntegrationUri,
      integrationMethod: live.IntegrationMethod,
      connectionType: live.ConnectionType,
      payloadFormatVersion: live.PayloadFormatVersion,
      timeoutMilliseconds: live.TimeoutInMillis,
      description: live.Description || undefined,
    };
  },
  async update(gateway, IntegrationId, inputs) {
    await gateway.updateIntegration({ ApiId: inputs.apiId, IntegrationId, ...integrationSettings(inputs) });
    return undefined;
  },
  async delete(gateway, IntegrationId, olds) {
    await gateway.deleteIntegration({ ApiId: olds.apiId, IntegrationId });
  },
  identify: async (gateway, inputs) =>
    (
      await pages(
        (NextToken) => gateway.getIntegrations({ ApiId: inputs.apiId, NextToken }),
        (page) => page.Items,
        (page) => page.NextToken,
      )
    ).find(({ IntegrationUri }) => IntegrationUri === inputs.integrationUri)?.IntegrationId,
});

function integrationSettings(inputs: Props) {
  return {
    IntegrationUri: inputs.integrationUri,
    IntegrationMethod: inputs.integrationMethod,
    ConnectionType: inputs.connectionType,
    PayloadFormatVersion: inputs.payloadFormatVersion,
    TimeoutInMillis: inputs.timeoutMilliseconds,
    Description: inputs.description ?? "",
  };
}

const route = define("apigatewayv2", {
  type: "aws:apigatewayv2/route:Route",
  inputs: {
    apiId: str({ required: true, replaces: true }),
    routeKey: str({ required: true }),
    target: str(),
    // Pages are for people without AWS credentials; authorizers are not implemented.
    authorizationType: str({ default: "NONE", values: ["NONE", "AWS_IAM"] }),
    apiKeyRequired: bool({ default: false }),
    operationName: str(),
  },
  outputs: [],
  async create(gateway, inputs) {
    const { RouteId } = await gateway.createRoute({ ApiId: inputs.apiId, ...routeSettings(inputs) });
    return RouteId!;
  },
  async read(gateway, RouteId, known) {
    const ApiId = apiOf(known, "a route");
    const live = await gateway.getRoute({ ApiId, RouteId });
    return {
      apiId: ApiId,
      routeKey: live.RouteKey,
      target: live.Target || undefined,
      authorizationType: live.AuthorizationType,
      apiKeyRequired: live.ApiKeyRequired,
      operationName: live.OperationName || undefined,
    };
  },
  async update(gateway, RouteId, inputs) {
    await gateway.updateRoute({ ApiId: inputs.apiId, RouteId, ...routeSettings(inputs) });
    return undefined;
  },
  async delete(gateway, RouteId, olds) {
    await gateway.deleteRoute({ ApiId: olds.apiId, RouteId });
  },
  identify: async (gateway, inputs) =>
    (
      await pages(
        (NextToken) => gateway.getRoutes({ ApiId: inputs.apiId, NextToken }),
        (page) => page.Items,
        (page) => page.NextToken,
      )
    ).find(({ RouteKey }) => RouteKey === inputs.routeKey)?.RouteId,
});

function routeSettings(inputs: Props) {
  return {
    RouteKey: inputs.routeKey,
    Target: inputs.target ?? "",
    AuthorizationType: inputs.authorizationType,
    ApiKeyRequired: inputs.apiKeyRequired,
    OperationName: inputs.operationName ?? "",
  };
}

const throttling: Readonly<Record<string, Input>> = {
  throttlingBurstLimit: num({ computed: true }),
  throttlingRateLimit: num({ computed: true }),
  detailedMetricsEnabled: bool({ default: false }),
};

/** Inputs of a stage that one UpdateStage carries. */
const STAGE = ["autoDeploy", "description", "accessLogSettings", "defaultRouteSettings", "stageVariables"];

function stageSettings({ accessLogSettings: logs, defaultRouteSettings: routes, ...inputs }: Props) {
  return {
    AutoDeploy: inputs.autoDeploy,
    Description: inputs.description ?? "",
    AccessLogSettings: logs && { DestinationArn: logs.destinationArn, Format: logs.format },
    DefaultRouteSettings: {
      DetailedMetricsEnabled: routes?.detailedMetricsEnabled ?? false,
      ThrottlingBurstLimit: routes?.throttlingBurstLimit,
      ThrottlingRateLimit: routes?.throttlingRateLimit,
    },
    StageVariables: inputs.stageVariables ?? {},
  };
}

const stage = define("apigatewayv2", {
  type: "aws:apigatewayv2/stage:Stage",
  autoname: { property: "name", maxLength: 128 },
  inputs: {
    apiId: str({ required: true, replaces: true }),
    name: str({ replaces: true }),
    autoDeploy: bool({ default: false }),
    description: str(),
    accessLogSettings: obj({
      destinationArn: str({ required: true }),
      format: str({ required: true }),
    }),
    defaultRouteSettings: obj(throttling, { computed: true }),
    stageVariables: map(),
    tags: map(),
  },
  advice: { deploymentId: "set autoDeploy: true", routeSettings: "use defaultRouteSettings" },
  outputs: ["arn", "executionArn", "invokeUrl"],
  async create(gateway, inputs) {
    await gateway.createStage({
      ApiId: inputs.apiId,
      StageName: inputs.name,
      ...stageSettings(inputs),
      Tags: inputs.tags,
    });
    return inputs.name;
  },
  async read(gateway, StageName, known, call) {
    const ApiId = apiOf(known, "a stage");
    const live = await gateway.getStage({ ApiId, StageName });
    const { ApiEndpoint } = await gateway.getApi({ ApiId });
    const { AccessLogSettings: logs, DefaultRouteSettings: routes } = live;
    const resource = gatewayArn(call, `apis/${ApiId}/stages/${StageName}`);
    const { Tags } = await gateway.getTags({ ResourceArn: resource });
    return {
      apiId: ApiId,
      name: StageName,
      autoDeploy: live.AutoDeploy,
      description: live.Description || undefined,
      accessLogSettings: logs && { destinationArn: logs.DestinationArn, format: logs.Format },
      defaultRouteSettings: routes && {
        detailedMetricsEnabled: routes.DetailedMetricsEnabled ?? false,
        throttlingBurstLimit: routes.ThrottlingBurstLimit,
        throttlingRateLimit: routes.ThrottlingRateLimit,
      },
      stageVariables: Object.keys(live.StageVariables ?? {}).length > 0 ? live.StageVariables : undefined,
      tags: withoutAwsTags(Tags),
      arn: resource,
      executionArn: await executionArn(call, `${ApiId}/${StageName}`),
      invokeUrl: `${ApiEndpoint}/${StageName === "$default" ? "" : StageName}`,
    };
  },
  async update(gateway, StageName, inputs, olds, call) {
    const ApiId = inputs.apiId as string;
    if (call.changed(...STAGE)) {
      if (olds.accessLogSettings && !inputs.accessLogSettings) {
        await gateway.deleteAccessLogSettings({ ApiId, StageName });
      }
      await gateway.updateStage({ ApiId, StageName, ...stageSettings(inputs) });
    }
    const resource = gatewayArn(call, `apis/${ApiId}/stages/${StageName}`);
    await syncGatewayTags(gateway, resource, olds, inputs);
    return undefined;
  },
  async delete(gateway, StageName, olds) {
    await gateway.deleteStage({ ApiId: olds.apiId, StageName });
  },
  identify: async (_gateway, inputs) => inputs.name,
});

const domainName = define("apigatewayv2", {
  type: "aws:apigatewayv2/domainName:DomainName",
  inputs: {
    domainName: str({ required: true, replaces: true }),
    domainNameConfiguration: obj(
      {
        certificateArn: str({ required: true }),
        endpointType: str({ required: true, values: ["REGIONAL"] }),
        securityPolicy: str({ required: true, values: ["TLS_1_2"] }),
      },
      { required: true },
    ),
    tags: map(),
  },
  outputs: ["arn"],
  async create(gateway, inputs) {
    await gateway.createDomainName({
      DomainName: inputs.domainName,
      DomainNameConfigurations: domainConfigurations(inputs),
      Tags: inputs.tags,
    });
    return inputs.domainName;
  },
  async read(gateway, DomainName, _known, call) {
    const live = await gateway.getDomainName({ DomainName });
    const found = live.DomainNameConfigurations?.[0];
    const resource = gatewayArn(call, `domainnames/${DomainName}`);
    return {
      domainName: live.DomainName,
      domainNameConfiguration: found && {
        certificateArn: found.CertificateArn,
        endpointType: found.EndpointType,
        securityPolicy: found.SecurityPolicy,
      },
      tags: withoutAwsTags(live.Tags),
      arn: resource,
    };
  },
  async update(gateway, DomainName, inputs, olds, call) {
    if (call.changed("domainNameConfiguration")) {
      await gateway.updateDomainName({ DomainName, DomainNameConfigurations: domainConfigurations(inputs) });
    }
    await syncGatewayTags(gateway, gatewayArn(call, `domainnames/${DomainName}`), olds, inputs);
    return undefined;
  },
  async delete(gateway, DomainName) {
    await gateway.deleteDomainName({ DomainName });
  },
  identify: async (_gateway, inputs) => inputs.domainName,
});

function domainConfigurations({
  domainNameConfiguration: { certificateArn, endpointType, securityPolicy },
}: Props) {
  return [{ CertificateArn: certificateArn, EndpointType: endpointType, SecurityPolicy: securityPolicy }];
}

const apiMapping = define("apigatewayv2", {
  type: "aws:apigatewayv2/apiMapping:ApiMapping",
  inputs: {
    domainName: str({ required: true, replaces: true }),
    apiId: str({ required: true, replaces: true }),
    stage: str({ required: true }),
    apiMappingKey: str(),
  },
  outputs: [],
  async create(gateway, inputs) {
    const { ApiMappingId } = await gateway.createApiMapping({
      DomainName: inputs.domainName,
      ApiId: inputs.apiId,
      Stage: inputs.stage,
      ApiMappingKey: inputs.apiMappingKey,
    });
    return ApiMappingId!;
  },
  async read(gateway, ApiMappingId, known) {
    if (known.domainName === undefined)
      throw new StandInError("an API mapping cannot be imported by its id alone");
    const live = await gateway.getApiMapping({ DomainName: known.domainName, ApiMappingId });
    return {
      domainName: known.domainName,
      apiId: live.ApiId,
      stage: live.Stage,
      apiMappingKey: live.ApiMappingKey || undefined,
    };
  },
  async update(gateway, ApiMappingId, inputs) {
    await gateway.updateApiMapping({
      DomainName: inputs.domainName,
      ApiMappingId,
      ApiId: inputs.apiId,
      Stage: inputs.stage,
      ApiMappingKey: inputs.apiMappingKey ?? "",
    });
    return undefined;
  },
  async delete(gateway, ApiMappingId, olds) {
    await gateway.deleteApiMapping({ DomainName: olds.domainName, ApiMappingId });
  },
  identify: async (gateway, inputs) =>
    (
      await pages(
        (NextToken) => gateway.getApiMappings({ DomainName: inputs.domainName, NextToken }),
        (page) => page.Items,
        (page) => page.NextToken,
      )
    ).find(({ ApiId, Stage }) => ApiId === inputs.apiId && Stage === inputs.stage)?.ApiMappingId,
});

export const apigatewayv2Handlers: readonly Handler[] = [
  api,
  integration,
  route,
  stage,
  domainName,
  apiMapping,
];
