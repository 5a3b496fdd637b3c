"""What edits ask of one call, apart from how it is written.

The plan is made once and carried out twice: on the text, and on the syntax tree that the new text has to have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kl_lint.finding import DropKeyword, NamePositional, RenameKeyword, SetKeyword
from kl_lint.rewriting.lines import Range
from kl_lint.rewriting.refusal import OVERLAP, Refused

__all__ = ["CallPlan", "Callee", "Given", "KeywordEdit", "Method", "Slot", "Swap", "plan_call"]


@dataclass(frozen=True, slots=True)
class Given:
    """One argument as it stands: its star, its keyword, the range and the text of its value."""

    star: str
    keyword: str | None
    value: Range
    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What becomes of one argument: the expression of argument `source`, or `value`, under `keyword`; or nothing."""

    keyword: str | None
    source: int
    value: str | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A function called by its bare name is to become a method of its first argument.

    `parameters` are the names of the function's positional parameters; `needs_dim` that the method has no default dim.
    """

    name: str
    parameters: tuple[str, ...]
    needs_dim: bool


@dataclass(frozen=True, slots=True)
class Callee:
    """What the call is to call: `name` in place of the last component of what it calls, or of the `whole`.

    Where there is a `receiver`, it is the method `name` of that argument.
    """

    name: str
    whole: bool = False
    receiver: int | None = None


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One slot for each argument as it stands, the keywords to add, the callee where it changes."""

    slots: tuple[Slot, ...]
    added: tuple[tuple[str, str], ...] = ()
    callee: Callee | None = None


@dataclass(frozen=True, slots=True)
class Swap:
    """Two arguments exchange their values, which stand at these ranges."""

    first: Range
    second: Range


KeywordEdit = SetKeyword | DropKeyword | RenameKeyword | NamePositional | Swap


def plan_call(given: Sequence[Given], edits: Iterable[KeywordEdit], callee: Callee | Method | None) -> CallPlan:
    """What `edits` make of a call with the arguments `given`. Raises Refused where they cannot be made."""
    draft = _Draft(given)
    # keywords that other edits bring into being are there to be set
    for edit in sorted(edits, key=lambda edit: isinstance(edit, SetKeyword)):
        draft.make(edit)
    renamed = draft.become_method(callee) if isinstance(callee, Method) else callee
    draft.check()
    return CallPlan(tuple(draft.slots), tuple(draft.added), renamed)


class _Draft:
    """A plan in the making."""

    __slots__ = ("_claims", "added", "given", "slots")

    def __init__(self, given: Sequence[Given]) -> None:
        self.given = given
        self.slots = [Slot(argument.keyword, index) for index, argument in enumerate(given)]
        self.added: list[tuple[str, str]] = []
        self._claims: set[str | int | Range] = set()

    def make(self, edit: KeywordEdit) -> None:
        match edit:
            case SetKeyword(name=name, value=value):
                self._set(name, value)
            case DropKeyword(name=name):
                self._claim(name)
                self._change(self._index(name), dropped=True)
            case RenameKeyword():
                self._rename(edit)
            case NamePositional():
                self._name(edit)
            case Swap(first=first, second=second):
                self._swap(self._value(first), self._value(second))

    def _set(self, name: str, value: str) -> None:
        self._claim(name)
        if (index := self._find(name)) is not None:
            self._change(index, value=value)
            return
        self._refuse_beside_mapping(name)
        self.added.append((name, value))

    def _rename(self, edit: RenameKeyword) -> None:
        self._claim(edit.old, edit.new)
        index = self._index(edit.old)
        if edit.new != edit.old:
            self._refuse_beside_mapping(edit.new)
        self._change(index, keyword=edit.new, value=edit.value)

    def _name(self, edit: NamePositional) -> None:
        self._claim(edit.index, edit.name)
        first = edit.index - edit.drop_before
        taken = self.given[: edit.index + 1]
        if first < 0 or len(taken) <= edit.index or any(given.star or given.keyword for given in taken):
            raise Refused(f"the call has no positional argument {edit.index + 1} that can be named")
        self._change(edit.index, keyword=edit.name, value=edit.value)
        for index in range(first, edit.index):
            self._claim(index)
            self._change(index, dropped=True)

    def _swap(self, first: int, second: int) -> None:
        self._claim(self.given[first].value, self.given[second].value)
        if self.given[first].star or self.given[second].star:
            raise Refused("a starred argument stands for more than one value")
        self._change(first, source=second)
        self._change(second, source=first)

    def become_method(self, method: Method) -> Callee:
        """Name every argument after the first and take the first for the receiver."""
        first = method.parameters[0]
        receiver = self._find(first)
        for index, given in enumerate(self.given):
            if given.star:
                raise Refused(f"the call takes {given.star}, so that its first argument is not known")
            if self.slots[index].keyword is None and not self.slots[index].dropped:
                if index >= len(method.parameters):
                    raise Refused(f"positional argument {index + 1} has no name that a method would take")
                self._change(index, keyword=method.parameters[index])
        if receiver is None:
            receiver = self._index(first)
        if any(slot.source != index for index, slot in enumerate(self.slots)) or self.slots[receiver].value:
            raise Refused(OVERLAP)
        self._change(receiver, dropped=True)
        self._keep_what_a_method_takes(method)
        return Callee(method.name, receiver=receiver)

    def _keep_what_a_method_takes(self, method: Method) -> None:
        names = dict(self.added)
        for index, slot in enumerate(self.slots):
            match slot:
                case Slot(dropped=True):
                    pass
                case Slot(keyword="_stacklevel"):
                    self._change(index, dropped=True)
                case Slot(keyword="dim" | "dtype" as name):
                    names[name] = slot.value or self.given[index].text
                case Slot(keyword=name):
                    raise Refused(f"the method {method.name} takes no argument {name}")
        if method.needs_dim and names.get("dim", "None") == "None":
            raise Refused(f"the method {method.name} needs a dim")

    def check(self) -> None:
        """Python's own rules: no keyword twice, nothing positional after one that has become a keyword."""
        names = [slot.keyword for slot in self.slots if slot.keyword and not slot.dropped]
        names += [name for name, _ in self.added]
        if twice := {name for name in names if names.count(name) > 1}:
            raise Refused(f"the call would be given {min(twice)} twice")
        gone = False
        for slot, given in zip(self.slots, self.given, strict=True):
            positional = given.keyword is None and given.star != "**"
            if positional and gone and not slot.dropped and slot.keyword is None:
                raise Refused("a positional argument follows the one to be named")
            gone |= positional and (slot.dropped or slot.keyword is not None)

    def _claim(self, *claims: str | int | Range) -> None:
        wanted = set(claims)
        if wanted & self._claims:
            raise Refused(OVERLAP)
        self._claims |= wanted

    def _find(self, name: str) -> int | None:
        found = (index for index, slot in enumerate(self.slots) if slot.keyword == name and not slot.dropped)
        return next(found, None)

    def _index(self, name: str) -> int:
        index = self._find(name)
        if index is None:
            raise Refused(f"the call has no argument {name}")
        return index

    def _value(self, place: Range) -> int:
        for index, given in enumerate(self.given):
            if given.value == place:
                return index
        raise Refused("what is to be exchanged is no argument of the call")

    def _change(
        self,
        index: int,
        *,
        keyword: str | None = None,
        value: str | None = None,
        source: int | None = None,
        dropped: bool | None = None,
    ) -> None:
        slot = self.slots[index]
        self.slots[index] = replace(
            slot,
            keyword=slot.keyword if keyword is None else keyword,
            value=slot.value if value is None else value,
            source=slot.source if source is None else source,
            dropped=slot.dropped if dropped is None else dropped,
        )

    def _refuse_beside_mapping(self, name: str) -> None:
        if any(given.star == "**" for given in self.given):
            raise Refused(f"the call takes **, which may hold {name} already")
