import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { isAlive } from "./processes";

/** The one local run of a checkout: where it keeps its files, and which process it is. */

const runSchema = z.object({
  pid: z.int(),
  startedAt: z.string(),
  /** Set once everything is up and `--keep` leaves it running. */
  urls: z.record(z.string(), z.string()).optional(),
  /** Environment variables with which the product's command and AWS's tools reach it; set with the urls. */
  environment: z.record(z.string(), z.string()).optional(),
});

/** What is written down about a run that is going on. */
export type LocalRun = z.infer<typeof runSchema>;

/** Another local run of the same checkout is going on. */
export class RunInProgressError extends Error {
  override readonly name = "RunInProgressError";
  constructor(readonly pid: number) {
    super(
      `A local run of this checkout is going on (process ${pid}). End it with "npx bulkhead local stop", or wait until it is done.`,
    );
  }
}

/** Folder of everything that local mode writes in a checkout, apart from the Python environment. */
export function localFolder(root: string): string {
  return path.join(root, ".bulkhead", "local");
}

/** Outside the folder, which a new run removes. */
const runFile = (root: string) => path.join(root, ".bulkhead", "run.json");

/** The run that is going on in a checkout, if any. What a killed run left behind does not count. */
export function currentRun(root: string): LocalRun | undefined {
  let run: LocalRun;
  try {
    run = runSchema.parse(JSON.parse(fs.readFileSync(runFile(root), "utf8")));
  } catch {
    return undefined; // none, or torn by a kill while it was written
  }
  return isAlive(run.pid) ? run : undefined;
}

/** A run's claim on its checkout. */
export interface RunClaim {
  /** Writes down where the run can be reached. */
  publish(urls: Record<string, string>, environment: Record<string, string>): void;
  release(): void;
}

/**
 * Claims the checkout for this process. The state of an earlier run is removed: the emulated AWS that it describes is gone.
 * @throws RunInProgressError
 */
export function claimRun(root: string): RunClaim {
  const run: LocalRun = { pid: process.pid, startedAt: new Date().toISOString() };
  fs.mkdirSync(path.dirname(runFile(root)), { recursive: true });
  // The keys in it are good for the emulated AWS alone, and still nobody else's.
  const write = () => fs.writeFileSync(runFile(root), JSON.stringify(run), { flag: "wx", mode: 0o600 });
  try {
    // "wx": of two runs that start at the same moment, one loses here.
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const running = currentRun(root);
    if (running) throw new RunInProgressError(running.pid);
    fs.rmSync(runFile(root)); // a killed run's
    write();
  }
  fs.rmSync(localFolder(root), { recursive: true, force: true });
  fs.mkdirSync(localFolder(root), { mode: 0o700 });
  return {
    publish: (urls, environment) =>
      fs.writeFileSync(runFile(root), JSON.stringify({ ...run, urls, environment })),
    release: () => fs.rmSync(runFile(root), { force: true }),
  };
}
