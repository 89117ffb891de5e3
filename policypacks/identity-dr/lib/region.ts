import { isRegionName } from "../../../components/regional/partition";
import { type PlainObject, property, text } from "./walk";

/**
 * The region that a resource stands in: its own `region`, else its provider's.
 * @param provider the properties of the resource's provider; none for a provider, whose own region counts.
 * @returns undefined when it is not known during preview or is no real region.
 */
export function regionOf(props: PlainObject, provider: PlainObject | undefined): string | undefined {
  for (const source of [props, provider]) {
    const region = source && text(property(source, "region"))?.trim().toLowerCase();
    if (region !== undefined && isRegionName(region)) return region;
  }
  return undefined;
}
