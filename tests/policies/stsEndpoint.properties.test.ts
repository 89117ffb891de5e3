import { expect } from "chai";
import fc from "fast-check";
import { type StsEndpointKind, stsEndpointHost } from "../../components/regional/partition";
import { findSts } from "../../policypacks/identity-dr/lib/stsFindings";
import { classifyStsHost, parseStsEndpoint } from "../../policypacks/identity-dr/lib/stsHost";
import { scanText } from "../../policypacks/identity-dr/lib/textScan";
import { analyze } from "./support/analyze";

const RULE = "no-global-sts-endpoint";
const SEED = { seed: 20251020 };

const regions = fc.constantFrom(
  ..."us-east-1 us-west-2 ca-central-1 eu-central-2 ap-southeast-7 il-central-1 mx-central-1 me-south-1 af-south-1".split(
    " ",
  ),
  ..."sa-east-1 us-gov-west-1 us-gov-east-1 cn-north-1 cn-northwest-1".split(" "),
);

const kinds = fc.constantFrom<StsEndpointKind>("regional", "fips", "dualstack", "fips-dualstack");

/** Regional host names of all partitions and kinds. */
const regionalHosts = fc.tuple(regions, kinds).map(([region, kind]) => {
  const american = /^(us|ca)-/.test(region);
  return stsEndpointHost(region, american ? kind : kind.endsWith("dualstack") ? "dualstack" : "regional");
});

const globalHosts = fc.constantFrom(
  "sts.amazonaws.com",
  "sts-fips.amazonaws.com",
  "sts.api.aws",
  "sts.amazonaws.com.cn",
);

/** A name with each letter in either case. */
const anyCase = (host: string) =>
  fc
    .array(fc.boolean(), { minLength: host.length, maxLength: host.length })
    .map((upper) =>
      [...host].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(""),
    );

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);

/** What may stand around a host without making it another one. */
const around = fc.record({
  scheme: fc.constantFrom("https://", "http://", "HTTPS://", "//"),
  user: fc.option(fc.tuple(word, word), { nil: undefined }),
  dot: fc.boolean(),
  port: fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
  path: fc.array(word, { maxLength: 3 }),
  query: fc.option(fc.tuple(word, word), { nil: undefined }),
});

const url = (hosts: fc.Arbitrary<string>) =>
  fc.tuple(hosts.chain(anyCase), around).map(([host, { scheme, user, dot, port, path, query }]) => {
    const before = user ? `${user.join(":")}@` : "";
    const after = `${dot ? "." : ""}${port === undefined ? "" : `:${port}`}${path.map((part) => `/${part}`).join("")}`;
    return `${scheme}${before}${host}${after}${query ? `${path.length > 0 ? "" : "/"}?${query.join("=")}` : ""}`;
  });

/** Host and, perhaps, port, without a scheme. */
const bare = (hosts: fc.Arbitrary<string>) =>
  fc
    .tuple(
      hosts.chain(anyCase),
      fc.boolean(),
      fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
    )
    .map(([host, dot, port]) => `${host}${dot ? "." : ""}${port === undefined ? "" : `:${port}`}`);

const region = "us-west-2";
const providerProps = (sts: string) => ({ region, endpoints: JSON.stringify([{ sts }]) });
const FUNCTION = "aws:lambda/function:Function";
const variables = (value: string) => ({ environment: { variables: { AWS_ENDPOINT_URL_STS: value } } });

const quoted = fc.constantFrom<(value: string) => string>(
  (value) => `export AWS_ENDPOINT_URL_STS=${value}`,
  (value) => `export AWS_ENDPOINT_URL_STS="${value}"`,
  (value) => `AWS_ENDPOINT_URL_STS='${value}' ./run.sh`,
  (value) => `echo "STS_ENDPOINT=\\"${value}\\"" >> /etc/environment`,
  (value) => `$env:AWS_ENDPOINT_URL_STS = "${value}"`,
  (value) => `setx AWS_ENDPOINT_URL_STS ${value}`,
  (value) => `ENV AWS_ENDPOINT_URL_STS ${value}`,
  (value) => `    sts_endpoint: ${value}`,
  (value) => `aws --endpoint-url ${value} sts get-caller-identity`,
);

const encoded = fc.constantFrom<(script: string) => string>(
  (script) => script,
  (script) => Buffer.from(script).toString("base64"),
  (script) => Buffer.from(script).toString("base64").replace(/.{76}/g, "$&\n"),
);

describe("STS endpoints in all spellings", () => {
  it("a global endpoint never escapes from a provider", () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(url(globalHosts), bare(globalHosts)), async (endpoint) => {
        const messages = await analyze(RULE, {
          type: "pulumi:providers:aws",
          props: providerProps(endpoint),
        });
        expect(messages).to.have.length(1);
      }),
      SEED,
    ));

  it("a global endpoint never escapes from a variable", () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(url(globalHosts), bare(globalHosts)), async (endpoint) => {
        expect(await analyze(RULE, { type: FUNCTION, props: variables(endpoint) })).to.have.length(1);
      }),
      SEED,
    ));

  it("a global endpoint never escapes from user data", () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(url(globalHosts), bare(globalHosts)),
        quoted,
        encoded,
        async (endpoint, quote, encode) => {
          const userData = encode(`#!/bin/bash\n${quote(endpoint)}\necho done\n`);
          expect(
            await analyze(RULE, { type: "aws:ec2/instance:Instance", props: { userData } }),
          ).to.have.length(1);
        },
      ),
      SEED,
    ));

  it("a regional endpoint is never reported", () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(url(regionalHosts), bare(regionalHosts)),
        quoted,
        encoded,
        async (endpoint, quote, encode) => {
          const found = [
            await analyze(RULE, { type: "pulumi:providers:aws", props: providerProps(endpoint) }),
            await analyze(RULE, { type: FUNCTION, props: variables(endpoint) }),
            await analyze(RULE, {
              type: "aws:ec2/instance:Instance",
              props: { userData: encode(`#!/bin/bash\n${quote(endpoint)}\n`) },
            }),
          ];
          expect(found.flat()).to.deep.equal([]);
        },
      ),
      SEED,
    ));

  it("a provider with its own region's endpoint passes both rules, with another region's only one", () =>
    fc.assert(
      fc.asyncProperty(regions, regions, async (own, other) => {
        const props = {
          region: own,
          endpoints: JSON.stringify([{ sts: `https://${stsEndpointHost(other)}` }]),
        };
        const resource = { type: "pulumi:providers:aws", props };
        expect(await analyze(RULE, resource)).to.deep.equal([]);
        expect(await analyze("sts-endpoint-matches-region", resource)).to.have.length(own === other ? 0 : 1);
      }),
      SEED,
    ));

  it("a host that only contains the name is no endpoint of STS", () =>
    fc.assert(
      fc.property(globalHosts, word, word, (host, before, after) => {
        for (const other of [
          `${before}.${host}`,
          `${before}-${host}`,
          `${before}${host}`,
          `${host}.${after}.org`,
        ]) {
          expect(classifyStsHost(other), other).to.equal(undefined);
          expect(parseStsEndpoint(`https://${other}/${host}`), other).to.equal(undefined);
        }
      }),
      SEED,
    ));

  it("what is shown is the host alone", () =>
    fc.assert(
      fc.property(url(globalHosts), (endpoint) => {
        const { findings } = findSts(FUNCTION, variables(endpoint));
        expect(findings.map(({ shown }) => classifyStsHost(shown)?.host)).to.deep.equal(
          findings.map(({ shown }) => shown),
        );
      }),
      SEED,
    ));

  it("no text makes the search fail", () =>
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.string({ maxLength: 200 }),
        (one, other) => {
          scanText(`${one}sts.amazonaws.com${other}`);
          scanText(Buffer.from(`${one} sts ${other}`).toString("base64"));
        },
      ),
      SEED,
    ));

  it("a long line without line breaks does not make the search hang (a backtracking one takes minutes)", () => {
    const line = `x="${"sts region_ use_global_ sts.".repeat(40_000)}"`;
    expect(scanText(line)).to.deep.equal([]);
  });
});
