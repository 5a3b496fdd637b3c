"""Code that nobody should write, and code that is merely large: no exception, bounded work, and the rest still read."""

from __future__ import annotations

import ast
import sys

import pytest

from kl_lint.flow import Facts, analyse
from tests.flow.programs import GOOD, PRELUDE, calls_in, rows_at

CALL = 'F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")'
LAST = "\ndef last(x, y):\n    return " + CALL + "\n"


def analysed(text: str) -> Facts:
    """The facts of a text."""
    return analyse(ast.parse(text), text.splitlines(), "strange.py")


def within(expression: str) -> str:
    """A program whose distributions depend on an expression."""
    return f"{PRELUDE}def loss(x, y):\n    a = {expression}\n    return F.kl_div((x * a).log_softmax(1), (y * a).softmax(1), reduction='batchmean')\n"


def behind(statements: str) -> str:
    """A program whose distributions depend on statements that bind `a`."""
    body = "".join(f"    {line}\n" for line in statements.splitlines())
    return f"{PRELUDE}def loss(x, y):\n{body}    return F.kl_div((x * a).log_softmax(1), (y * a).softmax(1), reduction='batchmean')\n"


EXPRESSIONS = {
    "parentheses": "(" * 90 + "x" + ")" * 90,
    "calls in calls": "f(" * 90 + "x" + ")" * 90,
    "lambdas in lambdas": "lambda: " * 90 + "1",
    "signs": "-" * 400 + "1",
    "negations": "not " * 400 + "x",
    "a sum of many": "+".join(["x"] * 400),
    "a power tower": "**".join(["x"] * 400),
    "a numeric power tower": "9**9**9**9",
    "a large shift": "1 << 10**9",
    "a number of many digits": "0x" + "f" * 100_000 + " * 0b" + "1" * 100_000,
    "a large power of two": "2**100000",
    "division by zero": "1 / 0 + 1 % 0 + 1 // 0 + 0.0 ** -1",
    "attributes": "x" + ".a" * 400,
    "methods": "x" + ".float()" * 400,
    "subscripts": "x" + "[0]" * 400,
    "a disjunction of many": " or ".join(["x"] * 2000),
    "disjunctions in disjunctions": "(x or " * 80 + "y" + ")" * 80,
    "a comparison of many": " < ".join(["x"] * 2000),
    "lists in lists": "[" * 90 + "]" * 90,
    "dicts in dicts": "{1: " * 90 + "1" + "}" * 90,
    "conditionals in conditionals": "x if x else " * 400 + "y",
    "comprehensions in comprehensions": "[y for _ in " * 40 + "x" + "]" * 40,
    "a comprehension of many loops": "[y " + " ".join(f"for i{i} in x" for i in range(100)) + "]",
    "a comprehension of many short loops": "[y " + " ".join(f"for i{i} in (1, 2, 3, 4)" for i in range(20)) + "]",
    "a dict comprehension of many short loops": "{k: y " + " ".join(f"for i{i} in (1, 2, 3, 4)" for i in range(20)) + "}",
    "a long list": "[" + ",".join(map(str, range(50_000))) + "][3]",
    "a long dict": "{" + ",".join(f"{i}: {i}" for i in range(20_000)) + "}[3]",
    "a long string": repr("kl_div " * 50_000),
    "a long tuple of tensors": "(" + ",".join(["x.softmax(1)"] * 2000) + ")[7]",
    "a call of many arguments": "f(" + ",".join(["x"] * 500) + ")",
    "a call of many keywords": "f(" + ",".join(f"k{i}=x" for i in range(500)) + ")",
    "a slice of everything": "x[::, ..., None, 1:2:3, [1], -1, True]",
    "an empty slice": "x[()]",
    "a starred index": "x[*y, 0]" if sys.version_info >= (3, 11) else "x[0]",
    "a constant called": "1(2)('x')[None].y",
    "a string formatted": "f'{x!r:>{y}} {[a for a in x]}' % x",
    "a fixed point": "(lambda f: f(f))(lambda f: f(f))",
    "ellipsis and complex": "... if 1j else b'' * 3",
    "nothing of builtins": "dict(1, 2)[len()](*enumerate())(**zip())(sum(), abs(), list(), getattr(x), setattr(x, 'y'), range(), super())",
    "getattr of an unknown name": "getattr(x, y)(getattr(x, 'a' + 'b', None))",
    "map and filter of nothing": "map(), filter(), map(f, x), filter(None, x), list(map(f, [x]))",
}

STATEMENTS = {
    "a long chain of names": "a0 = x\n" + "".join(f"a{i} = a{i - 1}\n" for i in range(1, 1000)) + "a = a999",
    "tuples doubled": "a = x\n" + "a = (a, a)\n" * 60,
    "lists doubled": "a = [x]\n" + "a = a + a\n" * 60,
    "lists in lists doubled": "a = [x]\n" + "a = [a, a]\n" * 60,
    "dicts doubled": "a = {}\n" + "a = {'a': a, 'b': a}\n" * 60,
    "dicts doubled and given away": "a = {}\n" + "a = {'a': a, 'b': a}\n" * 60 + "a = (lambda d: d['a'])(a)",
    "strings doubled": "a = 'x'\n" + "a = a + a\n" * 60,
    "numbers doubled": "a = 2\n" + "a = a * a\n" * 60,
    "functions composed": "a = lambda v: v\n" + "a = lambda v, a=a: a(a(v))\n" * 40 + "a = a(y)",
    "many flags": "".join(f"a{i} = y.softmax(1) if f{i} else y.log_softmax(1)\n" for i in range(300)) + "a = " + "+".join(f"a{i}" for i in range(300)),
    "one name under many flags": "a = y\n" + "".join(f"a = a.softmax(1) if f{i} else a.log_softmax(1)\n" for i in range(300)),
    "many ifs": "a = y\n" + "".join(f"if x == {i}:\n    a = a * {i}\n" for i in range(2500)),
    "many elifs": "a = y\nif x == 0:\n    a = 1\n" + "".join(f"elif x == {i}:\n    a = a.log_softmax({i})\n" for i in range(1, 600)),
    "many cases": "match x:\n" + "".join(f"    case {i}:\n        a = y.softmax({i})\n" for i in range(600)) + "    case _:\n        a = y",
    "many returns": "a = y\n" + "".join(f"if x == {i}:\n    return a.softmax({i})\n" for i in range(1000)),
    "nested ifs": "a = y\n" + "".join("  " * i + f"if x == {i}:\n" for i in range(40)) + "  " * 40 + "a = a * 2",
    "nested fors": "a = y\n" + "".join("  " * i + f"for i{i} in x:\n" for i in range(19)) + "  " * 19 + "a = a.log()",
    "nested whiles": "a = y\n" + "".join("  " * i + f"while i{i}:\n" for i in range(19)) + "  " * 19 + "a = a.log()",
    "nested tries": "a = y\n"
    + "".join("  " * i + "try:\n" for i in range(15))
    + "  " * 15 + "a = a.log()\n"
    + "".join("  " * i + "except E:\n" + "  " * (i + 1) + "a = 1\n" for i in reversed(range(15))),
    "nested withs": "a = y\n" + "".join("  " * i + "with x:\n" for i in range(19)) + "  " * 19 + "a = a.log()",
    "many appends": "b = []\n" + "".join(f"b.append(x * {i})\n" for i in range(1000)) + "a = b[0]",
    "many keys": "b = {}\n" + "".join(f"b['k{i}'] = x\n" for i in range(1000)) + "a = b['k7']",
    "breaks everywhere": "a = y\nfor i in x:\n    a = a.log()\n    if i:\n        break\n    continue\nelse:\n    a = y",
    "deleted": "a = y\ndel a\na = x\ndel a[0], x.b, (y)\ny = x",
    "targets of every kind": "(a, [b, *c], d.e, f[0]), *g = x\n[a] = y\n() = x",
    "type comments and annotations": "a: 'no such type' = y\nb: int\n(c): x.y[z] = 3",
    "chained everything": "a = b = c.d = e[0] = f, g = x",
    "walruses": "a = [(b := i, c := b) for i in x if (d := i) and (e := d)]\na = (h := x) + h",
    "a loop over itself": "a = [x]\nfor b in a:\n    a.append(a)\na = a[0]",
    "a list in itself": "a = []\na.append(a)\na[0] = a\na = a[0][0][0]",
    "a dict in itself": "a = {}\na['a'] = a\na['a']['a'] = a\na = a['a']['a']",
    "an infinite generator": "def g():\n    while True:\n        yield from g()\na = next(g())",
    "a try of everything": "try:\n    a = x\nexcept (A, B) as e:\n    a = e\nexcept:\n    raise\nelse:\n    a = y\nfinally:\n    a = a * 2",
    "a generator of nothing": "def g():\n    yield\n    x = yield 3\n    return x\na = [*g()]",
    "a class in a function": "class C(x):\n    b = y\n    def f(self): return self.b\na = C().f()",
    "decorators of every kind": "@x.y(1)[0]\n@(lambda f: f)\n@property\n@z\ndef f(): return x\na = f()",
    "a function of every parameter": "def f(a, /, b=x, *c, d, e=y, **g): return a, b, c, d, e, g\na = f(x, d=1, h=2)[0]",
    "a call that cannot bind": "def f(a): return a\na = f() or f(1, 2) or f(b=1) or f(*x, **y)",
    "global at the top of a function": "global a\na = x",
    "nonlocal in a nest": "a = y\ndef f():\n    nonlocal a\n    def g():\n        nonlocal a\n        a = x\n    g()\nf()",
    "nonlocal to nowhere": "def f():\n    def g():\n        global b\n        b = x\n    g()\nf()\na = b",
    "imports of every kind": "import a.b.c, d as e\nfrom . import f\nfrom ...g import h as i\na = x",
    "assertions": "a = y\nassert a, x\nassert False, x\na = x",
    "a match of every pattern": "match x:\n"
    "    case [1, *_, {'k': v, **w}] | {'z': None} if v:\n        a = v\n"
    "    case C(p, q=r) as s:\n        a = s\n    case -1 | 2+3j | 'a' 'b' | None | A.b:\n        a = 1\n    case [*t]:\n        a = t\n    case u:\n        a = u",
    "a match that is decided": "match 3:\n    case 3:\n        a = x\n    case _:\n        a = y",
}

FILES = {
    "functions in functions": "".join("  " * i + f"def f{i}(x, y):\n" for i in range(40)) + "  " * 40 + "return " + CALL,
    "classes in classes": "".join("  " * i + f"class C{i}:\n" for i in range(40)) + "  " * 40 + "def f(self, x, y): return " + CALL,
    "functions that call each other": "".join(
        f"def f{i}(x, y):\n    return f{(i + 1) % 1000}(y, x) + f{(i + 7) % 1000}(x * 2, y) + F.kl_div(x, y)\n" for i in range(1000)
    ),
    "methods that call each other": "class A:\n"
    + "".join(
        f"    def f{i}(self, x, y):\n        self.a{i} = self.a{(i + 1) % 200}\n"
        f"        return self.f{(i + 1) % 200}(y, x.log_softmax(1)) + F.kl_div(x, y)\n"
        for i in range(200)
    ),
    "a long line of descent": "".join(
        f"class A{i}({f'A{i - 1}' if i else 'nn.Module'}):\n    def __init__(self):\n        super().__init__()\n        self.k{i} = nn.KLDivLoss()\n"
        f"    def forward(self, x, y):\n        return self.k{i}(x, y) + super().forward(x, y)\n"
        for i in range(200)
    ),
    "classes that inherit from themselves": "class A(A):\n    a = A\n    def f(self, x, y): return self.f(x, y) + " + CALL,
    "classes that inherit from each other": "class A: pass\nclass B(A): pass\nclass A(B):\n    def f(self, x, y): return super().f(x, y) + " + CALL,
    "bases that are no classes": "class A(1, f(), *x, metaclass=M, k=v):\n    def f(self, x, y): return " + CALL,
    "a function that calls itself in its arguments": "def f(x, y, n):\n    return F.kl_div(f(x, y, n - 1), f(y, x, n + 1))",
    "ackermann": "def a(m, n):\n    if m == 0: return n\n    if n == 0: return a(m - 1, 1)\n    return a(m - 1, a(m, n - 1))\n"
    "def loss(x, y):\n    return F.kl_div(a(x, y), a(y, a(x, y)))",
    "a property that asks itself": "class A:\n    @property\n    def p(self): return self.q\n    @property\n    def q(self): return self.p\n"
    "    def f(self, x): return F.kl_div(x, self.p)",
    "attributes that depend on each other": "class A:\n    def __init__(self): self.a = self.b\n    def g(self): self.b = self.c\n    def h(self): self.c = self.a\n"
    "    def f(self, x): return F.kl_div(x, self.a)",
    "an object that holds itself": "class A:\n    def __init__(self):\n        self.a = self\n        self.l = [self]\n    def f(self, x): return F.kl_div(x, self.a.a.l[0].t)\nA().a.a.f(1)",
    "many calls in one function": "def loss(x, y):\n" + "".join(f"    F.kl_div(x.softmax({i}), y)\n" for i in range(800)),
    "many calls in one loop": "def loss(x, y):\n  for a in x:\n" + "".join(f"    y = y + F.kl_div(a.softmax({i}), y)\n" for i in range(300)),
    "many flags on one call": "def loss(x, y):\n"
    + "".join(f"    r{i} = 'sum' if f{i} else 'mean'\n" for i in range(30))
    + "".join(f"    F.kl_div(x.softmax(1) if f{i} else x, y.softmax(1) if g{i} else y, reduction=r{i}, log_target=h{i})\n" for i in range(30)),
    "many attributes": "class A:\n  def __init__(self, x):\n" + "".join(f"    self.a{i} = x\n" for i in range(800)) + "  def f(self, y):\n    return F.kl_div(self.a0, y)",
    "statements at the top that leave": "try:\n    raise SystemExit\nfinally:\n    pass\nassert False\nraise SystemExit",
    "return and break at the top": "return\nbreak\ncontinue\nyield\nawait x" if sys.version_info >= (3, 15) else "pass",
    "conditional definitions": "if X:\n    def f(x, y): return " + CALL + "\nelse:\n    f = None\ntry:\n    class C:\n        pass\nexcept E:\n    C = None",
    "a long table that says nothing": "TABLE = {\n" + "".join(f"    'k{i}': [{i}, {i}],\n" for i in range(3000)) + "}\n(A, B) = [\n" + "    1,\n" * 100 + "]",
    "names of the analysis itself": "MISSING = NONE = frame = self = torch_ = 0\ndef f(self, frame, x, y): return " + CALL,
    "callee of every kind": "def loss(x, y):\n    return (F.kl_div if x else y)(x, y) + [F.kl_div][0](x, y) + (F.kl_div)(x, y) + x[F.kl_div](x) + (lambda: F.kl_div)()(x, y)",
    "metaclass and slots": "class A(nn.Module, metaclass=type):\n    __slots__ = ('a',)\n    def __getattr__(self, name): return F.kl_div\n    def f(self, x, y): return self.kl(x, y)",
    "forward that takes nothing": "class A(nn.KLDivLoss):\n    def forward(): return super().forward()\n    def __init__(*args): super().__init__(*args)\nA()(1, 2)",
    "static init": "class A:\n    @staticmethod\n    def __init__(): pass\n    __call__ = 3\n    forward = property(1)\nA()(1)\nA.f\nA.__init__\nA().g.h()",
}

NEWER = {
    (3, 11): "try:\n    a = x\nexcept* E as group:\n    a = group\ndef f(*args: *Ts): pass\nb = x[*y]",
    (3, 12): "type A[T] = list[T]\ndef f[T: int, *U, **V](x: T) -> T: return x\nclass C[T]:\n    pass\na = f'{x + f'{y}'}'\na = f(x)",
    (3, 13): "class C[T = int]:\n    pass\ndef f[T = str](x: T): return x\na = f(x)",
    (3, 14): "a = t'{x} and {y!r}'\ntry:\n    a = x\nexcept A, B:\n    a = y",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_strange_expressions(name: str) -> None:
    facts = analysed(within(EXPRESSIONS[name]) + LAST)
    assert facts.complete
    assert len(calls_in(facts)) == 2
    assert rows_at(calls_in(facts)[-1]) == {GOOD}


@pytest.mark.parametrize("name", STATEMENTS)
def test_strange_statements(name: str) -> None:
    facts = analysed(behind(STATEMENTS[name]) + LAST)
    assert facts.complete
    assert rows_at(calls_in(facts)[-1]) == {GOOD}


@pytest.mark.parametrize("name", FILES)
def test_strange_files(name: str) -> None:
    facts = analysed(PRELUDE + FILES[name] + "\n" + LAST)
    assert facts.complete
    assert rows_at(calls_in(facts)[-1]) == {GOOD}


@pytest.mark.parametrize("version", NEWER, ids=[f"{major}.{minor}" for major, minor in NEWER])
def test_newer_syntax(version: tuple[int, int]) -> None:
    if sys.version_info < version:
        pytest.skip("this Python does not parse it")
    facts = analysed(behind(NEWER[version]) + LAST)
    assert facts.complete
    assert rows_at(calls_in(facts)[-1]) == {GOOD}


def test_nodes_that_this_python_does_not_know_are_left_alone() -> None:
    class Later(ast.stmt):
        _fields = ("value",)

    class Unheard(ast.expr):
        _fields = ()

    text = PRELUDE + "def loss(x, y):\n    x = y\n    a = y\n    return F.kl_div(x.log_softmax(1), (a * y).softmax(1))\n"
    tree = ast.parse(text)
    function = tree.body[-1]
    assert isinstance(function, ast.FunctionDef)
    place = function.body[0]
    function.body[0] = ast.copy_location(Later(value=ast.Name("x")), place)  # type: ignore[call-arg]
    assert isinstance(function.body[1], ast.Assign)
    function.body[1].value = ast.copy_location(Unheard(), place)
    facts = analyse(tree, text.splitlines(), "later.py")
    assert len(calls_in(facts)) == 1


def test_lines_with_surrogates() -> None:
    text = PRELUDE + "def loss(x, y):\n    return F.kl_div(x.log_softmax(1), f(y, '\ud800'), reduction='sum')\n"
    tree = ast.parse(text.replace("\ud800", "?"))
    assert len(calls_in(analyse(tree, text.splitlines(), "surrogates.py"))) == 1


def test_what_python_itself_cannot_nest_is_given_up() -> None:
    tree = ast.parse(within("x"))
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    nest: list[ast.stmt] = [function.body[0]]
    for _ in range(2000):
        nest = [ast.copy_location(ast.With([ast.withitem(ast.Name("a", ast.Load()))], nest), function.body[0])]
    function.body[:1] = nest
    assert not analyse(tree, within("x").splitlines(), "deep.py").complete


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.flow.analysis.BASE_WORK", 1_000)
    monkeypatch.setattr("kl_lint.flow.analysis.WORK_PER_LINE", 1)
    nest = "".join("    " + " " * depth + f"for a{depth} in x:\n" for depth in range(6))
    body = "".join(" " * 11 + f"y = mixed(y * {i}, x.softmax({i}))\n" for i in range(300))
    helper = "def mixed(x, y):\n    return x.log() + y\n"
    facts = analysed(f"{PRELUDE}{LAST}{helper}def loss(x, y):\n{nest}{body}    return F.kl_div(x, y)\n")
    assert not facts.complete
    assert [rows_at(call) for call in calls_in(facts)] == [{GOOD}], "what was found before the end is kept"


def test_an_empty_file() -> None:
    assert analysed("") == Facts((), (), True)
    assert analysed("# F.kl_div(a, b)\n") == Facts((), (), True)


@pytest.mark.parametrize(
    "moved",
    ["t.movedim(0, 0)", "t.flatten(0, 0)", "t.flatten(-1, 0)", "t.transpose(0, 0)", "t.unsqueeze(0)", "t.squeeze(0)"],
)
def test_a_tensor_without_dims_has_none_to_move(moved: str) -> None:
    text = f"def loss(x, y):\n    t = torch.tensor(1.5)\n    return F.kl_div({moved}, y.softmax(1), reduction='sum')\n"
    assert len(calls_in(analysed(PRELUDE + text))) == 1


def test_a_nest_too_deep_for_the_search_for_names_is_given_up() -> None:
    assert analysed(within("x if x else " * 1000 + "F.kl_div") + LAST) == Facts((), (), complete=False)


def test_a_nest_that_no_name_leads_to_is_not_searched() -> None:
    facts = analysed(within("x if x else " * 1000 + "y") + LAST)
    assert [rows_at(call) for call in calls_in(facts)] == [{GOOD}, {GOOD}]
