"""Colours of pages and reports can be told from what they stand on, in both schemes: WCAG 2.2 AA, computed from the style sheet."""

import re

import pytest

from driftmon.report.pages import STYLE

SCHEMES = dict(zip(("light", "dark", "print"), re.findall(r":root\{([^}]*--bg[^}]*)\}", STYLE), strict=True))

TEXT = ("--fg", "--dim", "--link", "--critical", "--warning", "--none", "--info", "--ok")
"""What words are written in; statuses are also the colours of marks and strips."""

SHAPES = ("--live", "--kl", "--critical", "--warning", "--none", "--info", "--ok")
"""What pictures are drawn in. The bar of the reference and rules between rows say nothing that the numbers beside them do not."""


def colours(scheme):
    return {name: hexadecimal(value) for name, value in re.findall(r"(--[\w-]+):(#[0-9a-f]{3,6})", SCHEMES[scheme])}


def hexadecimal(value):
    digits = value[1:] if len(value) == 7 else "".join(2 * digit for digit in value[1:])
    return [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]


def luminance(colour):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast(hexadecimal("#000"), hexadecimal("#ffffff")) == pytest.approx(21)
    assert contrast(hexadecimal("#777777"), hexadecimal("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("ground", ["--bg", "--soft"])
def test_words_can_be_read(scheme, name, ground):
    of = colours(scheme)

    assert contrast(of[name], of[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", SHAPES)
def test_what_is_drawn_can_be_seen(scheme, name):
    of = colours(scheme)

    assert contrast(of[name], of["--bg"]) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_thin_bar_of_now_stands_out_from_the_wide_bar_of_the_reference(scheme):
    of = colours(scheme)

    assert contrast(of["--live"], of["--ref"]) >= 3


def test_every_colour_of_the_style_sheet_is_one_of_the_variables():
    plain = re.sub(r":root\{[^}]*\}", "", STYLE)

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl", plain) == []
    assert len({frozenset(colours(scheme)) for scheme in SCHEMES}) == 1
