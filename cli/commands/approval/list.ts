import { Command } from "commander";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";
import { deskOptions, print } from "./deskCommand";
import { requestLine } from "./requestText";

/** `bulkhead approval list`: what is open, in this cell and in the other one. */
export function listCommand(connect: ConnectDesk = connectDesk): Command {
  return deskOptions(
    new Command("list").description(
      "List the open requests of the cell, and those of the other cell as far as they were replicated: after the loss of its region, `reopen` opens those anew.",
    ),
  ).action(async (options: DeskOptions & { json?: boolean }) => {
    const { list } = await connect(options.project, options.cell).ask({ kind: "list" });
    print(options.json, list, list.length > 0 ? list.map(requestLine).join("") : "No request is open.\n");
  });
}
