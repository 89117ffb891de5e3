/** The directory at the moment of a decision. */
import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { Actor } from "../workflow/request";
import { actorOf, Directory } from "./directory";
import { type Person, parseDirectory } from "./document";
import type { DocumentSource } from "./documentSource";

/** Says who acts. */
export interface ActivePeople {
  /**
   * Somebody who wants to act now. Undefined when the directory does not have them (any more).
   * @param groups of an identity provider @default those of the document
   * @throws BulkheadError when the directory cannot be read: then nobody acts
   */
  actor(personId: string, channel: string, groups?: readonly string[]): Promise<Actor | undefined>;
}

/** Asks elsewhere whether a person is still there. */
export interface ActivityCheck {
  /**
   * @returns false when the person is known to be gone
   * @throws when it cannot be found out
   */
  isActive(person: Person): Promise<boolean>;
}

/** What {@link People} works with. */
export interface PeopleOptions {
  readonly source: DocumentSource;
  readonly log: Log;
  /** @default only the document says who is active */
  readonly check?: ActivityCheck;
  /**
   * Whether people count as active when the check gives no answer. It is about IAM's control plane, which is lost with one region: true keeps
   * approval working then, with what the document says.
   * @default false
   */
  readonly activeWithoutAnswer?: boolean;
}

/**
 * Answers from the directory. Decisions read it anew each time and fail when it cannot be read; mails and pages that only show something make do
 * with the last version that this process has seen.
 */
export class People implements ActivePeople {
  private last: Directory | undefined;

  constructor(private readonly options: PeopleOptions) {}

  /**
   * The directory as it is now, for decisions.
   * @throws BulkheadError `document-unreadable` or `directory-malformed`
   */
  async now(): Promise<Directory> {
    const directory = new Directory(parseDirectory(await this.options.source.read()));
    this.last = directory;
    return directory;
  }

  /** The directory as it is now, or as it was last seen: to show names and to address mails, never to decide. */
  async lately(): Promise<Directory> {
    try {
      return await this.now();
    } catch (error) {
      if (!this.last) throw error;
      this.options.log.warn(
        "the directory cannot be read; names and addresses are those of its last version",
        {
          ...errorFields(error),
        },
      );
      return this.last;
    }
  }

  async actor(personId: string, channel: string, groups?: readonly string[]): Promise<Actor | undefined> {
    const directory = await this.now();
    const person = directory.person(personId);
    if (!person) return undefined;
    return actorOf(person, channel, await this.isActive(person), groups && directory.groupsOfClaims(groups));
  }

  private async isActive(person: Person): Promise<boolean> {
    const { check, activeWithoutAnswer = false, log } = this.options;
    if (!check || !person.active) return person.active;
    try {
      return await check.isActive(person);
    } catch (error) {
      log.warn("whether somebody is still active cannot be found out", {
        person: person.id,
        counted: activeWithoutAnswer ? "active" : "not active",
        ...errorFields(error),
      });
      return activeWithoutAnswer;
    }
  }
}
