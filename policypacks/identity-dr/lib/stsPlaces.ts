import type { Place } from "./stsFindings";
import { type PlainObject, property, text } from "./walk";

/** How a property of some resource type is read. */
export interface ConfigPlace {
  mode: "environment" | "text";
  place: Place;
  /** The name that the value goes by, where it is not the property's own: a parameter's name. */
  name?: string;
}

/** Keys, without case and separators, below which environment variables stand, in whatever resource. */
export const ENVIRONMENT_KEYS: ReadonlySet<string> = new Set([
  "environment",
  "environments",
  "environmentvariable",
  "environmentvariables",
  "runtimeenvironmentvariables",
  "envvar",
  "envvars",
  "env",
  "envs",
  "variables",
]);

/** Keys of scripts for a new machine, plain or in base64. */
export const USER_DATA_KEYS: ReadonlySet<string> = new Set(["userdata", "userdatabase64"]);

/** Keys of free text in whatever resource: build instructions, configuration of a Kubernetes client, start commands. */
export const TEXT_KEYS: ReadonlySet<string> = new Set([
  "buildspec",
  "kubeconfig",
  "startcommand",
  "buildcommand",
]);

/** Keys below which nothing is called: policies, patterns and queries (fact 7). */
export const PRUNED_KEYS: ReadonlySet<string> = new Set([
  "condition",
  "eventpattern",
  "filterpattern",
  "filterpolicy",
  "inlinepolicy",
  "policy",
  "policydocument",
  "querystring",
  "clientidlist",
  "clientidlists",
  "tags",
  "tagsall",
]);

/** Resource types with properties that hold configuration or scripts. `compute` runs in the resource's own region, `config` anywhere. */
const TEXT_PLACES: readonly (readonly [
  type: RegExp,
  where: "compute" | "config",
  ...properties: string[],
])[] = [
  [/^kubernetes:/, "config", "*"],
  [/^command:/, "config", "create", "update", "delete", "stdin"],
  [/^docker:/, "config", "command", "entrypoints"],
  [/^aws:ecs\/taskDefinition:|^aws-native:ecs:TaskDefinition$/, "compute", "containerDefinitions"],
  [
    /^aws:batch\/jobDefinition:|^aws-native:batch:JobDefinition$/,
    "compute",
    "containerProperties",
    "nodeProperties",
    "ecsProperties",
    "eksProperties",
  ],
  [/^aws:lambda\/function:|^aws-native:lambda:Function$/, "compute", "code"],
  [/^aws:lightsail\/containerServiceDeploymentVersion:/, "compute", "containers"],
  [/^aws:ssm\/document:|^aws-native:ssm:Document$/, "config", "content"],
  [/^aws:ssm\/association:|^aws-native:ssm:Association$/, "config", "parameters"],
  [/^aws:appconfig\/hostedConfigurationVersion:|^aws-native:appconfig:/, "config", "content"],
  [/^aws:imagebuilder\/component:|^aws-native:imagebuilder:Component$/, "config", "data"],
  [/^aws:cloudformation\/stack(?:Set)?:/, "config", "templateBody", "parameters"],
  [/^aws-native:cloudformation:Stack(?:Set)?$/, "config", "templateBody", "parameters"],
  [/^aws:eks\/addon:|^aws-native:eks:Addon$/, "config", "configurationValues"],
  [/^aws:sagemaker\/notebookInstanceLifecycleConfiguration:/, "compute", "onCreate", "onStart"],
  [/^aws:sagemaker\/studioLifecycleConfig:/, "compute", "studioLifecycleConfigContent"],
  [/^aws:emr\/cluster:/, "compute", "configurationsJson", "configurations", "bootstrapActions", "steps"],
  [/^aws:glue\/job:/, "compute", "defaultArguments", "nonOverridableArguments"],
  [/^aws:mwaa\/environment:/, "compute", "airflowConfigurationOptions"],
];

/** Resource types whose properties hold `{ name, value }` settings of an application, or whole addresses. */
const ENVIRONMENT_PLACES: readonly (readonly [type: RegExp, ...properties: string[]])[] = [
  [/^aws:elasticbeanstalk\/(?:environment|configurationTemplate):/, "settings"],
  [/^aws:apigateway\/integration:/, "uri"],
  [/^aws:apigatewayv2\/integration:/, "integrationUri"],
];

const CONFIG_FILE =
  /\.(?:ini|conf|cfg|cnf|env|ya?ml|json|toml|properties|sh|ps1|cmd|bat|tf|tfvars|tfbackend|hcl|py|m?js)$|(?:^|\/)(?:config|credentials|Dockerfile|\.env[^/]*)$/i;

/** Whether the type is a provider of AWS resources. */
export function isProviderType(type: string): boolean {
  return type === "pulumi:providers:aws" || type === "pulumi:providers:aws-native";
}

const placesOfType = new Map<string, ReadonlyMap<string, ConfigPlace> | undefined>();

/**
 * The properties of a resource type that hold environment variables or free text, apart from those known by their key alone. The name
 * `*` stands for all properties. Undefined when there are none.
 */
export function configPlaces(type: string, props: PlainObject): ReadonlyMap<string, ConfigPlace> | undefined {
  if (/^aws:ssm\/parameter:|^aws-native:ssm:Parameter$/.test(type)) return parameterPlaces(props);
  if (/^aws:s3\/(?:bucketObject|object)/.test(type)) return objectPlaces(props);
  if (!placesOfType.has(type)) placesOfType.set(type, tablePlaces(type));
  return placesOfType.get(type);
}

function tablePlaces(type: string): ReadonlyMap<string, ConfigPlace> | undefined {
  const places = new Map<string, ConfigPlace>();
  for (const [pattern, where, ...properties] of TEXT_PLACES) {
    if (!pattern.test(type)) continue;
    const place = where === "compute" ? "environment" : "config";
    for (const name of properties) places.set(name, { mode: "text", place });
  }
  for (const [pattern, ...properties] of ENVIRONMENT_PLACES) {
    if (!pattern.test(type)) continue;
    for (const name of properties) places.set(name, { mode: "environment", place: "environment" });
  }
  return places.size > 0 ? places : undefined;
}

/** A parameter is a variable: its name says what the value is for. */
function parameterPlaces(props: PlainObject): ReadonlyMap<string, ConfigPlace> {
  const place: ConfigPlace = { mode: "environment", place: "config", name: text(property(props, "name")) };
  return new Map([
    ["value", place],
    ["insecureValue", place],
  ]);
}

/** An object of a bucket is read when its key is the name of a configuration file or a script. */
function objectPlaces(props: PlainObject): ReadonlyMap<string, ConfigPlace> | undefined {
  if (!CONFIG_FILE.test(text(property(props, "key")) ?? "")) return undefined;
  const place: ConfigPlace = { mode: "text", place: "config" };
  return new Map([
    ["content", place],
    ["contentBase64", place],
    ["source", place],
  ]);
}
