import { defineRule, type Violation } from "../lib/rule";
import { leaksInStateMachine, leaksInText } from "../lib/taskTokens";
import { childPath, isObject, type Plain, parseJson } from "../lib/walk";

/** Rejects task tokens on their way into links. */
export const noTaskTokenInUrl = defineRule({
  id: "no-task-token-in-url",
  title: "No task token in a link",
  description: "A Step Functions task token must not stand in a URL, a query string or a message.",
  severity: "critical",
  why:
    "Whoever has the token decides the approval. Links are kept in mail servers, proxies, histories and logs, and scanners open them. A " +
    "link carries an opaque id for one person and one decision instead, and the token stays in the table.",
  looksAt: [
    "state machines: `$$.Task.Token` and `$states.context.Task.Token` in anything but a whole field of what a DynamoDB or Lambda task is given",
    "API Gateway: routes, paths, parameters and templates that take a task token from the address",
    "variables of functions, mail templates, parameters and objects that write a task token into a link",
  ],
  leavesAlone: ["tokens in a DynamoDB item or in a function's payload", "links with ids of other names"],
  unknowns: "a definition that is not known is passed over until it is.",
  examples: {
    rejected: `new aws.sfn.StateMachine("approval", { roleArn, definition: JSON.stringify({ StartAt: "Ask", States: { Ask: {
  Type: "Task", Resource: "arn:aws:states:::sns:publish.waitForTaskToken",
  Parameters: { TopicArn: topic, "Message.$": "States.Format('https://x.example/approve?token={}', $$.Task.Token)" },
} } }) }, { provider });`,
    accepted: `new aws.sfn.StateMachine("approval", { roleArn, definition: JSON.stringify({ StartAt: "Ask", States: { Ask: {
  Type: "Task", Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
  Parameters: { FunctionName: ask, Payload: { "taskToken.$": "$$.Task.Token" } },
} } }) }, { provider });`,
  },
  options: {},
  appliesTo: (type) => type in STATE_MACHINES || LINK_TYPES.some((start) => type.startsWith(start)),
  readsAssets: true,
  resource({ type, props }, _config, report) {
    const definition = STATE_MACHINES[type];
    if (definition === undefined) {
      for (const violation of textLeaks(props, "", type)) report(violation);
      return;
    }
    const given = props[definition];
    const parsed = typeof given === "string" ? parseJson(given) : given;
    for (const { path, found } of leaksInStateMachine(parsed)) {
      report({ path: `${definition}: ${path}`, found, instead: INSTEAD });
    }
  },
});

const STATE_MACHINES: Readonly<Record<string, string>> = {
  "aws:sfn/stateMachine:StateMachine": "definition",
  "aws-native:stepfunctions:StateMachine": "definitionString",
};

/** Types in which links are written or taken apart. */
const LINK_TYPES = [
  "aws:apigateway/",
  "aws:apigatewayv2/",
  "aws:lambda/function:",
  "aws:s3/bucketObject",
  "aws:ses/template:",
  "aws:sesv2/emailTemplate:",
  "aws:ssm/parameter:",
];

const INSTEAD = "keep the token in the table, and let the link carry an opaque id that finds it";

function textLeaks(value: Plain, path: string, type: string): Violation[] {
  if (typeof value === "string") {
    const found = leaksInText(value, type.includes(":apigateway"));
    return found === undefined ? [] : [{ path, found, instead: INSTEAD }];
  }
  if (Array.isArray(value))
    return value.flatMap((one, index) => textLeaks(one, childPath(path, index), type));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    // API Gateway's parameter mappings have the parameter's name as key.
    const found = type.includes(":apigateway") ? leaksInText(key, true) : undefined;
    const own = found === undefined ? [] : [{ path: childPath(path, key), found, instead: INSTEAD }];
    return [...own, ...textLeaks(inner, childPath(path, key), type)];
  });
}
