"""The JSON of a check: stable, complete, and enough to compute every number again."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import chi2, chi2_contingency, norm

from driftmon.core.sustained import sustained
from driftmon.results import baseline_json, check_json, check_summary
from tests.checks import baseline_of, check_of, flights, quarter
from tests.golden import agree, rounded


def test_the_json_of_a_check_is_what_readers_rely_on():
    reference, windows = quarter()
    result = check_of(flights(late=0.5, new=40), reference=reference, windows=windows)
    [state] = sustained(*(np.array(value) for value in ([[0.001]] * 3, [30], [[90.0, 10]], [[50.0, 50]], [2], [0.02])))
    result = replace(result, columns=(replace(result.columns[0], sustained=state), *result.columns[1:]))

    agree("check.json", json.dumps(rounded(check_json(result)), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def test_the_json_of_a_baseline_is_what_readers_rely_on():
    content = baseline_json("flights", baseline_of(flights(seed=0)))

    agree("baseline.json", json.dumps(rounded(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


@pytest.mark.parametrize("late", [0, 0.2, 1, 5])
@pytest.mark.parametrize("rows", [150, 2_000, 50_000])
def test_every_number_follows_from_the_bins(late, rows):
    content = check_json(check_of(flights(rows, late=late, seed=3), reference=flights(3_000, seed=4)))

    for column in content["columns"]:
        expected = _from_bins(column["bins"])
        assert {name: column[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert sum(item["contribution"] for item in column["bins"]) == pytest.approx(column["kl"], rel=1e-9)
        assert sum(item["live"] for item in column["bins"]) == column["rows"]["live"]
        assert sum(item["reference"] for item in column["bins"]) == column["rows"]["reference"]


def _from_bins(bins):
    """An independent computation of statistics A2 to A4, straight from the formulas."""
    c, r = (np.array([item[side] for item in bins], dtype=float) for side in ("live", "reference"))
    kl, low, high = _direction(c, r)
    kl_reverse, low_reverse, _ = _direction(r, c)
    floor = ((c + r > 0).sum() - 1) / 2 * (1 / c.sum() + 1 / r.sum())
    weight = len(c) / (2 * r.sum() + len(c))
    p, q = ((1 - weight) * counts / counts.sum() + weight / len(c) for counts in (c, r))
    used = c + r > 0
    test = chi2_contingency([c[used], r[used]], lambda_="log-likelihood", correction=False)
    return {
        "kl": kl,
        "kl_reverse": kl_reverse,
        "psi": kl + kl_reverse,
        "js": (rel_entr(p, (p + q) / 2).sum() + rel_entr(q, (p + q) / 2).sum()) / 2,
        "noise_floor": floor,
        "excess": kl - floor,
        "lower_bound": low,
        "upper_bound": high,
        "lower_bound_reverse": low_reverse,
        "p_iid": chi2.sf(test.statistic, used.sum() - 1),
        "p_value": test.pvalue,
    }


def _direction(c, r):
    n, m, size, used = c.sum(), r.sum(), len(c), (c + r > 0).sum()
    weight = size / (2 * m + size)
    p, q = (1 - weight) * c / n + weight / size, (1 - weight) * r / m + weight / size
    kl = float(np.sum(p * np.log(p / q)))
    s = 1 / n + 1 / m
    variance = (np.sum(p * np.log(p / q) ** 2) - kl**2) / n + (np.sum(p**2 / q) - 1) / m + (used - 1) / 2 * s**2
    excess, margin = kl - (used - 1) / 2 * s, norm.ppf(0.95) * math.sqrt(variance)
    return kl, max(0.0, excess - margin), max(0.0, excess + margin)


def test_a_column_without_a_number_has_nulls_and_a_reason():
    result = check_of(flights(), problems={"carrier": "type changed from string to int64"})

    column = next(column for column in check_json(result)["columns"] if column["column"] == "carrier")

    assert (column["status"], column["reason"]) == ("schema_changed", "type changed from string to int64")
    assert column["kl"] is None
    assert column["rows"] == {"reference": 2_000, "live": None}
    assert all(item["live"] is None for item in column["bins"])


def test_a_summary_is_small_and_finite():
    summary = check_summary(check_of(flights(late=1)))

    assert summary["drifted"] == ["dep_delay"]
    assert summary["status"] == "critical"
    assert len(json.dumps(summary, allow_nan=False)) < 300
