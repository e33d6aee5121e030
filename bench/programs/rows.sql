-- An in-memory database: bulk insert, indexes, joins, grouping, updates and deletes.
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, town TEXT, age INT);
CREATE TABLE payment(id INTEGER PRIMARY KEY, person INT, amount INT, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO person SELECT i, 'name ' || (i * 7919 % 60013), 'town ' || (i * 31 % 997), i % 90 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 240000)
INSERT INTO payment SELECT i, i * 7907 % 60000 + 1, i % 1000, 'payment number ' || i FROM n;
CREATE INDEX payment_person ON payment(person);
CREATE INDEX person_town ON person(town, age);
SELECT count(*), sum(total) FROM
  (SELECT town, sum(amount) AS total FROM person JOIN payment ON person = person.id GROUP BY town);
SELECT town, group_concat(name, ',') AS names FROM person GROUP BY town ORDER BY length(names) DESC, town LIMIT 1;
UPDATE payment SET note = upper(note) || ' checked' WHERE id % 3 = 0;
DELETE FROM payment WHERE person % 5 = 0;
SELECT count(*), count(DISTINCT note) FROM payment;
SELECT count(*) FROM payment WHERE note LIKE '%99 CHECKED';
