import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { Language } from "../directory/document";
import type { DocumentSource } from "../directory/documentSource";
import type { MessageKind } from "./kinds";
import { defaultTemplate, parseTemplates, type Template, type Templates } from "./template";

const FIVE_MINUTES = 5 * 60_000;

/** Gives templates: a team's own, and the built-in ones where there is none, or where theirs cannot be used; a mail has to get out. */
export class TemplateSource {
  private templates: Templates = {};
  private readAt = Number.NEGATIVE_INFINITY;

  /** @param source @default the built-in templates only */
  constructor(
    private readonly source: DocumentSource | undefined,
    private readonly log: Log,
    private readonly now: () => number,
  ) {}

  async template(kind: MessageKind, language: Language): Promise<Template> {
    await this.refresh();
    return this.templates[kind]?.[language] ?? defaultTemplate(kind, language);
  }

  private async refresh(): Promise<void> {
    if (!this.source || this.now() - this.readAt < FIVE_MINUTES) return;
    this.readAt = this.now();
    try {
      this.templates = parseTemplates(await this.source.read());
    } catch (error) {
      this.log.error(
        "the templates cannot be used; messages go out with those that were used before, or are built in",
        {
          ...errorFields(error),
        },
      );
    }
  }
}
