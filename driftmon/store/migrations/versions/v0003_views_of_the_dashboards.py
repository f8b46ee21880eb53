"""
Views that dashboards read: a contract with names and meanings that stay, whatever becomes of the tables (docs/database.md).

Both databases give the same rows. A later step that makes one of these tables anew on SQLite drops the views before and creates
them again after it: SQLite refuses to rename a table while a view speaks of one that is not there.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

WINDOWS = """
CREATE VIEW grafana_windows AS
SELECT
    monitors.name AS monitor,
    checks.model AS model,
    checks.window_start AS window_start,
    checks.window_end AS window_end,
    checks.scheduled AS scheduled,
    checks.checked_at AS checked_at,
    checks.status AS status,
    {urgency_of_checks} AS urgency,
    baselines.hash AS baseline,
    baselines.reference_rows AS reference_rows,
    checks.live_rows AS live_rows,
    {columns} AS columns,
    {critical_columns} AS critical_columns,
    {warning_columns} AS warning_columns,
    {unchecked_columns} AS unchecked_columns
FROM driftmon_checks AS checks
JOIN driftmon_monitors AS monitors ON monitors.id = checks.monitor_id
JOIN driftmon_baselines AS baselines ON baselines.id = checks.baseline_id
"""

COLUMN_RESULTS = """
CREATE VIEW grafana_column_results AS
SELECT
    monitors.name AS monitor,
    checks.model AS model,
    checks.window_start AS window_start,
    checks.window_end AS window_end,
    columns.column_name AS column_name,
    profiles.segment AS segment,
    columns.position AS position,
    profiles.position AS segment_position,
    results.role AS role,
    columns.kind AS kind,
    results.status AS status,
    {urgency_of_results} AS urgency,
    results.reason AS reason,
    profiles.reference_rows AS reference_rows,
    results.live_rows AS live_rows,
    results.kl AS kl,
    results.lower_bound AS lower_bound,
    results.upper_bound AS upper_bound,
    {bound} AS bound,
    results.noise_floor AS noise_floor,
    results.usual_limit AS usual_limit,
    results.p_value AS p_value,
    results.q_value AS q_value,
    results.warning_threshold AS warning_threshold,
    results.critical_threshold AS critical_threshold,
    {bound} / nullif(results.warning_threshold, 0) AS warning_ratio,
    {bound} / nullif(results.critical_threshold, 0) AS critical_ratio,
    results.missing_ratio AS missing_ratio,
    CAST(histograms.missing AS double precision) / nullif(profiles.reference_rows, 0) AS reference_missing_ratio,
    results.novel_ratio AS novel_ratio,
    results.expected_novel AS expected_novel_ratio,
    results.sustained AS sustained,
    results.ewma_windows AS sustained_windows,
    results.hint AS hint,
    {problems} AS quality_problems
FROM {joined}
"""

# A share x of K bins is smoothed into (2 m x + 1) / (2 m + K), with m reference rows on either side, and a bin adds
# p ln(p/q) - p + q, which is never negative: driftmon.core.divergence, in SQL. Counts sum to the rows.
COLUMN_BINS = """
CREATE VIEW grafana_column_bins AS
SELECT
    monitor, model, window_start, window_end, column_name, segment, kind, status, kl, position, label,
    reference_count,
    live_count,
    reference_count / m AS reference_share,
    live_count / n AS live_share,
    CASE WHEN kl IS NOT NULL THEN {greatest}(p * ln(p / q) - p + q, 0.0) END AS contribution
FROM (
    SELECT *, (2 * reference_count + 1) / (2 * m + size) AS q, (2 * m * live_count / n + 1) / (2 * m + size) AS p
    FROM (
        SELECT
            monitors.name AS monitor,
            checks.model AS model,
            checks.window_start AS window_start,
            checks.window_end AS window_end,
            columns.column_name AS column_name,
            profiles.segment AS segment,
            columns.kind AS kind,
            results.status AS status,
            results.kl AS kl,
            {place} AS position,
            {label} AS label,
            CAST({reference} AS bigint) AS reference_count,
            CAST({live} AS bigint) AS live_count,
            {length} AS size,
            CAST(nullif(profiles.reference_rows, 0) AS double precision) AS m,
            CAST(nullif(results.live_rows, 0) AS double precision) AS n
        FROM {joined}
        {unnested}
    ) AS counted
) AS smoothed
"""

# That column and profile are of the check's baseline follows from the histogram; said again, it lets PostgreSQL begin with the columns
# of one baseline instead of those of all monitors, which is 20 times as fast with 200 of them.
JOINED = """driftmon_column_results AS results
JOIN driftmon_checks AS checks ON checks.id = results.check_id
JOIN driftmon_monitors AS monitors ON monitors.id = checks.monitor_id
JOIN driftmon_baseline_histograms AS histograms ON histograms.id = results.reference_id
JOIN driftmon_baseline_columns AS columns
    ON columns.id = histograms.column_id AND columns.baseline_id = checks.baseline_id
JOIN driftmon_baseline_profiles AS profiles
    ON profiles.id = histograms.profile_id AND profiles.baseline_id = checks.baseline_id"""

BOUND = "{greatest}(results.lower_bound, results.lower_bound_reverse)"

URGENCY = """CASE {table}.status
        WHEN 'critical' THEN 7 WHEN 'warning' THEN 6 WHEN 'error' THEN 5 WHEN 'schema_changed' THEN 4
        WHEN 'no_data' THEN 3 WHEN 'insufficient_data' THEN 2 WHEN 'info' THEN 1 WHEN 'ok' THEN 0
    END"""

COUNT = """(
        SELECT count(*)
        FROM driftmon_column_results AS results
        JOIN driftmon_baseline_histograms AS histograms ON histograms.id = results.reference_id
        JOIN driftmon_baseline_profiles AS profiles ON profiles.id = histograms.profile_id
        WHERE results.check_id = checks.id AND profiles.position = 0 AND {condition}
    )"""

COUNTED = {
    "columns": "results.status IS NOT NULL",
    "critical_columns": "results.status = 'critical'",
    "warning_columns": "results.status = 'warning'",
    "unchecked_columns": "results.status NOT IN ('critical', 'warning', 'info', 'ok')",
}

POSTGRESQL = {
    "greatest": "greatest",
    # Its JSON functions stop at \u0000 and at half a pair of surrogates, which the value of a quality check may hold.
    "problems": r"""(
        SELECT string_agg(quality.found ->> 'check', ', ' ORDER BY quality.place)
        FROM json_array_elements(
            CAST(regexp_replace(results.quality, '\\u(0000|d[89a-f][0-9a-f]{2})', '\\ufffd', 'gi') AS json)
        ) WITH ORDINALITY AS quality(found, place)
        WHERE CAST(quality.found ->> 'problem' AS boolean)
    )""",
    "place": "listed.place - 1",
    "label": "listed.label",
    "reference": "listed.reference",
    "live": "listed.live",
    "length": "json_array_length(CAST(columns.labels AS json))",
    "unnested": """CROSS JOIN LATERAL ROWS FROM (
            json_array_elements_text(CAST(columns.labels AS json)),
            json_array_elements_text(CAST(histograms.counts AS json)),
            json_array_elements_text(CAST(results.counts AS json))
        ) WITH ORDINALITY AS listed(label, reference, live, place)""",
}

SQLITE = {
    "greatest": "max",
    "problems": """(
        SELECT group_concat(json_extract(quality.value, '$.check'), ', ')
        FROM json_each(results.quality) AS quality
        WHERE json_extract(quality.value, '$.problem')
    )""",
    "place": "label.key",
    "label": "label.value",
    "reference": "reference.value",
    "live": "live.value",
    "length": "json_array_length(columns.labels)",
    "unnested": """JOIN json_each(columns.labels) AS label
        JOIN json_each(histograms.counts) AS reference ON reference.key = label.key
        LEFT JOIN json_each(results.counts) AS live ON live.key = label.key""",
}

# For variables: Grafana's own quoting of SQL writes \" for a double quote, which names another column, and its macros, such as
# $__timeFilter(...), are looked for in the values of variables too. grafana_text('${name:percentencode}') is right for any text.
TEXT_OF_A_VARIABLE = """
CREATE FUNCTION grafana_text(encoded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT coalesce(convert_from(string_agg(
        CASE WHEN part[1] IS NULL THEN convert_to(part[2], 'UTF8') ELSE decode(part[1], 'hex') END, '' ORDER BY place
    ), 'UTF8'), '')
    FROM regexp_matches(encoded, '%([0-9A-Fa-f]{2})|([^%]+|%)', 'g') WITH ORDINALITY AS found(part, place)
$body$
"""

# The exporter cuts labels after 512 bytes and ends them in 16 digits of a hash (driftmon.exporter.exposition), and links come from there.
IS_THE_VARIABLE = """
CREATE FUNCTION grafana_is(name text, encoded text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT name = grafana_text(encoded) OR (
        octet_length(name) > 512
        AND right(grafana_text(encoded), 16) = left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16)
    )
$body$
"""


def filled_in(view: str, *, postgresql: bool) -> str:
    """The statement that makes a view, in the words of a database."""
    words = POSTGRESQL if postgresql else SQLITE
    words = words | {"joined": JOINED, "bound": BOUND.format(**words)}
    words |= {name: COUNT.format(condition=condition) for name, condition in COUNTED.items()}
    words |= {f"urgency_of_{table}": URGENCY.format(table=table) for table in ("checks", "results")}
    return view.format(**words)


def upgrade() -> None:
    """Apply this step."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(TEXT_OF_A_VARIABLE)
        op.execute(IS_THE_VARIABLE)
    for view in (WINDOWS, COLUMN_RESULTS, COLUMN_BINS):
        op.execute(filled_in(view, postgresql=postgresql))


def downgrade() -> None:
    """Take this step back."""
    for view in ("grafana_column_bins", "grafana_column_results", "grafana_windows"):
        op.execute(f"DROP VIEW {view}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION grafana_is(text, text)")
        op.execute("DROP FUNCTION grafana_text(text)")
