import { expect } from "chai";
import { normalizeCell } from "../../components/regional/cell";
import { CellKey } from "../../components/regional/cellKey";
import {
  accountOnlyStatements,
  PrivateNetwork,
  stsEndpointStatements,
} from "../../components/regional/privateNetwork";
import { RegionalProvider } from "../../components/regional/regionalProvider";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";

const cell = { name: "dr", region: "us-west-2", accountId: "222222222222" };

describe("components/regional", () => {
  let mocks: PulumiMocks;
  beforeEach(async () => {
    mocks = await startMocks();
  });

  describe("cell", () => {
    it("fills in the defaults", () => {
      expect(normalizeCell(cell)).to.deep.equal({
        ...cell,
        namePrefix: "bulkhead",
        stsEndpoint: "regional",
        partition: "aws",
      });
    });

    for (const [argument, value, allowed] of [
      ["name", "Prod", "a lower-case letter"],
      ["region", "aws-global", "the name of an AWS region"],
      ["accountId", "12345", "an account id of 12 digits"],
      ["namePrefix", "", "a lower-case letter"],
      ["stsEndpoint", "global", "one of regional, fips, dualstack, fips-dualstack"],
    ]) {
      it(`refuses ${argument} "${value}"`, () => {
        expect(() => normalizeCell({ ...cell, [argument!]: value })).to.throw(
          `cell.${argument} is "${value}": ${allowed}`,
        );
      });
    }
  });

  describe("RegionalProvider", () => {
    // @pulumi/aws fills these in by itself.
    const setBySdk = { skipCredentialsValidation: "false", skipRegionValidation: "true" };

    it("pins region, account and the region's own STS endpoint", async () => {
      new RegionalProvider("dr", { cell, tags: { team: "security" } });
      await mocks.settle();
      // Pulumi hands everything that is no string to a provider as JSON.
      expect(mocks.find("pulumi:providers:aws", "dr").inputs).to.deep.equal({
        region: "us-west-2",
        allowedAccountIds: '["222222222222"]',
        endpoints: '[{"sts":"https://sts.us-west-2.amazonaws.com"}]',
        defaultTags: '{"tags":{"team":"security"}}',
        ...setBySdk,
      });
    });

    for (const [region, stsEndpoint, host] of [
      ["us-west-2", "fips", "sts-fips.us-west-2.amazonaws.com"],
      ["eu-central-1", "dualstack", "sts.eu-central-1.api.aws"],
      ["cn-north-1", "regional", "sts.cn-north-1.amazonaws.com.cn"],
      ["us-gov-west-1", "fips", "sts.us-gov-west-1.amazonaws.com"],
    ] as const) {
      it(`uses the ${stsEndpoint} endpoint of ${region}`, async () => {
        new RegionalProvider("p", { cell: { ...cell, region, stsEndpoint } });
        await mocks.settle();
        expect(mocks.find("pulumi:providers:aws").inputs.endpoints).to.equal(`[{"sts":"https://${host}"}]`);
      });
    }

    it("assumes a role of another account in another region", async () => {
      const assumeRoleArn = "arn:aws:iam::111111111111:role/bulkhead-deployer";
      new RegionalProvider("m", {
        cell,
        region: "us-east-1",
        accountId: "111111111111",
        assumeRoleArn,
        externalId: "x",
      });
      await mocks.settle();
      expect(mocks.find("pulumi:providers:aws").inputs).to.deep.equal({
        region: "us-east-1",
        allowedAccountIds: '["111111111111"]',
        endpoints: '[{"sts":"https://sts.us-east-1.amazonaws.com"}]',
        assumeRoles: `[{"roleArn":"${assumeRoleArn}","sessionName":"bulkhead-dr","externalId":"x"}]`,
        ...setBySdk,
      });
    });

    it("refuses another account without a role, and another partition", () => {
      expect(() => new RegionalProvider("m", { cell, accountId: "111111111111" })).to.throw(
        "give assumeRoleArn",
      );
      expect(() => new RegionalProvider("m", { cell, region: "cn-north-1" })).to.throw(
        "the name of a region in partition aws",
      );
      expect(
        () => new RegionalProvider("m", { cell: { ...cell, region: "eu-west-1", stsEndpoint: "fips" } }),
      ).to.throw("eu-west-1 has no FIPS endpoint");
    });
  });

  describe("CellKey", () => {
    it("is a rotated key of the cell that services use for this account only", async () => {
      const provider = new RegionalProvider("dr", { cell });
      await mocks.outputsOf(new CellKey("dr-key", { cell }, { provider }));
      const key = mocks.find("aws:kms/key:Key", "dr-key-key");
      expect(key.inputs).to.include({ enableKeyRotation: true, deletionWindowInDays: 30 });
      expect(key.region).to.equal("us-west-2");
      const statements = JSON.parse(key.inputs.policy).Statement;
      expect(statements.map((s: { Principal: unknown }) => s.Principal)).to.deep.equal([
        { AWS: "arn:aws:iam::222222222222:root" },
        { Service: "logs.us-west-2.amazonaws.com" },
        { Service: "events.amazonaws.com" },
        { Service: ["cloudwatch.amazonaws.com", "sns.amazonaws.com"] },
        { Service: "cloudtrail.amazonaws.com" },
        { Service: "cloudtrail.amazonaws.com" },
        { Service: "delivery.logs.amazonaws.com" },
      ]);
      expect(statements.at(-1)).to.deep.include({
        Action: "kms:Decrypt",
        Condition: {
          StringEquals: { "aws:SourceAccount": "222222222222" },
          ArnLike: { "kms:EncryptionContext:SourceArn": "arn:aws:logs:us-west-2:222222222222:*" },
        },
      });
      expect(statements[1].Condition).to.deep.equal({
        ArnLike: { "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-west-2:222222222222:log-group:*" },
      });
      // With a condition EventBridge could not reach the encrypted topic at all.
      expect(statements[2]).not.to.have.property("Condition");
      expect(statements[3].Condition).to.deep.equal({
        StringEquals: { "aws:SourceAccount": "222222222222" },
      });
      expect(mocks.find("aws:kms/alias:Alias").inputs.name).to.equal("alias/bulkhead-cell-dr");
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
    });

    it("refuses a deletion window that KMS would refuse", () => {
      expect(() => new CellKey("k", { cell, deletionWindowInDays: 3 })).to.throw("deletionWindowInDays is 3");
    });
  });

  describe("PrivateNetwork", () => {
    const existing = {
      cell,
      vpcId: "vpc-0a1b2c3d",
      subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
      routeTableIds: ["rtb-0a1b2c3d"],
    };

    it("puts every endpoint into an existing VPC, with private DNS and the region's service names", async () => {
      const provider = new RegionalProvider("dr", { cell });
      const network = new PrivateNetwork(
        "net",
        { ...existing, organizationId: "o-a1b2c3d4e5" },
        { provider },
      );
      const outputs = await mocks.outputsOf(network);
      const endpoints = mocks.ofType("aws:ec2/vpcEndpoint:VpcEndpoint");
      expect(
        endpoints.map((e) => `${e.inputs.vpcEndpointType} ${e.inputs.serviceName}`).sort(),
      ).to.deep.equal(
        [
          ...[
            "email-smtp",
            "events",
            "kms",
            "logs",
            "monitoring",
            "secretsmanager",
            "sns",
            "sqs",
            "ssm",
            "sts",
          ].map((service) => `Interface com.amazonaws.us-west-2.${service}`),
          ...["dynamodb", "s3"].map((service) => `Gateway com.amazonaws.us-west-2.${service}`),
        ].sort(),
      );
      const sts = mocks.find("aws:ec2/vpcEndpoint:VpcEndpoint", "net-sts");
      expect(sts.inputs).to.deep.include({
        vpcId: "vpc-0a1b2c3d",
        privateDnsEnabled: true,
        subnetIds: existing.subnetIds,
      });
      expect(JSON.parse(sts.inputs.policy).Statement).to.deep.equal(
        stsEndpointStatements(normalizeCell(cell), "o-a1b2c3d4e5"),
      );
      expect(mocks.find("aws:ec2/vpcEndpoint:VpcEndpoint", "net-email-smtp").inputs).not.to.have.property(
        "policy",
      );
      expect(outputs.stsEndpointId).to.equal(sts.id);
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      expect(new Set(endpoints.map((e) => e.region))).to.deep.equal(new Set(["us-west-2"]));
    });

    it("lets functions open connections to the endpoints and to nothing else", async () => {
      await mocks.outputsOf(
        new PrivateNetwork("net", existing, { provider: new RegionalProvider("dr", { cell }) }),
      );
      const egress = mocks.ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
      expect(egress).to.have.length(5);
      for (const rule of egress) {
        expect(rule.inputs, rule.name).not.to.have.any.keys("cidrIpv4", "cidrIpv6");
        expect(rule.inputs.securityGroupId, rule.name).to.equal(
          mocks.find("aws:ec2/securityGroup:SecurityGroup", "net-functions").id,
        );
      }
      expect(egress.map((rule) => rule.inputs.fromPort).sort()).to.deep.equal([443, 443, 443, 465, 587]);
    });

    it("lets functions out of an existing VPC by HTTPS where that is asked for", async () => {
      const provider = new RegionalProvider("dr", { cell });
      await mocks.outputsOf(new PrivateNetwork("net", { ...existing, outboundHttps: true }, { provider }));
      const rule = mocks.find(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "net-functions-to-anywhere",
      );
      expect(rule.inputs).to.include({
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        cidrIpv4: "0.0.0.0/0",
      });
    });

    it("creates an isolated VPC with awsx when none is given", async () => {
      const provider = new RegionalProvider("dr", { cell });
      await mocks.settle();
      new PrivateNetwork("net", { cell, cidrBlock: "10.1.0.0/20" }, { provider });
      await mocks.settle();
      expect(mocks.find("awsx:ec2:Vpc", "net-vpc").inputs).to.deep.include({
        cidrBlock: "10.1.0.0/20",
        natGateways: { strategy: "None" },
        subnetSpecs: [{ type: "Isolated", name: "isolated" }],
        enableDnsHostnames: true,
        enableDnsSupport: true,
      });
    });

    it("has no SES endpoint in China and names STS's endpoint as it is called there", async () => {
      const china = { ...cell, region: "cn-north-1" };
      const provider = new RegionalProvider("cn", { cell: china });
      await mocks.outputsOf(new PrivateNetwork("net", { ...existing, cell: china }, { provider }));
      const names = mocks.ofType("aws:ec2/vpcEndpoint:VpcEndpoint").map((e) => e.inputs.serviceName);
      expect(names)
        .to.include("cn.com.amazonaws.cn-north-1.sts")
        .and.not.include("com.amazonaws.cn-north-1.email-smtp");
    });

    it("lets only the account's principals through its endpoints", () => {
      const statements = [
        ...stsEndpointStatements(normalizeCell(cell)),
        ...accountOnlyStatements(normalizeCell(cell)),
      ];
      for (const statement of statements) {
        expect(statement.Condition).to.deep.nested.include({
          "StringEquals.aws:PrincipalAccount": "222222222222",
        });
      }
      expect(stsEndpointStatements(normalizeCell(cell))[1]!.Resource).to.equal(
        "arn:aws:iam::222222222222:role/*",
      );
    });

    for (const [what, args, message] of [
      [
        "a range for an existing VPC",
        { ...existing, cidrBlock: "10.0.0.0/20" },
        "cidrBlock belongs to a VPC that is created",
      ],
      ["one subnet", { ...existing, subnetIds: ["subnet-0a1b2c3d"] }, "two subnets or more"],
      ["no route table", { ...existing, routeTableIds: [] }, "routeTableIds needs"],
      ["subnets without VPC", { cell, subnetIds: existing.subnetIds }, "belong to an existing VPC"],
      ["a way out of a VPC that has none", { cell, outboundHttps: true }, "has no way out"],
      ["a wide range", { cell, cidrBlock: "10.0.0.0/8" }, 'cidrBlock is "10.0.0.0/8"'],
      ["no STS endpoint", { ...existing, interfaceServices: ["ssm"] }, '"sts" has to be among them'],
    ] as const) {
      it(`refuses ${what}`, () => {
        const wanted = args as unknown as ConstructorParameters<typeof PrivateNetwork>[1];
        expect(() => new PrivateNetwork("net", wanted)).to.throw(message);
      });
    }
  });
});
