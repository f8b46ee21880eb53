-- count: aggregates
SELECT count(*) AS count_1, count(r.c0) AS count_2, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_3, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_4, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_5, count(r.c1) AS count_6, count(CASE WHEN (r.c1 >= %s) THEN 1 END) AS count_7, count(CASE WHEN (r.c1 >= %s) THEN 1 END) AS count_8, count(r.c2) AS count_9, count(CASE WHEN (r.c2 > %s) THEN 1 END) AS count_10, count(CASE WHEN (r.c2 > %s) THEN 1 END) AS count_11, count(CASE WHEN (r.c3 = false) THEN 1 END) AS count_12, count(CASE WHEN (r.c3 = true) THEN 1 END) AS count_13, count(r.c4) AS count_14, count(CASE WHEN (r.c4 = %s) THEN 1 END) AS count_15, count(CASE WHEN (r.c4 = %s) THEN 1 END) AS count_16
FROM (SELECT `delay` AS c0, `seats` AS c1, `fare` AS c2, `late` AS c3, CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) AS c4
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT CAST(convert(`tail` USING utf8mb4) AS BINARY) AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.v0

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN (`booked` >= %s) THEN CAST(date_format(`booked`, '%%Y-%%m-%%d %%H:00:00') AS DATETIME) ELSE `booked` END AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.v0

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN (`sent` >= %s) THEN CAST(date_format(`sent`, '%%Y-%%m-%%d %%H:00:00') AS DATETIME) ELSE `sent` END AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.v0

-- count: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) AS v
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r
WHERE r.v IS NOT NULL AND r.v != %s AND r.v != %s GROUP BY r.v
HAVING count(*) >= %s ORDER BY n DESC
 LIMIT %s

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, count(r.c0) AS count_2, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_3, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_4, count(CASE WHEN (r.c0 > %s) THEN 1 END) AS count_5, count(r.c1) AS count_6, count(CASE WHEN (r.c1 >= %s) THEN 1 END) AS count_7, count(CASE WHEN (r.c1 >= %s) THEN 1 END) AS count_8, count(r.c2) AS count_9, count(CASE WHEN (r.c2 > %s) THEN 1 END) AS count_10, count(CASE WHEN (r.c2 > %s) THEN 1 END) AS count_11, count(CASE WHEN (r.c3 = false) THEN 1 END) AS count_12, count(CASE WHEN (r.c3 = true) THEN 1 END) AS count_13, count(r.c4) AS count_14, count(CASE WHEN (r.c4 = %s) THEN 1 END) AS count_15, count(CASE WHEN (r.c4 = %s) THEN 1 END) AS count_16
FROM (SELECT CASE WHEN (`booked` >= %s) THEN CASE WHEN (`booked` >= %s) THEN 4 ELSE 3 END ELSE CASE WHEN (`booked` >= %s) THEN 2 ELSE CASE WHEN (`booked` >= %s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 0 WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 1 ELSE -1 END AS k1, `delay` AS c0, `seats` AS c1, `fare` AS c2, `late` AS c3, CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) AS c4
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN (`booked` >= %s) THEN CASE WHEN (`booked` >= %s) THEN 4 ELSE 3 END ELSE CASE WHEN (`booked` >= %s) THEN 2 ELSE CASE WHEN (`booked` >= %s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 0 WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 1 ELSE -1 END AS k1, CAST(convert(`tail` USING utf8mb4) AS BINARY) AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.k0, r.k1, r.v0

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN (`booked` >= %s) THEN CASE WHEN (`booked` >= %s) THEN 4 ELSE 3 END ELSE CASE WHEN (`booked` >= %s) THEN 2 ELSE CASE WHEN (`booked` >= %s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 0 WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 1 ELSE -1 END AS k1, CASE WHEN (`booked` >= %s) THEN CAST(date_format(`booked`, '%%Y-%%m-%%d %%H:00:00') AS DATETIME) ELSE `booked` END AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.k0, r.k1, r.v0

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN (`booked` >= %s) THEN CASE WHEN (`booked` >= %s) THEN 4 ELSE 3 END ELSE CASE WHEN (`booked` >= %s) THEN 2 ELSE CASE WHEN (`booked` >= %s) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 0 WHEN (CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) = %s) THEN 1 ELSE -1 END AS k1, CASE WHEN (`sent` >= %s) THEN CAST(date_format(`sent`, '%%Y-%%m-%%d %%H:00:00') AS DATETIME) ELSE `sent` END AS v0
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r GROUP BY r.k0, r.k1, r.v0

-- history: new categories
SELECT count(*) AS n, r.v
FROM (SELECT CAST(convert(`carrier "code"` USING utf8mb4) AS BINARY) AS v
FROM sales.`Daily.Flights`
WHERE `booked` >= %s AND `booked` < %s) AS r
WHERE r.v IS NOT NULL AND r.v != %s AND r.v != %s GROUP BY r.v
HAVING count(*) >= %s ORDER BY n DESC
 LIMIT %s
