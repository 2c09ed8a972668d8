-- When each table last changed, and how many snapshots it still has. The oldest change first.
WITH snapshots AS (
%{ for index, table in tables ~}
%{ if index > 0 ~}
  UNION ALL
%{ endif ~}
  SELECT '${table.name}' AS table_name, committed_at FROM "${table.database}"."${table.name}$snapshots"
%{ endfor ~}
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
