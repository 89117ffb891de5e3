import type { PreviewClients } from "../../../../functions/approval/preview/clients";

/** An error as the SDK throws it. */
export function awsError(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(`${name} with words of AWS`), { name, $metadata: { httpStatusCode } });
}

/** Answers by the command's name; a function gets the command's input, an error is thrown. */
export type Answers = Readonly<Record<string, unknown>>;

/** Clients that answer from a table, and note what they were asked, as `client Command`. */
export function fakeClients(answers: Answers, otherwise: unknown = {}) {
  const asked: string[] = [];
  const client = (name: string) => ({
    config: {},
    send: async (command: { constructor: { name: string }; input: unknown }) => {
      const api = command.constructor.name.replace(/Command$/, "");
      asked.push(`${name} ${api}`);
      const answer = Object.hasOwn(answers, api) ? answers[api] : otherwise;
      const value = typeof answer === "function" ? answer(command.input) : answer;
      if (value instanceof Error) throw value;
      return structuredClone(value);
    },
  });
  const names: (keyof PreviewClients)[] = [
    "cloudwatch",
    "dynamodb",
    "ec2",
    "eks",
    "elb",
    "elbv2",
    "kms",
    "lambda",
    "rds",
    "s3",
    "s3control",
  ];
  return {
    clients: Object.fromEntries(names.map((name) => [name, client(name)])) as unknown as PreviewClients,
    asked,
  };
}
