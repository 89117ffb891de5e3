/**
 * The activation protocol as a whole: the real `checkActivation`, `promote` and `failback` of two cells over in-memory stores, every read
 * and write of which happens when a generated schedule says so. So all interleavings are possible: stale reads, promotions at the same
 * time, crashes between any two writes, answers that get lost, one-sided partitions, regions that are lost with workers frozen in the
 * middle of a check and return later.
 */
import { expect } from "chai";
import * as fc from "fast-check";
import { checkActivation, type Side } from "../../../functions/shared/activation/check";
import { InMemoryActivationStore } from "../../../functions/shared/activation/inMemoryActivationStore";
import { failback, promote } from "../../../functions/shared/activation/promote";
import {
  type ActivationRecord,
  compareEpochs,
  initialRecord,
} from "../../../functions/shared/activation/record";
import { ActivationError, ActivationUnreadable } from "../../../functions/shared/activation/store";

const CELLS = ["prod", "dr"] as const;
type Cell = (typeof CELLS)[number];
/** Where a process runs: in a cell's region, or with an operator somewhere else. */
type Place = Cell | "office";
const other = (cell: Cell): Cell => (cell === "prod" ? "dr" : "prod");

type Command =
  | { do: "work"; cell: Cell }
  | { do: "promote"; cell: Cell; place: Place; declareDead: boolean }
  | { do: "failback"; cell: Cell; place: Place }
  | { do: "step"; process: number; operation: number }
  | { do: "finish"; process: number }
  | { do: "lose answer"; process: number }
  | { do: "crash"; process: number }
  | { do: "cut" | "join"; place: Place; region: Cell }
  | { do: "lose" | "return"; region: Cell };

/** A store operation that waits for its turn. */
interface Waiting {
  run(answerLost: boolean): void;
}

interface Process {
  place: Place;
  waiting: Waiting[];
}

/** A check that said "act". */
interface Pass {
  cell: Cell;
  /** Moments of the first and the last read that it rests on. */
  from: number;
  to: number;
  /** Whether the peer was not read. */
  alone: boolean;
  /** Whether, at that moment, the peer had been declared dead by an operator and not been seen since. */
  declaredUnseen: boolean;
}

class World {
  readonly stores = {
    prod: new InMemoryActivationStore(initialRecord("prod", true)),
    dr: new InMemoryActivationStore(initialRecord("dr", false)),
  };
  readonly passes: Pass[] = [];
  processes: Process[] = [];
  private moment = 0;
  private readonly cuts = new Set<string>();
  private readonly lost = new Set<Cell>();
  /** When a cell was last promoted with its peer declared dead. */
  private readonly declared = new Map<Cell, number>();
  /** When a cell last began a check that went on to read the peer, or was read by a promotion that read both, and completed. */
  private readonly met = new Map<Cell, number>();

  async do(command: Command): Promise<void> {
    switch (command.do) {
      case "work":
        this.start(command.cell, (process) => this.work(command.cell, process));
        break;
      case "promote":
        this.start(command.place, (process) => this.operate(command, process));
        break;
      case "failback":
        this.start(command.place, (process) => this.operate(command, process));
        break;
      case "step": {
        const process = this.pick(command.process);
        process?.waiting.splice(command.operation % process.waiting.length, 1)[0]?.run(false);
        break;
      }
      case "finish": {
        const process = this.pick(command.process);
        while (process?.waiting.length) {
          process.waiting.shift()!.run(false);
          await this.settle();
        }
        break;
      }
      case "lose answer":
        this.pick(command.process)?.waiting.shift()?.run(true);
        break;
      case "crash": {
        const process = this.pick(command.process);
        this.processes = this.processes.filter((candidate) => candidate !== process);
        break;
      }
      case "cut":
        this.cuts.add(`${command.place}>${command.region}`);
        break;
      case "join":
        this.cuts.delete(`${command.place}>${command.region}`);
        break;
      case "lose":
        this.lost.add(command.region);
        break;
      case "return":
        this.lost.delete(command.region);
        break;
    }
    await this.settle();
  }

  /** Everything answers again, and nobody is in the middle of anything. */
  heal(): void {
    this.cuts.clear();
    this.lost.clear();
    this.processes = [];
  }

  /** A worker's check of its own, without anybody in between. */
  async checkNow(cell: Cell): Promise<boolean> {
    const result = await checkActivation(this.sides(cell, this.stores));
    return result.decision.act;
  }

  async records(): Promise<ActivationRecord[]> {
    return Promise.all(CELLS.map(async (cell) => (await this.stores[cell].read(cell))!));
  }

  private declaredUnseen(cell: Cell): boolean {
    const declared = this.declared.get(cell);
    return declared !== undefined && (this.met.get(cell) ?? -1) < declared;
  }

  private pick(index: number): Process | undefined {
    const able = this.processes.filter(
      ({ place, waiting }) => waiting.length > 0 && !(place !== "office" && this.lost.has(place)),
    );
    return able[index % able.length];
  }

  private start(place: Place, run: (process: Process) => Promise<void>): void {
    const process: Process = { place, waiting: [] };
    this.processes.push(process);
    run(process).catch((error) => {
      // Refusals and failures are what partitions look like to a process; anything else is a fault of the code under test.
      if (!(error instanceof ActivationError)) this.faults.push(error);
    });
  }
  readonly faults: unknown[] = [];

  private async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.faults[0]) throw this.faults[0];
  }

  private sides(cell: Cell, stores: Record<Cell, Side["store"]>) {
    const side = (name: Cell): Side => ({ cell: name, region: `${name}-region`, store: stores[name] });
    return {
      own: side(cell),
      peer: side(other(cell)),
      by: "somebody",
      reason: "test",
      now: () => this.now(),
    };
  }

  private now(): Date {
    return new Date(this.moment);
  }

  private async work(cell: Cell, process: Process): Promise<void> {
    const reads: { cell: Cell; at: number }[] = [];
    const result = await checkActivation(this.sides(cell, this.gated(process, reads)));
    const alone = "unreadable" in result.peer;
    // The last round: the last read of the own record before the last attempt to read the peer's.
    const lastPeer = reads.findLastIndex((read) => read.cell !== cell);
    const from = reads.slice(0, lastPeer).findLast((read) => read.cell === cell)!.at;
    if (!alone) this.met.set(cell, from);
    if (!result.decision.act) return;
    this.passes.push({ cell, from, to: reads.at(-1)!.at, alone, declaredUnseen: this.declaredUnseen(cell) });
  }

  private async operate(command: Command & { do: "promote" | "failback" }, process: Process): Promise<void> {
    const reads: { cell: Cell; at: number }[] = [];
    const input = this.sides(command.cell, this.gated(process, reads));
    const result = await (command.do === "failback"
      ? failback(input)
      : promote({ ...input, ...(command.declareDead && { declaredDead: input.peer.region }) }));
    // A promotion that read both records has let a cell see the other one, too, as soon as it could tell it so.
    for (const { cell: told } of result.writes.filter((write) => write.outcome === "written")) {
      if (result.peerAnswered) this.met.set(told as Cell, reads.find((read) => read.cell === told)!.at);
    }
  }

  /** The two stores as the process sees them: each operation waits for its turn, then fails if the region cannot be reached. */
  private gated(process: Process, reads: { cell: Cell; at: number }[] = []): Record<Cell, Side["store"]> {
    const operation = <T>(region: Cell, operate: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const run = (answerLost: boolean) => {
          this.moment++;
          const cut = this.cuts.has(`${process.place}>${region}`) && process.place !== region;
          const silence = new ActivationUnreadable(`${region} does not answer`, "Timeout");
          if (cut || this.lost.has(region)) reject(silence);
          else if (answerLost)
            operate()
              .finally(() => reject(silence))
              .catch(() => {});
          else operate().then(resolve, reject);
        };
        process.waiting.push({ run });
      });
    const store = (region: Cell): Side["store"] => ({
      read: (cell) =>
        operation(region, () => this.stores[region].read(cell)).finally(() =>
          reads.push({ cell: region, at: this.moment }),
        ),
      write: (record, expected) =>
        operation(region, async () => {
          const before = (await this.stores[region].read(region))!;
          await this.stores[region].write(record, expected);
          expect(record.epoch, "epochs never fall").to.be.at.least(before.epoch);
          if (!record.peerRequired && before.peerRequired) this.declared.set(region, this.moment);
        }),
    });
    return { prod: store("prod"), dr: store("dr") };
  }
}

const cell = fc.constantFrom(...CELLS);
const place = fc.constantFrom<Place>("prod", "dr", "office");
const index = fc.nat(5);
const step = fc.record({ do: fc.constant("step" as const), process: index, operation: fc.nat(1) });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 30, arbitrary: step },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("finish" as const), process: index }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("work" as const), cell }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("promote" as const), cell, place, declareDead: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("failback" as const), cell, place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lose answer" as const), process: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), process: index }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "join" as const), place, region: cell }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("lose" as const, "return" as const), region: cell }),
  },
);

const finish: Command = { do: "finish", process: 0 };
const declareDead = (promoted: Cell): Command[] => [
  { do: "cut", place: promoted, region: other(promoted) },
  { do: "promote", cell: promoted, place: promoted, declareDead: true },
  finish,
];
/** How schedules begin: the states that matter and that random commands alone seldom reach. */
const BEGINNINGS: Record<string, Command[]> = {
  fresh: [],
  "dr was promoted against a dead prod, which is back": [
    ...declareDead("dr"),
    { do: "join", place: "dr", region: "prod" },
  ],
  "the same, and prod cannot be reached from dr": declareDead("dr"),
  "each side was declared dead": [...declareDead("dr"), ...declareDead("prod")],
  "each side was declared dead, and the connection is back one way": [
    ...declareDead("prod"),
    ...declareDead("dr"),
    { do: "join", place: "prod", region: "dr" },
  ],
};
const schedules: fc.Arbitrary<Command[]> = fc
  .tuple(
    fc.constantFrom(...Object.values(BEGINNINGS)),
    fc.array(command, { minLength: 20, maxLength: 120, size: "max" }),
  )
  .map(([beginning, commands]) => [...beginning, ...commands]);

async function play(commands: Command[]): Promise<World> {
  const world = new World();
  for (const next of commands) await world.do(next);
  return world;
}

/**
 * Whether two passes of different cells collide. A pass without the peer's record stands from its first to its last read of the own one,
 * which did not change meanwhile. A pass with it stands at the moment when the peer's record was read; two such passes are even kept apart
 * as a whole.
 */
function collide(a: Pass, b: Pass): boolean {
  if (a.alone === b.alone) return a.from <= b.to && b.from <= a.to;
  const [alone, reader] = a.alone ? [a, b] : [b, a];
  return alone.from <= reader.to && reader.to <= alone.to;
}

function collisions(passes: Pass[]): [Pass, Pass][] {
  const of = (cell: Cell) => passes.filter((pass) => pass.cell === cell);
  return of("prod").flatMap((a) =>
    of("dr")
      .filter((b) => collide(a, b))
      .map((b): [Pass, Pass] => [a, b]),
  );
}

describe("activation protocol, arbitrary interleavings", function () {
  this.timeout(120_000);
  it("never lets workers of both cells pass at the same time, unless each side was declared dead and not seen since", async () => {
    const seen = { passes: 0, alone: 0, exceptions: 0 };
    await fc.assert(
      fc.asyncProperty(schedules, async (commands) => {
        const world = await play(commands);
        seen.passes += world.passes.length;
        seen.alone += world.passes.filter((pass) => pass.alone).length;
        for (const [a, b] of collisions(world.passes)) {
          seen.exceptions++;
          expect([a.alone, b.alone], "both act without having read the other").to.deep.equal([true, true]);
        }
        for (const pass of world.passes.filter(({ alone }) => alone)) {
          expect(pass.declaredUnseen, "who acts unasked was promoted with its peer declared dead").to.equal(
            true,
          );
        }
      }),
      { seed: 20260301, numRuns: 3000 },
    );
    // The schedules do reach what they are about.
    expect(seen.passes).to.be.above(2000);
    expect(seen.alone).to.be.above(500);
    expect(seen.exceptions).to.be.above(20);
  });

  it("leaves exactly one writer, the one promoted last, once both cells have looked at each other", async () => {
    const ends = { prod: 0, dr: 0, bothDeclared: 0 };
    await fc.assert(
      fc.asyncProperty(
        schedules,
        fc.shuffledSubarray([...CELLS], { minLength: 2 }),
        async (commands, order) => {
          const world = await play(commands);
          world.heal();
          const highest = (await world.records()).sort(compareEpochs).at(-1)!.cell as Cell;
          if ((await world.records()).every((record) => record.active && !record.peerRequired))
            ends.bothDeclared++;

          // "ends at the first contact": from the first check on that reads the other side, at most one of them acts.
          const acting = new Set<Cell>();
          for (const name of order) if (await world.checkNow(name)) acting.add(name);
          expect(acting.size, "acting after the first contact").to.be.at.most(1);

          for (const name of order) expect(await world.checkNow(name), name).to.equal(name === highest);
          for (const record of await world.records()) {
            expect(record).to.include({ active: record.cell === highest, peerRequired: true });
          }
          ends[highest]++;
        },
      ),
      { seed: 20260302, numRuns: 2000 },
    );
    for (const count of Object.values(ends)) expect(count).to.be.above(10);
  });
});
