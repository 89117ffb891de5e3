"""Regions that are gone: `PUT /_bulkhead/outage {"regions": [...], "globalServices": bool}`.

Requests do not reach a region that is gone because the region proxy drops them; this stops what happens inside: events that
would be recorded there are lost, deliveries, schedules and asynchronous invocations there do not happen.
"""
from overlay import control

_cut_off = frozenset()
_global_services = False


def is_cut_off(region):
    """Whether the region is gone."""
    return region in _cut_off


def are_global_services_cut_off():
    """Whether IAM, Organizations and the like are gone, wherever the request for them was signed."""
    return _global_services


@control.route("PUT", "outage")
def _set(body, _headers):
    global _cut_off, _global_services
    regions, global_services = body.get("regions"), body.get("globalServices", False)
    if not isinstance(regions, list) or not all(isinstance(each, str) for each in regions):
        raise control.ControlError(400, "regions is required: a list of region names, empty to end the outage")
    if not isinstance(global_services, bool):
        raise control.ControlError(400, "globalServices is true or false")
    _cut_off, _global_services = frozenset(regions), global_services
    return {"regions": sorted(_cut_off), "globalServices": _global_services}


@control.route("GET", "outage")
def _get(_body, _headers):
    return {"regions": sorted(_cut_off), "globalServices": _global_services}
