import {
  isRegionalEndpointsAnnotation,
  isRegionalEndpointsSetting,
  isUseGlobalEndpoint,
  namesAddress,
  namesEndpoint,
  namesRegion,
  namesService,
  neverCalled,
  squashed,
} from "./keyNames";
import { bareStsHosts, isGlobalRegion, parseStsEndpoint } from "./stsHost";
import {
  configPlaces,
  ENVIRONMENT_KEYS,
  isProviderType,
  PRUNED_KEYS,
  TEXT_KEYS,
  USER_DATA_KEYS,
} from "./stsPlaces";
import { isNamespacePath, mayMentionSts, type StsMention, scanText } from "./textScan";
import {
  ASSET_TEXT,
  childPath,
  isObject,
  type Plain,
  type PlainObject,
  parseJson,
  property,
  UNKNOWN,
} from "./walk";

/** What kind of place in a resource something was found in. */
export type Place = "provider" | "property" | "environment" | "userData" | "config";

/** Something in a resource that decides which STS endpoint is called. */
export interface StsFinding extends Omit<StsMention, "where"> {
  /** The property's path, into JSON texts too, with the line where a text has several. */
  path: string;
  place: Place;
}

/** A role's trust policy inside a resource. */
interface TrustPolicy {
  path: string;
  document: Plain;
}

/** Everything about STS in one resource. */
export interface StsFindings {
  findings: StsFinding[];
  trusts: TrustPolicy[];
}

/** How the values below a property are read. */
interface Context {
  /** `keys`: only keys that name an endpoint. `environment`: variables. `text`: free text. */
  mode: "keys" | "environment" | "text";
  place: Place;
}

/**
 * Finds everything that decides which STS endpoint is called, global or not, in the places of a resource where such a thing can stand
 * (facts 5 and 6), and its trust policies. Unknown values are passed over.
 */
export function findSts(type: string, props: PlainObject): StsFindings {
  const result: StsFindings = { findings: [], trusts: [] };
  const collector = new Collector(result);
  const places = configPlaces(type, props);
  const root: Context = { mode: "keys", place: isProviderType(type) ? "provider" : "property" };
  for (const [key, value] of Object.entries(props)) {
    const place = places?.get(key) ?? places?.get("*");
    if (place === undefined) collector.visitChild(value, key, key, root);
    else collector.visit(value, key, place.name ?? key, { mode: place.mode, place: place.place });
  }
  const seen = new Set<string>();
  result.findings = result.findings.filter(({ path, kind, shown }) => {
    const id = `${path} ${kind} ${shown}`;
    return !seen.has(id) && seen.add(id);
  });
  return result;
}

class Collector {
  constructor(private readonly result: StsFindings) {}

  visit(value: Plain, path: string, key: string, context: Context): void {
    if (value === null || value === UNKNOWN) return;
    if (typeof value === "string") this.visitText(value, path, key, context);
    else if (Array.isArray(value)) this.visitList(value, path, key, context);
    else if (isObject(value)) this.visitObject(value, path, context);
    else this.setting(key, String(value), path, context);
  }

  private visitList(values: Plain[], path: string, key: string, context: Context): void {
    for (const [index, value] of values.entries()) {
      const itemPath = childPath(path, index);
      const pair = context.mode === "environment" && typeof value === "string" && splitPair(value);
      if (pair) this.assignment(pair.name, pair.value, itemPath, context);
      else this.visit(value, itemPath, key, context);
    }
  }

  private visitObject(object: PlainObject, path: string, context: Context): void {
    // `{ name, value }` is one variable; the key `value` says nothing.
    const name = context.mode === "keys" ? undefined : property(object, "name", "key");
    for (const [key, value] of Object.entries(object)) {
      // An asset's text is, to the reader, the asset.
      const valuePath = key === ASSET_TEXT ? path : childPath(path, key);
      const isValue = typeof name === "string" && key.toLowerCase() === "value";
      if (isValue) this.visit(value, valuePath, name, context);
      else this.visitChild(value, valuePath, key, context);
    }
  }

  /** A property of an object: its key decides how it is read. */
  visitChild(value: Plain, path: string, key: string, context: Context): void {
    const plainKey = squashed(key);
    if (plainKey === "assumerolepolicy" || plainKey === "assumerolepolicydocument") {
      this.result.trusts.push({ path, document: value });
    } else if (context.mode === "environment" || !PRUNED_KEYS.has(plainKey)) {
      this.visit(value, path, key, this.contextOf(plainKey, context));
    }
  }

  private contextOf(plainKey: string, context: Context): Context {
    const within = (place: Place) => (context.place === "config" ? "config" : place);
    if (USER_DATA_KEYS.has(plainKey)) return { mode: "text", place: within("userData") };
    if (ENVIRONMENT_KEYS.has(plainKey)) return { mode: "environment", place: within("environment") };
    if (TEXT_KEYS.has(plainKey)) return { mode: "text", place: within("environment") };
    return context;
  }

  private visitText(source: string, path: string, key: string, context: Context): void {
    if (source.length < 4) {
      this.setting(key, source, path, context);
      return;
    }
    const parsed = mayMentionSts(source) ? parseJson(source) : undefined;
    // The keys inside a JSON text are keys like any other, so the text is walked and not searched.
    if (parsed === undefined) this.assignment(key, source, path, context);
    // Its keys are not variables: a document in a variable is read like a file.
    else if (context.mode === "environment") this.visit(parsed, path, key, { ...context, mode: "text" });
    else this.visit(parsed, path, key, context);
  }

  /** One value under its key or variable. */
  private assignment(name: string, value: string, path: string, context: Context): void {
    if (this.setting(name, value, path, context) || neverCalled(name)) return;
    if (context.mode === "keys") {
      if (namesEndpoint(name)) this.endpointList(name, value, path, context);
    } else if (!this.wholeEndpoint(name, value, path, context)) {
      this.searched(name, value, path, context);
    }
  }

  /** A setting of fact 6 other than an endpoint. */
  private setting(name: string, rawValue: string, path: string, { place }: Context): boolean {
    if (rawValue.length > 64) return false;
    const value = rawValue.trim().replace(/^["']+|["']+$/g, "");
    const lower = value.toLowerCase();
    const kind =
      isRegionalEndpointsSetting(name) && lower === "legacy"
        ? "legacySetting"
        : isRegionalEndpointsAnnotation(name) && /^(?:false|f|0)$/.test(lower)
          ? "annotation"
          : namesRegion(name) && isGlobalRegion(value)
            ? "globalRegion"
            : isUseGlobalEndpoint(name) && /^(?:true|1)$/.test(lower)
              ? "globalSwitch"
              : undefined;
    if (kind === undefined) return false;
    this.result.findings.push({ kind, shown: value, name, path, place });
    return true;
  }

  /** A value whose key names an endpoint: one, or several with separators. */
  private endpointList(name: string, value: string, path: string, { place }: Context): void {
    const whole = parseStsEndpoint(value);
    const all = whole ? [whole] : value.split(/[\s,;]+/).map(parseStsEndpoint);
    for (const parsed of all) {
      if (parsed) {
        this.result.findings.push({
          kind: "endpoint",
          shown: parsed.sts.host,
          sts: parsed.sts,
          name,
          path,
          place,
        });
      }
    }
  }

  /** A value that is an endpoint as a whole. Returns whether it is one, to be reported or not. */
  private wholeEndpoint(name: string, value: string, path: string, { mode, place }: Context): boolean {
    // Without a dot, an escape or a foreign letter no host of STS can come out of the parser.
    if (value.length > 2048 || !/[.%]|[^\x20-\x7e]/.test(value)) return false;
    const parsed = parseStsEndpoint(value);
    if (!parsed) return false;
    const isPlainName = !parsed.isUrl && !parsed.hasPort;
    const isName = isPlainName && (namesService(name) || (mode === "text" && !namesAddress(name)));
    const isNamespace = isNamespacePath(parsed.path) && !namesEndpoint(name);
    if (!isName && !isNamespace) {
      this.result.findings.push({
        kind: "endpoint",
        shown: parsed.sts.host,
        sts: parsed.sts,
        name,
        path,
        place,
      });
    }
    return true;
  }

  /** Free text, or a variable that holds more than an endpoint. */
  private searched(name: string, value: string, path: string, { mode, place }: Context): void {
    for (const { where, ...mention } of scanText(value)) {
      const single = where === "" && mention.name === undefined;
      this.result.findings.push({
        ...mention,
        ...(single ? { name } : {}),
        path: `${path}${where}`,
        place,
      });
    }
    // A variable with a list of hosts. In free text a bare host would need more to be an address.
    if (mode === "environment" && !namesService(name) && /^[\w.,;:\s-]+$/.test(value)) {
      for (const { sts } of bareStsHosts(value)) {
        this.result.findings.push({ kind: "endpoint", shown: sts.host, sts, name, path, place });
      }
    }
  }
}

/** `NAME=value` of an environment given as a list of texts. */
function splitPair(pair: string): { name: string; value: string } | undefined {
  const match = /^([A-Za-z_][\w.-]*)=([\s\S]*)$/.exec(pair);
  return match ? { name: match[1] ?? "", value: match[2] ?? "" } : undefined;
}
