/** What the engine keeps beside requests, details and links, in the cell's own table. */

/** A task of the state machine that waits for a request to change. */
export interface WaitingTask {
  /** Step Functions' token. It is in this table and nowhere else: in no link, no log and no state's input or output (fact 31). */
  readonly token: string;
  /** Version of the request that the task waits to be passed. */
  readonly version: number;
}

/** That a request of the other cell was opened anew in this one. */
export interface Reopening {
  /** The lost cell's request. */
  readonly requestId: string;
  /** The new one. */
  readonly newRequestId: string;
  readonly at: number;
}

/** Keeps what only the engine needs. */
export interface EngineItems {
  /** Remembers the task that waits; of several the last. */
  putTask(requestId: string, task: WaitingTask): Promise<void>;
  readTask(requestId: string): Promise<WaitingTask | undefined>;
  /** Whether somebody was told already; `key` says of what. */
  wasTold(requestId: string, key: string): Promise<boolean>;
  markTold(requestId: string, key: string): Promise<void>;
  /** Remembers that a request of the other cell is opened anew here. @returns the one that there was first */
  putReopening(reopening: Reopening): Promise<Reopening>;
  readReopening(requestId: string): Promise<Reopening | undefined>;
}
