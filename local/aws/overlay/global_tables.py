"""DynamoDB: a global table's replicas tell the key that they are encrypted with (ReplicaDescription in DynamoDB's API reference)."""
from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb

#: By account, name of the table and region of the replica.
_keys: dict[tuple[str, str, str], str] = {}


def install():
    apply, describe = dynamodb._apply_replica_updates, dynamodb._table_description

    def apply_updates(name, table, updates):
        refused = apply(name, table, updates)
        if refused is None:
            for update in updates:
                ((action, spec),) = update.items()
                _note(action, name, spec)
        return refused

    def describe_table(*args, **kwargs):
        description = describe(*args, **kwargs)
        for replica in description.get("Replicas", []):
            key = _keys.get((get_account_id(), description["TableName"], replica["RegionName"]))
            if key:
                replica["KMSMasterKeyId"] = key
        return description

    dynamodb._apply_replica_updates = apply_updates
    dynamodb._table_description = describe_table


def _note(action, name, spec):
    place = (get_account_id(), name, spec["RegionName"])
    if action != "Update":
        _keys.pop(place, None)
    if spec.get("KMSMasterKeyId"):
        _keys[place] = spec["KMSMasterKeyId"]
