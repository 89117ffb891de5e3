/** Every text of pages and messages, in each language. Both dictionaries have the same keys; `{name}` stands for a value. */
import type { Language } from "../directory/document";
import { ENGLISH } from "./words.en";
import { CHINESE } from "./words.zh";

/** The keys of the dictionaries. */
export type Word = keyof typeof ENGLISH;

const DICTIONARIES: Readonly<Record<Language, Readonly<Record<Word, string>>>> = { en: ENGLISH, zh: CHINESE };

/** Says something in one language. */
export type Say = (word: Word, values?: Readonly<Record<string, string | number>>) => string;

/** A language's voice. Values are put in as they are: whoever shows the text escapes it. */
export function sayIn(language: Language): Say {
  const dictionary = DICTIONARIES[language];
  return (word, values = {}) =>
    dictionary[word].replace(/\{(\w+)\}/g, (_text, name: string) => String(values[name] ?? ""));
}

/** Whether a key is in the dictionaries; for keys that are made from codes. */
export function isWord(key: string): key is Word {
  return Object.hasOwn(ENGLISH, key);
}
