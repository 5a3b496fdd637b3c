"""The messages themselves: also one that cannot be understood is answered, if its sender waits for an answer."""

from __future__ import annotations

from typing import Any

from cattrs import transform_error
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.protocol import JsonRPCProtocol, LanguageServerProtocol

__all__ = ["Protocol"]


class Protocol(LanguageServerProtocol):
    """What pygls speaks. By itself it leaves a request without an answer whose parameters are not as they should be,
    or which is none of the protocol's version, and takes each object with a member `jsonrpc` for a message.
    """

    def structure_message(self, data: dict[str, Any]) -> Any:
        """An object of JSON, as it is: whether it is a message, or a part of one, is not known yet."""
        return data

    def handle_message(self, message: Any) -> None:
        """Do what a message asks for. Raises JsonRpcException for what is none, where nobody waits for an answer."""
        if not isinstance(message, dict):
            raise JsonRpcInvalidRequest("Invalid Request: a message is an object")
        try:
            super().handle_message(self._structured(message))
        except JsonRpcException as error:
            if "id" not in message or "method" not in message:
                raise
            self._send_response(message["id"], None, error.to_response_error())

    def _structured(self, message: dict[str, Any]) -> Any:
        """A message as lsprotocol has it. Raises JsonRpcException for what is none."""
        if message.get("jsonrpc") != JsonRPCProtocol.VERSION:
            raise JsonRpcInvalidRequest("Invalid Request: jsonrpc must be 2.0")
        try:
            structured = super().structure_message(message)
        except JsonRpcInvalidParams as error:
            if error.__cause__ is None:
                raise
            troubles = "; ".join(transform_error(error.__cause__, path="message"))
            raise JsonRpcInvalidParams(f"Invalid Params: {troubles}") from error
        if "id" in message and "method" in message and not hasattr(structured, "id"):
            raise JsonRpcInvalidRequest(f"Invalid Request: {message['method']} is a notification")
        return structured
