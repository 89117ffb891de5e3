"""A mail server on a loopback port that takes every mail and puts it into the inbox (China has no SES: SMTP there)."""
import asyncio
import email
import email.policy

from overlay import inbox

_HOST = "127.0.0.1"
_MAX_BYTES = 10_000_000


async def listen():
    """Opens the server on a free port; returns the port."""
    server = await asyncio.start_server(_serve, _HOST, 0, limit=_MAX_BYTES)
    return server.sockets[0].getsockname()[1]


async def _serve(reader, writer):
    try:
        await _converse(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        pass  # The client left, or sent a line beyond the limit.
    finally:
        writer.close()


async def _converse(reader, writer):
    async def say(text):
        writer.write(text.encode() + b"\r\n")
        await writer.drain()

    sender, recipients = "", []
    await say("220 localhost ESMTP")
    while line := await reader.readline():
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            # Authentication is offered because mailers that are given a user refuse to go on without it.
            await say(f"250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE {_MAX_BYTES}\r\n250 AUTH PLAIN LOGIN")
        elif verb == "AUTH":
            await _authenticate(rest, reader, say)
        elif verb == "MAIL":
            sender, recipients = _address(rest), []
            await say("250 2.1.0 OK")
        elif verb == "RCPT":
            recipients.append(_address(rest))
            await say("250 2.1.5 OK")
        elif verb == "DATA":
            if not recipients:
                await say("503 5.5.1 RCPT first")
                continue
            await say("354 End with <CR><LF>.<CR><LF>")
            _deliver(sender, recipients, await _data(reader))
            await say("250 2.0.0 OK")
        elif verb == "QUIT":
            await say("221 2.0.0 Bye")
            return
        elif verb in ("HELO", "NOOP", "RSET"):
            await say("250 2.0.0 OK")
        else:
            await say("502 5.5.2 Not implemented")


async def _authenticate(rest, reader, say):
    """Any user and password will do."""
    mechanism, _, initial = rest.partition(" ")
    if mechanism.upper() == "LOGIN":
        await say("334 VXNlcm5hbWU6")
        await reader.readline()
        await say("334 UGFzc3dvcmQ6")
        await reader.readline()
    elif not initial:
        await say("334 ")
        await reader.readline()
    await say("235 2.7.0 Authentication successful")


def _address(rest):
    start, end = rest.find("<"), rest.find(">")
    return rest[start + 1 : end] if 0 <= start < end else rest.partition(":")[2].strip()


async def _data(reader):
    lines = []
    while (line := await reader.readline()) not in (b".\r\n", b".\n", b""):
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)


def _deliver(sender, recipients, data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    plain = message.get_body(preferencelist=("plain",))
    rich = message.get_body(preferencelist=("html",))
    inbox.put(
        "smtp",
        "",
        str(message.get("From", sender)),
        recipients,
        str(message.get("Subject", "")),
        _lines(plain.get_content()) if plain else "",
        _lines(rich.get_content()) if rich else None,
    )


def _lines(text):
    """The text with line feeds only, and without the one that the message's end adds."""
    return text.replace("\r\n", "\n").rstrip("\n")
