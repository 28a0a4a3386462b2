"""Anthropic's Messages API, as far as an agent uses it: https://docs.anthropic.com/en/api/messages-streaming"""

import json
import re

USAGE = {"input_tokens": 1200, "output_tokens": 45, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 100}


def is_side_call(body):
    # Claude Code asks for titles, topics and its quota without tools; every turn of an agent brings its tools.
    return not body.get("tools")


def first_words(body):
    """All text of the first user message. An agent puts reminders of its own before what the user said."""
    for message in body["messages"]:
        if message["role"] == "user":
            content = message["content"]
            return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
    return ""


def error(status):
    kind = {429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": f"the script says {status}"}}


def blocks(turn):
    if turn.get("text"):
        yield {"type": "text", "text": turn["text"]}
    for at, call in enumerate(turn.get("calls", [])):
        made_up = "toolu_" + re.sub(r"\W", "_", turn.get("key", "x")) + f"_{at}"
        yield {"type": "tool_use", "id": call.get("id", made_up), "name": call["name"], "input": call["input"]}


def envelope(body, turn):
    return {
        "id": "msg_" + re.sub(r"\W", "_", turn.get("key", "side")),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**USAGE, **turn.get("usage", {})},
    }


def whole(body, turn):
    stop = "tool_use" if turn.get("calls") else "end_turn"
    return {**envelope(body, turn), "content": list(blocks(turn)), "stop_reason": stop}


def events(body, turn):
    message = envelope(body, turn)
    yield {"type": "message_start", "message": {**message, "usage": {**message["usage"], "output_tokens": 1}}}
    for at, block in enumerate(blocks(turn)):
        if block["type"] == "text":
            begun, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            begun, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": at, "content_block": begun}
        yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    stop = "tool_use" if turn.get("calls") else "end_turn"
    yield {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": message["usage"]}
    yield {"type": "message_stop"}
