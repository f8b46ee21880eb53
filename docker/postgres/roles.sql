-- Databases and roles, each with no more rights than it needs. Run by the superuser before the migrations, as often as one likes:
-- it makes what is missing, and sets the passwords that it is given.
--
--   airflow         owns the database airflow
--   driftmon        owns the database driftmon: migrations and checks
--   exporter        reads the results: driftmon serve
--   grafana_reader  reads the views that grants.sql names, and nothing else
--
-- Passwords come from the environment, so that they are in no file and no command line. psql 15 or newer.

\set ON_ERROR_STOP on
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv driftmon_password DRIFTMON_DB_PASSWORD
\getenv exporter_password EXPORTER_DB_PASSWORD
\getenv grafana_password GRAFANA_DB_PASSWORD

SELECT format('CREATE ROLE %I', wanted.name)
FROM (VALUES ('airflow'), ('driftmon'), ('exporter'), ('grafana_reader')) AS wanted (name)
WHERE wanted.name NOT IN (SELECT rolname FROM pg_roles)
\gexec

ALTER ROLE airflow WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'airflow_password';
ALTER ROLE driftmon WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'driftmon_password';
ALTER ROLE exporter WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'exporter_password';
ALTER ROLE grafana_reader WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'grafana_password';

-- A dashboard that asks for too much must not take the database away from the checks.
ALTER ROLE exporter SET default_transaction_read_only = on;
ALTER ROLE exporter SET statement_timeout = '60s';
ALTER ROLE grafana_reader SET default_transaction_read_only = on;
ALTER ROLE grafana_reader SET statement_timeout = '15s';

SELECT format('CREATE DATABASE %I OWNER %I', wanted.name, wanted.name)
FROM (VALUES ('airflow'), ('driftmon')) AS wanted (name)
WHERE wanted.name NOT IN (SELECT datname FROM pg_database)
\gexec

-- By default everybody may connect everywhere and make temporary tables.
REVOKE ALL ON DATABASE airflow, driftmon, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE driftmon TO exporter, grafana_reader;

\connect driftmon
-- Tables of today, and those that migrations will make.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO exporter;
ALTER DEFAULT PRIVILEGES FOR ROLE driftmon IN SCHEMA public GRANT SELECT ON TABLES TO exporter;
