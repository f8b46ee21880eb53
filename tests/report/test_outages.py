"""The pages while the database is away, slow or hanging: a clear line, and nobody else waits."""

import re
import threading

from driftmon.exporter.service import Exporter
from driftmon.store.store import Store
from tests.exporter.conftest import Results, fetch, until  # noqa: F401 - fixtures
from tests.servers import postgresql

PAGES = [
    "/monitors/flights",
    "/monitors/flights/column?name=dep_delay",
    "/monitors/flights?window=2013-05-01T00:00:00Z",
]
SERIES = 'driftmon_column_kl_divergence_nats{model="arrival-delay",monitor="flights",column="dep_delay"'


def serving(url):
    """An exporter that has read its database once, and reads it again only when it is told to."""
    exporter = Exporter(lambda: Store.open(url, read_only=True), listen="127.0.0.1:0", refresh_seconds=3600)
    exporter._server.start()
    assert exporter.refresh()
    return exporter


def assert_that_pages_say_so_and_the_rest_goes_on(exporter, fetch):  # noqa: F811 - the fixture
    for path in PAGES:
        answer = fetch(exporter.address, path)

        assert answer.status == 503, path
        assert "cannot read the results" in answer.text
        assert "The overview keeps what was read last; the log says more." in answer.text
        assert not re.search(r"Traceback|psycopg|sqlite3|sqlalchemy|line \d+, in", answer.text)
        assert '<a href="/">all monitors</a>' in answer.text
    overview = fetch(exporter.address, "/")
    assert (overview.status, "1 of 1 monitor drifted" in overview.text) == (200, True)
    assert SERIES in fetch(exporter.address, "/metrics").text
    assert fetch(exporter.address, "/runbooks/DriftmonExporterRefreshFailing").status == 200


def test_pages_say_that_a_stopped_server_does_not_answer_and_come_back_with_it(fetch, caplog):  # noqa: F811
    with postgresql() as server:
        results = Results(server.url(server.create_database()))
        results.check(dep_delay=0.9)
        exporter = serving(results.url)
        assert {fetch(exporter.address, path).status for path in PAGES} == {200}
        results.store.close()

    assert_that_pages_say_so_and_the_rest_goes_on(exporter, fetch)
    assert not exporter.refresh()
    assert_that_pages_say_so_and_the_rest_goes_on(exporter, fetch)
    assert "The results database cannot be read." in fetch(exporter.address, "/").text
    assert "cannot read a page of flights: " in caplog.text
    assert "Traceback" not in caplog.text
    exporter.stop()


def test_pages_say_that_a_file_is_gone_and_come_back_with_it(fetch, tmp_path):  # noqa: F811
    database = tmp_path / "driftmon.db"
    results = Results(f"sqlite:///{database}")
    results.check(dep_delay=0.9)
    results.store.close()
    exporter = serving(results.url)

    away = database.rename(tmp_path / "away")
    assert_that_pages_say_so_and_the_rest_goes_on(exporter, fetch)
    away.rename(database)

    assert {fetch(exporter.address, path).status for path in PAGES} == {200}
    exporter.stop()


def test_a_page_that_waits_for_the_database_holds_up_neither_metrics_nor_the_overview(
    postgresql_server,
    fetch,  # noqa: F811 - the fixture
    until,  # noqa: F811 - the fixture
):
    from sqlalchemy import create_engine, text

    results = Results(postgresql_server.url(postgresql_server.create_database()))
    results.check(dep_delay=0.9)
    results.store.close()
    exporter = serving(results.url)
    locked = create_engine(results.url.replace("postgresql://", "postgresql+psycopg://"))
    answers = []
    with locked.connect() as holder, locked.connect() as watcher:
        [table] = holder.execute(text("SELECT relname FROM pg_class WHERE relname = 'driftmon_checks'")).scalars()
        holder.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        pages = [
            threading.Thread(target=lambda path=path: answers.append(fetch(exporter.address, path).status))
            for path in PAGES
        ]
        for page in pages:
            page.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        assert until(lambda: watcher.execute(waiting).scalar())

        assert SERIES in fetch(exporter.address, "/metrics").text
        assert fetch(exporter.address, "/").status == 200
        assert fetch(exporter.address, "/healthz").status == 200
        assert answers == []
        assert all(page.is_alive() for page in pages)
        holder.rollback()
        for page in pages:
            page.join(timeout=30)
    locked.dispose()
    exporter.stop()

    assert answers == [200, 200, 200]


def test_pages_that_wait_too_long_for_their_turn_are_told_so_and_do_not_pile_up(fetch, until, tmp_path):  # noqa: F811
    results = Results(f"sqlite:///{tmp_path / 'driftmon.db'}")
    results.check(dep_delay=0.9)
    results.store.close()
    held, entered = threading.Event(), threading.Semaphore(0)

    class Slow(Store):
        def load_checks(self, *arguments, **options):
            entered.release()
            assert held.wait(60)
            return super().load_checks(*arguments, **options)

    exporter = Exporter(lambda: Slow.open(results.url, read_only=True), listen="127.0.0.1:0", refresh_seconds=3600)
    exporter._server.start()
    assert exporter.refresh()
    statuses = []
    pages = [
        threading.Thread(target=lambda: statuses.append(fetch(exporter.address, PAGES[0]).status)) for _ in range(5)
    ]
    for page in pages:
        page.start()
    for _ in range(3):
        assert entered.acquire(timeout=30)
    assert until(lambda: len(statuses) == 2)
    turned_away = list(statuses)
    held.set()
    for page in pages:
        page.join(timeout=30)
    exporter.stop()

    assert turned_away == [503, 503]
    assert sorted(statuses) == [200] * 3 + [503] * 2
