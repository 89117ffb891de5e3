/** Writes policypacks/identity-dr/RULES.md from the rules' own descriptions. Run with `tsx policypacks/generateRules.ts`. */
import * as fs from "node:fs";
import * as path from "node:path";
import { rules } from "./identity-dr";
import { catalogue } from "./identity-dr/lib/catalogue";

fs.writeFileSync(path.join(__dirname, "identity-dr", "RULES.md"), catalogue(rules));
