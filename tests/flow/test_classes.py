"""Classes of the file: attributes, inheritance, properties, class and static methods, dataclasses, calling an object."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
SUM = (LOG_PROBS, PROBS, "sum", False)
UNKNOWN_TARGET = (LOG_PROBS, UNKNOWN, "batchmean", False)
UNSEEN = (UNKNOWN, UNKNOWN, "batchmean", False)

ATTRIBUTES: tuple[Case, ...] = (
    case("set_in_init", """
        class Loss:
            def __init__(self, temperature, reduction="batchmean"):
                self.T = temperature
                self.dim = 1
            def of(self, x, y):
                s = F.log_softmax(x / self.T, dim=self.dim)
                t = F.softmax(y / self.T, dim=self.dim)
                return F.kl_div(s, t, reduction="batchmean") * self.T ** 2
    """, [GOOD], "Loss(2.0).of(x, y)"),
    case("set_in_another_method", """
        class Loss:
            def remember(self, y):
                self.target = y.softmax(1)
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
        def loss(x, y):
            kl = Loss()
            kl.remember(y)
            return kl.of(x)
    """, [GOOD]),
    case("set_in_a_method_nobody_calls", """
        class Loss:
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
            def remember(self, y):
                self.target = y.softmax(1)
    """, [GOOD], "(lambda k: (k.remember(y), k.of(x)))(Loss())"),
    case("set_from_outside", """
        class Loss:
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
        def loss(x, y):
            kl = Loss()
            kl.target = y.softmax(1)
            return kl.of(x)
    """, [GOOD]),
    case("set_by_two_methods", """
        class Loss:
            def __init__(self):
                self.target = None
            def soft(self, y):
                self.target = y.softmax(1)
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
    """, [GOOD], "(lambda k: (k.soft(y), k.of(x)))(Loss())"),
    case("class_attribute", """
        class Loss:
            reduction = "batchmean"
            DIM = 1
            def of(self, x, y):
                return F.kl_div(x.log_softmax(self.DIM), y.softmax(Loss.DIM), reduction=self.reduction)
    """, [GOOD], "Loss().of(x, y)"),
    case("class_attribute_of_a_subclass", """
        class Base:
            reduction = "mean"
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
        class Loss(Base):
            reduction = "batchmean"
        def loss(x, y):
            return Loss().of(x, y)
    """, [GOOD]),
    case("overwritten_class_attribute", """
        class Loss:
            reduction = "mean"
            def __init__(self):
                self.reduction = "batchmean"
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
        def loss(x, y):
            return Loss().of(x, y)
    """, [GOOD]),
    case("reduction_parameter_of_the_class", """
        class Loss:
            def __init__(self, reduction="batchmean"):
                self.reduction = reduction
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
        def loss(x, y):
            return Loss().of(x, y)
    """, [GOOD]),
    case("reduction_parameter_nobody_gives", """
        class Loss:
            def __init__(self, reduction="batchmean"):
                self.reduction = reduction
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
    """, [(LOG_PROBS, PROBS, "unknown", False)], "Loss().of(x, y)"),
    case("two_objects_of_one_class", """
        class Loss:
            def __init__(self, log):
                self.log = log
            def of(self, x, y):
                t = y.log_softmax(1) if self.log else y.softmax(1)
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=self.log)
        def loss(x, y):
            return Loss(True).of(x, y) + Loss(False).of(x, y)
    """, [GOOD, LOG_TARGET]),
    case("object_given_to_a_function", """
        class Held:
            def __init__(self, x, y):
                self.s, self.t = x.log_softmax(1), y.softmax(1)
        def kl(held):
            return F.kl_div(held.s, held.t, reduction="batchmean")
        def loss(x, y):
            return kl(Held(x, y))
    """, [GOOD]),
    case("object_returned_by_a_function", """
        class Held:
            def __init__(self, x, y):
                self.s, self.t = x.log_softmax(1), y.softmax(1)
        def build(x, y):
            return Held(x, y)
        def loss(x, y):
            held = build(x, y)
            return F.kl_div(held.s, held.t, reduction="batchmean")
    """, [GOOD]),
    case("method_that_returns_self", """
        class Held:
            def of(self, x):
                self.s = x.log_softmax(1)
                return self
        def loss(x, y):
            return F.kl_div(Held().of(x).s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("private_method_fed_by_two", """
        class Loss:
            def _kl(self, s, t):
                return F.kl_div(s, t, reduction="batchmean")
            def forward(self, x, y):
                return self._kl(x.log_softmax(1), y.softmax(1)) + self._kl(y.log_softmax(1), x.softmax(1))
    """, [GOOD], "Loss().forward(x, y)"),
    case("attribute_named_softmax_is_log_softmax", """
        class Loss:
            def __init__(self):
                self.softmax = nn.LogSoftmax(dim=1)
            def of(self, x, y):
                return F.kl_div(self.softmax(x), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("attribute_deleted", """
        class Loss:
            def __init__(self, y):
                self.t = y
                self.t = self.t.softmax(1)
            def of(self, x):
                value = F.kl_div(x.log_softmax(1), self.t, reduction="batchmean")
                del self.t
                return value
    """, [GOOD], "Loss(y).of(x)"),
    case("getattr_of_an_object", """
        class Loss:
            def __init__(self):
                self.kl = F.kl_div
            def of(self, x, y):
                return getattr(self, "kl")(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("self_under_another_name", """
        class Loss:
            def __init__(this):
                this.log_softmax = nn.LogSoftmax(dim=1)
            def of(me, x, y):
                return F.kl_div(me.log_softmax(x), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("nested_class", """
        class Outer:
            class Inner:
                def of(self, x, y):
                    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
            def of(self, x, y):
                return self.Inner().of(x, y)
    """, [GOOD], "Outer().of(x, y)"),
    case("class_in_a_function", """
        def build(reduction):
            class Loss:
                def of(self, x, y):
                    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=reduction)
            return Loss()
        def loss(x, y):
            return build("batchmean").of(x, y)
    """, [GOOD]),
    case("called_before_it_is_set", """
        class Loss:
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.nothing_sets_this, reduction="batchmean")
    """, [UNKNOWN_TARGET], ""),
    case("attribute_cycle", """
        class Loss:
            def a(self):
                self.p = self.q
            def b(self):
                self.q = self.p
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.p, reduction="batchmean")
    """, [UNKNOWN_TARGET], ""),
    case("dict_attribute_filled", """
        class Loss:
            def __init__(self):
                self.held = {}
            def keep(self, y):
                self.held["t"] = y.softmax(1)
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.held["t"], reduction="batchmean")
        def loss(x, y):
            kl = Loss()
            kl.keep(y)
            return kl.of(x)
    """, [GOOD]),
)

METHODS: tuple[Case, ...] = (
    case("static_method", """
        class Loss:
            @staticmethod
            def kl(s, t):
                return F.kl_div(s, t, reduction="batchmean")
            def of(self, x, y):
                return self.kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss().of(x, y)"),
    case("static_method_through_the_class", """
        class Loss:
            @staticmethod
            def kl(s, t):
                return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return Loss.kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("class_method", """
        class Loss:
            reduction = "batchmean"
            @classmethod
            def kl(cls, s, t):
                return F.kl_div(s, t, reduction=cls.reduction)
        def loss(x, y):
            return Loss.kl(x.log_softmax(1), y.softmax(1)) + Loss().kl(y.log_softmax(1), x.softmax(1))
    """, [GOOD]),
    case("class_method_as_constructor", """
        class Loss:
            def __init__(self, reduction):
                self.reduction = reduction
            @classmethod
            def best(cls):
                return cls("batchmean")
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
        def loss(x, y):
            return Loss.best().of(x, y)
    """, [GOOD]),
    case("unbound_method", """
        class Loss:
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return Loss.of(Loss(), x, y)
    """, [GOOD]),
    case("bound_method_kept_in_a_name", """
        class Loss:
            def __init__(self, how):
                self.how = how
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.how)
        def loss(x, y):
            kl = Loss("batchmean").of
            return kl(x, y)
    """, [GOOD]),
    case("property_", """
        class Loss:
            def __init__(self, y):
                self._y = y
            @property
            def target(self):
                return self._y.softmax(1)
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
    """, [GOOD], "Loss(y).of(x)"),
    case("cached_property", """
        from functools import cached_property
        class Loss:
            def __init__(self, y):
                self._y = y
            @cached_property
            def target(self):
                return self._y.softmax(1)
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
    """, [GOOD], "Loss(y).of(x)"),
    case("property_with_a_setter_is_left_alone", """
        class Loss:
            @property
            def target(self):
                return self._t
            @target.setter
            def target(self, value):
                self._t = value
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
        def loss(x, y):
            kl = Loss()
            kl.target = y.softmax(1)
            return kl.of(x)
    """, [GOOD]),
    case("recursive_property", """
        class Loss:
            @property
            def target(self):
                return self.target
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
    """, [UNKNOWN_TARGET], ""),
    case("call", """
        class Loss:
            def __call__(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return Loss()(x, y)
    """, [GOOD]),
    case("call_before_forward", """
        class Loss:
            def __call__(self, s, t):
                return self.forward(s.log_softmax(1), t.softmax(1))
            def forward(self, s, t):
                return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return Loss()(x, y)
    """, [GOOD]),
    case("getitem", """
        class Held:
            def __init__(self, a):
                self.a = a
            def __getitem__(self, i):
                return self.a[i]
        def loss(x, y):
            return F.kl_div(Held([x.log_softmax(1)])[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("operators_of_a_class_are_left_alone", """
        class Held:
            def __init__(self, a):
                self.a = a
            def __add__(self, other):
                return other.log_softmax(1)
        def loss(x, y):
            return F.kl_div(Held(x) + x, y.softmax(1), reduction="batchmean")
    """, [(UNKNOWN, PROBS, "batchmean", False)]),
    case("context_manager", """
        class Scope:
            def __enter__(self):
                return self
            def __exit__(self, *exc):
                return False
            def target(self, y):
                return y.softmax(1)
        def loss(x, y):
            with Scope() as scope:
                return F.kl_div(x.log_softmax(1), scope.target(y), reduction="batchmean")
    """, [GOOD]),
    case("new_and_init_subclass", """
        class Loss:
            def __new__(cls, *args):
                return super().__new__(cls)
            def __init_subclass__(cls, **kw):
                super().__init_subclass__(**kw)
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("abstract_method", """
        import abc
        class Base(abc.ABC):
            @abc.abstractmethod
            def target(self, y):
                ...
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), self.target(y), reduction="batchmean")
        class Soft(Base):
            def target(self, y):
                return y.softmax(1)
        def loss(x, y):
            return Soft().of(x, y)
    """, [GOOD]),
    case("async_method", """
        import asyncio
        class Loss:
            async def target(self, y):
                return y.softmax(1)
            async def of(self, x, y):
                return F.kl_div(x.log_softmax(1), await self.target(y), reduction="batchmean")
        def loss(x, y):
            return asyncio.run(Loss().of(x, y))
    """, [GOOD]),
)

INHERITANCE: tuple[Case, ...] = (
    case("method_of_the_base", """
        class Base:
            def kl(self, s, t):
                return F.kl_div(s, t, reduction="batchmean")
        class Loss(Base):
            def of(self, x, y):
                return self.kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss().of(x, y)"),
    case("overridden_hook", """
        class Base:
            def target(self, y):
                return y.log_softmax(1)
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), self.target(y), reduction="batchmean")
        class Loss(Base):
            def target(self, y):
                return super().target(y).exp()
        def loss(x, y):
            return Loss().of(x, y)
    """, [GOOD]),
    case("init_of_the_base", """
        class Base:
            def __init__(self, how):
                self.how = how
        class Loss(Base):
            def __init__(self):
                super().__init__("batchmean")
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.how)
    """, [GOOD], "Loss().of(x, y)"),
    case("init_of_the_base_by_name", """
        class Base:
            def __init__(self, how):
                self.how = how
        class Loss(Base):
            def __init__(self):
                Base.__init__(self, "batchmean")
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.how)
    """, [GOOD], "Loss().of(x, y)"),
    case("old_style_super", """
        class Base:
            def __init__(self, how="mean"):
                self.how = how
        class Loss(Base):
            def __init__(self):
                super(Loss, self).__init__(how="batchmean")
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.how)
    """, [GOOD], "Loss().of(x, y)"),
    case("three_generations", """
        class A:
            def how(self):
                return "batchmean"
        class B(A):
            pass
        class C(B):
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.how())
    """, [GOOD], "C().of(x, y)"),
    case("two_bases", """
        class Student:
            def s(self, x):
                return x.log_softmax(1)
        class Teacher:
            def t(self, y):
                return y.softmax(1)
        class Loss(Student, Teacher):
            def of(self, x, y):
                return F.kl_div(self.s(x), self.t(y), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("attribute_set_by_the_base", """
        class Base:
            def __init__(self):
                self.log_softmax = nn.LogSoftmax(1)
        class Loss(Base):
            def of(self, x, y):
                return F.kl_div(self.log_softmax(x), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("loss_function_through_super", """
        class Base:
            def __init__(self, model, loss_fn):
                self.loss_fn = loss_fn
        class Trainer(Base):
            def __init__(self, model, loss_fn=nn.KLDivLoss(reduction="batchmean")):
                super().__init__(model, loss_fn)
            def step(self, x, y):
                return self.loss_fn(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Trainer(None).step(x, y)
    """, [GOOD]),
    case("base_from_elsewhere", """
        from collections import OrderedDict
        class Loss(OrderedDict):
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("super_outside_a_class", """
        def loss(x, y):
            try:
                super().nothing()
            except RuntimeError:
                pass
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("class_that_is_its_own_base", """
        class Loss:
            pass
        class Loss(Loss):
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("generic_and_metaclass", """
        import abc
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class Loss(Generic[T], metaclass=abc.ABCMeta):
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("super_of_a_static_method", """
        class Base:
            @staticmethod
            def soften(y):
                return y.softmax(1)
        class Loss(Base):
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), super().soften(y), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("super_in_a_nested_function", """
        class Base:
            def target(self, y):
                return y.softmax(1)
        class Loss(Base):
            def of(self, x, y):
                def target():
                    return super(Loss, self).target(y)
                return F.kl_div(x.log_softmax(1), target(), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
)

RECORDS: tuple[Case, ...] = (
    case("dataclass", """
        from dataclasses import dataclass
        @dataclass
        class Pair:
            s: torch.Tensor
            t: torch.Tensor
            how: str = "batchmean"
        def loss(x, y):
            pair = Pair(x.log_softmax(1), t=y.softmax(1))
            return F.kl_div(pair.s, pair.t, reduction=pair.how)
    """, [GOOD]),
    case("dataclass_method", """
        import dataclasses
        @dataclasses.dataclass(frozen=True)
        class Pair:
            s: torch.Tensor
            t: torch.Tensor
            def kl(self):
                return F.kl_div(self.s, self.t, reduction="batchmean")
        def loss(x, y):
            return Pair(x.log_softmax(1), y.softmax(1)).kl()
    """, [GOOD]),
    case("dataclass_field_default", """
        from dataclasses import dataclass, field
        @dataclass
        class Config:
            dims: list = field(default_factory=list)
            how: str = field(default="batchmean")
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=Config().how)
    """, [(LOG_PROBS, PROBS, "unknown", False)]),
    case("dataclass_inherited", """
        from dataclasses import dataclass
        @dataclass
        class Base:
            s: torch.Tensor
        @dataclass
        class Pair(Base):
            t: torch.Tensor
        def loss(x, y):
            pair = Pair(x.log_softmax(1), y.softmax(1))
            return F.kl_div(pair.s, pair.t, reduction="batchmean")
    """, [GOOD]),
    case("dataclass_config_is_not_its_defaults", """
        from dataclasses import dataclass
        @dataclass
        class LossConfig:
            how: str = "mean"
        class Loss:
            def __init__(self, config: LossConfig):
                self.config = config
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.config.how)
    """, [(LOG_PROBS, PROBS, "unknown", False)], "Loss(LossConfig('batchmean')).of(x, y)"),
    case("dataclass_spread", """
        from dataclasses import dataclass
        @dataclass
        class Pair:
            s: torch.Tensor
            t: torch.Tensor
        def loss(args):
            pair = Pair(*args)
            return F.kl_div(pair.s, pair.t, reduction="batchmean")
    """, [UNSEEN], "loss((x.log_softmax(1), y.softmax(1)))"),
    case("named_tuple_class", """
        from typing import NamedTuple
        class Pair(NamedTuple):
            s: torch.Tensor
            t: torch.Tensor
        def loss(x, y):
            pair = Pair(x.log_softmax(1), y.softmax(1))
            return F.kl_div(pair.s, pair.t, reduction="batchmean") + F.kl_div(pair[0], pair[1], reduction="sum")
    """, [GOOD, SUM]),
    case("named_tuple_unpacked", """
        from typing import NamedTuple
        class Pair(NamedTuple):
            s: torch.Tensor
            t: torch.Tensor
        def loss(x, y):
            s, t = Pair(x.log_softmax(1), y.softmax(1))
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("namedtuple_function", """
        from collections import namedtuple
        Pair = namedtuple("Pair", ["s", "t"])
        def loss(x, y):
            pair = Pair(x.log_softmax(1), y.softmax(1))
            return F.kl_div(pair.s, pair.t, reduction="batchmean")
    """, [UNSEEN]),
    case("simple_namespace", """
        from types import SimpleNamespace
        def loss(x, y):
            pair = SimpleNamespace(s=x.log_softmax(1))
            pair.t = y.softmax(1)
            return F.kl_div(x.log_softmax(1), pair.t, reduction="batchmean")
    """, [GOOD]),
    case("enum_member", """
        import enum
        class How(str, enum.Enum):
            BEST = "batchmean"
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=How.BEST.value)
    """, [(LOG_PROBS, PROBS, "unknown", False)]),
    case("attrs_class", """
        class Pair:
            s: object
            t: object = None
        def loss(x, y):
            pair = Pair()
            pair.s, pair.t = x.log_softmax(1), y.softmax(1)
            return F.kl_div(pair.s, pair.t, reduction="batchmean")
    """, [GOOD]),
)


@pytest.mark.parametrize("example", ATTRIBUTES, ids=lambda example: example.name)
def test_attributes(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", METHODS, ids=lambda example: example.name)
def test_methods(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", INHERITANCE, ids=lambda example: example.name)
def test_inheritance(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", RECORDS, ids=lambda example: example.name)
def test_records(example: Case) -> None:
    check(example)
