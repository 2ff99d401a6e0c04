"""Texts as constructor arguments: pure functions, no process and no TensorFlow."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from skvision.cli._arguments import describe, parse, read_config, read_grid, read_settings
from skvision.cli._constructor import minivgg, read_constructor

SOURCE = '''
class Net:
    """A net.

    Parameters
    ----------
    size : tuple of int or int, default=(32, 32)
        Pixels.
    mode : {"fast", "good"}, default="fast"
        How.

    Attributes
    ----------
    size_ : int
        Pixels.
    """

    def __init__(
        self,
        size: tuple[int, int] | int = (32, 32),
        filters: tuple[int, ...] = (32,),
        rate: float | None = None,
        epochs: int = 30,
        norm: bool = True,
        mode: str = "fast",
        weight: Any = None,
        shape: numpy.Array = None,
        **optimizer_options: Any,
    ) -> None:
        pass
'''
NET = read_constructor(SOURCE, "Net")


@pytest.mark.parametrize(
    ("text", "accepted", "value"),
    [
        ("32", int, 32),
        (" 32 ", int, 32),
        ("-3", int, -3),
        ("0.1", float, 0.1),
        ("1e-3", float, 0.001),
        ("3", float, 3.0),
        ("none", float | None, None),
        ("None", str | None, None),
        ("nonesuch", str | None, "nonesuch"),
        ("true", bool, True),
        ("YES", bool, True),
        ("1", bool, True),
        ("off", bool, False),
        ("0", bool, False),
        ("32,64", tuple[int, ...], (32, 64)),
        ("(32, 64)", tuple[int, ...], (32, 64)),
        ("[32, 64]", tuple[int, ...], (32, 64)),
        ("(32,)", tuple[int, ...], (32,)),
        ("32", tuple[int, ...], (32,)),
        ("()", tuple[int, ...], ()),
        ("32x48", tuple[int, int] | int, (32, 48)),
        ("32,48", tuple[int, int] | int, (32, 48)),
        ("32", tuple[int, int] | int, 32),
        ("0.5,1", tuple[float, float], (0.5, 1.0)),
        ("1", int | float, 1),
        ("1.5", int | float, 1.5),
        ("good", Literal["fast", "good"], "good"),
        ("0.9", Any, 0.9),
        ("(0, 255)", Any, (0, 255)),
        ("{'cat': 2}", Any, {"cat": 2}),
        ("true", Any, True),
        ("none", Any, None),
        ("balanced", Any, "balanced"),
        ("on", Any, "on"),
        ("'3'", Any, "3"),
        ("f(", Any, "f("),
    ],
)
def test_parse(text, accepted, value):
    parsed = parse(text, accepted)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("many", int),
        ("3.5", int),
        ("", int),
        ("nan", float),
        ("inf", float),
        ("none", float),
        ("maybe", bool),
        ("2", bool),
        ("32,", tuple[int, int]),
        ("1,2,3", tuple[int, int]),
        ("32,a", tuple[int, ...]),
        ("", tuple[int, ...]),
        ("(32", tuple[int, ...]),
        ("big", tuple[int, int] | int),
        ("best", Literal["fast", "good"]),
    ],
)
def test_texts_of_other_types_are_refused(text, accepted):
    with pytest.raises(ValueError, match="is not"):
        parse(text, accepted)


def test_describe():
    assert describe(int) == "a whole number"
    assert describe(bool) == "true or false"
    assert describe(tuple[int, ...] | None) == "whole numbers such as 32,48, or none"
    assert describe(Literal["fast", "good"]) == "fast or good"


def test_the_constructor_is_read_from_its_text():
    assert list(NET.types) == [
        "size", "filters", "rate", "epochs", "norm", "mode", "weight", "shape",
    ]  # fmt: skip
    assert NET.types["shape"] is Any
    assert NET.defaults["size"] == "(32, 32)"
    assert NET.routed == "optimizer"
    assert NET.documentation.startswith("size : tuple")
    assert NET.documentation.endswith("How.")
    assert NET.choices("mode") == ["fast", "good"]
    assert NET.choices("size") == []


def test_the_classifiers_constructor_is_the_one_that_python_sees():
    import inspect
    import typing

    from skvision import MiniVGGClassifier

    hints = typing.get_type_hints(MiniVGGClassifier.__init__)
    parameters = inspect.signature(MiniVGGClassifier).parameters
    assert list(minivgg().types) == list(parameters)
    for name, parameter in parameters.items():
        assert minivgg().types[name] == hints[name]
        assert eval(minivgg().defaults[name]) == parameter.default
    assert minivgg().routed == "optimizer"


def test_settings():
    settings = read_settings(
        NET, ["rate=none", "size=8x9", "optimizer__momentum=0.9", "mode=a=b", "norm=no"]
    )
    assert settings == {
        "rate": None, "size": (8, 9), "optimizer__momentum": 0.9, "mode": "a=b", "norm": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["epochs"], "--set takes name=value, not 'epochs'"),
        (["epochs="], "--set takes name=value, not 'epochs='"),
        (["=3"], "--set takes name=value, not '=3'"),
        (["epoch=3"], r"no argument 'epoch'. Did you mean epochs\?"),
        (["zzz=3"], "no argument 'zzz'. skvision train --arguments lists them all"),
        (["optimizer__=3"], "no argument 'optimizer__'"),
        (["epochs__x=3"], "no argument 'epochs__x'"),
        (["epochs=3", "epochs=4"], "sets epochs twice: '3' and '4'"),
        (["epochs=many"], "--set epochs takes a whole number, not 'many'"),
        (["rate=nan"], "--set rate takes a number or none, not 'nan'"),
        (["size=big"], "--set size takes 2 whole numbers such as 32x48, or a whole number"),
    ],
)
def test_wrong_settings(texts, message):
    with pytest.raises(ValueError, match=message):
        read_settings(NET, texts)


def test_grid():
    texts = ["rate=0.1,0.01,none", "filters=(32,64),(32,64,128)", "mode=good", "size=8,8x9"]
    assert read_grid(NET, texts) == {
        "rate": [0.1, 0.01, None],
        "filters": [(32, 64), (32, 64, 128)],
        "mode": ["good"],
        "size": [8, (8, 9)],
    }
    assert read_grid(NET, ["filters=32;32,64"]) == {"filters": [(32,), (32, 64)]}
    assert read_grid(NET, ["weight={'a': 1, 'b': 2},none"]) == {"weight": [{"a": 1, "b": 2}, None]}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["rate"], "--search takes name=value"),
        (["rate=0.1,,0.2"], "--search rate takes a number or none, not ''"),
        (["rate=0.1,nan"], "not 'nan'"),
        (["rate=0.1,0.10"], "--search rate contains the value 0.1 twice"),
        (["rate=0.1", "rate=0.2"], "sets rate twice"),
    ],
)
def test_wrong_grids(texts, message):
    with pytest.raises(ValueError, match=message):
        read_grid(NET, texts)


def test_config(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(
        "# a comment\nepochs = 60\nsize = [8, 9]\nfilters = [16]\nrate = 1e-3\nnorm = false\n"
        'mode = "good"\noptimizer__momentum = 0.9\n[weight]\ncat = 2.0\n'
    )
    assert read_config(NET, path) == {
        "epochs": 60,
        "size": (8, 9),
        "filters": (16,),
        "rate": 0.001,
        "norm": False,
        "mode": "good",
        "optimizer__momentum": 0.9,
        "weight": {"cat": 2.0},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = \nsize = 8", "net.toml isn't a TOML file: .*line 1"),
        ("epochs = 1\nepochs = 2\nsize = 8", "net.toml isn't a TOML file: .*line 2"),
        ("epoch = 1", "net.toml: epoch: Net has no argument 'epoch'. Did you mean epochs"),
        ("epochs = 1.5", "net.toml: epochs takes a whole number, not '1.5'"),
        ("size = [1, 2, 3]", "net.toml: size takes 2 whole numbers"),
        ("rate = nan", "net.toml: rate takes a number or none, not 'nan'"),
    ],
)
def test_wrong_configs(tmp_path, text, message):
    (tmp_path / "net.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(NET, tmp_path / "net.toml")


def test_a_missing_config(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file .*net.toml for --config"):
        read_config(NET, tmp_path / "net.toml")
