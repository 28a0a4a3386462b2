"""The turns of each conversation, handed out in order, and a record of everything that was asked."""

import threading


class Script:
    def __init__(self, turns):
        self._changed = threading.Condition()
        self._requests = []
        self._begin(turns)

    def _begin(self, turns):
        # A bare list is the main conversation.
        self._turns = {"main": turns} if isinstance(turns, list) else turns
        self._next = {}
        self._last = {}
        self._released = set()

    def replace(self, turns):
        with self._changed:
            self._begin(turns)

    def release(self, name):
        with self._changed:
            self._released.add(name)
            self._changed.notify_all()

    def recorded(self):
        with self._changed:
            return list(self._requests)

    def record(self, path, headers, body, conversation=None, turn=None):
        with self._changed:
            self._requests.append({
                "n": len(self._requests),
                "path": path,
                "headers": {name.lower(): value for name, value in headers.items()},
                "body": body,
                "conversation": conversation,
                "turn": turn,
                "side": conversation is None,
            })

    def next_turn(self, path, headers, body, raw, first_words):
        """The turn for a request of the conversation that began with `first_words`; None is a call on the side."""
        if first_words is None:
            self.record(path, headers, body)
            return {"text": "A title"}
        with self._changed:
            name = next((n for n in self._turns if n != "main" and n in first_words), "main")
            turns = self._turns.get(name, [])
            if self._last.get(name) == raw:
                place = self._next[name] - 1
            else:
                place = self._next.get(name, 0)
                self._next[name] = place + 1
                self._last[name] = raw
            # The condition's lock is one that its holder may take again.
            self.record(path, headers, body, name, place)
            turn = dict(turns[place]) if place < len(turns) else {"text": "done"}
            turn["key"] = f"{name}_{place}"
            if "hold" in turn:
                self._changed.wait_for(lambda: turn["hold"] in self._released)
        return turn
