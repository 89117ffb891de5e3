import { expect } from "chai";
import type { OutageState } from "../../local/outage/control";
import { type RegionProxy, startRegionProxy } from "../../local/outage/proxy";
import { type FakeAws, startFakeAws } from "./support/fakeAws";
import { ask, signedFor } from "./support/requests";

describe("Control API of the region proxy", () => {
  let aws: FakeAws;
  let proxy: RegionProxy;
  const rule = { regions: ["us-east-1"], globalServices: true, mode: "refuse" };

  beforeEach(async () => {
    aws = await startFakeAws();
    proxy = await startRegionProxy({ target: aws.url });
  });
  afterEach(async () => {
    await proxy.stop();
    await aws.stop();
  });

  const control = (method: string, path = "", body?: unknown) =>
    ask(proxy.url, {
      method,
      path: `/_outage${path}`,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const state = async (): Promise<OutageState> => JSON.parse((await control("GET")).body.toString());

  it("sets, shows and ends an outage", async () => {
    expect((await state()).rule).to.equal(null);
    expect((await control("PUT", "", rule)).status).to.equal(204);
    expect((await state()).rule).to.deep.equal(rule);
    expect(proxy.outage()).to.deep.equal(rule);
    expect(aws.outages).to.have.length(1);
    expect((await control("DELETE")).status).to.equal(204);
    expect((await state()).rule).to.equal(null);
    expect(proxy.outage()).to.equal(undefined);
  });

  it("shows calls with counts, marks and forgets them, and is not among them", async () => {
    expect((await control("PUT", "/label", { label: "drill" })).status).to.equal(204);
    for (const region of ["us-west-2", "us-west-2", "eu-west-1"]) {
      await ask(proxy.url, { headers: { authorization: signedFor("sts", region) } });
    }
    const shown = await state();
    expect(shown.label).to.equal("drill");
    expect(shown.calls.map((call) => call.label)).to.deep.equal(["drill", "drill", "drill"]);
    expect(shown.counts).to.deep.equal([
      { region: "eu-west-1", service: "sts", outcome: "passed", count: 1 },
      { region: "us-west-2", service: "sts", outcome: "passed", count: 2 },
    ]);
    expect(shown).to.include({ held: 0, forgotten: 0 });
    await control("DELETE", "/calls");
    await control("PUT", "/label", { label: null });
    expect(await state()).to.deep.include({ calls: [], counts: [], label: null });
    expect(aws.received.some(({ url }) => url.startsWith("/_outage"))).to.equal(false);
  });

  const refused: [string, () => ReturnType<typeof ask>, number, string][] = [
    ["a rule with faults", () => control("PUT", "", { ...rule, mode: "x" }), 400, "not an outage rule: mode"],
    [
      "a body that is not JSON",
      () => ask(proxy.url, { method: "PUT", path: "/_outage", body: "{" }),
      400,
      "not JSON",
    ],
    [
      "a body without end",
      () => ask(proxy.url, { method: "PUT", path: "/_outage", body: "x".repeat(70_000) }),
      400,
      "longer than",
    ],
    ["a label that is none", () => control("PUT", "/label", { label: "" }), 400, "1 to 200"],
    ["an address that is none", () => control("GET", "/nothing"), 404, "PUT and DELETE /_outage"],
    [
      "a name of somebody's own",
      () => ask(proxy.url, { path: "/_outage", headers: { host: "evil.example" } }),
      403,
      "loopback",
    ],
  ];
  for (const [what, send, status, message] of refused) {
    it(`refuses ${what}`, async () => {
      const answer = await send();
      expect(answer.status).to.equal(status);
      expect(JSON.parse(answer.body.toString()).message).to.contain(message);
      expect(proxy.outage()).to.equal(undefined);
    });
  }

  it("says when the emulated AWS could not be told", async () => {
    await aws.stop();
    const answer = await control("PUT", "", rule);
    expect(answer.status).to.equal(502);
    expect(JSON.parse(answer.body.toString()).message).to.contain("did not answer");
    expect(proxy.outage()).to.deep.equal(rule);
  });

  it("is at the loopback address only", () => {
    expect(new URL(proxy.url).hostname).to.equal("127.0.0.1");
  });
});
