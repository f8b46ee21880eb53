"""
The arithmetic against values from elsewhere: closed forms, published tables, scipy, statsmodels and 60-digit decimals.

The numbers are those of docs/statistics.md, C1 to C3 and A9.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import kl_div, rel_entr
from statsmodels.stats.multitest import multipletests

from driftmon.core.divergence import js_divergence, kl_contributions, kl_divergence, relative_divergence, smoothed
from driftmon.core.evidence import adjusted_p_values, detectable_kl, g_test, weigh

LN2, LN3, LN5 = math.log(2), math.log(3), math.log(5)


def table(*counts):
    return np.array([counts], dtype=float)


def weigh_one(reference, live, bins=None):
    """The evidence of one column, as plain numbers."""
    evidence = weigh(table(*reference), table(*live), np.array([bins or len(reference)]))
    return {name: values[0] for name, values in vars(evidence).items()}


def random_tables(columns=60, seed=7):
    """Pairs of counts of many shapes: sparse, heavy, lopsided, with bins that are empty on one side or both."""
    rng = np.random.default_rng(seed)
    for _ in range(columns):
        bins = int(rng.integers(2, 40))
        shares = rng.dirichlet(np.full(bins, rng.choice([0.1, 1.0, 10.0])), size=2)
        rows = 10.0 ** rng.uniform(0, 7, size=2)
        reference, live = (rng.multinomial(math.ceil(n), p) for n, p in zip(rows, shares, strict=True))
        yield reference, live


# Discrete distributions, without smoothing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "q", "nats"),
    [
        ([9 / 25, 12 / 25, 4 / 25], [1 / 3] * 3, (32 * LN2 + 55 * LN3 - 50 * LN5) / 25),
        ([1 / 3] * 3, [9 / 25, 12 / 25, 4 / 25], (-4 * LN2 - 6 * LN3 + 6 * LN5) / 3),
        ([9 / 25, 12 / 25, 4 / 25], [1 / 3] * 3, 0.0852996),
        ([1 / 3] * 3, [9 / 25, 12 / 25, 4 / 25], 0.0974550),
        ([0.1, 0.9], [0.5, 0.5], 0.368064207),
        ([0.5, 0.5], [0.1, 0.9], 0.510825624),
        ([0.02, 0.98], [0.05, 0.95], 0.012142961),
        ([0.5, 0.5], [0.25, 0.75], LN2 - LN3 / 2),  # 0.20752 bits
        ([0.25, 0.75], [0.5, 0.5], 3 * LN3 / 4 - LN2),  # 0.18872 bits
        ([1 / 3] * 3 + [0] * 9, [1 / 12] * 12, math.log(4)),
        ([1] + [0] * 9, [0.1] * 10, math.log(10)),
    ],
    ids=[
        "Kullback's example",
        "Kullback's example, reversed",
        "Kullback's example, printed",
        "Kullback's example, printed, reversed",
        "Bernoulli 0.1 from 0.5",
        "Bernoulli 0.5 from 0.1",
        "Bernoulli 0.02 from 0.05",
        "Cover & Thomas",
        "Cover & Thomas, reversed",
        "three of twelve",
        "one of ten",
    ],
)
def test_the_divergence_of_shares_is_the_published_one(p, q, nats):
    assert kl_divergence(p, q) == pytest.approx(nats, abs=6e-8)
    assert kl_contributions(np.array(p), np.array(q)).sum() == pytest.approx(nats, abs=6e-8)


def test_kullbacks_example_has_the_published_psi_and_jensen_shannon_divergence():
    p, q = np.array([9, 12, 4]) / 25, np.full(3, 1 / 3)

    assert kl_divergence(p, q) + kl_divergence(q, p) == pytest.approx(0.1827546, abs=5e-8)
    assert kl_divergence(q, p) / LN2 == pytest.approx(0.1405979, abs=5e-7)  # 0.0974550 nats
    assert kl_divergence(p, q) / LN2 == pytest.approx(0.1230613, abs=5e-8)
    assert js_divergence(p, q) == pytest.approx(0.0224599, abs=5e-8)
    assert math.sqrt(js_divergence(p, q) / LN2) == pytest.approx(0.1800076, abs=5e-8)


def test_a_share_where_the_reference_has_none_is_infinitely_far():
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(LN2)


# Continuous and countable distributions --------------------------------------------------------------------------------


def binned(p, q, low, high, bins=400_000):
    """
    Shares of both in equal bins, and in the two tails beyond.

    Binning loses less than (width / standard deviation)² / 24 of the divergence, here below 1e-8.
    """
    edges = np.concatenate(([-np.inf], np.linspace(low, high, bins + 1), [np.inf]))

    def shares(law):
        below, above = law.cdf(edges), law.sf(edges)
        return np.where(
            below[1:] < 0.5, np.diff(below), -np.diff(above)
        )  # each tail from its own side, or it rounds away

    return shares(p), shares(q)


@pytest.mark.parametrize(
    ("p", "q", "span", "nats"),
    [
        (stats.norm(0.5), stats.norm(), (-10, 11), 0.125),
        (stats.norm(1), stats.norm(), (-10, 11), 0.5),
        (stats.norm(0, 2), stats.norm(), (-16, 16), 0.806852819),
        (stats.norm(), stats.norm(0, 2), (-16, 16), 0.318147181),
        (stats.norm(1, 2), stats.norm(-1, 3), (-20, 20), 0.349909553),
        (stats.expon(scale=1), stats.expon(scale=1 / 2), (0, 40), 0.306852819),
        (stats.expon(scale=1 / 2), stats.expon(scale=1), (0, 40), 0.193147181),
        (stats.laplace(0), stats.laplace(1), (-30, 30), math.exp(-1)),
        (stats.uniform(0, 1), stats.uniform(0, 2), (0, 2), LN2),
        (stats.gamma(2, scale=1), stats.gamma(3, scale=2), (0, 60), 1.349804387),
        (stats.beta(2, 3), stats.uniform(), (0, 1), 0.234906650),
        (stats.beta(2, 2), stats.uniform(), (0, 1), 0.125092803),  # Dirichlet(2, 2) from Dirichlet(1, 1)
    ],
    ids=[
        "N(.5,1)‖N(0,1)", "N(1,1)‖N(0,1)", "N(0,2²)‖N(0,1)", "N(0,1)‖N(0,2²)", "N(1,2²)‖N(−1,3²)", "Exp(1)‖Exp(2)", "Exp(2)‖Exp(1)",
        "Laplace", "U(0,1)‖U(0,2)", "Gamma", "Beta‖U", "Dirichlet(2,2)",
    ],
)  # fmt: skip
def test_a_fine_binning_approaches_the_closed_form(p, q, span, nats):
    live, reference = binned(p, q, *span)

    assert kl_divergence(live, reference) == pytest.approx(nats, abs=2e-8)
    assert kl_divergence(live, reference) <= nats + 1e-9  # binning only loses


@pytest.mark.parametrize(
    ("p", "q", "nats"),
    [
        (stats.poisson(3), stats.poisson(4), 0.136953783),
        (stats.poisson(4), stats.poisson(3), 0.150728290),
        (stats.geom(0.3), stats.geom(0.5), 0.274276262),
    ],
    ids=["Poisson 3‖4", "Poisson 4‖3", "geometric .3‖.5"],
)
def test_a_countable_distribution_has_its_closed_form(p, q, nats):
    values = np.arange(200)

    assert kl_divergence(p.pmf(values), q.pmf(values)) == pytest.approx(nats, abs=6e-10)


def test_a_dirichlet_has_its_closed_form():
    # The midpoints of small triangles of equal area that fill the simplex; the second axis of the law Dirichlet(1, 2, 3) is free.
    steps = 700
    i, j = np.meshgrid(np.arange(steps), np.arange(steps), indexing="ij")
    pointing_up, pointing_down = i + j < steps, i + j < steps - 1
    x2 = np.concatenate((i[pointing_up] + 1 / 3, i[pointing_down] + 2 / 3)) / steps
    x3 = np.concatenate((j[pointing_up] + 1 / 3, j[pointing_down] + 2 / 3)) / steps
    density = x2 * x3**2

    live, reference = density / density.sum(), np.full(len(density), 1 / len(density))

    assert kl_divergence(live, reference) == pytest.approx(0.551197382, abs=1e-5)  # 490,000 triangles


def test_a_correlation_has_its_closed_form_in_both_directions():
    grid = np.linspace(-9, 9, 361)
    x, y = np.meshgrid(grid, grid)
    correlated = np.exp(-(x**2 - x * y + y**2) / 1.5)
    independent = np.exp(-(x**2 + y**2) / 2)
    p, q = (density.ravel() / density.sum() for density in (correlated, independent))

    assert kl_divergence(p, q) == pytest.approx(-math.log(0.75) / 2, abs=1e-9)
    assert kl_divergence(p, q) == pytest.approx(0.143841036, abs=1e-9)
    assert kl_divergence(q, p) == pytest.approx(0.189492297, abs=1e-9)


@pytest.mark.parametrize(
    ("shift", "nats"), [(0.1, 0.004792099), (0.2, 0.019130726), (0.5, 0.117902594), (1.0, 0.447169889)]
)
def test_a_shifted_normal_on_deciles_has_its_exact_divergence(shift, nats):
    deciles = stats.norm.ppf(np.arange(1, 10) / 10)
    live = np.diff(np.concatenate(([0], stats.norm.cdf(deciles - shift), [1])))
    # As counts of so many rows smoothing and rounding cost less than the last printed digit.
    counts = np.rint(live * 1e12)

    assert kl_divergence(live, np.full(10, 0.1)) == pytest.approx(nats, abs=6e-10)
    assert weigh_one([1e11] * 10, counts)["kl"] == pytest.approx(nats, abs=1e-9)


# The worked examples of the specification ------------------------------------------------------------------------------


def test_the_first_worked_example_holds_to_the_last_printed_digit():
    reference, live = (10, 10, 10), (9, 12, 4)

    p, q = smoothed(table(*live), table(*reference), np.array([3]))
    evidence = weigh_one(reference, live)
    g, probability = g_test(table(*reference), table(*live))

    assert p[0] == pytest.approx([0.35873016, 0.47301587, 0.16825397], abs=5e-9)
    assert q[0] == pytest.approx([1 / 3] * 3, abs=1e-15)
    assert evidence["kl"] == pytest.approx(0.076859632441, abs=5e-13)
    assert evidence["noise_floor"] == pytest.approx(0.073333333333, abs=5e-13)
    assert evidence["excess"] == pytest.approx(0.003526299, abs=5e-10)
    assert evidence["standard_error"] == pytest.approx(0.124188858, abs=5e-10)
    assert evidence["lower_bound"] == 0
    assert evidence["upper_bound"] == pytest.approx(0.207798793, abs=5e-10)
    assert g[0] == pytest.approx(2.436124303, abs=5e-10)
    assert probability[0] == evidence["p_iid"] == pytest.approx(0.295802833, abs=5e-10)


def test_the_second_worked_example_holds_to_the_last_printed_digit():
    reference, live = (0, 400, 350, 250, 0), (0, 50, 30, 20, 3)

    evidence = weigh_one(reference, live)
    g, _ = g_test(table(*reference), table(*live))

    assert evidence["kl"] == pytest.approx(0.112012999, abs=5e-10)
    assert evidence["contributions"] == pytest.approx([0, 0.00850503, 0.00520929, 0.00672534, 0.09157333], abs=5e-9)
    assert evidence["contributions"][0] == 0
    assert evidence["noise_floor"] == pytest.approx(0.016063107, abs=5e-10)
    assert evidence["excess"] == pytest.approx(0.095949892, abs=5e-10)
    assert evidence["standard_error"] == pytest.approx(0.083392264, abs=5e-10)
    assert evidence["lower_bound"] == 0
    assert evidence["upper_bound"] == pytest.approx(0.233117960, abs=5e-10)
    assert g[0] == pytest.approx(18.063751660, abs=5e-9)
    assert evidence["p_iid"] == pytest.approx(0.000426732, abs=5e-10)


# Independent implementations ------------------------------------------------------------------------------------------


def test_smoothing_is_half_a_row_in_every_bin_of_the_reference():
    for reference, live in random_tables():
        bins = len(reference)
        weight = bins / (2 * reference.sum() + bins)

        p, q = smoothed(live.astype(float), reference.astype(float), np.array(bins))

        assert q == pytest.approx((reference + 0.5) / (reference.sum() + bins / 2), rel=1e-12)
        assert p == pytest.approx((1 - weight) * live / live.sum() + weight / bins, rel=1e-12)


def test_divergences_agree_with_scipy():
    for reference, live in random_tables():
        bins = len(reference)
        p, q = smoothed(live.astype(float), reference.astype(float), np.array(bins))
        q_reverse, p_reverse = smoothed(reference.astype(float), live.astype(float), np.array(bins))

        evidence = weigh_one(reference, live)

        assert evidence["kl"] == pytest.approx(stats.entropy(p, q), rel=1e-10, abs=1e-15)
        assert evidence["kl"] == pytest.approx(rel_entr(p, q).sum(), rel=1e-10, abs=1e-15)
        assert kl_divergence(p, q) == pytest.approx(stats.entropy(p, q), rel=1e-10, abs=1e-15)
        assert evidence["contributions"] == pytest.approx(kl_div(p, q), rel=1e-10, abs=1e-15)
        assert evidence["kl_reverse"] == pytest.approx(stats.entropy(q_reverse, p_reverse), rel=1e-10, abs=1e-15)
        assert evidence["psi"] == evidence["kl"] + evidence["kl_reverse"]
        assert evidence["js"] == pytest.approx(jensenshannon(p, q) ** 2, rel=1e-10, abs=1e-15)


def test_the_likelihood_ratio_test_agrees_with_scipy():
    for reference, live in random_tables():
        used = (reference + live) > 0
        if used.sum() == 1:
            continue
        expected = stats.chi2_contingency([live[used], reference[used]], lambda_="log-likelihood", correction=False)

        g, p = g_test(reference.astype(float), live.astype(float))

        # scipy adds up terms of both signs, which costs it digits when the samples are large and alike.
        assert g == pytest.approx(expected.statistic, rel=1e-10, abs=1e-14 * (reference.sum() + live.sum()))
        assert p == pytest.approx(stats.chi2.sf(float(g), used.sum() - 1), rel=1e-10)


def test_a_bin_that_is_empty_on_one_side_has_a_finite_likelihood_ratio():
    # Rounding once left this bin's relative difference below -1, of which there is no logarithm.
    reference, live = (38, 40, 3, 28, 22), (14, 22, 20, 24, 0)
    expected = stats.chi2_contingency([live, reference], lambda_="log-likelihood", correction=False)

    g, p = g_test(table(*reference), table(*live))

    assert g[0] == pytest.approx(expected.statistic, rel=1e-12)
    assert p[0] == pytest.approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize("tests", [0, 1, 2, 15, 500])
def test_adjusted_p_values_agree_with_statsmodels(tests):
    rng = np.random.default_rng(tests)
    p = np.round(rng.beta(0.3, 1, size=tests), 3)  # rounded, so that some are equal, 0 or 1

    adjusted = adjusted_p_values(p)

    expected = multipletests(p, method="fdr_bh")[1] if tests else []
    assert adjusted == pytest.approx(expected, abs=1e-15)


def test_the_example_of_benjamini_and_hochberg_has_four_rejections():
    p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0
    ]  # fmt: skip

    adjusted = adjusted_p_values(p)

    assert (adjusted <= 0.05).sum() == 4
    assert (np.array(p) * len(p) <= 0.05).sum() == 3  # Bonferroni's


def test_evenly_spaced_p_values_are_all_adjusted_to_the_largest():
    assert adjusted_p_values([0.05, 0.01, 0.04, 0.02, 0.03]) == pytest.approx([0.05] * 5)


def test_an_adjusted_p_value_is_never_below_the_raw_one_nor_above_1():
    p = 0.8843515161261928  # times 3 and by 3 again it rounds down

    assert 3 * p / 3 < p
    assert adjusted_p_values([0.1, p, 0.2]).max() == p
    assert adjusted_p_values([1.0, 1.0, 0.9]).max() == 1


@pytest.mark.parametrize(
    ("bins", "alpha", "noncentrality"),
    [(10, 0.01, 26.1), (16, 0.01, 30.7), (20, 0.01, 33.3), (20, 0.001, 42.6), (20, 0.0001, 51.1)],
)
def test_the_detectable_divergence_is_that_of_the_table(bins, alpha, noncentrality):
    found = 2 * detectable_kl(bins, rows=2, reference_rows=2, alpha=alpha)

    assert found == pytest.approx(noncentrality, abs=0.05)
    assert stats.ncx2.sf(stats.chi2.isf(alpha, bins - 1), bins - 1, found) == pytest.approx(0.9, abs=1e-8)
    assert detectable_kl(bins, rows=500, reference_rows=2000, alpha=alpha) == pytest.approx(found / 2 / 400)


# Extremes of size ------------------------------------------------------------------------------------------------------


def decimal_evidence(reference, live):
    """Specification A2 to A4 once more, in 60 digits."""

    def share(count, rows, weight):
        exact = (1 - weight) * Fraction(count, rows) + weight / bins
        return Decimal(exact.numerator) / Decimal(exact.denominator)

    def g_term(count, rows, pooled):
        return 2 * count * (count * total / (rows * pooled)).ln() if count else Decimal(0)

    with localcontext(prec=60):
        bins, n, m = len(reference), sum(live), sum(reference)
        weight = Fraction(bins, 2 * m + bins)
        p = [share(count, n, weight) for count in live]
        q = [share(count, m, weight) for count in reference]
        logs = [(a / b).ln() for a, b in zip(p, q, strict=True)]
        kl = sum((a * log for a, log in zip(p, logs, strict=True)), Decimal(0))
        used = sum(1 for r, c in zip(reference, live, strict=True) if r + c)
        sampling = 1 / Decimal(n) + 1 / Decimal(m)
        of_live = sum((a * log**2 for a, log in zip(p, logs, strict=True)), -(kl**2))
        of_reference = sum((a * a / b for a, b in zip(p, q, strict=True)), Decimal(-1))
        variance = of_live / n + of_reference / m + (used - 1) * sampling**2 / 2
        excess = kl - (used - 1) * sampling / 2
        total = Decimal(n + m)
        columns = [(Decimal(r), Decimal(c)) for r, c in zip(reference, live, strict=True)]
        g = sum((g_term(c, n, r + c) + g_term(r, m, r + c) for r, c in columns), Decimal(0))
        return {
            "kl": float(kl),
            "contributions": [
                float(a * log - a + b) for a, b, log in zip(p, q, logs, strict=True)
            ],
            "excess": float(excess),
            "standard_error": float(variance.sqrt()),
            "g": float(g),
        }  # fmt: skip


LARGE = 10**12


@pytest.mark.parametrize(
    ("reference", "live"),
    [
        pytest.param((LARGE, LARGE, 1, 0), (LARGE, LARGE, 1, 0), id="equal"),
        pytest.param((LARGE, LARGE, 1, 0), (LARGE, LARGE, 0, 1), id="one row in 2e12 moved"),
        pytest.param((LARGE, LARGE, 1, 0), (900, 1000, 0, 100), id="a small window"),
        pytest.param((900, 1000, 0, 100), (LARGE, LARGE, 1, 0), id="a small reference"),
        pytest.param(
            (LARGE, 2 * LARGE, 5, 0), (LARGE + 10**6, 2 * LARGE - 10**6, 7, 0), id="as alike as chance lets them be"
        ),
        pytest.param((LARGE, LARGE, LARGE, 1), (1, LARGE, LARGE, LARGE), id="swapped"),
        pytest.param((1, LARGE), (LARGE, 1), id="shares of 1e-12"),
    ],
)
def test_numbers_stay_exact_at_counts_of_a_trillion_and_shares_of_a_trillionth(reference, live):
    exact = decimal_evidence(reference, live)

    evidence = weigh_one(reference, live)
    g, _ = g_test(table(*reference), table(*live))

    # A share near 1 is stored to 1e-16 only: that bounds how well the smallest differences of large shares can be known.
    assert evidence["kl"] == pytest.approx(exact["kl"], rel=1e-9, abs=1e-28)
    assert evidence["contributions"] == pytest.approx(exact["contributions"], rel=1e-9, abs=1e-28)
    assert evidence["excess"] == pytest.approx(exact["excess"], rel=1e-9, abs=1e-28)
    assert evidence["standard_error"] == pytest.approx(exact["standard_error"], rel=1e-9)
    assert g[0] == pytest.approx(exact["g"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("position", range(12))
def test_a_column_in_one_bin_has_neither_divergence_nor_error(position):
    one_bin = np.zeros(12)
    one_bin[position] = 1

    evidence = weigh_one(12 * one_bin, one_bin)

    assert evidence["kl"] == evidence["excess"] == evidence["standard_error"] == evidence["upper_bound"] == 0
    assert evidence["p_iid"] == 1


def test_the_numbers_of_ordinary_tables_agree_with_decimals():
    for reference, live in random_tables(seed=11):
        exact = decimal_evidence(reference.tolist(), live.tolist())

        evidence = weigh_one(reference, live)
        g, _ = g_test(reference.astype(float), live.astype(float))

        assert evidence["kl"] == pytest.approx(exact["kl"], rel=1e-11)
        assert evidence["contributions"] == pytest.approx(exact["contributions"], rel=1e-10, abs=1e-18)
        assert evidence["standard_error"] == pytest.approx(exact["standard_error"], rel=1e-11)
        assert g == pytest.approx(exact["g"], rel=1e-11)


@pytest.mark.parametrize("d", [-1.0, -0.5, -0.0101, -0.0099, -1e-8, 0.0, 1e-300, 1e-8, 0.0099, 0.0101, 1.0, 1e12])
def test_the_relative_divergence_keeps_its_digits_at_every_size(d):
    with localcontext(prec=400):
        x = Decimal(d)
        exact = float((1 + x) * (1 + x).ln() - x) if d > -1 else 1.0

    assert relative_divergence(np.array([d]))[0] == pytest.approx(exact, rel=5e-14, abs=0)
