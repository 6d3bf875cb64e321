"""Methods and their settings as words: ``latent_pairs:partner=mirrored,use=z``."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from fairlab.core.errors import UserError, nearest_names
from fairlab.methods import METHODS
from fairlab.methods.base import Method, settings_of

#: Names that earlier versions had, and what they mean now.
FORMER_VARIANTS = {
    "paired": "latent_pairs:partner=mirrored",
    "just_across": "latent_pairs:partner=margin",
    "on_hyperplane": "latent_pairs:partner=on_hyperplane",
    "perpendicular": "latent_pairs:partner=perpendicular",
    "perpendicular_on_hyperplane": "latent_pairs:partner=perpendicular_on_hyperplane",
    "z_only": "latent_pairs:partner=mirrored,use=z",
    "z_prime_only": "latent_pairs:partner=mirrored,use=z_prime",
    "unpaired": "unpaired_faces",
    "oversampling": "added_oversampling",
    "unbiased_faces": "unbiased_faces",
}


def read_method(text: str, defaults: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Method:
    """Return the method that a text names: ``NAME`` or ``NAME:field=value,field=value``.

    Parameters
    ----------
    text : str
        Name in `fairlab.methods.METHODS`, and perhaps settings. Settings of a method that is a setting itself
        are joined with ``+``: ``annotator=added_oversampling:n_added=50+epochs=3``.
    defaults : mapping
        Values of fields, for methods that have them: a preset's sizes.
    settings : mapping, optional
        Values, or texts, of fields that `text` does not set.

    Raises
    ------
    UserError
        If there is no such method or setting, or a value cannot be read.
    """
    name, _, given = text.partition(":")
    if name not in METHODS:
        raise UserError(f"There is no method '{name}'; {nearest_names(name, METHODS)}")
    method = METHODS[name]()
    values = {field: value for field, value in defaults.items() if field in settings_of(method)}
    values |= dict(settings or {}) | read_settings(given.split(",") if given else ())
    return with_settings(method, values)


def read_settings(assignments: typing.Iterable[str]) -> dict[str, str]:
    """Return the settings of ``field=value`` texts.

    Raises
    ------
    UserError
        If a text has no equals sign.
    """
    found = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UserError(f"'{assignment}' is no setting; write field=value.")
        found[name] = value
    return found


def with_settings(method: Method, values: Mapping[str, Any]) -> Method:
    """Return the method with some fields changed; text is read as the field's type."""
    hints = typing.get_type_hints(type(method))
    for name in values:
        if name not in settings_of(method):
            nearest = nearest_names(name, settings_of(method))
            raise UserError(f"The method '{method.name}' has no setting '{name}'; {nearest}")
    read = {name: _read(name, value, hints[name]) for name, value in values.items()}
    return dataclasses.replace(method, **read)


def label_of(method: Method, usual: Method | None = None) -> str:
    """Return the text of `read_method` for a method, without what is as in `usual`, or as by default."""
    plain = settings_of(usual if usual is not None and type(usual) is type(method) else type(method)())
    changed = {name: value for name, value in settings_of(method).items() if value != plain[name]}
    words = [f"{name}={_shown(value)}" for name, value in changed.items()]
    return method.name + (":" + ",".join(words) if words else "")


def _shown(value: Any) -> str:
    return label_of(value).replace(",", "+") if isinstance(value, Method) else str(value)


def _read(name: str, value: Any, hint: Any) -> Any:
    """Read a text as a field's type; other values stay as they are."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if not isinstance(value, str) or str in kinds:
        return value
    if value.lower() == "none" and types.NoneType in kinds:
        return None
    if Method in kinds:
        return read_method(value.replace("+", ","), {})
    kind = next(kind for kind in kinds if kind is not types.NoneType)
    try:
        return _READERS[kind](value)
    except (ValueError, KeyError) as error:
        raise UserError(f"The setting {name} is '{value}', which is no {kind.__name__}.") from error


_READERS: dict[Any, typing.Callable[[str], Any]] = {
    int: lambda text: int(text.replace("_", "")),
    float: float,
    bool: lambda text: {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
        text.lower()
    ],
}


def describe_methods(name: str | None = None) -> str:
    """Return what each method does, where it is from, when it needs the protected label, and its settings.

    Raises
    ------
    UserError
        If `name` is no method.
    """
    if name is not None:
        read_method(name, {})
    needs = {"-": "never needed for training"}
    parts = []
    for method in METHODS.values() if name is None else [METHODS[name]]:
        first_line = (method.__doc__ or "").partition("\n")[0]
        needed = needs.get(method.protected_at, f"needed in {method.protected_at}")
        settings = [f"{field}={_shown(value)}" for field, value in settings_of(method()).items()]
        parts.append(
            f"{method.name}: {first_line}\n"
            f"    {method.paper or 'the usual way'}; the protected label is {needed}\n"
            f"    --set {' '.join(settings)}"
        )
    return "\n\n".join(parts)
