"""Others that read a distribution on its way to the call: what they see, a fix must leave as it is.

They show it to `seen`, a parameter of `loss` that writes down what it is given, and gives 0.
"""

from __future__ import annotations

from tests.generated.grammar import Frame, Text

READERS = (
    Text("{n}", before="seen({n})"),
    Text("{n}", late="seen({n})"),
    Text("{n}", before="seen({n}.max())"),
    Text("{n}", late="seen(({n} * {n}).sum().item())"),
    Text("{n}", late="seen({n}[..., 0])"),
    Text("{n}", before="print(end=f'{{{n}}}'[:0])"),
    # under another name, in an attribute, in a container
    Text("{n}", before="{v} = {n}", late="seen({v})"),
    Text("{v}", before="{v} = {u} = {x}", late="seen({u})"),
    Text("{n}", before="{v} = {n}.detach()", late="seen({v})"),
    Text("{v}", before="seen({v} := {x})"),
    Text("{n}", before="{v} = types.SimpleNamespace(made={n})", late="seen({v}.made)"),
    Text("{n}", before="{v} = {{'made': {n}}}", late="seen({v}['made'])"),
    Text("{n}", before="{v} = [{n}]", late="for {u} in {v}:\n    seen({u})"),
    # where it is made
    Text("{v}", before="for {u} in range(2):\n    {v} = {x}\n    seen({v})"),
    Text("{v}", before="if {flag}:\n    {v} = {x}\n    seen({v})\nelse:\n    {v} = {a}.clone()"),
    Text("{v}", before="{v} = {x}\nif {flag}:\n    seen({v})"),
    # in a function
    Text("{n}", before="{v} = lambda: {n}", late="seen({v}())"),
    Text("{n}", before="def {f}():\n    seen({n})", late="{f}()"),
    Text("{f}({x})", before="def {f}(value):\n    seen(value)\n    return value"),
    Text("{f}(seen, {free})", define="def {f}(show, {free}):\n    made = {x}\n    show(made)\n    return made"),
    Text(
        "{v}",
        before="{v}, {u} = {f}({free})",
        define="def {f}({free}):\n    made = {x}\n    return made, made",
        late="seen({u})",
    ),
    # in a method
    Text(
        "{v}.made",
        before="{v} = {c}({x})",
        define="class {c}:\n    def __init__(self, value):\n        self.made = value\n        self.kept = value",
        late="seen({v}.kept)",
    ),
    Text(
        "{v}.made",
        before="{v} = {c}({x})",
        define="class {c}:\n    def __init__(self, value):\n        self.made = value\n\n"
        "    def show(self, seen):\n        seen(self.made)",
        late="{v}.show(seen)",
    ),
)
"""Detours on which something is read."""

FRAMES = (
    Frame(Text("{v}", before="{v} = {x}\nseen({p})")),
    Frame(Text("{v}", before="{v} = {x}\nseen({q})")),
    Frame(Text("{v} + seen({p}.max())", before="{v} = {x}")),
    Frame(Text("{v} + 0.1 * seen({q}.max())", before="{v} = {x}")),
    Frame(Text("{v}['loss']", before="{v} = {{'loss': {x}, 'input': {p}}}\nseen({v}['input'])")),
    Frame(Text("{v}", before="def {f}():\n    return {x}, {p}\n{v}, {u} = {f}()\nseen({u})")),
)
"""Places of the call that read one of its arguments, too."""


def softmaxes(dim: int) -> tuple[Text, ...]:
    """Ways to normalise by a module that is used twice."""
    module = f"{{nn}}Softmax(dim={dim})"
    return (
        Text("{v}({n})", before=f"{{v}} = {module}\nseen({{v}}({{n}}))"),
        Text(
            "{v}({n})",
            before="{v} = {c}()\nseen({v}.show({n}))",
            define="class {c}({nn}Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.normalise = {module}\n\n"
            "    def forward(self, scores):\n        return self.normalise(scores)\n\n"
            "    def show(self, scores):\n        return self.normalise(scores)",
        ),
    )
