import { Command } from "commander";
import { readEventInput } from "../../eventInput";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { parseJson } from "../../jsonInput";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";
import { deskOptions, print } from "./deskCommand";

interface RequestOptions extends DeskOptions {
  reason: string;
  service?: string;
  api?: string;
  input?: string;
  account?: string;
  region?: string;
  json?: boolean;
}

/** `bulkhead approval request`: opens a request by hand. */
export function requestCommand(connect: ConnectDesk = connectDesk): Command {
  return deskOptions(
    new Command("request")
      .description(
        "Open a request for approval by hand, for when the denied call did not open one by itself. You are asked to confirm by mail.",
      )
      .argument("[file]", "file with the denied call's record, or with an operation; - : standard input")
      .requiredOption("--reason <text>", "why it has to be done; approvers read it")
      .option("--service <name>", "SDK client of the call, such as ec2; in place of a file")
      .option("--api <name>", "API of the call, such as TerminateInstances")
      .option("--input <json>", 'input of the call, such as \'{"InstanceIds":["i-0fc5d99558e8357e8"]}\'')
      .option("--account <id>", "account of the resources")
      .option("--region <name>", "region of the resources")
      .addHelpText("after", HELP),
  ).action(async (file: string | undefined, options: RequestOptions) => {
    const desk = connect(options.project, options.cell);
    const wanted = file === undefined ? typed(options) : await fromFile(file, options);
    const answer =
      "event" in wanted
        ? await desk.ask({ kind: "openEvent", ...wanted })
        : await desk.ask({ kind: "open", ...wanted });
    const text =
      "opened" in answer
        ? `Request ${answer.opened} is open. Confirm it with the link that comes by mail.\n`
        : `There is a request for this already: ${answer.exists}\n`;
    print(options.json, answer, text);
  });
}

const HELP = `
A file holds a record of CloudTrail or an event of EventBridge around one, or an operation:
{"service": "ec2", "api": "TerminateInstances", "input": {"InstanceIds": ["i-..."]}, "account": "111122223333", "region": "us-east-1"}
`;

interface Typed {
  service: string;
  api: string;
  input: Record<string, unknown>;
  account: string;
  region: string;
  reason: string;
}

function typed({ service, api, input, account, region, reason }: RequestOptions): Typed {
  const missing = Object.entries({ service, api, input, account, region }).flatMap(([name, value]) =>
    value === undefined ? [`--${name}`] : [],
  );
  if (missing.length > 0) {
    throw new CliError(
      EXIT_CODES.usage,
      `Name a file, or say all of the operation: ${missing.join(", ")} missing.`,
    );
  }
  const parsed = parseJson(input!, "--input", "Expected is the call's input as a JSON object.");
  if (!isObject(parsed)) throw new CliError(EXIT_CODES.usage, "--input is not a JSON object.");
  return { service: service!, api: api!, input: parsed, account: account!, region: region!, reason };
}

async function fromFile(
  file: string,
  { reason }: RequestOptions,
): Promise<Typed | { event: unknown; reason: string }> {
  const { events, source } = await readEventInput(file);
  const [event] = events;
  if (events.length !== 1) {
    throw new CliError(EXIT_CODES.usage, `${source} holds ${events.length} events; a request is for one.`);
  }
  if (!isObject(event) || !("service" in event)) return { event, reason };
  const { service, api, input, account, region, ...rest } = event;
  const texts = { service, api, account, region };
  const wrong = Object.entries(texts).find(([, value]) => typeof value !== "string")?.[0];
  if (wrong !== undefined || !isObject(input)) {
    throw new CliError(
      EXIT_CODES.usage,
      `${source}: ${wrong ?? "input"} of the operation is missing or of the wrong kind.`,
    );
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new CliError(EXIT_CODES.usage, `${source}: an operation has no "${unknown}".`);
  return { ...(texts as Record<keyof typeof texts, string>), input, reason };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
