import { createApp } from "./app";
import { composeApp } from "./compose";
import { readPagesSettings } from "./settings";

/** The pages on which people confirm, approve, deny and give the last word: gets every request of the HTTP API (payload format 2.0). */
export const handler = createApp(composeApp(readPagesSettings(process.env)));
