/** Signing in at a real provider on this machine, and acting as who has signed in. */
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { createApp } from "../../../../functions/approval/http/app";
import type { ActingBy } from "../../../../functions/approval/http/parts";
import type { HttpResponse } from "../../../../functions/approval/http/response";
import { Seal } from "../../../../functions/approval/http/seal";
import { SESSION_COOKIE, Sessions } from "../../../../functions/approval/http/session";
import { type OidcSettings, OidcSignIn } from "../../../../functions/approval/http/signIn";
import {
  httpEvent,
  OPERATION_HASH,
  type PagesWorld,
  PREVIEW_HASH,
  pagesWorld,
  REQUEST_ID,
  type Sent,
} from "../../../support/approvalPages";
import { type OidcProvider, startOidcProvider } from "../../../support/oidcProvider";

const SEEN = `${PREVIEW_HASH.slice(0, 16)}-${OPERATION_HASH.slice(0, 16)}`;
const title = ({ body }: HttpResponse) => /<h1>([^<]*)<\/h1>/.exec(body)?.[1];
const csrfOf = ({ body }: HttpResponse) => /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";

describe("signing in to approval's pages", () => {
  let provider: OidcProvider;
  before(async () => {
    provider = await startOidcProvider();
  });
  after(() => provider?.stop());
  beforeEach(() => {
    Object.assign(provider.behaviour, {
      claims: { email: "bob@example.com", email_verified: true, groups: ["dba", "everyone"] },
      denies: false,
      wrongClaims: {},
      wrongKey: false,
    });
  });

  /** The pages with this provider, and a browser that keeps cookies. */
  async function setUp(acting: ActingBy = "signIn", settings: Partial<OidcSettings> = {}) {
    const world = await pagesWorld();
    const values: Record<string, string> = {
      "/secret": provider.clientSecret,
      "/key": randomBytes(32).toString("base64"),
    };
    const parameters = { read: async (name: string) => values[name]!, forget() {} };
    const now = () => world.clock;
    const seal = new Seal("/key", parameters, now);
    const signIn = {
      seal,
      sessions: new Sessions(seal, 3_600, now),
      provider: new OidcSignIn(
        {
          issuer: provider.issuer,
          clientId: provider.clientId,
          clientSecretParameter: "/secret",
          ...settings,
        },
        `${world.parts.baseUrl}/callback`,
        parameters,
        true,
      ),
    };
    const app = createApp({ ...world.parts, acting, signIn });
    const jar = new Map<string, string>();
    async function visit(method: "GET" | "POST", address: string, sent: Sent = {}): Promise<HttpResponse> {
      const answer = await app(
        httpEvent(method, address, { ...sent, cookies: [...jar].map(([name, value]) => `${name}=${value}`) }),
      );
      for (const set of answer.cookies ?? []) {
        const [pair = "", ...attributes] = set.split("; ");
        expect(attributes).to.include.members(["Path=/", "Secure", "HttpOnly", "SameSite=Lax"]);
        const [name = "", value = ""] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
        expect(name).to.match(/^__Host-/);
        if (attributes.includes("Max-Age=0")) jar.delete(name);
        else jar.set(name, value);
      }
      return answer;
    }
    /** From the sign-in page to the provider and back. */
    async function goThere(to = "requests"): Promise<URL> {
      const away = await visit("GET", `/sign-in?to=${encodeURIComponent(to)}`);
      const back = await fetch(away.headers.location!, { redirect: "manual" });
      return new URL(back.headers.get("location")!);
    }
    async function signsIn(to?: string): Promise<HttpResponse> {
      const { pathname, search } = await goThere(to);
      return visit("GET", `${pathname}${search}`);
    }
    return { world, visit, goThere, signsIn, jar, values };
  }
  const confirmed = async (world: PagesWorld) =>
    world.happens({ kind: "confirm", actor: await world.actor("alice") });

  it("leads back to the link, where the person decides without a code", async () => {
    const { world, visit, signsIn } = await setUp();
    await confirmed(world);
    const link = await world.link("bob", "decide");
    const address = `decide?link=${link.id}`;
    const before = await visit("GET", `/${address}`);
    expect([before.statusCode, title(before)]).to.deep.equal([401, "Sign in"]);
    expect(before.body).not.to.contain("i-0fc5d99558e8357e8");
    const without = await visit("POST", "/decide", {
      form: { link: link.id, code: link.code, choice: "approve", seen: SEEN },
    });
    expect(without.statusCode).to.equal(401);
    const back = await signsIn(address);
    expect(back.headers.location).to.equal(`${address}&lang=en`);
    const page = await visit("GET", `/${address}`);
    expect(page.body).to.contain("Signed in as Bob Marsh").and.not.to.contain('name="code"');
    const form = { link: link.id, choice: "approve", seen: SEEN, csrf: csrfOf(page) };
    const answer = await visit("POST", "/decide", {
      form,
      headers: { origin: "null", "sec-fetch-site": "same-origin" },
    });
    expect(answer.statusCode).to.equal(303);
    const { approvals } = await world.request();
    expect(approvals[0]).to.include({ channel: "page, signed in" });
    expect(approvals[0]!.by).to.include("bob@example.com");
  });

  it("shows nobody's link to anybody else", async () => {
    const { world, visit, signsIn } = await setUp();
    await confirmed(world);
    const link = await world.link("carol", "decide");
    await signsIn();
    const page = await visit("GET", `/decide?link=${link.id}`);
    expect([page.statusCode, title(page)]).to.deep.equal([403, "Not for you"]);
    expect(page.body).not.to.contain("i-0fc5d99558e8357e8");
    const form = { link: link.id, choice: "approve", seen: SEEN, csrf: csrfOf(page) };
    expect((await visit("POST", "/decide", { form })).statusCode).to.equal(403);
    expect((await world.request()).approvals).to.deep.equal([]);
  });

  it("refuses forms of other sites, and those without the session's token", async () => {
    const { world, visit, signsIn } = await setUp();
    await confirmed(world);
    const link = await world.link("bob", "decide");
    await signsIn();
    const csrf = csrfOf(await visit("GET", `/decide?link=${link.id}`));
    const form = { link: link.id, choice: "approve", seen: SEEN };
    const request = { id: REQUEST_ID, level: "0", choice: "approve", seen: SEEN };
    const attempts: [Record<string, string>, Record<string, string>][] = [
      [{}, {}],
      [{ csrf: "guess" }, {}],
      [{ csrf }, { "sec-fetch-site": "cross-site" }],
      [{ csrf }, { "sec-fetch-site": "same-site" }],
      [{ csrf }, { origin: "https://evil.example" }],
    ];
    for (const [more, headers] of attempts) {
      expect((await visit("POST", "/decide", { form: { ...form, ...more }, headers })).statusCode).to.equal(
        400,
      );
      expect(
        (await visit("POST", "/request", { form: { ...request, ...more }, headers })).statusCode,
      ).to.equal(400);
    }
    expect((await world.request()).version).to.equal(2);
    expect(
      (
        await visit("POST", "/request", {
          form: { ...request, csrf },
          headers: { origin: "https://approval.example.com" },
        })
      ).statusCode,
    ).to.equal(303);
  });

  it("lists what concerns somebody, and lets them decide there", async () => {
    const { world, visit, signsIn } = await setUp("either");
    expect((await visit("GET", "/requests")).headers.location).to.contain("sign-in?to=requests");
    await signsIn();
    const waiting = await visit("GET", "/requests");
    expect(waiting.body).to.contain(`request?id=${REQUEST_ID}`).and.not.to.contain("waits for you");
    await confirmed(world);
    expect((await visit("GET", "/requests")).body).to.contain("waits for you");
    const page = await visit("GET", `/request?id=${REQUEST_ID}`);
    const choices = [...page.body.matchAll(/name="choice" value="(\w+)"/g)].map(([, choice]) => choice);
    expect(choices).to.deep.equal(["approve", "deny"]);
    const form = { id: REQUEST_ID, level: "0", seen: SEEN, csrf: csrfOf(page) };
    for (const wrong of [
      { choice: "execute" },
      { choice: "bypass", reason: "x" },
      { choice: "deny" },
      {},
      { choice: "approve", level: "1" },
    ]) {
      expect(
        (await visit("POST", "/request", { form: { ...form, ...wrong } as Record<string, string> }))
          .statusCode,
      ).to.equal(422);
    }
    expect((await visit("POST", "/request", { form: { ...form, choice: "approve" } })).statusCode).to.equal(
      303,
    );
    expect((await world.request()).level).to.equal(1);
    expect((await visit("GET", `/request?id=${REQUEST_ID}`)).body).not.to.contain('name="choice"');
    expect((await visit("GET", "/request?id=nothing")).statusCode).to.equal(404);
  });

  it("hides requests from those who have nothing to do with them", async () => {
    provider.behaviour.claims = { email: "erin@example.com", email_verified: true, groups: ["everyone"] };
    const { visit, signsIn } = await setUp("signIn", { groupsClaim: "groups" });
    await signsIn();
    expect((await visit("GET", "/requests")).body).to.contain("None is under way");
    expect((await visit("GET", `/request?id=${REQUEST_ID}`)).statusCode).to.equal(404);
  });

  it("takes groups from the provider's claim, where one is configured", async () => {
    provider.behaviour.claims = { email: "dave@example.com", email_verified: true, groups: ["dba"] };
    const { world, visit, signsIn } = await setUp("signIn", { groupsClaim: "groups" });
    await confirmed(world);
    await signsIn();
    const page = await visit("GET", `/request?id=${REQUEST_ID}`);
    const form = { id: REQUEST_ID, level: "0", seen: SEEN, csrf: csrfOf(page), choice: "approve" };
    expect((await visit("POST", "/request", { form })).statusCode).to.equal(303);
    expect((await world.request()).approvals[0]!.by).to.include("dave@example.com");
  });

  it("has the bypass for its group only, with a reason, and never for the requester", async () => {
    provider.behaviour.claims = { email: "erin@example.com", email_verified: true };
    const { world, visit, signsIn } = await setUp();
    await signsIn();
    const page = await visit("GET", `/request?id=${REQUEST_ID}`);
    const form = { id: REQUEST_ID, level: "0", seen: SEEN, csrf: csrfOf(page), choice: "bypass" };
    expect((await visit("POST", "/request", { form })).statusCode).to.equal(422);
    expect(
      (await visit("POST", "/request", { form: { ...form, reason: "the shop is down" } })).statusCode,
    ).to.equal(303);
    expect((await world.request()).bypass).to.include({ reason: "the shop is down" });
  });

  it("opens requests by hand, one for each form", async () => {
    const { world, visit, signsIn } = await setUp();
    await signsIn();
    expect((await visit("GET", "/new")).body).to.contain("ec2:TerminateInstances");
    const page = await visit("GET", "/new?operation=ec2%3ATerminateInstances");
    const id = /name="id" value="([^"]+)"/.exec(page.body)![1]!;
    const form = {
      operation: "ec2:TerminateInstances",
      id,
      csrf: csrfOf(page),
      account: "111122223333",
      region: "us-east-1",
      reason: "old",
    };
    const wrong: [Record<string, string>, string][] = [
      [{ "parameter.InstanceIds": "i-1" }, "InstanceIds of TerminateInstances is not"],
      [{ "parameter.InstanceIds": "i-0fc5d99558e8357e8", account: "1" }, "12 digits"],
      [{ "parameter.InstanceIds": "i-0fc5d99558e8357e8", region: "moon-1" }, "such as us-east-1"],
      [
        {
          "parameter.InstanceIds": Array.from(
            { length: 40 },
            (_, i) => `i-0fc5d99558e83${String(i).padStart(4, "0")}`,
          ).join(" "),
        },
        "40 &gt; 27",
      ],
    ];
    for (const [fields, says] of wrong) {
      const answer = await visit("POST", "/new", { form: { ...form, ...fields } });
      expect([answer.statusCode, answer.body.includes(says)], says).to.deep.equal([422, true]);
    }
    const fields = { ...form, "parameter.InstanceIds": "i-0fc5d99558e8357e8\ni-0fc5d99558e8357e9" };
    expect((await visit("POST", "/new", { form: fields })).headers.location).to.equal(
      `request?id=${id}&lang=en`,
    );
    expect(world.engine.opened).to.deep.equal([
      {
        requestId: id,
        person: "bob",
        service: "ec2",
        api: "TerminateInstances",
        input: { InstanceIds: ["i-0fc5d99558e8357e8", "i-0fc5d99558e8357e9"] },
        account: "111122223333",
        region: "us-east-1",
        reason: "old",
      },
    ]);
  });

  it("offers sign-in or code where either will do", async () => {
    const { world, visit } = await setUp("either");
    await confirmed(world);
    const link = await world.link("bob", "decide");
    const page = await visit("GET", `/decide?link=${link.id}`);
    expect(page.body).to.contain("sign-in?to=decide").and.to.contain('name="code"');
    const form = { link: link.id, code: link.code, choice: "approve", seen: SEEN };
    expect((await visit("POST", "/decide", { form })).statusCode).to.equal(303);
  });

  const failures: [string, () => void][] = [
    ["the provider refuses", () => Object.assign(provider.behaviour, { denies: true })],
    ["the nonce is another's", () => Object.assign(provider.behaviour, { wrongClaims: { nonce: "x" } })],
    [
      "the token is for another client",
      () => Object.assign(provider.behaviour, { wrongClaims: { aud: "other" } }),
    ],
    [
      "the token is another issuer's",
      () => Object.assign(provider.behaviour, { wrongClaims: { iss: "https://other.example" } }),
    ],
    ["the token is over", () => Object.assign(provider.behaviour, { wrongClaims: { exp: 1_000_000_000 } })],
    [
      "the address is not verified",
      () => Object.assign(provider.behaviour.claims, { email_verified: false }),
    ],
    ["there is no address", () => Object.assign(provider.behaviour, { claims: {} })],
  ];
  for (const [what, arrange] of failures) {
    it(`signs nobody in when ${what}`, async () => {
      arrange();
      const { signsIn, jar } = await setUp();
      const answer = await signsIn();
      expect([answer.statusCode, title(answer)]).to.deep.equal([400, "You are not signed in"]);
      expect(jar.has(SESSION_COOKIE)).to.equal(false);
    });
  }

  it("signs nobody in whom the directory does not have, or not as active", async () => {
    for (const email of ["mallory@example.com", "frank@example.com"]) {
      provider.behaviour.claims = { email, email_verified: true };
      const { signsIn, jar } = await setUp();
      expect((await signsIn()).statusCode).to.equal(403);
      expect(jar.has(SESSION_COOKIE)).to.equal(false);
    }
  });

  it("takes an answer once, from the browser that asked, not too late", async () => {
    const { world, visit, goThere, jar } = await setUp();
    const first = await goThere();
    const cookies = new Map(jar);
    jar.clear();
    expect((await visit("GET", `/callback${first.search}`)).statusCode).to.equal(400);
    for (const [name, value] of cookies) jar.set(name, value);
    const forged = new URL(first);
    forged.searchParams.set("state", "other");
    expect((await visit("GET", `/callback${forged.search}`)).statusCode).to.equal(400);
    expect((await visit("GET", `/callback${first.search}`)).statusCode).to.equal(303);
    for (const [name, value] of cookies) jar.set(name, value);
    expect((await visit("GET", `/callback${first.search}`)).statusCode).to.equal(400);
    const late = await goThere();
    world.clock += 901_000;
    expect((await visit("GET", `/callback${late.search}`)).statusCode).to.equal(400);
  });

  it("leads nowhere but to its own pages", async () => {
    const { signsIn } = await setUp();
    for (const to of [
      "https://evil.example/",
      "//evil.example",
      "/\\evil",
      "decide?link=x",
      "requests?next=//evil.example",
      "javascript:alert(1)",
    ]) {
      expect((await signsIn(to)).headers.location).to.equal("requests?lang=en");
    }
  });

  it("ends: by itself, by signing out, with the key, and with the person's place in the directory", async () => {
    const { world, visit, signsIn, jar, values } = await setUp();
    await signsIn();
    const page = await visit("GET", "/requests");
    expect(page.statusCode).to.equal(200);
    const stolen = new Map(jar);
    expect((await visit("POST", "/sign-out", { form: {} })).statusCode).to.equal(400);
    const out = await visit("POST", "/sign-out", { form: { csrf: csrfOf(page) } });
    expect(out.body).to.contain(`${provider.issuer}/end`).and.not.to.contain("Signed in as");
    expect(jar.has(SESSION_COOKIE)).to.equal(false);
    await signsIn();
    const document = JSON.parse(world.directory!) as { people: { id: string; active?: boolean }[] };
    document.people[1]!.active = false;
    const good = world.directory;
    world.directory = JSON.stringify(document);
    expect((await visit("GET", "/requests")).statusCode).to.equal(403);
    world.directory = good;
    world.clock += 3_600_000;
    expect((await visit("GET", "/requests")).statusCode).to.equal(303);
    await signsIn();
    const old = values["/key"]!;
    values["/key"] = `${randomBytes(32).toString("base64")}, ${old}`;
    expect((await visit("GET", "/requests")).statusCode).to.equal(200);
    values["/key"] = randomBytes(32).toString("base64");
    expect((await visit("GET", "/requests")).statusCode).to.equal(303);
    expect(stolen.size).to.be.above(0);
  });

  it("takes no cookie that was changed, or made for something else", async () => {
    const { visit, signsIn, goThere, jar } = await setUp();
    await signsIn();
    const good = jar.get(SESSION_COOKIE)!;
    for (const index of [0, 20, good.length - 1]) {
      const letter = good[index] === "A" ? "B" : "A";
      jar.set(SESSION_COOKIE, `${good.slice(0, index)}${letter}${good.slice(index + 1)}`);
      expect((await visit("GET", "/requests")).statusCode).to.equal(303);
    }
    jar.clear();
    await goThere();
    const [pending] = [...jar.values()];
    jar.set(SESSION_COOKIE, pending!);
    expect((await visit("GET", "/requests")).statusCode).to.equal(303);
  });

  it("says what is wrong with a key", async () => {
    const seal = new Seal("/k", { read: async () => "c2hvcnQ=", forget() {} }, Date.now);
    expect(await seal.close("x", {}, 1).catch((error: Error) => error.message)).to.contain("32 random bytes");
  });
});
