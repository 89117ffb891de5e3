import { Command } from "commander";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";
import { deskOptions, print } from "./deskCommand";

/** `bulkhead approval cancel`: ends a request of one's own. */
export function cancelCommand(connect: ConnectDesk = connectDesk): Command {
  return deskOptions(
    new Command("cancel")
      .description(
        "Cancel a request of your own. It cannot be undone; what is being carried out cannot be cancelled.",
      )
      .argument("<request>", "the request's id"),
  ).action(async (requestId: string, options: DeskOptions & { json?: boolean }) => {
    const answer = await connect(options.project, options.cell).ask({ kind: "cancel", requestId });
    print(options.json, answer, `Request ${answer.cancelled} is cancelled.\n`);
  });
}
