import { LANGUAGES, type Language } from "../directory/document";

/**
 * The language of a page: what the address asks for, else the best of what the browser asks for, else the deployment's.
 * @param asked the value of `?lang=`
 * @param acceptLanguage the header
 */
export function pageLanguage(
  asked: string | undefined,
  acceptLanguage: string | undefined,
  otherwise: Language,
): Language {
  const known = (tag: string) => LANGUAGES.find((language) => language === tag.toLowerCase().split("-")[0]);
  const chosen = asked === undefined ? undefined : known(asked);
  if (chosen) return chosen;
  const preferences = (acceptLanguage ?? "")
    .slice(0, 500)
    .split(",")
    .flatMap((part) => {
      const [tag = "", ...parameters] = part.trim().split(";");
      const language = known(tag);
      const quality = parameters.map((each) => /^\s*q=([\d.]+)\s*$/.exec(each)?.[1]).find(Boolean);
      return language ? [{ language, quality: quality === undefined ? 1 : Number(quality) }] : [];
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return preferences[0]?.language ?? otherwise;
}
