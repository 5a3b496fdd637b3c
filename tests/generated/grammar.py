"""A grammar of small torch programs with one KL divergence each, as data that renders to text.

A program computes a divergence between two *chains*: each begins with scores and is carried, step by step, to the
call: softened, normalised, moved about, kept in an attribute, made in a helper. A step knows two things: how it is
written, which kl-lint reads, and what it does to the distribution that the program's author means, which
`meaning` reads.

Everything is one module for now. Definitions are kept apart from the function that uses them, so that they may move to
another file.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from string import Formatter
from textwrap import indent

PARAMETERS = ("x", "y", "w", "flag", "opaque", "seen")
"""Of `loss`: two tensors of scores, a square weight for their last dim, a bool, the identity (nobody can know), and a
function that writes down what it is given.
"""


class Form(Enum):
    """What a tensor holds, as far as the grammar can tell."""

    SCORES = "scores"
    PROBS = "probabilities"
    LOGS = "log-probabilities"
    LOST = "no distribution any more"


class Effect(Enum):
    """What a step does to the distribution that is meant."""

    KEEP = "nothing"
    SOFTEN = "divides the scores by `amount`"
    MASK = "puts `amount` in place of the greatest score"
    NORMALISE = "normalises along `dim`, unless that was done before"
    MOVE = "what its text does"
    MIX = "half of it, half of the softmax of `other` along `dim`"
    SMOOTH = "nine tenths of it, and one tenth uniform"
    ONE_HOT = "the most probable class alone"
    LOSE = "ends it"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of program: lines of the module, lines of the function, the expression that results, and lines of the
    function that come last.

    Placeholders: `{x}` the operand, `{a}` the same, bracketed where an attribute would bind too tightly, `{n}` a name
    for it, `{free}` the local names that it reads; `{v}` `{u}` new locals, `{f}` a new function, `{c}` a new class,
    `{g}` a new global; `{torch}` `{F}` `{nn}` the modules as they were imported, with their dot; `{flag}` the flag.
    """

    after: str
    before: str = ""
    define: str = ""
    late: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to a tensor on its way to the call."""

    text: Text
    effect: Effect = Effect.KEEP
    form: Form | None = None
    """What the tensor holds afterwards; None: what it held before."""
    dim: int = 0
    amount: float = 1.0
    other: str = ""
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Scores, and what becomes of them."""

    base: str
    steps: tuple[Step, ...] = ()
    known: bool = True
    """Whether a reader of the program can tell that the base is scores."""

    @property
    def form(self) -> Form:
        """What reaches the call."""
        return next((step.form for step in reversed(self.steps) if step.form is not None), Form.SCORES)

    @property
    def opaque(self) -> bool:
        """Whether something on the way cannot be read."""
        return any(step.opaque for step in self.steps) or (self.form is Form.SCORES and not self.known)


@dataclass(frozen=True, slots=True)
class Fork:
    """One chain or another, as the flag says. `negated` writes the arms the other way round; `apart`, in a function."""

    then: Chain
    otherwise: Chain
    negated: bool = False
    apart: bool = False


Argument = Chain | Fork


def arm(argument: Argument, flag: bool) -> Chain:
    """The chain that runs where the flag is `flag`."""
    match argument:
        case Chain():
            return argument
        case Fork(then=then, otherwise=otherwise):
            return then if flag else otherwise


def arms(argument: Argument) -> tuple[Chain, ...]:
    """Every chain of an argument."""
    return (argument,) if isinstance(argument, Chain) else (argument.then, argument.otherwise)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the call, written `value`; where it depends on the flag, `otherwise` for False."""

    name: str
    value: str
    otherwise: str | None = None
    positional: bool = False

    def text(self, flag: bool | None, flag_text: str) -> str:
        """As the call has it; `flag` None: not known, so the choice is written out."""
        chosen = self.value if flag is not False or self.otherwise is None else self.otherwise
        if flag is None and self.otherwise is not None:
            shortened = {("True", "False"): flag_text, ("False", "True"): f"not {flag_text}"}
            chosen = shortened.get((self.value, self.otherwise), f"{self.value} if {flag_text} else {self.otherwise}")
        return chosen if self.positional else f"{self.name}={chosen}"


@dataclass(frozen=True, slots=True)
class Call:
    """A way to call the divergence.

    `{p}` `{q}` are its arguments, `{settings}` what it is told, `{then}` and `{otherwise}` that for each flag, and
    `{comma}` stands before settings, where there are any.
    """

    text: Text
    module: bool = False
    """Whether the settings are given to a `KLDivLoss`."""
    constant: bool = False
    """Whether the settings stand where the flag is not known."""
    keywords: bool = False
    """Whether the settings must all be keywords."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the call stands.

    `shared`: in a place that every pair of arguments reaches, as `p` and `q`. `{block}` is the call there, `{pairs}`
    lists the arguments, `{calls}` hands each to `divergence`. Otherwise there is a call for every pair, and `{p}` `{q}`
    name the arguments of the first.
    """

    text: Text
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """How the program asks for the flag: `text`, after `setup`; `method`: in a method, of an attribute."""

    text: str
    setup: str = ""
    method: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How torch is imported."""

    imports: str
    torch: str
    functional: str
    nn: str


@dataclass(frozen=True, slots=True)
class Program:
    """A whole program: `loss` with its PARAMETERS, and what it needs."""

    style: Style
    pairs: tuple[tuple[Argument, Argument], ...]
    call: Call
    settings: tuple[Setting, ...] = ()
    frame: Frame = field(default_factory=lambda: Frame(Text("{x}")))
    tail: Text = field(default_factory=lambda: Text("{x}"))
    """What becomes of the call's result."""
    flag: Flag = field(default_factory=lambda: Flag("flag"))
    sizes: tuple[int, ...] = (4, 7)
    """Of x and y."""

    @property
    def forked(self) -> bool:
        """Whether the flag decides anything."""
        fork = any(isinstance(argument, Fork) for pair in self.pairs for argument in pair)
        return fork or any(setting.otherwise is not None for setting in self.settings)

    @property
    def opaque(self) -> bool:
        """Whether something in it cannot be read."""
        return any(chain.opaque for pair in self.pairs for argument in pair for chain in arms(argument))

    @property
    def source(self) -> str:
        """The text of the module."""
        page = Page(self.style, self.flag)
        pairs = self._arguments(page)
        if self.frame.shared:
            result = page.put(self.frame.text, "", **self._shared(page, pairs))
        else:
            calls = [page.put(self.tail, self._call(page, p, q)) for p, q in pairs]
            if len(calls) > 1:
                calls = [page.named(call) for call in calls]
            p, q = pairs[0]
            result = page.put(self.frame.text, " + ".join(calls), p=p, q=q)
        page.finish(result)
        return page.module(self.style.imports, self.flag.method)

    def _arguments(self, page: Page) -> list[tuple[str, str]]:
        """The arguments of each call. Those that something else reads as well have names."""
        uses = Counter(argument for pair in self.pairs for argument in pair)
        read = _placeholders(self.frame.text.before) | _placeholders(self.frame.text.after)
        uses.update(argument for name, argument in zip("pq", self.pairs[0], strict=True) if name in read)
        names: dict[Argument, str] = {}
        for argument, count in uses.items():
            text = page.argument(argument)
            names[argument] = page.named(text) if count > 1 else text
        return [(names[given], names[target]) for given, target in self.pairs]

    def _shared(self, page: Page, pairs: list[tuple[str, str]]) -> dict[str, str]:
        """The call in a block of its own, with names for its arguments."""
        inner = page.child(("p", "q", "flag"))
        call = inner.put(self.tail, self._call(inner, "p", "q"))
        return {
            "block": "\n".join([*inner.statements, f"result = {call}"]),
            "pairs": ", ".join(f"({p}, {q})" for p, q in pairs),
            "calls": " + ".join(f"divergence({p}, {q}, {page.flag})" for p, q in pairs),
        }

    def _call(self, page: Page, p: str, q: str) -> str:
        texts = {
            name: ", ".join(setting.text(flag, page.flag) for setting in self.settings)
            for name, flag in (("settings", None), ("then", True), ("otherwise", False))
        }
        return page.put(self.call.text, p, p=p, q=q, comma=", " if self.settings else "", **texts)


class Page:
    """What has been written so far."""

    def __init__(self, style: Style, flag: Flag) -> None:
        self.style = style
        self.flag = flag.text
        self.definitions: list[str] = []
        self.statements: list[str] = flag.setup.splitlines()
        self.late: list[str] = []
        self.scope: list[str] = sorted({*PARAMETERS, *_words(flag.text)} - ({"flag"} if flag.method else set()))
        self._names = iter(range(1, 1000))

    def child(self, scope: tuple[str, ...] | None = None) -> Page:
        """A block within this page; with `scope`, one in a function of its own."""
        block = Page(self.style, Flag(self.flag if scope is None else "flag"))
        block.definitions, block._names = self.definitions, self._names
        block.scope = list(self.scope if scope is None else scope)
        return block

    def argument(self, argument: Argument) -> str:
        """Write a chain, or both arms of a fork; the expression that results."""
        match argument:
            case Chain(base=base, steps=steps):
                operand = self.put(Text(base), "")
                for step in steps:
                    operand = self.put(step.text, operand)
                return operand
            case Fork(apart=True):
                return self._apart(replace(argument, apart=False))
            case Fork(then=then, otherwise=otherwise, negated=negated):
                name = f"v{next(self._names)}"
                blocks = [self._arm(chain, name) for chain in ((otherwise, then) if negated else (then, otherwise))]
                test = f"not {self.flag}" if negated else self.flag
                self.statements += [f"if {test}:", indent(blocks[0], "    "), "else:", indent(blocks[1], "    ")]
                self.scope.append(name)
                return name

    def _apart(self, fork: Fork) -> str:
        """Write both arms in a function of their own, which is told the flag."""
        name = f"f{next(self._names)}"
        inner = self.child((*PARAMETERS,))
        inner.finish(inner.argument(fork))
        body = "\n".join(inner.statements)
        self.definitions.append(f"def {name}({', '.join(PARAMETERS)}):\n{indent(body, '    ')}")
        return f"{name}({', '.join(self.flag if name == 'flag' else name for name in PARAMETERS)})"

    def _arm(self, chain: Chain, name: str) -> str:
        block = self.child()
        block.statements.append(f"{name} = {block.argument(chain)}")
        return "\n".join(block.statements + block.late)

    def finish(self, result: str) -> None:
        """Return from the function, after what comes last."""
        if self.late:
            result = self.named(result)
        self.statements += [*self.late, f"return {result}"]

    def put(self, text: Text, operand: str, **more: str) -> str:
        """Write what a piece needs before it; the expression that it becomes."""
        wanted = {name for part in (text.define, text.before, text.after, text.late) for name in _placeholders(part)}
        if "n" in wanted:
            operand = self.named(operand)
        names = {kind: f"{kind}{next(self._names)}" for kind in "vufcg" if kind in wanted}
        fields = {
            **names,
            "x": operand,
            "a": _atom(operand),
            "n": operand,
            "flag": self.flag,
            "torch": self.style.torch,
            "F": self.style.functional,
            "nn": self.style.nn,
            **more,
        }
        read = " ".join([operand, *more.values()]) if "free" in wanted else ""
        fields["free"] = ", ".join(name for name in self.scope if name in _words(read))
        if text.define:
            self.definitions.append(_filled(text.define, fields))
        if text.before:
            self.statements.append(_filled(text.before, fields))
        if text.late:
            self.late.append(_filled(text.late, fields))
        self.scope += [
            name for kind, name in names.items() if kind in "vu" or (kind == "f" and "def {f}" in text.before)
        ]
        return _filled(text.after, fields)

    def named(self, operand: str) -> str:
        """A name for an expression."""
        if operand.isidentifier():
            return operand
        name = f"v{next(self._names)}"
        self.statements.append(f"{name} = {operand}")
        self.scope.append(name)
        return name

    def module(self, imports: str, method: bool) -> str:
        """The whole text."""
        body = "\n".join(self.statements)
        if method:
            inner = ", ".join(name for name in PARAMETERS if name != "flag")
            lines = [
                "class Trainer:",
                "    def __init__(self, flag):",
                "        self.flag = flag",
                "",
                f"    def step(self, {inner}):",
                indent(body, " " * 8),
            ]
            self.definitions.append("\n".join(lines))
            body = f"return Trainer(flag).step({inner})"
        head = f"import functools\nimport types\n{imports}\n"
        loss = f"def loss({', '.join(PARAMETERS)}):\n{indent(body, '    ')}\n"
        return "\n\n".join([head, *self.definitions, loss])


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _filled(text: str, fields: Mapping[str, str]) -> str:
    """`text` with its placeholders filled in; a block of several lines keeps the indentation of its placeholder."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line.strip() == "{block}":
            lines.append(indent(fields["block"], line[: -len("{block}")]))
        else:
            lines.append(line.format_map(fields))
    return "\n".join(lines)


def _atom(operand: str) -> str:
    """The operand, bracketed unless it may stand before a dot."""
    if not operand or isinstance(
        ast.parse(operand, mode="eval").body, (ast.Name, ast.Call, ast.Attribute, ast.Subscript)
    ):
        return operand
    return f"({operand})"


def _words(text: str) -> set[str]:
    try:
        tree = ast.parse(f"[{text}]" if text else "0")
    except SyntaxError:
        tree = ast.parse(f"f({text})")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


# --- imports -------------------------------------------------------------------------------------------------------

STYLES = (
    Style("import torch\nimport torch.nn.functional as F\nfrom torch import nn", "torch.", "F.", "nn."),
    Style("import torch as th\nfrom torch import nn\nfrom torch.nn import functional as func", "th.", "func.", "nn."),
    Style("import torch", "torch.", "torch.nn.functional.", "torch.nn."),
    Style("import torch\nimport torch.nn as nn", "torch.", "nn.functional.", "nn."),
    Style(
        "import torch\nfrom torch.nn import *\n"
        "from torch.nn.functional import kl_div, linear, log_softmax, logsigmoid, one_hot, softmax",
        "torch.",
        "",
        "",
    ),
    Style("import torch, torch.nn, torch.nn.functional\nF, nn = torch.nn.functional, torch.nn", "torch.", "F.", "nn."),
)

FLAGS = (
    Flag("flag"),
    Flag("self.flag", method=True),
    Flag("on", "on = bool(flag)"),
    Flag("(mode == 'on')", "mode = 'on' if flag else 'off'"),
    Flag("options['flag']", "options = {'flag': flag}"),
    Flag("options.flag", "options = types.SimpleNamespace(flag=flag)"),
)

# --- scores --------------------------------------------------------------------------------------------------------

SOFTENINGS = (
    Text("{a} / 2.0"),
    Text("{a} * 0.5"),
    Text("{a}.div(2.0)"),
    Text("{a} / {v}", before="{v} = 2.0"),
    Text("{a} / {g}", define="{g} = 2.0"),
    Text("{f}({x})", define="def {f}(scores, temperature=2.0):\n    return scores / temperature"),
)

MASKINGS = (
    (Text("{n}.masked_fill({n} == {n}.max(), -1e9)"), -1e9),
    (Text("{n}.masked_fill({n} == {n}.max(), float('-inf'))"), float("-inf")),
    (Text("{v}", before="{v} = {a}.clone()\n{v}[{v} == {v}.max()] = -1e9"), -1e9),
    (Text("{torch}where({n} == {n}.max(), {torch}full_like({n}, -1e9), {n})"), -1e9),
)

# --- distributions -------------------------------------------------------------------------------------------------


def softmaxes(dim: int, rank: int) -> tuple[Text, ...]:
    """The ways to write a softmax along `dim` (which may be negative) of a tensor of `rank` dimensions."""
    d = str(dim)
    texts = [
        Text(f"{{F}}softmax({{x}}, dim={d})"),
        Text(f"{{F}}softmax({{x}}, {d})"),
        Text(f"{{torch}}softmax({{x}}, dim={d})"),
        Text(f"{{torch}}softmax({{x}}, {d})"),
        Text(f"{{a}}.softmax({d})"),
        Text(f"{{a}}.softmax(dim={d})"),
        Text(f"{{nn}}Softmax(dim={d})({{x}})"),
        Text("{g}({x})", define=f"{{g}} = {{nn}}Softmax({d})"),
        Text("{v}({x})", before=f"{{v}} = {{nn}}Softmax(dim={d})"),
        Text("{v}({x})", before=f"{{v}} = functools.partial({{F}}softmax, dim={d})"),
        Text(f"{{v}}({{x}}, dim={d})", before="{v} = {F}softmax"),
        Text("{F}softmax({x}, dim={g})", define=f"{{g}} = {d}"),
        Text("{F}softmax({x}, **{v})", before=f"{{v}} = dict(dim={d})"),
        Text("{f}({x})", define=f"def {{f}}(scores, dim={d}):\n    return {{F}}softmax(scores, dim)"),
        Text(f"{{f}}({{x}}, {d})", define="def {f}(scores, dim):\n    return scores.softmax(dim)"),
        Text("{v}", before=f"{{v}} = {{x}}\n{{v}} = {{F}}softmax({{v}}, dim={d})"),
        Text(
            "{c}()({x})",
            define="class {c}({nn}Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.normalise = {{nn}}Softmax(dim={d})\n\n"
            "    def forward(self, scores):\n        return self.normalise(scores)",
        ),
        Text("{nn}Sequential({nn}Identity(), {nn}Softmax(dim=" + d + "))({x})"),
    ]
    if (dim + rank if dim < 0 else dim) == (0 if rank in (0, 1, 3) else 1):
        texts += [Text("{F}softmax({x})"), Text("{nn}Softmax()({x})")]
    return tuple(texts)


def probabilities(dim: int, rank: int) -> tuple[Text, ...]:
    """The ways to make probabilities of scores."""
    texts = [
        Text(f"{{v}} / {{v}}.sum({dim}, keepdim=True)", before="{v} = {a}.exp()"),
        Text("{v}", before=f"{{v}} = {{torch}}exp({{x}}).clone()\n{{v}} /= {{v}}.sum({dim}, keepdim=True)"),
    ]
    if dim in (-1, rank - 1):
        texts.append(Text("{torch}distributions.Categorical(logits={x}).probs"))
    return (*softmaxes(dim, rank), *texts)


def log_probabilities(dim: int, rank: int) -> tuple[Text, ...]:
    """The ways to make log-probabilities of scores."""
    texts = [
        Text(f"{{n}} - {{n}}.logsumexp({dim}, keepdim=True)"),
        Text(f"{{n}} - {{torch}}logsumexp({{n}}, dim={dim}, keepdim=True)"),
    ]
    if dim in (-1, rank - 1):
        texts.append(Text("{torch}distributions.Categorical(logits={x}).logits"))
    return (*map(in_logs, softmaxes(dim, rank)), *texts)


def in_logs(text: Text) -> Text:
    """A way to make log-probabilities, of one to make probabilities."""

    def logs(part: str) -> str:
        return (
            part.replace("softmax(", "log_softmax(")
            .replace("softmax,", "log_softmax,")
            .replace("Softmax(", "LogSoftmax(")
        )

    before = text.before if not text.before.endswith("softmax") else text.before.replace("softmax", "log_softmax")
    return Text(logs(text.after), logs(before), logs(text.define), logs(text.late))


LOGARITHMS = (
    Text("{torch}log({x})"),
    Text("{a}.log()"),
    Text("{v}", before="{v} = {a}.clone()\n{v}.log_()"),
    Text("{v}.log()", before="{v} = {x}"),
    Text("{v}", before="{v} = {a}.clone()\n{u} = {v}\n{u}.log_()"),
    Text("{v}", before="{v} = {a}.clone()\n{u} = {v}[...]\n{u}.log_()"),
    Text("{v}", before="{v} = {a}.clone()\n{u} = [{v}]\n{u}[0].log_()"),
    Text("{v}", before="{v} = {torch}empty_like({n}).detach()\n{torch}log({n}.detach(), out={v})"),
)
EXPONENTIALS = (
    Text("{torch}exp({x})"),
    Text("{a}.exp()"),
    Text("{v}.exp()", before="{v} = {x}"),
    Text("{v}", before="{v} = {a}.clone()\n{v}.exp_()"),
    Text("{v}", before="{v} = {a}.clone()\n{u} = {v}\n{u}.exp_()"),
    Text("{v}", before="{v} = {a}.detach().clone()\n{torch}exp_({v})"),
)
WRONG_LOGARITHMS = (Text("{torch}log2({x})"), Text("{a}.log10()"), Text("{torch}log1p({x})"), Text("{a}.log2()"))
GUARDS = (
    Text("{a} + 1e-10"),
    Text("{a}.clamp(min=1e-10)"),
    Text("{torch}clamp({x}, min=1e-10)"),
    Text("{torch}clamp({x}, 1e-10, 1.0)"),
    Text("{a}.clamp_min(1e-10)"),
    Text("1e-10 + {a}"),
)
SIGMOIDS = (Text("{torch}sigmoid({x})"), Text("{a}.sigmoid()"), Text("{nn}Sigmoid()({x})"))
LOG_SIGMOIDS = (Text("{F}logsigmoid({x})"), Text("{nn}LogSigmoid()({x})"))


def mixtures(other: str, dim: int) -> tuple[Text, ...]:
    """Half of the operand, half of the softmax of `other`."""
    half = f"{{torch}}softmax({other}, {dim})"
    return (
        Text(f"({{a}} + {half}) / 2"),
        Text(f"0.5 * {{a}} + 0.5 * {half}"),
        Text(f"{{torch}}lerp({{x}}, {half}, 0.5)"),
        Text(f"{{torch}}stack([{{x}}, {half}]).mean(0)"),
    )


def smoothings(classes: int) -> tuple[Text, ...]:
    """Nine tenths of the operand, and one tenth uniform over the classes."""
    return (
        Text(f"{{a}} * 0.9 + 0.1 / {classes}"),
        Text(f"(1 - 0.1) * {{a}} + 0.1 / {classes}"),
        Text(f"{{a}} * (1 - {{v}}) + {{v}} / {classes}", before="{v} = 0.1"),
    )


# --- transports ----------------------------------------------------------------------------------------------------

KEEPERS = (
    Text("{a}.detach()"),
    Text("{a}.clone()"),
    Text("{a}.contiguous()"),
    Text("{a}.double()"),
    Text("{a}.to({torch}float64)"),
    Text("{a}.data"),
    Text("{nn}Identity()({x})"),
    Text("{a} * 1.0"),
    Text("{a}.type_as(x)"),
)

TRANSPORTS = (
    Text("{v}", before="{v} = {x}"),
    Text("{u}", before="{v} = {x}\n{u} = {v}"),
    Text("{u}", before="{v} = {u} = {x}"),
    Text("{v}", before="{v}, {u} = {x}, None"),
    Text("{v}", before="{u}, *{v} = 1, {x}\n{v} = {v}[0]"),
    Text("{v}[0]", before="{v} = [{x}]"),
    Text("{v}[-1]", before="{v} = []\n{v}.append({x})"),
    Text("{v}['made']", before="{v} = {{'made': {x}, 'other': None}}"),
    Text("{v}['made']", before="{v} = dict(other=1)\n{v}['made'] = {x}"),
    Text("{v}.get('made')", before="{v} = {{}}\n{v}.update(made={x})"),
    Text("{v}", before="if ({v} := {x}) is not None:\n    pass"),
    Text("{v}", before="print(end=str(({v} := {x}).dim())[:0])"),
    Text("{f}({free})", define="def {f}({free}):\n    return {x}"),
    Text("{f}({free})[1]", define="def {f}({free}):\n    return 0, {x}"),
    Text("{f}({free})['made']", define="def {f}({free}):\n    made = {x}\n    return {{'made': made}}"),
    Text("{v}", before="{u}, {v} = {f}({free})", define="def {f}({free}):\n    return None, {x}"),
    Text("{f}({x})", define="def {f}(value):\n    return value"),
    Text(
        "{f}({x}, True)",
        define="def {f}(value, keep=False):\n    if keep:\n        return value\n    return value.new_zeros(1)",
    ),
    Text("{f}(value={x})", define="def {f}(*, value):\n    held = value\n    return held"),
    Text("{f}({x})", define="def {f}(*values):\n    return values[0]"),
    Text("{f}(made={x})", define="def {f}(**values):\n    return values['made']"),
    Text("{f}()", before="def {f}():\n    return {x}"),
    Text("{f}({x})", before="def {f}(value):\n    return value"),
    Text("{v}()", before="{v} = lambda: {x}"),
    Text("(lambda value: value)({x})"),
    Text("{v}()", before="{v} = functools.partial({f}, {x})", define="def {f}(value):\n    return value"),
    Text("{c}().make({free})", define="class {c}:\n    def make(this, {free}):\n        return {x}"),
    Text("{c}.make({free})", define="class {c}:\n    @staticmethod\n    def make({free}):\n        return {x}"),
    Text("{c}.make({x})", define="class {c}:\n    @classmethod\n    def make(cls, value):\n        return value"),
    Text(
        "{v}.held",
        before="{v} = {c}({x})",
        define="class {c}:\n    def __init__(self, value):\n        self.held = value",
    ),
    Text(
        "{v}.fetch()",
        before="{v} = {c}({x})",
        define="class {c}:\n    def __init__(self, value):\n        self.held = value\n\n"
        "    def fetch(self):\n        return self.held",
    ),
    Text(
        "{v}.made",
        before="{v} = {c}({x})",
        define="class {c}:\n    def __init__(self, value):\n        self._held = value\n\n"
        "    @property\n    def made(self):\n        return self._held",
    ),
    Text("{v}.held", before="{v} = {c}()\n{v}.held = {x}", define="class {c}:\n    held = None"),
    Text("{c}()({x})", define="class {c}({nn}Module):\n    def forward(self, value):\n        return value"),
    Text("{c}().forward({free})", define="class {c}({nn}Module):\n    def forward(this, {free}):\n        return {x}"),
    Text(
        "{c}Two().make({x})",
        define="class {c}:\n    def make(self, value):\n        return value\n\n\nclass {c}Two({c}):\n"
        "    def make(self, value):\n        return super().make(value)",
    ),
    Text("{v}.made", before="{v} = types.SimpleNamespace(made={x})"),
    Text("{v}", before="if {flag}:\n    {v} = {x}\nelse:\n    {v} = {a}.clone()"),
    Text("{v}", before="{v} = {x}\nif not {flag}:\n    {v} = {v}.clone()"),
    Text("{v}", before="{v} = {x} if {flag} else {a}.clone()"),
    Text(
        "{f}({x}, {flag})", define="def {f}(value, flag):\n    if flag:\n        return value\n    return value.clone()"
    ),
    Text("{v}", before="for {u} in range(2):\n    {v} = {x}"),
    Text("{v}", before="for {v} in [{x}]:\n    pass"),
    Text("{v}", before="for {u}, {v} in zip([1], [{x}]):\n    pass"),
    Text("{v}", before="for {u}, {v} in {{'made': {x}}}.items():\n    pass"),
    Text("{v}", before="{u} = 0\n{v} = None\nwhile {u} < 1:\n    {v} = {x}\n    {u} += 1"),
    Text("[{x} for _ in range(2)][0]"),
    Text("[value for value in ({x},)][0]"),
    Text("next(value for value in [{x}])"),
    Text("{v}", before="with {torch}no_grad():\n    {v} = {x}"),
    Text("{f}({free})", define="@{torch}no_grad()\ndef {f}({free}):\n    return {x}"),
    Text("{v}", before="try:\n    {v} = {x}\nexcept RuntimeError:\n    raise"),
    Text("{v}", before="try:\n    {v} = {x}\nfinally:\n    pass"),
    Text("{v}", before="match {flag}:\n    case True:\n        {v} = {x}\n    case _:\n        {v} = {a}.clone()"),
    Text("next({f}({free}))", define="def {f}({free}):\n    yield {x}"),
    Text("getattr({v}, 'held')", before="{v} = {c}()\nsetattr({v}, 'held', {x})", define="class {c}:\n    pass"),
    Text("{v}", before="{v} = {x}\nassert {v} is not None"),
)


def decoys(decoy: str) -> tuple[Text, ...]:
    """Transports on which something else, `decoy`, lies in the way: whoever remembers the wrong one goes astray."""
    texts = (
        ("{v}", f"{{v}} = {decoy}\n{{v}} = {{x}}"),
        ("{u}", f"{{v}} = {{x}}\n{{u}} = {{v}}\n{{v}} = {decoy}"),
        ("{v}", f"{{v}}, {{u}} = {decoy}, {{x}}\n{{v}}, {{u}} = {{u}}, {{v}}"),
        ("{v}[0]", f"{{v}} = [{decoy}]\n{{u}} = {{v}}\n{{u}}[0] = {{x}}"),
        ("{v}[-1]", f"{{v}} = [{decoy}]\n{{v}}.append({{x}})"),
        ("{u}", f"{{v}} = [{decoy}, {{x}}]\n{{u}} = {{v}}.pop()"),
        ("{v}[0]", f"{{v}} = [{decoy}, {{x}}][::-1]"),
        ("{v}[0]", f"{{v}} = list(reversed([{decoy}, {{x}}]))"),
        ("{v}[0]", f"{{v}} = [{decoy}]\n{{v}}.insert(0, {{x}})"),
        ("{v}['made']", f"{{v}} = {{{{'made': {decoy}}}}}\n{{u}} = {{v}}\n{{u}}['made'] = {{x}}"),
        ("{v}['made']", f"{{v}} = {{{{**{{{{'made': {decoy}}}}}, 'made': {{x}}}}}}"),
        ("{v}['made']", f"{{v}} = dict(made={decoy}) | dict(made={{x}})"),
        ("{v}['ma' + 'de']", f"{{v}} = {{{{'made': {{x}}, 'other': {decoy}}}}}"),
        ("{v}", f"{{v}} = {{x}}\nfor {{u}} in []:\n    {{v}} = {decoy}"),
        ("{v}", f"{{v}} = {{x}}\nwhile False:\n    {{v}} = {decoy}"),
        ("{v}", f"{{v}} = {decoy}\nfor {{u}} in [0, 1]:\n    if {{u}} == 1:\n        {{v}} = {{x}}"),
        ("{v}", f"{{v}} = {decoy}\nif {{flag}} in (True, False):\n    {{v}} = {{x}}"),
        ("{v}", f"try:\n    {{v}} = {{x}}\nexcept RuntimeError:\n    {{v}} = {decoy}"),
        ("{v}", f"{{v}} = {decoy}\ntry:\n    raise ValueError\nexcept ValueError:\n    {{v}} = {{x}}"),
        ("{v}", f"{{v}} = {{x}}\n[{{v}} for {{v}} in [{decoy}]]"),
        ("{u}()", f"{{v}} = {decoy}\n{{u}} = lambda: {{v}}\n{{v}} = {{x}}"),
        ("{u}()", f"{{v}} = {{x}}\n{{u}} = lambda value={{v}}: value\n{{v}} = {decoy}"),
        ("{v}", f"{{v}} = {decoy}\ndef {{f}}(value):\n    nonlocal {{v}}\n    {{v}} = value\n{{f}}({{x}})"),
        ("{u}", f"{{v}} = {decoy}\n{{u}} = {{v}} if {{v}} is None else {{x}}"),
        ("{u}", f"{{v}} = {{x}}\n{{u}} = {{v}} or {decoy} if False else {{v}}"),
        ("{v}", f"match 1:\n    case 0:\n        {{v}} = {decoy}\n    case _:\n        {{v}} = {{x}}"),
        ("{v}", f"_, {{v}} = sorted([(1, {{x}}), (0, {decoy})], key=lambda pair: pair[0])[1]"),
        ("{v}.held", f"{{v}} = types.SimpleNamespace(held={decoy})\n{{v}}.held = {{x}}"),
    )
    changed = "{v} = {c}()\n{v}.held = " + decoy
    return (
        *(Text(after, before) for after, before in texts),
        Text("{v}.held", f"{changed}\n{{u}} = {{v}}\n{{u}}.held = {{x}}", "class {c}:\n    held = None"),
        Text(
            "{v}.held",
            f"{{v}} = {{c}}({decoy})\n{{v}}.change({{x}})",
            "class {c}:\n    def __init__(self, value):\n        self.held = value\n\n"
            "    def change(self, value):\n        self.held = value",
        ),
        Text(
            "{v}.made",
            f"{{v}} = {{c}}({decoy})\n{{v}}.made = {{x}}",
            "class {c}:\n    def __init__(self, value):\n        self._held = value\n\n    @property\n    def made(self):\n"
            "        return self._held\n\n    @made.setter\n    def made(self, value):\n        self._held = value",
        ),
        Text(
            "{f}({x})",
            "",
            "def {f}(value, other=None):\n    if other is not None:\n"
            f"        return {decoy.replace('y', 'other')}\n    return value",
        ),
        Text("{g}['made']", f"{{g}}['made'] = {decoy}\n{{g}}['made'] = {{x}}", "{g} = {{}}"),
        Text("{g}", "{f}({x})", "{g} = None\n\n\ndef {f}(value):\n    global {g}\n    {g} = value"),
    )


DECOYS = (*decoys("{torch}softmax(y, -1)"), *decoys("{torch}log_softmax(y, -1)"))
OPAQUE = (
    Text("opaque({x})"),
    Text("eval('value', dict(value={x}))"),
)

# --- calls ---------------------------------------------------------------------------------------------------------

CALLS = (
    Call(Text("{F}kl_div({p}, {q}{comma}{settings})")),
    Call(Text("{nn}KLDivLoss({settings})({p}, {q})"), module=True),
    Call(Text("{F}kl_div(input={p}, target={q}{comma}{settings})"), keywords=True),
    Call(Text("{F}kl_div(target={q}, input={p}{comma}{settings})"), keywords=True),
    Call(Text("{F}kl_div({p}, target={q}{comma}{settings})"), keywords=True),
    Call(Text("{v}({p}, {q})", before="{v} = {nn}KLDivLoss({settings})"), module=True),
    Call(Text("{v}(input={p}, target={q})", before="{v} = {nn}KLDivLoss({settings})"), module=True),
    Call(Text("{v}.forward({p}, {q})", before="{v} = {nn}KLDivLoss({settings})"), module=True),
    Call(Text("{g}({p}, {q})", define="{g} = {nn}KLDivLoss({settings})"), module=True, constant=True),
    Call(
        Text(
            "{v}({p}, {q})",
            before="if {flag}:\n    {v} = {nn}KLDivLoss({then})\nelse:\n    {v} = {nn}KLDivLoss({otherwise})",
        ),
        module=True,
    ),
    Call(
        Text(
            "{v}",
            before="if {flag}:\n    {v} = {F}kl_div({p}, {q}{comma}{then})\n"
            "else:\n    {v} = {F}kl_div({p}, {q}{comma}{otherwise})",
        )
    ),
    Call(Text("{v}({p}, {q}{comma}{settings})", before="{v} = {F}kl_div")),
    Call(Text("{v}({p}, {q})", before="{v} = functools.partial({F}kl_div{comma}{settings})"), keywords=True),
    Call(Text("{F}kl_div(*{v}{comma}{settings})", before="{v} = ({p}, {q})"), keywords=True),
    Call(Text("{F}kl_div({p}, {q}, **{v})", before="{v} = dict({settings})"), keywords=True),
    Call(Text("{F}kl_div(**{v}{comma}{settings})", before="{v} = {{'input': {p}, 'target': {q}}}"), keywords=True),
    Call(Text("getattr({torch}nn.functional, 'kl_div')({p}, {q}{comma}{settings})")),
    Call(
        Text("{f}({p}, {q})", define="def {f}(p, q):\n    return {F}kl_div(p, q{comma}{settings})"),
        constant=True,
    ),
    Call(
        Text("{f}({p}, {q})", define="def {f}(p, q, loss={nn}KLDivLoss({settings})):\n    return loss(p, q)"),
        module=True,
        constant=True,
    ),
    Call(
        Text(
            "{c}()({p}, {q})",
            define="class {c}({nn}Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.divergence = {nn}KLDivLoss({settings})\n\n"
            "    def forward(self, p, q):\n        return self.divergence(p, q)",
        ),
        module=True,
        constant=True,
    ),
    Call(
        Text(
            "{c}()({p}, {q})",
            define="class {c}({nn}KLDivLoss):\n    def __init__(self):\n        super().__init__({settings})",
        ),
        module=True,
        constant=True,
    ),
)

FRAMES = (
    Frame(Text("{x}")),
    Frame(Text("{v}", before="{v} = {x}")),
    Frame(Text("{v}", before="{v} = 0.0\nfor {u} in range(2):\n    {v} = {v} + {x} / 2")),
    Frame(Text("{v}", before="{v} = 0.0\n{v} += {x}")),
    Frame(Text("sum({v})", before="{v} = []\n{v}.append({x})")),
    Frame(Text("{v}", before="with {torch}enable_grad():\n    {v} = {x}")),
)
SHARED = "def divergence(p, q, flag):\n    {block}\n    return result"
SHARED_FRAMES = (
    Frame(Text("{calls}", define=SHARED), shared=True),
    Frame(
        Text(
            "{v}", before="{v} = 0.0\nfor p, q in [{pairs}]:\n    {v} = {v} + divergence(p, q, {flag})", define=SHARED
        ),
        shared=True,
    ),
    Frame(Text("sum(divergence(p, q, {flag}) for p, q in [{pairs}])", define=SHARED), shared=True),
    Frame(
        Text("{v}", before="{v} = 0.0\nfor p, q in [{pairs}]:\n    flag = {flag}\n    {block}\n    {v} = {v} + result"),
        shared=True,
    ),
)


def sums_over_classes(dim: int) -> tuple[Text, ...]:
    """What turns an unreduced divergence into the mean of the divergences."""
    return (
        Text(f"{{a}}.sum({dim}).mean()"),
        Text(f"{{a}}.sum(dim={dim}).mean()"),
        Text(f"{{torch}}sum({{x}}, dim={dim}).mean()"),
        Text("{v}.mean()", before=f"{{v}} = {{x}}\n{{v}} = {{v}}.sum({dim})"),
        Text(f"{{torch}}mean({{v}}.sum({dim}))", before="{v} = {x}"),
    )


def means_over_classes(dim: int) -> tuple[Text, ...]:
    """What averages over the classes."""
    return (
        Text("{a}.mean()"),
        Text("{torch}mean({x})"),
        Text("{v}.mean()", before="{v} = {x}"),
        Text(f"{{a}}.mean({dim}).mean()"),
        Text(f"{{v}}.mean(dim={dim}).mean()", before="{v} = {x}"),
    )
