import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { withOperationsTable } from "../../../docs/generate";
import { DEFAULT_EVENTS, OPERATIONS, operationNamed } from "../../../functions/approval/operations/catalogue";
import {
  PLACEHOLDER,
  type PlannedOperation,
  planFromInput,
} from "../../../functions/approval/operations/plan";
import type { Place } from "../../../functions/approval/operations/values";
import { canonicalJson, operationHash } from "../../../functions/approval/policy/operationHash";
import { policyFit } from "../../../functions/approval/policy/policyFit";
import {
  accessEnd,
  policySize,
  SESSION_POLICY_LIMIT,
  sessionPolicy,
} from "../../../functions/approval/policy/sessionPolicy";
import { sourceIdentity } from "../../../functions/approval/policy/sourceIdentity";
import { ACCOUNT, EVENT_ID, instanceIds, REGION } from "./support/events";

const HERE: Place = { partition: "aws", region: REGION, account: ACCOUNT };

function planned(
  service: string,
  api: string,
  input: Record<string, unknown>,
  place = HERE,
): PlannedOperation {
  const planning = planFromInput(operationNamed(service, api)!, input, place);
  if ("problem" in planning) throw new Error(planning.problem);
  return planning.plan;
}
const terminate = (ids: readonly string[], place = HERE) =>
  planned("ec2", "TerminateInstances", { InstanceIds: ids }, place);
const deleteDatabase = (more: Record<string, unknown> = {}) =>
  planned("rds", "DeleteDBInstance", { DBInstanceIdentifier: "orders", ...more });

describe("the catalogue of operations", () => {
  it("watches by default what destroys most", () => {
    expect([...DEFAULT_EVENTS].sort()).to.deep.equal(
      [
        "rds:DeleteDBInstance",
        "rds:DeleteDBCluster",
        "ec2:TerminateInstances",
        "ec2:DeleteSubnet",
        "ec2:DeleteVpc",
        "ec2:DeleteVolume",
        "ec2:DeleteInternetGateway",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNatGateway",
        "ec2:DeleteTransitGateway",
        "ec2:DeleteSnapshot",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:DeleteAccessPoint",
        "eks:DeleteCluster",
        "eks:DeleteNodegroup",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
      ].sort(),
    );
  });

  it("names clients and commands that exist, with their parameters", () => {
    for (const { client, api } of OPERATIONS) {
      const exported = require(client) as Record<string, unknown>;
      expect(exported[`${api}Command`], `${client} ${api}`).to.be.a("function");
    }
  });

  it("is consistent in itself", () => {
    for (const { event, api, parameters, harmless, grants, accountInputs = [], fromArn } of OPERATIONS) {
      const keys = [...parameters, ...harmless].map(({ key }) => key);
      expect(new Set(keys).size, event).to.equal(keys.length);
      const inputs = parameters.map(({ input }) => input);
      expect(new Set([...inputs, ...accountInputs]).size, event).to.equal(
        inputs.length + accountInputs.length,
      );
      for (const { resource, when, actions } of grants) {
        const named =
          "arnIn" in resource
            ? [resource.arnIn]
            : [...resource.resource.matchAll(PLACEHOLDER)].map((m) => m[1]);
        expect(inputs, event).to.include.members(named);
        if (when !== undefined) expect(inputs, event).to.include(when);
        for (const action of actions) expect(action, event).to.match(/^[a-z0-9]+:[A-Z]\w+$/);
      }
      expect(grants[0]!.when, event).to.equal(undefined);
      expect(grants[0]!.actions[0], event).to.match(new RegExp(`:${api}$`));
      // What the ARN does not tell must not be needed.
      const pattern = grants[0]!.resource;
      const told =
        "arnIn" in pattern ? [pattern.arnIn] : [...pattern.resource.matchAll(PLACEHOLDER)].map((m) => m[1]);
      const required = parameters.filter((parameter) => parameter.required).map(({ input }) => input);
      if (fromArn) expect(told, event).to.include.members(required);
    }
  });

  it("is documented as it is (mend with npm run docs)", () => {
    const page = fs.readFileSync(path.join(__dirname, "../../../docs/approval.md"), "utf8");
    expect(page).to.equal(withOperationsTable(page));
  });

  it("plans what a form says, and refuses what it may not say", () => {
    expect(planned("s3", "DeleteBucket", { Bucket: "team-logs" }).operation.input).to.deep.equal({
      Bucket: "team-logs",
      ExpectedBucketOwner: ACCOUNT,
    });
    const bucket = operationNamed("s3", "DeleteBucket")!;
    const problem = (input: Record<string, unknown>) =>
      (planFromInput(bucket, input, HERE) as { problem?: string }).problem;
    expect(problem({})).to.include("needs Bucket");
    expect(problem({ Bucket: "*" })).to.include("Bucket of DeleteBucket is not a bucket's name");
    expect(problem({ Bucket: "team-logs", ExpectedBucketOwner: "999988887777" })).to.include(
      "ExpectedBucketOwner",
    );
    expect(problem({ Bucket: "team-logs", Force: true })).to.include("Force");
  });
});

describe("the session policy", () => {
  const END = new Date("2026-11-22T03:02:00.000Z");

  it("allows exactly the operation, for two minutes", () => {
    const { grants } = deleteDatabase({
      FinalDBSnapshotIdentifier: "orders-final",
      SkipFinalSnapshot: false,
    });
    const Condition = { DateLessThan: { "aws:CurrentTime": "2026-11-22T03:02:00.000Z" } };
    expect(JSON.parse(sessionPolicy(grants, accessEnd(new Date("2026-11-22T03:00:00Z"))))).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "ApprovedOperation1",
          Effect: "Allow",
          Action: ["rds:DeleteDBInstance", "rds:CreateDBSnapshot"],
          Resource: [`arn:aws:rds:${REGION}:${ACCOUNT}:db:orders`],
          Condition,
        },
        {
          Sid: "ApprovedOperation2",
          Effect: "Allow",
          Action: ["rds:CreateDBSnapshot", "rds:AddTagsToResource"],
          Resource: [`arn:aws:rds:${REGION}:${ACCOUNT}:snapshot:orders-final`],
          Condition,
        },
      ],
    });
    expect(sessionPolicy(deleteDatabase().grants, END)).to.not.include("Snapshot");
  });

  it("splits what does not fit into parts that do, each resource in one", () => {
    const places: Place[] = [
      HERE,
      { ...HERE, region: "ap-southeast-2" },
      { partition: "aws-cn", region: "cn-northwest-1", account: ACCOUNT },
      { partition: "aws-us-gov", region: "us-gov-west-1", account: ACCOUNT },
    ];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.constantFrom(...places), (count, place) => {
        const ids = instanceIds(count);
        const whole = terminate(ids, place);
        const fitting = policyFit(whole);
        if (fitting.fits) {
          expect(sessionPolicy(whole.grants, END).length).to.be.at.most(SESSION_POLICY_LIMIT);
          return;
        }
        expect(policySize(whole.grants)).to.be.greaterThan(SESSION_POLICY_LIMIT);
        expect(fitting.parts.flatMap(({ operation }) => operation.input.InstanceIds)).to.deep.equal(ids);
        for (const part of fitting.parts) {
          expect(sessionPolicy(part.grants, END).length).to.be.at.most(SESSION_POLICY_LIMIT);
        }
        const oneMore = terminate(instanceIds(fitting.most + 1), place);
        expect(policySize(oneMore.grants)).to.be.greaterThan(SESSION_POLICY_LIMIT);
      }),
      { seed: 20261122, numRuns: 200 },
    );
  });

  it("always fits where there is nothing to split", () => {
    const longest = planned(
      "rds",
      "DeleteDBCluster",
      {
        DBClusterIdentifier: "c".repeat(63),
        FinalDBSnapshotIdentifier: "s".repeat(255),
      },
      { ...HERE, region: "ap-southeast-2" },
    );
    expect(policyFit(longest)).to.deep.equal({ fits: true });
  });

  it("takes ids of events as source identities, and nothing else", () => {
    expect(sourceIdentity(EVENT_ID)).to.equal(EVENT_ID);
    for (const id of ["", "a", "a b", "x".repeat(65), "a/b"]) {
      expect(() => sourceIdentity(id)).to.throw("no source identity");
    }
  });
});

describe("the hash of an operation", () => {
  it("is the same for the same operation, however it is written", () => {
    const ids = instanceIds(3);
    expect(operationHash(terminate(ids))).to.equal(operationHash(terminate([...ids].reverse())));
    expect(operationHash(terminate(ids))).to.match(/^[0-9a-f]{64}$/);
    expect(
      operationHash(deleteDatabase({ SkipFinalSnapshot: true, DeleteAutomatedBackups: false })),
    ).to.equal(operationHash(deleteDatabase({ DeleteAutomatedBackups: false, SkipFinalSnapshot: true })));
  });

  it("differs with everything that makes a difference", () => {
    const hashes = [
      terminate(instanceIds(2)),
      terminate(instanceIds(3)),
      terminate(instanceIds(2), { ...HERE, region: "us-west-2" }),
      terminate(instanceIds(2), { ...HERE, account: "999988887777" }),
      deleteDatabase(),
      deleteDatabase({ SkipFinalSnapshot: true }),
      deleteDatabase({ SkipFinalSnapshot: false }),
      planned("s3", "DeleteBucket", { Bucket: "team-logs" }),
      planned("s3", "DeleteBucketPolicy", { Bucket: "team-logs" }),
    ].map(operationHash);
    expect(new Set(hashes).size).to.equal(hashes.length);
  });

  it("rests on JSON that has one form only", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).to.equal(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });
});
