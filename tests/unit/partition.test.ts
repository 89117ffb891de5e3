import { STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import fc from "fast-check";
import {
  arn,
  awsManagedPolicyArn,
  consoleSignInUrl,
  hasSecurityKeys,
  hasSes,
  iamControlPlaneRegion,
  interfaceEndpointServiceName,
  organizationsControlPlaneRegion,
  PARTITION_NAMES,
  type Partition,
  partitionOf,
  STS_ENDPOINT_KINDS,
  samlAudience,
  stsEndpointHost,
} from "../../components/regional/partition";

const REGIONS: Record<Partition, string[]> = {
  aws: [
    "us-east-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "ap-southeast-5",
    "mx-central-1",
    "il-central-1",
  ],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
};
const ALL_REGIONS = Object.values(REGIONS).flat();

describe("partition", () => {
  it("knows the partition of every region", () => {
    for (const partition of PARTITION_NAMES) {
      for (const region of REGIONS[partition]) expect(partitionOf(region), region).to.equal(partition);
    }
  });

  for (const text of [
    "aws-global",
    "us-east-1a",
    "",
    "US-EAST-1",
    "us-iso-east-1",
    "sts.amazonaws.com",
    "xx-east-1",
  ]) {
    it(`refuses ${JSON.stringify(text)} as a region`, () => {
      expect(() => partitionOf(text)).to.throw(`"${text}" is not the name of a region`);
    });
  }

  it("puts ARNs together with the partition", () => {
    expect(
      arn({
        partition: "aws-cn",
        service: "sns",
        region: "cn-north-1",
        account: "222222222222",
        resource: "t",
      }),
    ).to.equal("arn:aws-cn:sns:cn-north-1:222222222222:t");
    expect(awsManagedPolicyArn("aws-us-gov", "AdministratorAccess")).to.equal(
      "arn:aws-us-gov:iam::aws:policy/AdministratorAccess",
    );
  });

  it("gives the control planes' regions (fact 9), which differ in China", () => {
    const regions = PARTITION_NAMES.map((p) => [
      p,
      iamControlPlaneRegion(p),
      organizationsControlPlaneRegion(p),
    ]);
    expect(regions).to.deep.equal([
      ["aws", "us-east-1", "us-east-1"],
      ["aws-cn", "cn-north-1", "cn-northwest-1"],
      ["aws-us-gov", "us-gov-west-1", "us-gov-west-1"],
    ]);
  });

  it("knows that China has no SES (fact 14)", () => {
    expect(PARTITION_NAMES.map(hasSes)).to.deep.equal([true, false, true]);
    expect(PARTITION_NAMES.map(hasSecurityKeys)).to.deep.equal([true, false, true]);
  });

  describe("STS endpoints", () => {
    // The SDK has AWS's own endpoint rules built in: they are the oracle.
    const hostOfSdk = async (region: string, kind: string) => {
      const client = new STSClient({
        region,
        useFipsEndpoint: kind.startsWith("fips"),
        useDualstackEndpoint: kind.endsWith("dualstack"),
      });
      const endpoint = client.config.endpointProvider({
        Region: region,
        UseFIPS: kind.startsWith("fips"),
        UseDualStack: kind.endsWith("dualstack"),
        UseGlobalEndpoint: false,
      });
      client.destroy();
      return endpoint.url.hostname;
    };

    for (const region of ALL_REGIONS) {
      for (const kind of STS_ENDPOINT_KINDS) {
        const hasFips = /^(us|ca)-/.test(region);
        if (kind.startsWith("fips") && !hasFips) {
          it(`${region} ${kind}: refused, since there is none`, () => {
            expect(() => stsEndpointHost(region, kind)).to.throw(`${region} has no FIPS endpoint of STS`);
          });
        } else {
          it(`${region} ${kind}: what AWS's own endpoint rules say`, async () => {
            expect(stsEndpointHost(region, kind)).to.equal(await hostOfSdk(region, kind));
          });
        }
      }
    }

    it("are never the global one", () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...ALL_REGIONS),
          fc.constantFrom(...STS_ENDPOINT_KINDS.filter((kind) => !kind.startsWith("fips"))),
          (region, kind) => stsEndpointHost(region, kind).includes(region),
        ),
        { seed: 7 },
      );
    });
  });

  it("names the interface endpoint of STS, also in China (fact 5)", () => {
    expect(interfaceEndpointServiceName("us-west-2", "sts")).to.equal("com.amazonaws.us-west-2.sts");
    expect(interfaceEndpointServiceName("cn-north-1", "sts")).to.equal("cn.com.amazonaws.cn-north-1.sts");
    expect(interfaceEndpointServiceName("cn-north-1", "s3")).to.equal("com.amazonaws.cn-north-1.s3");
  });

  it("names regional sign-in addresses and SAML audiences (facts 8 and 12)", () => {
    expect(samlAudience("us-west-2")).to.equal("https://us-west-2.signin.aws.amazon.com/saml");
    expect(samlAudience("cn-north-1")).to.equal("https://cn-north-1.signin.amazonaws.cn/saml");
    expect(consoleSignInUrl("222222222222", "us-west-2")).to.equal(
      "https://222222222222.signin.aws.amazon.com/console?region=us-west-2",
    );
  });
});
