/** Keeps the state file of one stack: reads it, and writes it whole and at once, never half. */

import * as fs from "node:fs";
import * as fsp from "node:fs/promises";
import * as path from "node:path";
import { Crypter } from "./secrets";
import { type Checkpoint, crypterOf, decodeState, type ExportedState, StateEncoder } from "./state";

/** The state file's place. Stack names are checked, since they become file names. */
export function stateFile(stateDir: string, stack: string): string {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
    throw new Error(`"${stack}" is not a stack name; use letters, digits, hyphen, underscore and full stop`);
  }
  return path.join(stateDir, `${stack}.json`);
}

/** Reads an exported state; undefined when there is no such file. Throws, naming the file, when it is no state. */
export function readExported(file: string): ExportedState | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const state = parse(text, file);
  if (state.version !== 3 || state.deployment === undefined) {
    throw new Error(
      `${file} is not a stack's state: expected a deployment of version 3 as \`pulumi stack export\` prints it`,
    );
  }
  return state;
}

function parse(text: string, file: string): ExportedState {
  try {
    return JSON.parse(text) as ExportedState;
  } catch (error) {
    throw new Error(`${file} is not JSON (${(error as Error).message}); restore it from ${file}.bak`);
  }
}

/** What a {@link StateStore} starts from. */
export interface StoreOptions {
  stateDir: string;
  stack: string;
  passphrase: string;
  /** The salt of the stack's configuration file; used when there is no state yet. Default: a new one. */
  salt?: string;
}

/**
 * The state file of one stack. Writing is grouped: while one write is under way, all that is asked for in the
 * meantime goes into the next one, and each caller waits for the write that holds its change.
 */
export class StateStore {
  private writing: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private source: (() => Checkpoint) | undefined;

  private constructor(
    readonly file: string,
    readonly crypter: Crypter,
    private readonly encoder: StateEncoder,
    /** What the file held when it was opened. */
    readonly initial: Checkpoint,
    /** When that was written; empty when there was no file. */
    readonly time: string,
  ) {}

  /** Reads the file, if there is one. Throws when the passphrase does not fit. */
  static async open(options: StoreOptions): Promise<StateStore> {
    const file = stateFile(options.stateDir, options.stack);
    const exported = readExported(file);
    const named = exported && (await crypterOf(exported, options.passphrase, file));
    const initial = exported ? decodeState(exported, named, file) : { resources: [], pending: [] };
    const crypter =
      named ??
      (options.salt === undefined
        ? await Crypter.create(options.passphrase)
        : await Crypter.open(
            options.salt,
            options.passphrase,
            `the configuration of stack ${options.stack}`,
          ));
    return new StateStore(
      file,
      crypter,
      new StateEncoder(crypter),
      initial,
      exported?.deployment.manifest.time ?? "",
    );
  }

  /** Names the function that gives the current resources whenever the file is written. */
  follow(source: () => Checkpoint): void {
    this.source = source;
  }

  /** Resolves when a file is in place that holds every change made before this call. */
  save(): Promise<void> {
    if (this.writing === undefined) {
      this.writing = this.write().finally(() => {
        this.writing = undefined;
      });
      return this.writing;
    }
    this.next ??= this.writing.then(
      () => this.start(),
      () => this.start(),
    );
    return this.next;
  }

  private start(): Promise<void> {
    this.next = undefined;
    return this.save();
  }

  /** Forces what was saved to the disk, which the writes during a run do not wait for; keeps the last good state as `.bak`. */
  async close(): Promise<void> {
    await this.save();
    const handle = await fsp.open(this.file, "r");
    await handle.sync();
    await handle.close();
    await fsp.copyFile(this.file, `${this.file}.bak`);
  }

  private async write(): Promise<void> {
    // One turn of the event loop, so that changes made side by side go into one write.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const checkpoint = this.source?.() ?? this.initial;
    await fsp.mkdir(path.dirname(this.file), { recursive: true });
    const draft = `${this.file}.${process.pid}.tmp`;
    await fsp.writeFile(draft, this.encoder.encode(checkpoint, new Date()), { mode: 0o600 });
    await fsp.rename(draft, this.file);
  }
}
