"""Messages that come in: kept where they can be read, told to the webhook of a messaging profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.account import Answer, Ask, Refusal
from telnyx_conformance.emulator.products.messages.parts import MOST_PARTS, encoded
from telnyx_conformance.emulator.records import making

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.account import Account, Handler
    from telnyx_conformance.emulator.resources import Resources
    from telnyx_conformance.emulator.store import Record

KEPT = ("messages/inbound",)


class Messages:
    """The messages that one account receives; those it sends are `resources` like any other."""

    def __init__(self, account: Account, resources: Resources) -> None:
        self._account = account
        self._resources = resources
        self.handlers: Mapping[str, Handler] = {"GetMessage": self._read} if account.mode == "stateful" else {}

    def inbound(self, from_: str, to: str, text: str = "", media: tuple[Mapping[str, Any], ...] = ()) -> dict[str, Any]:
        """Let somebody write to `to`; return the message as its webhook carries it.

        Raises `Refusal` for a text of too many parts, and where no profile's webhook would hear of it.
        """
        encoding, parts = encoded(text)
        if parts > MOST_PARTS:
            raise Refusal(422, "40302", f"The text needs {parts} parts as {encoding}.", pointer="/text")
        profile = self._profile_of(to)
        moment = making(self._account)
        message = {
            "record_type": "message",
            "direction": "inbound",
            "id": self._account.ids.uuid(),
            "type": "MMS" if media else "SMS",
            "messaging_profile_id": profile["id"],
            "from": {"phone_number": from_, "carrier": "", "line_type": "", "status": "received"},
            "to": [{"phone_number": to, "carrier": "", "line_type": "", "status": "webhook_delivered"}],
            "cc": [],
            "text": text,
            "media": [{"content_type": "image/jpeg", **one} for one in media],
            "webhook_url": profile["webhook_url"],
            "webhook_failover_url": profile.get("webhook_failover_url") or None,
            "encoding": encoding,
            "parts": parts,
            "tags": [],
            "cost": None,
            "received_at": moment.stamp,
            "sent_at": None,
            "completed_at": None,
            "valid_until": None,
            "errors": [],
        }
        self._account.store.collection(KEPT).put(message["id"], message)
        event = {"record_type": "event", "id": self._account.ids.uuid(), "event_type": "message.received",
                 "occurred_at": moment.stamp, "payload": message}  # fmt: skip
        failover_url = profile.get("webhook_failover_url") or ""
        self._account.outbox.post(profile["webhook_url"], {"data": event}, failover_url=failover_url)
        return message

    def _profile_of(self, to: str) -> Record:
        """Return the profile of the number or short code, or else the only one that has a webhook."""
        profiles = {
            str(profile["id"]): profile for profile in self._resources.listed(self._account, "messaging_profiles")
        }
        for resource, name in (("phone_numbers/messaging", "phone_number"), ("short_codes", "short_code")):
            for record in self._resources.listed(self._account, resource):
                profile = profiles.get(str(record.get("messaging_profile_id")))
                if record.get(name) == to and profile is not None:
                    if profile.get("webhook_url"):
                        return profile
                    raise Refusal(422, "10015", f"The messaging profile of {to} has no webhook_url.", pointer="/to")
        hearing = [profile for profile in profiles.values() if profile.get("webhook_url")]
        if len(hearing) != 1:
            said = f"{len(hearing)} profiles have a webhook_url" if hearing else "no profile has a webhook_url"
            raise Refusal(422, "10015", f"{to} belongs to no messaging profile, and {said}.", pointer="/to")
        return hearing[0]

    def _read(self, ask: Ask) -> Answer:
        message = self._account.store.collection(KEPT).get(ask.path["id"])
        return self._resources.answer(self._account, ask) if message is None else Answer(document={"data": message})
