import { withoutComments } from "./comments";
import { decodeEmbedded } from "./decode";
import {
  isRegionalEndpointsAnnotation,
  namesAddress,
  namesRegion,
  namesService,
  neverCalled,
} from "./keyNames";
import { bareStsHosts, parseStsEndpoint, type StsHost } from "./stsHost";
import { memoize } from "./walk";

/** One thing that decides which STS endpoint is called. */
export interface StsMention {
  /** A host name; the `legacy` setting; EKS's annotation; a pseudo region; the switch `useGlobalEndpoint` (fact 6). */
  kind: "endpoint" | "legacySetting" | "annotation" | "globalRegion" | "globalSwitch";
  /** What to show of it: the host or the setting, never more of the text, which may hold secrets. */
  shown: string;
  /** The key or variable that it was given to, where that is known. */
  name?: string;
  /** Set if and only if the kind is `endpoint`. */
  sts?: StsHost;
  /** Where in the text: empty for a text of one line, else such as ` (line 3)` or ` (line 3, base64, line 1)`. */
  where: string;
}

/** Content within content within content: deeper is not read. */
const MAX_DEPTH = 3;

/**
 * Finds what decides the STS endpoint in free text: scripts, cloud-init and other YAML, configuration files, Dockerfiles, PowerShell,
 * source code, and what is embedded in them in base64.
 *
 * A URL counts wherever it stands, unless its key says that it is compared and not called (fact 7). A bare host name counts only where its
 * key, its port or its command says that it is connected to: else `sts.amazonaws.com` is the name of the service.
 */
export const scanText: (source: string) => readonly StsMention[] = memoize((source) => scan(source, 0));

/** Whether the text can hold anything of interest: a cheap test before all others. */
export function mayMentionSts(source: string): boolean {
  return /sts|global/i.test(source);
}

function scan(source: string, depth: number): StsMention[] {
  const mentions: StsMention[] = [];
  const located = (offset: number) => lineSuffix(source, offset);
  if (mayMentionSts(source)) {
    const code = withoutComments(source);
    mentions.push(...settings(code), ...endpoints(code));
  }
  if (depth < MAX_DEPTH) {
    for (const { index, text } of decodeEmbedded(source)) {
      for (const inner of scan(text, depth + 1)) {
        const outerLine = located(index).replace(/^ \(|\)$/g, "");
        const innerLine = inner.where.replace(/^ \(|\)$/g, "");
        const parts = [outerLine, "base64", innerLine].filter((part) => part !== "");
        mentions.push({ ...inner, where: ` (${parts.join(", ")})` });
      }
    }
  }
  return mentions;
}

function lineSuffix(source: string, offset: number): string {
  if (!source.trimEnd().includes("\n")) return "";
  let line = 1;
  for (let at = source.indexOf("\n"); at !== -1 && at < offset; at = source.indexOf("\n", at + 1)) line++;
  return ` (line ${line})`;
}

const QUOTES = "[\"'`\\\\]*";

/** What may stand between a key and its value: `=`, `:`, `=>`, a space (`ENV K V`, `setx K V`), `, "value": `, `:-` of a shell's default. */
const BETWEEN =
  `${QUOTES}[\\])]*\\s*(?:,?\\s*-?\\s*["']?value["']?\\s*[:=]|:-|=>|:=|[:=,(>]|\\s)` +
  `\\s*(?:(?:async\\s*)?\\(\\)\\s*=>\\s*)?\\(?${QUOTES}`;

const LEGACY = new RegExp(
  `([\\w./:$\\\\{}-]*sts[_-]?regional[_-]?endpoints)(${BETWEEN})(legacy|false|f|0)(?![\\w-])`,
  "gi",
);
const REGION = new RegExp(
  `([\\w.$:-]*region(?:[_-]?name)?)${BETWEEN}(aws(?:-[a-z]+)*-global)(?![\\w-])`,
  "gi",
);
const SWITCH = new RegExp(`([\\w.$]*use[_-]?global[_-]?endpoint)${BETWEEN}(true|1|!0)(?![\\w-])`, "gi");

function settings(source: string): StsMention[] {
  const mentions: StsMention[] = [];
  for (const match of source.matchAll(LEGACY)) {
    const [, rawKey = "", between = "", rawValue = ""] = match;
    // `"$AWS_STS_REGIONAL_ENDPOINTS" = legacy` reads the variable; `${...:-legacy}` and `$env:... =` give it a value.
    if (/^\$\{?aws/i.test(rawKey) && !/:[-=]/.test(between)) continue;
    if (/^s\//.test(rawKey) || isReplaced(source, match.index)) continue;
    const key = rawKey.replace(/^\$(?:env:|\{)?|\\/gi, "");
    const value = rawValue.toLowerCase();
    const kind =
      value === "legacy" ? "legacySetting" : isRegionalEndpointsAnnotation(key) ? "annotation" : undefined;
    if (kind) {
      mentions.push({ kind, shown: `${key}=${value}`, name: key, where: lineSuffix(source, match.index) });
    }
  }
  for (const match of source.matchAll(REGION)) {
    const key = (match[1] ?? "").replace(/^\$(?:env:)?|^-+/gi, "");
    if (!namesRegion(key)) continue;
    const shown = `${key}=${match[2]}`;
    mentions.push({ kind: "globalRegion", shown, name: key, where: lineSuffix(source, match.index) });
  }
  for (const match of source.matchAll(SWITCH)) {
    const key = (match[1] ?? "").replace(/^[.$]+/, "");
    mentions.push({
      kind: "globalSwitch",
      shown: `${key}=true`,
      name: key,
      where: lineSuffix(source, match.index),
    });
  }
  return mentions;
}

/** Whether what stands at the offset is what a `sed` command takes away (`s#old#new#`). */
function isReplaced(source: string, offset: number): boolean {
  return /(?:^|[\s"';])s[/#|,@]$/.test(source.slice(Math.max(0, offset - 3), offset));
}

const URLS = /(?:[a-z][a-z0-9+.-]*:)?\/\/[^\s"'`<>|,;()[\]{}\\$*]+/gi;

/** The XML namespace of STS's answers (fact 7). */
const NAMESPACE_PATH = /^\/doc\/\d{4}-\d{2}-\d{2}(?:\/|$)/;

/** Whether the path is the one of STS's XML namespace, which is a name and is never called (fact 7). */
export function isNamespacePath(path: string): boolean {
  return NAMESPACE_PATH.test(path);
}

const CONNECTING_COMMAND =
  /(?:^|[\s;&|("'`$])(?:curl|wget|iwr|irm|invoke-webrequest|invoke-restmethod|nc|ncat|telnet|openssl)(?:\.exe)?\s[^|;&]*$/i;

function endpoints(source: string): StsMention[] {
  if (!/sts/i.test(source)) return [];
  const mentions: StsMention[] = [];
  const lines = source.split("\n");
  // The key of the list that the current line may be an item of: `audiences:` before `- sts.amazonaws.com`.
  let listKey: string | undefined;
  for (const [number, line] of lines.entries()) {
    const opener = /([\w.-]+)["']?\s*[:=]\s*\[?\s*$/.exec(line.slice(-200));
    if (/sts/i.test(line)) {
      const where = lines.length > 1 && source.trimEnd().includes("\n") ? ` (line ${number + 1})` : "";
      const isItem = /^\s*(?:-\s+)?["']?[^\s"':=]*(?::\/\/)?[^\s"':=]*["']?,?\s*$/.test(line);
      for (const { sts, name } of lineEndpoints(line, lines, number, isItem ? listKey : undefined)) {
        mentions.push({ kind: "endpoint", shown: sts.host, sts, name, where });
      }
    }
    if (opener) listKey = opener[1];
    else if (/[:=\]}]/.test(line.replace(/:\/\//g, "")) && !/^\s*-/.test(line)) listKey = undefined;
  }
  return mentions;
}

function lineEndpoints(
  line: string,
  lines: readonly string[],
  number: number,
  listKey: string | undefined,
): { sts: StsHost; name?: string }[] {
  const found: { sts: StsHost; name?: string }[] = [];
  const urls: { from: number; to: number }[] = [];
  for (const match of line.matchAll(URLS)) {
    const parsed = parseStsEndpoint(match[0]);
    if (parsed || /^[^/]*\/\/[^/@]*\./.test(match[0])) {
      urls.push({ from: match.index, to: match.index + match[0].length });
    }
    if (!parsed || isNamespacePath(parsed.path) || isReplaced(line, match.index)) continue;
    const keys = keysBefore(line.slice(0, match.index), lines, number, listKey);
    if (!keys.some(neverCalled)) found.push({ sts: parsed.sts, name: keys[0] });
  }
  for (const bare of bareStsHosts(line)) {
    if (urls.some(({ from, to }) => bare.index >= from && bare.index < to)) continue;
    const before = line.slice(0, bare.index);
    const keys = keysBefore(before, lines, number, listKey);
    if (keys.some(neverCalled)) continue;
    const isCalled =
      bare.hasPort ||
      before.endsWith("@") ||
      (!keys.some(namesService) && (keys.some(namesAddress) || CONNECTING_COMMAND.test(before.slice(-400))));
    if (isCalled) found.push({ sts: bare.sts, name: keys[0] });
  }
  return found;
}

/** How far back on a line a key is looked for: lines of generated files can be very long. */
const KEY_REACH = 240;

/** The keys that a value on a line may belong to, the nearest first. */
function keysBefore(
  before: string,
  lines: readonly string[],
  number: number,
  listKey: string | undefined,
): string[] {
  const reach = before.slice(-KEY_REACH);
  const keys: (string | undefined)[] = [lastKey(reach)];
  const bracket = reach.lastIndexOf("[");
  if (bracket > reach.lastIndexOf("]")) keys.push(lastKey(reach.slice(0, bracket)));
  // A list without blanks, such as `--api-audiences=a,b` or `no_proxy: "a,b"`.
  keys.push(/(?:^|\s)["'`]?(-*[A-Za-z_][\w.-]*)["'`]?\s*[:=]\s*\S*$/.exec(reach)?.[1]);
  if (keys[0]?.toLowerCase() === "value") keys.unshift(pairName(reach, lines, number));
  keys.push(listKey);
  return keys.filter((key) => key !== undefined);
}

function lastKey(before: string): string | undefined {
  const match =
    /([A-Za-z_$-][\w$.:/\\-]*)["'`\])\\]*\s*(?:===?|!==?|=>|:=|[:=,(>]|\s)\s*[[({]?\s*["'`\\]*$/.exec(before);
  return match?.[1]?.replace(/[:\\]+$/, "");
}

/** The `name` that goes with a `value`, on the same line or one of the two before. */
function pairName(before: string, lines: readonly string[], number: number): string | undefined {
  for (const candidate of [before, lines[number - 1] ?? "", lines[number - 2] ?? ""]) {
    const match = /\b(?:name|key)["']?\s*[:=]\s*["']?([\w./-]+)/i.exec(candidate);
    if (match) return match[1];
  }
  return undefined;
}
