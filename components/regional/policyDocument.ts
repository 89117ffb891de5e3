import * as pulumi from "@pulumi/pulumi";

/** A principal, action, resource or condition value: one or several. */
type OneOrMany = pulumi.Input<string> | pulumi.Input<pulumi.Input<string>[]>;

/** One statement of an IAM policy document, whose parts may be outputs of resources. */
export interface PolicyStatement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: pulumi.Input<Record<string, OneOrMany>> | "*";
  Action?: OneOrMany;
  NotAction?: OneOrMany;
  Resource?: OneOrMany;
  NotResource?: OneOrMany;
  Condition?: pulumi.Input<Record<string, pulumi.Input<Record<string, OneOrMany>>>>;
}

/** The JSON text of a policy document with these statements, in this order. */
export function policyDocument(statements: PolicyStatement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({ Version: "2012-10-17", Statement: statements });
}
