-- count: aggregates
SELECT count(*) AS count_1, count(r.c0) AS count_2, count(*) FILTER (WHERE r.c0 > ?) AS anon_1, count(*) FILTER (WHERE r.c0 > ?) AS anon_2, count(*) FILTER (WHERE r.c0 > ?) AS anon_3, count(r.c1) AS count_3, count(*) FILTER (WHERE r.c1 >= ?) AS anon_4, count(*) FILTER (WHERE r.c1 >= ?) AS anon_5, count(r.c2) AS count_4, count(*) FILTER (WHERE r.c2 > ?) AS anon_6, count(*) FILTER (WHERE r.c2 > ?) AS anon_7, count(*) FILTER (WHERE r.c3 = 0) AS anon_8, count(*) FILTER (WHERE r.c3 = 1) AS anon_9, count(r.c4) AS count_5, count(*) FILTER (WHERE r.c4 = ?) AS anon_10, count(*) FILTER (WHERE r.c4 = ?) AS anon_11
FROM (SELECT "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, "carrier ""code""" COLLATE "BINARY" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT "tail" COLLATE "BINARY" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.v0

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT "booked" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.v0

-- count: groups
SELECT count(*) AS count_1, r.v0
FROM (SELECT "sent" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.v0

-- count: new categories
SELECT count(*) AS n, r.v
FROM (SELECT "carrier ""code""" COLLATE "BINARY" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r
WHERE r.v IS NOT NULL AND r.v != ? AND r.v != ? GROUP BY r.v
HAVING count(*) >= ? ORDER BY n DESC
 LIMIT ? OFFSET ?

-- history: aggregates
SELECT r.k0, r.k1, count(*) AS count_1, count(r.c0) AS count_2, count(*) FILTER (WHERE r.c0 > ?) AS anon_1, count(*) FILTER (WHERE r.c0 > ?) AS anon_2, count(*) FILTER (WHERE r.c0 > ?) AS anon_3, count(r.c1) AS count_3, count(*) FILTER (WHERE r.c1 >= ?) AS anon_4, count(*) FILTER (WHERE r.c1 >= ?) AS anon_5, count(r.c2) AS count_4, count(*) FILTER (WHERE r.c2 > ?) AS anon_6, count(*) FILTER (WHERE r.c2 > ?) AS anon_7, count(*) FILTER (WHERE r.c3 = 0) AS anon_8, count(*) FILTER (WHERE r.c3 = 1) AS anon_9, count(r.c4) AS count_5, count(*) FILTER (WHERE r.c4 = ?) AS anon_10, count(*) FILTER (WHERE r.c4 = ?) AS anon_11
FROM (SELECT CASE WHEN ("booked" >= ?) THEN CASE WHEN ("booked" >= ?) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= ?) THEN 2 ELSE CASE WHEN ("booked" >= ?) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 0 WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 1 ELSE -1 END AS k1, "delay" AS c0, "seats" AS c1, "fare" AS c2, "late" AS c3, "carrier ""code""" COLLATE "BINARY" AS c4
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.k0, r.k1

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN ("booked" >= ?) THEN CASE WHEN ("booked" >= ?) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= ?) THEN 2 ELSE CASE WHEN ("booked" >= ?) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 0 WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 1 ELSE -1 END AS k1, "tail" COLLATE "BINARY" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.k0, r.k1, r.v0

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN ("booked" >= ?) THEN CASE WHEN ("booked" >= ?) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= ?) THEN 2 ELSE CASE WHEN ("booked" >= ?) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 0 WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 1 ELSE -1 END AS k1, "booked" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.k0, r.k1, r.v0

-- history: groups
SELECT r.k0, r.k1, count(*) AS count_1, r.v0
FROM (SELECT CASE WHEN ("booked" >= ?) THEN CASE WHEN ("booked" >= ?) THEN 4 ELSE 3 END ELSE CASE WHEN ("booked" >= ?) THEN 2 ELSE CASE WHEN ("booked" >= ?) THEN 1 ELSE 0 END END END AS k0, CASE WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 0 WHEN (("carrier ""code""" COLLATE "BINARY") = ?) THEN 1 ELSE -1 END AS k1, "sent" AS v0
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r GROUP BY r.k0, r.k1, r.v0

-- history: new categories
SELECT count(*) AS n, r.v
FROM (SELECT "carrier ""code""" COLLATE "BINARY" AS v
FROM sales."Daily.Flights"
WHERE "booked" >= ? AND "booked" < ?) AS r
WHERE r.v IS NOT NULL AND r.v != ? AND r.v != ? GROUP BY r.v
HAVING count(*) >= ? ORDER BY n DESC
 LIMIT ? OFFSET ?
