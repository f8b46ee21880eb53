-- count: aggregates
SELECT count(*) AS count_1, count(r.c0) AS count_2, count_if(isnan(r.c0)) AS count_if_1, count_if(r.c0 > %(param_1)s) AS count_if_2, count_if(r.c0 > %(param_2)s) AS count_if_3, count_if(r.c0 > %(param_3)s) AS count_if_4, count(r.c1) AS count_3, count_if(r.c1 >= %(param_4)s) AS count_if_5, count_if(r.c1 >= %(param_5)s) AS count_if_6, count(r.c2) AS count_4, count_if(r.c2 > %(param_6)s) AS count_if_7, count_if(r.c2 > %(param_7)s) AS count_if_8, count_if(r.c3 = false) AS count_if_9, count_if(r.c3 = true) AS count_if_10, count(r.c4) AS count_5, count_if(r.c4 = %(param_8)s) AS count_if_11, count_if(r.c4 = %(param_9)s) AS count_if_12
FROM (SELECT "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, CAST("carrier ""code""" AS VARCHAR) AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_10)s AND "booked" < %(param_11)s) AS r

-- count: groups
SELECT count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CAST("tail" AS VARCHAR) AS v0, CASE WHEN ("booked" >= %(param_1)s) THEN date_trunc('hour', "booked") ELSE "booked" END AS v1, CASE WHEN ("sent" >= %(param_2)s) THEN date_trunc('hour', "sent") ELSE "sent" END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_3)s AND "booked" < %(param_4)s) AS r GROUP BY GROUPING SETS((r.v0), (r.v1), (r.v2))

-- count: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST("carrier ""code""" AS VARCHAR) AS v
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_1)s AND "booked" < %(param_2)s) AS r
WHERE r.v IS NOT NULL AND r.v != %(param_3)s AND r.v != %(param_4)s GROUP BY r.v
HAVING count(*) >= %(count_1)s ORDER BY n DESC
 LIMIT %(param_5)s

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, count(r.c0) AS count_2, count_if(isnan(r.c0)) AS count_if_1, count_if(r.c0 > %(param_1)s) AS count_if_2, count_if(r.c0 > %(param_2)s) AS count_if_3, count_if(r.c0 > %(param_3)s) AS count_if_4, count(r.c1) AS count_3, count_if(r.c1 >= %(param_4)s) AS count_if_5, count_if(r.c1 >= %(param_5)s) AS count_if_6, count(r.c2) AS count_4, count_if(r.c2 > %(param_6)s) AS count_if_7, count_if(r.c2 > %(param_7)s) AS count_if_8, count_if(r.c3 = false) AS count_if_9, count_if(r.c3 = true) AS count_if_10, count(r.c4) AS count_5, count_if(r.c4 = %(param_8)s) AS count_if_11, count_if(r.c4 = %(param_9)s) AS count_if_12
FROM (SELECT CASE WHEN ("booked" >= %(param_10)s) THEN CASE WHEN ("booked" >= %(param_11)s) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= %(param_12)s) THEN 2 ELSE CASE WHEN ("booked" >= %(param_13)s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST("carrier ""code""" AS VARCHAR) = %(param_14)s) THEN 0 WHEN (CAST("carrier ""code""" AS VARCHAR) = %(param_15)s) THEN 1 ELSE -1 END AS k1, "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, CAST("carrier ""code""" AS VARCHAR) AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_16)s AND "booked" < %(param_17)s) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CASE WHEN ("booked" >= %(param_1)s) THEN CASE WHEN ("booked" >= %(param_2)s) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= %(param_3)s) THEN 2 ELSE CASE WHEN ("booked" >= %(param_4)s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST("carrier ""code""" AS VARCHAR) = %(param_5)s) THEN 0 WHEN (CAST("carrier ""code""" AS VARCHAR) = %(param_6)s) THEN 1 ELSE -1 END AS k1, CAST("tail" AS VARCHAR) AS v0, CASE WHEN ("booked" >= %(param_7)s) THEN date_trunc('hour', "booked") ELSE "booked" END AS v1, CASE WHEN ("sent" >= %(param_8)s) THEN date_trunc('hour', "sent") ELSE "sent" END AS v2
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_9)s AND "booked" < %(param_10)s) AS r GROUP BY GROUPING SETS((r.k0, r.k1, r.v0), (r.k0, r.k1, r.v1), (r.k0, r.k1, r.v2))

-- history: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST("carrier ""code""" AS VARCHAR) AS v
FROM sales."Daily.Flights"
WHERE "booked" >= %(param_1)s AND "booked" < %(param_2)s) AS r
WHERE r.v IS NOT NULL AND r.v != %(param_3)s AND r.v != %(param_4)s GROUP BY r.v
HAVING count(*) >= %(count_1)s ORDER BY n DESC
 LIMIT %(param_5)s
