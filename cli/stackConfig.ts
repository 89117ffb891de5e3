import * as fs from "node:fs";
import * as path from "node:path";
import { parse, YAMLParseError } from "yaml";
import { type Cell, normalizeCell } from "../components/regional/cell";
import type { StackConfig } from "../stacks/config";
import { CliError, EXIT_CODES } from "./exitCodes";

const NAMESPACE = "bulkhead:";

/**
 * The values of a stack as its files give them: Pulumi.STACK.yaml over the defaults of Pulumi.yaml, unchecked. Only files of the checkout are
 * read, neither Pulumi's state nor AWS: on the day, either may be out of reach.
 *
 * @param folder the folder of Pulumi.yaml
 * @throws CliError when there is no such stack's file, or a file is not YAML
 */
export function stackValues(folder: string, stack: string): Record<string, unknown> {
  const file = path.join(folder, `Pulumi.${stack}.yaml`);
  if (!fs.existsSync(file)) {
    const stacks = fs.existsSync(folder)
      ? fs.readdirSync(folder).flatMap((name) => /^Pulumi\.([\w-]+)\.yaml$/.exec(name)?.[1] ?? [])
      : [];
    throw new CliError(
      EXIT_CODES.usage,
      `There is no Pulumi.${stack}.yaml in ${folder}. ${stacks.length ? `Cells there: ${stacks.join(", ")}.` : "Run this in the folder of Pulumi.yaml, or name it with --project."}`,
    );
  }
  const declared = declarations(folder);
  const own = Object.entries(yamlFile(file).config ?? {}).flatMap(([key, value]) => {
    if (!key.startsWith(NAMESPACE)) return [];
    const name = key.slice(NAMESPACE.length);
    return [[name, typed(value, declared[name])] as const];
  });
  return { ...projectDefaults(folder), ...Object.fromEntries(own) };
}

/**
 * The cell that a stack's files describe.
 * @throws CliError when there is no such stack's file, or a value is missing or malformed
 */
export function stackCell(folder: string, stack: string): Cell {
  const values = stackValues(folder, stack);
  const text = (key: string) => String(values[key] ?? "");
  const namePrefix = text("namePrefix");
  try {
    return normalizeCell({
      name: stack,
      region: text("region"),
      accountId: text("accountId"),
      ...(namePrefix && { namePrefix }),
    });
  } catch (error) {
    const message = (error as Error).message.replace(/^cell\./, "bulkhead:");
    throw new CliError(EXIT_CODES.usage, `Pulumi.${stack}.yaml: ${message}`, { cause: error });
  }
}

/**
 * The defaults that Pulumi.yaml declares.
 * @param folder the folder of Pulumi.yaml
 * @throws CliError when it is not there or not YAML
 */
export function projectDefaults(folder: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(declarations(folder)).flatMap(([key, declaration]) =>
      declaration.default === undefined ? [] : [[key, typed(declaration.default, declaration)]],
    ),
  );
}

interface Declaration {
  type?: string;
  items?: Declaration;
  default?: unknown;
}

function declarations(folder: string): Record<string, Declaration> {
  return (yamlFile(path.join(folder, "Pulumi.yaml")).config ?? {}) as Record<string, Declaration>;
}

/** A text of the file as its declared type; what does not fit stays text, for the schema to refuse. */
function typed(value: unknown, { type, items }: Declaration = {}): unknown {
  if (type === "array" && Array.isArray(value)) return value.map((item) => typed(item, items));
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  if (type === "integer" && typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  return value;
}

/**
 * A stack's whole configuration, checked as `pulumi up` checks it.
 * @throws CliError with every problem
 */
export function readStackConfig(folder: string, stack: string): StackConfig {
  // Loads Pulumi's SDK, which takes a while: only for the commands that need all of it.
  const { ConfigError, parseConfig } = require("../stacks/config") as typeof import("../stacks/config");
  try {
    return parseConfig(stackValues(folder, stack));
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(EXIT_CODES.usage, error.message, { cause: error });
    throw error;
  }
}

function yamlFile(file: string): { config?: Record<string, unknown> } {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(EXIT_CODES.usage, `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
  try {
    // Every scalar as text, whether quoted or not: an account id is not a number.
    return (parse(text, { schema: "failsafe" }) as { config?: Record<string, unknown> } | null) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new CliError(EXIT_CODES.usage, `${file} is not YAML: ${error.message}`, { cause: error });
  }
}
