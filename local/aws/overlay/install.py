"""Puts every concern in place. The order matters where two wrap the same function: the later one is the outer one."""
from overlay import (
    authorization,
    calls,
    cloudformation_conditions,
    conditions,
    control_policies,
    events,
    functions,
    iam_behaviour,
    iam_quotas,
    inbox,
    mfa,
    orgs,
    outage,
    passwords,
    ses_mail,
    signin,
    smtp,
    sns_functions,
    sns_mail,
    stack_sets,
    trail,
    validation,
)

# Imported for what they register: routes of the control interface, observers of calls.
_REGISTERING = (inbox, outage, signin, trail, validation)


def all_concerns():
    for concern in (
        conditions,
        authorization,
        control_policies,
        orgs,
        mfa,
        passwords,
        iam_quotas,
        iam_behaviour,
        events,
        functions,
        sns_functions,
        sns_mail,
        ses_mail,
        cloudformation_conditions,
        stack_sets,
        calls,
    ):
        concern.install()


async def start_listeners():
    """Opens the mail server; its port."""
    return await smtp.listen()
