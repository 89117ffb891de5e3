"use strict";
/** A policy pack that has no rules: what the engine itself needs to ask a pack about resources. */
const { PolicyPack } = require("@pulumi/policy");

new PolicyPack("without-rules", { enforcementLevel: "mandatory", policies: [] });
