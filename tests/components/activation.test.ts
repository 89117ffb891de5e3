import * as aws from "@pulumi/aws";
import { expect } from "chai";
import {
  activationPromoterStatements,
  activationReaderStatements,
  activationWorkerStatements,
} from "../../components/activation/activationPolicy";
import { ActivationRecord, type ActivationRecordArgs } from "../../components/activation/activationRecord";
import { activationTableArn, activationTableName } from "../../components/activation/names";
import { peerOf } from "../../components/activation/peer";
import { normalizeCell } from "../../components/regional/cell";
import { fromItem } from "../../functions/shared/activation/item";
import { activationRecordSchema } from "../../functions/shared/activation/record";
import { startMocks } from "../support/pulumiMocks";

const cell = { name: "prod", region: "us-east-1", accountId: "222222222222" };
const peer = { name: "dr", region: "us-west-2" };
const args: ActivationRecordArgs = {
  cell,
  peer,
  kmsKeyArn: "arn:aws:kms:us-east-1:222222222222:key/k",
  initiallyActive: true,
};

describe("ActivationRecord", () => {
  it("creates an encrypted, restorable, protected table and its first record", async () => {
    const mocks = await startMocks();
    const provider = new aws.Provider("east", { region: "us-east-1" });
    const outputs = await mocks.outputsOf(new ActivationRecord("a", args, { provider }));

    expect(mocks.list()).to.deep.equal([
      "aws:dynamodb/table:Table a-table",
      "aws:dynamodb/tableItem:TableItem a-record",
      "bulkhead:index:ActivationRecord a",
      "pulumi:providers:aws east",
    ]);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    const table = mocks.find("aws:dynamodb/table:Table");
    expect(table).to.include({ parentName: "a", providerName: "east", region: "us-east-1" });
    expect(table.inputs).to.deep.equal({
      name: "bulkhead-activation-prod",
      billingMode: "PAY_PER_REQUEST",
      hashKey: "cell",
      attributes: [{ name: "cell", type: "S" }],
      serverSideEncryption: { enabled: true, kmsKeyArn: args.kmsKeyArn },
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: true,
    });
    expect(outputs).to.deep.equal({
      tableName: "bulkhead-activation-prod",
      tableArn: "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-activation-prod",
    });
    expect(outputs.tableArn).to.equal(activationTableArn(normalizeCell(cell)));
  });

  it("writes the record once: no deployment undoes a promotion", async () => {
    const mocks = await startMocks();
    const provider = new aws.Provider("east", { region: "us-east-1" });
    new ActivationRecord("a", args, { provider });
    new ActivationRecord(
      "b",
      {
        ...args,
        cell: { ...cell, ...peer },
        peer: { name: cell.name, region: cell.region },
        initiallyActive: false,
        deletionProtection: false,
      },
      { provider },
    );
    await mocks.settle();
    const record = (name: string) => {
      const item = mocks.find("aws:dynamodb/tableItem:TableItem", name);
      expect(item.options.ignoreChanges).to.deep.equal(["item"]);
      expect(item.inputs.hashKey).to.equal("cell");
      return activationRecordSchema.parse(fromItem(JSON.parse(item.inputs.item)));
    };
    expect(record("a-record")).to.include({
      cell: "prod",
      active: true,
      epoch: 1,
      highestSeen: 1,
      peerRequired: true,
    });
    expect(record("b-record")).to.include({
      cell: "dr",
      active: false,
      epoch: 0,
      highestSeen: 1,
      peerRequired: true,
    });
    expect(mocks.find("aws:dynamodb/tableItem:TableItem", "b-record").inputs.tableName).to.equal(
      "bulkhead-activation-dr",
    );
    expect(mocks.find("aws:dynamodb/table:Table", "b-table").inputs.deletionProtectionEnabled).to.equal(
      false,
    );
  });

  it("refuses a peer that is not another cell of another region of the partition", () => {
    const own = normalizeCell(cell);
    expect(() => peerOf(own, { name: "prod", region: "us-west-2" })).to.throw('peer.name is "prod"');
    expect(() => peerOf(own, { name: "dr", region: "us-east-1" })).to.throw('peer.region is "us-east-1"');
    expect(() => peerOf(own, { name: "dr", region: "cn-north-1" })).to.throw("partition aws");
    expect(() => peerOf(own, { name: "dr", region: "west" })).to.throw('cell.region is "west"');
  });
});

describe("activation policies", () => {
  const own = normalizeCell({ ...cell, name: "north", region: "cn-north-1" });
  const other = peerOf(own, { name: "west", region: "cn-northwest-1" });
  const tables = [own, other].map(activationTableArn);
  const access = (statements: ReturnType<typeof activationReaderStatements>) =>
    statements.filter(({ Action }) => String(Action).startsWith("dynamodb:"));

  it("let readers read both records and nothing else", () => {
    const statements = activationReaderStatements(own, other);
    expect(access(statements)).to.deep.equal([
      { Sid: "ReadActivationRecords", Effect: "Allow", Action: "dynamodb:GetItem", Resource: tables },
    ]);
    expect(tables[1]).to.equal(
      "arn:aws-cn:dynamodb:cn-northwest-1:222222222222:table/bulkhead-activation-west",
    );
    expect(activationTableName(other)).to.equal("bulkhead-activation-west");
  });

  it("let keys be used through DynamoDB for these tables only", () => {
    const keys = activationReaderStatements(own, other).filter(({ Action }) => Action === "kms:Decrypt");
    expect(keys).to.have.length(2);
    expect(keys[1]).to.deep.equal({
      Sid: "UseActivationTableKey2",
      Effect: "Allow",
      Action: "kms:Decrypt",
      Resource: "arn:aws-cn:kms:cn-northwest-1:222222222222:key/*",
      Condition: {
        StringEquals: {
          "kms:ViaService": "dynamodb.cn-northwest-1.amazonaws.com.cn",
          "kms:EncryptionContext:aws:dynamodb:subscriberId": "222222222222",
          "kms:EncryptionContext:aws:dynamodb:tableName": "bulkhead-activation-west",
        },
      },
    });
  });

  it("let workers write their own record only, and promoters both", () => {
    const writes = (statements: ReturnType<typeof activationReaderStatements>) =>
      statements.filter(({ Action }) => Action === "dynamodb:PutItem").flatMap(({ Resource }) => Resource);
    expect(writes(activationWorkerStatements(own, other))).to.deep.equal([tables[0]]);
    expect(writes(activationPromoterStatements(own, other))).to.deep.equal(tables);
  });
});
