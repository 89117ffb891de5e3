import { readInbox } from "../local/aws/inbox";
import { launchAws } from "../local/aws/launch";
import { waitFor } from "../local/waitFor";
import { measureDuplicates } from "./support/approvalDuplicates";
import { createApproval } from "./support/approvalOnLocalAws";
import { median, time } from "./support/measure";
import type { BenchContext, Benchmark } from "./support/types";

const ROUNDS = 15;
/** Milliseconds from the denied call to the operator's mail, of the median. */
const TARGET = 1_000;

/** How long an operator waits for the mail, and what a burst of duplicates comes to. */
export const benchmark: Benchmark = {
  name: "approval",
  description: "Denied call to the operator's mail; a burst of duplicates",
  async run({ root, progress }: BenchContext) {
    const aws = await launchAws({ root, onProgress: progress });
    try {
      const approval = await createApproval(aws.url);
      const instances = await approval.instances(ROUNDS + 1);
      const times: number[] = [];
      for (const [round, instance] of instances.entries()) {
        const took = await time(async () => {
          await approval.deniedCall(instance);
          await waitFor(
            "the operator's mail",
            async () => (await readInbox(aws.url)).some(({ text }) => text.includes(instance)) || undefined,
            { timeoutMs: 30_000, intervalMs: 10 },
          );
        });
        progress(`${round === 0 ? "cold" : "warm"}: ${Math.round(took)} ms`);
        times.push(took);
      }
      const [cold, ...warm] = times as [number, ...number[]];
      return [
        { metric: "denied call to the operator's mail, cold", value: cold, unit: "ms" },
        {
          metric: "denied call to the operator's mail, warm, median",
          value: median(warm),
          unit: "ms",
          target: TARGET,
        },
        ...(await measureDuplicates(aws.url, progress)),
      ];
    } finally {
      await aws.stop();
    }
  },
};
