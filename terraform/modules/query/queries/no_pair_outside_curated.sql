-- Pairs that no curated customer can have made. Expected: 0, and no more people than curated customers.
-- SQL has no key to tell a pseudonym's person: a pair is looked for among the readings of all of them.
WITH devices AS (
  SELECT DISTINCT claims.email, claims.serialnumber
  FROM "${landing}"."customer_landing" AS claims
  JOIN "${curated}"."customers_curated" AS customers ON customers.email = claims.email
  WHERE claims.doubt IS NULL
),
possible AS (
  SELECT DISTINCT readings."timestamp", steps.distancefromobject, readings.x, readings.y, readings.z
  FROM devices
  JOIN "${trusted}"."accelerometer_trusted" AS readings ON readings."user" = devices.email
  JOIN "${trusted}"."step_trainer_trusted" AS steps
    ON steps.serialnumber = devices.serialnumber AND steps.sensorreadingtime = readings."timestamp"
)
SELECT
  count(*) FILTER (WHERE possible."timestamp" IS NULL) AS pairs_outside_curated,
  count(DISTINCT pairs.pseudonym) AS people,
  (SELECT count(DISTINCT email) FROM "${curated}"."customers_curated") AS curated_customers
FROM "${curated}"."machine_learning_curated" AS pairs
LEFT JOIN possible
  ON possible."timestamp" = pairs."timestamp"
  AND possible.distancefromobject = pairs.distancefromobject
  AND possible.x = pairs.x AND possible.y = pairs.y AND possible.z = pairs.z
