-- Customers that customers_curated holds more than once. Expected: no row.
SELECT email, count(*) AS row_count
FROM "${curated}"."customers_curated"
GROUP BY email
HAVING count(*) > 1
ORDER BY email
