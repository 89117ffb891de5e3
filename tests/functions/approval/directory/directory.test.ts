import { type GetUserCommand, NoSuchEntityException } from "@aws-sdk/client-iam";
import { expect } from "chai";
import { approversFor } from "../../../../functions/approval/directory/approverRules";
import { Directory } from "../../../../functions/approval/directory/directory";
import { DirectoryMalformed, parseDirectory } from "../../../../functions/approval/directory/document";
import { documentSource } from "../../../../functions/approval/directory/documentSource";
import { IamUserCheck } from "../../../../functions/approval/directory/iamUserCheck";
import { People } from "../../../../functions/approval/directory/people";
import type { Log } from "../../../../functions/shared/logging/logger";
import { sampleDirectory } from "../../../support/approvalPages";

const parsed = (change: (document: ReturnType<typeof sampleDirectory>) => void = () => {}) => {
  const document = sampleDirectory();
  change(document);
  return parseDirectory(JSON.stringify(document));
};
const level = (group: string, quorum = 1) => ({ group, quorum, timeoutSeconds: 600 });
const threshold = (...groups: string[]) => [
  { atLeast: 0, name: "any", levels: groups.map((group) => level(group)) },
];
const silent: Log = { info() {}, warn() {}, error() {} };

describe("approval's directory", () => {
  it("knows people by every name of theirs", () => {
    const directory = new Directory(parsed());
    for (const name of [
      "bob@example.com",
      "BOB@EXAMPLE.COM",
      "arn:aws:iam::111122223333:user/ops/bob",
      "slack:U0BOB",
      "person:bob",
    ]) {
      expect(directory.named(name)?.id, name).to.equal("bob");
    }
    expect(directory.named("bob")).to.equal(undefined);
    expect(directory.members("leads").map(({ id }) => id)).to.deep.equal(["alice", "carol", "dave", "wei"]);
    expect(directory.nameOf(["unknown", "carol@example.com"])).to.equal("Carol Díaz");
    expect(directory.nameOf(["somebody@else.example"])).to.equal("somebody@else.example");
  });

  it("tells who made a call, and takes no session's word for its name", () => {
    const document = parsed(({ people }) => {
      people[0]!.identities = [
        "arn:aws:iam::111122223333:user/alice",
        "alice-source",
        "alice.sso@example.com",
      ];
    });
    const directory = new Directory(document);
    const account = "111122223333";
    const iam = {
      kind: "iamUser" as const,
      name: "alice",
      account,
      arn: `arn:aws:iam::${account}:user/alice`,
    };
    expect(directory.requester(iam)?.id).to.equal("alice");
    expect(directory.requester({ ...iam, arn: `arn:aws:iam::${account}:user/other` })).to.equal(undefined);
    const session = {
      kind: "roleSession" as const,
      name: "ops/alice@example.com",
      account,
      arn: `arn:aws:sts::${account}:assumed-role/ops/alice@example.com`,
    };
    expect(directory.requester(session)).to.equal(undefined);
    expect(directory.requester({ ...session, sourceIdentity: "alice-source" })?.id).to.equal("alice");
    const sso = { kind: "identityCenterUser" as const, name: "alice.sso@example.com", account };
    expect(directory.requester(sso)?.id).to.equal("alice");
  });

  const malformed: [string, (document: ReturnType<typeof sampleDirectory>) => void, string][] = [
    [
      "a name of two people",
      ({ people }) => Object.assign(people[1]!, { mail: "ALICE@example.com" }),
      "people[0] and people[1]",
    ],
    ["an unknown key", (document) => Object.assign(document, { extra: 1 }), "extra"],
    [
      "a mail address that is none",
      ({ people }) => Object.assign(people[2]!, { mail: "carol" }),
      "people[2].mail",
    ],
    [
      "a group without members",
      (document) => Object.assign(document, { rules: [{ name: "r", thresholds: threshold("nobody") }] }),
      "0 active members",
    ],
    [
      "a quorum that cannot be reached",
      (document) =>
        Object.assign(document, {
          rules: [{ name: "r", thresholds: [{ atLeast: 0, name: "x", levels: [level("dba", 4)] }] }],
        }),
      "needs 4",
    ],
    [
      "no rule for the rest",
      (document) =>
        Object.assign(document, {
          rules: [{ name: "r", when: { accounts: ["111122223333"] }, thresholds: threshold("dba") }],
        }),
      "the last one",
    ],
    [
      "a rule that hides others",
      (document) =>
        Object.assign(document, {
          rules: [
            { name: "a", thresholds: threshold("dba") },
            { name: "b", thresholds: threshold("dba") },
          ],
        }),
      "rules[0] has no",
    ],
    [
      "fewer approvals at a higher risk",
      (document) =>
        Object.assign(document, {
          rules: [
            {
              name: "r",
              thresholds: [
                { atLeast: 0, name: "low", levels: [level("leads", 2)] },
                { atLeast: 50, name: "high", levels: [level("dba")] },
              ],
            },
          ],
        }),
      "thresholds",
    ],
    [
      "the bypass group as approvers",
      (document) =>
        Object.assign(document, { rules: [{ name: "r", thresholds: threshold("approval-bypass") }] }),
      "bypass group",
    ],
    [
      "an escalation that comes too late",
      (document) =>
        Object.assign(document, {
          rules: [
            {
              name: "r",
              thresholds: [
                {
                  atLeast: 0,
                  name: "x",
                  levels: [{ ...level("dba"), escalation: { group: "leads", afterSeconds: 600 } }],
                },
              ],
            },
          ],
        }),
      "escalates after",
    ],
  ];
  for (const [what, change, says] of malformed) {
    it(`refuses ${what}`, () => {
      expect(() => parsed(change)).to.throw(DirectoryMalformed, says);
    });
  }

  it("refuses what is not JSON, without showing it", () => {
    expect(() => parseDirectory("{secret")).to.throw(DirectoryMalformed, /^((?!secret).)*$/);
  });

  it("names groups of an identity provider, and takes a mapped group's own name from nobody", () => {
    const directory = new Directory(
      parsed((document) => Object.assign(document, { groups: [{ name: "dba", claims: ["0f-1e"] }] })),
    );
    expect(directory.groupsOfClaims(["0f-1e", "leads", "dba"])).to.deep.equal(["dba", "leads"]);
    expect(directory.groupsOfClaims(["dba"])).to.deep.equal([]);
  });

  describe("rules", () => {
    const rules = [
      {
        name: "production",
        when: { tags: [{ key: "Environment", values: ["Production"] }] },
        thresholds: threshold("leads"),
      },
      { name: "tagged", when: { tags: [{ key: "keep" }] }, thresholds: threshold("dba") },
      {
        name: "rds of the unit",
        when: { events: ["rds:*"], units: ["ou-ab12-34567890"] },
        thresholds: threshold("dba"),
      },
      { name: "interns", when: { requesters: ["wei", "group:interns"] }, thresholds: threshold("leads") },
      {
        name: "account",
        when: { accounts: ["999999999999"], events: ["ec2:DeleteVpc"] },
        thresholds: threshold("dba"),
      },
      {
        name: "rest",
        thresholds: [
          ...threshold("dba"),
          { atLeast: 50, name: "high", levels: [level("dba"), level("leads", 2)] },
        ],
      },
    ];
    const directory = new Directory(parsed((document) => Object.assign(document, { rules })));
    const facts = {
      event: "ec2:TerminateInstances",
      account: "111122223333",
      units: ["ou-zz12-99999999", "r-ab12"],
      tags: [{ team: "orders" }],
      requester: directory.person("alice")!,
      riskScore: 10,
    };
    const chosen = (more: Partial<Parameters<typeof approversFor>[1]>) =>
      approversFor(directory, { ...facts, ...more }).rule.name;

    it("are tried in order, and the last one fits", () => {
      expect(chosen({})).to.equal("rest");
      expect(chosen({ tags: [{}, { environment: " production" }] })).to.equal("production");
      expect(chosen({ tags: [{ KEEP: "" }] })).to.equal("tagged");
      expect(chosen({ event: "rds:DeleteDBCluster", units: ["ou-ab12-34567890"] })).to.equal(
        "rds of the unit",
      );
      expect(chosen({ event: "rds:DeleteDBCluster" })).to.equal("rest");
      expect(chosen({ requester: directory.person("wei")! })).to.equal("interns");
      expect(chosen({ account: "999999999999" })).to.equal("rest");
      expect(chosen({ account: "999999999999", event: "ec2:DeleteVpc" })).to.equal("account");
    });

    it("hold when it cannot be known whether they hold", () => {
      expect(chosen({ tags: [undefined] })).to.equal("production");
      expect(chosen({ event: "rds:DeleteDBCluster", units: [] })).to.equal("rds of the unit");
    });

    it("ask for more at a higher risk", () => {
      expect(approversFor(directory, facts).threshold.levels).to.have.length(1);
      expect(approversFor(directory, { ...facts, riskScore: 50 }).threshold.levels).to.have.length(2);
    });
  });

  describe("at the moment of a decision", () => {
    function people(options: Partial<ConstructorParameters<typeof People>[0]> = {}) {
      const state = { text: JSON.stringify(sampleDirectory()) as string | undefined };
      const source = {
        async read() {
          if (state.text === undefined) throw new Error("gone");
          return state.text;
        },
      };
      return { state, people: new People({ source, log: silent, ...options }) };
    }

    it("is read anew, and nobody decides when it cannot be read", async () => {
      const { state, people: answers } = people();
      expect(await answers.actor("bob", "page")).to.include({ active: true });
      const changed = sampleDirectory();
      changed.people[1]!.active = false;
      state.text = JSON.stringify(changed);
      expect(await answers.actor("bob", "page")).to.include({ active: false });
      changed.people.splice(1, 1);
      state.text = JSON.stringify(changed);
      expect(await answers.actor("bob", "page")).to.equal(undefined);
      state.text = undefined;
      expect(await answers.actor("carol", "page").catch((error: Error) => error.message)).to.equal("gone");
      expect((await answers.lately()).person("carol")?.name).to.equal("Carol Díaz");
    });

    it("lets IAM take somebody's activity away, and be out of reach one way or the other", async () => {
      let answer: () => boolean = () => true;
      const check = { isActive: async () => answer() };
      const closed = people({ check }).people;
      const open = people({ check, activeWithoutAnswer: true }).people;
      expect((await closed.actor("bob", "page"))?.active).to.equal(true);
      answer = () => false;
      expect((await open.actor("bob", "page"))?.active).to.equal(false);
      answer = () => {
        throw new Error("IAM is out of reach");
      };
      expect((await closed.actor("bob", "page"))?.active).to.equal(false);
      expect((await open.actor("bob", "page"))?.active).to.equal(true);
      expect((await open.actor("frank", "page"))?.active).to.equal(false);
    });

    it("takes a provider's groups in place of its own", async () => {
      const { people: answers } = people();
      expect((await answers.actor("bob", "page", ["leads"]))?.groups).to.deep.equal(["leads"]);
      expect((await answers.actor("bob", "page", []))?.groups).to.deep.equal([]);
    });
  });

  it("looks IAM users up by name, in their own account only", async () => {
    const users: Record<string, { Tags?: { Key: string; Value: string }[] }> = {
      bob: {},
      eve: { Tags: [{ Key: "Bulkhead:Inactive", Value: "x" }] },
    };
    const asked: string[] = [];
    const client = {
      send: async (command: GetUserCommand) => {
        const name = command.input.UserName!;
        asked.push(name);
        if (name === "broken") throw new Error("throttled");
        if (!users[name]) throw new NoSuchEntityException({ $metadata: {}, message: "no" });
        return { User: users[name] };
      },
    };
    const check = new IamUserCheck((account) => (account === "111122223333" ? (client as never) : undefined));
    const person = (...names: string[]) => ({ ...parsed().people[0]!, identities: names });
    const user = (name: string, account = "111122223333") => `arn:aws:iam::${account}:user/ops/${name}`;
    expect(await check.isActive(person(user("bob"), user("gone")))).to.equal(true);
    expect(await check.isActive(person(user("gone")))).to.equal(false);
    expect(await check.isActive(person(user("bob"), user("eve")))).to.equal(false);
    expect(await check.isActive(person("bob.sso", user("gone", "999999999999")))).to.equal(true);
    expect(await check.isActive(person(user("broken"))).catch(() => "failed")).to.equal("failed");
    expect(asked).to.include.members(["bob", "gone", "eve", "broken"]);
  });

  it("reads documents from S3 and from parameters, and says where one cannot be read", async () => {
    const s3 = { send: async () => ({ Body: { transformToString: async () => "of S3" } }) } as never;
    const ssm = { send: async () => ({ Parameter: { Value: "of SSM" } }) } as never;
    expect(await documentSource("s3://bucket/a/key.json", { s3, ssm }).read()).to.equal("of S3");
    expect(await documentSource("ssm:/bulkhead/directory", { s3, ssm }).read()).to.equal("of SSM");
    const failing = { send: async () => ({}) } as never;
    const message = await documentSource("ssm:/a", { s3, ssm: failing })
      .read()
      .catch((error: Error) => error.message);
    expect(message).to.contain("ssm:/a cannot be read");
    expect(() => documentSource("https://example.com/x", { s3, ssm })).to.throw(
      "s3://BUCKET/KEY or ssm:/NAME",
    );
  });
});
