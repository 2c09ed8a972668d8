-- Trusted readings of people without consent, or made before it. Expected: 0 in both columns of every row.
WITH owners AS (
  SELECT claims.serialnumber, min(customers.consent_start) AS consent_start
  FROM (SELECT DISTINCT serialnumber, email FROM "${landing}"."customer_landing" WHERE doubt IS NULL) AS claims
  JOIN "${curated}"."customers_curated" AS customers ON customers.email = claims.email
  GROUP BY claims.serialnumber
)
SELECT
  'accelerometer_trusted' AS table_name,
  count(*) FILTER (WHERE customers.consent_start IS NULL) AS without_consent,
  count(*) FILTER (WHERE readings."timestamp" < customers.consent_start) AS before_consent
FROM "${trusted}"."accelerometer_trusted" AS readings
LEFT JOIN "${trusted}"."customer_trusted" AS customers ON customers.email = readings."user"
UNION ALL
SELECT
  'step_trainer_trusted',
  count(*) FILTER (WHERE owners.consent_start IS NULL),
  count(*) FILTER (WHERE readings.sensorreadingtime < owners.consent_start)
FROM "${trusted}"."step_trainer_trusted" AS readings
LEFT JOIN owners ON owners.serialnumber = readings.serialnumber
