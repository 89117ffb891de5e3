"""Conditions of CloudFormation templates: pseudo parameters and functions in them, which MiniStack does not resolve."""
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import changesets, engine, handlers, stacks

from overlay import regions


def install():
    # Each of these imported the function by its name.
    for module in (changesets, engine, handlers, stacks):
        if hasattr(module, "_evaluate_conditions"):
            module._evaluate_conditions = evaluate


def evaluate(template, params):
    """The template's conditions, by name, in the current account and region."""
    definitions = template.get("Conditions") or {}
    region = get_region()
    pseudo = {
        "AWS::Region": region,
        "AWS::AccountId": get_account_id(),
        "AWS::Partition": regions.partition_of(region),
        "AWS::URLSuffix": regions.dns_suffix(region),
    }
    known = {**{name: {"Value": value} for name, value in pseudo.items()}, **params}
    mappings = template.get("Mappings") or {}
    evaluated = {}

    def truth(expression):
        if isinstance(expression, dict) and len(expression) == 1:
            ((function, argument),) = expression.items()
            if function == "Condition":
                return named(argument)
            if function == "Fn::And":
                return all(truth(each) for each in argument)
            if function == "Fn::Or":
                return any(truth(each) for each in argument)
            if function == "Fn::Not":
                return not truth(argument[0])
            if function == "Fn::Equals":
                left, right = (value(each) for each in argument)
                return left == right if isinstance(left, list) else str(left) == str(right)
        return str(value(expression)).lower() == "true"

    def value(expression):
        if isinstance(expression, dict) and "Ref" in expression and expression["Ref"] in known:
            return known[expression["Ref"]]["Value"]
        if isinstance(expression, (dict, list)):
            return engine._resolve_refs(expression, {}, known, evaluated, mappings, "", "")
        return expression

    def named(name):
        if name not in evaluated:
            if name not in definitions:
                raise ValueError(f"Template format error: Unresolved condition dependency {name}")
            evaluated[name] = truth(definitions[name])
        return evaluated[name]

    for name in definitions:
        named(name)
    return evaluated
