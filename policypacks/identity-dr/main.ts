import { PolicyPack } from "@pulumi/policy";
import { rules } from "./index";

// The engine starts this file and asks it about every resource, over gRPC.
new PolicyPack("identity-dr", {
  displayName: "Bulkhead identity DR",
  description: "Keeps the identity layer free of dependencies on a region that may be lost.",
  provider: "aws",
  tags: ["identity", "disaster-recovery"],
  enforcementLevel: "mandatory",
  policies: rules.map(({ policy }) => policy),
});
