-- count: aggregates
SELECT count(*) AS count_1, count(r.c0) AS count_2, count(CASE WHEN (r.c0 > :param_1) THEN 1 END) AS count_3, count(CASE WHEN (r.c0 > :param_2) THEN 1 END) AS count_4, count(CASE WHEN (r.c0 > :param_3) THEN 1 END) AS count_5, count(r.c1) AS count_6, count(CASE WHEN (r.c1 >= :param_4) THEN 1 END) AS count_7, count(CASE WHEN (r.c1 >= :param_5) THEN 1 END) AS count_8, count(r.c2) AS count_9, count(CASE WHEN (r.c2 > :param_6) THEN 1 END) AS count_10, count(CASE WHEN (r.c2 > :param_7) THEN 1 END) AS count_11, count(CASE WHEN (r.c3 = 0) THEN 1 END) AS count_12, count(CASE WHEN (r.c3 = 1) THEN 1 END) AS count_13, count(r.c4) AS count_14, count(CASE WHEN (r.c4 = :param_8) THEN 1 END) AS count_15, count(CASE WHEN (r.c4 = :param_9) THEN 1 END) AS count_16
FROM (SELECT [delay] AS c0, [seats] AS c1, [fare] AS c2, [late] AS c3, CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS c4
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_10 AND [booked] < :param_11) AS r

-- count: groups
SELECT count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CAST([tail] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS v0, CASE WHEN ([booked] >= :param_1) THEN datetrunc(hour, [booked]) ELSE [booked] END AS v1, CASE WHEN ([sent] >= :param_2) THEN datetrunc(hour, [sent]) ELSE [sent] END AS v2
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_3 AND [booked] < :param_4) AS r GROUP BY GROUPING SETS((r.v0), (r.v1), (r.v2))

-- count: new categories
SELECT TOP __[POSTCOMPILE_param_1] count(*) AS n, r.v
FROM (SELECT CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS v
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_2 AND [booked] < :param_3) AS r
WHERE r.v IS NOT NULL AND r.v != :param_4 AND r.v != :param_5 GROUP BY r.v
HAVING count(*) >= :count_1 ORDER BY n DESC

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, count(r.c0) AS count_2, count(CASE WHEN (r.c0 > :param_1) THEN 1 END) AS count_3, count(CASE WHEN (r.c0 > :param_2) THEN 1 END) AS count_4, count(CASE WHEN (r.c0 > :param_3) THEN 1 END) AS count_5, count(r.c1) AS count_6, count(CASE WHEN (r.c1 >= :param_4) THEN 1 END) AS count_7, count(CASE WHEN (r.c1 >= :param_5) THEN 1 END) AS count_8, count(r.c2) AS count_9, count(CASE WHEN (r.c2 > :param_6) THEN 1 END) AS count_10, count(CASE WHEN (r.c2 > :param_7) THEN 1 END) AS count_11, count(CASE WHEN (r.c3 = 0) THEN 1 END) AS count_12, count(CASE WHEN (r.c3 = 1) THEN 1 END) AS count_13, count(r.c4) AS count_14, count(CASE WHEN (r.c4 = :param_8) THEN 1 END) AS count_15, count(CASE WHEN (r.c4 = :param_9) THEN 1 END) AS count_16
FROM (SELECT CASE WHEN ([booked] >= :param_10) THEN CASE WHEN ([booked] >= :param_11) THEN 4 ELSE 3 END ELSE CASE WHEN ([booked] >= :param_12) THEN 2 ELSE CASE WHEN ([booked] >= :param_13) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ((CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2) = :param_14) THEN 0 WHEN ((CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2) = :param_15) THEN 1 ELSE -1 END AS k1, [delay] AS c0, [seats] AS c1, [fare] AS c2, [late] AS c3, CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS c4
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_16 AND [booked] < :param_17) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, grouping(r.v0) AS grouping_1, grouping(r.v1) AS grouping_2, grouping(r.v2) AS grouping_3, r.v0, r.v1, r.v2
FROM (SELECT CASE WHEN ([booked] >= :param_1) THEN CASE WHEN ([booked] >= :param_2) THEN 4 ELSE 3 END ELSE CASE WHEN ([booked] >= :param_3) THEN 2 ELSE CASE WHEN ([booked] >= :param_4) THEN 1 ELSE 0 END END END AS k0, CASE WHEN ((CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2) = :param_5) THEN 0 WHEN ((CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2) = :param_6) THEN 1 ELSE -1 END AS k1, CAST([tail] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS v0, CASE WHEN ([booked] >= :param_7) THEN datetrunc(hour, [booked]) ELSE [booked] END AS v1, CASE WHEN ([sent] >= :param_8) THEN datetrunc(hour, [sent]) ELSE [sent] END AS v2
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_9 AND [booked] < :param_10) AS r GROUP BY GROUPING SETS((r.k0, r.k1, r.v0), (r.k0, r.k1, r.v1), (r.k0, r.k1, r.v2))

-- history: new categories
SELECT TOP __[POSTCOMPILE_param_1] count(*) AS n, r.v
FROM (SELECT CAST([carrier "code"] AS NVARCHAR(max)) + N'.' COLLATE Latin1_General_100_BIN2 AS v
FROM sales.[Daily.Flights]
WHERE [booked] >= :param_2 AND [booked] < :param_3) AS r
WHERE r.v IS NOT NULL AND r.v != :param_4 AND r.v != :param_5 GROUP BY r.v
HAVING count(*) >= :count_1 ORDER BY n DESC
