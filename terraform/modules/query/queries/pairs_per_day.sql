-- Training pairs and people of each day.
SELECT date_trunc('day', "timestamp") AS day, count(*) AS pairs, count(DISTINCT pseudonym) AS people
FROM "${curated}"."machine_learning_curated"
GROUP BY date_trunc('day', "timestamp")
ORDER BY day
