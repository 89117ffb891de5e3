import { expect } from "chai";
import type { Person } from "../../../functions/approval/directory/document";
import { StageAnnouncer } from "../../../functions/approval/engine/announcer";
import type { Delivery } from "../../../functions/approval/messages/messenger";
import { DIRECTORY, world } from "./support/engineWorld";
import { denied, EVENT_ID } from "./support/events";

const event = denied("ec2", "TerminateInstances", {
  instancesSet: { items: [{ instanceId: "i-0fc5d99558e8357e8" }] },
});

describe("who is told what", () => {
  const escalating = structuredClone(DIRECTORY) as unknown as {
    people: object[];
    rules: { thresholds: { levels: object[] }[] }[];
  };
  escalating.people.push({ id: "olaf", name: "Olaf", mail: "olaf@example.com", groups: ["on-call"] });
  escalating.rules[0]!.thresholds[0]!.levels[0] = {
    group: "dba",
    quorum: 1,
    timeoutSeconds: 600,
    escalation: { group: "on-call", afterSeconds: 300 },
  };

  function announcing(delivered = true) {
    const made = world({ directory: escalating });
    const sent: string[] = [];
    const send = async (kind: string, people: readonly Person[]): Promise<Delivery[]> => {
      sent.push(`${kind}: ${people.map(({ id }) => id).join(" ")}`);
      return people.map(({ id }) => ({ person: id, delivered }));
    };
    const announcer = new StageAnnouncer({
      messenger: {
        ask: (kind, _about, people) => send(kind, people),
        tell: (kind, _about, people) => send(kind, people),
        askForm: (person) => send("form", [person]),
        tellRefused: (person) => send("refused", [person]),
        post: async () => 0,
      },
      people: made.parts.people,
      formSeconds: 900,
      now: made.parts.now,
    });
    return { ...made, announcer, sent };
  }

  it("is asked at each stage who can act, and told at the end who took part", async () => {
    const { announcer, sent, deliver, run, table, everybodyAgrees, parts } = announcing();
    await deliver(event);
    (parts as { announcer: unknown }).announcer = announcer;
    const seen = new Set<string>();
    await run(EVENT_ID, async (id) => {
      const request = (await table.read(id))!;
      // Nobody of the first level is there, until the second group is asked too.
      if (request.state === "approving" && request.level === 0 && !request.escalated) return;
      seen.add(request.state);
      await everybodyAgrees(id);
    });
    expect(sent).to.deep.equal([
      "confirm: alice",
      "decide: bob",
      "escalation: olaf",
      "decide: carol dave",
      "execute: alice",
      "done: alice bob carol",
    ]);
  });

  it("is tried again when no mail left", async () => {
    const { announcer, deliver, table } = announcing(false);
    await deliver(event);
    const [request, details] = [(await table.read(EVENT_ID))!, (await table.readDetails(EVENT_ID))!];
    const failure = await announcer.tell(request, details).catch((error: { code?: string }) => error.code);
    expect(failure).to.equal("nobody-told");
  });

  it("gets a new mail only for what they are still asked", async () => {
    const { announcer, sent, deliver, table } = announcing();
    await deliver(event);
    const [request, details] = [(await table.read(EVENT_ID))!, (await table.readDetails(EVENT_ID))!];
    await announcer.renew({ person: "alice", purpose: "confirm", renewals: 1 }, request, details);
    await announcer.renew({ person: "bob", purpose: "confirm", renewals: 1 }, request, details);
    await announcer.renew({ person: "bob", purpose: "decide", level: 0, renewals: 1 }, request, details);
    expect(sent).to.deep.equal(["confirm: alice"]);
  });
});
