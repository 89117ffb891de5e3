/**
 * What an operation will do, from what AWS says at this moment. Everything in it that came from AWS (names, tags) was chosen by somebody and is
 * data: it is cleaned here, and escaped wherever it is shown.
 */
import { cleanLine } from "../../shared/text/cleanText";
import { canonicalHash } from "../policy/operationHash";

/** Something that is named: a volume, an interface, a snapshot. */
export interface Item {
  /** What it is: `volume`. */
  readonly kind: string;
  readonly id: string;
  /** More about it: `100 GiB, gp3`. */
  readonly note?: string;
  /**
   * Whether it comes and goes by itself, such as a target in an Auto Scaling group; then it is shown, but not part of what is approved.
   * @default false
   */
  readonly live?: boolean;
}

/** A fact about a resource. */
export interface Detail {
  readonly label: string;
  readonly value: string;
  /**
   * Whether it changes by itself, such as a bucket's size; then it is shown, but not part of what is approved.
   * @default false
   */
  readonly live?: boolean;
}

/** A resource that the operation is about. */
export interface Subject {
  readonly arn: string;
  readonly presence: "present" | "absent" | "unknown";
  /** Its tags; undefined when they could not be read. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly details: readonly Detail[];
  /** What goes with it. */
  readonly lost: readonly Item[];
  /** Copies that stay: snapshots, backups. They come and go by schedules, so only whether there are any is part of what is approved. */
  readonly kept: readonly Item[];
  /** What uses it and stays, without it. */
  readonly affected: readonly Item[];
  /** Why AWS would reject the call as things stand. */
  readonly obstacles: readonly string[];
}

/** Something that could not be found out. */
export interface Unknown {
  /** What was asked, such as `volumes of the instances`. */
  readonly what: string;
  /** `denied`: no permission; `unavailable`: no answer, or none that helps. */
  readonly why: "denied" | "unavailable";
}

/** What was seen. */
export interface Preview {
  readonly subjects: readonly Subject[];
  /** What could not be found out; it is said to approvers, and raises the risk. */
  readonly unknown: readonly Unknown[];
}

/** Longest text of AWS that is shown. */
const MAX_TEXT = 256;
/** Most items of a kind that are listed. */
const MAX_ITEMS = 50;

const clean = (text: string) => cleanLine(text, MAX_TEXT);
const inOrder = <T>(items: readonly T[], key: (item: T) => string) =>
  [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));

function cleanItems(items: readonly Item[]): Item[] {
  return inOrder(
    items.map(({ kind, id, note, live }) => ({
      kind,
      id: clean(id),
      ...(live && { live }),
      ...(note !== undefined && note !== "" && { note: clean(note) }),
    })),
    ({ kind, id }) => `${kind} ${id}`,
  );
}

/** The preview with its texts cleaned and everything in one order. */
export function tidy({ subjects, unknown }: Preview): Preview {
  return {
    subjects: inOrder(
      subjects.map((subject) => ({
        ...subject,
        ...(subject.tags && {
          tags: Object.fromEntries(
            inOrder(Object.entries(subject.tags), ([key]) => key).map(([key, value]) => [
              clean(key),
              clean(value),
            ]),
          ),
        }),
        details: subject.details.map((detail) => ({ ...detail, value: clean(detail.value) })),
        lost: cleanItems(subject.lost),
        kept: cleanItems(subject.kept),
        affected: cleanItems(subject.affected),
        obstacles: subject.obstacles.map(clean),
      })),
      ({ arn }) => arn,
    ),
    unknown: inOrder(unknown, ({ what }) => what),
  };
}

/**
 * What an approval is bound to: the preview without what changes by itself. The same state of the resources gives the same hash, in
 * whatever order AWS lists them; anything that an approver would want to know of gives another one, also that something can no longer be seen.
 */
export function previewHash(preview: Preview): string {
  const { subjects, unknown } = tidy(preview);
  return canonicalHash({
    unknown,
    subjects: subjects.map(({ kept, lost, affected, details, ...rest }) => ({
      ...rest,
      lost: lost.filter(({ live }) => !live),
      affected: affected.filter(({ live }) => !live),
      details: inOrder(
        details.filter(({ live }) => !live).map(({ label, value }) => `${label}: ${value}`),
        (text) => text,
      ),
      recoverable: kept.length > 0,
    })),
  });
}

/** Items in few words: each one, and how many more there are. */
function itemList(items: readonly Item[]): string {
  const shown = items
    .slice(0, MAX_ITEMS)
    .map(({ kind, id, note }) => `${kind} ${id}${note ? ` (${note})` : ""}`);
  const more = items.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** A line of a summary. Both parts are plain text. */
export interface SummaryLine {
  readonly label: string;
  readonly value: string;
}

/** The preview as lines of plain text, for pages and messages. */
export function summarize(preview: Preview): SummaryLine[] {
  const { subjects, unknown } = tidy(preview);
  return [
    ...subjects.flatMap(subjectLines),
    ...unknown.map(({ what, why }) => ({
      label: "Not known",
      value: `${what}: ${why === "denied" ? "reading it is not allowed" : "AWS gave no answer"}`,
    })),
  ];
}

function subjectLines({
  arn,
  presence,
  tags,
  details,
  lost,
  kept,
  affected,
  obstacles,
}: Subject): SummaryLine[] {
  const lines: SummaryLine[] = [{ label: "Resource", value: arn }];
  if (presence === "absent") return [...lines, { label: "State", value: "does not exist" }];
  if (presence === "unknown") return [...lines, { label: "State", value: "could not be read" }];
  const list = (label: string, items: readonly Item[], none?: string) => {
    if (items.length > 0) lines.push({ label, value: itemList(items) });
    else if (none !== undefined) lines.push({ label, value: none });
  };
  lines.push(...details.map(({ label, value }) => ({ label, value })));
  list("Lost with it", lost);
  list("Copies that stay", kept, "none were found");
  list("Affected", affected);
  lines.push(...obstacles.map((value) => ({ label: "AWS will reject it", value })));
  if (tags) {
    const shown = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    lines.push({ label: "Tags", value: shown.join(", ") || "none" });
  }
  return lines;
}
