-- count: aggregates
SELECT count(*) AS count_1, count(r.c0) AS count_2, count_if(is_nan(r.c0)) AS count_if_1, count_if(r.c0 > :param_1) AS count_if_2, count_if(r.c0 > :param_2) AS count_if_3, count_if(r.c0 > :param_3) AS count_if_4, count(r.c1) AS count_3, count_if(r.c1 >= :param_4) AS count_if_5, count_if(r.c1 >= :param_5) AS count_if_6, count(r.c2) AS count_4, count_if(r.c2 > :param_6) AS count_if_7, count_if(r.c2 > :param_7) AS count_if_8, count_if(r.c3 = false) AS count_if_9, count_if(r.c3 = true) AS count_if_10, count(r.c4) AS count_5, count_if(r.c4 = :param_8) AS count_if_11, count_if(r.c4 = :param_9) AS count_if_12
FROM (SELECT "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, "carrier ""code""" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= :param_10 AND "booked" < :param_11) AS r

-- count: groups
SELECT count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT "tail" AS v0, CASE WHEN ("booked" >= :param_1) THEN date_trunc('hour', "booked") ELSE "booked" END AS v1, CASE WHEN ("sent" >= :param_2) THEN date_trunc('hour', "sent") ELSE "sent" END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= :param_3 AND "booked" < :param_4) AS r GROUP BY GROUPING SETS((r.v0), (r.v1), (r.v2))

-- count: new categories
SELECT count(*) AS n, r.v
FROM (SELECT "carrier ""code""" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= :param_1 AND "booked" < :param_2) AS r
WHERE r.v IS NOT NULL AND r.v != :param_3 AND r.v != :param_4 GROUP BY r.v
HAVING count(*) >= :count_1 ORDER BY n DESC
LIMIT :param_5

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, count(r.c0) AS count_2, count_if(is_nan(r.c0)) AS count_if_1, count_if(r.c0 > :param_1) AS count_if_2, count_if(r.c0 > :param_2) AS count_if_3, count_if(r.c0 > :param_3) AS count_if_4, count(r.c1) AS count_3, count_if(r.c1 >= :param_4) AS count_if_5, count_if(r.c1 >= :param_5) AS count_if_6, count(r.c2) AS count_4, count_if(r.c2 > :param_6) AS count_if_7, count_if(r.c2 > :param_7) AS count_if_8, count_if(r.c3 = false) AS count_if_9, count_if(r.c3 = true) AS count_if_10, count(r.c4) AS count_5, count_if(r.c4 = :param_8) AS count_if_11, count_if(r.c4 = :param_9) AS count_if_12
FROM (SELECT CASE WHEN ("booked" >= :param_10) THEN CASE WHEN ("booked" >= :param_11) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= :param_12) THEN 2 ELSE CASE WHEN ("booked" >= :param_13) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ("carrier ""code""" = :param_14) THEN 0 WHEN ("carrier ""code""" = :param_15) THEN 1 ELSE -1 END AS k1, "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, "carrier ""code""" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= :param_16 AND "booked" < :param_17) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CASE WHEN ("booked" >= :param_1) THEN CASE WHEN ("booked" >= :param_2) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= :param_3) THEN 2 ELSE CASE WHEN ("booked" >= :param_4) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ("carrier ""code""" = :param_5) THEN 0 WHEN ("carrier ""code""" = :param_6) THEN 1 ELSE -1 END AS k1, "tail" AS v0, CASE WHEN ("booked" >= :param_7) THEN date_trunc('hour', "booked") ELSE "booked" END AS v1, CASE WHEN ("sent" >= :param_8) THEN date_trunc('hour', "sent") ELSE "sent" END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= :param_9 AND "booked" < :param_10) AS r GROUP BY GROUPING SETS((r.k0, r.k1, r.v0), (r.k0, r.k1, r.v1), (r.k0, r.k1, r.v2))

-- history: new categories
SELECT count(*) AS n, r.v
FROM (SELECT "carrier ""code""" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= :param_1 AND "booked" < :param_2) AS r
WHERE r.v IS NOT NULL AND r.v != :param_3 AND r.v != :param_4 GROUP BY r.v
HAVING count(*) >= :count_1 ORDER BY n DESC
LIMIT :param_5
