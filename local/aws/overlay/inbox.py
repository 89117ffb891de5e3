"""Mails that would have been sent: SNS e-mail subscriptions, SES, and the SMTP listener; `GET /_bulkhead/inbox`."""
import collections
import datetime
import itertools

from overlay import control, inbox_page

_LENGTH = 1_000
_mails = collections.deque(maxlen=_LENGTH)
_ids = itertools.count(1)


def put(kind, region, sender, recipients, subject, text, html=None):
    """Adds a mail: `kind` is "sns", "ses" or "smtp"; `region` is where it was sent, "" for SMTP."""
    mail = {
        "id": str(next(_ids)),
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "region": region,
        "kind": kind,
        "from": sender,
        "to": list(recipients),
        "subject": subject,
        "text": text,
    }
    if html:
        mail["html"] = html
    _mails.append(mail)
    return mail


@control.route("GET", "inbox")
def _get(_body, headers):
    if "text/html" in headers.get("accept", ""):
        from overlay import sns_mail

        return control.Html(inbox_page.render(list(_mails), sns_mail.pending()))
    return list(_mails)


@control.route("DELETE", "inbox")
def _delete(_body, _headers):
    _mails.clear()
    return {}
