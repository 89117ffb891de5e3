/** The pages behind links, without a browser: what each request changes, and what it is told. */
import { expect } from "chai";
import * as fc from "fast-check";
import { createApp } from "../../../../functions/approval/http/app";
import { MAX_FORM_BYTES } from "../../../../functions/approval/http/request";
import type { HttpResponse } from "../../../../functions/approval/http/response";
import type { LinkSecret } from "../../../../functions/approval/links/secret";
import { linkHash } from "../../../../functions/approval/links/secret";
import {
  httpEvent,
  OPERATION_HASH,
  type PagesWorld,
  PREVIEW_HASH,
  pagesWorld,
  REQUEST_ID,
  type Sent,
  START,
  sampleDetails,
  sampleDirectory,
} from "../../../support/approvalPages";

const SEEN = `${PREVIEW_HASH.slice(0, 16)}-${OPERATION_HASH.slice(0, 16)}`;
const get = (world: PagesWorld, address: string, sent: Sent = {}) =>
  world.app(httpEvent("GET", address, sent));
const post = (world: PagesWorld, path: string, form: Record<string, string>, sent: Sent = {}) =>
  world.app(httpEvent("POST", path, { form, ...sent }));
const decide = (
  world: PagesWorld,
  path: string,
  { id, code }: LinkSecret,
  choice: string,
  more: Record<string, string> = {},
) => post(world, path, { link: id, code, choice, seen: SEEN, ...more });
const title = ({ body }: HttpResponse) => /<h1>([^<]*)<\/h1>/.exec(body)?.[1];

/** Up to the level, with its link's person about to decide. */
async function approving(): Promise<PagesWorld> {
  const world = await pagesWorld();
  await world.happens({ kind: "confirm", actor: await world.actor("alice") });
  return world;
}

describe("approval's pages behind links", () => {
  it("lead a request from the operator over both levels to the last word", async () => {
    const world = await pagesWorld();
    const steps: [string, string, string, number][] = [
      ["confirm", "alice", "confirm", 0],
      ["decide", "bob", "approve", 0],
      ["decide", "carol", "approve", 1],
      ["decide", "dave", "approve", 1],
      ["execute", "alice", "execute", 0],
    ];
    const states: string[] = [];
    for (const [purpose, person, choice, level] of steps) {
      const { deadline } = await world.request();
      const link = await world.link(person, purpose as "decide", {
        expiresAt: deadline,
        ...(purpose === "decide" && { level }),
      });
      const shown = await get(world, `/${purpose}?link=${link.id}`);
      expect(shown.statusCode, `${purpose} by ${person}`).to.equal(200);
      const answer = await decide(world, `/${purpose}`, link, choice);
      expect(answer.statusCode).to.equal(303);
      expect(answer.headers.location).to.equal(`${purpose}?link=${link.id}&lang=en`);
      const after = await get(world, `/${purpose}?link=${link.id}`);
      expect(title(after)).to.equal("Recorded");
      expect(after.body).not.to.contain('<form class="decision"');
      states.push((await world.request()).state);
    }
    expect(states).to.deep.equal(["approving", "approving", "approving", "approved", "snapshotting"]);
    expect(world.engine.changes.map(([, version]) => version)).to.deep.equal([2, 3, 4, 5, 6]);
    expect((await world.request()).approvals.map(({ channel }) => channel)).to.deep.equal([
      "page",
      "page",
      "page",
    ]);
  });

  it("change nothing by being looked at, by whatever and however often", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    const before = JSON.stringify([await world.request(), [...world.table.links.values()]]);
    for (const method of ["GET", "HEAD", "GET", "OPTIONS", "PUT", "DELETE", "PATCH"]) {
      const answer = await world.app(
        httpEvent(method, `/decide?link=${link.id}&code=${link.code}&choice=approve&seen=${SEEN}`),
      );
      expect(answer.statusCode, method).to.equal(method === "GET" || method === "HEAD" ? 200 : 405);
      if (method === "HEAD") expect(answer.body).to.equal("");
    }
    expect(JSON.stringify([await world.request(), [...world.table.links.values()]])).to.equal(before);
  });

  it("do not have the code, nor anything else that would do, in them", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    const { body } = await get(world, `/decide?link=${link.id}`);
    expect(body).not.to.contain(link.code);
    const inputs = [...body.matchAll(/<input[^>]*>/g)].map(([input]) => input);
    expect(inputs.filter((input) => input.includes("checked"))).to.deep.equal([]);
    // What a scanner sends that submits every form as it stands.
    const hidden = Object.fromEntries(
      inputs.flatMap((input): [string, string][] => {
        const [, name, value] = /name="([^"]*)" value="([^"]*)"/.exec(input) ?? [];
        return name && value !== undefined && input.includes("hidden") ? [[name, value]] : [];
      }),
    );
    for (const extra of [
      {},
      { choice: "approve" },
      { choice: "deny", reason: "x" },
      { choice: "approve", code: "" },
    ]) {
      const answer = await post(world, "/decide", { ...hidden, ...(extra as Record<string, string>) });
      expect(answer.statusCode).to.equal(422);
    }
    expect((await world.request()).version).to.equal(2);
    expect(world.table.links.get(linkHash(link.id))!.attempts).to.equal(0);
  });

  it("count wrong codes, lock, and offer a new mail three times", async () => {
    const world = await approving();
    let link = await world.link("bob", "decide");
    for (let renewals = 1; renewals <= 3; renewals++) {
      const wrong = { ...link, code: link.code === "000000" ? "000001" : "000000" };
      const answers: HttpResponse[] = [];
      for (let i = 0; i < 6; i++) answers.push(await decide(world, "/decide", wrong, "approve"));
      expect(answers[0]!.body).to.contain("Attempts left: 4.");
      expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([403, 403, 403, 403, 403, 403]);
      expect(title(answers[5]!)).to.equal("Too many wrong codes");
      expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(403);
      expect((await get(world, `/decide?link=${link.id}`)).body).to.contain('action="renew"');
      const racing = await Promise.all([1, 2, 3].map(() => post(world, "/renew", { link: link.id })));
      expect(racing.map(({ statusCode }) => statusCode).sort()).to.deep.equal([202, 409, 409]);
      expect(world.engine.renewals.at(-1)).to.deep.equal({
        requestId: REQUEST_ID,
        person: "bob",
        purpose: "decide",
        level: 0,
        renewals,
      });
      link = await world.link("bob", "decide", { renewals });
    }
    world.clock += 3_600_000;
    expect((await post(world, "/renew", { link: link.id })).statusCode).to.equal(409);
    expect(world.engine.renewals).to.have.length(3);
    expect((await world.request()).version).to.equal(2);
  });

  it("give no new mail for a link that is still good", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    expect((await post(world, "/renew", { link: link.id })).statusCode).to.equal(409);
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(303);
  });

  it("need a reason to deny, keep what was typed, and tell the reason", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    const missing = await decide(world, "/decide", link, "deny");
    expect(missing.statusCode).to.equal(422);
    expect(missing.body)
      .to.contain('href="#reason"')
      .and.to.match(/value="deny"\s+checked/);
    const long = await decide(world, "/decide", link, "deny", { reason: "x".repeat(1_001) });
    expect(long.statusCode).to.equal(422);
    expect(long.body).not.to.contain(link.code);
    expect(world.table.links.get(linkHash(link.id))!.attempts).to.equal(0);
    const denied = await decide(world, "/decide", link, "deny", { reason: " <b>no</b> " });
    expect(denied.statusCode).to.equal(303);
    const { body } = await get(world, `/decide?link=${link.id}`);
    expect(body).to.contain("Denied by Bob Marsh").and.to.contain("&lt;b&gt;no&lt;/b&gt;");
    expect((await world.request()).denial).to.include({ reason: "<b>no</b>" });
  });

  it("are for one stage, one choice and one person's part", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    expect((await decide(world, "/execute", link, "execute")).statusCode).to.equal(400);
    expect((await decide(world, "/decide", link, "execute")).statusCode).to.equal(422);
    expect((await decide(world, "/decide", link, "bypass", { reason: "x" })).statusCode).to.equal(422);
    expect((await decide(world, "/decide", link, "approve", { seen: "0-0" })).body).to.contain(
      "changed while you were looking",
    );
    const wrongPath = await get(world, `/execute?link=${link.id}`);
    expect(wrongPath.headers.location).to.equal(`decide?link=${link.id}&lang=en`);
    expect((await world.request()).version).to.equal(2);
  });

  it("tell the late that it is handled, those whom it is not for, and those who are gone", async () => {
    const world = await approving();
    const [bob, carol, alice, frank, mallory] = [
      await world.link("bob", "decide"),
      await world.link("carol", "decide"),
      await world.link("alice", "decide"),
      await world.link("frank", "decide"),
      await world.link("dave", "decide"),
    ];
    const own = await get(world, `/decide?link=${alice.id}`);
    expect(title(own)).to.equal("Not for you");
    expect(own.body).to.contain("You asked for this operation yourself");
    expect((await get(world, `/decide?link=${frank.id}`)).body).to.contain("has been deactivated");
    expect((await get(world, `/decide?link=${mallory.id}`)).body).to.contain("do not belong to the group");
    for (const link of [alice, frank, mallory]) {
      expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(409);
    }
    await decide(world, "/decide", bob, "approve");
    expect(title(await get(world, `/decide?link=${carol.id}`))).to.equal("Already handled");
    expect((await decide(world, "/decide", carol, "approve")).statusCode).to.equal(409);
    expect((await world.request()).version).to.equal(3);
  });

  it("let nobody act who was deactivated since the mail went out, nor anybody while the directory is out of reach", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    const document = sampleDirectory();
    document.people[1]!.active = false;
    const good = world.directory;
    world.directory = undefined;
    const failed = await decide(world, "/decide", link, "approve");
    expect(failed.statusCode).to.equal(500);
    expect(failed.body).to.contain("JKJaXmPLvHcESHA=").and.not.to.contain("out of reach");
    world.directory = JSON.stringify(document);
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(409);
    document.people.splice(1, 1);
    world.directory = JSON.stringify({
      ...document,
      rules: [
        {
          name: "r",
          thresholds: [
            { atLeast: 0, name: "x", levels: [{ group: "leads", quorum: 1, timeoutSeconds: 60 }] },
          ],
        },
      ],
    });
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(403);
    expect((await world.request()).version).to.equal(2);
    world.directory = good;
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(303);
  });

  it("end with their stage", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    world.clock = START + 3_600_000;
    const shown = await get(world, `/decide?link=${link.id}`);
    expect([shown.statusCode, title(shown)]).to.deep.equal([410, "This link has ended"]);
    expect(shown.body).not.to.contain('action="renew"');
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(410);
    await world.happens({ kind: "tick" });
    expect(title(await get(world, `/decide?link=${link.id}`))).to.equal("Already handled");
  });

  it("lead nowhere when they are wrong, and to the cell that issued them", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    for (const wrong of ["", "x", link.id.slice(1), "A".repeat(43), `${link.id}'`]) {
      expect((await get(world, `/decide?link=${encodeURIComponent(wrong)}`)).statusCode).to.equal(404);
      expect((await decide(world, "/decide", { ...link, id: wrong }, "approve")).statusCode).to.equal(404);
    }
    const elsewhere = createApp({ ...world.parts, cell: "dr" });
    const answer = await elsewhere(
      httpEvent("POST", "/decide", {
        form: { link: link.id, code: link.code, choice: "approve", seen: SEEN },
      }),
    );
    expect([answer.statusCode, title(answer)]).to.deep.equal([421, "Another region holds this request"]);
    expect((await world.request()).version).to.equal(2);
  });

  it("are sent once however often the button is pressed, and race with others to one outcome", async () => {
    const world = await approving();
    const [bob, carol] = [await world.link("bob", "decide"), await world.link("carol", "decide")];
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => decide(world, "/decide", bob, "approve")),
      decide(world, "/decide", carol, "deny", { reason: "no" }),
    ]);
    for (const { statusCode } of answers) expect([303, 409]).to.include(statusCode);
    const { state, version } = await world.request();
    expect(version).to.equal(state === "denied" ? (await world.request()).approvals.length + 3 : 3);
    expect(world.engine.changes).to.have.length(version - 2);
  });

  it("have taken effect also when the engine cannot be told", async () => {
    const world = await approving();
    world.engine.failing = true;
    const link = await world.link("bob", "decide");
    expect((await decide(world, "/decide", link, "approve")).statusCode).to.equal(303);
    expect((await world.request()).level).to.equal(1);
    expect(
      world.log.some(([level, message]) => level === "error" && message.includes("could not be told")),
    ).to.equal(true);
  });

  it("are not shown when what is stored is not what an approval would be bound to", async () => {
    const world = await pagesWorld();
    const broken = { ...sampleDetails(), previewHash: "b".repeat(64) };
    const app = createApp({
      ...world.parts,
      table: new Proxy(world.table, {
        get: (table, key: keyof typeof world.table) =>
          key === "readDetails"
            ? async () => broken
            : typeof table[key] === "function"
              ? (table[key] as () => unknown).bind(table)
              : table[key],
      }),
    });
    const link = await world.link("alice", "confirm");
    expect((await app(httpEvent("GET", `/confirm?link=${link.id}`))).statusCode).to.equal(500);
    expect(world.log.at(-1)![2]).to.include({ code: "details-mismatch" });
  });

  it("log neither ids of links nor codes nor what people typed", async () => {
    const world = await approving();
    const link = await world.link("bob", "decide");
    await decide(world, "/decide", { ...link, code: "999999" }, "approve");
    await decide(world, "/decide", link, "deny", { reason: "a secret reason" });
    await get(world, `/decide?link=${link.id}`);
    const logged = JSON.stringify(world.log);
    for (const secret of [link.id, link.code, "999999", "a secret reason", "example.com"])
      expect(logged).not.to.contain(secret);
    expect(logged).to.contain(REQUEST_ID);
  });

  describe("over HTTP", () => {
    it("carry every header, on every answer", async () => {
      const world = await approving();
      const link = await world.link("bob", "decide");
      const answers = [
        await get(world, `/decide?link=${link.id}`),
        await get(world, "/nothing"),
        await decide(world, "/decide", link, "approve"),
        await post(world, "/decide", {}, { headers: { "content-type": "text/plain" } }),
        await world.app({ nonsense: true }),
      ];
      for (const { headers } of answers) {
        expect(headers).to.include({
          "cache-control": "no-store",
          "referrer-policy": "no-referrer",
          "x-frame-options": "DENY",
          "x-content-type-options": "nosniff",
          "strict-transport-security": "max-age=63072000",
        });
        expect(headers["content-security-policy"]).to.match(
          /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
        );
      }
      expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([200, 404, 303, 400, 400]);
    });

    it("take forms in base64, and no others than forms", async () => {
      const world = await approving();
      const link = await world.link("bob", "decide");
      const form = { link: link.id, code: link.code, choice: "approve", seen: SEEN };
      const body = new URLSearchParams(form).toString();
      const send = (sent: Sent) => world.app(httpEvent("POST", "/decide", sent));
      const type = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };
      const refused: [Sent, number][] = [
        [{ body: JSON.stringify(form), headers: { "content-type": "application/json" } }, 400],
        [{ body }, 400],
        [{ body, headers: { "content-type": "multipart/form-data" } }, 400],
        [{ body: `${body}&choice=deny`, headers: type }, 400],
        [{ body: `${body}&x=${"y".repeat(MAX_FORM_BYTES)}`, headers: type }, 413],
        [{ body, headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-16" } }, 400],
      ];
      for (const [sent, status] of refused) expect((await send(sent)).statusCode).to.equal(status);
      expect(
        (await send({ body, headers: { "Content-Type": type["content-type"] }, base64: true })).statusCode,
      ).to.equal(303);
    });

    it("speak the browser's language, and the one that is asked for", async () => {
      const world = await approving();
      const link = await world.link("bob", "decide");
      const language = async (address: string, accept?: string) =>
        /<html lang="([^"]+)"/.exec(
          (await get(world, address, accept === undefined ? {} : { headers: { "accept-language": accept } }))
            .body,
        )?.[1];
      const address = `/decide?link=${link.id}`;
      expect(await language(address)).to.equal("en");
      expect(await language(address, "zh-CN,zh;q=0.9,en;q=0.8")).to.equal("zh-Hans");
      expect(await language(address, "de,en;q=0.5,zh;q=0.4")).to.equal("en");
      expect(await language(address, "zh;q=0, en;q=0.1")).to.equal("en");
      expect(await language(`${address}&lang=zh`, "en")).to.equal("zh-Hans");
      expect(await language(`${address}&lang=fr`, "zh")).to.equal("zh-Hans");
      const answer = await decide(world, "/decide", link, "approve", { lang: "zh" });
      expect(answer.headers.location).to.equal(`decide?link=${link.id}&lang=zh`);
    });

    it("never fail on anything that is sent (property)", async () => {
      const world = await approving();
      const link = await world.link("bob", "decide");
      const version = (await world.request()).version;
      const text = fc.string({ unit: "binary", maxLength: 60 });
      const event = fc.record({
        version: fc.constant("2.0"),
        rawPath: fc.oneof(
          text,
          fc.constantFrom(
            "/confirm",
            "/decide",
            "/execute",
            "/status",
            "/form",
            "/renew",
            "/slack",
            "/requests",
            "/new",
            "/__proto__",
            "/constructor",
          ),
        ),
        rawQueryString: fc.oneof(text, fc.constant(`link=${link.id}`), fc.constant("link=%ff%00&lang=%zz")),
        cookies: fc.array(text, { maxLength: 3 }),
        headers: fc.dictionary(
          fc.constantFrom("content-type", "accept-language", "origin", "cookie", "host"),
          fc.oneof(text, fc.constant("application/x-www-form-urlencoded")),
        ),
        requestContext: fc.record({
          http: fc.record({ method: fc.constantFrom("GET", "POST", "HEAD", "TRACE", "get") }),
          stage: fc.oneof(fc.constant("$default"), text),
        }),
        body: fc.oneof(
          text,
          fc.constant(`link=${link.id}&choice=approve&seen=${SEEN}`),
          fc.constant(`link=${link.id}&choice=approve&seen=${SEEN}&code=x`),
        ),
        isBase64Encoded: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.oneof(event, fc.anything()), async (sent) => {
          const { statusCode, headers } = await world.app(sent);
          expect(statusCode).to.be.within(200, 499);
          expect(headers).to.have.property("content-security-policy");
        }),
        { seed: 20261122, numRuns: 1_000 },
      );
      expect((await world.request()).version).to.equal(version);
    });
  });

  describe("for a denied call that said too little", () => {
    const draft = { event: "rds:DeleteDBCluster", account: "111122223333", region: "us-east-1" };
    const fields = {
      operation: "rds:DeleteDBCluster",
      "parameter.DBClusterIdentifier": "Orders",
      "parameter.SkipFinalSnapshot": "true",
      reason: "gone",
    };

    it("open the request that the form describes, once", async () => {
      const world = await pagesWorld();
      const link = await world.link("alice", "form", { requestId: "event-1", draft });
      const shown = await get(world, `/form?link=${link.id}`);
      expect(shown.body).to.contain("DBClusterIdentifier").and.to.contain("111122223333");
      const wrong = await post(world, "/form", {
        ...fields,
        link: link.id,
        code: link.code,
        "parameter.DBClusterIdentifier": "*",
      });
      expect(wrong.statusCode).to.equal(422);
      expect(wrong.body).to.contain("DBClusterIdentifier of DeleteDBCluster is not");
      const other = await post(world, "/form", {
        ...fields,
        link: link.id,
        code: link.code,
        operation: "ec2:DeleteVpc",
      });
      expect(other.statusCode).to.equal(400);
      expect((await post(world, "/form", { ...fields, link: link.id, code: "" })).statusCode).to.equal(403);
      expect(world.engine.opened).to.deep.equal([]);
      expect((await post(world, "/form", { ...fields, link: link.id, code: link.code })).statusCode).to.equal(
        303,
      );
      expect(world.engine.opened).to.deep.equal([
        {
          requestId: "event-1",
          person: "alice",
          service: "rds",
          api: "DeleteDBCluster",
          input: { DBClusterIdentifier: "Orders", SkipFinalSnapshot: true },
          account: "111122223333",
          region: "us-east-1",
          reason: "gone",
        },
      ]);
      expect(title(await post(world, "/form", { ...fields, link: link.id, code: link.code }))).to.equal(
        "Recorded",
      );
      expect(world.engine.opened).to.have.length(1);
    });

    it("say why one cannot be opened", async () => {
      const world = await pagesWorld();
      world.engine.answer = { opened: false, reason: "exists" };
      const link = await world.link("alice", "form", { requestId: "event-1", draft });
      const answer = await post(world, "/form", { ...fields, link: link.id, code: link.code });
      expect(answer.statusCode).to.equal(409);
      expect(answer.body).to.contain("open request for this operation already");
      expect(world.table.links.get(linkHash(link.id))!.spent).to.equal(undefined);
    });
  });
});
