import { type TestResource, UNKNOWN_VALUE } from "./support/analyze";
import { itJudges } from "./support/cases";

const machine = (states: object): TestResource => ({
  type: "aws:sfn/stateMachine:StateMachine",
  name: "approval",
  props: { definition: JSON.stringify({ StartAt: "A", States: states }) },
});
const task = (Resource: string, fields: object) => machine({ A: { Type: "Task", Resource, ...fields } });
const LAMBDA = "arn:aws:states:::lambda:invoke.waitForTaskToken";
const DYNAMODB = "arn:aws:states:::aws-sdk:dynamodb:putItem.waitForTaskToken";
const payload = (Payload: object) => task(LAMBDA, { Parameters: { FunctionName: "ask", Payload } });
const NEITHER = "the task token is given to something that is neither a function nor DynamoDB";

describe("no-task-token-in-url", () => {
  describe("state machines", () => {
    itJudges("no-task-token-in-url", [
      {
        title: "accept a function's payload",
        resources: [payload({ "taskToken.$": "$$.Task.Token", "input.$": "$" })],
      },
      {
        title: "accept a DynamoDB item",
        resources: [
          task(DYNAMODB, { Parameters: { TableName: "t", Item: { token: { "S.$": "$$.Task.Token" } } } }),
        ],
      },
      {
        title: "accept JSONata",
        resources: [
          task(LAMBDA, {
            QueryLanguage: "JSONata",
            Arguments: { Payload: { taskToken: "{% $states.context.Task.Token %}" } },
          }),
        ],
      },
      {
        title: "accept a function's own ARN, and China's services",
        resources: [
          task("arn:aws:lambda:us-east-1:222222222222:function:ask", {
            Parameters: { "token.$": "$$.Task.Token" },
          }),
          task("arn:aws-cn:states:::lambda:invoke.waitForTaskToken", {
            Parameters: { Payload: { "token.$": "$$.Task.Token" } },
          }),
        ],
      },
      {
        title: "reject a message",
        resources: [
          task("arn:aws:states:::sns:publish.waitForTaskToken", {
            Parameters: { "Message.$": "$$.Task.Token" },
          }),
        ],
        reports: [`definition: States.A.Parameters["Message.$"]: ${NEITHER}`],
      },
      {
        title: "reject a mail and a call over HTTP",
        resources: [
          task("arn:aws:states:::aws-sdk:sesv2:sendEmail.waitForTaskToken", {
            Parameters: { "X.$": "$$.Task.Token" },
          }),
          task("arn:aws:states:::http:invoke", {
            Arguments: { QueryParameters: { t: "{% $states.context.Task.Token %}" } },
          }),
        ],
        reports: [NEITHER, NEITHER],
      },
      {
        title: "reject a link that is put together for a function",
        resources: [payload({ "link.$": "States.Format('https://x.example/?t={}', $$.Task.Token)" })],
        reports: ["made part of a longer text"],
      },
      {
        title: "reject a field that says that it is one",
        resources: [payload({ "approveUrl.$": "$$.Task.Token" })],
        reports: ['given as "approveUrl"'],
      },
      {
        title: "reject JSONata that puts it together",
        resources: [
          task(LAMBDA, {
            Arguments: { Payload: { text: "{% 'https://x/?t=' & $states.context.Task.Token %}" } },
          }),
        ],
        reports: ["longer text"],
      },
      {
        title: "reject a variable, and a whole context's task",
        resources: [task(LAMBDA, { Assign: { "t.$": "$$.Task.Token" } }), payload({ "task.$": "$$.Task" })],
        reports: [NEITHER, "longer text"],
      },
      {
        title: "look into branches and maps",
        resources: [
          machine({
            P: {
              Type: "Parallel",
              Branches: [{ States: { A: { Type: "Pass", Parameters: { "t.$": "$$.Task.Token" } } } }],
            },
            M: {
              Type: "Map",
              ItemProcessor: { States: { B: { Type: "Pass", Parameters: { "t.$": "$$.Task.Token" } } } },
            },
          }),
        ],
        reports: ["States.P.Branches[0].States.A.Parameters", "States.M.ItemProcessor.States.B.Parameters"],
      },
      {
        title: "take aws-native's definitions",
        resources: [
          {
            type: "aws-native:stepfunctions:StateMachine",
            props: { definitionString: '{"States":{"A":{"Type":"Pass","Result":"$$.Task.Token"}}}' },
          },
        ],
        reports: ["definitionString: States.A.Result"],
      },
      {
        title: "wait for what is not known",
        resources: [{ type: "aws:sfn/stateMachine:StateMachine", props: { definition: UNKNOWN_VALUE } }],
      },
    ]);
  });

  describe("addresses and texts", () => {
    const of = (type: string, props: Record<string, unknown>): TestResource => ({ type, name: "it", props });
    itJudges("no-task-token-in-url", [
      {
        title: "accept opaque ids",
        resources: [
          of("aws:apigatewayv2/route:Route", { routeKey: "POST /approve/{id}" }),
          of("aws:lambda/function:Function", {
            environment: { variables: { LINK: "https://x.example/approve?id=" } },
          }),
        ],
      },
      {
        title: "reject a path with the token",
        resources: [of("aws:apigatewayv2/route:Route", { routeKey: "GET /approve/{taskToken}" })],
        reports: ["routeKey: the address of a request carries the task token"],
      },
      {
        title: "reject mappings and templates of API Gateway",
        resources: [
          of("aws:apigateway/method:Method", {
            requestParameters: { "method.request.querystring.taskToken": true },
          }),
          of("aws:apigateway/integration:Integration", {
            requestTemplates: { "application/json": '{"taskToken": "$input.params(\'taskToken\')"}' },
          }),
        ],
        reports: ['requestParameters["method.request.querystring.taskToken"]', "requestTemplates"],
      },
      {
        title: "reject links in environments, mail templates, parameters and objects",
        resources: [
          of("aws:lambda/function:Function", {
            environment: { variables: { LINK: "https://x.example/?taskToken=" } },
          }),
          of("aws:ses/template:Template", {
            html: '<a href="https://x.example/ok?a=1&task_token={{token}}">',
          }),
          of("aws:ssm/parameter:Parameter", { value: "https://x.example/?sfn-token=" }),
          of("aws:s3/bucketObjectv2:BucketObjectv2", { content: "https://x.example/#taskToken=" }),
        ],
        reports: [
          "environment.variables.LINK: a link carries",
          "html: a link",
          "value: a link",
          "content: a link",
        ],
      },
      {
        title: "leave functions that speak of a token in another way alone",
        resources: [
          of("aws:lambda/function:Function", {
            environment: { variables: { TASK_TOKEN_TABLE: "requests", NEXT: "?nextToken=" } },
          }),
        ],
      },
    ]);
  });
});
