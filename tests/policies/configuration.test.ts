import { expect } from "chai";
import { rules } from "../../policypacks/identity-dr";
import { analyze, analyzeStack } from "./support/analyze";

const USER = {
  type: "aws:iam/user:User",
  name: "user",
  props: { name: "breakglass-admin-1", path: "/break-glass/" },
};
const KEY = { type: "aws:iam/accessKey:AccessKey", name: "key", props: { user: "breakglass-admin-1" } };

const RULE = "break-glass-no-access-keys";

async function refusal(config: Record<string, unknown>): Promise<string> {
  return analyze(RULE, KEY, config).then(
    () => "accepted",
    (error: Error) => error.message,
  );
}

describe("configuration of rules", () => {
  it("suppresses by URN pattern, for resources and for stacks", async () => {
    const exclude = [{ urn: "urn:pulumi:prod::*::key", reason: "removed next week" }];
    expect(await analyze(RULE, KEY, { exclude })).to.deep.equal([]);
    expect(await analyze(RULE, { ...KEY, name: "other" }, { exclude })).to.have.length(1);
    const users = [{ urn: "*aws:iam/user:User::us??", reason: "a test account" }];
    expect(await analyzeStack("break-glass-requires-mfa", [USER], { exclude: users })).to.deep.equal([]);
    expect(await analyzeStack("break-glass-requires-mfa", [USER], { exclude })).to.have.length(1);
  });

  it("takes the pattern's other characters as they are", async () => {
    expect(await analyze(RULE, KEY, { exclude: [{ urn: "urn.pulumi*", reason: "x" }] })).to.have.length(1);
  });

  it("refuses a suppression without a reason, on every rule", async () => {
    for (const { id, policy } of rules) {
      const config = { exclude: [{ urn: "*", reason: "  " }] };
      const run = "validateResource" in policy ? analyze(id, KEY, config) : analyzeStack(id, [USER], config);
      const error: Error | undefined = await run.then(
        () => undefined,
        (refused: Error) => refused,
      );
      expect(error?.message).to.include(`${id}: exclude[0] (*) has no "reason"`);
    }
  });

  it("refuses what it does not understand, by name", async () => {
    expect(await refusal({ exclude: "urn:*" })).to.match(/exclude is "urn:\*": write exclude: \[/);
    expect(await refusal({ exclude: [{ reason: "x" }] })).to.include('exclude[0] has no "urn"');
    expect(await refusal({ exclude: ["urn:*"] })).to.include('exclude[0] has no "urn"');
    expect(await refusal({ excludes: [] })).to.equal(
      `${RULE}: there is no option "excludes"; allowed are exclude, paths, userNames`,
    );
    expect(await refusal({ paths: "/x/" })).to.equal(`${RULE}: paths is "/x/": write a list of texts`);
    expect(await refusal({ paths: [""] })).to.include("write a list of texts");
  });

  it("describes every option in the schema that the engine checks", () => {
    for (const { policy, options } of rules) {
      const properties = policy.configSchema?.properties ?? {};
      expect(Object.keys(properties).sort()).to.deep.equal(["exclude", ...Object.keys(options)].sort());
      const items = properties.exclude?.items as { required: string[] };
      expect(items.required).to.deep.equal(["urn", "reason"]);
    }
  });
});
