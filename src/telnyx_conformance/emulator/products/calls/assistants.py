"""AI assistants on a leg: one talks until it is stopped, another gathers parameters.

No model is asked: what they say is fixed, and what the far end says fills the parameters in the order of their schema.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from telnyx_conformance.emulator.clock import MICROS
from telnyx_conformance.emulator.products.calls.activity import Activity, Command, Feature, refusal
from telnyx_conformance.emulator.products.calls.legs import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.products.calls.activity import Body
    from telnyx_conformance.emulator.products.calls.legs import Leg
    from telnyx_conformance.emulator.products.calls.switch import Switch

THINKING_SECONDS = 1.0
ANSWER_SECONDS = 10.0
MOST_MESSAGES = 1_000
VOICE = "Telnyx.KokoroTTS.af"
MODEL = "openai/gpt-4o"
LISTENER = "distil-whisper/distil-large-v2"
NUMBERS = {"integer": int, "number": float}


class Conversation(Activity):
    """A conversation of the far end with an assistant, which the account can read under its id."""

    def __init__(self, switch: Switch, leg: Leg, body: Body) -> None:
        super().__init__(switch, leg)
        self.id = switch.ids.uuid()
        self.text = ""  # a fact of the trigger `speech`
        self.messages: list[dict[str, str]] = list(body.get("message_history") or [])[-MOST_MESSAGES:]
        self._assistant: Mapping[str, Any] = body.get("assistant") or {}
        self._greeting = body.get("greeting", "")
        self._began_at = switch.clock.micros
        voice = body.get("voice") or VOICE
        provider, _, rest = voice.partition(".")
        model, _, voice_id = rest.partition(".")
        self._voice = {"tts_provider": provider.lower(), "tts_model_id": model, "tts_voice_id": voice_id}
        self._listener = (body.get("transcription") or {}).get("model") or LISTENER
        now = stamp(self._began_at)
        self.switch.registry.keep(
            "ai/conversations", self.id,
            {"name": "", "metadata": {"call_control_id": leg.call_control_id}, "created_at": now, "last_message_at": now},
        )  # fmt: skip

    @property
    def is_held(self) -> bool:
        """Whether it goes on, so that no other can begin."""
        return self.state in ("talking", "asking")

    def say(self, role: str, content: str) -> None:
        """Remember what one of them said; of too many messages the oldest are forgotten."""
        self.messages = [*self.messages[1 - MOST_MESSAGES :], {"role": role, "content": content}]

    @property
    def ended(self) -> Mapping[str, Any]:
        """What `call.conversation.ended` tells."""
        return {
            "assistant_id": self._assistant.get("id") or f"assistant-{self.id}",
            "calling_party_type": self.leg.party_type,
            "conversation_id": self.id,
            "duration_sec": (self.switch.clock.micros - self._began_at) // MICROS,
            "llm_model": self._assistant.get("model") or MODEL,
            "stt_model": self._listener,
            **self._voice,
        }


class Talk(Conversation):
    """An assistant that talks until it is stopped."""

    name = "assistant"

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return what is told of the conversation, or drawn from it."""
        if event_type == "call.conversation.ended":
            return self.ended
        heard = sum(message["role"] == "user" for message in self.messages)
        insight = {"insight_id": self.switch.ids.uuid(), "result": f"{heard} messages of the far end."}
        return {
            "calling_party_type": self.leg.party_type,
            "insight_group_id": self.switch.ids.uuid(),
            "results": [insight],
        }

    def do_greet(self) -> None:
        """Say the first word, if one was given."""
        if self._greeting:
            self.say("assistant", self._greeting)

    def do_hear(self) -> None:
        """Listen."""
        self.say("user", self.text)

    def do_think(self) -> None:
        """Draw insights, which takes a moment."""
        self.later(THINKING_SECONDS, "thought")


class Gathering(Conversation):
    """An assistant that asks for parameters; `status` is set by its table."""

    name = "ai_gather"

    def __init__(self, switch: Switch, leg: Leg, body: Body) -> None:
        super().__init__(switch, leg, body)
        self.status = ""
        self._wanted: dict[str, Any] = dict((body["parameters"] or {}).get("properties") or {})
        self._known: dict[str, Any] = {}
        self._tells_parts: bool = body.get("send_partial_results", False)
        self._tells_history: bool = body.get("send_message_history_updates", False)
        self._patience = body.get("user_response_timeout_ms", ANSWER_SECONDS * 1000) / 1000

    def payload(self, event_type: str) -> Mapping[str, Any]:
        """Return what is known so far, or in the end."""
        if event_type == "call.conversation.ended":
            return self.ended
        told: dict[str, Any] = {"message_history": self.messages}
        if event_type == "call.ai_gather.partial_results":
            return told | {"partial_results": dict(self._known)}
        if event_type == "call.ai_gather.ended":
            return told | {"result": dict(self._known), "status": self.status}
        return told

    def do_ask(self) -> None:
        """Ask for the next parameter and wait for an answer; with none left to ask for it is done."""
        name = next((name for name in self._wanted if name not in self._known), None)
        if name is None:
            self.happen("all_known")
            return
        self._utter("assistant", self._greeting or f"What is the {name}?")
        self._greeting = ""
        self.forget_timers()
        # Far ends speak through the control API alone: a clock that jumps by itself would leave them no time to.
        self.later(self._patience, "no_answer", guard=True)

    def do_hear(self) -> None:
        """Take what the far end says for the parameter that was asked for, if it can be one; else ask again."""
        self._utter("user", self.text)
        name = next(name for name in self._wanted if name not in self._known)
        with contextlib.suppress(ValueError):
            self._known[name] = _value(self.text, self._wanted[name])
            if self._tells_parts:
                self.happen("parameter_known")
        self.do_ask()

    def _utter(self, role: str, content: str) -> None:
        self.say(role, content)
        if self._tells_history:
            self.happen("history_grew")


class Assistants(Feature):
    """The commands that bring an assistant to a leg, one at a time."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.commands = {
            "CallStartAIAssistant": Command(self._talk, self._may_begin),
            "CallStopAIAssistant": Command(self._stop),
            "callGatherUsingAI": Command(self._gather, self._may_begin),
        }

    @staticmethod
    def _may_begin(leg: Leg, _: Body) -> None:
        if any(isinstance(one, Conversation) and one.is_held for one in leg.activities or ()):
            raise refusal("assistant", "talking", "CallStartAIAssistant")

    def _talk(self, leg: Leg, body: Body) -> None:
        Talk(self.switch, leg, body).happen("CallStartAIAssistant")

    def _gather(self, leg: Leg, body: Body) -> None:
        Gathering(self.switch, leg, body).happen("callGatherUsingAI")

    def _stop(self, leg: Leg, _: Body) -> None:
        self.switch.tell(leg, "CallStopAIAssistant")


def _value(text: str, schema: Any) -> Any:
    """Return what was said as the type that a parameter has. Raises `ValueError` where it is none of it."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kind, str) and kind in NUMBERS:
        return NUMBERS[kind](text)
    if kind == "boolean":
        return text.strip().lower() in ("yes", "true")
    if isinstance(schema, dict) and "enum" in schema and text not in schema["enum"]:
        raise ValueError(text)
    return text
