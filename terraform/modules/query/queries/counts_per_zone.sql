-- Rows of every table, zone by zone.
SELECT 'landing' AS zone, 'customer_landing' AS table_name, count(*) AS row_count FROM "${landing}"."customer_landing"
UNION ALL
SELECT 'landing', 'accelerometer_landing', count(*) FROM "${landing}"."accelerometer_landing"
UNION ALL
SELECT 'landing', 'step_trainer_landing', count(*) FROM "${landing}"."step_trainer_landing"
UNION ALL
SELECT 'landing', 'rejected_records', count(*) FROM "${landing}"."rejected_records"
UNION ALL
SELECT 'landing', 'landed_files', count(*) FROM "${landing}"."landed_files"
UNION ALL
SELECT 'trusted', 'customer_trusted', count(*) FROM "${trusted}"."customer_trusted"
UNION ALL
SELECT 'trusted', 'accelerometer_trusted', count(*) FROM "${trusted}"."accelerometer_trusted"
UNION ALL
SELECT 'trusted', 'step_trainer_trusted', count(*) FROM "${trusted}"."step_trainer_trusted"
UNION ALL
SELECT 'curated', 'customers_curated', count(*) FROM "${curated}"."customers_curated"
UNION ALL
SELECT 'curated', 'machine_learning_curated', count(*) FROM "${curated}"."machine_learning_curated"
