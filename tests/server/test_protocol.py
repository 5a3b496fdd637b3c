"""What is said to the server byte by byte: each request has its answer, and nothing that is sent ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.command import MISUSE, ROOT

PATIENCE = 60
"""Seconds after which what has not come will not."""

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32600, -32601, -32602, -32603


class Wire:
    """A server process, and the messages that go to it and come from it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kl_lint", "server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self._number = 0

    def send(self, body: bytes) -> None:
        """Send a body with its header."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def say(self, message: object) -> None:
        """Send an object."""
        self.send(json.dumps(message).encode())

    def receive(self) -> dict[str, Any]:
        """The next message that comes. Where none does, the server is ended in the end."""
        watchdog = Timer(PATIENCE, self.process.kill)
        watchdog.start()
        try:
            return self._receive()
        finally:
            watchdog.cancel()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name == b"Content-Length":
                length = int(value)
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def answer(self, number: object) -> dict[str, Any]:
        """The answer to the request of that number, whatever comes before."""
        while True:
            message = self.receive()
            if "method" not in message and message.get("id") == number:
                return message

    def ask(self, method: str, params: object) -> dict[str, Any]:
        """The answer to a request."""
        self._number += 1
        self.say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self.answer(self._number)

    def begin(self) -> None:
        """Say hello."""
        assert "result" in self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.say({"jsonrpc": "2.0", "method": "initialized", "params": {}})

    def is_alive(self) -> bool:
        """Whether a text is still checked."""
        self._number += 1
        uri = f"untitled:{self._number}"
        item = {"uri": uri, "languageId": "python", "version": 1, "text": MISUSE}
        self.say({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": item}})
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                self.say({"jsonrpc": "2.0", "method": "textDocument/didClose", "params": {"textDocument": {"uri": uri}}})
                return [each["code"] for each in message["params"]["diagnostics"]] == ["KLD101"]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    wire = Wire()
    wire.begin()
    yield wire
    assert wire.ask("shutdown", None)["result"] is None
    wire.say({"jsonrpc": "2.0", "method": "exit"})
    assert wire.process.wait(60) == 0


PLACE = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}

WRONG = {
    "none": None,
    "a list": [1],
    "a text": "hover",
    "nothing in it": {},
    "no name": {**PLACE, "textDocument": {}},
    "a text for a line": {**PLACE, "position": {"line": "x", "character": 0}},
    "half a place": {**PLACE, "position": {"line": 1}},
    "no object": {**PLACE, "position": 7},
}


@pytest.mark.parametrize("params", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("method", ["textDocument/hover", "textDocument/codeAction", "textDocument/inlayHint"])
def test_parameters_that_are_wrong_are_answered(wire: Wire, method: str, params: object) -> None:
    error = wire.ask(method, params)["error"]
    assert error["code"] == INVALID_PARAMS
    assert error["message"].startswith("Invalid Params: ")


def test_the_answer_says_what_is_wrong(wire: Wire) -> None:
    error = wire.ask("textDocument/hover", {**PLACE, "position": {"line": 1}})["error"]
    assert "position" in error["message"]
    assert "character" in error["message"]


def test_nobody_is_bothered_by_what_was_answered(wire: Wire) -> None:
    wire.say({"jsonrpc": "2.0", "id": "a", "method": "textDocument/hover", "params": {}})
    wire.say({"jsonrpc": "2.0", "id": "b", "method": "textDocument/hover", "params": PLACE})
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1].get("id") != "b":
        messages.append(wire.receive())
    assert "window/showMessage" not in [message.get("method") for message in messages]


@pytest.mark.parametrize("version", ["1.0", 2, None])
def test_another_version_is_answered(wire: Wire, version: object) -> None:
    wire.say({"jsonrpc": version, "id": "old", "method": "textDocument/hover", "params": PLACE})
    assert wire.answer("old")["error"]["code"] == INVALID_REQUEST


def test_no_version_is_answered(wire: Wire) -> None:
    wire.say({"id": "none", "method": "textDocument/hover", "params": PLACE})
    assert wire.answer("none")["error"]["code"] == INVALID_REQUEST


def test_a_notification_that_is_a_request_is_answered(wire: Wire) -> None:
    assert (
        wire.ask("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}})["error"]["code"] == INVALID_REQUEST
    )


def test_an_unknown_method_is_answered(wire: Wire) -> None:
    assert wire.ask("kl_lint/none", {})["error"]["code"] == METHOD_NOT_FOUND


def test_requests_before_the_beginning_are_answered() -> None:
    wire = Wire()
    assert "error" in wire.ask("textDocument/hover", PLACE)
    assert "error" in wire.ask("textDocument/hover", {})
    wire.begin()
    assert wire.is_alive()
    assert wire.process.stdin is not None
    wire.process.stdin.close()
    wire.process.wait(60)


METHODS = [
    "textDocument/hover", "textDocument/codeAction", "textDocument/inlayHint", "textDocument/diagnostic",
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave",
    "workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles", "$/cancelRequest", "$/setTrace",
    "workspace/didChangeWorkspaceFolders", "initialized", "none", "",
]  # fmt: skip

LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.floats()
KEYS = st.sampled_from(
    ["textDocument", "uri", "position", "range", "line", "character", "context", "contentChanges", "text", "version",
     "settings", "kl_lint", "languageId", "start", "end", "id", "jsonrpc", "method", "changes", "event", "added"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=5), max_leaves=12
)


@settings(max_examples=40, deadline=None)
@given(method=st.sampled_from(METHODS), params=VALUES, number=st.none() | st.integers(0, 99) | st.text(max_size=3))
def test_whatever_is_asked_for_the_server_lives_on(wire: Wire, method: str, params: object, number: object) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    wire.say(message if number is None else {**message, "id": number})
    if isinstance(number, str):
        wire.answer(number)  # of a number there may be others
    assert wire.is_alive()


@settings(max_examples=40, deadline=None)
@given(
    body=st.binary(min_size=1, max_size=60)
    | st.text(min_size=1, max_size=60).map(str.encode)
    | VALUES.map(json.dumps).map(str.encode)
)
def test_whatever_is_sent_the_server_lives_on(wire: Wire, body: bytes) -> None:
    wire.send(body)
    assert wire.is_alive()
