import { Command } from "commander";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";
import { deskOptions, print } from "./deskCommand";
import { requestText } from "./requestText";

/** `bulkhead approval show`: a request with everything that happened to it. */
export function showCommand(connect: ConnectDesk = connectDesk): Command {
  return deskOptions(
    new Command("show")
      .description("Show a request: what it does, what was seen, and everything that happened to it.")
      .argument("<request>", "the request's id"),
  ).action(async (requestId: string, options: DeskOptions & { json?: boolean }) => {
    const { shown, entries } = await connect(options.project, options.cell).ask({ kind: "show", requestId });
    print(options.json, { ...shown, entries }, requestText(shown, entries));
  });
}
