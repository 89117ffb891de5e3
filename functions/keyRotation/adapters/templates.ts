import type { Log } from "../../shared/logging/logger";
import { builtInTemplate, type Template, templateProblem } from "../notify/render";
import type { KeyRotationSettings } from "../settings";
import type { Objects } from "./objects";

const FIVE_MINUTES = 5 * 60_000;

/**
 * Reads the mails' templates from the bucket: `NAME.html` and, if it is there, `NAME.txt`. What is missing or no template is replaced by the
 * built-in one, with a warning in the log: a mail in another look is better than none.
 */
export function templateReader(
  objects: Pick<Objects, "get">,
  prefix: string,
  names: KeyRotationSettings["mail"]["templates"],
  log: Log,
  now: () => number = Date.now,
): (mode: "audit" | "enforce") => Promise<Template> {
  const known = new Map<string, { template: Template; until: number }>();
  const read = async (key: string, otherwise: string) => {
    try {
      const text = await objects.get(key);
      if (text === undefined) return otherwise;
      const problem = templateProblem(text);
      if (problem === undefined) return text;
      log.warn("Template not used", { key, problem });
    } catch {
      log.warn("Template not used", { key, problem: "it cannot be read" });
    }
    return otherwise;
  };
  return async (mode) => {
    const cached = known.get(mode);
    if (cached && cached.until > now()) return cached.template;
    const builtIn = builtInTemplate(mode);
    const template = {
      html: await read(`${prefix}${names[mode]}.html`, builtIn.html),
      text: await read(`${prefix}${names[mode]}.txt`, builtIn.text),
    };
    known.set(mode, { template, until: now() + FIVE_MINUTES });
    return template;
  };
}
