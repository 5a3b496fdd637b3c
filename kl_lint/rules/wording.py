"""How a message says what is there and why it is known: in one line, without the code it is reported under."""

from __future__ import annotations

from kl_lint.finding import Step
from kl_lint.flow.kl_call import Argument, KLCall, Kind

__all__ = ["because", "callee", "subject", "trace_of"]

_CALLEES = {
    Kind.FUNCTIONAL: "kl_div",
    Kind.RAW: "torch.kl_div",
    Kind.MODULE: "KLDivLoss",
    Kind.CONSTRUCTION: "KLDivLoss",
}


def callee(call: KLCall) -> str:
    """What is called, under its own name, whatever the program calls it."""
    return _CALLEES[call.kind]


def subject(name: str, call: KLCall) -> str:
    """`input to kl_div`, `target of kl_div`."""
    return f"{name} {'to' if name == 'input' else 'of'} {callee(call)}"


def because(argument: Argument, call: KLCall) -> str:
    """` (softmax, line 12)`: the last step that made the argument what it is; nothing where none is known."""
    value = argument.value
    if value.trace:
        step = value.trace[-1]
        return f" ({_one_line(step.what)}, {place(step.filename, step.span.row, call)})"
    if value.producer is not None:
        return f" ({value.producer.name}, {place(value.producer.filename, value.producer.span.row, call)})"
    return ""


def place(filename: str, row: int, call: KLCall) -> str:
    """`line 12`, or `losses.py line 12` for a place in another file."""
    if filename == call.filename:
        return f"line {row}"
    return f"{filename.replace(chr(92), '/').rsplit('/', 1)[-1]} line {row}"


def trace_of(call: KLCall, *arguments: Argument | None) -> tuple[Step, ...]:
    """How the arguments came to be, then the calls that led here; each step once."""
    steps = [step for argument in arguments if argument is not None for step in argument.value.trace]
    return tuple(dict.fromkeys((*steps, *call.callers)))


def _one_line(text: str) -> str:
    return " ".join(text.split())
