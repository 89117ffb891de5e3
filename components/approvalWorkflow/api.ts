import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PURPOSES } from "../../functions/approval/links/link";
import type { RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, regionalName } from "../regional/cell";
import type { ApprovalPagesArgs } from "./args";
import { APPROVAL } from "./names";

/**
 * What the access log has of a request. Neither path nor query string, nor where it came from: a link's id is a secret, and lies in the query string;
 * the route says which page it was.
 */
export const ACCESS_LOG_FORMAT: Readonly<Record<string, string>> = {
  requestId: "$context.requestId",
  time: "$context.requestTime",
  sourceIp: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  route: "$context.routeKey",
  status: "$context.status",
  responseLength: "$context.responseLength",
  responseLatency: "$context.responseLatency",
  integrationStatus: "$context.integrationStatus",
  error: "$context.error.messageString",
};

/**
 * The routes, each of which the one function answers: the seed's three interfaces (`/confirm`, `/decide`, `/execute`), what links lead to otherwise, and
 * what those who sign in see. Of other paths the function never hears.
 */
export function approvalRoutes({ signIn, slack }: ApprovalPagesArgs): string[] {
  const paths = [
    ...PURPOSES,
    "renew",
    ...(signIn ? ["requests", "request", "new", "sign-in", "callback", "sign-out"] : []),
  ];
  return [...paths.map((path) => `ANY /${path}`), ...(slack ? ["POST /slack"] : [])];
}

/** What the API is made of. */
export interface ApprovalApiParts {
  /** The parent; the children are named after it: `NAME-api` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  pages: ApprovalPagesArgs;
}

/** The API by itself; the function that answers needs its address, so what leads to the function comes after it. */
export interface ApprovalApi {
  api: aws.apigatewayv2.Api;
  /** Where the pages are reached, without a slash at the end. */
  baseUrl: pulumi.Output<string>;
}

/**
 * Makes the HTTP API. It is made in both cells beforehand: making one needs Route 53's control plane (fact 10), answering needs its own region only.
 * API Gateway takes nothing but TLS, 1.2 at least.
 */
export function createApprovalApi({ parent, name, cell, pages }: ApprovalApiParts): ApprovalApi {
  const api = new aws.apigatewayv2.Api(
    `${name}-api`,
    {
      name: regionalName(cell, APPROVAL),
      description: `Pages of approval in cell ${cell.name}`,
      protocolType: "HTTP",
      // With a name of one's own, there is one way in.
      disableExecuteApiEndpoint: pages.domain !== undefined,
    },
    { parent },
  );
  const { domain } = pages;
  return { api, baseUrl: domain ? pulumi.output(`https://${domain.name}`) : api.apiEndpoint };
}

/** What leads from the API to its function. */
export interface ApprovalRoutesParts extends ApprovalApiParts {
  api: aws.apigatewayv2.Api;
  pagesFunction: RegionalFunction;
  kmsKeyArn: pulumi.Input<string>;
  logRetentionDays: number;
  throttlingRate: number;
  throttlingBurst: number;
}

/** Makes routes and stage, with an access log, and the name of one's own. Returns the host name that a DNS record for it has to lead to, or "". */
export function createApprovalRoutes(parts: ApprovalRoutesParts): pulumi.Output<string> {
  const { parent, name, cell, pages, api, pagesFunction } = parts;
  const permission = new aws.lambda.Permission(
    `${name}-api-permission`,
    {
      statementId: "PagesOfTheApi",
      action: "lambda:InvokeFunction",
      function: pagesFunction.functionName,
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${api.executionArn}/*/*`,
    },
    { parent },
  );
  const integration = new aws.apigatewayv2.Integration(
    `${name}-api-integration`,
    {
      apiId: api.id,
      integrationType: "AWS_PROXY",
      integrationUri: pagesFunction.functionArn,
      payloadFormatVersion: "2.0",
      timeoutMilliseconds: 29_000,
    },
    { parent, dependsOn: [permission] },
  );
  const routes = approvalRoutes(pages).map(
    (routeKey) =>
      new aws.apigatewayv2.Route(
        `${name}-api-${routeKey.split("/").at(-1)}`,
        {
          apiId: api.id,
          routeKey,
          target: pulumi.interpolate`integrations/${integration.id}`,
          // Whoever holds a link has no AWS credentials; the function decides who may see what.
          authorizationType: "NONE",
        },
        { parent },
      ),
  );
  const logGroup = new aws.cloudwatch.LogGroup(
    `${name}-api-logs`,
    {
      name: `/aws/vendedlogs/apis/${regionalName(cell, APPROVAL)}`,
      kmsKeyId: parts.kmsKeyArn,
      retentionInDays: parts.logRetentionDays,
    },
    { parent },
  );
  const stage = new aws.apigatewayv2.Stage(
    `${name}-api-stage`,
    {
      apiId: api.id,
      name: "$default",
      autoDeploy: true,
      accessLogSettings: { destinationArn: logGroup.arn, format: JSON.stringify(ACCESS_LOG_FORMAT) },
      defaultRouteSettings: {
        throttlingRateLimit: parts.throttlingRate,
        throttlingBurstLimit: parts.throttlingBurst,
        detailedMetricsEnabled: false,
      },
    },
    { parent, dependsOn: routes },
  );
  return pages.domain ? createDomain(parts, pages.domain, stage) : pulumi.output("");
}

function createDomain(
  { parent, name, api }: ApprovalRoutesParts,
  { name: host, certificateArn }: NonNullable<ApprovalPagesArgs["domain"]>,
  stage: aws.apigatewayv2.Stage,
): pulumi.Output<string> {
  const domain = new aws.apigatewayv2.DomainName(
    `${name}-domain`,
    {
      domainName: host,
      domainNameConfiguration: { certificateArn, endpointType: "REGIONAL", securityPolicy: "TLS_1_2" },
    },
    { parent },
  );
  new aws.apigatewayv2.ApiMapping(
    `${name}-domain-mapping`,
    { apiId: api.id, domainName: domain.id, stage: stage.id },
    { parent },
  );
  return domain.domainNameConfiguration.apply(({ targetDomainName }) => targetDomainName ?? "");
}
