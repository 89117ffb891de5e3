import { expect } from "chai";
import { analyze, analyzeStack, UNKNOWN_VALUE, urnOf } from "./support/analyze";

const RULE = "break-glass-no-access-keys";
const KEY = "aws:iam/accessKey:AccessKey";
const USER = "aws:iam/user:User";

describe(RULE, () => {
  it("rejects the key of a user with an emergency name", async () => {
    const [message, ...others] = await analyze(RULE, {
      type: KEY,
      name: "key",
      props: { user: "breakglass-admin-1" },
    });
    expect(others).to.deep.equal([]);
    expect(message).to.match(
      /^aws:iam\/accessKey:AccessKey "key": user: "breakglass-admin-1" is an emergency user/,
    );
    expect(message).to.match(/Instead: remove the key/);
  });

  it("compares names as IAM does, without case", async () => {
    expect(await analyze(RULE, { type: KEY, props: { user: "BreakGlass-Admin-2" } })).to.have.length(1);
  });

  it("rejects the key of aws-native and takes other names from its configuration", async () => {
    expect(
      await analyze(RULE, { type: "aws-native:iam:AccessKey", props: { userName: "breakglass-admin-1" } }),
    ).to.have.length(1);
    const config = { userNames: ["acme-emergency-?"] };
    expect(await analyze(RULE, { type: KEY, props: { user: "acme-emergency-1" } }, config)).to.have.length(1);
    expect(await analyze(RULE, { type: KEY, props: { user: "breakglass-admin-1" } }, config)).to.deep.equal(
      [],
    );
  });

  it("accepts other users' keys and emergency users without keys", async () => {
    expect(await analyze(RULE, { type: KEY, props: { user: "deploy" } })).to.deep.equal([]);
    expect(await analyze(RULE, { type: USER, props: { name: "breakglass-admin-1" } })).to.deep.equal([]);
  });

  it("says nothing while the user is not known", async () => {
    expect(await analyze(RULE, { type: KEY, props: { user: UNKNOWN_VALUE } })).to.deep.equal([]);
  });

  describe("over the stack", () => {
    const user = (name: string, path: string, resourceName = "user") => ({
      type: USER,
      name: resourceName,
      props: { name, path },
    });

    it("rejects the key of a user at an emergency path, by the user's name", async () => {
      const key = { type: KEY, name: "key", props: { user: "alice" } };
      const found = await analyzeStack(RULE, [user("alice", "/break-glass/"), key]);
      expect(found).to.have.length(1);
      expect(found[0]?.urn).to.equal(urnOf(key));
      expect(found[0]?.message).to.include('"alice" at path "/break-glass/" is an emergency user');
    });

    it("rejects the key of a user below an emergency path", async () => {
      const key = { type: KEY, props: { user: "alice" } };
      expect(await analyzeStack(RULE, [user("alice", "/break-glass/eu/"), key])).to.have.length(1);
      expect(await analyzeStack(RULE, [user("alice", "/ops/"), key], { paths: ["/ops/"] })).to.have.length(1);
    });

    it("follows an unknown name to the user resource that it comes from", async () => {
      const emergency = { type: USER, name: "user", props: { name: UNKNOWN_VALUE, path: "/break-glass/" } };
      const other = { type: USER, name: "other", props: { name: UNKNOWN_VALUE, path: "/" } };
      const keyOf = (owner: { type: string; name: string }) => ({
        type: KEY,
        name: "key",
        props: { user: UNKNOWN_VALUE },
        propertyDependencies: { user: [urnOf(owner)] },
      });
      const found = await analyzeStack(RULE, [emergency, other, keyOf(emergency)]);
      expect(found).to.have.length(1);
      expect(found[0]?.message).to.include('"user" at path "/break-glass/"');
      expect(await analyzeStack(RULE, [emergency, other, keyOf(other)])).to.deep.equal([]);
    });

    it("accepts an unknown name of unknown origin, users elsewhere, unknown paths", async () => {
      const key = { type: KEY, props: { user: UNKNOWN_VALUE } };
      expect(await analyzeStack(RULE, [user("alice", "/break-glass/"), key])).to.deep.equal([]);
      const named = { type: KEY, props: { user: "alice" } };
      expect(await analyzeStack(RULE, [user("alice", "/"), named])).to.deep.equal([]);
      expect(await analyzeStack(RULE, [user("alice", UNKNOWN_VALUE), named])).to.deep.equal([]);
      expect(await analyzeStack(RULE, [user("alice", "/not/break-glass/"), named])).to.deep.equal([]);
    });

    it("does not report a second time what the name alone has shown", async () => {
      const key = { type: KEY, props: { user: "breakglass-admin-1" } };
      expect(await analyzeStack(RULE, [user("breakglass-admin-1", "/break-glass/"), key])).to.deep.equal([]);
    });
  });
});
