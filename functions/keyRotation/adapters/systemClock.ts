import { setTimeout } from "node:timers/promises";
import type { Clock } from "../engine/ports";

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (milliseconds) => {
    await setTimeout(milliseconds);
  },
  random: () => Math.random(),
};
