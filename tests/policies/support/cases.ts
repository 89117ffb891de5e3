import { expect } from "chai";
import { analyze, analyzeStack, type TestResource } from "./analyze";

/** One case of a rule: its title, what it is given, and what it must report. */
export interface Case {
  title: string;
  resources: TestResource[];
  /** What each message must hold, in the order of the reports; none: nothing may be reported. */
  reports?: (string | RegExp)[];
  config?: Record<string, unknown>;
}

/** Everything that a rule reports, about each resource and about them all together as a stack. */
export async function reportsOf(rule: string, { resources, config }: Case): Promise<string[]> {
  const messages: string[] = [];
  for (const resource of resources) {
    messages.push(...(await analyze(rule, resource, config).catch(onlyStacks)));
  }
  const inStack = await analyzeStack(rule, resources, config).catch(onlyResources);
  return [...messages, ...inStack.map(({ message }) => message)];
}

/** Makes a test of each case. */
export function itJudges(rule: string, cases: readonly Case[]): void {
  for (const one of cases) {
    it(one.title, async () => {
      const found = await reportsOf(rule, one);
      const wanted = one.reports ?? [];
      expect(found, found.join("\n")).to.have.length(wanted.length);
      for (const [index, part] of wanted.entries()) {
        if (typeof part === "string") expect(found[index]).to.include(part);
        else expect(found[index]).to.match(part);
      }
    });
  }
}

function onlyStacks(error: Error): string[] {
  if (!error.message.endsWith("does not check resources")) throw error;
  return [];
}

function onlyResources(error: Error): { message: string }[] {
  if (!error.message.endsWith("does not check stacks")) throw error;
  return [];
}

/** A policy document's JSON. */
export function documentOf(...statements: unknown[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
