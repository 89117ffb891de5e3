import pc from "picocolors";

/** How progress is shown: lines that any log can hold, in colour on a terminal. */
export interface Progress {
  /** A heading. */
  heading(text: string): void;
  /** A finished piece of work. */
  done(text: string, durationMs: number, detail?: string): void;
  failed(text: string, durationMs: number, detail?: string): void;
  info(text: string): void;
}

/** Shows progress on a stream; nothing of it is meant for scripts, which take `--json`. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const color = pc.createColors(Boolean(stream.isTTY) && !process.env.NO_COLOR);
  const write = (line: string) => stream.write(`${line}\n`);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`.padStart(7);
  const item = (mark: string, text: string, durationMs: number, detail?: string) => {
    write(`  ${mark} ${color.dim(seconds(durationMs))}  ${text}`);
    for (const line of detail ? detail.split("\n") : []) write(`               ${color.dim(line)}`);
  };
  return {
    heading: (text) => write(`\n${color.bold(text)}`),
    done: (text, durationMs, detail) => item(color.green("ok"), text, durationMs, detail),
    failed: (text, durationMs, detail) => item(color.red("FAILED"), text, durationMs, detail),
    info: (text) => write(text),
  };
}
