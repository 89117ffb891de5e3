import type * as http from "node:http";
import type { Writable } from "node:stream";

/**
 * The body of a request, of which a beginning may be read before the whole is sent on. Bytes are neither
 * lost nor changed.
 */
export class RequestBody {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private complete = false;
  private release: (() => void) | undefined;

  constructor(private readonly request: http.IncomingMessage) {}

  /** What has been read so far. */
  get head(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /**
   * Reads until the body ends, `limit` bytes are there (somewhat more may come), the client leaves or
   * {@link stopReading} is called.
   */
  read(limit: number): Promise<void> {
    this.stopReading();
    if (this.complete || this.request.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const onData = (chunk: Buffer) => {
        this.chunks.push(chunk);
        this.size += chunk.length;
        if (this.size >= limit) this.stopReading();
      };
      const onEnd = () => {
        this.complete = true;
        this.stopReading();
      };
      const onClose = () => this.stopReading();
      this.release = () => {
        this.request.off("data", onData).off("end", onEnd).off("close", onClose).pause();
        this.release = undefined;
        resolve();
      };
      this.request.on("data", onData).on("end", onEnd).on("close", onClose).resume();
      if (this.size >= limit) this.stopReading();
    });
  }

  /** Ends a reading that is under way. */
  stopReading(): void {
    this.release?.();
  }

  /**
   * Sends everything on, first what has been read; ends `out` when the body has come whole. To be called
   * once.
   */
  sendTo(out: Writable): void {
    this.stopReading();
    for (const chunk of this.chunks.splice(0)) out.write(chunk);
    // `pipe` never ends `out` when the client leaves in the middle: half a body must not look like a whole one.
    if (this.complete) out.end();
    else this.request.pipe(out);
  }
}
