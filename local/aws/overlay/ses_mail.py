"""What SES is asked to send lands in the inbox."""
from ministack.core.responses import get_region
from ministack.services import ses, ses_v2

from overlay import inbox


class _Sent(list):
    """MiniStack's list of sent mails, which copies each into the inbox."""

    def __init__(self, region, mails=()):
        super().__init__(mails)
        self._region = region

    def append(self, record):
        super().append(record)
        recipients = [*record.get("To", []), *record.get("CC", []), *record.get("BCC", [])]
        inbox.put(
            "ses",
            self._region,
            record.get("Source", ""),
            recipients,
            record.get("RenderedSubject") or record.get("Subject") or "",
            record.get("RenderedBodyText") or record.get("BodyText") or "",
            record.get("RenderedBodyHtml") or record.get("BodyHtml"),
        )


def _sent():
    sent = ses._sent_emails.get("entries")
    if not isinstance(sent, _Sent):
        sent = _Sent(get_region(), sent or ())
        ses._sent_emails["entries"] = sent
    return sent


def install():
    ses._sent_emails_list = _sent
    ses_v2._sent_emails_list = _sent
