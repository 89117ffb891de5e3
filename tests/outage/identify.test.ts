import type * as http from "node:http";
import { expect } from "chai";
import * as fc from "fast-check";
import { parseEndpointHost } from "../../local/outage/endpointHost";
import { identify, needsBody } from "../../local/outage/identify";
import { signedFor } from "./support/requests";

interface Case {
  what: string;
  method?: string;
  url?: string;
  headers?: http.IncomingHttpHeaders;
  body?: string;
  /** `service region action home`. */
  expected: string;
}

const FORM = "application/x-www-form-urlencoded; charset=utf-8";
const signed = (service: string, region: string, more: http.IncomingHttpHeaders = {}) => ({
  authorization: signedFor(service, region),
  host: "127.0.0.1:4566",
  ...more,
});
const form = (service: string, region: string, more: http.IncomingHttpHeaders = {}) =>
  signed(service, region, { "content-type": FORM, ...more });
const meant = (host: string) => ({ "x-bulkhead-endpoint": host });

const CASES: Case[] = [
  // STS
  {
    what: "regional STS",
    method: "POST",
    headers: form("sts", "us-west-2"),
    body: "Action=AssumeRole&Version=2011-06-15",
    expected: "sts us-west-2 AssumeRole regional",
  },
  {
    what: "regional STS, host said",
    method: "POST",
    headers: form("sts", "us-west-2", meant("sts.us-west-2.amazonaws.com")),
    body: "Action=AssumeRole",
    expected: "sts us-west-2 AssumeRole regional",
  },
  {
    what: "regional STS of us-east-1 is no global endpoint",
    method: "POST",
    headers: form("sts", "us-east-1", meant("sts.us-east-1.amazonaws.com")),
    body: "Action=AssumeRole",
    expected: "sts us-east-1 AssumeRole regional",
  },
  {
    what: "global STS",
    method: "POST",
    headers: form("sts", "us-east-1", meant("sts.amazonaws.com")),
    body: "Action=GetCallerIdentity",
    expected: "sts us-east-1 GetCallerIdentity both",
  },
  {
    what: "global STS with port and capitals",
    method: "POST",
    headers: form("sts", "us-west-2", meant("STS.amazonaws.com:443")),
    body: "Action=GetCallerIdentity",
    expected: "sts us-east-1 GetCallerIdentity both",
  },
  {
    what: "global STS under its locally served name",
    method: "POST",
    headers: form("sts", "us-east-1", meant("sts-global.eu-north-1.amazonaws.com")),
    body: "Action=GetCallerIdentity",
    expected: "sts us-east-1 GetCallerIdentity both",
  },
  {
    what: "FIPS STS",
    method: "POST",
    headers: form("sts", "us-west-2", meant("sts-fips.us-west-2.amazonaws.com")),
    body: "Action=AssumeRole",
    expected: "sts us-west-2 AssumeRole regional",
  },
  {
    what: "dual-stack STS",
    method: "POST",
    headers: form("sts", "us-west-2", meant("sts.us-west-2.api.aws")),
    body: "Action=AssumeRole",
    expected: "sts us-west-2 AssumeRole regional",
  },
  {
    what: "STS of China",
    method: "POST",
    headers: form("sts", "cn-north-1", meant("sts.cn-north-1.amazonaws.com.cn")),
    body: "Action=AssumeRole",
    expected: "sts cn-north-1 AssumeRole regional",
  },
  {
    what: "unsigned federation without a host",
    method: "POST",
    headers: { "content-type": FORM, host: "127.0.0.1:4566" },
    body: "Version=2011-06-15&Action=AssumeRoleWithSAML",
    expected: "sts unknown AssumeRoleWithSAML regional",
  },
  {
    what: "unsigned federation at a meant host",
    method: "POST",
    headers: { "content-type": FORM, ...meant("sts.us-west-2.amazonaws.com") },
    body: "Action=AssumeRoleWithWebIdentity",
    expected: "sts us-west-2 AssumeRoleWithWebIdentity regional",
  },
  {
    what: "query protocol by GET",
    url: "/?Action=GetCallerIdentity&Version=2011-06-15",
    headers: signed("sts", "eu-west-1"),
    expected: "sts eu-west-1 GetCallerIdentity regional",
  },
  {
    what: "presigned",
    url: "/?Action=GetCallerIdentity&X-Amz-Credential=ASIAEXAMPLE%2F20260101%2Fus-west-2%2Fsts%2Faws4_request",
    headers: { host: "127.0.0.1:4566" },
    expected: "sts us-west-2 GetCallerIdentity regional",
  },
  {
    what: "the host it was addressed to, when that is AWS's",
    method: "POST",
    headers: form("sts", "us-west-2", { host: "sts.amazonaws.com" }),
    body: "Action=AssumeRole",
    expected: "sts us-east-1 AssumeRole both",
  },
  // Global services: by name, wherever they are signed for
  {
    what: "IAM signed for another region",
    method: "POST",
    headers: form("iam", "us-west-2"),
    body: "Action=CreateUser",
    expected: "iam us-east-1 CreateUser global",
  },
  {
    what: "IAM of China",
    method: "POST",
    headers: form("iam", "cn-northwest-1"),
    body: "Action=CreateUser",
    expected: "iam cn-north-1 CreateUser global",
  },
  {
    what: "IAM of GovCloud",
    method: "POST",
    headers: form("iam", "us-gov-east-1"),
    body: "Action=CreateUser",
    expected: "iam us-gov-west-1 CreateUser global",
  },
  {
    what: "Organizations",
    method: "POST",
    headers: signed("organizations", "us-west-2", {
      "x-amz-target": "AWSOrganizationsV20161128.ListAccounts",
    }),
    body: "{}",
    expected: "organizations us-east-1 ListAccounts global",
  },
  {
    what: "Organizations of China has another home than IAM",
    method: "POST",
    headers: signed("organizations", "cn-north-1", {
      "x-amz-target": "AWSOrganizationsV20161128.ListAccounts",
    }),
    body: "{}",
    expected: "organizations cn-northwest-1 ListAccounts global",
  },
  {
    what: "Account Management",
    method: "POST",
    url: "/enableRegion",
    headers: signed("account", "us-west-2"),
    expected: "account us-east-1 POST /enableRegion global",
  },
  {
    what: "Route 53",
    url: "/2013-04-01/hostedzone",
    headers: signed("route53", "us-east-1"),
    expected: "route53 us-east-1 GET /2013-04-01/hostedzone global",
  },
  {
    what: "CloudFront",
    url: "/2020-05-31/distribution",
    headers: signed("cloudfront", "us-east-1"),
    expected: "cloudfront us-east-1 GET /2020-05-31/distribution global",
  },
  {
    what: "classic WAF",
    method: "POST",
    headers: signed("waf", "us-east-1", { "x-amz-target": "AWSWAF_20150824.ListRules" }),
    expected: "waf us-east-1 ListRules global",
  },
  {
    what: "classic WAF, regional",
    method: "POST",
    headers: signed("waf-regional", "us-west-2", { "x-amz-target": "AWSWAF_Regional_20161128.ListRules" }),
    expected: "waf-regional us-west-2 ListRules regional",
  },
  {
    what: "WAF for CloudFront",
    method: "POST",
    headers: signed("wafv2", "us-west-2", { "x-amz-target": "AWSWAF_20190729.ListWebACLs" }),
    body: '{"Scope":"CLOUDFRONT"}',
    expected: "wafv2 us-east-1 ListWebACLs global",
  },
  {
    what: "WAF for CloudFront by ARN",
    method: "POST",
    headers: signed("wafv2", "us-east-1", { "x-amz-target": "AWSWAF_20190729.ListTagsForResource" }),
    body: '{"ResourceARN":"arn:aws:wafv2:us-east-1:111111111111:global/webacl/a/b"}',
    expected: "wafv2 us-east-1 ListTagsForResource global",
  },
  {
    what: "WAF, regional",
    method: "POST",
    headers: signed("wafv2", "us-west-2", { "x-amz-target": "AWSWAF_20190729.ListWebACLs" }),
    body: '{"Scope":"REGIONAL"}',
    expected: "wafv2 us-west-2 ListWebACLs regional",
  },
  {
    what: "WAF with a body that is not JSON",
    method: "POST",
    headers: signed("wafv2", "us-west-2", { "x-amz-target": "AWSWAF_20190729.ListWebACLs" }),
    body: "{",
    expected: "wafv2 us-west-2 ListWebACLs regional",
  },
  {
    what: "Shield",
    method: "POST",
    headers: signed("shield", "us-east-1", { "x-amz-target": "AWSShield_20160616.ListProtections" }),
    expected: "shield us-east-1 ListProtections global",
  },
  // Regional services with global helpers (fact 10)
  {
    what: "bucket creation",
    method: "PUT",
    url: "/my-bucket",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 CreateBucket both",
  },
  {
    what: "bucket creation, trailing slash",
    method: "PUT",
    url: "/my-bucket/",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 CreateBucket both",
  },
  {
    what: "bucket creation, virtual host",
    method: "PUT",
    url: "/",
    headers: signed("s3", "us-west-2", { host: "my-bucket.s3.us-west-2.amazonaws.com" }),
    expected: "s3 us-west-2 CreateBucket both",
  },
  {
    what: "bucket creation, virtual host of an emulator",
    method: "PUT",
    url: "/?x-id=CreateBucket",
    headers: signed("s3", "us-west-2", { host: "my.bucket.localhost:4566" }),
    expected: "s3 us-west-2 CreateBucket both",
  },
  {
    what: "bucket deletion",
    method: "DELETE",
    url: "/my-bucket",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 DeleteBucket both",
  },
  {
    what: "bucket policy",
    method: "PUT",
    url: "/my-bucket?policy",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 PutBucketPolicy both",
  },
  {
    what: "bucket policy read",
    url: "/my-bucket?policy=",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 GetBucketPolicy regional",
  },
  {
    what: "bucket encryption removed",
    method: "DELETE",
    url: "/my-bucket?encryption",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 DeleteBucketEncryption both",
  },
  {
    what: "public access block",
    method: "PUT",
    url: "/my-bucket?publicAccessBlock",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 PutPublicAccessBlock both",
  },
  {
    what: "object written",
    method: "PUT",
    url: "/my-bucket/key",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 PutObject regional",
  },
  {
    what: "object whose key looks like a sub-resource",
    method: "PUT",
    url: "/my-bucket/a?tagging",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 PutObject regional",
  },
  {
    what: "object written, virtual host",
    method: "PUT",
    url: "/key",
    headers: signed("s3", "us-west-2", { host: "my-bucket.s3.us-west-2.amazonaws.com" }),
    expected: "s3 us-west-2 PutObject regional",
  },
  {
    what: "objects deleted",
    method: "POST",
    url: "/my-bucket?delete",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 DeleteObjects regional",
  },
  {
    what: "objects listed",
    url: "/my-bucket?list-type=2",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 ListObjectsV2 regional",
  },
  {
    what: "buckets listed",
    url: "/",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 ListBuckets regional",
  },
  {
    what: "bucket probed",
    method: "HEAD",
    url: "/b",
    headers: signed("s3", "us-west-2"),
    expected: "s3 us-west-2 HeadBucket regional",
  },
  {
    what: "load balancer",
    method: "POST",
    headers: form("elasticloadbalancing", "us-west-2"),
    body: "Action=CreateLoadBalancer",
    expected: "elasticloadbalancing us-west-2 CreateLoadBalancer both",
  },
  {
    what: "interface endpoint",
    method: "POST",
    headers: form("ec2", "us-west-2"),
    body: "Action=CreateVpcEndpoint&VpcEndpointType=Interface",
    expected: "ec2 us-west-2 CreateVpcEndpoint both",
  },
  {
    what: "gateway endpoint",
    method: "POST",
    headers: form("ec2", "us-west-2"),
    body: "Action=CreateVpcEndpoint&VpcEndpointType=Gateway",
    expected: "ec2 us-west-2 CreateVpcEndpoint regional",
  },
  {
    what: "gateway endpoint by default",
    method: "POST",
    headers: form("ec2", "us-west-2"),
    body: "Action=CreateVpcEndpoint",
    expected: "ec2 us-west-2 CreateVpcEndpoint regional",
  },
  {
    what: "function URL",
    method: "POST",
    url: "/2021-10-31/functions/f/url",
    headers: signed("lambda", "us-west-2"),
    expected: "lambda us-west-2 CreateFunctionUrlConfig both",
  },
  {
    what: "HTTP API",
    method: "POST",
    url: "/v2/apis",
    headers: signed("apigateway", "us-west-2"),
    expected: "apigateway us-west-2 CreateApi both",
  },
  {
    what: "REST API",
    method: "POST",
    url: "/restapis",
    headers: signed("apigateway", "us-west-2"),
    expected: "apigateway us-west-2 CreateRestApi both",
  },
  {
    what: "HTTP APIs listed",
    url: "/v2/apis",
    headers: signed("apigateway", "us-west-2"),
    expected: "apigateway us-west-2 GET /v2/apis regional",
  },
  // Regional services, protocol by protocol
  {
    what: "JSON protocol",
    method: "POST",
    headers: signed("dynamodb", "us-west-2", { "x-amz-target": "DynamoDB_20120810.PutItem" }),
    body: "{}",
    expected: "dynamodb us-west-2 PutItem regional",
  },
  {
    what: "CBOR protocol",
    method: "POST",
    url: "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
    headers: signed("monitoring", "us-west-2"),
    expected: "monitoring us-west-2 PutMetricAlarm regional",
  },
  {
    what: "REST protocol, named",
    method: "POST",
    url: "/2015-03-31/functions/f/invocations",
    headers: signed("lambda", "us-west-2"),
    expected: "lambda us-west-2 Invoke regional",
  },
  {
    what: "REST protocol, not named",
    url: "/2015-03-31/functions/f",
    headers: signed("lambda", "us-west-2"),
    expected: "lambda us-west-2 GET /2015-03-31/functions/f regional",
  },
  {
    what: "interface endpoint host",
    method: "POST",
    headers: signed("secretsmanager", "us-west-2", {
      "x-amz-target": "secretsmanager.GetSecretValue",
      ...meant("vpce-1-a.secretsmanager.us-west-2.vpce.amazonaws.com"),
    }),
    expected: "secretsmanager us-west-2 GetSecretValue regional",
  },
  {
    what: "the endpoint decides, not the signed region",
    method: "POST",
    headers: signed("sns", "us-east-1", {
      ...meant("sns.us-west-2.amazonaws.com"),
      "x-amz-target": "X.Publish",
    }),
    expected: "sns us-west-2 Publish regional",
  },
  {
    what: "an endpoint of the caller's own leaves the signed region",
    method: "POST",
    headers: signed("sns", "us-west-2", { ...meant("proxy.example.com"), "x-amz-target": "X.Publish" }),
    expected: "sns us-west-2 Publish regional",
  },
  {
    what: "signature version 4a",
    url: "/k",
    headers: {
      authorization: "AWS4-ECDSA-P256-SHA256 Credential=AKIAX/20260101/s3/aws4_request, SignedHeaders=host",
      "x-amz-region-set": "us-west-2",
      host: "127.0.0.1",
    },
    expected: "s3 us-west-2 ListObjects regional",
  },
  // Not signed
  {
    what: "a page: its path may hold a credential",
    url: "/_aws/execute-api/id/$default/approve/secret-token?t=secret",
    headers: { host: "127.0.0.1:4566" },
    expected: "unknown unknown GET /_aws regional",
  },
  {
    what: "a page at a meant host",
    url: "/approve/secret",
    headers: { host: "127.0.0.1:4566", ...meant("id1.execute-api.us-east-1.amazonaws.com") },
    expected: "execute-api us-east-1 GET /approve regional",
  },
  {
    what: "an authorization of another kind",
    url: "/x",
    headers: { authorization: "Bearer secret" },
    expected: "unknown unknown GET /x regional",
  },
  {
    what: "a scope that is not whole",
    url: "/x",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=AKIA/us-east-1" },
    expected: "unknown unknown GET /x regional",
  },
];

describe("What the region proxy reads of a request", () => {
  for (const { what, method = "GET", url = "/", headers = {}, body = "", expected } of CASES) {
    it(`${what}: ${expected}`, () => {
      const facts = identify({ method, url, headers }, body);
      expect(`${facts.service} ${facts.region} ${facts.action} ${facts.home}`).to.equal(expected);
    });
  }

  it("tells kinds of credentials, never the key", () => {
    const kind = (key: string) =>
      identify(
        { method: "GET", url: "/", headers: { authorization: signedFor("iam", "us-east-1", key) } },
        "",
      );
    expect(kind("AKIAEXAMPLE").credential).to.equal("user");
    expect(kind("ASIAEXAMPLE").credential).to.equal("session");
    expect(kind("111111111111").credential).to.equal("account");
    expect(identify({ method: "GET", url: "/", headers: {} }, "").credential).to.equal("none");
    expect(JSON.stringify(kind("AKIAEXAMPLE"))).not.to.contain("AKIA");
  });

  it("reads the body only where the operation or the scope is in it", () => {
    const needs = (method: string, headers: http.IncomingHttpHeaders) =>
      needsBody({ method, url: "/", headers });
    expect(needs("POST", form("iam", "us-east-1"))).to.equal(true);
    expect(needs("POST", signed("wafv2", "us-east-1"))).to.equal(true);
    expect(needs("POST", signed("dynamodb", "us-east-1"))).to.equal(false);
    expect(needs("PUT", { ...form("s3", "us-east-1") })).to.equal(false);
  });

  it("never throws, whatever a request says", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, text, text, (method, url, authorization, endpoint, body) => {
        const headers = {
          authorization: `AWS4-HMAC-SHA256 Credential=${authorization}`,
          "x-bulkhead-endpoint": endpoint,
          host: endpoint,
          "content-type": FORM,
        };
        const facts = identify({ method, url, headers }, body);
        expect(facts.service).to.be.a("string").that.is.not.equal("");
        expect(facts.region).to.be.a("string").that.is.not.equal("");
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe("Host names of AWS endpoints", () => {
  const cases: [string, ReturnType<typeof parseEndpointHost>][] = [
    ["iam.amazonaws.com", { service: "iam", globalSts: false }],
    ["sts.amazonaws.com", { service: "sts", region: "us-east-1", globalSts: true }],
    ["kms-fips.us-gov-west-1.amazonaws.com", { service: "kms", region: "us-gov-west-1", globalSts: false }],
    ["s3.dualstack.eu-west-1.amazonaws.com", { service: "s3", region: "eu-west-1", globalSts: false }],
    ["us-east-1.s3.us-west-2.amazonaws.com", { service: "s3", region: "us-west-2", globalSts: false }],
    ["bucket.s3-us-west-2.amazonaws.com", { service: "s3", region: "us-west-2", globalSts: false }],
    ["us-west-2.signin.aws.amazon.com", { service: "signin", region: "us-west-2", globalSts: false }],
    [
      "sts.cn-north-1.api.amazonwebservices.com.cn",
      { service: "sts", region: "cn-north-1", globalSts: false },
    ],
    ["127.0.0.1", undefined],
    ["localhost", undefined],
    ["amazonaws.com", undefined],
    ["sts.amazonaws.com.example.net", undefined],
    ["notamazonaws.com", undefined],
    ["", undefined],
  ];
  for (const [host, expected] of cases) {
    it(host === "" ? "(empty)" : host, () => {
      expect(parseEndpointHost(host)).to.deep.equal(expected);
    });
  }
});
