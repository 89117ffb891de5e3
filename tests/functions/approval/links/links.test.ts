import { expect } from "chai";
import * as fc from "fast-check";
import { eventOf } from "../../../../functions/approval/http/acts";
import { actByLink, followLink } from "../../../../functions/approval/links/act";
import { InMemoryRequestTable } from "../../../../functions/approval/links/inMemoryRequestTable";
import { issueLink } from "../../../../functions/approval/links/issue";
import { MAX_ATTEMPTS } from "../../../../functions/approval/links/link";
import {
  codeHash,
  isLinkId,
  type LinkSecret,
  linkHash,
  newLinkSecret,
  readableCode,
  sameHash,
  typedCode,
} from "../../../../functions/approval/links/secret";
import { happen } from "../../../../functions/approval/workflow/happen";
import { type Actor, newRequest } from "../../../../functions/approval/workflow/request";

const SEED = 20261122;
const START = Date.UTC(2026, 10, 22, 3);
const ID = "3c4226b0-1e81-48a8-a333-7fa5f3cbd118";
const groups: Record<string, string[]> = {
  alice: ["dba"],
  bob: ["dba"],
  carol: ["dba", "leads"],
  dave: ["leads"],
};
const PEOPLE = Object.keys(groups);

/** A request, people who can be deactivated, and a clock. */
class World {
  readonly table = new InMemoryRequestTable();
  readonly inactive = new Set<string>();
  clock = START;
  readonly parts = {
    table: this.table,
    cell: "prod",
    now: () => this.clock,
    people: {
      actor: async (person: string, channel: string): Promise<Actor | undefined> =>
        person in groups
          ? {
              identities: [`person:${person}`],
              groups: groups[person]!,
              active: !this.inactive.has(person),
              channel,
            }
          : undefined,
    },
  };

  async open() {
    await this.table.open(
      newRequest(
        {
          id: ID,
          operationHash: "0".repeat(64),
          previewHash: "a".repeat(64),
          requester: ["person:alice"],
          levels: [
            { group: "dba", quorum: 1, timeoutSeconds: 600 },
            { group: "leads", quorum: 2, timeoutSeconds: 600 },
          ],
          snapshotFirst: false,
          confirmationSeconds: 600,
          workSeconds: 60,
        },
        START,
      ),
    );
    return this;
  }

  async link(person: string, purpose: "confirm" | "decide" | "execute", level = 0) {
    const { deadline } = (await this.table.read(ID))!;
    return issueLink(
      this.table,
      { requestId: ID, person, purpose, ...(purpose === "decide" && { level }), expiresAt: deadline },
      { cell: "prod", now: this.parts.now },
    );
  }

  async act({ id }: LinkSecret, code: string, choice: "confirm" | "approve" | "deny" | "execute") {
    const followed = await followLink(this.parts, id);
    if ("problem" in followed) throw new Error(followed.problem);
    return actByLink(this.parts, followed, {
      action: choice,
      proof: { code },
      channel: "page",
      event: (actor, { level = 0 }) => eventOf(choice, actor, level, "no"),
    });
  }

  spent({ id }: LinkSecret) {
    return this.table.links.get(linkHash(id))!.spent;
  }
}

const wrong = (code: string) => (code === "000000" ? "000001" : "000000");

describe("links of approval", () => {
  it("have 256 random bits, and leave only hashes behind", async () => {
    const ids = new Set(Array.from({ length: 200 }, () => newLinkSecret().id));
    expect(ids.size).to.equal(200);
    for (const id of ids) {
      expect(isLinkId(id)).to.equal(true);
      expect(Buffer.from(id, "base64url")).to.have.length(32);
    }
    const world = await new World().open();
    const { id, code } = await world.link("alice", "confirm");
    const stored = JSON.stringify([...world.table.links.values()]);
    expect(stored).not.to.contain(id);
    expect(stored).not.to.contain(code);
    expect(codeHash(id, code)).not.to.equal(codeHash(newLinkSecret().id, code));
  });

  it("take a code however a keyboard writes it", () => {
    expect(typedCode(" 123 456 ")).to.equal("123456");
    expect(typedCode("123-456")).to.equal("123456");
    expect(typedCode("\uff11\uff12\uff13\uff14\uff15\uff16")).to.equal("123456");
    expect(typedCode(readableCode("004217"))).to.equal("004217");
    expect(sameHash("00", "0000")).to.equal(false);
  });

  it("are spent with what they are used for, once", async () => {
    const world = await new World().open();
    const link = await world.link("alice", "confirm");
    expect(await world.act(link, link.code, "confirm")).to.have.property("after");
    expect(world.spent(link)).to.deep.equal({ at: START, action: "confirm" });
    expect(await world.act(link, link.code, "confirm")).to.deep.equal({ problem: "spent" });
    expect((await world.table.read(ID))!.version).to.equal(2);
  });

  it("are not spent when nothing happens", async () => {
    const world = await new World().open();
    const confirm = await world.link("alice", "confirm");
    await world.act(confirm, confirm.code, "confirm");
    const mine = await world.link("alice", "decide");
    expect(await world.act(mine, mine.code, "approve")).to.include({ refused: "ownRequest" });
    expect(world.spent(mine)).to.equal(undefined);
    const bob = await world.link("bob", "decide");
    world.inactive.add("bob");
    expect(await world.act(bob, bob.code, "approve")).to.include({ refused: "deactivated" });
    world.inactive.clear();
    expect(await world.act(bob, bob.code, "approve")).to.have.property("after");
  });

  it("give five attempts at the code, also to guesses at the same instant", async () => {
    const world = await new World().open();
    const link = await world.link("alice", "confirm");
    const guesses = Array.from({ length: 40 }, () => world.act(link, wrong(link.code), "confirm"));
    const outcomes = (await Promise.all(guesses)).map((acted) =>
      "problem" in acted ? acted.problem : "acted",
    );
    expect(outcomes.filter((outcome) => outcome !== "wrongCode" && outcome !== "locked")).to.deep.equal([]);
    expect(world.table.links.get(linkHash(link.id))!.attempts).to.equal(MAX_ATTEMPTS);
    expect(await world.act(link, link.code, "confirm")).to.deep.equal({ problem: "locked" });
    expect((await world.table.read(ID))!.state).to.equal("requested");
  });

  it("end with their stage, lead nowhere when cut, and belong to one cell", async () => {
    const world = await new World().open();
    const link = await world.link("alice", "confirm");
    expect(await followLink(world.parts, link.id.slice(1))).to.deep.equal({ problem: "unknown" });
    expect(await followLink(world.parts, newLinkSecret().id)).to.deep.equal({ problem: "unknown" });
    expect(await followLink({ ...world.parts, cell: "dr" }, link.id)).to.deep.equal({
      problem: "elsewhere",
      cell: "prod",
    });
    world.clock += 600_000;
    expect(await world.act(link, link.code, "confirm")).to.deep.equal({ problem: "expired" });
  });

  it("let one of two links of the same person take effect, in whatever order", async () => {
    const world = await new World().open();
    const [one, two] = [await world.link("alice", "confirm"), await world.link("alice", "confirm")];
    const acted = await Promise.all([
      world.act(one, one.code, "confirm"),
      world.act(two, two.code, "confirm"),
      world.act(one, one.code, "confirm"),
    ]);
    expect(acted.filter((each) => "after" in each)).to.have.length(1);
    expect([one, two].filter((link) => world.spent(link))).to.have.length(1);
  });

  // The model: what a person could do without links decides what may happen; a link is spent exactly by what it did.
  it("never do more than their person, their stage and the right code allow (model)", async function () {
    this.timeout(120_000);
    const step = fc.record({
      link: fc.nat(20),
      // `use`: what the link is for; the others try what it is not for as well.
      action: fc.constantFrom(
        "use",
        "use",
        "use",
        "confirm",
        "approve",
        "deny",
        "execute",
        "issue",
        "issue",
        "toggle",
        "wait",
        "tick",
      ),
      rightCode: fc.integer({ min: 0, max: 3 }).map((each) => each > 0),
      person: fc.constantFrom(...PEOPLE),
      level: fc.nat(1),
      together: fc.integer({ min: 1, max: 3 }),
    });
    let tookEffect = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const world = await new World().open();
        const links: { secret: LinkSecret; person: string; effects: number }[] = [];
        const issue = async (person: string, purpose: "confirm" | "decide" | "execute", level: number) =>
          links.push({ secret: await world.link(person, purpose, level), person, effects: 0 });
        await issue("alice", "confirm", 0);
        for (const { link, action, rightCode, person, level, together } of steps) {
          if (action === "issue") {
            await issue(person, (["confirm", "decide", "decide", "execute"] as const)[link % 4]!, level);
          } else if (action === "toggle") {
            if (!world.inactive.delete(person)) world.inactive.add(person);
          } else if (action === "wait") world.clock += 120_000;
          else if (action === "tick") await happen(world.table, ID, { kind: "tick" }, world.parts.now);
          else if (links.length > 0) {
            const chosen = links[link % links.length]!;
            const before = (await world.table.read(ID))!;
            const stored = world.table.links.get(linkHash(chosen.secret.id))!;
            const code = rightCode ? chosen.secret.code : wrong(chosen.secret.code);
            const fitting = ({ confirm: "confirm", execute: "execute", decide: "approve" } as const)[
              stored.purpose as "decide"
            ];
            const choice = action === "use" ? fitting : action;
            const acted = await Promise.all(
              Array.from({ length: together }, () => world.act(chosen.secret, code, choice)),
            );
            const effects = acted.filter((each) => "after" in each).length;
            chosen.effects += effects;
            tookEffect += effects;
            const after = (await world.table.read(ID))!;
            expect(after.version - before.version).to.equal(effects);
            expect(effects).to.be.at.most(1);
            if (effects === 1) {
              expect(rightCode && !world.inactive.has(chosen.person)).to.equal(true);
              expect(stored.spent).to.equal(undefined);
              expect(stored.attempts).to.be.below(MAX_ATTEMPTS);
              expect(world.clock).to.be.below(stored.expiresAt);
              expect(after.last?.by).to.deep.equal([`person:${chosen.person}`]);
            }
          }
          for (const { secret, effects } of links) {
            const stored = world.table.links.get(linkHash(secret.id))!;
            expect(stored.spent !== undefined).to.equal(effects === 1);
            expect(stored.attempts).to.be.at.most(MAX_ATTEMPTS);
          }
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
    // A model that nothing happens in proves nothing.
    expect(tookEffect).to.be.above(300);
  });
});
