/**
 * A project's settings (Pulumi.yaml) and a stack's configuration (Pulumi.STACK.yaml), read and checked the way
 * Pulumi does: declared types and defaults, namespaces, and `secure:` values decrypted.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import * as yaml from "yaml";
import { Crypter } from "./secrets";
import { isObject, type Props } from "./wire";

/** One declaration under `config:` of Pulumi.yaml. */
interface Declaration {
  type?: string;
  items?: Items;
  default?: unknown;
  value?: unknown;
  secret?: boolean;
}

interface Items {
  type: string;
  items?: Items;
}

/** What of Pulumi.yaml a run needs. */
export interface Project {
  name: string;
  /** The folder of Pulumi.yaml. */
  root: string;
  /** The folder that the program runs in, and the entry point as `@pulumi/pulumi/cmd/run` takes it. */
  workingDirectory: string;
  entryPoint: string;
  /** `runtime.options`. */
  options: { typescript: boolean; tsconfig?: string; nodeargs: string[] };
  declarations: Record<string, Declaration>;
}

/** A stack's configuration as the program gets it. */
export interface StackConfig {
  /** Values by `NAMESPACE:KEY`; structured values as JSON. */
  values: Record<string, string>;
  /** Keys of the values that are secret. */
  secretKeys: string[];
  /** The `encryptionsalt` of the stack's file, if it has one. */
  salt: string | undefined;
}

export interface ConfigOverrides {
  /** Plain values by key; a key without a namespace is the project's. Structured values as JSON. */
  config?: Record<string, string>;
  /** The same, secret. */
  secretConfig?: Record<string, string>;
}

/** One value: its text, and what it was before it was text (for type checks). */
interface Value {
  text: string;
  content: unknown;
  secret: boolean;
}

/** The folder's Pulumi.yaml. Throws when there is none or it needs another runtime than nodejs. */
export function readProject(projectDir: string): Project {
  const root = path.resolve(projectDir);
  const file = path.join(root, "Pulumi.yaml");
  const raw = readYaml(file)?.toJS() as Props | undefined;
  if (raw === undefined)
    throw new Error(`there is no Pulumi.yaml in ${root}; name the folder of the project`);
  if (typeof raw.name !== "string" || raw.name === "") throw new Error(`${file}: \`name\` is missing`);
  const runtime = isObject(raw.runtime) ? raw.runtime : { name: raw.runtime };
  if (runtime.name !== "nodejs") {
    throw new Error(`${file}: the runtime is ${String(runtime.name)}; local mode runs nodejs programs only`);
  }
  const options: Props = isObject(runtime.options) ? runtime.options : {};
  const unknown = Object.keys(options).filter(
    (key) => !["typescript", "tsconfig", "nodeargs", "packagemanager"].includes(key),
  );
  if (unknown.length > 0) {
    throw new Error(
      `${file}: runtime.options.${unknown[0]} is not implemented in local mode; remove it or use pulumi itself`,
    );
  }
  if (raw.config !== undefined && !isObject(raw.config)) {
    throw new Error(`${file}: \`config\` must be a mapping of declarations`);
  }
  const main = typeof raw.main === "string" && raw.main !== "" ? path.resolve(root, raw.main) : root;
  const isFile = main !== root && !fs.statSync(main, { throwIfNoEntry: false })?.isDirectory();
  return {
    name: raw.name,
    root,
    workingDirectory: isFile ? path.dirname(main) : main,
    entryPoint: isFile ? path.basename(main) : ".",
    options: {
      typescript: options.typescript !== false,
      ...(typeof options.tsconfig === "string" ? { tsconfig: options.tsconfig } : {}),
      nodeargs:
        typeof options.nodeargs === "string" ? options.nodeargs.split(/\s+/).filter((arg) => arg !== "") : [],
    },
    declarations: Object.fromEntries(
      // A declaration may be just a value.
      Object.entries(raw.config ?? {}).map(([key, d]) => [key, isObject(d) ? d : { value: d }]),
    ),
  };
}

/** The configuration of one stack. Throws one message with everything that is wrong with it. */
export async function readConfig(
  project: Project,
  stack: string,
  passphrase: string,
  overrides: ConfigOverrides,
): Promise<StackConfig> {
  const file = path.join(project.root, `Pulumi.${stack}.yaml`);
  const document = readYaml(file);
  const salt: unknown = document?.get("encryptionsalt");
  if (document?.has("environment") === true) {
    throw new Error(
      `${file}: \`environment\` (Pulumi ESC) is not implemented in local mode; write the values themselves`,
    );
  }
  const values = new Map<string, Value>();
  const section: unknown = document?.get("config", true);
  if (yaml.isMap(section)) {
    const decrypt = decrypter(file, typeof salt === "string" ? salt : undefined, passphrase);
    for (const pair of section.items) {
      const key = String((pair.key as yaml.Scalar).value);
      values.set(qualify(project, key), await readValue(pair.value as yaml.Node, decrypt));
    }
  }
  for (const [given, isSecret] of [
    [overrides.config, false],
    [overrides.secretConfig, true],
  ] as const) {
    for (const [key, text] of Object.entries(given ?? {})) {
      values.set(qualify(project, key), {
        text,
        content: overrideContent(project, key, text),
        secret: isSecret,
      });
    }
  }
  applyDeclarations(project, stack, values);
  const keys = [...values.keys()].sort();
  return {
    values: Object.fromEntries(keys.map((key) => [key, values.get(key)!.text])),
    secretKeys: keys.filter((key) => values.get(key)!.secret),
    salt: typeof salt === "string" ? salt : undefined,
  };
}

/** Adds declared defaults and checks declared types; throws with every error. */
function applyDeclarations(project: Project, stack: string, values: Map<string, Value>): void {
  const errors: string[] = [];
  const missing: string[] = [];
  for (const [name, declared] of Object.entries(project.declarations)) {
    const key = qualify(project, name);
    const given = values.get(key);
    const preset = declared.value ?? declared.default;
    if (given === undefined) {
      if (preset !== undefined && preset !== null) values.set(key, presetValue(preset));
      else if (key.startsWith(`${project.name}:`)) missing.push(name);
    } else if (declared.secret === true && !given.secret) {
      errors.push(`Stack '${stack}' with configuration key '${name}' must be encrypted as it's secret`);
    }
    const value = values.get(key);
    if (value !== undefined && declared.type !== undefined && !hasType(value.content, declared as Items)) {
      errors.push(
        `Stack '${stack}' with configuration key '${name}' must be of type '${typeName(declared as Items)}'`,
      );
    }
  }
  if (missing.length > 0) {
    const names = missing.sort().map((name) => `'${name}'`);
    const list = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
    errors.unshift(`Stack '${stack}' is missing configuration value${names.length > 1 ? "s" : ""} ${list}`);
  }
  if (errors.length > 0) throw new Error(errors.join("\n"));
}

function presetValue(preset: unknown): Value {
  const isPrimitive = ["string", "boolean"].includes(typeof preset) || Number.isInteger(preset);
  return { text: isPrimitive ? String(preset) : JSON.stringify(preset), content: preset, secret: false };
}

/** An override's text; JSON where the declared type is structured, so that it can be checked. */
function overrideContent(project: Project, key: string, text: string): unknown {
  const declared = project.declarations[key] ?? project.declarations[key.replace(`${project.name}:`, "")];
  if (declared?.type !== "array" && declared?.type !== "object") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Pulumi's check: text that reads as an integer or a boolean is one. */
function hasType(content: unknown, declared: Items): boolean {
  switch (declared.type) {
    case "string":
      return typeof content === "string";
    case "integer":
      return Number.isInteger(content) || (typeof content === "string" && /^[+-]?\d+$/.test(content));
    case "boolean":
      return typeof content === "boolean" || content === "true" || content === "false";
    case "object":
      return isObject(content);
    default:
      return (
        Array.isArray(content) &&
        declared.items !== undefined &&
        content.every((c) => hasType(c, declared.items!))
      );
  }
}

function typeName(declared: Items): string {
  return declared.type === "array" && declared.items !== undefined
    ? `array<${typeName(declared.items)}>`
    : declared.type;
}

/** A value of the stack's file. Scalars keep the text that stands in the file: `007` stays `007`. */
async function readValue(node: yaml.Node, decrypt: (text: string) => Promise<string>): Promise<Value> {
  if (yaml.isScalar(node)) {
    const text =
      typeof node.value === "string"
        ? node.value
        : node.value === null
          ? ""
          : (node.source ?? String(node.value));
    return { text, content: text, secret: false };
  }
  const structured: unknown = node.toJSON();
  if (isSecure(structured)) {
    const text = await decrypt(structured.secure);
    return { text, content: text, secret: true };
  }
  let hasSecret = false;
  const clear = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return await Promise.all(value.map(clear));
    if (!isObject(value)) return value;
    if (isSecure(value)) {
      hasSecret = true;
      return await decrypt(value.secure);
    }
    const entries = await Promise.all(
      Object.entries(value).map(async ([k, v]) => [k, await clear(v)] as const),
    );
    return Object.fromEntries(entries);
  };
  const content = await clear(structured);
  return { text: JSON.stringify(content), content, secret: hasSecret };
}

function isSecure(value: unknown): value is { secure: string } {
  return isObject(value) && typeof value.secure === "string" && Object.keys(value).length === 1;
}

/** Opens the salt at the first secure value, since that takes time. */
function decrypter(
  file: string,
  salt: string | undefined,
  passphrase: string,
): (text: string) => Promise<string> {
  let crypter: Promise<Crypter> | undefined;
  return async (text) => {
    if (salt === undefined) {
      throw new Error(
        `${file} holds \`secure:\` values but no encryptionsalt, so they belong to another secrets provider; ` +
          "give these values for local mode separately",
      );
    }
    crypter ??= Crypter.open(salt, passphrase, file);
    return (await crypter).decrypt(text);
  };
}

/** The full key. `ns:config:key`, the old form, is `ns:key`. */
function qualify(project: Project, key: string): string {
  const parts = key.split(":");
  if (parts.length === 1) return `${project.name}:${key}`;
  if (parts.length === 3 && parts[1] === "config") return `${parts[0]}:${parts[2]}`;
  if (parts.length !== 2) throw new Error(`"${key}" is not a configuration key; write NAMESPACE:KEY`);
  return key;
}

function readYaml(file: string): yaml.Document.Parsed | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const document = yaml.parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${file}: ${error.message}`);
  return document;
}
