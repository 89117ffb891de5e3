import * as fs from "node:fs";
import * as path from "node:path";
import type { EnrolmentDesk } from "../../../functions/breakGlass/custody/enrolTotp";
import type { Secret } from "../../../functions/breakGlass/custody/secret";
import { CliError, EXIT_CODES } from "../../exitCodes";
import type { Prompts } from "./custodianPrompts";

// The terminal's other screen: what stands on it is in no scrollback after it was left (xterm control sequences, "alternate screen").
const ENTER_SCREEN = "\u001b[?1049h\u001b[2J\u001b[H";
const LEAVE_SCREEN = "\u001b[2J\u001b[?1049l";

/** Rows of text and questions below the QR code. */
const ROWS_BELOW = 7;

/**
 * Shows a seed as QR code, on the terminal's other screen or as a picture in a file, and takes it away afterwards.
 */
export class EnrolScreen implements EnrolmentDesk {
  private shown: "screen" | "file" | undefined;

  /**
   * @param png file for the QR code. @default the terminal
   * @throws CliError when there is neither a terminal nor a file, or the file exists
   */
  constructor(
    private readonly prompts: Prompts,
    private readonly accountId: string,
    private readonly png?: string,
  ) {
    if (png === undefined && !prompts.output.isTTY) {
      throw new CliError(
        EXIT_CODES.usage,
        "The QR code holds the device's seed, so it is shown on a terminal only, and this is none. Give --png FILE for a picture of it that is deleted at the end. Nothing was changed.",
      );
    }
    if (png !== undefined && fs.existsSync(png)) {
      throw new CliError(
        EXIT_CODES.usage,
        `${png} exists. It may hold the seed of an earlier enrolment: delete it, or name another file. Nothing was changed.`,
      );
    }
    if (png !== undefined && !fs.existsSync(path.dirname(path.resolve(png)))) {
      throw new CliError(EXIT_CODES.usage, `The folder of ${png} does not exist. Nothing was changed.`);
    }
  }

  async show({ userName, seed }: { userName: string; seed: Secret }): Promise<void> {
    const { toBuffer, toString: draw } = await import("qrcode");
    const text = otpauthUri(userName, this.accountId, seed);
    if (this.png !== undefined) {
      const picture = await toBuffer(text, { type: "png", errorCorrectionLevel: "M", width: 480 });
      try {
        fs.writeFileSync(this.png, picture, { mode: 0o600, flag: "wx" });
      } catch (error) {
        throw new CliError(
          EXIT_CODES.usage,
          `${this.png} cannot be written: ${(error as NodeJS.ErrnoException).code}.`,
        );
      } finally {
        picture.fill(0);
      }
      this.shown = "file";
      this.prompts.say(
        `Scan the QR code in ${this.png} with the holder's authenticator. The file holds the seed: copy it nowhere. It is deleted at the end.`,
      );
      return;
    }
    const picture = await draw(text, { type: "terminal", small: true, errorCorrectionLevel: "L" });
    const needed = picture.split("\n").length + ROWS_BELOW;
    if (this.prompts.output.rows > 0 && this.prompts.output.rows < needed) {
      await this.prompts.ask(
        `The QR code needs ${needed} rows, and this terminal has ${this.prompts.output.rows}. Make the window higher or the letters smaller, then press Enter. `,
      );
    }
    this.shown = "screen";
    this.prompts.output.write(ENTER_SCREEN);
    this.prompts.say(picture);
    this.prompts.say(`Scan this with the authenticator of whoever will hold it for ${userName}.`);
    this.prompts.say(
      `Cannot scan? The key as text: ${seed
        .reveal()
        .match(/.{1,4}/g)
        ?.join(" ")}`,
    );
    this.prompts.say("It is shown only now, and kept nowhere.\n");
  }

  async codes(problem?: string): Promise<readonly [string, string]> {
    if (problem) this.prompts.say(`\n${problem}`);
    const first = await this.prompts.ask("Code that the authenticator shows: ");
    const second = await this.prompts.ask("The next code, once it has changed: ");
    return [first.replace(/\s/g, ""), second.replace(/\s/g, "")];
  }

  async close(): Promise<void> {
    if (this.shown === "screen") this.prompts.output.write(LEAVE_SCREEN);
    if (this.shown === "file" && this.png !== undefined) shred(this.png);
    this.shown = undefined;
  }
}

/** Overwrites and deletes. On flash memory and on file systems that copy on write, overwriting is no guarantee; deleting at once is. */
function shred(file: string): void {
  try {
    fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size), { flag: "r+" });
  } catch {
    // Whoever has deleted it was faster.
  }
  fs.rmSync(file, { force: true });
}

/** What authenticators read from a QR code (the Key Uri Format of Google Authenticator), named as AWS names its own. */
function otpauthUri(userName: string, accountId: string, seed: Secret): string {
  const issuer = "Amazon Web Services";
  const label = `${issuer}:${userName}@${accountId}`;
  return `otpauth://totp/${encodeURIComponent(label)}?secret=${seed.reveal()}&issuer=${encodeURIComponent(issuer)}`;
}
