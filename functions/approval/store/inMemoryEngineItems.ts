import type { EngineItems, Reopening, WaitingTask } from "./engineItems";

/** What the engine keeps, in the memory of the process: for tests and simulations. */
export class InMemoryEngineItems implements EngineItems {
  readonly tasks = new Map<string, WaitingTask>();
  readonly told = new Set<string>();
  readonly reopenings = new Map<string, Reopening>();

  async putTask(requestId: string, task: WaitingTask): Promise<void> {
    this.tasks.set(requestId, task);
  }

  async readTask(requestId: string): Promise<WaitingTask | undefined> {
    return this.tasks.get(requestId);
  }

  async wasTold(requestId: string, key: string): Promise<boolean> {
    return this.told.has(`${requestId} ${key}`);
  }

  async markTold(requestId: string, key: string): Promise<void> {
    this.told.add(`${requestId} ${key}`);
  }

  async putReopening(reopening: Reopening): Promise<Reopening> {
    const known = this.reopenings.get(reopening.requestId);
    if (known) return known;
    this.reopenings.set(reopening.requestId, reopening);
    return reopening;
  }

  async readReopening(requestId: string): Promise<Reopening | undefined> {
    return this.reopenings.get(requestId);
  }
}
