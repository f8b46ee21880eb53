-- What Grafana may read: the views made for it. Run by driftmon, their owner, after each migration, as often as one likes.
-- Views read with the rights of their owner, so that their readers need none on the tables.

\set ON_ERROR_STOP on
SELECT format('GRANT SELECT ON %I.%I TO grafana_reader', schemaname, viewname)
FROM pg_views
WHERE schemaname = 'public' AND viewname LIKE 'grafana\_%'
\gexec
