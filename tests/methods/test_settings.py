"""Methods as text: what is read, what is refused, and that a label or a description gives the method back."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.classifiers.networks import LAYERS
from fairlab.core.errors import UserError
from fairlab.latent import PARTNERS
from fairlab.methods import ERM, METHODS, AddedOversampling, LatentPairs, Oversampling, describe, method_from
from fairlab.methods.adversaries import ADVERSARIES
from fairlab.methods.group_heads import RULES
from fairlab.methods.rules.two_thresholds import AIMS
from fairlab.methods.settings import (
    FORMER_VARIANTS,
    describe_methods,
    label_of,
    read_method,
    read_settings,
    settings_of,
    with_settings,
)

COUNTS = st.integers(24, 10**7)
VALUES = {
    "epochs": st.none() | st.integers(1, 100),
    "n_fit": COUNTS,
    "n_held_out": COUNTS,
    "n_pairs": COUNTS,
    "n_added": COUNTS,
    "annotator": st.sampled_from([ERM(), Oversampling(epochs=3), AddedOversampling(n_added=40, epochs=2)]),
    "multi_label": st.booleans(),
    "partner": st.sampled_from(list(PARTNERS)),
    "use": st.sampled_from(["both", "z", "z_prime"]),
    "target_planes": st.sampled_from(["one", "by_group"]),
    "positive_share": st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
    "n_inverted": st.just(0) | COUNTS,
    "rule": st.sampled_from([*RULES, "known_a"]),
    "aim": st.sampled_from(sorted(AIMS)),
    "layer": st.sampled_from(LAYERS),
    "adversary": st.sampled_from(list(ADVERSARIES)),
    "warm": st.floats(0, 1),
    "p": st.floats(0, 1),
    "first_epochs": st.integers(1, 9),
    **dict.fromkeys(("cells", "prior_shift", "oversampling", "ramp", "by_group"), st.booleans()),
    **dict.fromkeys(("strength", "warm_rate", "step", "copies", "alpha", "gamma"), st.floats(0.001, 100)),
}


@st.composite
def methods(draw):
    """Return a method with settings of its own, as far as they do not exclude each other."""
    kind = draw(st.sampled_from(list(METHODS.values())))
    method = kind()
    for field in dataclasses.fields(kind):
        if field.name not in VALUES:  # of a method that is tried elsewhere
            continue
        try:
            method = dataclasses.replace(method, **{field.name: draw(VALUES[field.name])})
        except UserError:
            continue
    return method


@given(methods())
def test_a_label_is_read_back(method):
    assert read_method(label_of(method), {}) == method


@given(methods(), methods())
def test_a_label_beside_the_usual_method_is_read_back_with_its_values_as_defaults(method, other):
    usual = other if type(other) is type(method) else type(method)()
    assert read_method(label_of(method, usual), settings_of(usual)) == method
    assert label_of(usual, usual) == usual.name


@given(methods())
def test_a_description_survives_json_and_gives_the_method_back(method):
    described = json.loads(json.dumps(describe(method)))
    assert described["name"] == method.name
    assert method_from(described) == method


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latent_pairs", LatentPairs()),
        ("latent_pairs:partner=margin,n_pairs=1_000", LatentPairs(partner="margin", n_pairs=1000)),
        ("latent_pairs:positive_share=.25", LatentPairs(positive_share=0.25)),
        ("latent_pairs:positive_share=None,epochs=none", LatentPairs()),
        ("latent_pairs:multi_label=yes", LatentPairs(multi_label=True)),
        ("latent_pairs:multi_label=False", LatentPairs()),
        ("latent_pairs:annotator=oversampling", LatentPairs(annotator=Oversampling())),
        (
            "latent_pairs:annotator=added_oversampling:n_added=50+epochs=3,use=z",
            LatentPairs(annotator=AddedOversampling(epochs=3, n_added=50), use="z"),
        ),
    ],
)
def test_text_is_read_as_the_type_of_its_field(text, expected):
    assert read_method(text, {}) == expected


def test_a_text_wins_over_further_settings_and_these_over_defaults():
    defaults = {"n_fit": 40, "n_held_out": 40, "n_pairs": 50, "n_added": 9}
    method = read_method("latent_pairs:n_fit=30,use=z", defaults, {"n_fit": 60, "n_pairs": "60"})
    assert method == LatentPairs(n_fit=30, n_held_out=40, n_pairs=60, use="z")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("latentpairs", "no method 'latentpairs'; did you mean 'latent_pairs'"),
        ("latent_pairs:use", "'use' is no setting; write field=value"),
        ("latent_pairs:uses=z", "'latent_pairs' has no setting 'uses'; did you mean 'use'"),
        ("erm:n_pairs=50", "'erm' has no setting 'n_pairs'"),
        ("latent_pairs:n_fit=many", "n_fit is 'many', which is no int"),
        ("latent_pairs:n_fit=1e4", "n_fit is '1e4', which is no int"),
        ("latent_pairs:n_fit=none", "n_fit is 'none', which is no int"),
        ("latent_pairs:positive_share=half", "positive_share is 'half', which is no float"),
        ("latent_pairs:multi_label=maybe", "multi_label is 'maybe', which is no bool"),
        ("latent_pairs:annotator=oversample", "no method 'oversample'; did you mean 'oversampling'"),
        ("latent_pairs:n_pairs=23", "n_pairs is 23; at least 24"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text, sentence):
    with pytest.raises(UserError) as refused:
        read_method(text, {})
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_are_read_once_from_any_iterable_and_may_hold_equals_signs():
    assert read_settings(iter(["a=1", "b=c=d"])) == {"a": "1", "b": "c=d"}


def test_values_that_are_no_text_stay_as_they_are():
    assert with_settings(LatentPairs(), {"positive_share": 0.5, "multi_label": True}) == LatentPairs(
        positive_share=0.5, multi_label=True
    )


@pytest.mark.parametrize("former", FORMER_VARIANTS)
def test_former_names_are_methods_of_today(former):
    method = read_method(FORMER_VARIANTS[former], {})
    if isinstance(method, LatentPairs):
        assert method.partner == {"paired": "mirrored", "just_across": "margin"}.get(former, method.partner)
        assert former in (method.partner, f"{method.use}_only", "paired", "just_across")
    else:
        assert former in method.name


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({"name": "latent_pears"}, "latent_pears"),
        ({"name": "erm", "n_pairs": 50}, "n_pairs"),
        ({"epochs": 3}, "name"),
    ],
)
def test_a_description_of_nothing_known_is_refused(description, words):
    with pytest.raises(UserError, match=rf"{words}.*import the module that defines it"):
        method_from(description)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_described_with_settings_that_can_be_given(name):
    title, about, given = describe_methods(name).splitlines()
    assert title.startswith(f"{name}: ")
    assert "the protected label is " in about
    assert read_method(f"{name}:{','.join(given.split()[1:])}", {}) == METHODS[name]()
    assert describe_methods().count(f"{title}\n{about}\n{given}") == 1


def test_descriptions_say_when_the_protected_label_is_needed():
    assert "the protected label is never needed" in describe_methods("erm")
    assert "the protected label is needed in training" in describe_methods("latent_pairs")
    with pytest.raises(UserError, match="did you mean 'erm'"):
        describe_methods("ermm")
