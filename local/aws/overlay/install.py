"""Puts every concern in place. The order matters where two wrap the same function: the later one is the outer one."""
from overlay import (
    alarms,
    authorization,
    calls,
    cloudformation_conditions,
    conditions,
    control_policies,
    events,
    functions,
    global_tables,
    http_apis,
    iam_behaviour,
    iam_quotas,
    inbox,
    key_history,
    log_metrics,
    mfa,
    orgs,
    outage,
    partitions,
    passwords,
    secrets_manager,
    security_keys,
    ses_mail,
    signin,
    simulation,
    smtp,
    sns_functions,
    sns_mail,
    source_identity,
    stack_sets,
    state_machines,
    trail,
    trails,
    validation,
    watch_resources,
)

# Imported for what they register: routes of the control interface, observers of calls.
_REGISTERING = (inbox, outage, signin, trail, validation)


def all_concerns():
    for concern in (
        partitions,
        conditions,
        authorization,
        watch_resources,
        control_policies,
        orgs,
        mfa,
        passwords,
        iam_quotas,
        iam_behaviour,
        simulation,
        security_keys,
        key_history,
        global_tables,
        secrets_manager,
        state_machines,
        events,
        trails,
        log_metrics,
        alarms,
        functions,
        http_apis,
        source_identity,
        sns_functions,
        sns_mail,
        ses_mail,
        cloudformation_conditions,
        stack_sets,
        calls,
    ):
        concern.install()


async def start_listeners():
    """Opens the mail server, and has alarms looked at; the mail server's port."""
    alarms.start()
    return await smtp.listen()
