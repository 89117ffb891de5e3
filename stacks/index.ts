import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "./config";
import { deployStandby } from "./dr";
import { deployPrimary } from "./prod";

/** The program: one stack is one cell, and its configuration says which of the two. */
const config = readConfig();
const deploy = { primary: deployPrimary, standby: deployStandby }[config.role];

export = deploy(pulumi.getStack(), config);
