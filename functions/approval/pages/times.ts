import type { Say } from "./words";

/** A moment in UTC and, where that is another one, in a time zone: `2026-11-22 03:15 UTC, 11:15 Asia/Shanghai`. */
export function moment(at: number, timeZone: string): string {
  const utc = inZone(at, "UTC");
  if (timeZone === "UTC") return `${utc.date} ${utc.time} UTC`;
  const local = inZone(at, timeZone);
  const day = local.date === utc.date ? "" : `${local.date} `;
  return `${utc.date} ${utc.time} UTC, ${day}${local.time} ${timeZone}`;
}

function inZone(at: number, timeZone: string): { date: string; time: string } {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  return {
    date: `${part("year")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}`,
  };
}

/** How long it is until then, rounded down. */
export function timeLeft(milliseconds: number, say: Say): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 120) return say("minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? say("hours", { count: hours }) : say("days", { count: Math.floor(hours / 24) });
}
