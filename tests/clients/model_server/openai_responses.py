"""OpenAI's Responses API, as far as an agent uses it: https://platform.openai.com/docs/api-reference/responses-streaming"""

import json
import re

USAGE = {
    "input_tokens": 1200,
    "input_tokens_details": {"cached_tokens": 800},
    "output_tokens": 45,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 1245,
}


def is_side_call(body):
    return not body.get("tools")


def first_words(body):
    """The text of every message before the agent's first answer: instructions and surroundings come as user messages, too."""
    said = []
    for item in body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]:
        if item.get("type", "message") != "message" or item.get("role") == "assistant":
            break
        content = item["content"]
        said.append(content if isinstance(content, str) else " ".join(part.get("text", "") for part in content))
    return " ".join(said)


def error(status):
    return {"error": {"type": "server_error", "code": str(status), "message": f"the script says {status}"}}


def items(turn):
    key = re.sub(r"\W", "_", turn.get("key", "side"))
    if turn.get("text"):
        content = [{"type": "output_text", "text": turn["text"], "annotations": []}]
        yield {"type": "message", "id": f"msg_{key}", "role": "assistant", "status": "completed", "content": content}
    for at, call in enumerate(turn.get("calls", [])):
        common = {"call_id": call.get("id", f"call_{key}_{at}"), "name": call["name"], "status": "completed"}
        if "namespace" in call:
            common["namespace"] = call["namespace"]
        if isinstance(call["input"], str):
            yield {"type": "custom_tool_call", "id": f"ctc_{key}_{at}", **common, "input": call["input"]}
        else:
            yield {"type": "function_call", "id": f"fc_{key}_{at}", **common, "arguments": json.dumps(call["input"])}


def envelope(body, turn, status):
    return {
        "id": "resp_" + re.sub(r"\W", "_", turn.get("key", "side")),
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "model": body.get("model"),
        "output": [],
        "usage": None,
        "error": None,
    }


def whole(body, turn):
    done = {**envelope(body, turn, "completed"), "output": list(items(turn))}
    return {**done, "usage": {**USAGE, **turn.get("usage", {})}}


def events(body, turn):
    numbered = enumerate(frames(body, turn))
    return ({**frame, "sequence_number": number} for number, frame in numbered)


def frames(body, turn):
    yield {"type": "response.created", "response": envelope(body, turn, "in_progress")}
    for at, item in enumerate(items(turn)):
        if item["type"] == "message":
            text = item["content"][0]["text"]
            yield {"type": "response.output_item.added", "output_index": at, "item": {**item, "status": "in_progress", "content": []}}
            yield {"type": "response.output_text.delta", "item_id": item["id"], "output_index": at, "content_index": 0, "delta": text}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": "response.completed", "response": whole(body, turn)}
