import { defineRule } from "../lib/rule";

/**
 * Rejects resources, and calls of data sources, that use a default provider.
 *
 * The engine names default providers `default`, or `default_` with the version and, where set, the download address. A provider that a
 * program makes under such a name has the very same URN, so the name is enough.
 */
export const noDefaultProvider = defineRule({
  id: "no-default-provider",
  title: "No default provider",
  description: "Every AWS resource must name its provider: the default provider is not allowed.",
  severity: "high",
  why:
    "The default provider takes account, region and endpoints from whatever the machine's environment holds. A cell must stand in its own " +
    "region with its own STS endpoint, whoever runs the program (DESIGN: regional STS wiring is explicit at every layer).",
  looksAt: [
    "resources of the packages in `packages`, also those that components such as awsx's make",
    "the default provider itself, which appears when only a function such as `aws.getRegion()` uses it",
  ],
  leavesAlone: [
    "component resources, which have no provider of their own",
    "resources for which the engine names no provider",
  ],
  unknowns: "do not matter: a resource's provider is always known.",
  examples: {
    rejected: 'new aws.sns.Topic("alerts");',
    accepted: 'new aws.sns.Topic("alerts", {}, { provider: cell.provider });',
  },
  options: {
    packages: {
      description: "Packages whose resources must have an explicit provider.",
      default: ["aws", "aws-native"],
    },
  },
  resource({ type, name, provider }, { packages }, report) {
    const ofPackage = PROVIDER_TYPE.exec(type)?.[1];
    if (ofPackage !== undefined) {
      if (packages.includes(ofPackage) && isDefaultName(name)) {
        report({
          path: "",
          found: `the default provider of package "${ofPackage}" is in use, by a resource or by a function call`,
          instead: "pass { provider } with the cell's provider to each resource and each function call",
        });
      }
      return;
    }
    const ownPackage = type.slice(0, type.indexOf(":"));
    if (packages.includes(ownPackage) && provider && isDefaultName(provider.name)) {
      report({
        path: "options.provider",
        found: `"${provider.name}" is the default provider`,
        instead:
          "pass { provider } with the cell's provider, or { parent } or { providers } of a component that has it",
      });
    }
  },
});

const PROVIDER_TYPE = /^pulumi:providers:(.+)$/;

/** Whether this is the name that the engine gives to a default provider. */
function isDefaultName(name: string): boolean {
  return /^default(?:_\d+_\d+_\d+.*|_https?_.*)?$/.test(name);
}
