-- Is this person gone? Put their email and their device's serial number in the place of person@example.com and serial-number.
-- Gone from a table: no row, and no snapshot from before the deletion. A table without a count names nobody: only its snapshots tell.
WITH person AS (
  SELECT lower(trim('person@example.com')) AS email, lower(trim('serial-number')) AS serialnumber
),
found AS (
%{ for index, table in of_people ~}
%{ if index > 0 ~}
  UNION ALL
%{ endif ~}
%{ if table.whose == null ~}
  SELECT '${table.name}' AS table_name, CAST(NULL AS bigint) AS row_count
%{ else ~}
  SELECT '${table.name}' AS table_name, count(*) AS row_count
  FROM "${table.database}"."${table.name}" WHERE "${table.whose}" = (SELECT ${table.whose == "serialnumber" ? "serialnumber" : "email"} FROM person)
%{ endif ~}
%{ endfor ~}
),
snapshots AS (
%{ for index, table in of_people ~}
%{ if index > 0 ~}
  UNION ALL
%{ endif ~}
  SELECT '${table.name}' AS table_name, committed_at FROM "${table.database}"."${table.name}$snapshots"
%{ endfor ~}
)
SELECT found.table_name, found.row_count, min(snapshots.committed_at) AS oldest_snapshot
FROM found
LEFT JOIN snapshots ON snapshots.table_name = found.table_name
GROUP BY found.table_name, found.row_count
ORDER BY found.table_name
