import { expect } from "chai";
import { equal, json, policy } from "../../local/provider/schema";

const document = (...statements: object[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
const same = (a: string, b: string) => equal(policy(), a, b);

describe("comparing JSON documents by meaning", () => {
  const statement = { Effect: "Allow", Action: ["a:B", "a:C"], Resource: "*" };

  it("takes order, repetition and single values in lists as nothing", () => {
    expect(
      same(
        document(statement),
        document({ Resource: ["*"], Action: ["a:C", "a:B", "a:B"], Effect: "Allow" }),
      ),
    ).to.equal(true);
    const deny = { Effect: "Deny", Action: "a:D", Resource: "*" };
    expect(same(document(statement, deny), document(deny, statement))).to.equal(true);
    expect(
      same(document(statement), JSON.stringify({ Version: "2012-10-17", Statement: statement })),
    ).to.equal(true);
  });

  it("takes an account and its root as one principal", () => {
    const of = (AWS: unknown) =>
      document({ Effect: "Allow", Action: "*", Resource: "*", Principal: { AWS } });
    expect(same(of("111111111111"), of(["arn:aws-cn:iam::111111111111:root"]))).to.equal(true);
    expect(same(of("111111111111"), of("222222222222"))).to.equal(false);
  });

  it("takes condition values as text", () => {
    const of = (value: unknown) =>
      document({ ...statement, Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": value } } });
    expect(same(of(false), of(["false"]))).to.equal(true);
    expect(same(of(false), of(true))).to.equal(false);
  });

  it("sees every real difference", () => {
    expect(same(document(statement), document({ ...statement, Effect: "Deny" }))).to.equal(false);
    expect(same(document(statement), document({ ...statement, Sid: "Named" }))).to.equal(false);
    expect(same(document(statement), document({ ...statement, NotAction: "a:B" }))).to.equal(false);
    expect(same(document(statement), document(statement).replace("2012-10-17", "2008-10-17"))).to.equal(
      false,
    );
  });

  it("keeps the order of lists in other documents", () => {
    expect(equal(json(), '{"a": [1, 2], "b": 1}', '{"b":1,"a":[1,2]}')).to.equal(true);
    expect(equal(json(), '{"a": [1, 2]}', '{"a": [2, 1]}')).to.equal(false);
  });
});
