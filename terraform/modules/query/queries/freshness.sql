-- When each table last changed, and how many snapshots it still has. The oldest change first.
WITH snapshots AS (
  SELECT 'customer_landing' AS table_name, committed_at FROM "${landing}"."customer_landing$snapshots"
  UNION ALL
  SELECT 'accelerometer_landing', committed_at FROM "${landing}"."accelerometer_landing$snapshots"
  UNION ALL
  SELECT 'step_trainer_landing', committed_at FROM "${landing}"."step_trainer_landing$snapshots"
  UNION ALL
  SELECT 'rejected_records', committed_at FROM "${landing}"."rejected_records$snapshots"
  UNION ALL
  SELECT 'landed_files', committed_at FROM "${landing}"."landed_files$snapshots"
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
SELECT
  table_name,
  max(committed_at) AS changed_at,
  date_diff('hour', max(committed_at), current_timestamp) AS hours_ago,
  count(*) AS snapshots,
  min(committed_at) AS oldest_snapshot
FROM snapshots
GROUP BY table_name
ORDER BY changed_at
