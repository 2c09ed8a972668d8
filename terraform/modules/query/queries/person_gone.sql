-- Is this person gone? Put their email and their device's serial number in the place of person@example.com and serial-number.
-- Gone from a table: no row, and no snapshot from before the deletion. machine_learning_curated names nobody: only its snapshots tell.
WITH person AS (
  SELECT lower(trim('person@example.com')) AS email, lower(trim('serial-number')) AS serialnumber
),
found AS (
  SELECT 'customer_landing' AS table_name, count(*) AS row_count
  FROM "${landing}"."customer_landing" WHERE email = (SELECT email FROM person)
  UNION ALL
  SELECT 'accelerometer_landing', count(*)
  FROM "${landing}"."accelerometer_landing" WHERE "user" = (SELECT email FROM person)
  UNION ALL
  SELECT 'step_trainer_landing', count(*)
  FROM "${landing}"."step_trainer_landing" WHERE serialnumber = (SELECT serialnumber FROM person)
  UNION ALL
  SELECT 'customer_trusted', count(*)
  FROM "${trusted}"."customer_trusted" WHERE email = (SELECT email FROM person)
  UNION ALL
  SELECT 'accelerometer_trusted', count(*)
  FROM "${trusted}"."accelerometer_trusted" WHERE "user" = (SELECT email FROM person)
  UNION ALL
  SELECT 'step_trainer_trusted', count(*)
  FROM "${trusted}"."step_trainer_trusted" WHERE serialnumber = (SELECT serialnumber FROM person)
  UNION ALL
  SELECT 'customers_curated', count(*)
  FROM "${curated}"."customers_curated" WHERE email = (SELECT email FROM person)
  UNION ALL
  SELECT 'machine_learning_curated', NULL
),
snapshots AS (
  SELECT 'customer_landing' AS table_name, committed_at FROM "${landing}"."customer_landing$snapshots"
  UNION ALL
  SELECT 'accelerometer_landing', committed_at FROM "${landing}"."accelerometer_landing$snapshots"
  UNION ALL
  SELECT 'step_trainer_landing', committed_at FROM "${landing}"."step_trainer_landing$snapshots"
  UNION ALL
  SELECT 'customer_trusted', committed_at FROM "${trusted}"."customer_trusted$snapshots"
  UNION ALL
  SELECT 'accelerometer_trusted', committed_at FROM "${trusted}"."accelerometer_trusted$snapshots"
  UNION ALL
  SELECT 'step_trainer_trusted', committed_at FROM "${trusted}"."step_trainer_trusted$snapshots"
  UNION ALL
  SELECT 'customers_curated', committed_at FROM "${curated}"."customers_curated$snapshots"
  UNION ALL
  SELECT 'machine_learning_curated', committed_at FROM "${curated}"."machine_learning_curated$snapshots"
)
SELECT found.table_name, found.row_count, min(snapshots.committed_at) AS oldest_snapshot
FROM found
LEFT JOIN snapshots ON snapshots.table_name = found.table_name
GROUP BY found.table_name, found.row_count
ORDER BY found.table_name
