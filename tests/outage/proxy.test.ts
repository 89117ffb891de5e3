import { createHash, randomBytes } from "node:crypto";
import * as http from "node:http";
import * as net from "node:net";
import { expect } from "chai";
import * as fc from "fast-check";
import { type RegionProxy, startRegionProxy } from "../../local/outage/proxy";
import type { OutageRule } from "../../local/outage/types";
import { type FakeAws, startFakeAws } from "./support/fakeAws";
import { type Ask, ask, signedFor, until } from "./support/requests";

const LOST: Omit<OutageRule, "mode"> = { regions: ["us-east-1"], globalServices: true };
const REFUSE: OutageRule = { ...LOST, mode: "refuse" };
const HANG: OutageRule = { ...LOST, mode: "hang" };

const call = (service: string, region: string, more: Ask = {}): Ask => ({
  method: "POST",
  ...more,
  headers: { authorization: signedFor(service, region), ...more.headers },
});

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
  return "none";
}

describe("Region proxy", () => {
  let aws: FakeAws;
  let proxy: RegionProxy;
  let agent: http.Agent;

  beforeEach(async () => {
    aws = await startFakeAws();
    proxy = await startRegionProxy({ target: aws.url });
    agent = new http.Agent({ keepAlive: true });
  });
  afterEach(async () => {
    agent.destroy();
    await proxy.stop();
    await aws.stop();
  });

  describe("without an outage", () => {
    it("hands on method, path, query, headers and body unchanged, and the answer back", async () => {
      aws.answer = (_request, response) => {
        response.writeHead(418, "Short And Stout", [
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
          ["x-amzn-RequestId", "r"],
        ]);
        response.end("tea");
      };
      const path = "/a%20b//c/../%7Ed?x=1&x=%2F&=";
      const headers = {
        host: "bucket.s3.us-west-2.amazonaws.com",
        "X-Amz-Date": "d",
        "x-bulkhead-endpoint": "e",
      };
      const answer = await ask(proxy.url, call("s3", "us-west-2", { method: "PUT", path: "/", headers }));
      expect(answer.status).to.equal(418);
      expect(answer.body.toString()).to.equal("tea");
      expect(answer.headers["set-cookie"]).to.deep.equal(["a=1", "b=2"]);
      expect(answer.headers["x-amzn-requestid"]).to.equal("r");
      // A path that a URL parser would tidy up, which would break its signature.
      const socket = net.connect(Number(new URL(proxy.url).port), "127.0.0.1");
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: raw.example\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n\r\n`,
      );
      await until(() => aws.received.length === 2, "the second request");
      socket.destroy();
      expect(aws.received[0]?.headers.host).to.equal(headers.host);
      expect(aws.received[0]?.headers["x-bulkhead-endpoint"]).to.equal("e");
      expect(aws.received[1]?.url).to.equal(path);
      expect(aws.received[1]?.rawHeaders.filter((_, i, all) => all[i - 1] === "X-Twice")).to.deep.equal([
        "1",
        "2",
      ]);
      expect(aws.received[1]?.headers).not.to.have.property("x-hop");
    });

    for (const [what, headers] of [
      ["of known length", {}],
      ["in chunks", { "transfer-encoding": "chunked" }],
    ] as const) {
      it(`streams a body of 40 MB ${what} both ways`, async () => {
        const body = randomBytes(40 * 1024 * 1024);
        const answer = await ask(
          proxy.url,
          call("s3", "us-west-2", { method: "PUT", path: "/b/k", body, headers }),
        );
        const sum = (data: Buffer) => createHash("sha256").update(data).digest("hex");
        expect(sum(aws.received[0]?.body ?? Buffer.alloc(0))).to.equal(sum(body));
        expect(sum(answer.body)).to.equal(sum(body));
      });
    }

    it("reads only the start of a long form", async () => {
      const body = `Action=PutUserPolicy&PolicyDocument=${"x".repeat(1024 * 1024)}`;
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const answer = await ask(proxy.url, call("iam", "us-west-2", { body, headers }));
      expect(answer.body.toString()).to.equal(body);
      expect(proxy.calls()[0]).to.include({ service: "iam", action: "PutUserPolicy", region: "us-east-1" });
    });

    for (const method of ["GET", "HEAD", "DELETE", "POST", "PUT"]) {
      it(`sends a ${method} without a body as one without a body`, async () => {
        await ask(proxy.url, call("s3", "us-west-2", { method, path: "/b/k" }));
        expect(aws.received[0]?.method).to.equal(method);
        expect(aws.received[0]?.headers).not.to.have.property("transfer-encoding");
        expect(aws.received[0]?.body.length).to.equal(0);
      });
    }

    it("asks the client to go on when it waits for that", async () => {
      const request = http.request(new URL("/b/k", proxy.url), {
        method: "PUT",
        headers: { expect: "100-continue", "content-length": 3, authorization: signedFor("s3", "us-west-2") },
      });
      await new Promise((resolve) => request.once("continue", resolve).flushHeaders());
      const answered = new Promise<http.IncomingMessage>((resolve) => request.once("response", resolve));
      request.end("abc");
      (await answered).resume();
      expect(aws.received[0]?.body.toString()).to.equal("abc");
    });

    it("hands on the beginning of an answer before its end", async () => {
      let finish = () => {};
      aws.answer = (_request, response) => {
        response.writeHead(200).write("first");
        finish = () => response.end("last");
      };
      const request = http
        .request(proxy.url, { headers: { authorization: signedFor("logs", "us-west-2") } })
        .end();
      const response = await new Promise<http.IncomingMessage>((resolve) =>
        request.once("response", resolve),
      );
      const chunk = await new Promise<Buffer>((resolve) => response.once("data", resolve));
      expect(chunk.toString()).to.equal("first");
      finish();
      expect((await response.toArray()).join("")).to.equal("last");
    });

    it("hands on the beginning of a request before its end", async () => {
      let arrived = 0;
      const reader = http.createServer((request, response) => {
        request.on("data", (chunk: Buffer) => {
          arrived += chunk.length;
        });
        request.on("end", () => response.end());
      });
      await new Promise<void>((resolve) => reader.listen(0, "127.0.0.1", resolve));
      const other = await startRegionProxy({
        target: `http://127.0.0.1:${(reader.address() as net.AddressInfo).port}`,
        tellTarget: false,
      });
      const request = http.request(new URL("/b/k", other.url), {
        method: "PUT",
        headers: { authorization: signedFor("s3", "us-west-2") },
      });
      request.write("first");
      await until(() => arrived === 5, "the first part at the target");
      const answered = new Promise<http.IncomingMessage>((resolve) => request.once("response", resolve));
      request.end("last");
      expect((await answered).resume().statusCode).to.equal(200);
      expect(arrived).to.equal(9);
      await other.stop();
      await new Promise((resolve) => reader.close(resolve));
    });

    it("keeps connections for many calls", async () => {
      const sockets = new Set<number | undefined>();
      const one = new http.Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = 0; i < 20; i += 1) {
        const request = http.request(proxy.url, { agent: one }).end();
        const response = await new Promise<http.IncomingMessage>((resolve) =>
          request.once("response", resolve),
        );
        await response.toArray();
        sockets.add(request.socket?.localPort);
      }
      one.destroy();
      expect(sockets.size).to.equal(1);
    });

    it("answers 502 with what to do when the target is gone", async () => {
      await aws.stop();
      const answer = await ask(proxy.url, call("sts", "us-west-2"));
      expect(answer.status).to.equal(502);
      expect(answer.body.toString()).to.contain(aws.url).and.contain("still running");
      expect(proxy.calls()[0]).to.include({ outcome: "passed", status: 502 });
    });

    it("breaks off when the target breaks off in the middle of an answer", async () => {
      aws.answer = (_request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("part", () => response.destroy());
      };
      expect(await failure(ask(proxy.url, call("s3", "us-west-2")))).to.equal("ECONNRESET");
      await until(() => proxy.calls()[0]?.durationMs !== undefined, "the call's end");
      expect(proxy.calls()[0]).not.to.have.property("status");
    });

    it("does not carry out half a request", async () => {
      const request = http.request(new URL("/b/k", proxy.url), {
        method: "PUT",
        headers: { "content-length": 1000, authorization: signedFor("s3", "us-west-2") },
      });
      request.on("error", () => {});
      request.write("half");
      await until(() => proxy.calls().length === 1, "the call");
      request.destroy();
      await until(() => aws.broken === 1, "the break at the target");
      expect(aws.received).to.have.length(0);
      await until(() => proxy.calls()[0]?.durationMs !== undefined, "the call's end");
      expect(proxy.calls()[0]).to.include({ outcome: "passed" }).and.not.to.have.property("status");
    });

    it("does not count a form that never came whole", async () => {
      const request = http.request(proxy.url, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": 1000,
          authorization: signedFor("iam", "us-east-1"),
        },
      });
      request.on("error", () => {});
      await new Promise((resolve) => request.write("Action=CreateUser", resolve));
      request.destroy();
      await ask(proxy.url, call("sts", "us-west-2"));
      expect(proxy.calls().map((entry) => entry.service)).to.deep.equal(["sts"]);
    });

    it("leaves the emulator's own paths alone and uncounted, also in an outage", async () => {
      await proxy.setOutage(REFUSE);
      for (const path of ["/_bulkhead/inbox", "/_ministack/ses/messages"]) {
        expect(
          (await ask(proxy.url, { path, headers: { authorization: signedFor("iam", "us-east-1") } })).status,
        ).to.equal(200);
      }
      expect(proxy.calls()).to.deep.equal([]);
    });
  });

  describe("refusing", () => {
    it("resets the connection of lost calls and answers the others", async () => {
      await proxy.setOutage(REFUSE);
      expect(await failure(ask(proxy.url, call("dynamodb", "us-east-1")))).to.equal("ECONNRESET");
      expect(await failure(ask(proxy.url, call("iam", "us-west-2")))).to.equal("ECONNRESET");
      const body = "Action=GetCallerIdentity";
      const headers = {
        "x-bulkhead-endpoint": "sts.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded",
      };
      expect(await failure(ask(proxy.url, call("sts", "us-west-2", { headers, body })))).to.equal(
        "ECONNRESET",
      );
      expect((await ask(proxy.url, call("dynamodb", "us-west-2"))).status).to.equal(200);
      expect(aws.received).to.have.length(1);
      expect(
        proxy.calls().map(({ service, region, outcome, status }) => [service, region, outcome, status]),
      ).to.deep.equal([
        ["dynamodb", "us-east-1", "refused", undefined],
        ["iam", "us-east-1", "refused", undefined],
        ["sts", "us-east-1", "refused", undefined],
        ["dynamodb", "us-west-2", "passed", 200],
      ]);
      await proxy.setOutage(undefined);
      expect((await ask(proxy.url, call("iam", "us-west-2"))).status).to.equal(200);
    });

    it("costs no answer to a request sent earlier on the same connection", async () => {
      await proxy.setOutage(REFUSE);
      let release = () => {};
      aws.answer = (_request, response) => {
        release = () => response.end("first answer");
      };
      const socket = net.connect(Number(new URL(proxy.url).port), "127.0.0.1");
      let text = "";
      socket.on("data", (data) => {
        text += data.toString();
      });
      socket.on("error", () => {});
      const raw = (region: string) =>
        `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${signedFor("sns", region)}\r\n\r\n`;
      socket.write(raw("us-west-2") + raw("us-east-1"));
      await until(() => aws.received.length === 1, "the first request");
      release();
      await until(() => socket.destroyed, "the reset");
      expect(text).to.contain("first answer");
      expect(proxy.calls().map((entry) => entry.outcome)).to.deep.equal(["passed", "refused"]);
    });
  });

  describe("hanging", () => {
    it("holds lost calls, and carries each out once when the outage ends", async () => {
      await proxy.setOutage(HANG);
      const bodies = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(i * 10_000, "x"));
      const answers = bodies.map((body) =>
        ask(proxy.url, call("s3", "us-east-1", { method: "PUT", path: "/b/k", body })),
      );
      await until(() => proxy.calls().length === bodies.length, "all calls");
      expect((await ask(proxy.url, call("s3", "us-west-2"))).status).to.equal(200);
      expect(aws.received).to.have.length(1);
      expect(
        proxy.calls().filter((entry) => entry.outcome === "hung" && entry.durationMs === undefined),
      ).to.have.length(20);
      await proxy.setOutage(undefined);
      expect((await Promise.all(answers)).map(({ body }) => body.toString())).to.deep.equal(bodies);
      expect(aws.received).to.have.length(21);
      expect(
        proxy.calls().filter((entry) => entry.outcome === "hung" && entry.status === 200),
      ).to.have.length(20);
    });

    for (const [what, size] of [
      ["short", 10],
      ["long", 4 * 1024 * 1024],
    ] as const) {
      it(`forgets a caller with a ${what} body who leaves`, async () => {
        await proxy.setOutage(HANG);
        const leave = new AbortController();
        const body = Buffer.alloc(size);
        const asked = failure(
          ask(
            proxy.url,
            call("s3", "us-east-1", { method: "PUT", path: "/b/k", body, signal: leave.signal }),
          ),
        );
        await until(() => proxy.calls().length === 1, "the call");
        leave.abort();
        expect(await asked).to.equal("ABORT_ERR");
        await until(() => proxy.calls()[0]?.durationMs !== undefined, "the call's end");
        await proxy.setOutage(undefined);
        await ask(proxy.url, call("s3", "us-west-2"));
        expect(aws.received).to.have.length(1);
        expect(proxy.calls()[0]).to.include({ outcome: "hung" }).and.not.to.have.property("status");
      });
    }

    it("obeys the rule that follows: refused when the outage turns to refusing", async () => {
      await proxy.setOutage(HANG);
      const asked = failure(ask(proxy.url, call("iam", "us-east-1")));
      await until(() => proxy.calls().length === 1, "the call");
      await proxy.setOutage(REFUSE);
      expect(await asked).to.equal("ECONNRESET");
      await until(() => proxy.calls()[0]?.durationMs !== undefined, "the call's end");
      expect(proxy.calls()[0]?.outcome).to.equal("refused");
    });

    it("stops with calls held: they are broken off, not carried out", async () => {
      await proxy.setOutage(HANG);
      const asked = failure(ask(proxy.url, call("iam", "us-east-1", { agent })));
      await until(() => proxy.calls().length === 1, "the call");
      await proxy.stop();
      expect(await asked).to.equal("ECONNRESET");
      expect(aws.received).to.have.length(0);
      expect(aws.outages.at(-1)).to.deep.equal({ regions: [], globalServices: false });
    });
  });

  describe("slowing", () => {
    it("delays lost calls by the given time, others not", async () => {
      await proxy.setOutage({ ...LOST, mode: "slow", delayMs: 60 });
      expect((await ask(proxy.url, call("iam", "us-west-2"))).status).to.equal(200);
      const [slow] = proxy.calls();
      expect(slow).to.include({ outcome: "slowed", status: 200 });
      expect(slow?.durationMs).to.be.at.least(60);
      await ask(proxy.url, call("sns", "us-west-2"));
      expect(proxy.calls()[1]?.outcome).to.equal("passed");
    });

    it("lets them go at once when the outage ends", async () => {
      await proxy.setOutage({ ...LOST, mode: "slow", delayMs: 600_000 });
      const asked = ask(proxy.url, call("iam", "us-west-2"));
      await until(() => proxy.calls().length === 1, "the call");
      await proxy.setOutage(undefined);
      expect((await asked).status).to.equal(200);
    });
  });

  describe("telling the emulated AWS", () => {
    it("tells each change once, in order; slow is none", async () => {
      await proxy.setOutage(undefined);
      await Promise.all([
        proxy.setOutage(REFUSE),
        proxy.setOutage(HANG),
        proxy.setOutage({ regions: ["us-west-2"], globalServices: false, mode: "hang" }),
        proxy.setOutage({ ...LOST, mode: "slow", delayMs: 1 }),
      ]);
      await proxy.setOutage(undefined);
      expect(aws.outages).to.deep.equal([
        { regions: ["us-east-1"], globalServices: true },
        { regions: ["us-west-2"], globalServices: false },
        { regions: [], globalServices: false },
      ]);
    });

    it("says clearly that it cannot, and obeys for calls", async () => {
      const bare = await startFakeAws(false);
      const other = await startRegionProxy({ target: bare.url });
      try {
        const message = await failure(other.setOutage(REFUSE));
        expect(message)
          .to.contain(`${bare.url}/_bulkhead/outage answered 404`)
          .and.contain("tellTarget: false");
        expect(await failure(ask(other.url, call("iam", "us-east-1")))).to.equal("ECONNRESET");
        await other.setOutage(undefined);
        expect((await ask(other.url, call("iam", "us-east-1"))).status).to.equal(200);
      } finally {
        await other.stop();
        await bare.stop();
      }
    });

    it("can do without", async () => {
      const quiet = await startRegionProxy({ target: aws.url, tellTarget: false });
      await quiet.setOutage(REFUSE);
      await quiet.stop();
      expect(aws.outages).to.deep.equal([]);
    });

    it("changes nothing for a rule that is not valid", async () => {
      expect(await failure(proxy.setOutage({ ...REFUSE, regions: ["x"] }))).to.contain(
        '"x" is not the name of a region',
      );
      expect(proxy.outage()).to.equal(undefined);
      expect(aws.outages).to.deep.equal([]);
    });
  });

  it("marks calls with the phase, and forgets them on reset", async () => {
    proxy.label("before");
    await ask(proxy.url, call("sts", "us-west-2"));
    proxy.label(undefined);
    await ask(proxy.url, call("sts", "us-west-2"));
    expect(proxy.calls().map((entry) => entry.label)).to.deep.equal(["before", undefined]);
    expect(new Date(proxy.calls()[0]?.at ?? "").getTime()).to.be.closeTo(Date.now(), 10_000);
    proxy.reset();
    expect(proxy.calls()).to.deep.equal([]);
  });

  it("refuses a target that is none, and a port that is taken, in words", async () => {
    expect(await failure(startRegionProxy({ target: "https://aws.example" }))).to.contain("http://HOST:PORT");
    expect(await failure(startRegionProxy({ target: "nonsense" }))).to.contain("nonsense");
    const port = Number(new URL(proxy.url).port);
    expect(await failure(startRegionProxy({ target: aws.url, port }))).to.contain(
      `Port ${port} on 127.0.0.1 is in use`,
    );
  });

  it("loses no call and doubles none while rules change under load", async function () {
    this.timeout(120_000);
    const anyRule = fc.option(
      fc.record({
        regions: fc.subarray(["us-east-1", "us-west-2"], { minLength: 1 }),
        globalServices: fc.boolean(),
        mode: fc.constantFrom("refuse" as const, "hang" as const),
      }),
      { nil: undefined },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyRule, { minLength: 1, maxLength: 12 }), async (rules) => {
        proxy.reset();
        aws.received.length = 0;
        let sent = 0;
        const results: Promise<{ id: string; answered: string | undefined }>[] = [];
        const send = (service: string, region: string) => {
          const id = `${sent}`;
          sent += 1;
          const body = id.padEnd(1 + ((sent * 7919) % 90_000), "-");
          const asked = ask(proxy.url, call(service, region, { body, agent, path: "/b/k", method: "PUT" }));
          results.push(
            asked.then(
              (answer) => ({ id, answered: answer.body.toString().replace(/-+$/, "") }),
              () => ({ id, answered: undefined }),
            ),
          );
        };
        for (const rule of rules) {
          for (const [service, region] of [
            ["s3", "us-east-1"],
            ["s3", "us-west-2"],
            ["iam", "us-west-2"],
            ["s3", "eu-west-1"],
          ] as const) {
            send(service, region);
            send(service, region);
          }
          await proxy.setOutage(rule);
        }
        await until(() => proxy.calls().length >= sent, "the arrival of every call");
        await proxy.setOutage(undefined);
        const answers = await Promise.all(results);
        await until(
          () => proxy.calls().every((entry) => entry.durationMs !== undefined),
          "the end of every call",
        );

        const answered = answers.filter((answer) => answer.answered !== undefined);
        for (const { id, answered: own } of answered) expect(own).to.equal(id);
        // Each answered call reached the target once, each refused one never.
        const carriedOut = aws.received.map(({ body }) => body.toString().replace(/-+$/, "")).sort();
        expect(carriedOut).to.deep.equal(answered.map(({ id }) => id).sort());
        // And the proxy counts what its callers felt.
        const entries = proxy.calls();
        expect(entries).to.have.length(sent);
        expect(entries.filter((entry) => entry.status === 200)).to.have.length(answered.length);
        expect(entries.filter((entry) => entry.outcome === "refused")).to.have.length(sent - answered.length);
      }),
      { seed: 3, numRuns: 15, endOnFailure: true },
    );
  });
});
