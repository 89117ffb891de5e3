/** A lock file that keeps two runs off one stack. It names its process; the lock of a dead one is taken over. */

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { isAlive } from "../processes";

interface Holder {
  pid: number;
  /** When the process began, in the kernel's clock ticks; tells a recycled pid apart. Empty where there is no /proc. */
  began: string;
  /** Makes each holding unique. */
  token: string;
  since: string;
}

/** Holds the lock until {@link release}. */
export class StackLock {
  private constructor(
    private readonly file: string,
    private readonly token: string,
  ) {}

  /** Takes the lock `file`. Throws, naming the process that holds it, when that one is alive. */
  static acquire(file: string, stack: string): StackLock {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const mine: Holder = {
      pid: process.pid,
      began: beginningOf(process.pid),
      token: randomUUID(),
      since: new Date().toISOString(),
    };
    // Written aside and linked into place, so that nobody ever reads half a lock.
    const draft = `${file}.${mine.token}`;
    fs.writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
    try {
      while (!link(draft, file)) {
        const holder = read(file);
        if (holder !== undefined && isHeld(holder)) {
          throw new Error(
            `another run (process ${holder.pid}, since ${holder.since}) works on stack ${stack}; ` +
              "wait for it, or end that process",
          );
        }
        remove(file, holder);
      }
      return new StackLock(file, mine.token);
    } finally {
      fs.rmSync(draft, { force: true });
    }
  }

  release(): void {
    if (read(this.file)?.token === this.token) fs.rmSync(this.file, { force: true });
  }
}

/** Makes `file` a second name of `draft`, in one step; false when there is such a file already. */
function link(draft: string, file: string): boolean {
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a dead holder's lock, but not the lock of a third run that took it over in the meantime. */
function remove(file: string, holder: Holder | undefined): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = read(aside);
  if (moved !== undefined && moved.token !== holder?.token) link(aside, file);
  fs.rmSync(aside, { force: true });
}

function read(file: string): Holder | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
  } catch {
    // Missing, or not a lock of this program: nobody holds it.
    return undefined;
  }
}

function isHeld(holder: Holder): boolean {
  if (!isAlive(holder.pid)) return false;
  const began = beginningOf(holder.pid);
  return began === "" || holder.began === "" || began === holder.began;
}

function beginningOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command in parentheses, may hold spaces; the 22nd is the start time.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
