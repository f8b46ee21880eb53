"""Alertmanager's configuration: valid, routed by owner, secrets in files only; its texts, rendered by amtool for alerts made by hand."""

import json
import re
from urllib.parse import quote_plus
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.alerting.programs import ALERTMANAGER, alert_names, alertmanager, program, rules, run, until
from tests.servers import free_port

CONFIG = ALERTMANAGER / "alertmanager.yml"
EXAMPLES = ALERTMANAGER / "receivers.example.yml"
TEXTS = ALERTMANAGER / "driftmon.tmpl"
NEWEST, OLDER = "2013-05-24 04:00:00 +0000 UTC", "2013-05-23 04:00:00 +0000 UTC"


@pytest.fixture(scope="module")
def amtool():
    return program("amtool", "prometheus-alertmanager")


def test_amtool_accepts_the_configuration(amtool):
    run(amtool, "check-config", CONFIG)


def test_amtool_accepts_the_examples_in_place_of_the_receivers(amtool, tmp_path):
    config = yaml.safe_load(CONFIG.read_text())
    examples = yaml.safe_load(EXAMPLES.read_text())["receivers"]
    config["receivers"] += examples
    config["route"]["routes"][0]["routes"] += [{"receiver": one["name"], "matchers": ['owner="x"']} for one in examples]
    (tmp_path / "driftmon.tmpl").write_text(TEXTS.read_text())
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))

    run(amtool, "check-config", tmp_path / "alertmanager.yml")


def test_secrets_are_in_files_only():
    text = CONFIG.read_text() + EXAMPLES.read_text()

    assert (
        re.findall(r"^\s*(?:- )?\w*(?:password|key|token|secret|api_url|credentials):", text, flags=re.MULTILINE) == []
    )


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["component=drift", "owner=ml-platform"], "ml-platform"),
        (["component=freshness", "owner=ml-platform"], "ml-platform"),
        (["component=drift", "owner=somebody"], "default"),
        (["component=freshness"], "default"),
        (["component=exporter", "owner=ml-platform"], "default"),
    ],
)
def test_the_owner_is_told(amtool, labels, receiver):
    for name in alert_names():
        command = [amtool, "config", "routes", "test", f"--config.file={CONFIG}", f"alertname={name}", *labels]

        assert run(*command).split()[0] == receiver


def test_what_inhibits_and_what_is_inhibited_are_alerts_that_exist():
    severities = {(rule["alert"], rule["labels"]["severity"]) for rule in rules() if "alert" in rule}
    for inhibit in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        for side in ("source_matchers", "target_matchers"):
            matchers = dict(re.fullmatch(r'(\w+)!?=~?"([^"]*)"', one).groups() for one in inhibit[side])
            names = set(matchers.get("alertname", "DriftmonColumnDrift").split("|"))

            assert names <= set(alert_names())
            if "severity" in matchers:
                assert {(name, matchers["severity"]) for name in names} <= severities


SPOKEN_FOR = [
    ([("critical", "")], [("warning", "")]),
    ([("critical", "")], [("critical", "r=eu"), ("warning", "r=us")]),
    ([("warning", "")], [("warning", "r=eu")]),
    ([("critical", "r=eu")], [("warning", ""), ("warning", "r=eu"), ("warning", "r=us")]),
    ([("critical", "r=eu"), ("critical", "r=us")], []),
]


@pytest.fixture(scope="module")
def running_alertmanager(tmp_path_factory):
    address = f"127.0.0.1:{free_port()}"
    config = yaml.safe_load(CONFIG.read_text())
    config["receivers"] = [{"name": one["name"]} for one in config["receivers"]]
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), address, config):
        yield f"http://{address}/api/v2/alerts"


@pytest.mark.parametrize("number", range(len(SPOKEN_FOR)))
def test_one_alert_of_a_column_speaks_for_the_others(running_alertmanager, number):
    told, muted = SPOKEN_FOR[number]
    common = {"alertname": "DriftmonColumnDrift", "component": "drift", "model": "m", "monitor": f"x{number}"}
    alerts = [
        {"labels": common | {"column": "c", "role": "feature", "severity": severity, "segment": segment}}
        for severity, segment in [*told, *muted]
    ]
    request = Request(running_alertmanager, json.dumps(alerts).encode(), {"Content-Type": "application/json"})
    urlopen(request, timeout=30).close()

    def heard():
        with urlopen(f"{running_alertmanager}?filter=monitor%3Dx{number}", timeout=30) as answer:
            found = json.load(answer)
        heard = {True: set(), False: set()}
        for one in found:
            severity, segment = one["labels"]["severity"], one["labels"].get("segment", "")
            heard[not one["status"]["inhibitedBy"]].add((severity, segment))
        return heard == {True: set(told), False: set(muted)}

    assert until(heard)


def test_slack_has_the_same_texts_as_the_others_but_for_its_own_letters():
    plain, slack = re.split(r"\{\{- /\* Slack -+ \*/ -\}\}\n", TEXTS.read_text())
    plain = re.split(r"\{\{- /\* Plain -+ \*/ -\}\}\n", plain)[1]
    slack = re.split(r"\n\{\{- /\* What receivers ask for", slack)[0]

    assert slack.strip() == plain.replace("driftmon.plain.", "driftmon.slack.").strip()


# Texts -----------------------------------------------------------------------------------------------------------------


def alert(
    name="DriftmonColumnDrift",
    *,
    status="firing",
    severity="critical",
    rank="",
    window=NEWEST,
    text="KL 1 nats",
    **labels,
):
    known = {"alertname": name, "severity": severity, "component": "drift", "model": "m", "monitor": "flights"} | labels
    column = known.get("column")
    return {
        "status": status,
        "labels": known,
        "annotations": {
            "summary": f"{name} of {column or 'flights'}",
            "description": text,
            "headline": "4 of 10 columns drifted (964 rows)",
            "window_end": window,
            "rank": rank,
            "dashboard_url": f"http://g/d/driftmon-{'column' if column else 'monitor'}?var-monitor=flights"
            + (f"&var-column={quote_plus(column)}&var-segment=" if column else "")
            + "&from=1&to=2",
            "status_url": f"http://d/monitors/flights{f'/column?name={quote_plus(column)}&' if column else '?'}ending=60",
            "runbook_url": f"http://d/runbooks/{name}?monitor={known['monitor']}"
            + (f"&column={quote_plus(column)}&segment=s%3D1" if column else ""),
        },
        "startsAt": "2013-05-24T06:02:00Z",
        "endsAt": "2013-05-25T06:20:00Z",
    }


@pytest.fixture
def render(amtool, tmp_path):
    def render(name, *alerts, kind="text", group=None):
        status = "firing" if any(one["status"] == "firing" for one in alerts) else "resolved"
        data = {
            "status": status,
            "alerts": alerts,
            "externalURL": "http://am",
            "receiver": "r",
            "groupLabels": group or {},
        }
        (tmp_path / "data.json").write_text(json.dumps(data))
        return run(
            *(amtool, "template", "render", f"--template.glob={TEXTS}", f"--template.type={kind}"),
            *(f'--template.text={{{{ template "{name}" . }}}}', f"--template.data={tmp_path / 'data.json'}"),
        )

    return render


def items(text):
    return [line[2:] for line in text.splitlines() if line.startswith("- ")]


def test_the_first_line_is_the_answer_and_columns_follow_by_rank(render):
    ranks = {"a": "000012", "b": "000002", "c": "000007"}
    text = render("driftmon.text", *(alert(column=name, role="feature", rank=rank) for name, rank in ranks.items()))

    assert text.startswith("flights: 4 of 10 columns drifted (964 rows)\n")
    assert items(text) == ["b (critical): KL 1 nats", "c (critical): KL 1 nats", "a (critical): KL 1 nats"]
    assert "Dashboard: http://g/d/driftmon-monitor?var-monitor=flights&from=1&to=2\n" in text
    assert "Status page: http://d/monitors/flights?ending=60\n" in text


def test_the_runbook_is_filled_in_with_what_the_whole_message_is_about(render):
    group = {"model": "m", "monitor": "flights"}
    a, b = (alert(column=name, role="feature", rank=f"00000{name}") for name in "12")
    stale = [alert("DriftmonMonitorStale", component="freshness", monitor=name) for name in "xy"]

    def runbook(*alerts, **options):
        return (
            render("driftmon.text", *alerts, **options).splitlines()[-1].removeprefix("What to do: http://d/runbooks/")
        )

    assert runbook(a, group=group) == "DriftmonColumnDrift?monitor=flights&column=1&segment=s%3D1"
    assert runbook(a, b, group=group) == "DriftmonColumnDrift?monitor=flights"
    assert runbook(stale[0]) == "DriftmonMonitorStale?monitor=x"
    assert runbook(*stale, group={"component": "freshness", "owner": "o"}) == "DriftmonMonitorStale"


def test_of_many_columns_the_ten_worst_are_shown_and_the_rest_counted(render):
    text = render("driftmon.text", *(alert(column=f"c{n}", role="feature", rank=f"{n:06}") for n in range(1, 41)))

    assert [line.split()[0] for line in items(text)] == [f"c{n}" for n in range(1, 11)]
    assert "\nand 30 more\n" in text


def test_a_column_with_two_alerts_is_one_line(render):
    both = [alert(column="a", role="target", rank="000001")]
    both.append(alert("DriftmonQualityProblem", severity="warning", column="a", role="target", rank="000001"))

    assert items(render("driftmon.text", *both)) == ["a, target (critical): KL 1 nats"]


def over(column, *, window=OLDER, name="DriftmonColumnDrift", severity="critical", **labels):
    return alert(name, status="resolved", severity=severity, column=column, role="feature", window=window, **labels)


def test_what_an_older_window_said_is_over(render):
    text = render(
        "driftmon.text",
        alert(column="new", role="feature", rank="000001"),
        alert(column="held", role="feature", rank="000001", window=OLDER),
        over("gone"),
    )

    assert items(text) == [
        "new (critical): KL 1 nats",
        "held: over, last in the window that ended 2013-05-23 04:00 UTC",
        "gone: over, last in the window that ended 2013-05-23 04:00 UTC",
    ]


def test_what_is_over_is_a_line_a_column_and_a_segment_is_only_named_where_its_column_is_not(render):
    text = render(
        "driftmon.text",
        over("x"),
        over("x", severity="warning"),
        over("x", name="DriftmonSustainedDrift", severity="warning"),
        over("x", segment="r=eu"),
        over("y", segment="r=eu"),
        over("y", segment="r=us"),
        over("y", segment="r=eu", severity="warning"),
        over("a longer name than that of x"),
    )

    assert [line.split(":")[0] for line in items(text)] == [
        "x",
        "y where r=eu",
        "y where r=us",
        "a longer name than that of x",
    ]


def test_nothing_is_over_of_a_column_that_still_alerts(render):
    firing = alert("DriftmonSustainedDrift", column="x", role="feature", rank="000001", severity="warning")
    text = render("driftmon.text", firing, over("x"), over("x", segment="r=eu"), over("z"))

    assert [line.split(":")[0] for line in items(text)] == ["x (warning)", "z"]


def test_of_many_columns_that_are_over_ten_are_named_and_of_all_at_once_none(render):
    columns = [over(f"c{number}") for number in range(13)]
    text = render("driftmon.text", *columns)
    all_at_once = alert("DriftmonWidespreadDrift", status="resolved", window=OLDER)

    assert len(items(text)) == 10
    assert "\nand 3 more are over\n" in text
    assert items(render("driftmon.text", all_at_once, *columns)) == [
        "DriftmonWidespreadDrift of flights: over, last in the window that ended 2013-05-23 04:00 UTC"
    ]
    assert "\n301 alerts are over\n" in render("driftmon.text", *(over(f"c{number}") for number in range(301)))


def test_over_may_be_unknown_where_columns_have_no_verdict(render):
    blind = alert("DriftmonColumnsNotEvaluated", severity="warning", text="a: no verdict")
    text = render("driftmon.text", blind, alert(column="a", role="feature", rank="000001", status="resolved"))

    assert "What is over here may only be unknown" in text


def test_the_end_is_told_as_the_end(render):
    ended = [over("a")]

    assert render("driftmon.title", *ended) == "[over] flights: nothing alerts any more"
    assert render("driftmon.color", *ended) == "good"


def test_an_incident_is_as_severe_as_what_fires_not_as_what_is_over(render):
    firing = alert(column="a", role="feature", rank="000001", severity="warning")

    assert render("driftmon.title", firing, over("b")).startswith("[warning] ")
    assert render("driftmon.pagerduty.severity", firing, over("b")) == "warning"
    assert render("driftmon.pagerduty.severity", alert(column="a", role="feature"), over("b")) == "critical"


def test_the_end_names_the_last_window_that_alerted_and_leads_to_the_newest_of_all(render):
    older, newer = over("a"), over("b", window=NEWEST)
    newer["annotations"] |= {"headline": "1 of 10 columns drifted: b (900 rows)"}
    newer["annotations"] |= {"dashboard_url": "http://g/d/driftmon-column?var-monitor=x&var-column=b&from=3&to=4"}
    text = render("driftmon.text", older, newer)

    assert "The last that did: 1 of 10 columns drifted: b (900 rows)\n" in text
    assert "Dashboard: http://g/d/driftmon-monitor?var-monitor=x&from=3&to=now\n" in text
    assert "Status page: http://d/monitors/flights\n" in text


def test_what_one_alert_says_is_said_once(render):
    stale = alert("DriftmonMonitorStale", severity="warning", component="freshness", text="1d 1h are allowed.")
    text = render("driftmon.text", stale)
    end = render("driftmon.text", stale | {"status": "resolved"})

    assert text.startswith("DriftmonMonitorStale of flights\n\n1d 1h are allowed.\nDashboard: ")
    assert end.startswith("DriftmonMonitorStale of flights\n\nOver since 2013-05-25 06:20 UTC\nDashboard: ")


def test_stale_monitors_of_one_owner_are_one_message(render):
    stale = [
        alert("DriftmonMonitorStale", severity="warning", component="freshness", monitor=name) for name in ("a", "b")
    ]

    assert render("driftmon.title", *stale) == "[warning] DriftmonMonitorStale of flights (and 1 more)"
    assert len(items(render("driftmon.text", *stale))) == 2


@pytest.mark.parametrize(
    "name", ["<!channel>", "a|b", "<script>alert(1)</script>", '"><b>', "{{ . }}", "x" * 300, "\u202eabc"]
)
def test_names_wake_nobody_and_run_nothing(render, name):
    one = alert(column=name, role="feature", rank="000001", text=f"{name} 1 % → 2 %")
    one["annotations"] |= {"headline": f"1 of 1 columns drifted: {name}", "status_url": ""}

    slack = render("driftmon.slack.title", one) + render("driftmon.slack.text", one)
    html = render("driftmon.html", one, kind="html")
    text = render("driftmon.text", one)

    assert name in text
    written = re.sub(r"<http[^|>]*\|(?:Dashboard|Status page|What to do)>", "", slack)
    assert "<" not in written
    assert ">" not in written
    assert "<script" not in html
    assert "<b>4" not in html
    assert html.count("<b>") == 1
