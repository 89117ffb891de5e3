import { Command } from "commander";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";
import { deskOptions, print } from "./deskCommand";

/** `bulkhead approval reopen`: opens a lost cell's request anew in this one. */
export function reopenCommand(connect: ConnectDesk = connectDesk): Command {
  return deskOptions(
    new Command("reopen")
      .description(
        "Open a request of the other cell anew in this one, after the loss of its region and the promotion of this cell. It gets a new id, and everybody is asked again.",
      )
      .argument("<request>", "id of the other cell's request; see list"),
  ).action(async (requestId: string, options: DeskOptions & { json?: boolean }) => {
    const answer = await connect(options.project, options.cell).ask({ kind: "reopen", requestId });
    const text =
      "opened" in answer
        ? `Opened anew as ${answer.opened}. Its requester is asked to confirm.\n`
        : `It is open already as ${answer.exists}.\n`;
    print(options.json, answer, text);
  });
}
