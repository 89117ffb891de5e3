"""The inbox as a page for people. Everything that comes from a mail is escaped; a mail's HTML is shown in a sealed frame."""
import html

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #6b7280; --ground: #f6f7f9; --card: #fff; --ink: #14181f; }
@media (prefers-color-scheme: dark) {
  :root { --line: #333a45; --soft: #9aa3b2; --ground: #14181f; --card: #1d232c; --ink: #eceff4; }
}
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } p.sum { color: var(--soft); margin: 0 0 1.5rem; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .5rem; }
summary { display: grid; grid-template-columns: 4.5rem 9rem 1fr auto; gap: 1rem; padding: .6rem 1rem; cursor: pointer; }
summary:focus-visible { outline: 2px solid #2563eb; outline-offset: 2px; border-radius: .5rem; }
summary b { font-weight: 600; overflow-wrap: anywhere; } .soft { color: var(--soft); font-size: .875rem; }
.body { border-top: 1px solid var(--line); padding: 1rem; } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 1rem; margin: 0 0 1rem; color: var(--soft); font-size: .875rem; }
dd { margin: 0; overflow-wrap: anywhere; } iframe { width: 100%; height: 24rem; border: 1px solid var(--line); background: #fff; }
.pending { border-left: .25rem solid #d97706; padding: .5rem 1rem; background: var(--card); margin: 0 0 1.5rem; }
code { font-size: .875em; overflow-wrap: anywhere; }
@media (max-width: 40rem) { summary { grid-template-columns: 1fr; gap: .1rem; } }
"""


def render(mails, pending):
    """The page: newest mail first; `pending` are the ARNs of subscriptions that wait for confirmation."""
    cards = "\n".join(_card(mail, index == 0) for index, mail in enumerate(reversed(mails)))
    if not mails:
        cards = "<p>No mail yet. What the topics, SES and the SMTP listener of this local AWS send arrives here.</p>"
    count = f"{len(mails)} mail{'' if len(mails) == 1 else 's'}"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Inbox of the local AWS</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><main><h1>Inbox</h1>"
        f"<p class='sum'>{count}, newest first. Reload for more.</p>{_pending(pending)}{cards}</main></body></html>"
    )


def _pending(arns):
    if not arns:
        return ""
    listed = "".join(f"<li><code>{html.escape(arn)}</code></li>" for arn in arns)
    return (
        "<section class='pending'><strong>Subscriptions waiting for confirmation</strong>: nothing is mailed to them until "
        "<code>POST /_bulkhead/inbox/confirm</code> with <code>{\"all\": true}</code>.<ul>" + listed + "</ul></section>"
    )


def _card(mail, is_open):
    escaped = {key: html.escape(str(value)) for key, value in mail.items() if key not in ("to", "html")}
    to = html.escape(", ".join(mail["to"]))
    time = escaped["at"][11:19]
    body = f"<pre>{escaped['text']}</pre>"
    if mail.get("html"):
        # Without any sandbox permission no script of the mail runs and nothing of it reaches this page.
        body = f"<iframe sandbox title='Mail as HTML' srcdoc='{html.escape(mail['html'], quote=True)}'></iframe>"
    return (
        f"<details{' open' if is_open else ''}><summary><span class='soft'>{time}</span>"
        f"<span class='soft'>{escaped['kind'].upper()} {escaped['region']}</span><b>{escaped['subject']}</b>"
        f"<span class='soft'>{to}</span></summary><div class='body'><dl><dt>From</dt><dd>{escaped['from']}</dd>"
        f"<dt>To</dt><dd>{to}</dd><dt>At</dt><dd>{escaped['at']}</dd></dl>{body}</div></details>"
    )
