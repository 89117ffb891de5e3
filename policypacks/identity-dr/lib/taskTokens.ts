import { childPath, isObject, type Plain, type PlainObject } from "./walk";

/** A task token on its way out. */
interface TokenLeak {
  path: string;
  found: string;
}

const TOKEN =
  /\$\$\.Task\.Token|\$states\.context\.Task\.Token|\$\$\.Task(?!\.)|\$states\.context\.Task(?!\.)/;

/** A field that is the token and nothing else. */
const WHOLE_TOKEN = /^(?:\$\$\.Task\.Token|\{%\s*\$states\.context\.Task\.Token\s*%\})$/;

/** Tasks that may be given the token: what they do with it is the product's own code or table. */
const TRUSTED_TASK =
  /^arn:[^:]+:(?:states:[^:]*:[^:]*:(?:aws-sdk:)?(?:dynamodb:|lambda:invoke)|lambda:[^:]+:[^:]+:function:)/;

/** Fields of a task that say what it is given. */
const GIVEN = new Set(["Parameters", "Arguments"]);

const LINK_NAME = /url|uri|link|href|query|redirect|subject|message|html|body/i;

/** Where the definition of a state machine lets a task token get into a link or a message. */
export function leaksInStateMachine(definition: Plain | undefined): TokenLeak[] {
  return isObject(definition) ? machineLeaks(definition, "") : [];
}

function machineLeaks(machine: PlainObject, path: string): TokenLeak[] {
  const states = machine.States;
  if (!isObject(states)) return [];
  return Object.entries(states).flatMap(([name, state]) =>
    isObject(state) ? stateLeaks(state, childPath(path === "" ? "States" : `${path}.States`, name)) : [],
  );
}

function stateLeaks(state: PlainObject, path: string): TokenLeak[] {
  const resource = typeof state.Resource === "string" ? state.Resource : undefined;
  return Object.entries(state).flatMap(([key, value]) => {
    const at = childPath(path, key);
    if (key === "Iterator" || key === "ItemProcessor") return isObject(value) ? machineLeaks(value, at) : [];
    if (key === "Branches" && Array.isArray(value)) {
      return value.flatMap((branch, index) =>
        isObject(branch) ? machineLeaks(branch, childPath(at, index)) : [],
      );
    }
    // A name of a function that is filled in later, as in "${...}", is Lambda's by the field's own form.
    const isTrusted = GIVEN.has(key) && resource !== undefined && TRUSTED_TASK.test(resource);
    return fieldLeaks(value, at, isTrusted);
  });
}

function fieldLeaks(value: Plain, path: string, isTrusted: boolean): TokenLeak[] {
  if (Array.isArray(value))
    return value.flatMap((one, index) => fieldLeaks(one, childPath(path, index), isTrusted));
  if (isObject(value)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      fieldLeaks(inner, childPath(path, key), isTrusted),
    );
  }
  if (typeof value !== "string" || !TOKEN.test(value)) return [];
  if (!isTrusted)
    return [{ path, found: "the task token is given to something that is neither a function nor DynamoDB" }];
  if (!WHOLE_TOKEN.test(value)) return [{ path, found: "the task token is made part of a longer text" }];
  const name = /([\w$-]+)(?:\.\$)?"?\]?$/.exec(path)?.[1] ?? "";
  return LINK_NAME.test(name.replace(/\.\$$/, ""))
    ? [{ path, found: `the task token is given as "${name}"` }]
    : [];
}

/** What names a task token as a parameter of an address. */
const IN_ADDRESS = /[?&#](?:step|sfn)?_?task_?-?token=|[?&#](?:step|sfn)_?-?token=/i;

/** What takes a task token from an address in API Gateway: path variables, parameter mappings, templates. */
const FROM_ADDRESS =
  /\{(?:proxy\.)?task_?-?token\+?\}|(?:querystring|path)\.task_?-?token\b|params\(\s*\\?['"]task_?-?token|querystring:task_?-?token|querystring\(?\)?\.get\(\s*['"]task_?-?token/i;

/**
 * What is wrong with a text that writes a task token into a link or takes it from one.
 * @param isGateway whether the text is part of API Gateway's configuration.
 * @returns undefined when nothing is.
 */
export function leaksInText(text: string, isGateway: boolean): string | undefined {
  if (IN_ADDRESS.test(text)) return "a link carries the task token";
  if (TOKEN.test(text)) return "the task token of a state machine stands in a text";
  return isGateway && FROM_ADDRESS.test(text) ? "the address of a request carries the task token" : undefined;
}
