"""The plugin as flake8 uses it, without flake8."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import kl_lint
from kl_lint.configuration.options import OPTIONS
from kl_lint.configuration.returns import Return
from kl_lint.finding import Finding, Span
from kl_lint.plugin import Plugin
from kl_lint.selection import OPT_IN
from tests.command import MISUSE, OFF_BY_DEFAULT, ROOT


def run(source: str) -> list[tuple[int, int, str]]:
    """What flake8 is told: row, column, code."""
    plugin = Plugin(ast.parse(source), source.splitlines(keepends=True), "loss.py")
    told = list(plugin.run())
    assert all(kind is Plugin for _, _, _, kind in told)
    return [(row, column, text.split(" ")[0]) for row, column, text, _ in told]


@pytest.fixture
def _options() -> Iterator[None]:
    """Options are kept on the class, as flake8 wants it."""
    before = Plugin.enable, Plugin.returns
    yield
    Plugin.enable, Plugin.returns = before


class Manager:
    """What the plugin uses of flake8's option manager."""

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser()
        self.added: dict[str, dict[str, Any]] = {}
        self.ignored: list[str] = []

    def add_option(self, name: str, **options: Any) -> None:
        self.added[name] = options

    def extend_default_ignore(self, codes: list[str]) -> None:
        self.ignored += codes


def options(enable: str = "", returns: str = "", **others: Any) -> argparse.Namespace:
    given = {"select": None, "extend_select": None, "extended_default_ignore": ["X1", *OPT_IN], **others}
    return argparse.Namespace(kld_enable=enable, kld_returns=returns, **given)


def test_row_column_code_and_message() -> None:
    assert run(MISUSE) == [(5, 20, "KLD101")]
    (_, _, text, _), *_ = Plugin(ast.parse(MISUSE), MISUSE.splitlines(keepends=True), "loss.py").run()
    (finding,) = kl_lint.check_source(MISUSE)
    assert text == f"KLD101 {finding.message}"
    assert "\n" not in text


def test_columns_count_characters() -> None:
    source = MISUSE.replace("    return F", "    é = '日本'; return F")
    assert run(source) == [(5, source.splitlines()[4].index("F.softmax"), "KLD101")]


def test_the_row_is_the_first_of_the_call() -> None:
    source = MISUSE.replace("F.kl_div(F", "F.kl_div(\n        F")
    assert run(source) == [(5, 4, "KLD101")]
    (finding,) = kl_lint.check_source(source)
    assert (finding.span.row, finding.noqa_row) == (6, 5)


def test_a_finding_above_its_call_stands_at_the_row_s_first_word(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("KLD105", "log-of-softmax", "message", "loss.py", Span(1, 30, 1, 40), 5)
    monkeypatch.setattr("kl_lint.plugin.check_tree", lambda *_, **__: ((finding,), True))
    assert run(MISUSE) == [(5, 4, "KLD105")]


def test_the_tree_is_not_changed() -> None:
    tree = ast.parse(MISUSE)
    before = ast.dump(tree, include_attributes=True)
    assert list(Plugin(tree, MISUSE.splitlines(keepends=True), "loss.py").run())
    assert ast.dump(tree, include_attributes=True) == before


def test_nothing_is_analysed_where_nothing_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    def analysed(*_: object, **__: object) -> object:
        raise AssertionError

    monkeypatch.setattr("kl_lint.flow.analyse", analysed)
    assert run("import torch\nx = torch.ones(3)\n") == []
    assert run("") == []
    assert run(MISUSE)[0][2] == "KLD000", "and it would have been noticed"


def test_what_is_not_analysed_to_its_end_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(MISUSE) == [(5, 20, "KLD101")]
    assert caplog.messages == []
    monkeypatch.setattr("kl_lint.flow.analysis.BASE_WORK", -1000)
    assert run(MISUSE) == []
    (record,) = caplog.records
    assert record.name == "flake8.kl_lint", "which flake8 shows where it is asked to be verbose"
    assert record.getMessage().startswith("loss.py: is too large or too intricate to be analysed to its end")


def test_options_are_declared() -> None:
    manager = Manager()
    Plugin.add_options(manager)
    shared = {option.flake8: option for option in OPTIONS if option.of_plugin}
    assert list(manager.added) == list(shared) == ["--kld-enable", "--kld-returns"]
    for name, added in manager.added.items():
        assert (added["parse_from_config"], added["help"]) == (True, shared[name].help)
    assert manager.ignored == list(OPT_IN)


@pytest.mark.usefixtures("_options")
@pytest.mark.parametrize(
    ("given", "enabled"),
    [
        (options(), []),
        (options("KLD504"), ["KLD504"]),
        (options("KLD5, KLD208"), ["KLD208", "KLD504"]),
        (options("KLD"), list(OPT_IN)),
        (options(extend_select=["KLD504", "W5"]), ["KLD504"]),
        (options(select=["KLD504"]), ["KLD504"]),
        (options(select=["KLD"], extend_select=["KLD5"]), []),
    ],
)
def test_rules_are_switched_on(given: argparse.Namespace, enabled: list[str]) -> None:
    Plugin.parse_options(Manager(), given, [])
    assert given.extended_default_ignore == ["X1", *(code for code in OPT_IN if code not in enabled)]
    assert [code for _, _, code in run(OFF_BY_DEFAULT)] == (["KLD504"] if "KLD504" in enabled else [])


@pytest.mark.usefixtures("_options")
def test_codes_that_cannot_be_switched_on_are_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        Plugin.parse_options(Manager(), options("KLD504,KLD101"), [])
    assert exit_.value.code == 2
    assert "--kld-enable: no opt-in rule has a code that begins with 'KLD101'" in capsys.readouterr().err


@pytest.mark.usefixtures("_options")
def test_returns(capsys: pytest.CaptureFixture[str]) -> None:
    Plugin.parse_options(Manager(), options(returns="models.policy = log_probs:-1,\ncritic=logits"), [])
    assert Plugin.returns == (Return("models.policy", "log_probs", -1), Return("critic", "logits"))
    with pytest.raises(SystemExit):
        Plugin.parse_options(Manager(), options(returns="f=prob"), [])
    assert "--kld-returns: 'f': no space is called 'prob'; did you mean 'probs'?" in capsys.readouterr().err


def test_loading_the_plugin_loads_little() -> None:
    """flake8 loads it on every run, also on those that it has nothing to say on."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import argparse, ast; before = set(sys.modules); "
        "from kl_lint.plugin import Plugin; "
        "assert not list(Plugin(ast.parse('import torch'), ['import torch'], 'x.py').run()); "
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {
        "__future__", "kl_lint", "kl_lint.configuration", "kl_lint.configuration.options", "kl_lint.engine",
        "kl_lint.plugin", "kl_lint.selection", "kl_lint.sources", "kl_lint.sources.exclusion",
    }  # fmt: skip
