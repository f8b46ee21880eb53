-- count: aggregates
SELECT count(*) AS count_1, sum(CASE WHEN (r.c0 > %(param_1)s) THEN CASE WHEN (r.c0 > %(param_2)s) THEN CASE WHEN (r.c0 = 'NaN') THEN CAST('1e48' AS NUMERIC) ELSE CAST('1e36' AS NUMERIC) END ELSE CAST('1e24' AS NUMERIC) END ELSE CASE WHEN (r.c0 > %(param_3)s) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c0 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_1, sum(CASE WHEN (r.c1 >= %(param_4)s::BIGINT) THEN CAST('1e24' AS NUMERIC) ELSE CASE WHEN (r.c1 >= %(param_5)s::BIGINT) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c1 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_2, sum(CASE WHEN (r.c2 > %(param_6)s) THEN CASE WHEN (r.c2 = 'NaN') THEN CAST('1e36' AS NUMERIC) ELSE CAST('1e24' AS NUMERIC) END ELSE CASE WHEN (r.c2 > %(param_7)s) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c2 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_3, count(*) FILTER (WHERE r.c3 = false) AS anon_1, count(*) FILTER (WHERE r.c3 = true) AS anon_2, sum(CASE WHEN (r.c4 = %(param_8)s::VARCHAR) THEN CAST('1e0' AS NUMERIC) WHEN (r.c4 = %(param_9)s::VARCHAR) THEN CAST('1e12' AS NUMERIC) WHEN (r.c4 IS NOT NULL) THEN CAST('1e24' AS NUMERIC) END) AS sum_4
FROM (SELECT "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, CAST("carrier ""code""" AS TEXT) COLLATE "C" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_10)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_11)s::TIMESTAMP WITHOUT TIME ZONE) AS r

-- count: groups
SELECT count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CAST("tail" AS TEXT) COLLATE "C" AS v0, CASE WHEN ("booked" BETWEEN CAST('0001-01-01' AS TIMESTAMP WITHOUT TIME ZONE) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP WITHOUT TIME ZONE)) THEN CASE WHEN ("booked" >= %(param_1)s::TIMESTAMP WITHOUT TIME ZONE) THEN date_trunc('hour', "booked") ELSE "booked" END END AS v1, CASE WHEN ("sent" BETWEEN CAST('0001-01-01' AS TIMESTAMP WITH TIME ZONE) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP WITH TIME ZONE)) THEN CASE WHEN ("sent" >= %(param_2)s::TIMESTAMP WITH TIME ZONE) THEN date_trunc('hour', "sent") ELSE "sent" END END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_3)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_4)s::TIMESTAMP WITHOUT TIME ZONE) AS r GROUP BY GROUPING SETS((r.v0), (r.v1), (r.v2))

-- count: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST("carrier ""code""" AS TEXT) COLLATE "C" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_1)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_2)s::TIMESTAMP WITHOUT TIME ZONE) AS r
WHERE r.v IS NOT NULL AND r.v != %(param_3)s::VARCHAR AND r.v != %(param_4)s::VARCHAR GROUP BY r.v
HAVING count(*) >= %(count_1)s::INTEGER ORDER BY n DESC
 LIMIT %(param_5)s::INTEGER

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, sum(CASE WHEN (r.c0 > %(param_1)s) THEN CASE WHEN (r.c0 > %(param_2)s) THEN CASE WHEN (r.c0 = 'NaN') THEN CAST('1e48' AS NUMERIC) ELSE CAST('1e36' AS NUMERIC) END ELSE CAST('1e24' AS NUMERIC) END ELSE CASE WHEN (r.c0 > %(param_3)s) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c0 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_1, sum(CASE WHEN (r.c1 >= %(param_4)s::BIGINT) THEN CAST('1e24' AS NUMERIC) ELSE CASE WHEN (r.c1 >= %(param_5)s::BIGINT) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c1 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_2, sum(CASE WHEN (r.c2 > %(param_6)s) THEN CASE WHEN (r.c2 = 'NaN') THEN CAST('1e36' AS NUMERIC) ELSE CAST('1e24' AS NUMERIC) END ELSE CASE WHEN (r.c2 > %(param_7)s) THEN CAST('1e12' AS NUMERIC) ELSE CASE WHEN (r.c2 IS NOT NULL) THEN CAST('1e0' AS NUMERIC) END END END) AS sum_3, count(*) FILTER (WHERE r.c3 = false) AS anon_1, count(*) FILTER (WHERE r.c3 = true) AS anon_2, sum(CASE WHEN (r.c4 = %(param_8)s::VARCHAR) THEN CAST('1e0' AS NUMERIC) WHEN (r.c4 = %(param_9)s::VARCHAR) THEN CAST('1e12' AS NUMERIC) WHEN (r.c4 IS NOT NULL) THEN CAST('1e24' AS NUMERIC) END) AS sum_4
FROM (SELECT CASE WHEN ("booked" >= %(param_10)s::TIMESTAMP WITHOUT TIME ZONE) THEN CASE WHEN ("booked" >= %(param_11)s::TIMESTAMP WITHOUT TIME ZONE) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= %(param_12)s::TIMESTAMP WITHOUT TIME ZONE) THEN 2 ELSE CASE WHEN ("booked" >= %(param_13)s::TIMESTAMP WITHOUT TIME ZONE) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ((CAST("carrier ""code""" AS TEXT) COLLATE "C") = %(param_14)s::VARCHAR) THEN 0 WHEN ((CAST("carrier ""code""" AS TEXT) COLLATE "C") = %(param_15)s::VARCHAR) THEN 1 ELSE -1 END AS k1, "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, CAST("carrier ""code""" AS TEXT) COLLATE "C" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_16)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_17)s::TIMESTAMP WITHOUT TIME ZONE) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CASE WHEN ("booked" >= %(param_1)s::TIMESTAMP WITHOUT TIME ZONE) THEN CASE WHEN ("booked" >= %(param_2)s::TIMESTAMP WITHOUT TIME ZONE) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= %(param_3)s::TIMESTAMP WITHOUT TIME ZONE) THEN 2 ELSE CASE WHEN ("booked" >= %(param_4)s::TIMESTAMP WITHOUT TIME ZONE) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ((CAST("carrier ""code""" AS TEXT) COLLATE "C") = %(param_5)s::VARCHAR) THEN 0 WHEN ((CAST("carrier ""code""" AS TEXT) COLLATE "C") = %(param_6)s::VARCHAR) THEN 1 ELSE -1 END AS k1, CAST("tail" AS TEXT) COLLATE "C" AS v0, CASE WHEN ("booked" BETWEEN CAST('0001-01-01' AS TIMESTAMP WITHOUT TIME ZONE) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP WITHOUT TIME ZONE)) THEN CASE WHEN ("booked" >= %(param_7)s::TIMESTAMP WITHOUT TIME ZONE) THEN date_trunc('hour', "booked") ELSE "booked" END END AS v1, CASE WHEN ("sent" BETWEEN CAST('0001-01-01' AS TIMESTAMP WITH TIME ZONE) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP WITH TIME ZONE)) THEN CASE WHEN ("sent" >= %(param_8)s::TIMESTAMP WITH TIME ZONE) THEN date_trunc('hour', "sent") ELSE "sent" END END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_9)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_10)s::TIMESTAMP WITHOUT TIME ZONE) AS r GROUP BY GROUPING SETS((r.k0, r.k1, r.v0), (r.k0, r.k1, r.v1), (r.k0, r.k1, r.v2))

-- history: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST("carrier ""code""" AS TEXT) COLLATE "C" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_1)s::TIMESTAMP WITHOUT TIME ZONE AND "booked" < %(param_2)s::TIMESTAMP WITHOUT TIME ZONE) AS r
WHERE r.v IS NOT NULL AND r.v != %(param_3)s::VARCHAR AND r.v != %(param_4)s::VARCHAR GROUP BY r.v
HAVING count(*) >= %(count_1)s::INTEGER ORDER BY n DESC
 LIMIT %(param_5)s::INTEGER
