/**
 * Ten thousand events that nobody wrote: genuine ones with parts taken out, exchanged and added. Nothing may crash, and whatever becomes an
 * operation has to be one that is allowed for the event, with values that the record itself has.
 */
import { expect } from "chai";
import * as fc from "fast-check";
import { isRegionName, partitionOf } from "../../../components/regional/partition";
import { explanation } from "../../../functions/approval/intake/explain";
import { intake } from "../../../functions/approval/intake/intake";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import { KNOWN_EVENTS, operationsOf } from "../../../functions/approval/operations/catalogue";
import { accessEnd, sessionPolicy } from "../../../functions/approval/policy/sessionPolicy";
import {
  ACCOUNT,
  ALICE,
  CASES,
  delivered,
  denied,
  instanceIds,
  instancesSet,
  type Json,
  LOAD_BALANCER,
  message,
  session,
} from "./support/events";

const SEED = 20261122;

/** What an attacker, a new kind of record or a broken one may have in any place. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  "true",
  0,
  7,
  -1,
  1.7e308,
  "",
  "*",
  "i-*",
  "i-0fc5d99558e8357e8",
  "subnet-0d840b9ab96eb41ca",
  "arn:aws:ec2:us-east-1:111122223333:instance/*",
  "arn:aws:iam::111122223333:user/ops/alice",
  "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/*/813270f8ee6fa76a",
  LOAD_BALANCER,
  LOAD_BALANCER.replace(ACCOUNT, "999988887777"),
  "${aws:username}",
  'x","Resource":"*',
  "a/../b",
  "HIDDEN_DUE_TO_SECURITY_REASONS",
  "us-east-1",
  "cn-north-1",
  "mars-east-1",
  "999988887777",
  "AccessDenied",
  "Client.UnauthorizedOperation",
  "ec2.amazonaws.com",
  "TerminateInstances",
  "DeleteBucket",
  "AssumedRole",
  "Root",
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "x".repeat(3_000),
  [],
  {},
  [[]],
  { items: [] },
  { items: [{ instanceId: "i-0fc5d99558e8357e8" }] },
  { items: [{ instanceId: { items: [] } }] },
  JSON.parse('{"__proto__": {"subnetId": "subnet-0d840b9ab96eb41ca"}}'),
  instancesSet(instanceIds(28)),
  session("developer", "bob"),
  session("bulkhead-approval-executor", "x1"),
];

const KEYS: readonly string[] = [
  "eventSource",
  "eventName",
  "errorCode",
  "errorMessage",
  "awsRegion",
  "recipientAccountId",
  "userIdentity",
  "requestParameters",
  "detail",
  "detail-type",
  "source",
  "account",
  "region",
  "resources",
  "type",
  "arn",
  "accountId",
  "userName",
  "invokedBy",
  "dryRun",
  "items",
  "instanceId",
  "__proto__",
  "constructor",
  "toString",
  ...CASES.flatMap(({ parameters }) => Object.keys(parameters)),
];

const genuine: readonly Json[] = CASES.flatMap((one) => {
  const record = denied(one.service, one.eventName, one.parameters);
  const bare = denied(one.service, one.eventName, null, {
    errorMessage: message(one.actions[0]!, one.resources[0]!),
  });
  return [record, delivered(record), bare, { ...record, userIdentity: session("developer", "bob") }];
});

interface Mutation {
  at: number;
  how: "remove" | "replace" | "add" | "rename" | "borrow";
  key: string;
  value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("remove", "replace", "add", "rename", "borrow"),
  key: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: fc.string() }),
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...STRANGE) },
    { weight: 1, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.constantFrom(...genuine) },
  ),
});

/** Every object and list in a value, with itself. */
function containers(value: unknown): (Json | unknown[])[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Json, ...Object.values(value).flatMap(containers)];
}

function mutate(event: Json, { at, how, key, value }: Mutation): void {
  const all = containers(event);
  const container = all[at % all.length]! as Json;
  const present = Object.keys(container);
  const chosen = present[at % Math.max(1, present.length)];
  const copy = structuredClone(value);
  const define = (name: string, content: unknown) =>
    Object.defineProperty(container, name, {
      value: content,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  if (how === "add") define(key, copy);
  else if (chosen === undefined) return;
  else if (how === "remove") delete container[chosen];
  else if (how === "replace") define(chosen, copy);
  else if (how === "rename") {
    define(key, container[chosen]);
    delete container[chosen];
  } else {
    const other = containers(genuine[at % genuine.length])[at % 3];
    if (other) define(chosen, structuredClone(other));
  }
}

/** Every text in a value. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

/** The whole of the safety of intake, asserted from outside. */
function check(event: unknown): "operation" | "other" {
  const settings = intakeSettings({ events: KNOWN_EVENTS, allowRoleSessions: true, allowSso: true });
  const decided = intake(event, settings);
  const shown = explanation(decided);
  const outcomes = Object.keys(shown).filter((key) => key !== "why");
  expect(outcomes).to.have.length(1);
  expect(shown.why).to.be.a("string").with.length.lessThan(2_000);
  if (!("plan" in decided)) return "other";

  const { operation, place, grants } = decided.plan;
  const wrapped = event as Json;
  const record = (
    typeof wrapped.detail === "object" && wrapped.detail !== null ? wrapped.detail : event
  ) as Json;
  const allowed = operationsOf(String(record.eventSource), String(record.eventName)).find(
    ({ service, api }) => service === operation.service && api === operation.api,
  );
  expect(allowed, "allow-listed").to.not.equal(undefined);
  expect(["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"]).to.include(
    record.errorCode,
  );

  const names = [...allowed!.parameters.map(({ input }) => input), ...(allowed!.accountInputs ?? [])];
  expect(names).to.include.members(Object.keys(operation.input));
  for (const { input, required } of allowed!.parameters)
    if (required) expect(operation.input).to.have.property(input);
  const inRecord = texts([record.requestParameters, record.errorMessage, place.account])
    .join("\n")
    .toLowerCase();
  for (const text of texts(operation.input)) expect(inRecord).to.include(text.toLowerCase());

  expect(isRegionName(place.region)).to.equal(true);
  expect(place.partition).to.equal(partitionOf(place.region));
  expect(place.account).to.match(/^\d{12}$/);
  expect(operation.resources).to.not.have.length(0);
  const values = texts(operation.input);
  for (const resource of operation.resources) {
    const exact = operation.api === "DeleteNodegroup" ? resource.replace(/\/\*$/, "") : resource;
    expect(exact).to.match(/^arn:[a-z-]+:[a-z0-9]+:[a-z0-9-]*:(\d{12})?:[A-Za-z0-9._/:-]+$/);
    expect(exact.split(":")[1]).to.equal(place.partition);
    expect([place.region, ""]).to.include(exact.split(":")[3]);
    expect([place.account, ""]).to.include(exact.split(":")[4]);
    expect(values.some((value) => exact.endsWith(value))).to.equal(true);
  }
  expect(allowed!.grants.flatMap(({ actions }) => actions)).to.include.members([...operation.actions]);
  const policy = sessionPolicy(grants, accessEnd(new Date()));
  expect(policy.length).to.be.at.most(2_048);
  return "operation";
}

describe("intake of events that nobody wrote", () => {
  it("survives 10,000 mutated events, and lets nothing through that is not allow-listed", () => {
    const seen = { operation: 0, other: 0 };
    fc.assert(
      fc.property(
        fc.nat(genuine.length - 1),
        fc.array(mutation, { minLength: 0, maxLength: 4 }),
        (index, mutations) => {
          const event = structuredClone(genuine[index]!);
          for (const one of mutations) mutate(event, one);
          seen[check(event)]++;
        },
      ),
      { seed: SEED, numRuns: 10_000 },
    );
    // A test of nothing but refusals would prove nothing.
    expect(seen.operation).to.be.greaterThan(1_000);
    expect(seen.other).to.be.greaterThan(3_000);
  });

  it("survives parameters of any kind", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CASES), fc.anything(), ({ service, eventName }, parameters) => {
        check(denied(service, eventName, parameters));
        check(denied(service, eventName, { [Object.keys(CASES[0]!.parameters)[0]!]: parameters }));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("survives anything at all", () => {
    fc.assert(
      fc.property(fc.anything(), (event) => {
        expect(check(event)).to.equal("other");
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("survives what is nested deeper than any stack", () => {
    const depth = 200_000;
    const nested: unknown = JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);
    for (const [key] of Object.entries(denied("ec2", "DeleteSubnet", {}))) {
      intake({ ...denied("ec2", "DeleteSubnet", {}), [key]: nested }, intakeSettings());
    }
    for (const parameters of [{ subnetId: nested }, { dryRun: nested }, { other: nested }]) {
      expect(intake(denied("ec2", "DeleteSubnet", parameters), intakeSettings())).to.have.property("refuse");
    }
  });

  it("decides quickly about long texts", () => {
    const started = performance.now();
    for (const text of [
      "/a".repeat(100_000),
      "-a".repeat(100_000),
      " on resource: ".repeat(20_000),
      "a".repeat(1e6),
    ]) {
      check(denied("ec2", "DeleteSubnet", { subnetId: text }, { errorMessage: text }));
      check(denied("eks", "DeleteCluster", null, { errorMessage: `User: ${text} is not authorized` }));
      const arn = `arn:aws:iam::${ACCOUNT}:user/${text}`;
      check(denied("ec2", "DeleteSubnet", {}, { userIdentity: { ...ALICE, arn } }));
    }
    expect(performance.now() - started).to.be.lessThan(2_000);
  });
});
