"""What programs of several files are made of besides: classes that rest on others, registries, tables of losses.

Each piece is several definitions, which may come to stand in several files.
"""

from __future__ import annotations

from tests.generated.grammar import Call, Text

MODULE = "class {c}({nn}Module):\n"


def softmaxes(dim: int, rank: int) -> tuple[Text, ...]:
    """The ways to normalise `{x}` along `dim` by a class or a registry; `grammar.in_logs` makes those of log_softmax."""
    d = str(dim)
    function = f"{{F}}softmax(scores, dim={d})"
    module = f"{{nn}}Softmax(dim={d})"
    return (
        # an abstract method with one implementation, the base's `forward` ends in a softmax
        Text(
            "{c}()({x})",
            define="class {c}Base({nn}Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.normalise = {module}\n\n"
            "    def forward(self, scores):\n        return self.normalise(self.score(scores))\n\n"
            "    def score(self, scores):\n        raise NotImplementedError\n\n\n"
            "class {c}({c}Base):\n    def score(self, scores):\n        return scores * 1.0",
        ),
        # a chain of `__init__` with a module for a default argument
        Text(
            "{c}()({x})",
            define=f"class {{c}}Base({{nn}}Module):\n    def __init__(self, normalise={module}):\n"
            "        super().__init__()\n        self.normalise = normalise\n\n\n"
            "class {c}Middle({c}Base):\n    def __init__(self, size=3, **options):\n        super().__init__(**options)\n"
            "        self.size = size\n\n\n"
            "class {c}({c}Middle):\n    def forward(self, scores):\n        return self.normalise(scores)",
        ),
        # a mixin that reads what the class sets
        Text(
            "{c}()({x})",
            define=f"class {{c}}Mixin:\n    def normalise(self, scores):\n        return {function.replace(d, 'self.dim')}\n\n\n"
            f"class {{c}}({{c}}Mixin, {{nn}}Module):\n    dim = {d}\n\n"
            "    def forward(self, scores):\n        return self.normalise(scores)",
        ),
        # the module is handed on, and moved
        Text(
            f"{{c}}({module})({{x}})",
            define=MODULE
            + "    def __init__(self, head):\n        super().__init__()\n        self.head = head.to('cpu')\n\n"
            "    def forward(self, scores):\n        return self.head(scores)",
        ),
        # a subclass overrides what the base does
        Text(
            "{c}().soften({x})",
            define="class {c}Base:\n    def soften(self, scores):\n        return self.made(scores)\n\n"
            "    def made(self, scores):\n        return scores.sigmoid()\n\n\n"
            f"class {{c}}({{c}}Base):\n    def made(self, scores):\n        return {function}",
        ),
        # a registry, filled by a decorator
        Text(
            "{g}['made']({x})",
            define="{g} = {{}}\n\n\ndef {f}(name):\n    def register(function):\n        {g}[name] = function\n"
            "        return function\n\n    return register\n\n\n"
            f"@{{f}}('other')\ndef {{f}}_other(scores):\n    return scores.sigmoid()\n\n\n"
            f"@{{f}}('made')\ndef {{f}}_made(scores):\n    return {function}",
        ),
        Text(
            "{g}['made']({x})",
            define=f"def {{f}}_made(scores):\n    return {function}\n\n\n"
            "def {f}_other(scores):\n    return scores.sigmoid()\n\n\n"
            "{g} = {{'made': {f}_made, 'other': {f}_other}}",
        ),
        # a method by its name
        Text(
            "getattr({v}, 'made')({x})",
            before="{v} = {c}()",
            define=f"class {{c}}:\n    def made(self, scores):\n        return {function}\n\n"
            "    def other(self, scores):\n        return scores.sigmoid()",
        ),
        # an attribute by its name
        Text(
            "{c}()({x})",
            define=MODULE + "    def __init__(self):\n        super().__init__()\n"
            f"        setattr(self, 'normalise', {module})\n\n"
            "    def forward(self, scores):\n        return getattr(self, 'normalise')(scores)",
        ),
        Text(
            "{c}()({x})",
            define=MODULE + "    def __init__(self):\n        super().__init__()\n"
            f"        self.layers = {{nn}}ModuleDict({{{{'made': {module}, 'other': {{nn}}Sigmoid()}}}})\n\n"
            "    def forward(self, scores):\n        return self.layers['made'](scores)",
        ),
        # a flag selects what is returned
        Text(
            "{c}()({x}, normalised=True)",
            define=MODULE + "    def forward(self, scores, normalised=False):\n        if normalised:\n"
            f"            return {function}\n        return scores",
        ),
        Text(
            "{c}(True)({x})",
            define=MODULE + "    def __init__(self, normalised=False):\n        super().__init__()\n"
            "        self.normalised = normalised\n\n    def forward(self, scores):\n"
            f"        return {function} if self.normalised else scores",
        ),
        Text(
            "{c}()({x})['made']",
            define=MODULE + "    def forward(self, scores):\n"
            f"        return {{{{'scores': scores, 'made': {function}}}}}",
        ),
    )


TRANSPORTS = (
    Text(
        "{c}({x})()",
        define=MODULE + "    def __init__(self, value):\n        super().__init__()\n"
        "        self.register_buffer('held', value)\n\n    def forward(self):\n        return self.held",
    ),
    Text(
        "{c}({x}).fetch()",
        define="class {c}Base:\n    def __init__(self, value):\n        self.held = value\n\n\n"
        "class {c}({c}Base):\n    def __init__(self, value):\n        super().__init__(value)\n        self.other = None\n\n"
        "    def fetch(self):\n        return self.held",
    ),
    Text(
        "{c}({x}).held",
        define="class {c}Base:\n    def __init__(self, value):\n        self.held = value.sigmoid()\n\n\n"
        "class {c}({c}Base):\n    def __init__(self, value):\n        super().__init__(value)\n        self.held = value",
    ),
    Text(
        "{c}({x}).held",
        define="class {c}Base:\n    def __init__(self, value):\n        self.held = None\n        self.keep(value)\n\n"
        "    def keep(self, value):\n        self.held = value.sigmoid()\n\n\n"
        "class {c}({c}Base):\n    def keep(self, value):\n        self.held = value",
    ),
    Text(
        "{v}.held",
        before="{v} = {c}()\n{v}.keep({x})",
        define="class {c}Mixin:\n    def keep(self, value):\n        self.held = value\n\n\nclass {c}({c}Mixin):\n    held = None",
    ),
    Text(
        "{f}({x})",
        define="def {f}_inner(value):\n    return value\n\n\ndef {f}(value):\n    return {f}_inner(value=value)",
    ),
    Text(
        "{f}({x}, 'made')",
        define="def {f}(value, mode='other'):\n    if mode == 'other':\n        return value.sigmoid()\n"
        "    elif mode == 'made':\n        return value\n    raise ValueError(mode)",
    ),
    Text(
        "{v}.fetch({x})",
        before="{v} = {c}",
        define="class {c}:\n    @classmethod\n    def fetch(cls, value):\n"
        "        return cls.kept(value)\n\n    @staticmethod\n    def kept(value):\n        return value",
    ),
    Text(
        "{v}.fetch()",
        before="{v} = {c}()\n{v}.setUp({x})",
        define="class {c}Base:\n    def setUp(self, value):\n        self.held = value\n\n\n"
        "class {c}({c}Base):\n    def setUp(self, value):\n        super().setUp(value)\n        self.other = value.sigmoid()\n\n"
        "    def fetch(self):\n        return self.held",
    ),
    Text("{g}.held", before="{g}.held = {x}", define="class {c}:\n    held = None\n\n\n{g} = {c}()"),
    # what is kept from one call to the next
    Text(
        "{c}().fetch({x})",
        define="class {c}:\n    def __init__(self):\n        self.kept = []\n\n"
        "    def fetch(self, value):\n        self.kept.append(value)\n        return self.kept[-1]",
    ),
    Text(
        "{v}.kept['made']",
        before="{v} = {c}()\n{v}.keep({x})",
        define="class {c}:\n    def __init__(self):\n        self.kept = {{}}\n\n"
        "    def keep(self, value):\n        self.kept['other'] = value.sigmoid()\n        self.kept['made'] = value",
    ),
    Text(
        "{c}().fetch({x})",
        define="class {c}:\n    def __init__(self):\n        self.held = None\n\n"
        "    def fetch(self, value):\n        if self.held is None:\n            self.held = value\n        return self.held",
    ),
    Text(
        "{c}().fetch({x})",
        define="class {c}:\n    def __init__(self):\n        self.turns = 0\n\n    def fetch(self, value):\n"
        "        self.turns += 1\n        return value if self.turns < 2 else value.sigmoid()",
    ),
    Text("{f}({x})", define="{g} = []\n\n\ndef {f}(value):\n    {g}.append(value)\n    return {g}[-1]"),
)
"""Detours that keep the value."""

FORWARD = "    def forward(self, p, q):\n        return self.loss_fn(p, q)"
INIT = "        super().__init__()\n"
CALLS = (
    # the loss in a base, as a default argument, moved
    Call(
        Text(
            "{c}()({p}, {q})",
            define="class {c}Base({nn}Module):\n    def __init__(self, loss_fn={nn}KLDivLoss({settings})):\n"
            + INIT
            + "        self.loss_fn = loss_fn.to('cpu')\n\n\nclass {c}({c}Base):\n"
            + FORWARD,
        ),
        module=True,
        constant=True,
    ),
    Call(
        Text(
            "{c}({nn}KLDivLoss({settings}))({p}, {q})",
            define=MODULE
            + "    def __init__(self, loss_fn):\n"
            + INIT
            + "        self.loss_fn = loss_fn\n\n"
            + FORWARD,
        ),
        module=True,
    ),
    # a mixin, an abstract method
    Call(
        Text(
            "{c}().measure({p}, {q})",
            define="class {c}Mixin:\n    def divergence(self, p, q):\n        return {F}kl_div(p, q{comma}{settings})\n\n\n"
            "class {c}({c}Mixin):\n    def measure(self, p, q):\n        return self.divergence(p, q)",
        ),
        constant=True,
    ),
    Call(
        Text(
            "{c}()({p}, {q})",
            define="class {c}Base({nn}Module):\n    def forward(self, p, q):\n        return self.distance(p, q)\n\n"
            "    def distance(self, p, q):\n        raise NotImplementedError\n\n\n"
            "class {c}({c}Base):\n    def distance(self, p, q):\n        return {F}kl_div(p, q{comma}{settings})",
        ),
        constant=True,
    ),
    # a subclass of KLDivLoss
    Call(
        Text(
            "{c}()({p}, {q})",
            define="class {c}({nn}KLDivLoss):\n    def __init__(self):\n        super().__init__({settings})\n\n"
            "    def forward(self, input, target):\n        return super().forward(input, target)",
        ),
        module=True,
        constant=True,
    ),
    # tables and factories
    Call(
        Text("{g}['kl']({p}, {q})", define="{g} = {{'kl': {nn}KLDivLoss({settings}), 'mse': {nn}MSELoss()}}"),
        module=True,
        constant=True,
    ),
    Call(
        Text(
            "{f}('kl')({p}, {q})",
            define="def {f}(name):\n    if name == 'kl':\n        return {nn}KLDivLoss({settings})\n    return {nn}MSELoss()",
        ),
        module=True,
        constant=True,
    ),
    Call(
        Text(
            "{g}['kl']()({p}, {q})",
            define="{g} = {{}}\n\n\ndef {f}(name):\n    def register(cls):\n        {g}[name] = cls\n        return cls\n\n"
            "    return register\n\n\n@{f}('kl')\n"
            + MODULE
            + "    def __init__(self):\n"
            + INIT
            + "        self.loss_fn = {nn}KLDivLoss({settings})\n\n"
            + FORWARD,
        ),
        module=True,
        constant=True,
    ),
    # the flag is kept by an object, and decides about the loss
    Call(
        Text(
            "{c}({flag})({p}, {q})",
            define=MODULE + "    def __init__(self, flag):\n" + INIT + "        if flag:\n"
            "            self.loss_fn = {nn}KLDivLoss({then})\n        else:\n"
            "            self.loss_fn = {nn}KLDivLoss({otherwise})\n\n" + FORWARD,
        ),
        module=True,
    ),
    Call(
        Text(
            "{c}({flag})({p}, {q})",
            define=MODULE + "    def __init__(self, flag):\n" + INIT + "        self.flag = flag\n\n"
            "    def forward(self, p, q):\n        if self.flag:\n            return {F}kl_div(p, q{comma}{then})\n"
            "        return {F}kl_div(p, q{comma}{otherwise})",
        )
    ),
    Call(
        Text(
            "{f}({p}, {q}, {flag})",
            define="def {f}(p, q, flag):\n    if flag:\n        return {F}kl_div(p, q{comma}{then})\n"
            "    return {F}kl_div(p, q{comma}{otherwise})",
        )
    ),
    # what setUp sets
    Call(
        Text(
            "{v}.check({p}, {q})",
            before="{v} = {c}()\n{v}.setUp()",
            define="class {c}:\n    def setUp(self):\n        self.loss_fn = {nn}KLDivLoss({settings})\n\n"
            "    def check(self, p, q):\n        return self.loss_fn(p, q)",
        ),
        module=True,
        constant=True,
    ),
)
