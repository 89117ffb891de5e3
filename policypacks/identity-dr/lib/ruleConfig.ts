import type { PolicyConfigSchema } from "@pulumi/policy";
import { wildcard } from "./iamDocument";
import { memoize } from "./walk";

/** An option of a rule beside `exclude`: a list of texts. */
interface ListOption {
  /** What the texts are and what they do. */
  description: string;
  default: readonly string[];
}

/** The options of a rule, by name. */
export type RuleOptions = Readonly<Record<string, ListOption>>;

/** The values of a rule's options. */
export type RuleConfig<Options extends RuleOptions> = { readonly [Name in keyof Options]: readonly string[] };

/** A rule's configuration as given: its options, and the resources that it leaves out. */
interface ParsedConfig<Options extends RuleOptions> {
  options: RuleConfig<Options>;
  isExcluded(urn: string): boolean;
}

const EXCLUDE_HELP = 'write exclude: [{"urn": "pattern with *", "reason": "why this is right"}]';

/** The JSON schema of a rule's configuration, which the engine checks and shows. */
export function configSchema(options: RuleOptions): PolicyConfigSchema {
  const properties: PolicyConfigSchema["properties"] = {
    exclude: {
      type: "array",
      description: "Resources that the rule leaves out, each with the reason why.",
      default: [],
      items: {
        type: "object",
        required: ["urn", "reason"],
        additionalProperties: false,
        properties: {
          urn: { type: "string", minLength: 1, description: "URN; * stands for any characters." },
          reason: { type: "string", pattern: "\\S", description: "Why the resource may break the rule." },
        },
      },
    },
  };
  for (const [name, option] of Object.entries(options)) {
    properties[name] = {
      type: "array",
      items: { type: "string", minLength: 1 },
      description: option.description,
      default: [...option.default],
    };
  }
  return { properties };
}

/**
 * Checks a rule's configuration and fills in the defaults. The engine checks the schema too, but not every engine does.
 * @throws Error naming rule and option: an unknown option, a wrong type, a suppression without a pattern or a reason.
 */
export function parseConfig<Options extends RuleOptions>(
  rule: string,
  options: Options,
  given: Readonly<Record<string, unknown>>,
): ParsedConfig<Options> {
  const allowed = ["exclude", ...Object.keys(options)];
  const unknown = Object.keys(given).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new Error(`${rule}: there is no option "${unknown}"; allowed are ${allowed.join(", ")}`);
  }
  const values: Record<string, readonly string[]> = {};
  for (const [name, option] of Object.entries(options)) {
    values[name] = textList(`${rule}: ${name}`, given[name]) ?? option.default;
  }
  const patterns = exclusions(rule, given.exclude);
  return {
    options: values as RuleConfig<Options>,
    isExcluded: (urn) => patterns.some((pattern) => matches(pattern, urn)),
  };
}

function textList(where: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string" && one !== "")) {
    throw new Error(`${where} is ${JSON.stringify(value)}: write a list of texts`);
  }
  return value as string[];
}

function exclusions(rule: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new Error(`${rule}: exclude is ${JSON.stringify(value)}: ${EXCLUDE_HELP}`);
  }
  return value.map((entry: unknown, index) => {
    const { urn, reason } = (typeof entry === "object" && entry !== null ? entry : {}) as Record<
      string,
      unknown
    >;
    if (typeof urn !== "string" || urn === "") {
      throw new Error(`${rule}: exclude[${index}] has no "urn": ${EXCLUDE_HELP}`);
    }
    if (typeof reason !== "string" || reason.trim() === "") {
      throw new Error(`${rule}: exclude[${index}] (${urn}) has no "reason": ${EXCLUDE_HELP}`);
    }
    return urn;
  });
}

const compiled = memoize(wildcard, 1024);

/** Whether the text matches a pattern in which `*` stands for any characters and `?` for one. */
export function matches(pattern: string, candidate: string): boolean {
  return compiled(pattern).test(candidate);
}
