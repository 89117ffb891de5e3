import type {
  EnforcementLevel,
  PolicyResource,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  Severity,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { configSchema, parseConfig, type RuleConfig, type RuleOptions } from "./ruleConfig";
import { type PlainObject, plainTree } from "./walk";

/** A provider as a rule sees it. */
interface RuleProvider {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** Its properties; read only when asked for. */
  readonly props: PlainObject;
}

/** A resource as a rule sees it: without proxies, read only when asked for. */
export interface RuleResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly props: PlainObject;
  readonly provider: RuleProvider | undefined;
}

/** A resource of a finished stack, with the URNs of the resources that each of its properties was made from. */
export interface RuleStackResource extends RuleResource {
  readonly dependencies: readonly string[];
  dependenciesOf(property: string): readonly string[];
}

/** What is wrong, where, and what to write instead. */
export interface Violation {
  /** Path of the property, such as `environment.variables.AWS_ENDPOINT_URL_STS`. */
  path: string;
  /** What stands there, in words or quoted. Never a secret. */
  found: string;
  /** What to write instead, as a sentence without a full stop. */
  instead: string;
}

type Report = (violation: Violation) => void;
type StackReport = (resource: RuleResource, violation: Violation) => void;

/** How a rule is described to people: everything that its entry of RULES.md says. */
interface RuleText {
  /** Kebab-case id. */
  id: string;
  /** The title: a few words. */
  title: string;
  /** What is not allowed, in one sentence. */
  description: string;
  /** Why it matters, with the numbers of the facts. */
  why: string;
  /** Where the rule looks. */
  looksAt: readonly string[];
  /** What it leaves alone although it looks alike. */
  leavesAlone: readonly string[];
  /** What happens to values that are not known during preview. */
  unknowns: string;
  /** A snippet that is rejected and one that passes, in TypeScript. */
  examples: { rejected: string; accepted: string };
}

/** What a rule consists of. */
export interface RuleDefinition<Options extends RuleOptions> extends RuleText {
  /** @default "mandatory" */
  level?: EnforcementLevel;
  severity: Severity;
  options: Options;
  /**
   * Whether the rule has anything to say about resources of a type. Decides before properties are read.
   * @default every type
   */
  appliesTo?: (type: string) => boolean;
  /**
   * Whether the rule reads the texts of assets. It then waits for them.
   * @default false
   */
  readsAssets?: boolean;
  /** Checks one resource's inputs. */
  resource?: (resource: RuleResource, config: RuleConfig<Options>, report: Report) => void;
  /** Checks all resources of the stack, with their outputs. */
  stack?: (resources: readonly RuleStackResource[], config: RuleConfig<Options>, report: StackReport) => void;
}

/** A rule: the policy that the engine runs, and its description. */
export interface Rule extends RuleText {
  readonly level: EnforcementLevel;
  readonly severity: Severity;
  readonly options: RuleOptions;
  readonly policy: ResourceValidationPolicy | StackValidationPolicy;
}

/**
 * Makes the policy of a rule: configuration and suppressions, reading of properties, wording of violations.
 *
 * A resource is only read if the rule wants its type, and a violation of a suppressed resource is dropped.
 */
export function defineRule<Options extends RuleOptions>(definition: RuleDefinition<Options>): Rule {
  const { id, description, severity, options, level = "mandatory" } = definition;
  const policy = {
    name: id,
    displayName: definition.title,
    description,
    enforcementLevel: level,
    severity,
    tags: ["identity", "disaster-recovery"],
    configSchema: configSchema(options),
    ...(definition.resource ? { validateResource: resourceValidation(definition) } : {}),
    ...(definition.stack ? { validateStack: stackValidation(definition) } : {}),
  };
  return { ...definition, level, policy: policy as Rule["policy"] };
}

function resourceValidation<Options extends RuleOptions>(definition: RuleDefinition<Options>) {
  return (args: ResourceValidationArgs, reportViolation: ReportViolation): void | Promise<void> => {
    const { options, isExcluded } = parseConfig(definition.id, definition.options, args.getConfig());
    if (definition.appliesTo?.(args.type) === false || isExcluded(args.urn)) return undefined;
    const check = (resource: RuleResource) =>
      definition.resource?.(resource, options, (violation) => {
        reportViolation(violationText(resource, violation));
      });
    if (!definition.readsAssets) return check(resourceOf(args));
    const { props, complete } = plainTree(args.props);
    const resource = { ...common(args), props };
    // Only assets given as text make it necessary to wait.
    return complete ? complete().then(() => check(resource)) : check(resource);
  };
}

function stackValidation<Options extends RuleOptions>(definition: RuleDefinition<Options>) {
  return (args: StackValidationArgs, reportViolation: ReportViolation): void => {
    const { options, isExcluded } = parseConfig(definition.id, definition.options, args.getConfig());
    const resources = args.resources
      .filter(({ type }) => definition.appliesTo?.(type) !== false)
      .map(stackResourceOf);
    definition.stack?.(resources, options, (resource, violation) => {
      if (!isExcluded(resource.urn)) reportViolation(violationText(resource, violation), resource.urn);
    });
  };
}

type Source = ResourceValidationArgs | PolicyResource;

function common(source: Source) {
  return { type: source.type, name: source.name, urn: source.urn, provider: providerOf(source) };
}

function resourceOf(source: Source): RuleResource {
  let props: PlainObject | undefined;
  return {
    ...common(source),
    get props() {
      props ??= plainTree(source.props).props;
      return props;
    },
  };
}

function stackResourceOf(source: PolicyResource): RuleStackResource {
  return Object.assign(resourceOf(source), {
    dependencies: source.dependencies.map(({ urn }) => urn),
    dependenciesOf: (property: string) => (source.propertyDependencies[property] ?? []).map(({ urn }) => urn),
  });
}

function providerOf({ provider }: Source): RuleProvider | undefined {
  if (!provider) return undefined;
  let props: PlainObject | undefined;
  return {
    type: provider.type,
    name: provider.name,
    urn: provider.urn,
    get props() {
      props ??= plainTree(provider.props).props;
      return props;
    },
  };
}

/** One violation as the engine prints it. */
function violationText({ type, name }: RuleResource, { path, found, instead }: Violation): string {
  const where = path === "" ? "" : `${path}: `;
  return `${type} "${name}": ${where}${found}. Instead: ${instead}.`;
}
