import { userNamesIn } from "./emergencyEvents";
import {
  type EmergencyUsers,
  isEmergencyName,
  isEmergencyUser,
  isUserType,
  userName,
} from "./emergencyUsers";
import { parentTypesOf } from "./references";
import { regionOf } from "./region";
import type { RuleStackResource } from "./rule";
import { isObject, type PlainObject, parseJson, property, text } from "./walk";

export const RULE = "aws:cloudwatch/eventRule:EventRule";
export const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
export const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
export const METRIC_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter";

/** An emergency user that a cell has to watch. */
export interface CellUser {
  userName: string;
  /** Its path, or the first that the configuration names. */
  path: string;
}

/** A region of a stack in which emergency users have to be watched. */
export interface WatchedCell {
  /** The resource that shows it. */
  marker: RuleStackResource;
  /** Undefined when it is not known: then any region of the stack does. */
  region: string | undefined;
  /** Empty when nothing in the stack names an emergency user. */
  users: CellUser[];
}

/** Whether resources of the type can show that their stack is a cell: the table of an activation record, and components themselves. */
export function isCellPart(type: string): boolean {
  return type === "aws:dynamodb/table:Table" || !type.includes("/");
}

interface CellOptions extends EmergencyUsers {
  readonly cellComponents: readonly string[];
}

/** The cells of a stack. Components are listed by how surely they stand in the cell's own region. */
export function watchedCells(resources: readonly RuleStackResource[], options: CellOptions): WatchedCell[] {
  const own = resources.filter(({ type, props }) => isUserType(type) && isEmergencyUser(props, options));
  // A user whose name is not known yet is not checked by name; the cell is by the others.
  const users = new Map<string, CellUser>();
  const [standardPath = "/"] = options.paths;
  const add = (name: string | undefined, path: string) => {
    if (name !== undefined && !users.has(name.toLowerCase()))
      users.set(name.toLowerCase(), { userName: name, path });
  };
  for (const user of own) add(userName(user.props), text(property(user.props, "path")) ?? standardPath);
  for (const resource of resources) {
    if (resource.type !== RULE) continue;
    for (const name of userNamesIn(eventPattern(resource.props))) {
      if (isEmergencyName(name, options)) add(name, standardPath);
    }
  }
  const markers =
    [...markersOf(resources, options.cellComponents), own].find((some) => some.length > 0) ?? [];
  if (markers.length === 0) return [];
  const regions = new Map<string | undefined, RuleStackResource>();
  for (const marker of markers) {
    const region = regionOfResource(marker);
    if (region !== undefined && !regions.has(region)) regions.set(region, marker);
  }
  if (regions.size === 0) regions.set(undefined, markers[0] as RuleStackResource);
  const isUndecided = users.size === 0 && own.length > 0;
  return isUndecided
    ? []
    : [...regions].map(([region, marker]) => ({ marker, region, users: [...users.values()] }));
}

/** For each component type that is in the stack, its parts; a component that has none in the list stands for itself. */
function markersOf(
  resources: readonly RuleStackResource[],
  components: readonly string[],
): RuleStackResource[][] {
  return components.map((component) => {
    const parts = resources.filter(({ urn }) => parentTypesOf(urn).includes(component));
    return parts.length > 0 ? parts : resources.filter(({ type }) => type === component);
  });
}

/** The region that a resource stands in, when it is known. */
export function regionOfResource({ props, provider }: RuleStackResource): string | undefined {
  return regionOf(props, provider?.props);
}

/** Whether a resource may stand in the cell's region. */
export function isInCell(resource: RuleStackResource, cell: WatchedCell): boolean {
  const region = regionOfResource(resource);
  return cell.region === undefined || region === undefined || region === cell.region;
}

/** The pattern of an event rule. Undefined when it is not known or is none. */
export function eventPattern(props: PlainObject): PlainObject | undefined {
  const given = property(props, "eventPattern");
  const parsed = typeof given === "string" ? parseJson(given) : given;
  return isObject(parsed) ? parsed : undefined;
}
